"""The Bernoulli distribution: 1 with probability `p`, else 0.

Every function is differentiable by the parameters; by the count `k` there is no derivative.

The arguments broadcast together to the shape of the result. `loc` moves the distribution; a parameter that is not allowed gives
NaN.
"""

import numpy as np

from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Counts
from tapegrad.typing import Array, ArrayLike

SUPPORT = Counts(high=lambda p: 1, allowed=lambda p: (p >= 0) & (p <= 1))


def logpmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of `k`.

    Example:
        >>> logpmf(np.array([0, 1]), 0.3)
        array([-0.35667494, -1.2039728 ])
    """
    return SUPPORT.log_mass(lambda k, p: special.xlogy(k, p) + special.xlog1py(1.0 - k, -p), k, loc, p)


def pmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of `k`.

    Example:
        >>> pmf(np.array([0, 1]), 0.3)
        array([0.7, 0.3])
    """
    return SUPPORT.mass(lambda k, p: k * p + (1.0 - k) * (1.0 - p), k, loc, p)


def logcdf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of at most `k`.

    Example:
        >>> logcdf(np.array([0, 1]), 0.3)
        array([-0.35667494,  0.        ])
    """
    return SUPPORT.log_below(lambda k, p: special.log1p(-p) + 0.0 * k, k, loc, p)


def cdf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of at most `k`.

    Example:
        >>> cdf(np.array([0, 1]), 0.3)
        array([0.7, 1. ])
    """
    return SUPPORT.below(lambda k, p: 1.0 - p + 0.0 * k, k, loc, p)


def logsf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of more than `k`.

    Example:
        >>> logsf(np.array([0, 1]), 0.3)
        array([-1.2039728,       -inf])
    """
    return SUPPORT.log_above(lambda k, p: np.log(p) + 0.0 * k, k, loc, p)


def sf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of more than `k`.

    Example:
        >>> sf(np.array([0, 1]), 0.3)
        array([0.3, 0. ])
    """
    return SUPPORT.above(lambda k, p: p + 0.0 * k, k, loc, p)
