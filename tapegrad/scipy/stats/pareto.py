"""The Pareto distribution, with density ``b / x**(b + 1)`` of standardised `x` from 1 on.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import numpy as np

from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval, log1mexp
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=1.0, allowed=lambda b: b > 0)


def logpdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([1.5, 3.0]), 2.0)
        array([-0.52324814, -2.60268969])
    """
    return SUPPORT.log_density(lambda z, b: np.log(b) - (b + 1.0) * np.log(z), x, loc, scale, b)


def pdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([1.5, 3.0]), 2.0)
        array([0.59259259, 0.07407407])
    """
    return SUPPORT.density(lambda z, b: b * np.exp(-(b + 1.0) * np.log(z)), x, loc, scale, b)


def logcdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([1.5, 3.0]), 2.0)
        array([-0.58778666, -0.11778304])
    """
    return SUPPORT.log_below(lambda z, b: log1mexp(b * np.log(z)), x, loc, scale, b)


def cdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([1.5, 3.0]), 2.0)
        array([0.55555556, 0.88888889])
    """
    return SUPPORT.below(lambda z, b: -np.expm1(-b * np.log(z)), x, loc, scale, b)


def logsf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([1.5, 3.0]), 2.0)
        array([-0.81093022, -2.19722458])
    """
    return SUPPORT.log_above(lambda z, b: -b * np.log(z), x, loc, scale, b)


def sf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([1.5, 3.0]), 2.0)
        array([0.44444444, 0.11111111])
    """
    return SUPPORT.above(lambda z, b: np.exp(-b * np.log(z)), x, loc, scale, b)


def ppf(q: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 2.0)
        array([1.05409255, 1.41421356])
    """
    return SUPPORT.quantile(lambda q, b: np.exp(-special.log1p(-q) / b), q, loc, scale, b)


def isf(q: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 2.0)
        array([3.16227766, 1.41421356])
    """
    return SUPPORT.quantile(lambda q, b: np.exp(-np.log(q) / b), q, loc, scale, b)
