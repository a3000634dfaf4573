"""Medians, percentiles and quantiles that leave NaNs out, under NumPy's names. A NaN has the derivative 0."""

import warnings
from typing import Any

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import any_true, is_traced, plain
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.nans import numbers
from tapegrad.numpy.nanstatistics import nanmean
from tapegrad.numpy.quantiles import hundredths, real_numbers
from tapegrad.numpy.ranks import Method, check, first_of, merged, quantiles, ranked
from tapegrad.typing import Array, ArrayLike, Axis


@stands_for(np.nanmedian)
def nanmedian(
    a: ArrayLike, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Median of the elements that are not NaN.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that it is taken over; all by default.
        out: not supported.
        overwrite_input: `a` may be used as memory.
        keepdims: leave the axes in the result, with length 1.

    Returns:
        The medians, of the shape of `a` without the axes; NaN, with a `RuntimeWarning`, where all are NaN.

    Example:
        >>> nanmedian(np.array([1.0, np.nan, 3.0]))
        np.float64(2.0)
    """
    refuse_out(out, "nanmedian")
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.nanmedian, x, axis, None, overwrite_input, keepdims)
    if x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    rows, held = merged(x if x.dtype.kind in "fc" else astype(x, np.float64), axis)  # the sum of two booleans is one
    valid = numbers(rows)
    count = np.sum(valid, -1, keepdims=True)
    below, above = ranked(rows, np.maximum(count - 1, 0) // 2, np.minimum(count // 2, rows.shape[-1] - 1))
    y: Any = np.where(np.equal(count % 2, 1), below, (below + above) / 2)
    none: Any = np.equal(count, 0)
    if any_true(none):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
    if type(none) is Var or any_true(none):
        y = np.where(none, np.nan, y)
    return np.reshape(y, held) if keepdims else first_of(y)


@stands_for(np.nanquantile)
def nanquantile(
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
    """Quantiles of the elements that are not NaN.

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
        The quantiles, of the shape of `q` followed by that of `a` without the axes;
        NaN, with a `RuntimeWarning`, where all are NaN.

    Raises:
        ValueError: if a share is not from 0 to 1, there is no such method, or weights do not fit.

    Example:
        >>> nanquantile(np.array([1.0, np.nan, 2.0, 5.0]), 0.75)
        np.float64(3.5)
    """
    refuse_out(out, "nanquantile")
    x, shares, w = gathered(a), gathered(q), gathered(weights)
    if not is_traced(x, shares, w):
        return plain(np.nanquantile, x, shares, axis, None, overwrite_input, method, keepdims, weights=w)
    weak = type(shares) in (int, float)
    x, shares = (part if type(part) is Var else np.asarray(part) for part in (x, shares))
    check(x, shares, method, w)
    if x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    return quantiles(x, shares, axis, method, keepdims, w, weak, True)


@stands_for(np.nanpercentile)
def nanpercentile(
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
    """Percentiles of the elements that are not NaN.

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
        The percentiles, of the shape of `q` followed by that of `a` without the axes;
        NaN, with a `RuntimeWarning`, where all are NaN.

    Raises:
        ValueError: if a number is not from 0 to 100, there is no such method, or weights do not fit.

    Example:
        >>> nanpercentile(np.array([1.0, np.nan, 2.0, 5.0]), 75)
        np.float64(3.5)
    """
    refuse_out(out, "nanpercentile")
    x, shares, w = gathered(a), gathered(q), gathered(weights)
    if not is_traced(x, shares, w):
        return plain(np.nanpercentile, x, shares, axis, None, overwrite_input, method, keepdims, weights=w)
    weak = type(shares) in (int, float)
    x, shares = real_numbers(x), hundredths(shares)
    if x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    return quantiles(x, shares, axis, method, keepdims, w, weak, True)
