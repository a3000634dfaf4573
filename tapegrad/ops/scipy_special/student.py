"""Student's t distribution: its integral `stdtr`, with derivatives also by the degrees of freedom, and the inverse `stdtrit`.

With ``z = df / (df + t**2)``, the tail to the left of a negative `t` is ``betainc(df / 2, 1 / 2, z) / 2``. Both `z` and
``1 - z`` are known to rounding here, and not where `betainc` is given `z` alone.
"""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.beta_density import log_beta, log_weight
from tapegrad.ops.scipy_special.beta_integral import integral
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma_shift
from tapegrad.ops.scipy_special.precision import LOG_2PI, bell, in_double, weak
from tapegrad.ops.scipy_special.precision import polygamma_shift as plain_shift

DOMAIN = ((0.5, 5.0), (-2.0, 2.0))

log_beta_p = elementwise(
    "log_beta",
    in_double(log_beta),
    lambda g, y, a, b: -g * polygamma_shift(0, a, b),
    lambda g, y, a, b: -g * polygamma_shift(0, b, a),
    domain=((0.5, 3.0), (0.5, 3.0)),
)
"""The logarithm of the beta function of positive arguments, accurate where one is large."""


def log_density(df: Any, t: Any) -> Any:
    """Return the logarithm of the density."""
    return -apply(log_beta_p, 0.5 * df, 0.5) - 0.5 * np.log(df) - 0.5 * (df + 1.0) * np.log1p(t * t / df)


def density(df: Any, t: Any) -> Any:
    """Return the density, which for infinite `df` is that of the normal distribution."""
    return np.exp(np.where(np.isinf(df), -0.5 * t * t - 0.5 * LOG_2PI, log_density(df, t)))


def _log_density_by_df(df: Any, t: Any, order: int) -> Any:
    """Return the derivative of the logarithm of the density by `df`."""
    square = t * t / df
    share = 1.0 / (1.0 + square)
    if order == 1:
        constant = polygamma_shift(0, 0.5 * df, 0.5) - 1.0 / df
        return 0.5 * (constant - np.log1p(square) + (1.0 + 1.0 / df) * (square * share))
    sign = float((-1) ** order)
    last = sign * math.factorial(order - 2) * df ** (1 - order)
    powers = 1.0 + (order - 1.0) * (1.0 + 1.0 / df) * share**order - order * share ** (order - 1)
    return 0.5**order * polygamma_shift(order - 1, 0.5 * df, 0.5) + 0.5 * last * powers


@in_double
def _by_df(df: Any, t: Any, order: int = 1) -> Any:
    total = df + t * t
    z, rest = df / total, t * t / total
    a, b = 0.5 * df, 0.5
    weight = np.exp(log_weight(a, b, z, rest))
    tail = 0.5**order * integral(a, b, z, rest, orders=(order, 0)) + _by_argument(df, total, z, rest, order)
    y = np.where((t == 0) | (weight == 0) | np.isinf(df), 0.0, -0.5 * np.sign(t) * weight * tail)
    return np.where((df > 0) & (t == t), y, np.nan)


def _by_argument(df: Any, total: Any, z: Any, rest: Any, order: int) -> Any:
    """Return what the derivatives by `z`, which depends on `df`, contribute to the derivative of ``betainc(df / 2, 1 / 2, z)``.

    It is written over the weight ``w = z**a (1 - z)**b / beta(a, b)``. Since ``dz / d(df)`` times the density is ``w / df``,
    each derivative of the integral adds one of ``w / df``, a function of a and df.
    """
    a, b = 0.5 * df, 0.5

    def log_derivative(i: int, j: int) -> Any:
        if j == 0:
            shift = plain_shift(i - 1, a, b)
            return shift if i > 1 else np.where(z < 0.5, np.log(z), np.log1p(-rest)) + shift
        if i > 1:
            return 0.0
        sign = (-1.0) ** (j - 1) * math.factorial(j - 1)
        apart = sign * (df**-j - total**-j)
        return apart if i else a * apart - sign * (b * total**-j + df**-j)

    moments = bell(order - 1, order - 1, log_derivative)
    found = 0.0
    for k in range(order):
        for j in range(order - k):
            found = found + math.comb(order - 1 - k, j) * 0.5 ** (k + j) * moments[k + j, order - 1 - k - j]
    return found / df


def _by_df_by_t(g: Any, y: Any, df: Any, t: Any, order: int = 1) -> Any:
    moments = bell(order, 0, lambda i, j: _log_density_by_df(df, t, i))
    slope = density(df, t)
    return g * np.where((slope == 0) | np.isinf(df), 0.0, slope * moments[order, 0])


stdtr_by_df_p = elementwise(
    "stdtr_by_df",
    _by_df,
    lambda g, y, df, t, order=1: g * stdtr_by_df(df, t, order + 1),
    _by_df_by_t,
    domain=DOMAIN,
)
"""A derivative of `stdtr` by the degrees of freedom."""


def stdtr_by_df(df: Any, t: Any, order: int = 1) -> Any:
    """Return the derivative of ``stdtr(df, t)`` by `df`, of an order of at least 1."""
    return apply(stdtr_by_df_p, df, t, order=order)


stdtr_p = elementwise(
    "stdtr",
    weak(scipy.special.stdtr),
    lambda g, y, df, t: g * stdtr_by_df(df, t),
    lambda g, y, df, t: g * density(df, t),
    domain=DOMAIN,
    stands_for=scipy.special.stdtr,
)
stdtrit_p = elementwise(
    "stdtrit",
    weak(scipy.special.stdtrit),
    lambda g, t, df, p: -g * stdtr_by_df(df, t) / density(df, t),
    lambda g, t, df, p: g / density(df, t),
    domain=((0.8, 5.0), (0.1, 0.9)),
    stands_for=scipy.special.stdtrit,
)
