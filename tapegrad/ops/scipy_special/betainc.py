"""Incomplete beta functions, with derivatives in all three arguments, and their inverses and logarithms."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case
from tapegrad.core.var import Var, apply
from tapegrad.ops.scipy_special.beta_density import beta_density, log_beta_density, log_weight
from tapegrad.ops.scipy_special.beta_integral import integral
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma, polygamma_shift
from tapegrad.ops.scipy_special.precision import bell, in_double

DOMAIN = ((0.5, 3.0), (0.5, 3.0), (0.1, 0.9))
INPUTS = (np.array([0.2, 2.0, 30.0, 5.0]), np.array([0.7, 0.5, 20.0, 9.0]), np.array([0.3, 0.9, 0.55, 0.4]))

# The derivatives by a and b, of any orders, as a function of its own


@in_double
def _by_parameters(a: Any, b: Any, x: Any, orders: tuple[int, int] = (1, 0)) -> Any:
    weight = np.exp(log_weight(a, b, x, 1.0 - x))
    y = weight * integral(a, b, x, 1.0 - x, orders=orders)
    y = np.where((x == 0) | (x == 1) | (weight == 0), 0.0, y)
    return np.where((a > 0) & (b > 0) & (x >= 0) & (x <= 1), y, np.nan)


def moments(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    """Return the derivative of the density of the beta distribution, by `a` and `b`, over the density itself."""

    def log_derivative(i: int, j: int) -> Any:
        if i and j:
            return polygamma(i + j - 1, a + b)
        one, other, z = (a, b, x) if i else (b, a, 1.0 - x)
        shift = polygamma_shift(i + j - 1, one, other)
        return shift if i + j > 1 else np.log(z) + shift

    found: Mapping[tuple[int, int], Any] = bell(*orders, log_derivative)
    return found[orders]


def _by_parameters_by_x(g: Any, y: Any, a: Any, b: Any, x: Any, orders: tuple[int, int] = (1, 0)) -> Any:
    density = beta_density(a, b, x)
    return g * np.where(density == 0, 0.0, density * moments(a, b, x, orders))


betainc_by_parameters_p = elementwise(
    "betainc_by_parameters",
    _by_parameters,
    lambda g, y, a, b, x, orders=(1, 0): g * betainc_by_parameters(a, b, x, (orders[0] + 1, orders[1])),
    lambda g, y, a, b, x, orders=(1, 0): g * betainc_by_parameters(a, b, x, (orders[0], orders[1] + 1)),
    _by_parameters_by_x,
    domain=DOMAIN,
    cases=(case(*INPUTS, orders=(1, 1)), case(*INPUTS, orders=(0, 2))),
)


def betainc_by_parameters(a: Any, b: Any, x: Any, orders: tuple[int, int]) -> Any:
    """Return the derivative of ``betainc(a, b, x)`` of the given orders by `a` and by `b`, at least one of which is not 0."""
    return apply(betainc_by_parameters_p, a, b, x, orders=orders)


betainc_p = elementwise(
    "betainc",
    scipy.special.betainc,
    lambda g, y, a, b, x: g * betainc_by_parameters(a, b, x, (1, 0)),
    lambda g, y, a, b, x: g * betainc_by_parameters(a, b, x, (0, 1)),
    lambda g, y, a, b, x: g * beta_density(a, b, x),
    domain=DOMAIN,
)
betaincc_p = elementwise(
    "betaincc",
    scipy.special.betaincc,
    lambda g, y, a, b, x: -g * betainc_by_parameters(a, b, x, (1, 0)),
    lambda g, y, a, b, x: -g * betainc_by_parameters(a, b, x, (0, 1)),
    lambda g, y, a, b, x: -g * beta_density(a, b, x),
    domain=DOMAIN,
)


# Inverses


def _inverse_by(g: Any, x: Any, a: Any, b: Any, orders: tuple[int, int]) -> Any:
    return -g * np.where((x == 0) | (x == 1), 0.0, betainc_by_parameters(a, b, x, orders) / beta_density(a, b, x))


betaincinv_p = elementwise(
    "betaincinv",
    scipy.special.betaincinv,
    lambda g, y, a, b, p: _inverse_by(g, y, a, b, (1, 0)),
    lambda g, y, a, b, p: _inverse_by(g, y, a, b, (0, 1)),
    lambda g, y, a, b, p: g / beta_density(a, b, y),
    domain=DOMAIN,
)
betainccinv_p = elementwise(
    "betainccinv",
    scipy.special.betainccinv,
    lambda g, y, a, b, p: _inverse_by(g, y, a, b, (1, 0)),
    lambda g, y, a, b, p: _inverse_by(g, y, a, b, (0, 1)),
    lambda g, y, a, b, p: -g / beta_density(a, b, y),
    domain=DOMAIN,
)


# Logarithms, which reach as far into the tails as their arguments do

FLOOR = math.log(np.finfo(np.float64).tiny)


@in_double
def _log_betainc(a: Any, b: Any, x: Any, upper: bool = False) -> Any:
    here, there = scipy.special.betainc(a, b, x), scipy.special.betaincc(a, b, x)
    here, there = (there, here) if upper else (here, there)
    log = np.asarray(np.where(there < 0.5, np.log1p(-there), np.log(here)))
    far = (log < FLOOR) & (a > 0) & (b > 0) & (x > 0) & (x < 1)
    if np.any(far):
        a, b, x = [np.broadcast_to(z, log.shape)[far] for z in (a, b, x)]
        y = 1.0 - x
        ratio = integral(b, a, y, x, orders=(0, 0)) if upper else integral(a, b, x, y, orders=(0, 0))
        log[far] = log_weight(a, b, x, y) + np.log(ratio)
    return log


def _log_by_x(y: Any, a: Any, b: Any, x: Any, upper: bool) -> Any:
    slope = np.exp(log_beta_density(a, b, x) - y)
    if type(y) is Var or np.any(y == 0):  # where it is all, the density may vanish, but not with all its derivatives
        slope = np.where(y == 0, beta_density(a, b, x) * np.exp(-y), slope)
    return -slope if upper else slope


log_betainc_p = elementwise(
    "log_betainc",
    _log_betainc,
    lambda g, y, a, b, x, upper=False: g * log_betainc_by_parameters(a, b, x, (1, 0), upper),
    lambda g, y, a, b, x, upper=False: g * log_betainc_by_parameters(a, b, x, (0, 1), upper),
    lambda g, y, a, b, x, upper=False: g * _log_by_x(y, a, b, x, upper),
    domain=DOMAIN,
    cases=(case(*INPUTS, upper=True),),
)
"""The logarithm of `betainc`, or of `betaincc` (`upper`)."""


def log_betainc(a: Any, b: Any, x: Any, upper: bool = False) -> Any:
    """Return the logarithm of ``betainc(a, b, x)``, or of ``betaincc(a, b, x)``."""
    return apply(log_betainc_p, a, b, x, upper=upper)


@in_double
def _log_by_parameters(a: Any, b: Any, x: Any, orders: tuple[int, int] = (1, 0), upper: bool = False) -> Any:
    weight = np.exp(log_weight(a, b, x, 1.0 - x) - _log_betainc(a, b, x, upper=upper))
    y = weight * integral(a, b, x, 1.0 - x, orders=orders)
    return np.where(weight == 0, 0.0, -y if upper else y)


def _log_by_another(k: int, g: Any, y: Any, a: Any, b: Any, x: Any, orders: tuple[int, int], upper: bool) -> Any:
    once = (1 - k, k)
    more = (orders[0] + once[0], orders[1] + once[1])
    first = log_betainc_by_parameters(a, b, x, once, upper)
    return g * (log_betainc_by_parameters(a, b, x, more, upper) - y * first)


def _log_by_parameters_by_x(
    g: Any, y: Any, a: Any, b: Any, x: Any, orders: tuple[int, int] = (1, 0), upper: bool = False
) -> Any:
    slope = _log_by_x(log_betainc(a, b, x, upper), a, b, x, upper)
    return g * np.where(slope == 0, 0.0, slope * (moments(a, b, x, orders) - y))


log_betainc_by_parameters_p = elementwise(
    "log_betainc_by_parameters",
    _log_by_parameters,
    lambda g, y, a, b, x, orders=(1, 0), upper=False: _log_by_another(0, g, y, a, b, x, orders, upper),
    lambda g, y, a, b, x, orders=(1, 0), upper=False: _log_by_another(1, g, y, a, b, x, orders, upper),
    _log_by_parameters_by_x,
    domain=DOMAIN,
    cases=(case(*INPUTS, orders=(0, 1), upper=True),),
)
"""A derivative of `betainc` by `a` and `b`, over `betainc`; or both of `betaincc` (`upper`)."""


def log_betainc_by_parameters(a: Any, b: Any, x: Any, orders: tuple[int, int], upper: bool) -> Any:
    """Return a derivative of ``betainc(a, b, x)``, or of ``betaincc(a, b, x)``, by `a` and `b` over the function itself."""
    return apply(log_betainc_by_parameters_p, a, b, x, orders=orders, upper=upper)
