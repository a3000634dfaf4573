"""Powers and roots."""

import math
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.families import elementwise
from tapegrad.core.kinds import BOOLEAN
from tapegrad.core.var import Var, apply
from tapegrad.ops.arithmetic import PYTHON, ordinary
from tapegrad.ops.quotient import per, quotient, times


def _power(a: Any, b: Any) -> Any:
    if type(a) in PYTHON and type(b) in PYTHON:
        if type(a) is int and type(b) is int and b >= 0:
            return a**b  # an integer
        if type(a) is float and a > 0.0 and type(b) is not complex:
            try:
                return a**b  # in a tenth of the time
            except OverflowError:  # where NumPy says infinity
                pass
        return np.power(a, float(b) if type(b) is int else b).item()
    return a**b


def _power_by_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    kind = type(b)
    if kind is Var and b.dtype.kind in "fc":  # its derivative at exponent 0 matters too: mask as little as can be
        return g * (b * np.power(a, np.where((a == 0) & (b == 0), 1, b - 1)))
    if kind is Var or kind is np.ndarray:  # unsigned integers have no 0 - 1
        return g * (b * np.power(a, np.where(b == 0, 0, b - 1)))
    if b == 2:
        return 2.0 * times(g, a) if type(g) is Var else g * (a + a)
    if b == 1:
        return g
    if b == 0:
        return np.zeros(shape_of(g), dtype_of(g))
    return g * (b * (a if type(a) is not float else np.float64(a)) ** (b - 1))


def _power_by_base_quickly(g: Any, y: Any, a: Any, b: Any) -> Any:
    if (type(b) is np.ndarray or b not in CHEAP) and ordinary(y):
        return g * (b * (y / a))
    return _power_by_base(g, y, a, b)


CHEAP = (0, 0.5, 1, 1.5, 2, 3)
"""Exponents for which NumPy computes ``a ** (b - 1)`` without a logarithm."""


def _power_by_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    if type(a) in (int, float) and a > 0:
        return g * (y * math.log(a))
    if dtype_of(y).kind == "c" and dtype_of(a).kind != "c":
        a = a + 0j
    elif dtype_of(a).kind in "biu":  # logarithms of small integers have half precision
        a = a * dtype_of(y).type(1)
    return g * (y * np.log(np.where((a == 0) & (b >= 0), 1, a)))


power_p = elementwise(
    "power",
    _power,
    _power_by_base,
    _power_by_exponent,
    fast=(_power_by_base_quickly, _power_by_exponent),
    domain=((0.3, 2.0), (-2.0, 2.0)),
    stands_for=np.power,
)
float_power_p = elementwise(
    "float_power",
    np.float_power,
    _power_by_base,
    _power_by_exponent,
    fast=(_power_by_base_quickly, _power_by_exponent),
    domain=((0.3, 2.0), (-2.0, 2.0)),
)


def _square(x: Any) -> Any:
    return np.square(x) if getattr(x, "dtype", None) is BOOLEAN else x * x


square_p = elementwise(
    "square", _square, lambda g, y, x: 2.0 * times(g, x), fast=(lambda g, y, x: g * (x + x),), stands_for=np.square
)
sqrt_p = elementwise("sqrt", np.sqrt, lambda g, y, x: 0.5 * g / y, domain=(0.2, 3.0))
cbrt_p = elementwise("cbrt", np.cbrt, lambda g, y, x: g / (3.0 * (y * y)), domain=(0.2, 3.0))


def _leg(a: Any, b: Any) -> Any:
    y = np.hypot(a, b)
    return np.where(np.isinf(a), np.copysign(np.sign(y), a), per(a, y))  # not np.sign(a), which widens a Python number


def _leg_quickly(a: Any, b: Any) -> Any:
    y = np.hypot(a, b)
    return a / y if ordinary(y) else _leg(a, b)


def _leg_slope(g: Any, a: Any, b: Any) -> Any:
    v = leg(b, a)
    return g * (per(v, np.hypot(a, b)) * v)


def _leg_slope_quickly(g: Any, y: Any, a: Any, b: Any) -> Any:
    radius = np.hypot(a, b)
    v = b / radius
    return g * (v / radius * v)


leg_p = elementwise(
    "leg",
    _leg_quickly,
    lambda g, y, a, b: _leg_slope(g, a, b),  # that of the quotient is ``1/y - a*a/y**3``, which is lost where `b` is small
    lambda g, y, a, b: -g * per(y * leg(b, a), np.hypot(a, b)),
    fast=(_leg_slope_quickly, lambda g, y, a, b: g * (-y * (b / (radius := np.hypot(a, b))) / radius)),
    domain=((0.3, 2.0), (0.3, 2.0)),
    expand=_leg,
)


def leg(a: Any, b: Any) -> Any:
    """Return ``a / hypot(a, b)``, but 0 where both are; as one operation where it is recorded, that `times` sees."""
    return apply(leg_p, a, b)


def _hypot_slope(g: Any, y: Any, a: Any, b: Any) -> Any:
    h = quotient(g, y)
    if h is not None:
        return h * a
    if type(a) is Var or type(b) is Var:  # `times` sees what a square makes of it
        return g * leg(a, b)
    return np.where(y == 0, 0.0, g * np.where(np.isinf(a), np.sign(a), a / y))


hypot_p = elementwise(
    "hypot",
    np.hypot,
    lambda g, y, a, b: _hypot_slope(g, y, a, b),
    lambda g, y, a, b: _hypot_slope(g, y, b, a),
    fast=(lambda g, y, a, b: g * (a / y), lambda g, y, a, b: g * (b / y)),  # NaN at (0, 0) calls for the careful ones
    domain=((0.3, 2.0), (0.3, 2.0)),
)
