"""Primitives that are part of the tape itself: roots, reading and scattering, casts, outputs of several."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear
from tapegrad.core.pending import Scatter, Slots
from tapegrad.core.primitive import FUNCTIONS, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply

root_p = Primitive(
    name="root",
    fn=lambda x: x,
    pulls=(lambda g, y, x: g,),
    push=lambda tangents, y, x: tangents[0],
    batch=lambda args, batched: args[0],
    cases=(case((3,)),),
)
"""An argument of a transform: a fresh node, or inside another transform the identity of a value recorded there."""

pick_p = Primitive(
    name="pick",
    fn=lambda x, which: x[which],
    pulls=(lambda g, y, x, which: Slots({which: g}),),
    push=lambda tangents, y, x, which: tangents[0][which],
    batch=lambda args, batched, which: args[0][which],
)
"""One output of an operation that has several."""

stop_gradient_p: Primitive = Primitive(
    name="stop_gradient",
    fn=lambda x: x,
    pulls=(no_cotangent,),
    push=lambda tangents, y, x: None,
    batch=lambda args, batched: apply(stop_gradient_p, args[0]),
    constant=True,
    cases=(case((3,)),),
)
"""The identity, without derivative. Recorded only where values must not be looked at; elsewhere it is the plain value."""


# Reading and scattering


def is_basic(index: Any) -> bool:
    """Tell whether NumPy reads `index` as a view: integers, slices, None and Ellipsis only."""
    parts = index if type(index) is tuple else (index,)
    return all(type(part) in BASIC or isinstance(part, np.integer) for part in parts)


BASIC = frozenset({int, slice, type(None), type(...)})


def _scatter(*pieces: Any, shape: tuple[int, ...], dtype: np.dtype[Any], indices: Sequence[Any]) -> Any:
    total = np.zeros(shape, dtype)
    for index, piece in zip(indices, pieces, strict=True):
        if is_basic(index):
            total[index] += piece
        else:
            np.add.at(total, index, piece)
    return total


class EachPiece(Sequence[Any]):
    """The pulls of `scatter`, one for however many pieces there are: each reads back its own index."""

    def __getitem__(self, k: Any) -> Any:
        return lambda g, y, *pieces, shape, dtype, indices: g[indices[k]]

    def __len__(self) -> int:
        return 1


def _push_scatter(tangents: Sequence[Any], y: Any, *pieces: Any, **settings: Any) -> Any:
    moving = [k for k, t in enumerate(tangents) if t is not None]
    settings["indices"] = tuple(settings["indices"][k] for k in moving)
    return apply(scatter_p, *[tangents[k] for k in moving], **settings)


scatter_p = Primitive(
    name="scatter",
    fn=_scatter,
    pulls=EachPiece(),
    push=_push_scatter,
    cases=(
        case((), (2,), shape=(4,), dtype=np.dtype(float), indices=(1, slice(1, 3))),
        case((3,), (2, 2), shape=(4, 2), dtype=np.dtype(float), indices=((np.array([0, 0, 3]), 1), np.array([2, 2]))),
    ),
)
"""The sum of pieces put at their indices into zeros; the transpose of reading."""


def _pull_getitem(g: Any, y: Any, x: Any, index: Any) -> Scatter:
    return Scatter(shape_of(x), g.dtype, index, g)


getitem_p = linear(
    "getitem",
    lambda x, index: x[index],
    _pull_getitem,
    batch=lambda args, batched, index: args[0][(slice(None), *index) if type(index) is tuple else (slice(None), index)],
    cases=(
        case((4,), index=2),
        case((4, 3), index=(slice(None, None, 2), None, -1)),
        case((4, 3), index=np.array([0, 0, 2])),
        case((4, 3), index=(np.array([[0, 3], [0, 1]]), slice(1, None))),
        case((3, 4), index=(..., np.array([True, False, True, True]))),
    ),
)


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``."""
    if type(x) is not Var:
        return x[index]
    return apply(getitem_p, x, index=plain_index(index))


def plain_index(index: Any) -> Any:
    """Return `index` in the form in which it is recorded: lists become arrays, later changes of an array do not reach it."""
    if type(index) is tuple:
        return tuple([plain_index(part) for part in index])
    if isinstance(index, list):
        return np.asarray(index) if index else np.asarray(index, int)
    if type(index) is np.ndarray:
        return index.copy() if index.flags.writeable else index
    if type(index) is slice:
        if type(index.start) is Var or type(index.stop) is Var or type(index.step) is Var:
            return slice(*[operator.index(n) if type(n) is Var else n for n in (index.start, index.stop, index.step)])
    return operator.index(index) if type(index) is Var and index.ndim == 0 else index


FUNCTIONS[operator.getitem] = getitem


# Casts


def _pull_astype(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    return g if np.dtype(dtype).kind in "fc" else np.zeros(shape_of(x))


astype_p: Primitive = linear(
    "astype",
    lambda x, dtype: np.asarray(x).astype(dtype)[()],
    _pull_astype,
    batch=lambda args, batched, dtype: apply(astype_p, args[0], dtype=dtype),
    cases=(case((3,), dtype=np.dtype(np.float64)),),
)
"""A cast. The replay casts the cotangent back, as it does behind every promotion."""


def astype(x: Any, dtype: Any) -> Any:
    """Return `x` with elements of the given dtype; a cast to integers or booleans has no derivative."""
    dtype = np.dtype(dtype)
    if type(x) is not Var:
        return np.asarray(x).astype(dtype)
    if x.dtype == dtype and type(x.value) is not float:
        return x
    if dtype.kind not in "fc":
        return apply(cast_p, x, dtype=dtype)
    return apply(astype_p, x, dtype=dtype)


cast_p: Primitive = Primitive(
    name="cast",
    fn=lambda x, dtype: np.asarray(x).astype(dtype)[()],
    pulls=(no_cotangent,),
    push=lambda tangents, y, x, dtype: None,
    batch=lambda args, batched, dtype: apply(cast_p, args[0], dtype=dtype),
    constant=True,
    cases=(case((3,), dtype=np.dtype(np.int64)),),
)
"""A cast to a dtype without derivatives."""

FUNCTIONS[np.astype] = astype
