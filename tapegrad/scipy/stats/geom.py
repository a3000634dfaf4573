"""The geometric distribution: trials of probability `p` up to the first success.

Every function is differentiable by the parameters; by the count `k` there is no derivative.

The arguments broadcast together to the shape of the result. `loc` moves the distribution; a parameter that is not allowed gives
NaN.
"""

import numpy as np

from tapegrad.ops.scipy_special.beta_density import beta_density
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Counts, log1mexp
from tapegrad.typing import Array, ArrayLike

SUPPORT = Counts(low=1, allowed=lambda p: (p > 0) & (p <= 1))


def logpmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of `k`.

    Example:
        >>> logpmf(np.array([1, 3]), 0.3)
        array([-1.2039728 , -1.91732269])
    """
    return SUPPORT.log_mass(lambda k, p: special.xlog1py(k - 1.0, -p) + np.log(p), k, loc, p)


def pmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of `k`.

    Example:
        >>> pmf(np.array([1, 3]), 0.3)
        array([0.3  , 0.147])
    """
    return SUPPORT.mass(lambda k, p: beta_density(1.0, k, p) * p / k, k, loc, p)


def logcdf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of at most `k`.

    Example:
        >>> logcdf(np.array([1, 3]), 0.3)
        array([-1.2039728 , -0.42007126])
    """
    return SUPPORT.log_below(lambda k, p: log1mexp(-special.xlog1py(k, -p)), k, loc, p)


def cdf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of at most `k`.

    Example:
        >>> cdf(np.array([1, 3]), 0.3)
        array([0.3  , 0.657])
    """
    return SUPPORT.below(lambda k, p: special.betainc(1.0, k, p), k, loc, p)


def logsf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of more than `k`.

    Example:
        >>> logsf(np.array([1, 3]), 0.3)
        array([-0.35667494, -1.07002483])
    """
    return SUPPORT.log_above(lambda k, p: special.xlog1py(k, -p), k, loc, p)


def sf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of more than `k`.

    Example:
        >>> sf(np.array([1, 3]), 0.3)
        array([0.7  , 0.343])
    """
    return SUPPORT.above(lambda k, p: special.betaincc(1.0, k, p), k, loc, p)
