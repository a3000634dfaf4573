"""Incomplete beta functions and their inverses, element by element. All are differentiable in all three arguments."""

from tapegrad.ops.scipy_special.betainc import betainc_p, betaincc_p, betainccinv_p, betaincinv_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """Return the regularised incomplete beta function.

    It is the integral of ``t**(a - 1) * (1 - t)**(b - 1)`` from 0 to `x`, over ``beta(a, b)``.

    Example:
        >>> betainc(np.array([0.5, 2.0]), 3.0, 0.2)
        array([0.7334303, 0.1808   ])
    """
    return call(betainc_p, a, b, x)


def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """Return its complement, ``1 - betainc(a, b, x)``.

    Example:
        >>> betaincc(np.array([0.5, 2.0]), 30.0, 0.9)
        array([1.07934113e-31, 2.80000000e-29])
    """
    return call(betaincc_p, a, b, x)


def betaincinv(a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
    """Return the `x` at which ``betainc(a, b, x)`` is `y`.

    Example:
        >>> betaincinv(np.array([0.5, 2.0]), 3.0, 0.5)
        array([0.07903277, 0.38572757])
    """
    return call(betaincinv_p, a, b, y)


def betainccinv(a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Array:
    """Return the `x` at which ``betaincc(a, b, x)`` is `y`.

    Example:
        >>> betainccinv(np.array([0.5, 2.0]), 3.0, 1e-10)
        array([0.99931607, 0.99970758])
    """
    return call(betainccinv_p, a, b, y)
