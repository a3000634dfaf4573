"""Reductions and scans that leave NaNs out, under NumPy's names. A NaN that was left out has the derivative 0."""

import warnings
from typing import Any

import numpy as np

from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import any_true, is_traced, plain, reduction
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.reductions import max, min, prod, sum
from tapegrad.numpy.scans import cumprod, cumsum
from tapegrad.ops.reduce import nanmax_p, nanmin_p, nansum_p
from tapegrad.typing import Array, ArrayLike, Axis, DTypeLike


def numbers(x: Any) -> Any:
    """Return a mask of the elements that are not NaN."""
    return np.equal(x, x)  # which NaN is not to itself


def filled(a: Any, value: float) -> Any:
    """Return `a` with a number in place of NaNs."""
    if type(a) is not Var:
        return np.where(np.isnan(a), value, a)
    return np.where(numbers(a), a, value) if a.dtype.kind in "fc" else a


@stands_for(np.nansum)
def nansum(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Sum of the elements that are not NaN.

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
        >>> nansum(np.array([1.0, np.nan, 3.0]))
        np.float64(4.0)
    """
    refuse_out(out, "nansum")
    x: Any = gathered(a)
    if not is_traced(x, initial, where):
        return plain(np.nansum, x, axis, dtype, None, keepdims, initial=initial, where=where)
    if type(x) is Var and initial is None and where is True and x.dtype.kind in "fc":
        return reduction(nansum_p, x, axis, dtype, keepdims)
    return sum(filled(x, 0.0), axis, dtype, None, keepdims, initial, where)


@stands_for(np.nanprod)
def nanprod(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Product of the elements that are not NaN.

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
        >>> nanprod(np.array([2.0, np.nan, 3.0]))
        np.float64(6.0)
    """
    refuse_out(out, "nanprod")
    x: Any = gathered(a)
    if not is_traced(x, initial, where):
        return plain(np.nanprod, x, axis, dtype, None, keepdims, initial=initial, where=where)
    return prod(filled(x, 1.0), axis, dtype, None, keepdims, initial, where)


@stands_for(np.nancumsum)
def nancumsum(a: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Array:
    """Running sum along an axis, with 0 in place of NaNs.

    Args:
        a: array of any shape.
        axis: the axis; by default that of all elements in order.
        dtype: dtype of the sums.
        out: not supported.

    Returns:
        The sums, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> nancumsum(np.array([1.0, np.nan, 3.0]))
        array([1., 1., 4.])
    """
    refuse_out(out, "nancumsum")
    x: Any = gathered(a)
    return cumsum(filled(x, 0.0), axis, dtype) if type(x) is Var else plain(np.nancumsum, x, axis, dtype)


@stands_for(np.nancumprod)
def nancumprod(a: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Array:
    """Running product along an axis, with 1 in place of NaNs.

    Args:
        a: array of any shape.
        axis: the axis; by default that of all elements in order.
        dtype: dtype of the products.
        out: not supported.

    Returns:
        The products, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> nancumprod(np.array([2.0, np.nan, 3.0]))
        array([2., 2., 6.])
    """
    refuse_out(out, "nancumprod")
    x: Any = gathered(a)
    return cumprod(filled(x, 1.0), axis, dtype) if type(x) is Var else plain(np.nancumprod, x, axis, dtype)


def extreme(name: str, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any) -> Array:
    """Return the extreme of the elements that are not NaN; NaN, with a warning, where there are none."""
    refuse_out(out, name)
    x: Any = gathered(a)
    if not is_traced(x, initial, where):
        return plain(getattr(np, name), x, axis, None, keepdims, initial=initial, where=where)
    if initial is None and where is True and x.dtype.kind in "fc":
        y: Array = reduction(nanmax_p if name == "nanmax" else nanmin_p, x, axis, None, keepdims)
        if any_true(np.isnan(apply(stop_gradient_p, y))):
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
        return y
    best, worst = (max, -np.inf) if name == "nanmax" else (min, np.inf)
    return best(filled(x, worst), axis, None, keepdims, initial, where)


@stands_for(np.nanmax)
def nanmax(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Greatest of the elements that are not NaN. Where several attain it, the derivative is split evenly among them.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is searched; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that takes part as one element more.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count. It needs `initial`.

    Returns:
        The greatest elements, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where all are NaN.

    Example:
        >>> nanmax(np.array([1.0, np.nan, 3.0]))
        np.float64(3.0)
    """
    return extreme("nanmax", a, axis, out, keepdims, initial, where)


@stands_for(np.nanmin)
def nanmin(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike = True,
) -> Array:
    """Least of the elements that are not NaN. Where several attain it, the derivative is split evenly among them.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is searched; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        initial: a scalar that takes part as one element more.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count. It needs `initial`.

    Returns:
        The least elements, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where all are NaN.

    Example:
        >>> nanmin(np.array([1.0, np.nan, 3.0]))
        np.float64(1.0)
    """
    return extreme("nanmin", a, axis, out, keepdims, initial, where)
