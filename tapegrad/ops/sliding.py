"""All places at which a window fits into an array, and the transpose: what lies in the windows, added up where it came from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tapegrad.core.families import linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply


def _overlap_add(windows: Any, window: Sequence[int], axes: Sequence[int]) -> Any:
    places = windows.shape[: windows.ndim - len(window)]
    lengths = list(places)
    for a, n in zip(axes, window, strict=True):
        lengths[a] += n - 1
    total = np.zeros(lengths, windows.dtype)
    for offset in np.ndindex(*window):
        start = [0] * len(places)
        for a, k in zip(axes, offset, strict=True):
            start[a] += k
        total[tuple([slice(k, k + n) for k, n in zip(start, places, strict=True)])] += windows[(..., *offset)]
    return total


sliding_p: Primitive = linear(
    "sliding_window_view",
    lambda x, window, axes: np.array(sliding_window_view(x, window, axes)),
    lambda g, y, x, window, axes: apply(overlap_add_p, g, window=window, axes=axes),
    batch=lambda args, batched, window, axes: apply(sliding_p, args[0], window=window, axes=axes),
    cases=(
        case((5,), window=(3,), axes=(-1,)),
        case((3, 4), window=(2, 3), axes=(-2, -1)),
        case((3, 4, 2), window=(4,), axes=(-2,)),
        case((5, 2), window=(2, 3), axes=(-2, -2)),
    ),
)
"""The windows of an array, behind its axes; `axes` count from the last one, so that a batch has the same."""

overlap_add_p: Primitive = linear(
    "overlap_add",
    _overlap_add,
    lambda g, y, x, window, axes: apply(sliding_p, g, window=window, axes=axes),
    batch=lambda args, batched, window, axes: apply(overlap_add_p, args[0], window=window, axes=axes),
    cases=(case((3, 3), window=(3,), axes=(-1,)), case((2, 2, 2, 3), window=(2, 3), axes=(-2, -1))),
)
"""The array that has in each place the sum of what windows have there."""
