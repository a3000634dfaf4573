"""The density of the gamma distribution, which is also the probability of a count: the derivative of `gammainc` by `x`.

``density(a, x) = x**(a - 1) exp(-x) / gamma(a)``. Written so for large `a`, powers and factorials would cancel to nothing; here
they are combined first (C. Loader, "Fast and accurate computation of binomial probabilities", 2000).
"""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma
from tapegrad.ops.scipy_special.precision import LARGE, LOG_2PI, in_double, log_less_digamma, log_ratio_less, stirling_error

# The logarithm


def log_weight(a: Any, x: Any) -> Any:
    """Return ``a log(x) - x - gammaln(a + 1)``, on plain arrays with ``a > -1`` and ``x >= 0``."""
    large = a >= LARGE
    big = np.where(large, a, LARGE)
    small = np.where(large, 1.0, a)
    return np.where(
        large,
        big * log_ratio_less(x, big) - 0.5 * (LOG_2PI + np.log(big)) - stirling_error(big),
        scipy.special.xlogy(small, x) - x - scipy.special.gammaln(small + 1.0),
    )


@in_double
def _log_density(a: Any, x: Any) -> Any:
    y = np.where(a >= 1.0, log_weight(a - 1.0, x), log_weight(a, x) + np.log(a) - np.log(x))
    y = np.where((x == 0) & (a < 1.0), np.inf, y)
    return np.where(np.isposinf(x) & np.isfinite(a), -np.inf, np.where(x < 0, np.nan, y))


def _over(numerator: Any, x: Any) -> Any:
    """``numerator / x``, but 0 where both are."""
    return numerator / np.where((numerator == 0) & (x == 0), 1.0, x)


log_gamma_density_p = elementwise(
    "log_gamma_density",
    _log_density,
    lambda g, y, a, x: g * log_minus_digamma(a, x),
    lambda g, y, a, x: g * (_over(a - 1.0, x) - 1.0),
    domain=((0.5, 3.0), (0.5, 3.0)),
)
"""``(a - 1) log(x) - x - gammaln(a)``."""

log_minus_digamma_p = elementwise(
    "log_minus_digamma",
    in_double(lambda a, x: log_less_digamma(x, a)),
    lambda g, y, a, x: -g * polygamma(1, a),
    lambda g, y, a, x: g / x,
    domain=((0.5, 3.0), (0.5, 3.0)),
)


def log_gamma_density(a: Any, x: Any) -> Any:
    """Return ``(a - 1) log(x) - x - gammaln(a)``."""
    return apply(log_gamma_density_p, a, x)


def log_minus_digamma(a: Any, x: Any) -> Any:
    """Return ``log(x) - digamma(a)``."""
    return apply(log_minus_digamma_p, a, x)


# The density itself. Its derivatives by x are densities with smaller a, down to where they are no densities any more but
# still right: at x = 0, 1 / gamma(a) = 0 makes nothing of what the power would blow up


@in_double
def _density(a: Any, x: Any) -> Any:
    y = np.exp(np.where(a >= 1.0, log_weight(a - 1.0, x), log_weight(a, x)))
    y = np.where(a >= 1.0, y, y * a / x)
    scale = scipy.special.rgamma(a)
    beyond = np.where(scale == 0, 0.0, x ** (a - 1.0) * np.exp(-x) * scale)
    y = np.where((a > 0) & (x > 0), y, beyond)
    return np.where(x < 0, np.nan, np.where(np.isposinf(x) & np.isfinite(a), 0.0, y))


def _density_by_a(g: Any, y: Any, a: Any, x: Any) -> Any:
    return g * np.where(y == 0, 0.0, y * log_minus_digamma(a, x))


def _density_by_x(g: Any, y: Any, a: Any, x: Any) -> Any:
    return g * np.where(x == 0, gamma_density(a - 1.0, x) - y, np.where(y == 0, 0.0, y * ((a - 1.0 - x) / x)))


gamma_density_p = elementwise("gamma_density", _density, _density_by_a, _density_by_x, domain=((0.5, 3.0), (0.5, 3.0)))
"""``x**(a - 1) exp(-x) / gamma(a)``."""


def gamma_density(a: Any, x: Any) -> Any:
    """Return ``x**(a - 1) exp(-x) / gamma(a)``."""
    return apply(gamma_density_p, a, x)
