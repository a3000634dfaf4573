"""Statistics under NumPy's names: variance, standard deviation, covariance."""

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, unary
from tapegrad.numpy.arguments import as_real, counted, floating, is_traced, masked, one_of, plain, reduction
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.reductions import sum
from tapegrad.ops.reduce import deviation_p, var_p
from tapegrad.typing import Array, ArrayLike, Axis, DTypeLike


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
    if type(a) is Var and where is True and mean is None:
        return reduction(var_p, a, axis, dtype, keepdims, **({"ddof": ddof} if ddof else {}))
    a = gathered(a)
    if not is_traced(a, where, mean):
        return plain(np.var, a, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    a = a if dtype is None and type(a) is Var else astype(a, dtype or floating(a))
    if mean is None:
        mean = sum(a, axis, None, None, True, where=where) / as_real(counted(a, axis, True, where), a.dtype)
    apart = masked(a - mean, where, 0)
    squares = np.square(apart) if apart.dtype.kind != "c" else np.square(np.real(apart)) + np.square(np.imag(apart))
    freedom = np.maximum(counted(a, axis, keepdims, where) - ddof, 0)
    y: Array = sum(squares, axis, None, None, keepdims) / as_real(freedom, squares.dtype)
    return y


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
    return y
