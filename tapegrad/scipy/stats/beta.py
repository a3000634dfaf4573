"""The beta distribution, with density ``x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)`` of standardised `x` between 0 and 1.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

from tapegrad.ops.scipy_special.beta_density import beta_density, log_beta_density
from tapegrad.ops.scipy_special.betainc import log_betainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=0.0, high=1.0, allowed=lambda a, b: (a > 0) & (b > 0))


def logpdf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([ 0.42918163, -0.2797139 ])
    """
    return SUPPORT.log_density(lambda z, a, b: log_beta_density(a, b, z), x, loc, scale, a, b)


def pdf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([1.536, 0.756])
    """
    return SUPPORT.density(lambda z, a, b: beta_density(a, b, z), x, loc, scale, a, b)


def logcdf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([-1.71036383, -0.08741146])
    """
    return SUPPORT.log_below(lambda z, a, b: log_betainc(a, b, z), x, loc, scale, a, b)


def cdf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([0.1808, 0.9163])
    """
    return SUPPORT.below(lambda z, a, b: special.betainc(a, b, z), x, loc, scale, a, b)


def logsf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([-0.19942702, -2.4805163 ])
    """
    return SUPPORT.log_above(lambda z, a, b: log_betainc(a, b, z, upper=True), x, loc, scale, a, b)


def sf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([0.2, 0.7]), 2.0, 3.0)
        array([0.8192, 0.0837])
    """
    return SUPPORT.above(lambda z, a, b: special.betaincc(a, b, z), x, loc, scale, a, b)


def ppf(q: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 2.0, 3.0)
        array([0.14255932, 0.38572757])
    """
    return SUPPORT.quantile(lambda q, a, b: special.betaincinv(a, b, q), q, loc, scale, a, b)


def isf(q: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 2.0, 3.0)
        array([0.67953942, 0.38572757])
    """
    return SUPPORT.quantile(lambda q, a, b: special.betainccinv(a, b, q), q, loc, scale, a, b)
