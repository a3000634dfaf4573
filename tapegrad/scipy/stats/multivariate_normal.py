"""The normal distribution of vectors, with a mean and a covariance matrix.

Every function is differentiable by `x`, by the mean and by the covariance.
"""

import math
from typing import Any

import numpy as np

from tapegrad.ops.scipy_linalg.solving import solve_triangle
from tapegrad.scipy.stats.support import given
from tapegrad.typing import Array, ArrayLike


def logpdf(x: ArrayLike, mean: ArrayLike | None = None, cov: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Args:
        x: vectors, of shape ``(..., n)``; numbers, of any shape, where the dimension is 1.
        mean: their mean, of shape ``(n,)``; zero by default.
        cov: their covariance, a symmetric positive definite matrix of shape ``(n, n)``, of which the lower triangle is read;
            a vector of shape ``(n,)`` stands for the diagonal of one, a number for a multiple of the identity.

    Returns:
        The logarithms, of shape ``(...)``.

    Raises:
        ValueError: if the shapes do not fit.
        LinAlgError: if the covariance is not positive definite.

    Example:
        >>> logpdf(np.array([1.0, 0.0]), np.zeros(2), np.array([[2.0, 0.5], [0.5, 1.0]]))
        np.float64(-2.403399...)
    """
    value, centre, spread = given(x, 0.0 if mean is None else mean, cov)
    n = dimension(np.shape(value), None if mean is None else np.shape(centre), np.shape(spread))
    if n == 1 and np.shape(value)[-1:] != (1,):
        value = np.reshape(value, (*np.shape(value), 1))
    apart = value - centre
    if np.ndim(spread) < 2:
        variances = np.broadcast_to(spread, (n,))
        log_det, distance = np.log(variances).sum(), (apart * apart / variances).sum(axis=-1)
    else:
        factor = np.linalg.cholesky(spread)
        rows = np.reshape(apart, (-1, n))
        whitened = solve_triangle(factor, rows.T, lower=True)
        log_det = 2.0 * np.log(np.diagonal(factor)).sum()
        distance = np.reshape((whitened * whitened).sum(axis=0), np.shape(apart)[:-1])
    y: Any = -0.5 * (n * math.log(2.0 * math.pi) + log_det + distance)
    result: Array = y
    return result


def pdf(x: ArrayLike, mean: ArrayLike | None = None, cov: ArrayLike = 1.0) -> Array:
    """Return the density at `x`; the arguments are those of `logpdf`.

    Example:
        >>> pdf(np.zeros(2), np.zeros(2))
        np.float64(0.15915494309189535)
    """
    y: Array = np.exp(logpdf(x, mean, cov))
    return y


def dimension(x: tuple[int, ...], mean: tuple[int, ...] | None, cov: tuple[int, ...]) -> int:
    """Return the dimension of vectors, which the mean or the covariance says; it is 1 where both are numbers, as in SciPy.

    Raises:
        ValueError: if the shapes do not fit.
    """
    if len(cov) > 2 or (len(cov) == 2 and cov[0] != cov[1]):
        raise ValueError(f"multivariate_normal: expected a square matrix, a vector or a number as 'cov', got shape {cov}")
    if mean is not None and len(mean) > 1:
        raise ValueError(f"multivariate_normal: expected a vector or a number as 'mean', got shape {mean}")
    sizes = [shape[-1] for shape in (mean or (), cov) if shape]
    n = sizes[0] if sizes else 1
    if any(size != n for size in sizes) or (n > 1 and (not x or x[-1] != n)):
        raise ValueError(
            f"multivariate_normal: expected 'mean' and 'cov' of the size of the last axis of 'x', got {mean}, {cov} and {x}"
        )
    return n
