"""Bessel functions times an exponential, which keeps them from overflowing.

For large `x`, the terms of ``i0e' = i1e - i0e`` agree in more and more digits. There the slopes of `i0e` and its like come from
asymptotic series.
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


def _series(v: int, x: Any, order: int, sign: float) -> Any:
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
def _ive_derivative(x: Any, v: int = 0, order: int = 1) -> Any:
    size = np.abs(x)
    z = np.minimum(size, LARGE)
    near = 0.0 * z
    for j in range(order + 1):
        for i in range(j + 1):
            count = math.comb(order, j) * math.comb(j, i) * (-1.0) ** (order - j) * 0.5**j
            near = near + count * scipy.special.ive(v - j + 2 * i, z)
    y = np.where(size > LARGE, _series(v, np.maximum(size, LARGE), order, -1.0) / math.sqrt(2.0 * math.pi), near)
    return y * np.sign(x) if (v + order) % 2 else y


@in_double
def _kve_derivative(x: Any, v: int = 0, order: int = 1) -> Any:
    z = np.minimum(x, LARGE)
    near = 0.0 * z
    for j in range(order + 1):
        for i in range(j + 1):
            near = near + math.comb(order, j) * math.comb(j, i) * (-0.5) ** j * scipy.special.kve(v - j + 2 * i, z)
    return np.where(x > LARGE, _series(v, np.maximum(x, LARGE), order, 1.0) * math.sqrt(0.5 * math.pi), near)


ive_derivative_p = elementwise(
    "ive_derivative",
    _ive_derivative,
    lambda g, y, x, v=0, order=1: g * ive_derivative(x, v, order + 1),
    domain=POSITIVE,
    cases=(case(np.array([-30.0, -1.0, 0.5, 3.0, 30.0]), v=1, order=2),),
)
kve_derivative_p = elementwise(
    "kve_derivative",
    _kve_derivative,
    lambda g, y, x, v=0, order=1: g * kve_derivative(x, v, order + 1),
    domain=POSITIVE,
    cases=(case(np.array([0.5, 3.0, 30.0]), v=1, order=2),),
)


def ive_derivative(x: Any, v: int, order: int = 1) -> Any:
    """Return the derivative of ``exp(-|x|) I(x)`` for the Bessel function I of a whole order `v`."""
    return apply(ive_derivative_p, x, v=v, order=order)


def kve_derivative(x: Any, v: int, order: int = 1) -> Any:
    """Return the derivative of ``exp(x) K(x)`` for the Bessel function K of a whole order `v`."""
    return apply(kve_derivative_p, x, v=v, order=order)


i0e_p = elementwise("i0e", scipy.special.i0e, lambda g, y, x: g * ive_derivative(x, 0), domain=POSITIVE)
i1e_p = elementwise("i1e", scipy.special.i1e, lambda g, y, x: g * ive_derivative(x, 1), domain=POSITIVE)
k0e_p = elementwise("k0e", scipy.special.k0e, lambda g, y, x: g * kve_derivative(x, 0), domain=POSITIVE)
k1e_p = elementwise("k1e", scipy.special.k1e, lambda g, y, x: g * kve_derivative(x, 1), domain=POSITIVE)


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
    return g * (0.5 * (apply(ive_p, v - 1, x) + apply(ive_p, v + 1, x)) - np.sign(x) * y)


def _jve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    _real("jve", x)
    return g * (0.5 * (apply(jve_p, v - 1, x) - apply(jve_p, v + 1, x)))


def _yve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
    _real("yve", x)
    return g * (0.5 * (apply(yve_p, v - 1, x) - apply(yve_p, v + 1, x)))


def _kve_by_x(g: Any, y: Any, v: Any, x: Any) -> Any:
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
