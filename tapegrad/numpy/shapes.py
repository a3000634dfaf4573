"""Shapes: the same elements, in other axes, orders and sizes."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import View, flat, in_memory, own, writable
from tapegrad.numpy.arguments import memory_order
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.shape import reshape_p, resolve, transpose_p
from tapegrad.typing import Array, ArrayLike, Axis, Shape

Order = Literal["C", "F", "A"]


def in_shape(x: Any, shape: tuple[int, ...]) -> Array:
    """Record a traced value in another shape of its size."""
    y: Array = apply(reshape_p, x, shape=shape) if x.link is None else in_ordered_shape(x, shape)
    return y


def in_ordered_shape(x: Any, shape: tuple[int, ...], **order: Any) -> Array:
    """Record a traced value in another shape; where it can be written and NumPy copies, the copy can be written too."""
    y: Any = apply(reshape_p, x, shape=shape, **order)
    reshaped: Array = writable(y) if x.link is not None and y.link is None else y
    return reshaped


def in_order(x: Any, axes: tuple[int, ...]) -> Array:
    """Record a traced value with its axes in another order."""
    y: Array = apply(transpose_p, x, axes=axes)
    return y


def plain(x: Any) -> Any:
    """Return the NumPy array behind a traced value, for a look at its memory or for NumPy's own error."""
    return x.value if type(x) is Var else x


# What an array is


@stands_for(np.shape)
def shape(a: ArrayLike) -> tuple[int, ...]:
    """Return the shape of an array.

    Example:
        >>> shape(np.zeros((2, 3)))
        (2, 3)
    """
    a = gathered(a)
    return a.shape if type(a) is Var else np.shape(a)


@stands_for(np.ndim)
def ndim(a: ArrayLike) -> int:
    """Return the number of axes of an array.

    Example:
        >>> ndim(np.zeros((2, 3)))
        2
    """
    a = gathered(a)
    return a.ndim if type(a) is Var else np.ndim(a)


@stands_for(np.size)
def size(a: ArrayLike, axis: Axis = None) -> int:
    """Return the number of elements of an array, altogether or along axes.

    Example:
        >>> size(np.zeros((2, 3))), size(np.zeros((2, 3)), 1)
        (6, 3)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.size(a, axis)  # type: ignore[arg-type]  # several axes since NumPy 2.4
    return a.size if axis is None else int(np.prod([a.shape[k] for k in normalize_axis_tuple(axis, a.ndim)], dtype=int))


# Another shape


@stands_for(np.reshape)
def reshape(a: ArrayLike, /, shape: Shape, order: Order = "C", *, copy: bool | None = None) -> Array:
    """Return the elements of `a` in another shape.

    Args:
        a: an array.
        shape: the new shape; one length may be -1, which stands for what is left.
        order: read and write the elements with the last axis running fastest ('C'), the first ('F'), or as they lie ('A').
        copy: True for a copy in any case, False to raise where one is needed.

    Returns:
        The elements, of shape `shape`.

    Raises:
        ValueError: if the sizes differ.

    Example:
        >>> reshape(np.arange(6.0), (2, -1))
        array([[0., 1., 2.],
               [3., 4., 5.]])
    """
    if type(a) is not Var:
        a = gathered(a)
    if type(a) is not Var:
        return np.reshape(a, shape, order) if copy is None else np.reshape(a, shape, order, copy=copy)
    wanted = shape if type(shape) is tuple else lengths(shape)
    if -1 in wanted:
        wanted = resolve(wanted, a.size)
    if order == "C" and copy is None:
        return in_shape(a, wanted)
    if memory_order(order, "C") == "K":
        raise ValueError("order 'K' is not permitted for reshaping")
    y: Any = _read(a, wanted, order)
    if copy is False and (type(y.link) is not View if a.link is not None else not np.may_share_memory(plain(y), plain(a))):
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    reshaped: Array = y.copy() if copy else y
    return reshaped


def lengths(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple."""
    return tuple(shape) if np.iterable(shape) else (shape,)


def _read(a: Any, shape: tuple[int, ...], order: Any) -> Array:
    """Return `a` in another shape, its elements read in an order other than 'K'."""
    order = memory_order(order, "C")
    if order == "C" or (order == "A" and not in_memory(a).flags.fnc):
        return in_shape(a, shape)
    return in_ordered_shape(a, shape, order="F")


@stands_for(np.ravel)
def ravel(a: ArrayLike, order: Literal["C", "F", "A", "K"] = "C") -> Array:
    """Return the elements of `a` as one vector: a view where they lie one behind the other, a copy elsewhere.

    Args:
        a: an array.
        order: as for `reshape`; 'K' reads the elements as they lie in memory.

    Returns:
        Shape ``(a.size,)``.

    Example:
        >>> ravel(np.array([[1.0, 2.0], [3.0, 4.0]]), "F")
        array([1., 3., 2., 4.])
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.ravel(a, order)
    if order != "C" and memory_order(order, "C") == "K":
        strides = in_memory(a).strides
        a, order = transpose(a, tuple(sorted(range(a.ndim), key=lambda k: -abs(strides[k])))), "C"
    y: Any = in_shape(a, (a.size,)) if order == "C" else _read(a, (a.size,), order)
    vector: Array = y if type(y.link) is not View or y.link.where.flags.c_contiguous else own(y)
    return vector


def flat_of(x: Any) -> Any:
    """Return ``x.flat`` for a traced value that can be written."""
    return flat(x, reshape_p, shape=(x.size,))


FUNCTIONS["x.flat"] = flat_of


@stands_for(np.expand_dims)
def expand_dims(a: ArrayLike, axis: int | Sequence[int]) -> Array:
    """Return `a` with new axes of length 1 at the places that `axis` names in the result.

    Raises:
        AxisError: if the result has no such axis.

    Example:
        >>> expand_dims(np.zeros(3), (0, 2)).shape
        (1, 3, 1)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.expand_dims(a, axis)
    new = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    count = len(new) + a.ndim
    places = normalize_axis_tuple(new, count)
    lengths = iter(a.shape)
    return in_shape(a, tuple([1 if k in places else next(lengths) for k in range(count)]))


@stands_for(np.squeeze)
def squeeze(a: ArrayLike, axis: int | Sequence[int] | None = None) -> Array:
    """Return `a` without its axes of length 1, or without those that `axis` names.

    Raises:
        ValueError: if an axis that is named has another length.

    Example:
        >>> squeeze(np.zeros((1, 3, 1)), 0).shape
        (3, 1)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.squeeze(a, axis)
    lengths = a.shape
    if axis is None:
        return in_shape(a, tuple([n for n in lengths if n != 1]))
    if not lengths and axis in (0, -1):  # NumPy takes a scalar for an array of one axis here
        return in_shape(a, ())
    gone = normalize_axis_tuple(axis, len(lengths))
    if any(lengths[k] != 1 for k in gone):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return in_shape(a, tuple([n for k, n in enumerate(lengths) if k not in gone]))


# Another order of axes


@stands_for(np.transpose, np.permute_dims)
def transpose(a: ArrayLike, axes: Sequence[int] | int | None = None) -> Array:
    """Return `a` with its axes in another order, reversed by default.

    Args:
        a: an array.
        axes: for each axis of the result, the axis of `a` that it was.

    Raises:
        ValueError: if `axes` is no permutation of the axes of `a`.

    Example:
        >>> transpose(np.zeros((2, 3, 4)), (1, 0, 2)).shape
        (3, 2, 4)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.transpose(a, axes)
    count = a.ndim
    if axes is None:
        return in_order(a, tuple(range(count - 1, -1, -1)))
    order = (axes,) if isinstance(axes, (int, np.integer)) else tuple(axes)
    if len(order) != count:
        raise ValueError("axes don't match array")
    order = tuple([normalize_axis_index(axis, count) for axis in order])
    if len(set(order)) != count:
        raise ValueError("repeated axis in transpose")
    return in_order(a, order)


permute_dims = transpose


@stands_for(np.matrix_transpose)
def matrix_transpose(x: ArrayLike, /) -> Array:
    """Return `x` with its last two axes exchanged.

    Raises:
        ValueError: if `x` has fewer than two axes.

    Example:
        >>> matrix_transpose(np.zeros((2, 3, 4))).shape
        (2, 4, 3)
    """
    x = gathered(x)
    if type(x) is not Var:
        return np.matrix_transpose(x)
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return swapaxes(x, -1, -2)


@stands_for(np.swapaxes)
def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """Return `a` with two axes exchanged.

    Args:
        a: an array.
        axis1: one axis.
        axis2: the other.

    Raises:
        AxisError: if `a` has no such axis.

    Example:
        >>> swapaxes(np.zeros((2, 3, 4)), 0, -1).shape
        (4, 3, 2)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.swapaxes(a, axis1, axis2)
    count = a.ndim
    axis1, axis2 = normalize_axis_index(axis1, count), normalize_axis_index(axis2, count)
    order = list(range(count))
    order[axis1], order[axis2] = axis2, axis1
    return in_order(a, tuple(order))


@stands_for(np.moveaxis)
def moveaxis(a: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """Return `a` with some axes moved to other places; the others keep their order.

    Args:
        a: an array.
        source: where the axes are.
        destination: where each of them goes.

    Returns:
        The elements of `a`, with its axes in the new order.

    Raises:
        AxisError: if `a` has no such axis.
        ValueError: if an axis is named twice, or the two are not of one length.

    Example:
        >>> moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.moveaxis(np.asarray(a), source, destination)
    count = a.ndim
    sources = normalize_axis_tuple(source, count, "source")
    places = normalize_axis_tuple(destination, count, "destination")
    if len(sources) != len(places):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(count) if k not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return in_order(a, tuple(order))


@stands_for(np.rollaxis)
def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Array:
    """Return `a` with one axis moved back until it lies before the axis `start`. (`moveaxis` is easier to read.)

    Args:
        a: an array.
        axis: the axis that moves.
        start: the axis that it is to lie before; the rank of `a` for the end.

    Raises:
        AxisError: if `a` has no such axis.

    Example:
        >>> rollaxis(np.zeros((2, 3, 4)), 2).shape
        (4, 2, 3)
    """
    a = gathered(a)
    if type(a) is not Var:
        return np.rollaxis(np.asarray(a), axis, start)
    count = a.ndim
    axis = normalize_axis_index(axis, count)
    if not -count <= start <= count:
        raise np.exceptions.AxisError(f"'start' arg requires {-count} <= start < {count + 1}, but {start} was passed in")
    start += count if start < 0 else 0
    return moveaxis(a, axis, start - 1 if axis < start else start)
