"""Exponentials and logarithms without cancellation, element by element."""

from tapegrad.ops.scipy_special.exponential import cosm1_p, exp10_p, exprel_p, powm1_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def exprel(x: ArrayLike) -> Array:
    """Return ``(exp(x) - 1) / x``, which is 1 at 0.

    Example:
        >>> exprel(np.array([0.0, 1.0]))
        array([1.        , 1.71828183])
    """
    return call(exprel_p, x)


def exp10(x: ArrayLike) -> Array:
    """Return ``10 ** x``.

    Example:
        >>> exp10(np.array([0.0, 3.0]))
        array([   1., 1000.])
    """
    return call(exp10_p, x)


def cosm1(x: ArrayLike) -> Array:
    """Return ``cos(x) - 1``, accurate near 0 too.

    Example:
        >>> cosm1(np.array([1e-5, 1.0]))
        array([-5.00000000e-11, -4.59697694e-01])
    """
    return call(cosm1_p, x)


def powm1(x: ArrayLike, y: ArrayLike) -> Array:
    """Return ``x**y - 1``, accurate near 0 too.

    Example:
        >>> powm1(2.0, np.array([1e-12, 3.0]))
        array([6.93147181e-13, 7.00000000e+00])
    """
    return call(powm1_p, x, y)
