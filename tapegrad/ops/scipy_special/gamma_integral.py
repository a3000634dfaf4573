"""Derivatives of ``gammainc(a, x)`` by `a`, for which there is no closed form.

``gammainc(a, x)`` is the integral of the density up to `x`; its derivatives by `a` integrate the density times a polynomial in
``log(t)``. Over all `t` that makes nothing, so the integral may be taken on the side of `x` where the integrand does not change
its sign, and nothing cancels. In ``log(t)`` the integrand is smooth and falls off exponentially: one Gauss rule over the
stretch on which it matters is exact to double precision.
"""

from typing import Any

import numpy as np

from tapegrad.ops.scipy_special.precision import bell, expm1_less, in_blocks, legendre, log_less_digamma, polygamma

NODES = 48
FALL = 40.0
"""The integrand is followed until it has fallen by a factor of ``exp(40)``."""


@in_blocks
def integral(a: Any, x: Any, order: int) -> Any:
    """Return the derivative of `gammainc` by `a`, of order 1 or more, over ``x**a exp(-x) / gamma(a + 1)``; for ``x > 0``."""
    right = x >= np.maximum(a, 1.0)
    # on the left, gammainc(a, x) = x**a exp(-x) / gamma(a + 1) + gammainc(a + 1, x), so that the integrand falls off
    shape = np.where(right, a, a + 1.0)
    tail = _tail(shape, x, order, right)
    if np.all(right):
        return -tail
    offset = log_less_digamma(x, a + 1.0)
    first = bell(order, 0, lambda i, j: offset if i == 1 else -polygamma(i - 1, a + 1.0))[order, 0]
    return np.where(right, -tail, first + tail * x / shape)


@in_blocks
def far_tail(a: Any, x: Any, upper: bool) -> Any:
    """Return `gammainc` or `gammaincc`, over ``x**a exp(-x) / gamma(a + 1)``, where it is small."""
    right = np.full(x.shape, upper)
    return _tail(a, x, 0, right) if upper else 1.0 + _tail(a + 1.0, x, 0, right) * x / (a + 1.0)


def _tail(a: Any, x: Any, order: int, right: Any) -> Any:
    """Return the integral from `x` on to the right, or from the left up to `x`."""
    nodes, weights = legendre(NODES)
    reach = np.where(right, _reach_right(a, x), -_reach_left(a, x))
    step = reach[:, None] * nodes  # log(t) - log(x)
    fall = a[:, None] * step - x[:, None] * (np.exp(step) - 1.0)
    short = np.abs(reach) < 1.0
    if np.any(short):  # there a and x are large, and the two terms nearly the same
        fall[short] = (a - x)[short, None] * step[short] - x[short, None] * expm1_less(step[short])
    moments = _moments(a, log_less_digamma(x, a + 1.0), step, order)
    return ((np.exp(fall) * moments) @ weights) * np.abs(reach)


def _moments(a: Any, offset: Any, step: Any, order: int) -> Any:
    """Return the derivative of ``a t**a / gamma(a + 1)`` by `a`, over ``t**a / gamma(a + 1)``."""
    if order == 0:
        return a[:, None]
    if order == 1:
        return a[:, None] * step + (a * offset + 1.0)[:, None]
    log = offset[:, None] + step
    higher = {i: -polygamma(i - 1, a + 1.0)[:, None] for i in range(2, order + 1)}
    found = bell(order, 0, lambda i, j: log if i == 1 else higher[i])
    return a[:, None] * found[order, 0] + order * found[order - 1, 0]


def _reach_left(a: Any, x: Any) -> Any:
    """Return how far below ``log(x)`` the integrand has fallen; by Newton's method, from above."""
    reach = np.minimum((FALL + x) / a, np.where(x > 3.0 * FALL, np.sqrt(3.0 * FALL / x), np.inf))
    for _ in range(4):
        reach = reach - (a * reach + x * np.expm1(-reach) - FALL) / (a - x * np.exp(-reach))
    return reach


def _reach_right(a: Any, x: Any) -> Any:
    """Return how far above ``log(x)`` the integrand has fallen; by Newton's method, from above."""
    reach = ((a - x) + np.hypot(x - a, np.sqrt(2.0 * FALL * x))) / x
    for _ in range(2):
        reach = np.log1p((FALL + a * reach) / x)
    for _ in range(4):
        reach = reach - (x * np.expm1(reach) - a * reach - FALL) / (x * np.exp(reach) - a)
    return reach
