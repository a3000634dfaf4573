"""Exponentials and logarithms without cancellation."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import UFUNCS, case
from tapegrad.core.var import apply
from tapegrad.ops.exponentials import exp2_p, expm1_p, log1p_p
from tapegrad.ops.powers import cbrt_p
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import in_double, in_double_or_complex

# SciPy's own versions of functions that NumPy has as well

UFUNCS[scipy.special.exp2] = exp2_p
UFUNCS[scipy.special.expm1] = expm1_p
UFUNCS[scipy.special.log1p] = log1p_p
UFUNCS[scipy.special.cbrt] = cbrt_p

LN10 = math.log(10.0)

exp10_p = elementwise("exp10", scipy.special.exp10, lambda g, y, x: g * (LN10 * y))
cosm1_p = elementwise("cosm1", scipy.special.cosm1, lambda g, y, x: -g * np.sin(x))
powm1_p = elementwise(
    "powm1",
    scipy.special.powm1,
    lambda g, y, a, b: g * (b * np.power(a, np.where(b == 0, 1.0, b - 1.0))),
    lambda g, y, a, b: g * (np.power(a, b) * np.log(np.where((a == 0) & (b > 0), 1.0, a))),
    domain=((0.3, 2.0), (-2.0, 2.0)),
)


# exprel(x) = expm1(x) / x is the mean of exp(t x) over t from 0 to 1; its derivatives are the means of t**n exp(t x)


@in_double
def _exprel_derivative(x: Any, order: int = 1) -> Any:
    far = np.abs(x) > 10.0 + order
    return np.where(far, _exprel_far(np.where(far, x, 20.0), order), _exprel_near(np.where(far, 0.0, x), order))


def _exprel_near(x: Any, order: int) -> Any:
    """Return the derivative by series of positive terms."""
    size = np.abs(x)
    rising, falling, term = 0.0 * x, 1.0 + 0.0 * x, 1.0 + 0.0 * x
    for k in range(60):
        rising = rising + term / (order + 1.0 + k)
        term = term * size / (k + 1.0)
    for k in range(60, 0, -1):
        falling = 1.0 + falling * size / (order + 1.0 + k)
    return np.where(x < 0, np.exp(x) * falling / (order + 1.0), rising)


def _exprel_far(x: Any, order: int) -> Any:
    """Return the derivative by recurrence in the order, which is stable for large `x`."""
    half = np.exp(0.5 * x)  # exp(x) may be infinite where exp(x) / x is not
    y = scipy.special.exprel(x)
    for n in range(1, order + 1):
        y = half * (half / x) - n * (y / x)
    return np.where(np.isposinf(x), np.inf, y)


exprel_derivative_p = elementwise(
    "exprel_derivative",
    _exprel_derivative,
    lambda g, y, x, order=1: g * exprel_derivative(x, order + 1),
    cases=(case(np.array([-20.0, -1.0, 0.0, 1.0, 20.0]), order=2),),
)


def exprel_derivative(x: Any, order: int = 1) -> Any:
    """Return the derivative of `exprel` of an order of at least 1."""
    return apply(exprel_derivative_p, x, order=order)


exprel_p = elementwise("exprel", scipy.special.exprel, lambda g, y, x: g * exprel_derivative(x))


# log1p(x) / x, for which SciPy has no name: the mean of 1 / (1 + t x)


@in_double_or_complex
def _log1p_over(x: Any, order: int = 0) -> Any:
    near = np.abs(x) < 0.35
    z = np.where(near, x, 0.0)
    series = 0.0 * z
    for k in range(45, -1, -1):
        series = series * z + (-1.0) ** (k + order) * math.perm(k + order, order) / (k + order + 1.0)
    z = np.where(near, 1.0, x)
    y = np.log1p(z) / z
    for n in range(1, order + 1):
        y = ((-1.0) ** (n - 1) * math.factorial(n - 1) * (1.0 + z) ** -n - n * y) / z
    return np.where(near, series, y)


log1p_over_p = elementwise(
    "log1p_over",
    _log1p_over,
    lambda g, y, x, order=0: g * log1p_over(x, order + 1),
    domain=(-0.7, 3.0),
    cases=(case(np.array([-0.9, -0.3, 0.0, 0.3, 5.0]), order=1),),
)


def log1p_over(x: Any, order: int = 0) -> Any:
    """Return ``log1p(x) / x``, or its derivative of the given order."""
    return apply(log1p_over_p, x, order=order)
