"""The normal distribution with mean `loc` and standard deviation `scale`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math

import numpy as np

from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval()


def logpdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-1.73708571, -1.64333571])
    """
    return SUPPORT.log_density(lambda z: -0.5 * z * z - 0.5 * math.log(2.0 * math.pi), x, loc, scale)


def pdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.17603266, 0.19333406])
    """
    return SUPPORT.density(lambda z: np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi), x, loc, scale)


def logcdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-1.17591176, -0.51298408])
    """
    return SUPPORT.log_below(special.log_ndtr, x, loc, scale)


def cdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.30853754, 0.59870633])
    """
    return SUPPORT.below(special.ndtr, x, loc, scale)


def logsf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-0.36894642, -0.91306176])
    """
    return SUPPORT.log_above(lambda z: special.log_ndtr(-z), x, loc, scale)


def sf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.69146246, 0.40129367])
    """
    return SUPPORT.above(lambda z: special.ndtr(-z), x, loc, scale)


def ppf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([-2.56310313,  0.        ])
    """
    return SUPPORT.quantile(special.ndtri, q, loc, scale)


def isf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([2.56310313, 0.        ])
    """
    return SUPPORT.quantile(lambda q: -special.ndtri(q), q, loc, scale)
