"""Reading at an index, and its transpose: pieces put at their indices and summed.

The cotangent of a read is a `Scatter`, whose cost is that of what was read and not that of the whole array.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.adding import RowSums, add_at
from tapegrad.core.arrays import broadcast_to, shape_of
from tapegrad.core.complaints import leaked
from tapegrad.core.families import linear
from tapegrad.core.indexing import HOLE, filled, holds_number_in_array, is_basic, is_unique, normal, parts_of, place
from tapegrad.core.node import Recording
from tapegrad.core.pending import Scatter
from tapegrad.core.primitive import FUNCTIONS, Into, Primitive, Slot, case, no_cotangent
from tapegrad.core.var import Var, apply, current, handle

ndarray = np.ndarray


def _scatter(*pieces: Any, shape: tuple[int, ...], dtype: np.dtype[Any], indices: Sequence[Any]) -> Any:
    first = indices[0]
    if type(first) is not int and is_basic(first):
        if len(pieces) == 1 and type(pieces[0]) is ndarray:
            total: Any = np.empty(shape, dtype)
            if pieces[0].size != total.size:  # otherwise it is written altogether: a view names no element twice
                total.fill(0)
        else:
            total = np.zeros(shape, dtype)
        total[first] = pieces[0]
        indices, pieces = indices[1:], pieces[1:]
    else:
        total = np.zeros(shape, dtype)
    for index, piece in zip(indices, pieces, strict=True):
        add_at(total, index, piece)
    return total


# Pieces at indices


class EachPiece(Sequence[Any]):
    """The pulls of `scatter`, one for however many pieces there are: each reads back its own index."""

    def __getitem__(self, k: Any) -> Any:
        return lambda g, y, *pieces, shape, dtype, indices: g[indices[k]]

    def __len__(self) -> int:
        return 1


def _push_scatter(tangents: Sequence[Any], y: Any, *pieces: Any, **settings: Any) -> Any:
    moving = [k for k, t in enumerate(tangents) if t is not None]
    settings["indices"] = tuple([settings["indices"][k] for k in moving])
    return apply(scatter_p, *[tangents[k] for k in moving], **settings)


def _batch_scatter(args: Sequence[Any], batched: Sequence[bool], **settings: Any) -> Any:
    shape = settings["shape"]
    size = next(len(piece) for piece, is_batched in zip(args, batched, strict=True) if is_batched)
    pieces = []
    for index, piece, is_batched in zip(settings["indices"], args, batched, strict=True):
        pieces.append(_batched_piece(piece if is_batched else broadcast_to(piece, (size, *shape_of(piece))), index, len(shape)))
    settings["indices"] = tuple([(slice(None), *parts_of(index)) for index in settings["indices"]])
    settings["shape"] = (size, *shape)
    return apply(scatter_p, *pieces, **settings)


def _batched_piece(piece: Any, index: Any, rank: int) -> Any:
    """Move the leading axis of a piece to where reading a batch at `index` has it."""
    _, count, moved = place(index, rank)
    return np.moveaxis(piece, 0, count) if moved and count else piece


def _into_scatter(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    (index, *others) = settings["indices"]
    if others or is_unique(index) or type(args[0]) is not ndarray:
        return None
    return Into(RowSums(settings["shape"], settings["dtype"], index), (Slot(0),))


scatter_p: Primitive = Primitive(
    name="scatter",
    fn=_scatter,
    into=_into_scatter,
    pulls=EachPiece(),
    push=_push_scatter,
    batch=_batch_scatter,
    cases=(
        case((), (2,), shape=(4,), dtype=np.dtype(float), indices=(1, slice(1, 3))),
        case((4,), shape=(4,), dtype=np.dtype(float), indices=(slice(None, None, -1),)),
        case((3,), (2, 2), shape=(4, 2), dtype=np.dtype(float), indices=((np.array([0, 0, 3]), 1), np.array([2, 2]))),
        case((2, 3), shape=(3, 3, 2), dtype=np.dtype(float), indices=((0, slice(None), np.array([1, 1])),)),
    ),
)
"""The sum of pieces put at their indices into zeros; the transpose of reading."""


# Reading


def at_index(x: Any, index: Any) -> Any:
    """Return ``x[index]`` of plain values: whole rows at an array of integers in a third to a tenth of the time."""
    if type(index) is not ndarray or type(x) is not ndarray or x.ndim < 2 or index.dtype.kind != "i" or not index.ndim:
        return x[index]
    return x.take(index, 0) if x.flags.c_contiguous else x[index]  # which would copy all of it first


def _pull_getitem(g: Any, y: Any, x: Any, index: Any) -> Scatter:
    return Scatter(shape_of(x), g.dtype, index, g)


def _batch_getitem(args: Sequence[Any], batched: Sequence[bool], index: Any) -> Any:
    (x,) = args
    y = getitem(x, (slice(None), *parts_of(index)))
    _, count, moved = place(index, len(shape_of(x)) - 1)
    return np.moveaxis(y, count, 0) if moved and count else y


getitem_p = linear(
    "getitem",
    at_index,
    _pull_getitem,
    batch=_batch_getitem,
    view=True,
    cases=(
        case((4,), index=2),
        case((4, 3), index=(slice(None, None, 2), None, -1)),
        case((4, 3), index=np.array([0, 0, 2])),
        case((4, 3), index=(np.array([[0, 3], [0, 1]]), slice(1, None))),
        case((3, 4), index=(..., np.array([True, False, True, True]))),
        case((2, 3, 4), index=(np.array([0, 1]), slice(None), np.array([1, 1]))),
        case((2, 3), index=np.array([[True, False, True], [False, False, True]])),
    ),
)


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``."""
    traced, given = type(x) is Var, index
    if type(index) is not int:
        if not traced and Var not in map(type, parts_of(index)):
            return x[index]
        index, arrays = normal(index)
        if arrays:
            return apply(gather_p, x, *arrays, template=index)
        if type(index) is ndarray and index.dtype.kind == "b" and index.ndim == 1 and index.shape == x.shape:
            index = index.nonzero()[0]  # a quarter of the time
    if not traced:
        return x[index]
    if x.link is not None:
        y = x.link.read(x, index)
        if type(y.value) is ndarray and given is not index and holds_number_in_array(given):
            y = FUNCTIONS[np.copy](y)
        return y
    tape: Recording = x.tape
    if tape is not current():
        raise leaked(x)
    plain = x.value
    value = at_index(plain, index) if type(index) is ndarray else plain[index]
    steps = tape.steps
    steps.append((getitem_p, (x.index,), (plain,), {"index": index}, value))
    return handle(tape, len(steps) - 1, value, getitem_p)


def record_read(x: Var, index: Any, stand_in: Any) -> Var:
    """Record ``x[index]`` as a copy, with another array of the shape and dtype of `x` in place of it in the node."""
    if x.tape is not current():
        raise leaked(x)
    value = at_index(x.value, index)
    if type(value) is ndarray and value.base is not None:
        value = value.copy("K")
    steps = x.tape.steps
    steps.append((getitem_p, (x.index,), (stand_in,), {"index": index}, value))
    return handle(x.tape, len(steps) - 1, value, getitem_p)


FUNCTIONS[operator.getitem] = getitem


# Reading at positions that are traced themselves


POSITIONS = (no_cotangent,) * 64
"""The pulls of index arrays: as many as an array may have axes."""


def _pull_gather(g: Any, y: Any, x: Any, *arrays: Any, template: Any) -> Any:
    if Var in map(type, arrays):
        return apply(scatter_at_p, g, *arrays, template=template, shape=shape_of(x))
    return Scatter(shape_of(x), g.dtype, filled(template, arrays), g)


def _aligned(arrays: Sequence[Any], batched: Sequence[bool], count: int) -> list[Any]:
    """Give batched arrays, behind their leading axis, as many axes as the index arrays have together."""
    return [
        a.reshape(a.shape[:1] + (1,) * (count + 1 - len(a.shape)) + a.shape[1:]) if is_batched else a
        for a, is_batched in zip(arrays, batched, strict=True)
    ]


def _one(arrays: Sequence[Any], batched: Sequence[bool], template: Any) -> Any:
    """Return an index like that of a single example."""
    shapes = [shape_of(a)[is_batched:] for a, is_batched in zip(arrays, batched, strict=True)]
    return filled(template, [np.broadcast_to(0, shape) for shape in shapes])


def _batch_gather(args: Sequence[Any], batched: Sequence[bool], template: Any) -> Any:
    x, *arrays = args
    rank = len(shape_of(x)) - batched[0]
    at, count, moved = place(_one(arrays, batched[1:], template), rank)
    if not any(batched[1:]):
        y = getitem(x, (slice(None), *parts_of(filled(template, arrays))))
        return np.moveaxis(y, count, 0) if moved and count else y
    aligned = _aligned(arrays, batched[1:], count)
    if not batched[0]:
        return np.moveaxis(getitem(x, filled(template, aligned)), at, 0)
    rows = np.arange(len(x)).reshape(-1, *(1,) * count)
    y = getitem(x, (rows, *parts_of(filled(template, aligned))))
    return np.moveaxis(y, range(1, 1 + count), range(1 + at, 1 + at + count)) if at else y


def read_at(x: Any, *index: Any) -> Any:
    return at_index(x, index[0]) if len(index) == 1 else x[index]


def _into_gather(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    x, *arrays = args
    if type(x) is not ndarray or any(type(a) is not ndarray or not a.ndim for a in arrays):
        return None
    slots = iter(range(1, len(args)))
    return Into(read_at, (Slot(0), *[Slot(next(slots)) if part is HOLE else part for part in parts_of(settings["template"])]))


gather_p: Primitive = Primitive(
    name="gather",
    fn=lambda x, *arrays, template: at_index(x, filled(template, arrays)),
    pulls=(_pull_gather, *POSITIONS),
    push=lambda tangents, y, x, *arrays, template: (
        None if tangents[0] is None else apply(gather_p, tangents[0], *arrays, template=template)
    ),
    batch=_batch_gather,
    into=_into_gather,
    cases=(
        case((4,), np.array(2), template=HOLE),
        case((4, 3), np.array([0, 0, 2]), template=(slice(None, 2), None, HOLE)),
        case((3, 4), np.array([[0], [2]]), np.array([1, 3]), template=(HOLE, HOLE)),
    ),
)
"""Reading at an index in which arrays are traced."""


def _scatter_at(piece: Any, *arrays: Any, template: Any, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape, piece.dtype)
    add_at(total, filled(template, arrays), piece)
    return total


def _batch_scatter_at(args: Sequence[Any], batched: Sequence[bool], template: Any, shape: tuple[int, ...]) -> Any:
    piece, *arrays = args
    size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
    at, count, _ = place(_one(arrays, batched[1:], template), len(shape))
    if not batched[0]:
        piece = broadcast_to(piece, (size, *shape_of(piece)))
    if at:
        piece = np.moveaxis(piece, range(1 + at, 1 + at + count), range(1, 1 + count))
    rows = np.arange(size).reshape(-1, *(1,) * count)
    aligned = _aligned(arrays, batched[1:], count)
    return apply(scatter_at_p, piece, *aligned, template=(rows, *parts_of(template)), shape=(size, *shape))


scatter_at_p: Primitive = Primitive(
    name="scatter_at",
    fn=_scatter_at,
    pulls=(lambda g, y, piece, *arrays, template, shape: getitem(g, filled(template, arrays)), *POSITIONS),
    push=lambda tangents, y, piece, *arrays, **settings: (
        None if tangents[0] is None else apply(scatter_at_p, tangents[0], *arrays, **settings)
    ),
    batch=_batch_scatter_at,
    cases=(
        case((), np.array(2), template=HOLE, shape=(4,)),
        case((2, 1, 3), np.array([0, 0, 2]), template=(slice(None, 2), None, HOLE), shape=(4, 3)),
    ),
)
"""A piece put into zeros at an index in which arrays are traced; what is named twice receives twice."""
