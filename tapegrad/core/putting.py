"""Writing at an index, as an operation: a copy of an array with new values, or with something added, at an index.

Both are linear in what is put and in the array that it is put into.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.core.adding import add_at
from tapegrad.core.arrays import broadcast_to, dtype_of, shape_of, sum_to
from tapegrad.core.complaints import lost
from tapegrad.core.indexing import HOLE, filled, is_unique, parts_of, place
from tapegrad.core.pending import Scatter
from tapegrad.core.primitive import PRIMITIVES, Primitive, case
from tapegrad.core.reading import POSITIONS, getitem
from tapegrad.core.var import Var, apply

ndarray = np.ndarray


def put(x: Any, index: Any, v: Any, *arrays: Any) -> Any:
    """Return a copy of `x` in which `v` stands at `index`, as after ``x[index] = v``; `arrays` fill the holes of the index."""
    return apply(put_p, v, x, *arrays, index=index)


def add(x: Any, index: Any, v: Any, *arrays: Any) -> Any:
    """Return a copy of `x` to which `v` was added at `index`; what is named twice receives twice."""
    return apply(add_p, v, x, *arrays, index=index)


def put_where(x: Any, mask: Any, v: Any) -> Any:
    """Return a copy of `x` in which `v` stands where a traced mask is true that must not be looked at.

    Raises:
        ConcretizationError: if `v` has an axis over the elements under the mask, whose number depends on values.
    """
    if len(shape_of(v)) > len(shape_of(x)) - mask.ndim:
        lost(mask, "a mask to assign an array with", "picks a number of elements that depends on values; use numpy.where")
    return choose(x, mask, v)


def choose(x: Any, mask: Any, y: Any) -> Any:
    """Return `y` where a mask over the first axes of `x` is true, and `x` elsewhere."""
    shape = shape_of(x)
    if mask.shape != shape[: mask.ndim]:
        raise IndexError(f"boolean index of shape {mask.shape} did not match indexed array of shape {shape}")
    return np.where(mask.reshape(*mask.shape, *(1,) * (len(shape) - mask.ndim)), y, x).astype(dtype_of(x))


def whole(index: Any, arrays: Sequence[Any]) -> Any:
    """Return an index with its holes filled, if it has any."""
    return filled(index, arrays) if arrays else index


# Values


def _put(v: Any, x: Any, *arrays: Any, index: Any) -> Any:
    y = np.array(x, order="K")
    y[whole(index, arrays)] = v
    return y


def _add(v: Any, x: Any, *arrays: Any, index: Any) -> Any:
    y = np.array(x, order="C")
    index = whole(index, arrays)
    if is_unique(index):
        y[index] += v
    else:
        add_at(y, index, np.asarray(v))
    return y


# Cotangents


def _fit(piece: Any, shape: tuple[int, ...]) -> Any:
    """Sum the cotangent of what stands at an index to the shape of what was put there, which may have leading axes of 1."""
    rank = len(shape_of(piece))
    fitted = sum_to(piece, shape[max(len(shape) - rank, 0) :])
    return fitted if shape_of(fitted) == shape else fitted.reshape(shape)


def _pull_put(g: Any, y: Any, v: Any, x: Any, *arrays: Any, index: Any) -> Any:
    where = whole(index, arrays)
    piece = getitem(g, where)
    if not is_unique(index):
        stays = apply(last_p, *arrays, index=index, shape=shape_of(x)) if arrays else last(index, shape_of(x))
        piece = piece if type(stays) is ndarray and stays.all() else np.where(stays, piece, 0.0)
    elif type(piece) is ndarray and piece.base is not None:
        piece = piece.copy()  # so that it holds on to no more than itself, and `g` may be used up below
    return _fit(piece, shape_of(v))


def _pull_rest(g: Any, y: Any, v: Any, x: Any, *arrays: Any, index: Any) -> Any:
    if type(g) is ndarray and g.base is None and sys.getrefcount(g) == OWNED and g.flags.writeable:
        g[whole(index, arrays)] = 0  # nobody else will look at it; an array filled in a loop would cost a copy for every write
        return Scatter(g.shape, g.dtype, None, None, None, g, owned=True) if g.flags.c_contiguous else g
    return put(g, index, 0.0, *arrays)


def _owned() -> int:
    """Return the number of references that a rule sees to a cotangent that the replay alone holds."""
    g = np.empty(1)
    return _references(*(g, g.shape), index=0)


def _references(g: Any, y: Any, *args: Any, index: Any) -> int:
    return sys.getrefcount(g)


OWNED = _owned()


def last(index: Any, shape: tuple[int, ...]) -> Any:
    """Tell, for each element that `index` names, whether it is the last time, so that what is put there stays."""
    owner = np.empty(shape, np.intp)
    named = np.broadcast_to(np.False_, shape)[index]
    count = np.arange(named.size).reshape(named.shape)
    owner[index] = count
    return owner[index] == count


def _pull_added(g: Any, y: Any, v: Any, x: Any, *arrays: Any, index: Any) -> Any:
    return _fit(getitem(g, whole(index, arrays)), shape_of(v))


def _push(name: str) -> Callable[..., Any]:
    def push(tangents: Sequence[Any], y: Any, v: Any, x: Any, *arrays: Any, index: Any) -> Any:
        moved, kept = tangents[:2]
        if moved is None and kept is None:
            return None
        owned = type(kept) is ndarray and kept.base is None and sys.getrefcount(kept) == PUSHED and kept.flags.writeable
        if owned and name == "put" and Var not in map(type, (moved, *arrays)) and kept.dtype == dtype_of(y):
            kept[whole(index, arrays)] = 0.0 if moved is None else moved  # as cotangents are emptied, above
            return kept
        kept = np.zeros(shape_of(x), dtype_of(y)) if kept is None else kept
        return apply(PRIMITIVES[name], 0.0 if moved is None else moved, kept, *arrays, index=index)

    return push


def _pushed(tangents: Sequence[Any]) -> int:
    _moved, kept = tangents[:2]
    return sys.getrefcount(kept)


PUSHED = _pushed([None, np.empty(1)])
"""The number of references that a rule sees to a tangent that the replay alone holds."""


# Batches


def _batch(name: str) -> Callable[..., Any]:
    def batch(args: Sequence[Any], batched: Sequence[bool], index: Any) -> Any:
        v, x, *arrays = args
        owned = type(x) is ndarray and x.base is None and sys.getrefcount(x) == BATCHED and x.flags.writeable
        owned = owned and batched[1] and np.can_cast(dtype_of(v), x.dtype, "same_kind")
        size = next(len(a) for a, is_batched in zip(args, batched, strict=True) if is_batched)
        shape = shape_of(x)[batched[1] :]
        shapes = [shape_of(a)[is_batched:] for a, is_batched in zip(arrays, batched[2:], strict=True)]
        one = whole(index, [np.broadcast_to(0, s) for s in shapes])
        at, count, moved = place(one, len(shape))
        rank = np.broadcast_to(0, shape)[one].ndim
        own = shape_of(v)[batched[0] :]
        own = own[max(len(own) - rank, 0) :]
        v = np.reshape(v, (size if batched[0] else 1, *(1,) * (rank - len(own)), *own))
        if not batched[1]:
            x = broadcast_to(x, (size, *shape))
        if not any(batched[2:]):
            v = np.moveaxis(v, 0, count) if moved else v
            if name == "put" and owned and Var not in map(type, (v, *arrays)):
                x[(slice(None), *parts_of(whole(index, arrays)))] = v
                return x
            return apply(PRIMITIVES[name], v, x, *arrays, index=(slice(None), *parts_of(index)))
        rows = np.arange(size).reshape(-1, *(1,) * count)
        v = np.moveaxis(v, range(1 + at, 1 + at + count), range(1, 1 + count)) if at else v
        aligned = [
            a.reshape(size, *(1,) * (count - len(s)), *s) if is_batched else a
            for a, s, is_batched in zip(arrays, shapes, batched[2:], strict=True)
        ]
        return apply(PRIMITIVES[name], v, x, *aligned, index=(rows, *parts_of(index)))

    return batch


def _batched(args: Sequence[Any]) -> int:
    _v, x, *_arrays = args
    return sys.getrefcount(x)


BATCHED = _batched([None, np.empty(1)])
"""The number of references that a rule sees to a batch that the replay alone holds."""

# Primitives

CASES = (
    case((), (4,), index=1),
    case((2,), (4,), index=slice(None, None, 2)),
    case((1, 3), (4, 3), index=slice(1, 3)),
    case((3,), (4,), index=np.array([0, 2, 0])),
    case((3, 1), (4, 3), index=(np.array([3, 1, 3]), slice(1, None))),
    case((2, 3), (2, 3, 4), index=(np.array([0, 1]), slice(None), np.array([1, 1]))),
    case((3,), (2, 3), index=np.array([[True, False, True], [False, False, True]])),
    case((2,), (4,), np.array([3, 3]), index=HOLE),
    case((2, 1), (3, 4), np.array([0, 2]), index=(slice(None, 2), HOLE)),
)

put_p: Primitive = Primitive(
    name="put", fn=_put, pulls=(_pull_put, _pull_rest, *POSITIONS), push=_push("put"), batch=_batch("put"), cases=CASES
)
"""A copy of an array (the second input) with new values (the first) at an index; of those for one place the last stays."""

add_p: Primitive = Primitive(
    name="put_added",
    fn=_add,
    pulls=(_pull_added, lambda g, y, v, x, *arrays, index: g, *POSITIONS),
    push=_push("put_added"),
    batch=_batch("put_added"),
    cases=CASES,
)
"""A copy of an array (the second input) with the first input added at an index."""

last_p: Primitive = Primitive(
    name="last",
    fn=lambda *arrays, index, shape: last(filled(index, arrays), shape),
    pulls=POSITIONS,
    push=lambda tangents, y, *arrays, index, shape: None,
    constant=True,
    cases=(case(np.array([1, 3, 1]), index=HOLE, shape=(4,)),),
)
"""Which of the elements named at an index in which arrays are traced are named there for the last time."""
