"""Operations that only rearrange: the same elements in another shape or order. Each is linear; its transpose puts them back."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear
from tapegrad.core.primitive import OUT, Into, Primitive, Slot, case
from tapegrad.core.var import apply

ndarray = np.ndarray


# Reshape


def _reshape(x: Any, shape: tuple[int, ...], order: Any = "C") -> Any:
    if order == "C":
        return x.reshape(shape) if type(x) is ndarray else np.reshape(x, shape)
    return np.reshape(x, shape, order)


def _pull_reshape(g: Any, y: Any, x: Any, shape: tuple[int, ...], order: Any = "C") -> Any:
    return g.reshape(shape_of(x)) if order == "C" else np.reshape(g, shape_of(x), order)


def _batch_reshape(args: Sequence[Any], batched: Sequence[bool], shape: tuple[int, ...], order: Any = "C") -> Any:
    (x,) = args
    if order == "C":
        return apply(reshape_p, x, shape=(len(x), *shape))
    whole = apply(reshape_p, np.moveaxis(x, 0, -1), shape=(*shape, len(x)), order=order)
    return np.moveaxis(whole, -1, 0)


reshape_p: Primitive = linear(
    "reshape",
    _reshape,
    _pull_reshape,
    batch=_batch_reshape,
    view=True,
    into=lambda args, settings: (
        Into(ndarray.reshape, (Slot(0), settings["shape"]))
        if settings.get("order", "C") == "C" and type(args[0]) is ndarray
        else None
    ),
    cases=(
        case((2, 3), shape=(3, 2)),
        case((2, 3), shape=(1, 6), order="F"),
        case((1,), shape=()),
        case((), shape=(1, 1)),
        case((0, 2), shape=(2, 0)),
    ),
)
"""The elements of `x` in another shape of the same size; `shape` has no -1, `order` is 'C' or 'F'."""


# Transpose


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the permutation that undoes `axes`."""
    back = [0] * len(axes)
    for k, axis in enumerate(axes):
        back[axis] = k
    return tuple(back)


def _into_transpose(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    axes = settings["axes"]
    if type(args[0]) is not ndarray:
        return None
    return Into(ndarray.transpose, (Slot(0),) if axes == tuple(range(len(axes)))[::-1] else (Slot(0), axes))


transpose_p: Primitive = linear(
    "transpose",
    lambda x, axes: x.transpose(axes) if type(x) is ndarray else np.transpose(x, axes),
    lambda g, y, x, axes: g.transpose(inverse(axes)),
    batch=lambda args, batched, axes: apply(transpose_p, args[0], axes=(0, *[axis + 1 for axis in axes])),
    view=True,
    into=_into_transpose,
    cases=(case((2, 3), axes=(1, 0)), case((2, 3, 4), axes=(2, 0, 1)), case((), axes=())),
)
"""The axes of `x` in another order, a permutation of non-negative numbers."""


# Roll


def _roll(x: Any, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    if len(axes) != 1 or type(x) is not ndarray or not x.size:
        return np.roll(x, shifts, axes)
    (axis,) = axes
    before: tuple[Any, ...] = (slice(None),) * axis
    cut = -shifts[0] % x.shape[axis]
    return np.concatenate((x[(*before, slice(cut, None))], x[(*before, slice(cut))]), axis)  # in half the time


TAKEN = 2**9
"""Elements for each piece of a roll up to which all are taken one by one in programs: some 0.3 us and 0.6 ns an element,
where each piece costs a call of 0.4 us."""


@frozen(eq=False)
class Rolled:
    """Writes a rolled array into another one, piece by piece: where each goes, and where it comes from."""

    pieces: tuple[tuple[Any, Any], ...]

    def __call__(self, x: Any, out: Any = None) -> Any:
        if out is None:
            out = np.empty(x.shape, x.dtype)
        for target, source in self.pieces:
            out[target] = x[source]
        return out


def _into_roll(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    (x,) = args
    if type(x) is not ndarray or not x.size:
        return None
    shifts, axes = settings["shifts"], settings["axes"]
    cuts = {axis: sum(shift for shift, other in zip(shifts, axes, strict=True) if other == axis) for axis in axes}
    halves: list[list[tuple[slice, slice]]] = []
    for axis, size in enumerate(x.shape):
        cut = cuts.get(axis, 0) % size
        whole = [(slice(None), slice(None))]
        halves.append([(slice(cut, None), slice(size - cut)), (slice(cut), slice(size - cut, None))] if cut else whole)
    pieces = tuple([(tuple([to for to, _ in parts]), tuple([at for _, at in parts])) for parts in product(*halves)])
    if x.size <= TAKEN * len(pieces):
        return Into(ndarray.take, (Slot(0), np.roll(np.arange(x.size).reshape(x.shape), shifts, axes), None, OUT, "clip"))
    return Into(Rolled(pieces), (Slot(0), OUT))


roll_p: Primitive = linear(
    "roll",
    _roll,
    lambda g, y, x, shifts, axes: apply(roll_p, g, shifts=tuple([-shift for shift in shifts]), axes=axes),
    batch=lambda args, batched, shifts, axes: apply(roll_p, args[0], shifts=shifts, axes=tuple([axis + 1 for axis in axes])),
    into=_into_roll,
    cases=(case((5,), shifts=(2,), axes=(0,)), case((3, 4), shifts=(1, -2, 1), axes=(0, 1, 0))),
)
"""`x` rolled along axes (non-negative numbers, perhaps one twice)."""


# Repeat


repeat_p: Primitive = linear(
    "repeat",
    lambda x, counts, axis: np.repeat(x, counts, axis),
    lambda g, y, x, counts, axis: apply(sum_runs_p, g, counts=counts, length=shape_of(x)[axis], axis=axis),
    batch=lambda args, batched, counts, axis: apply(repeat_p, args[0], counts=counts, axis=axis + 1),
    cases=(
        case((3,), counts=2, axis=0),
        case((2, 3), counts=np.array([2, 0, 3]), axis=1),
        case((3, 2), counts=np.array([1, 2, 1]), axis=0),
        case((2,), counts=0, axis=0),
    ),
)
"""Each slice along an axis (a non-negative number), as often as its count says: an int, or an array with one for each."""


def _sum_runs(x: Any, counts: Any, length: int, axis: int) -> Any:
    shape = x.shape
    if type(counts) is int:
        return np.add.reduce(x.reshape(*shape[:axis], length, counts, *shape[axis + 1 :]), axis + 1)
    y = np.zeros((*shape[:axis], length, *shape[axis + 1 :]), x.dtype)
    if x.ndim == 1:
        np.add.at(y, np.repeat(np.arange(length), counts), x)
        return y
    present = np.flatnonzero(counts)  # reduceat cannot sum over nothing
    if len(present):
        starts = (np.cumsum(counts) - counts)[present]
        y[(slice(None),) * axis + (present,)] = np.add.reduceat(x, starts, axis)
    return y


sum_runs_p: Primitive = linear(
    "sum_runs",
    _sum_runs,
    lambda g, y, x, counts, length, axis: apply(repeat_p, g, counts=counts, axis=axis),
    batch=lambda args, batched, counts, length, axis: apply(sum_runs_p, args[0], counts=counts, length=length, axis=axis + 1),
    cases=(case((6,), counts=2, length=3, axis=0), case((2, 5), counts=np.array([2, 0, 3]), length=3, axis=1)),
)
"""Sums over runs along an axis, of the lengths that `counts` says: the transpose of `repeat`."""


# Diagonals


def _diagonal_index(shape: tuple[int, ...], offset: int) -> tuple[Any, ...]:
    """Return the index of a diagonal in the last two axes."""
    rows, columns = shape[-2], shape[-1]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    steps = np.arange(n)
    return ..., steps + max(-offset, 0), steps + max(offset, 0)


def _scatter_diagonal(d: Any, shape: tuple[int, int], offset: int) -> Any:
    y = np.zeros((*d.shape[:-1], *shape), d.dtype)
    y[_diagonal_index(shape, offset)] = d
    return y


diagonal_p: Primitive = linear(
    "diagonal",
    lambda x, offset: np.diagonal(x, offset, -2, -1),
    lambda g, y, x, offset: apply(spread_diagonal_p, g, shape=shape_of(x)[-2:], offset=offset),
    batch=lambda args, batched, offset: apply(diagonal_p, args[0], offset=offset),
    view=True,
    cases=(case((3, 3), offset=0), case((2, 3, 4), offset=1), case((3, 2), offset=-2), case((2, 2), offset=5)),
)
"""A diagonal of the last two axes, along a new last axis."""

spread_diagonal_p: Primitive = linear(
    "spread_diagonal",
    _scatter_diagonal,
    lambda g, y, d, shape, offset: apply(diagonal_p, g, offset=offset),
    batch=lambda args, batched, shape, offset: apply(spread_diagonal_p, args[0], shape=shape, offset=offset),
    cases=(case((3,), shape=(3, 3), offset=0), case((2, 2), shape=(3, 4), offset=-1)),
)
"""Zeros with the last axis of `d` on a diagonal of two new last axes: the transpose of `diagonal`."""


# Triangles


def triangle(x: Any, k: int, lower: bool) -> Any:
    """Return `x` with zeros above diagonal `k` (`lower`), or below it."""
    return apply(triangle_p, x, k=k, lower=lower)


triangle_p: Primitive = linear(
    "triangle",
    lambda x, k, lower: np.tril(x, k) if lower else np.triu(x, k),
    lambda g, y, x, k, lower: apply(triangle_p, g, k=k, lower=lower),
    batch=lambda args, batched, k, lower: apply(triangle_p, args[0], k=k, lower=lower),
    cases=(case((3, 3), k=0, lower=True), case((2, 3, 4), k=1, lower=False), case((3, 2), k=-1, lower=True)),
)
"""The last two axes, zero on one side of a diagonal."""


def resolve(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """Return a shape with its -1 replaced by the length that makes its size right; NumPy raises where there is none."""
    shape = tuple(shape)
    if -1 in shape:
        rest = -math.prod(shape)
        if shape.count(-1) == 1 and rest and size % rest == 0:
            return tuple([size // rest if n == -1 else n for n in shape])
    return shape
