"""Riemann's and Hurwitz's zeta functions, with derivatives in both arguments."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma, sinpi
from tapegrad.ops.scipy_special.precision import BERNOULLI, bell, in_double, in_double_or_complex, private, weak

TERMS = 12

# By s, zeta(s, q) is a sum of powers (q + k)**-s, of which Euler and Maclaurin's formula takes all but the first few together.
# Derivatives come out of the same formula if each of its factors is a Taylor polynomial in s


def _times(a: list[Any], b: list[Any]) -> list[Any]:
    """Return the product of two Taylor polynomials."""
    return [sum(a[i] * b[k - i] for i in range(k + 1)) for k in range(len(a))]


def _euler_maclaurin(s: Any, q: Any, order: int, terms: int = TERMS) -> Any:
    """Return the derivative of ``zeta(s, q)`` by s, for ``q > 0``.

    References:
        DLMF, https://dlmf.nist.gov/25.11.E5
    """
    total = 0.0 * (s + q)
    for k in range(terms):
        log = np.log(q + k)
        total = total + (-log) ** order * np.exp(-s * log)
    end = q + terms
    log = np.log(end)
    power = [np.exp(-s * log) * (-log) ** i / math.factorial(i) for i in range(order + 1)]
    tail = [end * (-1.0) ** i * (s - 1.0) ** (-i - 1) for i in range(order + 1)]
    tail[0] = tail[0] + 0.5
    rising = [s, *[1.0] * min(order, 1), *[0.0] * (order - 1)]
    for j, b in enumerate(BERNOULLI):
        scale = b / math.factorial(2 * j + 2) * end ** -(2 * j + 1.0)
        tail = [a + scale * c for a, c in zip(tail, rising, strict=True)]
        for i in (2 * j + 1, 2 * j + 2):
            rising = _times(rising, [s + i, *[1.0] * min(order, 1), *[0.0] * (order - 1)])
    return total + math.factorial(order) * _times(power, tail)[order]


@in_double
def _zeta_by_s(s: Any, q: Any, order: int = 1) -> Any:
    inside = (s > 1) & (q > 0)
    y = _euler_maclaurin(np.where(inside, s, 2.0), np.where(inside, q, 1.0), order)
    return np.where(inside, y, np.nan)


def _zeta_by_s_by_q(g: Any, y: Any, s: Any, q: Any, order: int = 1) -> Any:
    lower = scipy.special.zeta(s + 1.0, q) if order == 1 else zeta_by_s(s + 1.0, q, order - 1)
    return -g * (s * zeta_by_s(s + 1.0, q, order) + order * lower)


zeta_by_s_p = elementwise(
    "zeta_by_s",
    _zeta_by_s,
    lambda g, y, s, q, order=1: g * zeta_by_s(s, q, order + 1),
    _zeta_by_s_by_q,
    domain=((1.5, 4.0), (0.5, 3.0)),
    cases=(case(np.array([1.2, 3.0]), np.array([0.3, 8.0]), order=2),),
)


def zeta_by_s(s: Any, q: Any, order: int = 1) -> Any:
    """Return the derivative of ``zeta(s, q)`` by `s`, of an order of at least 1."""
    return apply(zeta_by_s_p, s, q, order=order)


zeta_p = elementwise(
    "zeta",
    weak(private("_zeta")),
    lambda g, y, s, q: g * zeta_by_s(s, q),
    lambda g, y, s, q: -g * (s * scipy.special.zeta(s + 1.0, q)),
    domain=((1.5, 4.0), (0.5, 3.0)),
    stands_for=private("_zeta"),
)


# Riemann's, for all s: on the left by reflection, zeta(s) = 2 (2 pi)**(s - 1) sin(pi s / 2) gamma(1 - s) zeta(1 - s)


@in_double_or_complex
def _riemann_derivative(s: Any, order: int = 1) -> Any:
    left = np.real(s) < -0.5  # not 0, where the mirror image is at the pole
    terms = TERMS + int(np.max(np.abs(np.imag(s)), initial=0.0))
    mirror = np.where(left, 1.0 - s, s)
    taylor = [_euler_maclaurin(mirror, 1.0, i, terms) / math.factorial(i) for i in range(order + 1)]
    if not np.any(left):
        return math.factorial(order) * taylor[order]
    y = math.factorial(order) * taylor[order]
    taylor = [(-1.0) ** i * c for i, c in enumerate(taylor)]
    s, mirror = np.where(left, s, -1.0), np.where(left, mirror, 2.0)
    log = math.log(2.0 * math.pi)
    power = [log**i / math.factorial(i) for i in range(order + 1)]
    turns = [sinpi(0.5 * (s + i)) * (0.5 * math.pi) ** i / math.factorial(i) for i in range(order + 1)]
    moments = bell(order, 0, lambda i, j: polygamma(i - 1, mirror))
    gamma = [(-1.0) ** i * moments[i, 0] / math.factorial(i) for i in range(order + 1)]
    product = _times(_times(power, turns), _times(gamma, taylor))[order]
    scale = 2.0 * np.exp((s - 1.0) * log) * scipy.special.gamma(mirror)
    return np.where(left, math.factorial(order) * scale * product, y)


riemann_zeta_derivative_p = elementwise(
    "riemann_zeta_derivative",
    _riemann_derivative,
    lambda g, y, s, order=1: g * riemann_zeta_derivative(s, order + 1),
    domain=(1.5, 4.0),
    cases=(case(np.array([-3.5, -2.0, 0.0, 0.5, 2.0]), order=2),),
)


def riemann_zeta_derivative(s: Any, order: int = 1) -> Any:
    """Return the derivative of Riemann's zeta function, of an order of at least 1."""
    return apply(riemann_zeta_derivative_p, s, order=order)


riemann_zeta_p = elementwise(
    "riemann_zeta",
    private("_riemann_zeta"),
    lambda g, y, s: g * riemann_zeta_derivative(s),
    domain=(1.5, 4.0),
    cases=(case(np.array([-3.5, -2.0, 0.0, 0.5, 2.0])),),
)
zetac_p = elementwise("zetac", scipy.special.zetac, lambda g, y, s: g * riemann_zeta_derivative(s), domain=(1.5, 4.0))
