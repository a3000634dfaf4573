"""The Cauchy distribution, with density ``1 / (pi * (1 + x**2))`` of standardised `x`.

Every function is differentiable by `x` and by the parameters.

The arguments broadcast together to the shape of the result. `loc` moves the distribution and `scale` stretches it; a `scale`
that is not positive, and any other parameter that is not allowed, gives NaN.
"""

import math
from typing import Any

import numpy as np

from tapegrad.ops.scipy_special.gamma import sinpi
from tapegrad.scipy.stats.support import Interval, either
from tapegrad.typing import Array, ArrayLike

SUPPORT = Interval()


def _log_tail(z: Any) -> Any:
    small, large = np.arctan2(1.0, z) / math.pi, np.arctan2(1.0, -z) / math.pi
    return either(z > 0, lambda: np.log(small), lambda: np.log1p(-large))


def logpdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the density at `x`.

    Example:
        >>> logpdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-2.06102062, -1.89850169])
    """
    return SUPPORT.log_density(lambda z: -math.log(math.pi) - 2.0 * np.log(np.hypot(1.0, z)), x, loc, scale)


def pdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the density at `x`.

    Example:
        >>> pdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.12732395, 0.14979289])
    """
    return SUPPORT.density(lambda z: 1.0 / (math.pi * (1.0 + z * z)), x, loc, scale)


def logcdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of at most `x`.

    Example:
        >>> logcdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-1.0429419 , -0.54821752])
    """
    return SUPPORT.log_below(lambda z: _log_tail(-z), x, loc, scale)


def cdf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of at most `x`.

    Example:
        >>> cdf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.35241638, 0.57797913])
    """
    return SUPPORT.below(lambda z: np.arctan2(1.0, -z) / math.pi, x, loc, scale)


def logsf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the logarithm of the probability of more than `x`.

    Example:
        >>> logsf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([-0.43450735, -0.86270051])
    """
    return SUPPORT.log_above(_log_tail, x, loc, scale)


def sf(x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the probability of more than `x`.

    Example:
        >>> sf(np.array([-1.0, 0.5]), 0.0, 2.0)
        array([0.64758362, 0.42202087])
    """
    return SUPPORT.above(lambda z: np.arctan2(1.0, z) / math.pi, x, loc, scale)


def ppf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is not exceeded with probability `q`.

    Example:
        >>> ppf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([-6.15536707,  0.        ])
    """
    return SUPPORT.quantile(lambda q: sinpi(q - 0.5) / sinpi(q), q, loc, scale)


def isf(q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Array:
    """Return the value that is exceeded with probability `q`.

    Example:
        >>> isf(np.array([0.1, 0.5]), 0.0, 2.0)
        array([6.15536707, 0.        ])
    """
    return SUPPORT.quantile(lambda q: sinpi(0.5 - q) / sinpi(q), q, loc, scale)
