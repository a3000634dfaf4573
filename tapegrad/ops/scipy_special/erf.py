"""The error function and its relatives.

`erfcx` and `dawsn` fall off as powers, while the terms of the textbook forms of their derivatives do not: ``2 x erfcx(x) - 2 /
sqrt(pi)`` loses all its digits for large `x`. Their derivatives of every order are functions of their own here.
"""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case
from tapegrad.core.var import apply
from tapegrad.ops.exponentials import pays
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import in_double_or_complex

ROOT_PI = math.sqrt(math.pi)

ARTANH_ERF = (
    1.128379225730896,
    0.1027698665857315,
    -0.00019528834673110396,
    -0.0006148380343802273,
    8.459649689029902e-05,
    -4.7945845835783985e-06,
    2.7573895167165574e-08,
    5.421689319717871e-09,
)
"""The polynomial in ``x * x`` that is nearest to ``artanh(erf(x)) / x`` up to 4.1, weighted by what its errors make of `erf`;
beyond that it grows, and tanh is 1."""


def _expand_erf(x: Any) -> Any:
    """In single precision to 3 units in the last place: SciPy's takes five times as long."""
    if not pays(x, "f"):
        return None
    square = x * x
    ratio: Any = ARTANH_ERF[-1]
    for c in ARTANH_ERF[-2::-1]:
        ratio = ratio * square + c
    return np.tanh(x * ratio)


erf_p = elementwise("erf", scipy.special.erf, lambda g, y, x: g * (2.0 / ROOT_PI * np.exp(-x * x)), expand=_expand_erf)
erfc_p = elementwise("erfc", scipy.special.erfc, lambda g, y, x: g * (-2.0 / ROOT_PI * np.exp(-x * x)))
erfi_p = elementwise("erfi", scipy.special.erfi, lambda g, y, x: g * (2.0 / ROOT_PI * np.exp(x * x)))
erfinv_p = elementwise("erfinv", scipy.special.erfinv, lambda g, y, x: g * (0.5 * ROOT_PI * np.exp(y * y)), domain=(-0.9, 0.9))
erfcinv_p = elementwise(
    "erfcinv", scipy.special.erfcinv, lambda g, y, x: g * (-0.5 * ROOT_PI * np.exp(y * y)), domain=(0.1, 1.9)
)


# The scaled complement, exp(x**2) erfc(x)


@in_double_or_complex
def _erfcx_derivative(x: Any, order: int = 1) -> Any:
    y = _by_recurrence(x, order)
    near = np.real(x) >= 1.5
    if np.any(near):
        y = np.where(near, _by_fraction(np.where(near, x, 1.5), order), y)
    far = (np.abs(x) >= 6.5) & (np.iscomplexobj(x) | (np.real(x) < 0))
    return np.where(far, _by_series(np.where(far, x, 6.5), order), y) if np.any(far) else y


def _by_recurrence(x: Any, order: int) -> Any:
    before, y = 2.0 / ROOT_PI + 0.0 * x, scipy.special.erfcx(x)
    for n in range(1, order + 1):
        before, y = y, 2.0 * x * y - before if n == 1 else 2.0 * (x * y + (n - 1) * before)
    return y


def _by_fraction(x: Any, order: int) -> Any:
    """Return the derivative by the continued fraction for the quotient of one derivative and the one before.

    References:
        DLMF, https://dlmf.nist.gov/7.18.E6 and https://dlmf.nist.gov/7.18.E7
    """
    ratio = np.zeros_like(x)
    y = scipy.special.erfcx(x)
    for n in range(order + 110, 0, -1):
        ratio = 1.0 / (2.0 * x + 2.0 * (n + 1) * ratio)
        if n <= order:
            y = y * (-2.0 * n * ratio)
    return y


def _by_series(x: Any, order: int) -> Any:
    """Return the derivative by the asymptotic series, and the reflection ``erfcx(-x) = 2 exp(x**2) - erfcx(x)``."""
    left = np.real(x) < 0
    x = np.where(left, -x, x)
    total, term = np.zeros_like(x), 1.0 / (ROOT_PI * x)
    for k in range(25):
        total = total + term * math.prod(-(2 * k + 1 + n) for n in range(order))
        term = term * (-(2 * k + 1) / (2.0 * x * x))
    total = total * x**-order
    before, bell = np.zeros_like(x), np.exp(x * x)
    for n in range(order):
        before, bell = bell, 2.0 * (x * bell + n * before)
    return np.where(left, (-1.0) ** order * (2.0 * bell - total), total)


erfcx_derivative_p = elementwise(
    "erfcx_derivative",
    _erfcx_derivative,
    lambda g, y, x, order=1: g * erfcx_derivative(x, order + 1),
    cases=(case(np.array([-1.0, 0.3, 2.0, 10.0]), order=2),),
)


def erfcx_derivative(x: Any, order: int = 1) -> Any:
    """Return the derivative of `erfcx` of an order of at least 1."""
    return apply(erfcx_derivative_p, x, order=order)


erfcx_p = elementwise("erfcx", scipy.special.erfcx, lambda g, y, x: g * erfcx_derivative(x))
wofz_p = elementwise("wofz", scipy.special.wofz, lambda g, y, z: g * (-1j * erfcx_derivative(-1j * z)))


# Dawson's function


@in_double_or_complex
def _dawsn_derivative(x: Any, order: int = 1) -> Any:
    if np.iscomplexobj(x):
        return _dawsn_by_recurrence(x, order)
    far, small = np.abs(x) > 7.0, np.abs(x) < 0.25
    y = np.where(far, _dawsn_far(np.where(far, x, 7.0), order), _dawsn_near(np.where(far, 0.0, x), order))
    return np.where(
        small, _dawsn_by_recurrence(np.where(small, x, 0.0), order), y
    )  # an even order is 0 at 0, where sums cancel


def _dawsn_by_recurrence(x: Any, order: int) -> Any:
    """Return the derivative from those before it; near 0 its two terms have the same sign, and lose nothing."""
    before, y = 0.0 * x, scipy.special.dawsn(x)
    for n in range(order):
        before, y = y, 1.0 - 2.0 * x * y if n == 0 else -2.0 * (x * y + n * before)
    return y


def _dawsn_far(x: Any, order: int) -> Any:
    """Return the derivative by the asymptotic series."""
    total, term = np.zeros_like(x), 0.5 / x
    for k in range(25):
        total = total + term * math.prod(-(2 * k + 1 + n) for n in range(order))
        term = term * ((2 * k + 1) / (2.0 * x * x))
    return total * x**-order


def _dawsn_near(x: Any, order: int) -> Any:
    """Return the derivative by a sum of Gaussians, which with this spacing is exact to double precision.

    References:
        G. Rybicki, "Dawson's integral and the sampling theorem", Computers in Physics 3 (1989), equation 6
    """
    total = 0.0 * x
    hermite = np.polynomial.hermite.Hermite.basis(order)
    for k in range(-53, 54, 2):
        u = x - 0.25 * k
        total = total + hermite(u) * np.exp(-u * u) / k
    return (-1.0) ** order * total / ROOT_PI


dawsn_derivative_p = elementwise(
    "dawsn_derivative",
    _dawsn_derivative,
    lambda g, y, x, order=1: g * dawsn_derivative(x, order + 1),
    cases=(case(np.array([-1.0, 0.3, 2.0, 10.0]), order=2),),
)


def dawsn_derivative(x: Any, order: int = 1) -> Any:
    """Return the derivative of `dawsn` of an order of at least 1."""
    return apply(dawsn_derivative_p, x, order=order)


dawsn_p = elementwise("dawsn", scipy.special.dawsn, lambda g, y, x: g * dawsn_derivative(x))
