"""The density of the beta distribution: the derivative of `betainc` by `x`.

As for the gamma distribution, large parameters are combined before they can cancel. Functions here take `y` beside `x`, where
``y = 1 - x`` is known better than by subtraction.
"""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma_shift
from tapegrad.ops.scipy_special.precision import LARGE, LOG_2PI, in_double, log_ratio_less, stirling_error


def log_beta(a: Any, b: Any) -> Any:
    """Return the logarithm of the beta function, for positive arguments."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    s = a + b
    errors = stirling_error(b) - stirling_error(s)
    one = scipy.special.gammaln(a) - a * np.log(s) + a - (b - 0.5) * np.log1p(a / b) + errors
    both = 0.5 * (LOG_2PI - np.log(b)) + (a - 0.5) * np.log(a / s) - b * np.log1p(a / b) + errors + stirling_error(a)
    none = scipy.special.gammaln(a) + scipy.special.gammaln(b) - scipy.special.gammaln(s)
    return np.where(b < LARGE, none, np.where(a < LARGE, one, both))


def log_weight(a: Any, b: Any, x: Any, y: Any) -> Any:
    """Return ``a log(x) + b log(y) - betaln(a, b)``, for positive `a` and `b` and ``y = 1 - x``."""
    large = (a >= LARGE) & (b >= LARGE)
    s = a + b
    big = a * log_ratio_less(x, a / s) + b * log_ratio_less(y, b / s)
    big = big - 0.5 * (LOG_2PI + np.log(s / a / b)) + stirling_error(s) - stirling_error(a) - stirling_error(b)
    logs = [np.where(z < 0.5, np.log(z), np.log1p(-other)) for z, other in ((x, y), (y, x))]
    small = _times_log(a, logs[0]) + _times_log(b, logs[1]) - log_beta(a, b)
    return np.where(large, big, small)


def _times_log(a: Any, log: Any) -> Any:
    return np.where(a == 0, 0.0, a * log)


# The logarithm of the density


@in_double
def _log_density(a: Any, b: Any, x: Any) -> Any:
    y = 1.0 - x
    inside = log_weight(a, b, x, y) - np.log(x) - np.log1p(-x)
    edge = _times_log(a - 1.0, np.log(x)) + _times_log(b - 1.0, np.log1p(-x)) - log_beta(a, b)
    return np.where((x == 0) | (x == 1), edge, inside)


def _quotient(numerator: Any, x: Any) -> Any:
    """``numerator / x``, but 0 where both are."""
    return numerator / np.where((numerator == 0) & (x == 0), 1.0, x)


log_beta_density_p = elementwise(
    "log_beta_density",
    _log_density,
    lambda g, y, a, b, x: g * (np.log(x) + polygamma_shift(0, a, b)),
    lambda g, y, a, b, x: g * (np.log1p(-x) + polygamma_shift(0, b, a)),
    lambda g, y, a, b, x: g * (_quotient(a - 1.0, x) - _quotient(b - 1.0, 1.0 - x)),
    domain=((0.5, 3.0), (0.5, 3.0), (0.1, 0.9)),
)
"""``(a - 1) log(x) + (b - 1) log(1 - x) - betaln(a, b)``."""


def log_beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return ``(a - 1) log(x) + (b - 1) log(1 - x) - betaln(a, b)``."""
    return apply(log_beta_density_p, a, b, x)


# The density. As for gamma, its derivatives at the ends are densities with smaller parameters, but for the gamma function of
# their sum, which stays that of the first ones: `raised` says by how much


@in_double
def _density(a: Any, b: Any, x: Any, raised: int = 0) -> Any:
    inside = np.exp(log_weight(a, b, x, 1.0 - x) - np.log(x)) / (1.0 - x)
    small, large = np.minimum(a, b), np.maximum(a, b)
    scale = scipy.special.rgamma(small)
    scale = np.where(scale == 0, 0.0, scale * scipy.special.poch(large, small + raised))
    edge = np.where(scale == 0, 0.0, scale * x ** (a - 1.0) * (1.0 - x) ** (b - 1.0))
    return np.where((x >= 0) & (x <= 1), np.where((a > 0) & (b > 0) & (x > 0) & (x < 1), inside, edge), np.nan)


def _density_by_a(g: Any, y: Any, a: Any, b: Any, x: Any, raised: int = 0) -> Any:
    return g * np.where(y == 0, 0.0, y * (np.log(x) + polygamma_shift(0, a, b + raised)))


def _density_by_b(g: Any, y: Any, a: Any, b: Any, x: Any, raised: int = 0) -> Any:
    return g * np.where(y == 0, 0.0, y * (np.log1p(-x) + polygamma_shift(0, b, a + raised)))


def _density_by_x(g: Any, y: Any, a: Any, b: Any, x: Any, raised: int = 0) -> Any:
    edge = _raised(a - 1.0, b, x, raised + 1) - _raised(a, b - 1.0, x, raised + 1)
    return g * np.where((x == 0) | (x == 1), edge, y * ((a - 1.0) / x - (b - 1.0) / (1.0 - x)))


beta_density_p = elementwise(
    "beta_density",
    _density,
    _density_by_a,
    _density_by_b,
    _density_by_x,
    domain=((0.5, 3.0), (0.5, 3.0), (0.1, 0.9)),
)
"""``x**(a - 1) (1 - x)**(b - 1) / beta(a, b)``."""


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return ``x**(a - 1) (1 - x)**(b - 1) / beta(a, b)``."""
    return apply(beta_density_p, a, b, x)


def _raised(a: Any, b: Any, x: Any, raised: int) -> Any:
    """Return ``x**(a - 1) (1 - x)**(b - 1) gamma(a + b + raised) / (gamma(a) gamma(b))`` at the ends."""
    return apply(beta_density_p, a, b, x, raised=raised)
