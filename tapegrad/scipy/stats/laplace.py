"""The Laplace distribution around `loc`, with density ``exp(-|x|) / 2`` of standardised `x`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math
from typing import Any

import numpy as np

from tapegrad.scipy.stats.support import Interval, either
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval()


def _tail(z: Any) -> Any:
    return either(z > 0, lambda: 0.5 * np.exp(-z), lambda: 1.0 - 0.5 * np.exp(z))


def _log_tail(z: Any) -> Any:
    return either(z > 0, lambda: -z - math.log(2.0), lambda: np.log1p(-0.5 * np.exp(z)))


def _quantile(q: Any) -> Any:
    """Return what is exceeded with probability `q`."""
    return either(q > 0.5, lambda: np.log(2.0 * (1.0 - q)), lambda: -np.log(2.0 * q))


def logpdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-1.88629436, -1.63629436])
    """
    return SUPPORT.log_density(lambda z: -np.abs(z) - math.log(2.0), x, loc, scale)


def pdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.15163266, 0.1947002 ])
    """
    return SUPPORT.density(lambda z: 0.5 * np.exp(-np.abs(z)), x, loc, scale)


def logcdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-1.19314718, -0.49331384])
    """
    return SUPPORT.log_below(lambda z: _log_tail(-z), x, loc, scale)


def cdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.30326533, 0.61059961])
    """
    return SUPPORT.below(lambda z: _tail(-z), x, loc, scale)


def logsf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-0.36135061, -0.94314718])
    """
    return SUPPORT.log_above(_log_tail, x, loc, scale)


def sf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.69673467, 0.38940039])
    """
    return SUPPORT.above(_tail, x, loc, scale)


def ppf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([-3.21887582,  0.        ])
    """
    return SUPPORT.quantile(lambda q: -_quantile(q), q, loc, scale)


def isf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([3.21887582, 0.        ])
    """
    return SUPPORT.quantile(_quantile, q, loc, scale)
