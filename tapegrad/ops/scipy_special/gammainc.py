"""Incomplete gamma functions, with derivatives in both arguments, and their inverses and logarithms."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case
from tapegrad.core.var import Var, apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma
from tapegrad.ops.scipy_special.gamma_density import gamma_density, log_gamma_density, log_minus_digamma, log_weight
from tapegrad.ops.scipy_special.gamma_integral import far_tail, integral
from tapegrad.ops.scipy_special.precision import bell, in_double, weak

# The derivative by a, of any order, as a function of its own


@in_double
def _by_a(a: Any, x: Any, order: int = 1) -> Any:
    weight = np.exp(log_weight(a, x))
    y = weight * integral(a, x, order=order)
    y = np.where((x == 0) & (a > 0) | (weight == 0) | np.isposinf(x), 0.0, y)
    return np.where((a < 0) | (x < 0) | np.isnan(a + x), np.nan, y)


def _by_a_by_x(g: Any, y: Any, a: Any, x: Any, order: int = 1) -> Any:
    log = log_minus_digamma(a, x)
    moments = bell(order, 0, lambda i, j: log if i == 1 else -polygamma(i - 1, a))
    density = gamma_density(a, x)
    return g * np.where(density == 0, 0.0, density * moments[order, 0])


gammainc_by_a_p = elementwise(
    "gammainc_by_a",
    _by_a,
    lambda g, y, a, x, order=1: g * gammainc_by_a(a, x, order + 1),
    _by_a_by_x,
    domain=((0.5, 3.0), (0.5, 3.0)),
    cases=(case(np.array([0.1, 2.0, 30.0, 5.0]), np.array([0.3, 1.0, 28.0, 8.0]), order=2),),
)


def gammainc_by_a(a: Any, x: Any, order: int = 1) -> Any:
    """Return the derivative of ``gammainc(a, x)`` by `a`, of an order of at least 1."""
    return apply(gammainc_by_a_p, a, x, order=order)


gammainc_p = elementwise(
    "gammainc",
    weak(scipy.special.gammainc),
    lambda g, y, a, x: g * gammainc_by_a(a, x),
    lambda g, y, a, x: g * gamma_density(a, x),
    domain=((0.5, 3.0), (0.5, 3.0)),
    stands_for=scipy.special.gammainc,
)
gammaincc_p = elementwise(
    "gammaincc",
    weak(scipy.special.gammaincc),
    lambda g, y, a, x: -g * gammainc_by_a(a, x),
    lambda g, y, a, x: -g * gamma_density(a, x),
    domain=((0.5, 3.0), (0.5, 3.0)),
    stands_for=scipy.special.gammaincc,
)


# Inverses


def _inverse_by_a(g: Any, y: Any, a: Any, p: Any) -> Any:
    return -g * np.where(y == 0, 0.0, gammainc_by_a(a, y) / gamma_density(a, y))


gammaincinv_p = elementwise(
    "gammaincinv",
    weak(scipy.special.gammaincinv),
    _inverse_by_a,
    lambda g, y, a, p: g / gamma_density(a, y),
    domain=((0.5, 3.0), (0.1, 0.9)),
    stands_for=scipy.special.gammaincinv,
)
gammainccinv_p = elementwise(
    "gammainccinv",
    weak(scipy.special.gammainccinv),
    _inverse_by_a,
    lambda g, y, a, p: -g / gamma_density(a, y),
    domain=((0.5, 3.0), (0.1, 0.9)),
    stands_for=scipy.special.gammainccinv,
)


# Logarithms, which reach as far into the tails as their arguments do

FLOOR = math.log(np.finfo(np.float64).tiny)


@in_double
def _log_gammainc(a: Any, x: Any, upper: bool = False) -> Any:
    here, there = scipy.special.gammainc(a, x), scipy.special.gammaincc(a, x)
    here, there = (there, here) if upper else (here, there)
    y = np.asarray(np.where(there < 0.5, np.log1p(-there), np.log(here)))
    far = (y < FLOOR) & (a > 0) & (x > 0) & np.isfinite(x)
    if np.any(far):
        a, x = np.broadcast_to(a, y.shape)[far], np.broadcast_to(x, y.shape)[far]
        y[far] = log_weight(a, x) + np.log(far_tail(a, x, upper=upper))
    return y


def _log_by_x(a: Any, x: Any, y: Any, upper: bool) -> Any:
    slope = np.exp(log_gamma_density(a, x) - y)
    if type(y) is Var or np.any(y == 0):  # where it is all, the density may vanish, but not with all its derivatives
        slope = np.where(y == 0, gamma_density(a, x) * np.exp(-y), slope)
    return -slope if upper else slope


log_gammainc_p = elementwise(
    "log_gammainc",
    _log_gammainc,
    lambda g, y, a, x, upper=False: g * log_gammainc_by_a(a, x, 1, upper),
    lambda g, y, a, x, upper=False: g * _log_by_x(a, x, y, upper),
    domain=((0.5, 3.0), (0.5, 3.0)),
    cases=(case(np.array([0.3, 2.0, 20.0]), np.array([1.0, 5.0, 2.0]), upper=True),),
)
"""The logarithm of `gammainc`, or of `gammaincc` (`upper`)."""


def log_gammainc(a: Any, x: Any, upper: bool = False) -> Any:
    """Return the logarithm of ``gammainc(a, x)``, or of ``gammaincc(a, x)``."""
    return apply(log_gammainc_p, a, x, upper=upper)


@in_double
def _log_by_a(a: Any, x: Any, order: int = 1, upper: bool = False) -> Any:
    weight = np.exp(log_weight(a, x) - _log_gammainc(a, x, upper=upper))
    y = weight * integral(a, x, order=order)
    return np.where((weight == 0) | (np.isposinf(x) & (not upper)), 0.0, -y if upper else y)


def _log_by_a_by_x(g: Any, y: Any, a: Any, x: Any, order: int = 1, upper: bool = False) -> Any:
    log = log_minus_digamma(a, x)
    moments = bell(order, 0, lambda i, j: log if i == 1 else -polygamma(i - 1, a))
    slope = _log_by_x(a, x, log_gammainc(a, x, upper), upper)
    return g * np.where(slope == 0, 0.0, slope * (moments[order, 0] - y))


log_gammainc_by_a_p = elementwise(
    "log_gammainc_by_a",
    _log_by_a,
    lambda g, y, a, x, order=1, upper=False: (
        g * (log_gammainc_by_a(a, x, order + 1, upper) - y * log_gammainc_by_a(a, x, 1, upper))
    ),
    _log_by_a_by_x,
    domain=((0.5, 3.0), (0.5, 3.0)),
    cases=(case(np.array([0.3, 2.0, 20.0]), np.array([1.0, 5.0, 2.0]), order=2, upper=True),),
)
"""The derivative of `gammainc` by `a`, over `gammainc`; or both of `gammaincc` (`upper`)."""


def log_gammainc_by_a(a: Any, x: Any, order: int, upper: bool) -> Any:
    """Return the derivative of ``gammainc(a, x)``, or of ``gammaincc(a, x)``, by `a` over the function itself."""
    return apply(log_gammainc_by_a_p, a, x, order=order, upper=upper)
