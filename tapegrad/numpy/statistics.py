"""Statistics under NumPy's names: averages, spreads, covariances."""

import warnings
from typing import Any, Literal, overload

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, unary
from tapegrad.numpy.arguments import (
    any_true,
    as_real,
    counted,
    floating,
    is_traced,
    masked,
    one_of,
    plain,
    reduction,
    weights_beside,
)
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.reductions import max, mean, min, sum
from tapegrad.ops.reduce import deviation_p, var_p
from tapegrad.typing import Array, ArrayLike, Axis, DTypeLike


@overload
def average(
    a: ArrayLike,
    axis: Axis = None,
    weights: ArrayLike | None = None,
    returned: Literal[False] = False,
    *,
    keepdims: bool = False,
) -> Array: ...
@overload
def average(
    a: ArrayLike, axis: Axis, weights: ArrayLike | None, returned: Literal[True], *, keepdims: bool = False
) -> tuple[Array, Array]: ...
@overload
def average(
    a: ArrayLike, axis: Axis = None, weights: ArrayLike | None = None, *, returned: Literal[True], keepdims: bool = False
) -> tuple[Array, Array]: ...
@stands_for(np.average)
def average(
    a: ArrayLike, axis: Axis = None, weights: ArrayLike | None = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Weighted mean of elements.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is averaged over; all by default.
        weights: of the shape of `a`, or of the axes that `axis` names; equal ones by default.
        returned: return ``(average, sum of weights)``.
        keepdims: leave the axes in the result, with length 1.

    Returns:
        The averages, of the shape of `a` without the axes.

    Raises:
        ZeroDivisionError: if weights sum to zero.
        ValueError: if the shape of the weights does not fit.

    Example:
        >>> average(np.array([1.0, 2.0, 4.0]), weights=np.array([2.0, 1.0, 1.0]))
        np.float64(2.0)
    """
    x: Any = gathered(a)
    w: Any = gathered(weights)
    if not is_traced(x, w):
        return plain(np.average, x, axis, w, returned, keepdims=keepdims)
    if w is None:
        y = mean(x, axis, keepdims=keepdims)
        total: Any = np.full(np.shape(y), np.size(x) / np.size(y), y.dtype)[()]
        return (y, total) if returned else y
    x, w = (part if type(part) is Var else np.asarray(part) for part in (x, w))
    w = weights_beside(w, x, axis)
    dtype = np.result_type(x.dtype, w.dtype, *([np.float64] if x.dtype.kind in "biu" else []))
    total = sum(w, axis, dtype, keepdims=keepdims)
    empty = np.equal(total, 0.0)
    if type(empty) is not Var and np.any(empty):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = sum(astype(x, dtype) * astype(w, dtype), axis, None, keepdims=keepdims) / total
    return (y, np.broadcast_to(total, np.shape(y))) if returned else y


@stands_for(np.var)
def var(
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
    """Variance of elements.

    Args:
        a: array of any shape; of complex numbers, the mean square distance from the mean.
        axis: the axis, or tuple of axes, that the variance is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        ddof: the divisor is the number of elements less `ddof`.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.
        mean: the means, as computed with ``keepdims=True``, if they are known.
        correction: another name of `ddof`.

    Returns:
        The variances, of the shape of `a` without the axes.

    Example:
        >>> var(np.array([[1.0, 2.0], [3.0, 6.0]]), axis=1)
        array([0.25, 2.25])
    """
    refuse_out(out, "var")
    ddof = one_of(ddof, correction)
    whole = dtype is not None and np.dtype(dtype).kind in "biu"
    if type(a) is Var and where is True and mean is None and not whole:
        return reduction(var_p, a, axis, dtype, keepdims, **({"ddof": ddof} if ddof else {}))
    x: Any = gathered(a)
    if not is_traced(x, where, mean):
        return plain(np.var, x, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    dtype = dtype or floating(x)
    if whole:
        x = x if type(x) is Var else np.asarray(x)  # the mean becomes whole, as NumPy has it, and the elements do not
    elif dtype is not None or type(x) is not Var:
        x = astype(x, dtype)
    if mean is None:
        total = sum(x, axis, dtype, None, True, where=where)
        mean = total / as_real(counted(x, axis, True, where), total.dtype)
        mean = astype(mean, dtype) if whole else mean
    apart = masked(x - mean, where, 0)
    squares = np.square(apart) if apart.dtype.kind != "c" else np.square(np.real(apart)) + np.square(np.imag(apart))
    freedom = counted(x, axis, keepdims, where) - ddof
    if any_true(np.less_equal(freedom, 0)):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    freedom = np.maximum(freedom, 0)
    total = sum(squares, axis, dtype, None, keepdims)
    y: Array = total / as_real(freedom, total.dtype)
    return astype(y, dtype) if whole else y


@stands_for(np.std)
def std(
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
    """Standard deviation of elements. Where it is zero, so is its derivative.

    Args:
        a: array of any shape; of complex numbers, the root of the mean square distance from the mean.
        axis: the axis, or tuple of axes, that the deviation is taken over; all by default.
        dtype: dtype that is computed in.
        out: not supported.
        ddof: the divisor is the number of elements less `ddof`.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.
        mean: the means, as computed with ``keepdims=True``, if they are known.
        correction: another name of `ddof`.

    Returns:
        The deviations, of the shape of `a` without the axes.

    Example:
        >>> std(np.array([[1.0, 2.0], [3.0, 6.0]]), axis=1)
        array([0.5, 1.5])
    """
    refuse_out(out, "std")
    ddof = one_of(ddof, correction)
    a = gathered(a)
    if not is_traced(a, where, mean):
        return plain(np.std, a, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    y: Array = unary(deviation_p, var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean))
    return y if dtype is None or np.dtype(dtype).kind not in "biu" else astype(y, dtype)


@stands_for(np.ptp)
def ptp(a: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
    """Distance from the least to the greatest element (peak to peak).

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that is searched; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.

    Returns:
        The distances, of the shape of `a` without the axes.

    Raises:
        ValueError: if there are no elements.

    Example:
        >>> ptp(np.array([3.0, 1.0, 6.0]))
        np.float64(5.0)
    """
    refuse_out(out, "ptp")
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.ptp, x, axis, None, keepdims)
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)
