"""The binomial distribution: successes among `n` trials of probability `p`.

Every function is differentiable by the parameters; by the count `k` there is no derivative. So that there is one by `n`, it
need not be a whole number; SciPy answers NaN there.

The arguments broadcast together to the shape of the result. `loc` moves the distribution; a parameter that is not allowed gives
NaN.
"""

from typing import Any

from tapegrad.ops.scipy_special.beta_density import beta_density, log_beta_density
from tapegrad.ops.scipy_special.betainc import log_betainc
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import Counts
from tapegrad.typing import Array, ArrayLike

SUPPORT = Counts(high=lambda n, p: n, allowed=lambda n, p: (n >= 0) & (p >= 0) & (p <= 1))


def _log_mass(k: Any, n: Any, p: Any) -> Any:
    return log_beta_density(k + 1.0, n - k + 1.0, p) - special.log1p(n)


def logpmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of `k`.

    Example:
        >>> logpmf(np.array([0, 2]), 5, 0.3)
        array([-1.78337472, -1.17538535])
    """
    return SUPPORT.log_mass(_log_mass, k, loc, n, p)


def pmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of `k`.

    Example:
        >>> pmf(np.array([0, 2]), 5, 0.3)
        array([0.16807, 0.3087 ])
    """
    return SUPPORT.mass(lambda k, n, p: beta_density(k + 1.0, n - k + 1.0, p) / (n + 1.0), k, loc, n, p)


def logcdf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of at most `k`.

    Example:
        >>> logcdf(np.array([0, 2]), 5, 0.3)
        array([-1.78337472, -0.17802679])
    """
    return SUPPORT.log_below(lambda k, n, p: log_betainc(k + 1.0, n - k, p, upper=True), k, loc, n, p)


def cdf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of at most `k`.

    Example:
        >>> cdf(np.array([0, 2]), 5, 0.3)
        array([0.16807, 0.83692])
    """
    return SUPPORT.below(lambda k, n, p: special.betaincc(k + 1.0, n - k, p), k, loc, n, p)


def logsf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the logarithm of the probability of more than `k`.

    Example:
        >>> logsf(np.array([0, 2]), 5, 0.3)
        array([-0.18400698, -1.8135144 ])
    """
    return SUPPORT.log_above(lambda k, n, p: log_betainc(k + 1.0, n - k, p), k, loc, n, p)


def sf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Array:
    """Return the probability of more than `k`.

    Example:
        >>> sf(np.array([0, 2]), 5, 0.3)
        array([0.83193, 0.16308])
    """
    return SUPPORT.above(lambda k, n, p: special.betainc(k + 1.0, n - k, p), k, loc, n, p)
