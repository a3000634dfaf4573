"""The gamma function, its logarithm, and the derivatives of that."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import constant
from tapegrad.core.primitive import case, missing
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import (
    BERNOULLI,
    cotangent_derivative,
    in_double,
    in_double_or_complex,
    polynomial,
)
from tapegrad.ops.scipy_special.precision import polygamma as plain_polygamma
from tapegrad.ops.scipy_special.precision import polygamma_shift as plain_shift

# Digamma and its derivatives


def _polygamma(n: Any, x: Any) -> Any:
    kind = dtype_of(x).kind
    if isinstance(n, int):
        return _complex_polygamma(n, x) if kind == "c" else plain_polygamma(n, x)
    return np.asarray(scipy.special.polygamma(n, x), np.result_type(x) if kind == "f" else np.float64)[()]


def _complex_polygamma(n: int, z: Any) -> Any:
    """Return the derivative of order `n` of `digamma` on complex numbers, which SciPy has not.

    References:
        DLMF, https://dlmf.nist.gov/5.15.E5 (recurrence), 5.15.E6 (reflection) and 5.15.E8 (asymptotic series)
    """
    if n == 0:
        return scipy.special.digamma(z)
    left = np.real(z) < 0.5
    x = np.where(left, 1.0 - z, z)
    sign = float((-1) ** (n + 1))
    total = 0.0 * x
    for _ in range(15):
        total = total + x ** (-n - 1)
        x = x + 1.0
    total = sign * math.factorial(n) * (total + 0.5 * x ** (-n - 1)) + sign * math.factorial(n - 1) * x**-n
    for j, b in enumerate(BERNOULLI):
        k = 2 * j + 2
        total = total + sign * b * math.factorial(k + n - 1) / math.factorial(k) * x ** (-k - n)
    turns = math.pi * (z - np.round(np.real(z)))
    cotangent = polynomial(cotangent_derivative(n), np.cos(turns) / np.sin(turns))
    return np.asarray(np.where(left, (-1) ** n * total - cotangent, total), z.dtype if hasattr(z, "dtype") else complex)[()]


polygamma_p = elementwise(
    "polygamma",
    _polygamma,
    missing("polygamma", 0),
    lambda g, y, n, x: g * polygamma(n + 1, x),
    domain=((0.0, 1.0), (0.5, 3.0)),
    cases=(
        case(1, np.array([0.3, 1.0, 4.0])),
        case(np.array([[0], [1], [2]]), np.array([0.7, 2.5, -0.4])),
    ),
)


def polygamma(n: Any, x: Any) -> Any:
    """Return the derivative of order `n` of `digamma`."""
    return apply(polygamma_p, n, x)


digamma_p = elementwise("digamma", scipy.special.digamma, lambda g, y, x: g * polygamma(1, x), domain=(0.5, 3.0))


polygamma_shift_p = elementwise(
    "polygamma_shift",
    in_double(lambda x, step, order=0: plain_shift(order, x, step)),
    lambda g, y, x, step, order=0: g * polygamma_shift(order + 1, x, step),
    lambda g, y, x, step, order=0: g * polygamma(order + 1, x + step),
    domain=((0.5, 3.0), (-0.3, 2.0)),
    cases=(
        case(np.array([0.5, 2.0, 20.0]), np.array([1e-2, 3.0, 0.5]), order=0),
        case(np.array([0.5, 2.0, 20.0]), np.array([1e-2, 3.0, 0.5]), order=1),
    ),
)
"""``polygamma(order, x + step) - polygamma(order, x)``, without cancellation where the two are nearly equal."""


def polygamma_shift(order: int, x: Any, step: Any) -> Any:
    """Return ``polygamma(order, x + step) - polygamma(order, x)``."""
    return apply(polygamma_shift_p, x, step, order=order)


# Gamma functions

gamma_p = elementwise("gamma", scipy.special.gamma, lambda g, y, x: g * (y * scipy.special.digamma(x)), domain=(0.5, 3.0))
gammaln_p = elementwise("gammaln", scipy.special.gammaln, lambda g, y, x: g * scipy.special.digamma(x), domain=(0.5, 3.0))
loggamma_p = elementwise("loggamma", scipy.special.loggamma, lambda g, y, x: g * scipy.special.digamma(x), domain=(0.5, 3.0))
gammasgn_p = constant("gammasgn", scipy.special.gammasgn)


# The reciprocal vanishes at the poles of gamma. There its derivative comes from 1 / gamma(x) = gamma(1 - x) sin(pi x) / pi


def _sinpi(x: Any) -> Any:
    turns = x - 2.0 * np.round(0.5 * np.real(x))
    mirrored = np.sign(np.real(turns)) - turns  # so that the sine is exactly 0 at whole numbers
    return np.sin(math.pi * np.where(np.abs(np.real(turns)) > 0.5, mirrored, turns))


def _cospi(x: Any) -> Any:
    turns = x - 2.0 * np.round(0.5 * np.real(x))
    return _sinpi(np.where(np.real(turns) < 0, 0.5 + turns, 0.5 - turns))


sinpi_p = elementwise("sinpi", in_double_or_complex(_sinpi), lambda g, y, x: g * (math.pi * cospi(x)))
cospi_p = elementwise("cospi", in_double_or_complex(_cospi), lambda g, y, x: -g * (math.pi * sinpi(x)))


def sinpi(x: Any) -> Any:
    """Return ``sin(pi x)``, exactly 0 at integers."""
    return apply(sinpi_p, x)


def cospi(x: Any) -> Any:
    """Return ``cos(pi x)``, exactly 0 between integers."""
    return apply(cospi_p, x)


def rgamma_slope(y: Any, x: Any) -> Any:
    """Return the derivative of ``1 / gamma(x)``, whose value is `y`."""
    right = -y * scipy.special.digamma(x)
    mirror = 1.0 - x
    left = scipy.special.gamma(mirror) * (cospi(x) - scipy.special.digamma(mirror) * sinpi(x) / math.pi)
    return np.where(np.real(x) < 0.5, left, right)


rgamma_p = elementwise("rgamma", scipy.special.rgamma, lambda g, y, x: g * rgamma_slope(y, x), domain=(-1.5, 3.0))
