"""Derivatives of ``betainc(a, b, x)`` by `a` and `b`, for which there is no closed form.

They integrate the density times a polynomial in ``log(t)`` and ``log(1 - t)``, on the side of `x` where nothing cancels, as for
`gammainc`. The variable in which the integrand is smooth, and falls off exponentially, is ``log(t / (1 - t))``.
"""

import math
from typing import Any

import numpy as np

from tapegrad.ops.scipy_special.precision import (
    bell,
    expm1_less,
    in_blocks,
    legendre,
    log1p_less,
    polygamma,
    polygamma_shift,
    quick_log1p,
)

NODES = 48
FALL = 40.0
"""The integrand is followed until it has fallen by a factor of ``exp(40)``."""


@in_blocks
def integral(a: Any, b: Any, x: Any, y: Any, orders: tuple[int, int]) -> Any:
    """Return the derivative of `betainc`, some times by `a` and some by `b`, over ``x**a y**b / beta(a, b)``; ``y = 1 - x``.

    Orders (0, 0) are `betainc` itself, by the integral on the left: for where it is small.
    """
    ends = np.maximum(a, 1.0), np.maximum(b, 1.0)
    swap = (x * ends[1] > y * ends[0]) if any(orders) else np.zeros(x.shape, bool)
    # on the right, the integral on the left of 1 - x with a and b exchanged
    a, b, x, y = [np.where(swap, there, here) for here, there in ((a, b), (b, a), (x, y), (y, x))]
    # betainc(a, b, x) = x**a y**b / (a beta(a, b)) + betainc(a + 1, b, x), so that the integrand falls off
    s = a + b
    found = _start(a + 1.0, b, x, y, orders, swap) / a + _left(a + 1.0, b, x, y, orders, swap) * (x * s / a)
    return np.where(swap, -found, found)


def _by(swap: Any, order: int, a: Any, b: Any, steps: tuple[Any, Any], x: Any, y: Any) -> Any:
    """Return a derivative by a of ``a log(x) + b log(y) + gammaln(s) - gammaln(a) - gammaln(b)``, or where `swap` is set by b.

    `steps` are ``s - a`` and ``s - b``.
    """
    shift = polygamma_shift(order - 1, np.where(swap, b, a), np.where(swap, steps[1], steps[0]))
    if order > 1:
        return shift
    near, far = np.where(swap, y, x), np.where(swap, x, y)
    return np.where(near < 0.5, np.log(near), np.log1p(-far)) + shift


def _start(a: Any, b: Any, x: Any, y: Any, orders: tuple[int, int], swap: Any) -> Any:
    """Return the derivative of ``x**(a - 1) y**b gamma(a + b - 1) / gamma(a) / gamma(b)`` over itself."""
    steps = (b - 1.0, a - 1.0)

    def log_derivative(i: int, j: int) -> Any:
        if i and j:
            return polygamma(i + j - 1, a + steps[0])
        return _by(swap if i else ~swap, i + j, a, b, steps, x, y)

    return bell(*orders, log_derivative)[orders]


def _left(a: Any, b: Any, x: Any, y: Any, orders: tuple[int, int], swap: Any) -> Any:
    """Return the integral from the left up to `x`, for `a` of at least 1."""
    nodes, weights = legendre(NODES)
    s = a + b
    reach = _reach(a, s, x, y)
    step = -reach[:, None] * nodes  # of log(t / (1 - t))
    rise = x[:, None] * (np.exp(step) - 1.0)
    log = quick_log1p(rise)
    fall = a[:, None] * step - s[:, None] * log
    short = reach < 1.0
    if np.any(short):  # there a or b are large, and the terms nearly the same
        near, up = step[short], rise[short]
        apart = np.where(np.abs(up) < 0.3, log1p_less(up), log[short] - up)
        fall[short] = (a * y - b * x)[short, None] * near - s[short, None] * (apart + x[short, None] * expm1_less(near))
    return ((np.exp(fall) * _moments(a, b, x, y, step, log, orders, swap)) @ weights) * reach


def _moments(a: Any, b: Any, x: Any, y: Any, step: Any, log: Any, orders: tuple[int, int], swap: Any) -> Any:
    """Return the derivative of ``t**a (1 - t)**b / beta(a, b)`` over itself, at a step to the left of x."""

    def log_derivative(i: int, j: int) -> Any:
        if i and j:
            return polygamma(i + j - 1, a + b)[:, None]
        other = swap if i else ~swap
        at_x = _by(other, i + j, a, b, (b, a), x, y)[:, None]
        return at_x if i + j > 1 else at_x + ~other[:, None] * step - log

    return bell(*orders, log_derivative)[orders]


def _reach(a: Any, s: Any, x: Any, y: Any) -> Any:
    """Return how far below ``log(x / y)`` the integrand has fallen; by Newton's method, from above."""
    reach = (FALL - s * np.log(y)) / a
    steep = np.sqrt(2.0 * math.e * FALL / (s * x * y))
    reach = np.where(steep < 1.0, np.minimum(reach, steep), reach)
    for _ in range(5):
        t = x * np.exp(-reach) / (y + x * np.exp(-reach))
        reach = reach - (a * reach + s * np.log1p(x * np.expm1(-reach)) - FALL) / (a - s * t)
    return reach
