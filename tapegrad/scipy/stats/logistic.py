"""The logistic distribution, whose distribution function is `tapegrad.scipy.special.expit`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

from tapegrad.ops.scipy_special.logistic import expit_slope, log_expit_slope
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval()


def logpdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-2.14130115, -2.09502602])
    """
    return SUPPORT.log_density(log_expit_slope, x, loc, scale)


def pdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.11750186, 0.12306704])
    """
    return SUPPORT.density(expit_slope, x, loc, scale)


def logcdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-0.97407698, -0.57593942])
    """
    return SUPPORT.log_below(special.log_expit, x, loc, scale)


def cdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.37754067, 0.5621765 ])
    """
    return SUPPORT.below(special.expit, x, loc, scale)


def logsf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-0.47407698, -0.82593942])
    """
    return SUPPORT.log_above(lambda z: special.log_expit(-z), x, loc, scale)


def sf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.62245933, 0.4378235 ])
    """
    return SUPPORT.above(lambda z: special.expit(-z), x, loc, scale)


def ppf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([-4.39444915,  0.        ])
    """
    return SUPPORT.quantile(special.logit, q, loc, scale)


def isf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([4.39444915, 0.        ])
    """
    return SUPPORT.quantile(lambda q: -special.logit(q), q, loc, scale)
