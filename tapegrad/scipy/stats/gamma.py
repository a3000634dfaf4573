"""The gamma distribution of shape `a`, with density ``x**(a - 1) * exp(-x) / gamma(a)`` of standardised positive `x`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

from tapegrad.ops.scipy_special.gamma_density import gamma_density, log_gamma_density
from tapegrad.ops.scipy_special.gammainc import log_gammainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=0.0, allowed=lambda a: a > 0)


def logpdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([-3.30727159, -1.97783005])
    """
    return SUPPORT.log_density(lambda z, a: log_gamma_density(a, z), x, loc, scale, a)


def pdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([0.03661594, 0.13836917])
    """
    return SUPPORT.density(lambda z, a: gamma_density(a, z), x, loc, scale, a)


def logcdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([-4.84384539, -1.89143641])
    """
    return SUPPORT.log_below(lambda z, a: log_gammainc(a, z), x, loc, scale, a)


def cdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([0.00787671, 0.15085496])
    """
    return SUPPORT.below(lambda z, a: special.gammainc(a, z), x, loc, scale, a)


def logsf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([-0.00790789, -0.16352528])
    """
    return SUPPORT.log_above(lambda z, a: log_gammainc(a, z, upper=True), x, loc, scale, a)


def sf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([0.5, 2.0]), 2.5, 0.0, 2.0)
        array([0.99212329, 0.84914504])
    """
    return SUPPORT.above(lambda z, a: special.gammaincc(a, z), x, loc, scale, a)


def ppf(q: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 2.5, 0.0, 2.0)
        array([1.61030799, 4.35146019])
    """
    return SUPPORT.quantile(lambda q, a: special.gammaincinv(a, q), q, loc, scale, a)


def isf(q: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 2.5, 0.0, 2.0)
        array([9.2363569 , 4.35146019])
    """
    return SUPPORT.quantile(lambda q, a: special.gammainccinv(a, q), q, loc, scale, a)
