"""Integrals of ``exp(t) / t``, of ``sin(t) / t`` and the like."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Primitive, case, missing
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.exponential import exprel_derivative
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import cospi, sinpi
from tapegrad.ops.scipy_special.precision import in_double, weak


def _expn_by_x(g: Any, y: Any, n: Any, x: Any) -> Any:
    first = np.exp(-x) * (1.0 + 1.0 / x) / x  # of order -1
    return -g * np.where(n == 0, first, apply(expn_p, abs(n - 1), x))


expn_p: Primitive = elementwise(
    "expn",
    weak(scipy.special.expn),
    missing("expn", 0),
    _expn_by_x,
    stands_for=scipy.special.expn,
    domain=((0.0, 1.0), (0.2, 3.0)),
    cases=(case(2, np.array([0.3, 1.0, 2.0])), case(np.array([[0], [1], [3]]), np.array([0.3, 1.0]))),
)
exp1_p = elementwise("exp1", scipy.special.exp1, lambda g, y, x: -g * (np.exp(-x) / x), domain=(0.2, 3.0))


def _exp_over(x: Any) -> Any:
    """``exp(x) / x``, finite where the exponential alone is not any more."""
    root = np.exp(0.5 * x)
    return root / x * root


expi_p = elementwise("expi", scipy.special.expi, lambda g, y, x: g * _exp_over(x), domain=(0.2, 3.0))


# The sine and cosine integrals, whose slope sin(x) / x is 1 at 0


@in_double
def _sinhc(x: Any, order: int = 0) -> Any:
    """The derivative of ``sinh(x) / x`` of the given order: the mean of those of ``exprel(x)`` and ``exprel(-x)``."""
    if order == 0:
        return 0.5 * (scipy.special.exprel(x) + scipy.special.exprel(-x))
    near = np.abs(x) < 1.0 + order  # where the two are of nearly equal size
    z = np.where(near, x, 0.0)
    square, first = z * z, (order + 1) // 2
    series = 0.0 * z
    for k in range(first + 9 + order, first - 1, -1):
        series = series * square + 1.0 / ((2 * k + 1) * math.factorial(2 * k - order))
    if order % 2:
        series = series * z
    z = np.where(near, 20.0, x)
    return np.where(near, series, 0.5 * (exprel_derivative(z, order) + (-1.0) ** order * exprel_derivative(-z, order)))


sinhc_p: Primitive = elementwise(
    "sinhc",
    _sinhc,
    lambda g, y, x, order=0: g * apply(sinhc_p, x, order=order + 1),
    cases=(case((3,)), case(np.array([-9.0, -0.3, 0.0, 0.5, 3.0]), order=1), case((3,), order=2)),
)


def _sinhc_anywhere(x: Any) -> Any:
    return np.sinc(1j * x / math.pi) if dtype_of(x).kind == "c" else apply(sinhc_p, x)


sine_integral_p = elementwise("sine_integral", lambda x: scipy.special.sici(x)[0], lambda g, y, x: g * np.sinc(x / math.pi))
cosine_integral_p = elementwise(
    "cosine_integral", lambda x: scipy.special.sici(x)[1], lambda g, y, x: g * (np.cos(x) / x), domain=(0.2, 3.0)
)
hyperbolic_sine_integral_p = elementwise(
    "hyperbolic_sine_integral", lambda x: scipy.special.shichi(x)[0], lambda g, y, x: g * _sinhc_anywhere(x)
)
hyperbolic_cosine_integral_p = elementwise(
    "hyperbolic_cosine_integral",
    lambda x: scipy.special.shichi(x)[1],
    lambda g, y, x: g * (np.cosh(x) / x),
    domain=(0.2, 3.0),
)

# Fresnel's integrals

fresnel_sine_p = elementwise("fresnel_sine", lambda x: scipy.special.fresnel(x)[0], lambda g, y, x: g * sinpi(0.5 * x * x))
fresnel_cosine_p = elementwise("fresnel_cosine", lambda x: scipy.special.fresnel(x)[1], lambda g, y, x: g * cospi(0.5 * x * x))
