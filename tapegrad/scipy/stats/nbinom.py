"""The negative binomial distribution: failures before the `n`-th success, in trials of probability `p`.

Every function is differentiable by the parameters; by the count `k` there is no derivative.

The arguments broadcast together to the shape of the result. `loc` moves the distribution; a parameter that is not allowed gives
NaN.
"""

from typing import Any

import numpy as np

from tapegrad.ops.scipy_special.beta_density import beta_density, log_beta_density
from tapegrad.ops.scipy_special.betainc import log_betainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Counts
from tapegrad.typing import Array, ArrayLike

SUPPORT = Counts(allowed=lambda n, p: (n > 0) & (p > 0) & (p <= 1))


def _log_mass(k: Any, n: Any, p: Any) -> Any:
    return log_beta_density(n, k + 1.0, p) + np.log(p) - np.log(n + k)


def logpmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of `k`.

    Example:
        >>> logpmf(np.array([0, 2]), 5, 0.3)
        array([-6.01986402, -4.02516371])
    """
    return SUPPORT.log_mass(_log_mass, k, loc, n, p)


def pmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of `k`.

    Example:
        >>> pmf(np.array([0, 2]), 5, 0.3)
        array([0.00243  , 0.0178605])
    """
    return SUPPORT.mass(lambda k, n, p: beta_density(n, k + 1.0, p) * p / (n + k), k, loc, n, p)


def logcdf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of at most `k`.

    Example:
        >>> logcdf(np.array([0, 2]), 5, 0.3)
        array([-6.01986402, -3.54753615])
    """
    return SUPPORT.log_below(lambda k, n, p: log_betainc(n, k + 1.0, p), k, loc, n, p)


def cdf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of at most `k`.

    Example:
        >>> cdf(np.array([0, 2]), 5, 0.3)
        array([0.00243  , 0.0287955])
    """
    return SUPPORT.below(lambda k, n, p: special.betainc(n, k + 1.0, p), k, loc, n, p)


def logsf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of more than `k`.

    Example:
        >>> logsf(np.array([0, 2]), 5, 0.3)
        array([-0.00243296, -0.02921823])
    """
    return SUPPORT.log_above(lambda k, n, p: log_betainc(n, k + 1.0, p, upper=True), k, loc, n, p)


def sf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of more than `k`.

    Example:
        >>> sf(np.array([0, 2]), 5, 0.3)
        array([0.99757  , 0.9712045])
    """
    return SUPPORT.above(lambda k, n, p: special.betaincc(n, k + 1.0, p), k, loc, n, p)
