"""Sums over consecutive stretches of an axis, as ``np.add.reduceat`` takes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear
from tapegrad.core.pending import Scatter
from tapegrad.core.primitive import case
from tapegrad.core.var import apply


def stretches(indices: Any, length: int) -> list[tuple[int, int]]:
    """Return where each stretch begins and ends: at the next index, or one behind its own if that is not larger."""
    starts = [int(i) for i in indices]
    ends = [*starts[1:], length]
    return [(i, max(i + 1, j)) for i, j in zip(starts, ends, strict=True)]


def _transpose(g: Any, y: Any, x: Any, indices: Any, axis: int) -> Scatter:
    spans = stretches(indices, shape_of(x)[axis])
    rows = np.concatenate([np.arange(i, j) for i, j in spans] or [np.arange(0)])
    owners = np.repeat(np.arange(len(spans)), [j - i for i, j in spans])
    before = (slice(None),) * axis
    at: Any = rows
    if rows.size and rows[-1] - rows[0] + 1 == rows.size and (np.diff(rows) == 1).all():
        at = slice(int(rows[0]), int(rows[-1]) + 1)
    return Scatter(shape_of(x), g.dtype, (*before, at), g[(*before, owners)])


def _batch(args: Sequence[Any], batched: Sequence[bool], indices: Any, axis: int) -> Any:
    return apply(segment_sum_p, args[0], indices=indices, axis=axis + 1)


segment_sum_p = linear(
    "segment_sum",
    lambda x, indices, axis: np.add.reduceat(x, indices, axis=axis),
    _transpose,
    batch=_batch,
    cases=(
        case((5,), indices=np.array([0, 2, 3]), axis=0),
        case((2, 5), indices=np.array([1, 4]), axis=1),
        case((5, 2), indices=np.array([3, 1, 1, 4, 0]), axis=0),
    ),
)
