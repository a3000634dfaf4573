"""Integrals of exponentials and trigonometric functions, element by element."""

from collections.abc import Callable
from typing import Any

import scipy.special

from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var
from tapegrad.numpy.door import stands_for
from tapegrad.ops.scipy_special.exponential_integral import (
    cosine_integral_p,
    exp1_p,
    expi_p,
    expn_p,
    fresnel_cosine_p,
    fresnel_sine_p,
    hyperbolic_cosine_integral_p,
    hyperbolic_sine_integral_p,
    sine_integral_p,
)
from tapegrad.scipy.special.door import as_array, call
from tapegrad.typing import Array, ArrayLike


def expn(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the integral of ``exp(-x * t) / t**n`` over `t` from 1 on, for a whole `n`.

    Example:
        >>> expn(np.array([1, 2]), 0.5)
        array([0.55977359, 0.32664386])
    """
    return call(expn_p, n, x)


def exp1(z: ArrayLike) -> Array:
    """Return the integral of ``exp(-t) / t`` from `z` on.

    Example:
        >>> exp1(np.array([0.5, 1.0]))
        array([0.55977359, 0.21938393])
    """
    return call(exp1_p, z)


def expi(x: ArrayLike) -> Array:
    """Return the integral of ``exp(t) / t`` up to `x`.

    Example:
        >>> expi(np.array([0.5, 1.0]))
        array([0.4542199 , 1.89511782])
    """
    return call(expi_p, x)


@stands_for(scipy.special.sici)
def sici(x: ArrayLike) -> tuple[Array, Array]:
    """Return the sine and cosine integrals, which have the derivatives ``sin(x) / x`` and ``cos(x) / x``.

    Example:
        >>> sici(1.0)
        (np.float64(0.9460830703671831), np.float64(0.33740392290096816))
    """
    return _both(scipy.special.sici, sine_integral_p, cosine_integral_p, x)


@stands_for(scipy.special.shichi)
def shichi(x: ArrayLike) -> tuple[Array, Array]:
    """Return the hyperbolic sine and cosine integrals, which have the derivatives ``sinh(x) / x`` and ``cosh(x) / x``.

    Example:
        >>> shichi(1.0)
        (np.float64(1.0572508753757286), np.float64(0.8378669409802082))
    """
    return _both(scipy.special.shichi, hyperbolic_sine_integral_p, hyperbolic_cosine_integral_p, x)


@stands_for(scipy.special.fresnel)
def fresnel(z: ArrayLike) -> tuple[Array, Array]:
    """Return Fresnel's integrals of ``sin(pi * t**2 / 2)`` and of ``cos(pi * t**2 / 2)`` from 0 to `z`.

    Example:
        >>> fresnel(1.0)
        (np.float64(0.4382591473903547), np.float64(0.779893400376823))
    """
    return _both(scipy.special.fresnel, fresnel_sine_p, fresnel_cosine_p, z)


def _both(function: Callable[..., Any], first: Primitive, second: Primitive, x: ArrayLike) -> tuple[Array, Array]:
    """Return what SciPy's function returns for plain arrays, and what two primitives make of a traced value."""
    traced: Any = as_array(x)
    if type(traced) is not Var:
        both: tuple[Array, Array] = function(traced)
        return both
    return call(first, traced), call(second, traced)
