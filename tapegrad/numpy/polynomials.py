"""Polynomials given by their coefficients, highest power first, under NumPy's names."""

import warnings
from typing import Any, Literal, overload

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.convolution import convolve
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.polynomial import polyval_p, roots_p, vander_p
from tapegrad.typing import Array, ArrayLike

NUMPY: Any = np
"""NumPy's own functions, called with whatever was given."""


@stands_for(np.polyval)
def polyval(p: ArrayLike, x: ArrayLike) -> Array:
    """Return the values of a polynomial.

    Args:
        p: coefficients, highest power first, shape ``(n,)``.
        x: where to evaluate it, any shape.

    Returns:
        ``p[0] * x**(n - 1) + ... + p[n - 1]``, in the shape of `x`.

    Example:
        >>> polyval(np.array([1.0, 0.0, 2.0]), np.array([0.0, 1.0, 2.0]))
        array([2., 3., 6.])
    """
    c, at = gathered(p), gathered(x)
    result: Any
    if type(c) is not Var and type(at) is not Var:
        result = NUMPY.polyval(c, at)
    elif np.ndim(c) == 1 and len(c):
        result = apply(polyval_p, c, at if type(at) is Var else np.asarray(at))
    else:  # several polynomials at once, or none
        result = np.zeros_like(at)
        for row in c:
            result = result * at + row
    return result  # type: ignore[no-any-return]  # an array


@stands_for(np.vander)
def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Array:
    """Return the Vandermonde matrix: powers of `x` as columns.

    Args:
        x: shape ``(n,)``.
        N: how many powers; by default `n`.
        increasing: from the power 0 on, not down to it.

    Returns:
        Shape ``(n, N)``.

    Raises:
        ValueError: if `x` is no vector.

    Example:
        >>> vander(np.array([2.0, 3.0]), 3)
        array([[4., 2., 1.],
               [9., 3., 1.]])
    """
    array = gathered(x)
    if type(array) is not Var or array.ndim != 1:
        plain: Array = NUMPY.vander(array.value if type(array) is Var else array, N, increasing)
        return plain
    array = astype(array, np.promote_types(array.dtype, int))
    y: Array = apply(vander_p, array, columns=array.size if N is None else int(N), increasing=increasing)
    return y


@stands_for(np.roots)
def roots(p: ArrayLike) -> Array:
    """Return the roots of a polynomial.

    A multiple root has no derivative: it is infinite or NaN there.

    Args:
        p: coefficients, highest power first, shape ``(n,)``.

    Returns:
        The roots, complex unless all are real; ``n - 1`` of them if ``p[0]`` is not 0.

    Raises:
        ValueError: if `p` is no vector.

    Example:
        >>> roots(np.array([1.0, -3.0, 2.0]))
        array([2., 1.])
    """
    c = gathered(p)
    y: Array = apply(roots_p, np.reshape(c, (1,)) if type(c) is Var and c.ndim == 0 else c)
    return y


@stands_for(np.poly)
def poly(seq_of_zeros: ArrayLike) -> Array:
    """Return the polynomial with the given roots, or the characteristic polynomial of a matrix.

    Args:
        seq_of_zeros: roots, shape ``(n,)``; or a matrix, shape ``(n, n)``.

    Returns:
        Coefficients, highest power first, shape ``(n + 1,)``; the first is 1.

    Raises:
        ValueError: if it is neither.

    Example:
        >>> poly(np.array([2.0, 1.0]))
        array([ 1., -3.,  2.])
    """
    zeros = gathered(seq_of_zeros)
    if type(zeros) is not Var or zeros.size == 0 or zeros.ndim > 2 or (zeros.ndim == 2 and zeros.shape[0] != zeros.shape[1]):
        plain: Array = NUMPY.poly(np.zeros(zeros.shape) if type(zeros) is Var else zeros)
        return plain
    zeros = np.linalg.eigvals(zeros) if zeros.ndim == 2 else np.atleast_1d(zeros)
    if zeros.dtype.kind in "biu":
        zeros = astype(zeros, np.float64)
    a: Any = np.ones(1, zeros.dtype)
    one = np.ones(1, zeros.dtype)
    for k in range(zeros.shape[0]):
        a = convolve(a, np.concatenate([one, -zeros[k : k + 1]]))
    if zeros.dtype.kind == "c" and _conjugate_pairs(zeros):
        a = np.real(a)
    return a  # type: ignore[no-any-return]  # an array


def _conjugate_pairs(zeros: Any) -> bool:
    """Tell whether complex roots come in pairs, so that the coefficients are real."""
    return bool(np.all(np.sort(zeros) == np.sort(np.conjugate(zeros))))


# Fitting


@overload
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: Literal[False] = False,
    w: ArrayLike | None = None,
    cov: Literal[False] = False,
) -> Array: ...
@overload
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool | Literal["unscaled"] = False,
) -> Any: ...
@stands_for(np.polyfit)
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool | Literal["unscaled"] = False,
) -> Any:
    """Return the polynomial that fits points best, in the sense of least squares.

    Args:
        x: shape ``(m,)``.
        y: shape ``(m,)``, or several data sets as columns, shape ``(m, k)``.
        deg: the degree of the polynomial.
        rcond: singular values below this part of the largest one are taken for zeros.
        full: return what `lstsq` returns as well.
        w: weights of the points (not squared), shape ``(m,)``.
        cov: return the covariance of the coefficients as well; 'unscaled' for weights that are reciprocal standard deviations.

    Returns:
        Coefficients, highest power first, shape ``(deg + 1,)`` or ``(deg + 1, k)``; with `full` also residuals, rank, singular
        values and `rcond`; with `cov` also the covariance, shape ``(deg + 1, deg + 1)`` or ``(deg + 1, deg + 1, k)``.

    Raises:
        ValueError: if `deg` is negative, or there are too few points for the covariance.
        TypeError: if the shapes do not fit.

    Example:
        >>> np.round(polyfit(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1), 6)
        array([2., 1.])
    """
    points, values, weights = gathered(x), gathered(y), gathered(w)
    if not any(type(z) is Var for z in (points, values, weights)):
        return NUMPY.polyfit(points, values, deg, rcond, full, weights, cov)
    points, values = (z + 0.0 if type(z) is Var else np.asarray(z) + 0.0 for z in (points, values))
    shapes = [np.shape(z) for z in (points, values)]
    sound = deg >= 0 and points.ndim == 1 and points.size and values.ndim in (1, 2) and shapes[0][0] == shapes[1][0]
    if not sound or (weights is not None and np.shape(weights) != shapes[0]):
        NUMPY.polyfit(*(np.zeros(shape) for shape in shapes), deg, w=None if weights is None else np.zeros(np.shape(weights)))
    order = int(deg) + 1
    if rcond is None:
        rcond = points.size * np.finfo(points.dtype).eps
    left, right = vander(points, order), values
    if weights is not None:
        weights = np.asarray(weights) + 0.0 if type(weights) is not Var else weights
        left = left * weights[:, None]
        right = right * (weights[:, None] if right.ndim == 2 else weights)
    scale = np.sqrt(np.sum(left * left, axis=0))
    left = left / scale
    found: Any = np.linalg.lstsq(left, right, float(rcond))
    solution, residuals, rank, s = found
    c = solution / (scale[:, None] if solution.ndim == 2 else scale)
    if type(rank) is not Var and rank != order and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if full:
        return c, residuals, rank, s, rcond
    if not cov:
        return c
    base = np.linalg.inv(np.matmul(left.T, left)) / np.outer(scale, scale)
    if cov == "unscaled":
        factor: Any = 1
    elif points.size <= order:
        raise ValueError("the number of data points must exceed order to scale the covariance matrix")
    else:
        factor = residuals / (points.size - order)
    return c, base * factor if values.ndim == 1 else base[:, :, None] * factor
