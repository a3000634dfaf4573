"""The uniform distribution from `loc` to ``loc + scale``.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import numpy as np

from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=0.0, high=1.0)


def logpdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([-0.69314718, -0.69314718])
    """
    return SUPPORT.log_density(lambda z: 0.0 * z, x, loc, scale)


def pdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([0.5, 0.5])
    """
    return SUPPORT.density(lambda z: 1.0 + 0.0 * z, x, loc, scale)


def logcdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([-1.38629436,  0.        ])
    """
    return SUPPORT.log_below(np.log, x, loc, scale)


def cdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([0.25, 1.  ])
    """
    return SUPPORT.below(lambda z: z, x, loc, scale)


def logsf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([-0.28768207,        -inf])
    """
    return SUPPORT.log_above(lambda z: np.log1p(-z), x, loc, scale)


def sf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([0.5, 2.0]), 0.0, 2.0)
        array([0.75, 0.  ])
    """
    return SUPPORT.above(lambda z: 1.0 - z, x, loc, scale)


def ppf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([0.2, 1. ])
    """
    return SUPPORT.quantile(lambda q: q, q, loc, scale)


def isf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([1.8, 1. ])
    """
    return SUPPORT.quantile(lambda q: 1.0 - q, q, loc, scale)
