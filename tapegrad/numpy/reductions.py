"""Reductions under NumPy's names: sums, products, means, extremes."""

import warnings
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import any_true, as_real, counted, floating, in_dtype, is_traced, masked, plain, reduction, scalar
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.reduce import add_up, max_p, mean_p, min_p, multiply_up, prod_p, sum_p
from tapegrad.typing import Array, ArrayLike, Axis, DTypeLike


@stands_for(np.sum)
def sum(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Sum of elements.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the sum goes over; all by default.
        dtype: dtype of the sum and of its result.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that the sum starts from.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        The sums, of the shape of `a` without the axes.

    Example:
        >>> sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([4., 6.])
    """
    if initial is None and where is True and out is None:
        if type(a) is Var:
            return reduction(sum_p, a, axis, dtype, keepdims)
        if type(a) is np.ndarray:
            return plain(add_up, a, axis, dtype, None, keepdims)
    refuse_out(out, "sum")
    a = gathered(a)
    if not is_traced(a, initial, where):
        return plain(np.sum, a, axis, dtype, None, keepdims, initial=initial, where=where)
    a = masked(a, where, 0)
    y = reduction(sum_p, a, axis, dtype, keepdims) if type(a) is Var else plain(np.sum, a, axis, dtype, None, keepdims)
    return y if initial is None else y + scalar(initial, y.dtype)


@stands_for(np.prod)
def prod(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Product of elements. Its derivative is exact also where elements are zero.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the product goes over; all by default.
        dtype: dtype of the product and of its result.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that the product starts from.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        The products, of the shape of `a` without the axes.

    Example:
        >>> prod(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        array([ 2., 12.])
    """
    if initial is None and where is True and out is None:
        if type(a) is Var:
            return reduction(prod_p, in_dtype(a, dtype), axis, dtype, keepdims)
        if type(a) is np.ndarray:
            return plain(multiply_up, a, axis, dtype, None, keepdims)
    refuse_out(out, "prod")
    a = gathered(a)
    if not is_traced(a, initial, where):
        return plain(np.prod, a, axis, dtype, None, keepdims, initial=initial, where=where)
    a = masked(a, where, 1)
    y = (
        reduction(prod_p, in_dtype(a, dtype), axis, dtype, keepdims)
        if type(a) is Var
        else plain(np.prod, a, axis, dtype, None, keepdims)
    )
    return y if initial is None else y * scalar(initial, y.dtype)


@stands_for(np.mean)
def mean(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Array:
    """Arithmetic mean of elements.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the mean is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        The means, of the shape of `a` without the axes. NaN, with a `RuntimeWarning`, where there are no elements.

    Example:
        >>> mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([2., 3.])
    """
    if type(a) is Var and where is True and out is None:
        return reduction(mean_p, a, axis, dtype, keepdims)
    refuse_out(out, "mean")
    a = gathered(a)
    if not is_traced(a, where):
        return plain(np.mean, a, axis, dtype, None, keepdims, where=where)
    total = sum(a, axis, dtype or floating(a), None, keepdims, where=where)
    n = counted(a, axis, keepdims, where)
    if any_true(np.equal(n, 0)):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=2)
    y: Array = total / as_real(n, total.dtype)
    return astype(y, dtype) if dtype is not None and total.dtype.kind in "biu" else y


def extreme(p: Primitive, both: np.ufunc, a: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Array:
    """Return the extreme of a part of the elements and of an initial value, one of which is traced."""
    shape, lowest = np.shape(a), -1 if p is max_p else 1
    if where is not True:
        if initial is None:
            raise ValueError(
                f"reduction operation '{both.__name__}' does not have an identity, so to use a where mask one has to specify "
                f"'initial'"
            )
        dtype = dtype_of(a)
        worst = lowest * np.inf if dtype.kind in "fc" else lowest > 0
        if dtype.kind in "iu":
            worst = np.iinfo(dtype).min if lowest < 0 else np.iinfo(dtype).max
        a = masked(a, where, worst)
    if initial is None or not shape or counted(a, axis, keepdims, True):
        y = reduction(p, a, axis, None, keepdims)
        return y if initial is None else both(y, scalar(initial, y.dtype))
    empty = add_up(np.zeros(shape), axis, keepdims=keepdims)
    return np.broadcast_to(scalar(initial, dtype_of(a)), np.shape(empty))


@stands_for(np.max, np.amax)
def max(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Greatest element. Where several attain it, the derivative is split evenly among them.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is searched; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that takes part as one element more.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count. It needs `initial`.

    Returns:
        The greatest elements, of the shape of `a` without the axes.

    Raises:
        ValueError: if there are no elements, and no `initial`.

    Example:
        >>> max(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([3., 4.])
    """
    if initial is None and where is True and out is None:
        if type(a) is Var:
            return reduction(max_p, a, axis, None, keepdims)
        if type(a) is np.ndarray:
            return plain(np.maximum.reduce, a, axis, None, None, keepdims)
    refuse_out(out, "max")
    a = gathered(a)
    if not is_traced(a, initial, where):
        return plain(np.max, a, axis, None, keepdims, initial=initial, where=where)
    return extreme(max_p, np.maximum, a, axis, keepdims, initial, where)


@stands_for(np.min, np.amin)
def min(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Least element. Where several attain it, the derivative is split evenly among them.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is searched; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that takes part as one element more.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count. It needs `initial`.

    Returns:
        The least elements, of the shape of `a` without the axes.

    Raises:
        ValueError: if there are no elements, and no `initial`.

    Example:
        >>> min(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([1., 2.])
    """
    if initial is None and where is True and out is None:
        if type(a) is Var:
            return reduction(min_p, a, axis, None, keepdims)
        if type(a) is np.ndarray:
            return plain(np.minimum.reduce, a, axis, None, None, keepdims)
    refuse_out(out, "min")
    a = gathered(a)
    if not is_traced(a, initial, where):
        return plain(np.min, a, axis, None, keepdims, initial=initial, where=where)
    return extreme(min_p, np.minimum, a, axis, keepdims, initial, where)


amax = max
amin = min
