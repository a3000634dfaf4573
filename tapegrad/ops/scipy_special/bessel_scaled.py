"""Bessel functions times an exponential, which keeps them from overflowing.

For large `x`, the terms of ``i0e' = i1e - i0e`` agree in more and more digits. There the slopes of `ive` and its like come from
asymptotic series, which take the longer to be exact the higher the order is.
"""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Primitive, case, missing
from tapegrad.core.var import apply
from tapegrad.errors import MissingRuleError
from tapegrad.ops.scipy_special.bessel import ORDERS, POSITIVE, WHOLE
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import in_double, weak

LARGE = 20.0


def _from(v: Any) -> Any:
    return np.maximum(LARGE, v * v)


def _series(v: Any, x: Any, order: int, sign: float) -> Any:
    """Return the derivative of ``sum(a[k] * (sign / x)**k) / sqrt(x)``, the asymptotic series of scaled Bessel functions.

    References:
        DLMF, https://dlmf.nist.gov/10.40.E1 and https://dlmf.nist.gov/10.40.E2
    """
    total, term = np.zeros_like(x), np.ones_like(x)
    for k in range(25):
        total = total + term * math.prod(-(k + 0.5 + n) for n in range(order))
        term = term * (sign * (4.0 * v * v - (2 * k + 1) ** 2) / (8.0 * (k + 1) * x))
    return total * x ** (-0.5 - order)


@in_double
def _ive_derivative(v: Any, x: Any, order: int = 1) -> Any:
    size, start = np.abs(x), _from(v)
    z = np.minimum(size, start)
    near = 0.0 * (v + z)
    for j in range(order + 1):
        for i in range(j + 1):
            count = math.comb(order, j) * math.comb(j, i) * (-1.0) ** (order - j) * 0.5**j
            near = near + count * scipy.special.ive(v - j + 2 * i, z)
    y = np.where(size > start, _series(v, np.maximum(size, start), order, -1.0) / math.sqrt(2.0 * math.pi), near)
    y = np.where((x < 0) & (v != np.round(v)), np.nan, y)
    return np.where((v + order) % 2 == 1, y * np.sign(x), y)


@in_double
def _kve_derivative(v: Any, x: Any, order: int = 1) -> Any:
    start = _from(v)
    z = np.minimum(x, start)
    near = 0.0 * (v + z)
    for j in range(order + 1):
        for i in range(j + 1):
            near = near + math.comb(order, j) * math.comb(j, i) * (-0.5) ** j * scipy.special.kve(v - j + 2 * i, z)
    return np.where(x > start, _series(v, np.maximum(x, start), order, 1.0) * math.sqrt(0.5 * math.pi), near)


ive_derivative_p = elementwise(
    "ive_derivative",
    _ive_derivative,
    missing("ive_derivative", 0),
    lambda g, y, v, x, order=1: g * ive_derivative(v, x, order + 1),
    domain=(ORDERS, POSITIVE),
    cases=(
        case(1, np.array([-30.0, -1.0, 0.5, 3.0, 30.0]), order=2),
        case(np.array([0.5, 6.0]), np.array([25.0, 40.0])),
    ),
)
kve_derivative_p = elementwise(
    "kve_derivative",
    _kve_derivative,
    missing("kve_derivative", 0),
    lambda g, y, v, x, order=1: g * kve_derivative(v, x, order + 1),
    domain=(ORDERS, POSITIVE),
    cases=(
        case(1, np.array([0.5, 3.0, 30.0]), order=2),
        case(np.array([0.5, 6.0]), np.array([25.0, 40.0])),
    ),
)


def ive_derivative(v: Any, x: Any, order: int = 1) -> Any:
    """Return the derivative of ``exp(-|x|) I(x)`` for the Bessel function I of real `x`, of order `v`."""
    return apply(ive_derivative_p, v, x, order=order)


def kve_derivative(v: Any, x: Any, order: int = 1) -> Any:
    """Return the derivative of ``exp(x) K(x)`` for the Bessel function K of real `x`, of order `v`."""
    return apply(kve_derivative_p, v, x, order=order)


i0e_p = elementwise("i0e", scipy.special.i0e, lambda g, y, x: g * ive_derivative(0, x), domain=POSITIVE)
i1e_p = elementwise("i1e", scipy.special.i1e, lambda g, y, x: g * ive_derivative(1, x), domain=POSITIVE)
k0e_p = elementwise("k0e", scipy.special.k0e, lambda g, y, x: g * kve_derivative(0, x), domain=POSITIVE)
k1e_p = elementwise("k1e", scipy.special.k1e, lambda g, y, x: g * kve_derivative(1, x), domain=POSITIVE)


# Of any order


def _real(name: str, x: Any) -> None:
    """Raise for a complex argument, of which only the size of one part is scaled away: no complex derivative exists."""
    if dtype_of(x).kind == "c":
        raise MissingRuleError(
            f"the operation '{name}' has a derivative for real arguments only, because its factor is not holomorphic. "
            f"Write the factor down yourself, times '{name[:-1]}'."
        )


def _ive_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    _real("ive", x)
    return g * ive_derivative(v, x)


def _jve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    _real("jve", x)
    return g * (0.5 * (apply(jve_p, v - 1, x) - apply(jve_p, v + 1, x)))


def _yve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    _real("yve", x)
    return g * (0.5 * (apply(yve_p, v - 1, x) - apply(yve_p, v + 1, x)))


def _kve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    if dtype_of(x).kind != "c":
        return g * kve_derivative(v, x)
    return g * (y - 0.5 * (apply(kve_p, v - 1, x) + apply(kve_p, v + 1, x)))


def _scaled(name: str, function: np.ufunc, slope: Any) -> Primitive:
    return elementwise(
        name,
        weak(function),
        missing(name, 0),
        slope,
        domain=(ORDERS, POSITIVE),
        stands_for=function,
        cases=WHOLE,
    )


ive_p = _scaled("ive", scipy.special.ive, _ive_by_x)
jve_p = _scaled("jve", scipy.special.jve, _jve_by_x)
yve_p = _scaled("yve", scipy.special.yve, _yve_by_x)
kve_p = _scaled("kve", scipy.special.kve, _kve_by_x)
