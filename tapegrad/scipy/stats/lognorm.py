"""The log-normal distribution: the logarithm of standardised `x` is normal with standard deviation `s`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math
from typing import Any

import numpy as np

from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=0.0, allowed=lambda s: s > 0, closed=False)


def _log_density(z: Any, s: Any) -> Any:
    log = np.log(z)
    return -0.5 * (log / s) ** 2 - log - np.log(s) - 0.5 * math.log(2.0 * math.pi)


def logpdf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([0.5, 2.0]), 0.7)
        array([-0.35937459, -1.74566895])
    """
    return SUPPORT.log_density(_log_density, x, loc, scale, s)


def pdf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([0.5, 2.0]), 0.7)
        array([0.6981128, 0.1745282])
    """
    return SUPPORT.density(lambda z, s: np.exp(_log_density(z, s)), x, loc, scale, s)


def logcdf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([0.5, 2.0]), 0.7)
        array([-1.82612932, -0.1755871 ])
    """
    return SUPPORT.log_below(lambda z, s: special.log_ndtr(np.log(z) / s), x, loc, scale, s)


def cdf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([0.5, 2.0]), 0.7)
        array([0.16103568, 0.83896432])
    """
    return SUPPORT.below(lambda z, s: special.ndtr(np.log(z) / s), x, loc, scale, s)


def logsf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([0.5, 2.0]), 0.7)
        array([-0.1755871 , -1.82612932])
    """
    return SUPPORT.log_above(lambda z, s: special.log_ndtr(-np.log(z) / s), x, loc, scale, s)


def sf(x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([0.5, 2.0]), 0.7)
        array([0.83896432, 0.16103568])
    """
    return SUPPORT.above(lambda z, s: special.ndtr(-np.log(z) / s), x, loc, scale, s)


def ppf(q: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.7)
        array([0.40775609, 1.        ])
    """
    return SUPPORT.quantile(lambda q, s: np.exp(s * special.ndtri(q)), q, loc, scale, s)


def isf(q: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.7)
        array([2.4524465, 1.       ])
    """
    return SUPPORT.quantile(lambda q, s: np.exp(-s * special.ndtri(q)), q, loc, scale, s)
