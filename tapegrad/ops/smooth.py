"""Functions that are smooth at points where their formulas divide zero by zero.

Their derivatives of all orders are one primitive each, with the order as a setting, and each is exact where it is evaluated:
near the point by a series, elsewhere by a recurrence. So derivatives of any order are as accurate as the functions.
"""

import math
from typing import Any

import numpy as np

from tapegrad.core.families import elementwise
from tapegrad.core.primitive import case
from tapegrad.core.var import apply

# The cardinal sine


def _sinc(x: Any, order: int = 0) -> Any:
    """The derivative of ``sin(pi x) / (pi x)`` of the given order."""
    if order == 0:
        return np.sinc(x)
    u = math.pi * np.ravel(x)
    near = np.abs(u) < max(1.0, order)
    y = _sinc_recurrence(np.where(near, 1.0, u), order)
    y[near] = _sinc_series(u[near], order)
    y *= math.pi**order
    return y.reshape(np.shape(x))[()]


def _sinc_series(u: Any, order: int) -> Any:
    """The sum of ``(-1)**k / (2k + 1) / (2k - order)! * u**(2k - order)`` over k from ``order / 2``."""
    first = (order + 1) // 2
    terms = (6 if np.finfo(u.dtype).eps > 1e-10 else 10) + order
    square = u * u
    total = np.zeros_like(u)
    for k in range(first + terms - 1, first - 1, -1):
        total *= square
        total += (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - order))
    return total * u if order % 2 else total


def _sinc_recurrence(u: Any, order: int) -> Any:
    """Where ``f = sin(u) / u``, the derivative of ``sin(u) = u f`` of order n is ``u f^(n) + n f^(n-1)``."""
    sine, cosine = np.sin(u), np.cos(u)
    y = sine / u
    for n in range(1, order + 1):
        y *= -n
        y += (cosine if n % 2 else sine) * (1 if n % 4 < 2 else -1)
        y /= u
    return y


def _sinc_slope(g: Any, y: Any, x: Any, order: int = 0) -> Any:
    return g * apply(sinc_p, x, order=order + 1)


def _sinc_slope_quickly(g: Any, y: Any, x: Any, order: int = 0) -> Any:
    """The first step of the recurrence, without the sine that is in `y` already."""
    if order:
        return _sinc_slope(g, y, x, order)
    u = math.pi * np.ravel(x)
    near = np.abs(u) < 1.0
    slope = np.cos(u) - np.ravel(y)
    slope /= np.where(near, 1.0, np.ravel(x))
    slope[near] = math.pi * _sinc_series(u[near], 1)
    return g * slope.reshape(np.shape(x))


sinc_p = elementwise(
    "sinc",
    _sinc,
    _sinc_slope,
    fast=(_sinc_slope_quickly,),
    cases=(case((3,)), case((3,), order=1), case((3,), order=2), case((3,), order=3)),
)

# The modified Bessel function of the first kind

AWAY = (
    0.38928811750914006, -0.00976109749136146841, -0.000110588938762623716, -3.88256480887769039e-6, -2.51223623787020893e-7,
    -2.63146884688951951e-8, -3.83538038596423702e-9, -5.58974346219658381e-10, -1.89749581235054123e-11,
    3.25260358301548824e-11, 1.41258074366137813e-11, 2.03562854414708951e-12, -7.19855177624590851e-13,
    -4.08355111109219732e-13, -2.10154184277266429e-14, 4.27244001671195137e-14, 1.04202769841288016e-14,
    -3.81440307243700652e-15, -1.88035477551078063e-15, 3.30820231092085021e-16, 2.96262899764601579e-16,
    -3.20952592199163689e-17, -4.65030536849478286e-17,
)  # fmt: skip
"""Chebyshev coefficients of ``sqrt(x) exp(-x) I1(x)`` for x from 8 up, in ``16 / x - 1``; interpolated with 40 digits."""


def _i0(x: Any, order: int = 0) -> Any:
    """``I_n(x) / x**n`` for n = `order`: of i0 for 0, and n + 1 is the derivative of n, but for a factor x."""
    if order == 0:
        return np.i0(x)
    u = np.ravel(np.abs(x))
    near = u <= 8.0
    y = np.empty_like(u)
    y[near] = _i0_series(u[near], order)
    y[~near] = _i0_recurrence(u[~near], order)
    return y.reshape(np.shape(x))[()]


def _i0_series(x: Any, order: int) -> Any:
    """The sum of ``(x/2)**2k / k! / (k + order)! / 2**order`` over k: all terms are positive."""
    square = 0.25 * x * x
    total = np.zeros_like(x)
    for k in range(25, -1, -1):
        total *= square
        total += 1.0 / (math.factorial(k) * math.factorial(k + order) * 2**order)
    return total


def _i0_recurrence(x: Any, order: int) -> Any:
    """``I_(n-1) - I_(n+1) = 2n / x I_n``, begun with n = 0 and 1."""
    before = np.i0(x)
    y = np.exp(x) / (x * np.sqrt(x)) * np.polynomial.chebyshev.chebval(16.0 / x - 1.0, AWAY)
    for n in range(1, order):
        before, y = y, (before - 2 * n * y) / (x * x)
    return y


def _i0_slope(g: Any, y: Any, x: Any, order: int = 0) -> Any:
    return g * (x * apply(i0_p, x, order=order + 1))


i0_p = elementwise(
    "i0",
    _i0,
    _i0_slope,
    cases=(case((3,)), case((3,), order=1), case((3,), order=2)),
)
