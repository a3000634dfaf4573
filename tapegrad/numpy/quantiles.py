"""Medians, percentiles and quantiles under NumPy's names. Elements that are equal share the derivative evenly."""

from typing import Any

import numpy as np

from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import is_traced, plain, unboxed
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.ranks import Method, merged, quantiles
from tapegrad.numpy.reductions import mean
from tapegrad.ops.order import ranked_p
from tapegrad.typing import Array, ArrayLike, Axis


@stands_for(np.median)
def median(a: ArrayLike, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Array:
    """Median of elements: the middle one in sorted order, or the mean of the middle two.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that it is taken over; all by default.
        out: not supported.
        overwrite_input: `a` may be used as memory.
        keepdims: leave the axes in the result, with length 1.

    Returns:
        The medians, of the shape of `a` without the axes; NaN where there is a NaN.

    Example:
        >>> median(np.array([[3.0, 1.0, 2.0], [5.0, 9.0, 7.0]]), axis=1)
        array([2., 7.])
    """
    refuse_out(out, "median")
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.median, x, axis, None, overwrite_input, keepdims)
    rows, held = merged(x, axis)
    n = rows.shape[-1]
    if n == 0:
        return mean(x, axis, keepdims=keepdims)
    middle = (n // 2,) if n % 2 else (n // 2 - 1, n // 2)
    y = mean(apply(ranked_p, rows, ranks=middle, axis=rows.ndim - 1), -1)
    bad = np.any(np.isnan(apply(stop_gradient_p, rows)), -1)
    if type(bad) is Var or bad.any():
        y = unboxed(np.where(bad, np.nan, y))
    return np.reshape(y, held) if keepdims else y


@stands_for(np.quantile)
def quantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: Method = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """Quantiles of elements.

    The derivative by `a` goes to the elements that the quantile lies between; a continuous method has one by `q` as well.

    Args:
        a: array of any shape.
        q: shares from 0 to 1, of at most two dimensions.
        axis: the axis, or tuple of axes, that they are taken over; all by default.
        out: not supported.
        overwrite_input: `a` may be used as memory.
        method: how to interpolate.
        keepdims: leave the axes in the result, with length 1.
        weights: for the method ``"inverted_cdf"``: of the shape of `a`, or of the axes that `axis` names.

    Returns:
        The quantiles, of the shape of `q` followed by that of `a` without the axes; NaN where there is a NaN.

    Raises:
        ValueError: if a share is not from 0 to 1, there is no such method, or weights do not fit.

    Example:
        >>> quantile(np.array([1.0, 2.0, 5.0]), 0.75)
        np.float64(3.5)
    """
    refuse_out(out, "quantile")
    x, shares, w = gathered(a), gathered(q), gathered(weights)
    if not is_traced(x, shares, w):
        return plain(np.quantile, x, shares, axis, None, overwrite_input, method, keepdims, weights=w)
    weak = type(shares) in (int, float)
    x, shares = (part if type(part) is Var else np.asarray(part) for part in (x, shares))
    return quantiles(x, shares, axis, method, keepdims, w, weak, False)


@stands_for(np.percentile)
def percentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: Method = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """Percentiles of elements: quantiles whose shares are given out of a hundred.

    Args:
        a: array of any shape.
        q: numbers from 0 to 100, of at most two dimensions.
        axis: the axis, or tuple of axes, that they are taken over; all by default.
        out: not supported.
        overwrite_input: `a` may be used as memory.
        method: how to interpolate.
        keepdims: leave the axes in the result, with length 1.
        weights: for the method ``"inverted_cdf"``: of the shape of `a`, or of the axes that `axis` names.

    Returns:
        The percentiles, of the shape of `q` followed by that of `a` without the axes; NaN where there is a NaN.

    Raises:
        ValueError: if a number is not from 0 to 100, there is no such method, or weights do not fit.

    Example:
        >>> percentile(np.array([1.0, 2.0, 5.0]), 75)
        np.float64(3.5)
    """
    refuse_out(out, "percentile")
    x, shares, w = gathered(a), gathered(q), gathered(weights)
    if not is_traced(x, shares, w):
        return plain(np.percentile, x, shares, axis, None, overwrite_input, method, keepdims, weights=w)
    weak = type(shares) in (int, float)
    x = real_numbers(x)
    return quantiles(x, hundredths(shares), axis, method, keepdims, w, weak, False)


def real_numbers(a: Any) -> Any:
    """Return `a` as an array or traced value of real numbers.

    Raises:
        TypeError: if its numbers are complex.
    """
    x = a if type(a) is Var else np.asarray(a)
    if x.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    return x


def hundredths(q: Any) -> Any:
    """Return percentages as shares.

    Raises:
        ValueError: if one is not from 0 to 100.
    """
    shares: Any = np.true_divide(q, 100)
    shares = shares if type(shares) is Var else np.asarray(shares)
    outside = np.logical_not(np.logical_and(np.greater_equal(shares, 0), np.less_equal(shares, 1)))
    if type(outside) is not Var and np.any(outside):
        raise ValueError("Percentiles must be in the range [0, 100]")
    return shares
