"""Pieces that are put side by side into zeros: what becomes of the cotangents of the parts of an array that was split."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.passes.rewriting import argument, producer
from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.indexing import parts_of
from tapegrad.core.var import apply
from tapegrad.ops.join import concatenate_p, stack_p

FEW = 16
"""Pieces up to which they are looked at."""


def side_by_side(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """A sum of pieces at slices that follow each other along an axis, from its beginning to its end, joins them."""
    shape, dtype = settings["shape"], settings["dtype"]
    if not 1 < len(args) <= FEW or any(dtype_of(x) != dtype for x in args):
        return None
    found = [span_of(index, shape) for index in settings["indices"]]
    axes = {None if span is None else span[0] for span in found}
    if len(axes) != 1 or None in axes:
        return None
    (axis,) = axes
    assert axis is not None
    pairs = sorted(zip([span[1:] for span in found if span is not None], args, strict=True), key=lambda pair: pair[0])
    ends = [0, *[stop for (_, stop), _ in pairs]]
    if ends[-1] != shape[axis] or [start for (start, _), _ in pairs] != ends[:-1]:
        return None
    for (start, stop), x in pairs:
        if shape_of(x) != (*shape[:axis], stop - start, *shape[axis + 1 :]):
            return None
    return apply(concatenate_p, *[x for _, x in pairs], axis=axis, ends=tuple(ends))


def one_by_one(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """So does a stack of pieces that is put at each position once: the stack in that order."""
    index = settings["indices"][0]
    index = index[0] if type(index) is tuple and len(index) == 1 else index
    step = producer(args[0])
    if len(args) > 1 or step is None or step[0] is not stack_p or step[3]["axis"] != 0:
        return None
    count = settings["shape"][0]
    if type(index) is not np.ndarray or index.shape != (count,) or shape_of(args[0]) != settings["shape"]:
        return None
    order = np.argsort(index % count, kind="stable")
    if not np.array_equal((index % count)[order], np.arange(count)):
        return None
    return apply(stack_p, *[argument(args[0], k) for k in order.tolist()], axis=0)


def span_of(index: Any, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return the one axis of which an index reads a part, not empty, and where that begins and ends; None for another index."""
    parts = parts_of(index)
    if not set(map(type, parts)) <= {slice, type(...)} or sum(part is ... for part in parts) > 1:
        return None
    if ... in parts:
        at = parts.index(...)
        parts = (*parts[:at], *(slice(None),) * (len(shape) - len(parts) + 1), *parts[at + 1 :])
    found = None
    for axis, (part, size) in enumerate(zip(parts, shape, strict=False)):
        start, stop, step = part.indices(size)
        if (start, stop, step) == (0, size, 1):
            continue
        if step != 1 or stop <= start or found is not None:
            return None
        found = axis, start, stop
    return found
