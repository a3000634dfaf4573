"""Means and spreads that leave NaNs out, under NumPy's names. A NaN that was left out has the derivative 0."""

import warnings
from typing import Any

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, unary
from tapegrad.numpy.arguments import any_true, as_real, floating, is_traced, masked, one_of, plain, unboxed
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.nans import filled, numbers
from tapegrad.numpy.reductions import mean as mean_of
from tapegrad.numpy.reductions import sum
from tapegrad.ops.reduce import deviation_p
from tapegrad.typing import Array, ArrayLike, Axis, DTypeLike


def in_real(dtype: Any) -> None:
    """Raise for a dtype that NaN-aware means cannot be computed in."""
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")


def share(total: Any, count: Any) -> Any:
    """Return ``total / count``, silently NaN where there is nothing to count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / as_real(count, total.dtype)


@stands_for(np.nanmean)
def nanmean(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Array:
    """Mean of the elements that are not NaN.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the mean is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        The means, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where all are NaN.

    Example:
        >>> nanmean(np.array([1.0, np.nan, 3.0]))
        np.float64(2.0)
    """
    refuse_out(out, "nanmean")
    x: Any = gathered(a)
    if not is_traced(x, where):
        return plain(np.nanmean, x, axis, dtype, None, keepdims, where=where)
    in_real(dtype)
    if dtype is None and floating(x) is not None:
        return mean_of(x, axis, keepdims=keepdims, where=where)
    count = sum(numbers(x), axis, keepdims=keepdims, where=where)
    y: Array = share(sum(filled(x, 0), axis, dtype, None, keepdims, where=where), count)
    if any_true(np.equal(count, 0)):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=2)
    return y


@stands_for(np.nanvar)
def nanvar(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Array:
    """Variance of the elements that are not NaN.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the variance is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        ddof: the divisor is the number of elements less `ddof`.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.
        mean: the means, as computed with ``keepdims=True``, if they are known.
        correction: another name of `ddof`.

    Returns:
        The variances, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where elements are too few.

    Example:
        >>> nanvar(np.array([1.0, np.nan, 3.0]))
        np.float64(1.0)
    """
    refuse_out(out, "nanvar")
    ddof = one_of(ddof, correction)
    x: Any = gathered(a)
    if not is_traced(x, where, mean):
        return plain(np.nanvar, x, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    in_real(dtype)
    x = x if type(x) is Var else np.asarray(x)
    dtype = dtype or floating(x)
    x = x if dtype is None else astype(x, dtype)
    counted = numbers(x) if where is True else np.logical_and(numbers(x), where)
    count = sum(counted, axis, keepdims=True)
    if mean is None:
        mean = share(sum(masked(x, counted, 0), axis, None, None, True), count)
    apart = masked(x - mean, counted, 0)
    squares = np.square(apart) if apart.dtype.kind != "c" else np.square(np.real(apart)) + np.square(np.imag(apart))
    freedom = sum(counted, axis, keepdims=keepdims) - ddof
    y: Any = share(sum(squares, axis, None, None, keepdims), freedom)
    bad: Any = np.less_equal(freedom, 0)
    if any_true(bad):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=2)
    if type(bad) is Var or any_true(bad):
        y = unboxed(np.where(bad, np.nan, y))
    result: Array = y
    return result


@stands_for(np.nanstd)
def nanstd(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike | None = None,
    correction: float | None = None,
) -> Array:
    """Standard deviation of the elements that are not NaN. Where it is zero, so is its derivative.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the deviation is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        ddof: the divisor is the number of elements less `ddof`.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.
        mean: the means, as computed with ``keepdims=True``, if they are known.
        correction: another name of `ddof`.

    Returns:
        The deviations, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where elements are too few.

    Example:
        >>> nanstd(np.array([1.0, np.nan, 3.0]))
        np.float64(1.0)
    """
    refuse_out(out, "nanstd")
    ddof = one_of(ddof, correction)
    x: Any = gathered(a)
    if not is_traced(x, where, mean):
        return plain(np.nanstd, x, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    y: Array = unary(deviation_p, nanvar(x, axis, dtype, None, ddof, keepdims, where=where, mean=mean))
    return y
