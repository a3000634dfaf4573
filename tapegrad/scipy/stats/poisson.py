"""The Poisson distribution with mean `mu`.

Every function is differentiable by the parameters; by the count `k` there is no derivative.

The arguments broadcast together to the shape of the result. `loc` moves the distribution; a parameter that is not allowed gives
NaN.
"""

from tapegrad.ops.scipy_special.gamma_density import gamma_density, log_gamma_density
from tapegrad.ops.scipy_special.gammainc import log_gammainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Counts
from tapegrad.typing import Array, ArrayLike

SUPPORT = Counts(allowed=lambda mu: mu >= 0)


def logpmf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of `k`.

    Example:
        >>> logpmf(np.array([0, 2]), 1.5)
        array([-1.5       , -1.38221696])
    """
    return SUPPORT.log_mass(lambda k, mu: log_gamma_density(k + 1.0, mu), k, loc, mu)


def pmf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of `k`.

    Example:
        >>> pmf(np.array([0, 2]), 1.5)
        array([0.22313016, 0.25102143])
    """
    return SUPPORT.mass(lambda k, mu: gamma_density(k + 1.0, mu), k, loc, mu)


def logcdf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of at most `k`.

    Example:
        >>> logcdf(np.array([0, 2]), 1.5)
        array([-1.5       , -0.21214571])
    """
    return SUPPORT.log_below(lambda k, mu: log_gammainc(k + 1.0, mu, upper=True), k, loc, mu)


def cdf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of at most `k`.

    Example:
        >>> cdf(np.array([0, 2]), 1.5)
        array([0.22313016, 0.80884683])
    """
    return SUPPORT.below(lambda k, mu: special.gammaincc(k + 1.0, mu), k, loc, mu)


def logsf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of more than `k`.

    Example:
        >>> logsf(np.array([0, 2]), 1.5)
        array([-0.25248246, -1.65468024])
    """
    return SUPPORT.log_above(lambda k, mu: log_gammainc(k + 1.0, mu), k, loc, mu)


def sf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of more than `k`.

    Example:
        >>> sf(np.array([0, 2]), 1.5)
        array([0.77686984, 0.19115317])
    """
    return SUPPORT.above(lambda k, mu: special.gammainc(k + 1.0, mu), k, loc, mu)
