"""Searching under NumPy's names. Positions have no derivative: under `grad` and `jvp` they are plain arrays."""

from typing import Any, Literal, TypeAlias

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Fn, Primitive
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import along_one, concrete, is_traced, plain
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.order import argmax_p, argmin_p, nanargmax_p, nanargmin_p, searchsorted_p
from tapegrad.typing import Array, ArrayLike

Side: TypeAlias = Literal["left", "right"]


def position(p: Primitive, function: Fn, a: Any, axis: Any, out: Any, keepdims: bool) -> Array:
    """Return the position of an extreme."""
    refuse_out(out, p.name)
    x = gathered(a)
    if type(x) is not Var:
        return plain(function, x, axis, keepdims=keepdims)
    settings = {} if axis is None else {"axis": along_one(x, axis, scalars=True)[1]}
    if not np.ndim(x):
        settings = {}  # a batch of scalars has no such axis
    y: Array = apply(p, x, keepdims=keepdims, **settings)
    return y


@stands_for(np.argmax)
def argmax(a: ArrayLike, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the greatest element, the first of several.

    Args:
        a: array of any shape.
        axis: the axis to search along; None for all elements in order.
        out: not supported.
        keepdims: leave the axis in the result, with length 1.

    Returns:
        Integers, of the shape of `a` without the axis.

    Example:
        >>> argmax(np.array([[1.0, 3.0], [2.0, 0.0]]), axis=1)
        array([1, 0])
    """
    return position(argmax_p, np.argmax, a, axis, out, keepdims)


@stands_for(np.argmin)
def argmin(a: ArrayLike, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the least element, the first of several.

    Args:
        a: array of any shape.
        axis: the axis to search along; None for all elements in order.
        out: not supported.
        keepdims: leave the axis in the result, with length 1.

    Returns:
        Integers, of the shape of `a` without the axis.

    Example:
        >>> argmin(np.array([[1.0, 3.0], [2.0, 0.0]]), axis=1)
        array([0, 1])
    """
    return position(argmin_p, np.argmin, a, axis, out, keepdims)


@stands_for(np.nanargmax)
def nanargmax(a: ArrayLike, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the greatest element that is not NaN.

    Args:
        a: array of any shape.
        axis: the axis to search along; None for all elements in order.
        out: not supported.
        keepdims: leave the axis in the result, with length 1.

    Returns:
        Integers, of the shape of `a` without the axis.

    Raises:
        ValueError: if there are only NaNs.

    Example:
        >>> nanargmax(np.array([np.nan, 1.0, 3.0]))
        np.int64(2)
    """
    return position(nanargmax_p, np.nanargmax, a, axis, out, keepdims)


@stands_for(np.nanargmin)
def nanargmin(a: ArrayLike, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the least element that is not NaN.

    Args:
        a: array of any shape.
        axis: the axis to search along; None for all elements in order.
        out: not supported.
        keepdims: leave the axis in the result, with length 1.

    Returns:
        Integers, of the shape of `a` without the axis.

    Raises:
        ValueError: if there are only NaNs.

    Example:
        >>> nanargmin(np.array([np.nan, 1.0, 3.0]))
        np.int64(1)
    """
    return position(nanargmin_p, np.nanargmin, a, axis, out, keepdims)


@stands_for(np.searchsorted)
def searchsorted(a: ArrayLike, v: ArrayLike, side: Side = "left", sorter: ArrayLike | None = None) -> Array:
    """Positions at which elements would have to be put into a sorted array.

    Args:
        a: sorted array of one dimension.
        v: elements, of any shape.
        side: ``"left"`` of elements of `a` that are equal, or ``"right"``.
        sorter: positions that put `a` in order, if it is not.

    Returns:
        Integers, of the shape of `v`.

    Example:
        >>> searchsorted(np.array([1.0, 2.0, 3.0]), 2.5)
        np.int64(2)
    """
    x: Any = gathered(a)
    wanted: Any = gathered(v)
    if not is_traced(x, wanted, sorter):
        return plain(np.searchsorted, x, wanted, side, sorter=sorter)
    x = x if type(x) is Var else np.asarray(x)
    y: Array = apply(searchsorted_p, x if sorter is None else np.take(x, np.asarray(sorter)), wanted, side=side)
    return y


@stands_for(np.digitize)
def digitize(x: ArrayLike, bins: ArrayLike, right: bool = False) -> Array:
    """Numbers of the bins that elements fall into.

    Args:
        x: elements, of any shape.
        bins: the edges, increasing or decreasing.
        right: a bin contains its right edge, not its left.

    Returns:
        Integers, of the shape of `x`: 0 and ``len(bins)`` for elements that lie outside.

    Raises:
        ValueError: if the edges are in no order.

    Example:
        >>> digitize(np.array([0.5, 1.5, 9.0]), np.array([0.0, 1.0, 2.0]))
        array([1, 2, 3])
    """
    values: Any = gathered(x)
    edges: Any = gathered(bins)
    if not is_traced(values, edges):
        return plain(np.digitize, values, edges, right)
    if dtype_of(values).kind == "c":
        raise TypeError("x may not be complex")
    edges = np.asarray(concrete(edges, "digitize"))
    falling = bool(edges.size and edges[0] > edges[-1])
    np.digitize(np.zeros(0), edges)  # raises where the edges are in no order
    found: Any = searchsorted(edges[::-1] if falling else edges, values, "left" if right else "right")
    y: Array = len(edges) - found if falling else found
    return y
