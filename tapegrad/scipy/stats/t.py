"""Student's t distribution with `df` degrees of freedom.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math
from typing import Any

import numpy as np

from tapegrad.ops.scipy_special.betainc import log_betainc
from tapegrad.ops.scipy_special.student import log_density
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Interval, either, instead
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval(allowed=lambda df: df > 0)


FAR = 10.0
"""From here on the tail is taken from the incomplete beta function, which does not underflow."""


def _log_density(z: Any, df: Any) -> Any:
    normal = -0.5 * z * z - 0.5 * math.log(2.0 * math.pi)
    return either(np.isinf(df), lambda: normal, lambda: log_density(df, z))


def _log_tail(z: Any, df: Any) -> Any:
    """Return the logarithm of the probability of more than `z`."""

    def near() -> Any:
        return either(z > 0, lambda: np.log(special.stdtr(df, -z)), lambda: np.log1p(-special.stdtr(df, z)))

    def far() -> Any:
        return log_betainc(0.5 * df, 0.5, df / (df + z * z)) - math.log(2.0)

    return either(np.isinf(df), lambda: special.log_ndtr(-z), lambda: either(z > FAR, far, near))


def _quantile(q: Any, df: Any) -> Any:
    return instead(special.stdtrit(df, q), q == 0, -np.inf)  # where SciPy's function answers inf


def logpdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([-1.0, 0.5]), 3.0)
        array([-1.57625299, -1.16097426])
    """
    return SUPPORT.log_density(_log_density, x, loc, scale, df)


def pdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([-1.0, 0.5]), 3.0)
        array([0.20674834, 0.31318091])
    """
    return SUPPORT.density(lambda z, df: np.exp(_log_density(z, df)), x, loc, scale, df)


def logcdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([-1.0, 0.5]), 3.0)
        array([-1.63218922, -0.39411573])
    """
    return SUPPORT.log_below(lambda z, df: _log_tail(-z, df), x, loc, scale, df)


def cdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([-1.0, 0.5]), 3.0)
        array([0.19550111, 0.67427602])
    """
    return SUPPORT.below(lambda z, df: special.stdtr(df, z), x, loc, scale, df)


def logsf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([-1.0, 0.5]), 3.0)
        array([-0.21753569, -1.12170494])
    """
    return SUPPORT.log_above(_log_tail, x, loc, scale, df)


def sf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([-1.0, 0.5]), 3.0)
        array([0.80449889, 0.32572398])
    """
    return SUPPORT.above(lambda z, df: special.stdtr(df, -z), x, loc, scale, df)


def ppf(q: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 3.0)
        array([-1.63774435,  0.        ])
    """
    return SUPPORT.quantile(_quantile, q, loc, scale, df)


def isf(q: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 3.0)
        array([1.63774435, 0.        ])
    """
    return SUPPORT.quantile(lambda q, df: -_quantile(q, df), q, loc, scale, df)
