"""The chi-squared distribution with `df` degrees of freedom.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math

from tapegrad.ops.scipy_special.gamma_density import gamma_density, log_gamma_density
from tapegrad.ops.scipy_special.gammainc import log_gammainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(low=0.0, allowed=lambda df: df > 0)


def logpdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([0.5, 2.0]), 3.0)
        array([-1.51551212, -1.57236494])
    """
    return SUPPORT.log_density(lambda z, df: log_gamma_density(0.5 * df, 0.5 * z) - math.log(2.0), x, loc, scale, df)


def pdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([0.5, 2.0]), 3.0)
        array([0.21969564, 0.20755375])
    """
    return SUPPORT.density(lambda z, df: 0.5 * gamma_density(0.5 * df, 0.5 * z), x, loc, scale, df)


def logcdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([0.5, 2.0]), 3.0)
        array([-2.51196643, -0.84958278])
    """
    return SUPPORT.log_below(lambda z, df: log_gammainc(0.5 * df, 0.5 * z), x, loc, scale, df)


def cdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([0.5, 2.0]), 3.0)
        array([0.08110859, 0.4275933 ])
    """
    return SUPPORT.below(lambda z, df: special.gammainc(0.5 * df, 0.5 * z), x, loc, scale, df)


def logsf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([0.5, 2.0]), 3.0)
        array([-0.08458732, -0.55790552])
    """
    return SUPPORT.log_above(lambda z, df: log_gammainc(0.5 * df, 0.5 * z, upper=True), x, loc, scale, df)


def sf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([0.5, 2.0]), 3.0)
        array([0.91889141, 0.5724067 ])
    """
    return SUPPORT.above(lambda z, df: special.gammaincc(0.5 * df, 0.5 * z), x, loc, scale, df)


def ppf(q: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 3.0)
        array([0.58437437, 2.36597388])
    """
    return SUPPORT.quantile(lambda q, df: 2.0 * special.gammaincinv(0.5 * df, q), q, loc, scale, df)


def isf(q: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 3.0)
        array([6.25138863, 2.36597388])
    """
    return SUPPORT.quantile(lambda q, df: 2.0 * special.gammainccinv(0.5 * df, q), q, loc, scale, df)
