"""Incomplete gamma functions and their inverses, element by element. All are differentiable in both arguments."""

from tapegrad.ops.scipy_special.gammainc import gammainc_p, gammaincc_p, gammainccinv_p, gammaincinv_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def gammainc(a: ArrayLike, x: ArrayLike) -> Array:
    """Return the regularised lower incomplete gamma function.

    It is the integral of ``t**(a - 1) * exp(-t)`` from 0 to `x`, over ``gamma(a)``.

    Example:
        >>> gammainc(np.array([0.5, 2.0]), 1.0)
        array([0.84270079, 0.26424112])
    """
    return call(gammainc_p, a, x)


def gammaincc(a: ArrayLike, x: ArrayLike) -> Array:
    """Return the regularised upper incomplete gamma function, ``1 - gammainc(a, x)``.

    Example:
        >>> gammaincc(np.array([0.5, 2.0]), 30.0)
        array([9.48573757e-15, 2.90086312e-12])
    """
    return call(gammaincc_p, a, x)


def gammaincinv(a: ArrayLike, y: ArrayLike) -> Array:
    """Return the `x` at which ``gammainc(a, x)`` is `y`.

    Example:
        >>> gammaincinv(np.array([0.5, 2.0]), 0.5)
        array([0.22746821, 1.67834699])
    """
    return call(gammaincinv_p, a, y)


def gammainccinv(a: ArrayLike, y: ArrayLike) -> Array:
    """Return the `x` at which ``gammaincc(a, x)`` is `y`.

    Example:
        >>> gammainccinv(np.array([0.5, 2.0]), 1e-10)
        array([20.91072818, 26.33398161])
    """
    return call(gammainccinv_p, a, y)
