"""Bessel functions, element by element, differentiable by their argument; by the order, they raise."""

from tapegrad.ops.scipy_special.bessel import hankel1_p, hankel2_p, j0_p, j1_p, jv_p, y0_p, y1_p, yn_p, yv_p
from tapegrad.ops.scipy_special.bessel_scaled import jve_p, yve_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def j0(x: ArrayLike) -> Array:
    """Return the Bessel function of the first kind of order 0.

    Example:
        >>> j0(np.array([0.0, 1.0]))
        array([1.        , 0.76519769])
    """
    return call(j0_p, x)


def j1(x: ArrayLike) -> Array:
    """Return the Bessel function of the first kind of order 1.

    Example:
        >>> j1(np.array([0.0, 1.0]))
        array([0.        , 0.44005059])
    """
    return call(j1_p, x)


def jv(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the Bessel function of the first kind of real order `v`.

    Example:
        >>> jv(np.array([0.5, 2.0]), 1.0)
        array([0.67139671, 0.11490348])
    """
    return call(jv_p, v, z)


def jn(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the Bessel function of the first kind of order `v`: another name of `jv`.

    Example:
        >>> jn(np.array([0, 2]), 1.0)
        array([0.76519769, 0.11490348])
    """
    return call(jv_p, v, z)


def jve(v: ArrayLike, z: ArrayLike) -> Array:
    """Return ``jv(v, z) * exp(-abs(z.imag))``. It is differentiable for real `z`.

    Example:
        >>> jve(np.array([0.5, 2.0]), 1.0)
        array([0.67139671, 0.11490348])
    """
    return call(jve_p, v, z)


def y0(x: ArrayLike) -> Array:
    """Return the Bessel function of the second kind of order 0.

    Example:
        >>> y0(np.array([0.5, 1.0]))
        array([-0.44451873,  0.08825696])
    """
    return call(y0_p, x)


def y1(x: ArrayLike) -> Array:
    """Return the Bessel function of the second kind of order 1.

    Example:
        >>> y1(np.array([0.5, 1.0]))
        array([-1.47147239, -0.78121282])
    """
    return call(y1_p, x)


def yn(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the Bessel function of the second kind of whole order `n`.

    Example:
        >>> yn(np.array([0, 2]), 1.0)
        array([ 0.08825696, -1.65068261])
    """
    return call(yn_p, n, x)


def yv(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the Bessel function of the second kind of real order `v`.

    Example:
        >>> yv(np.array([0.5, 2.0]), 1.0)
        array([-0.43109887, -1.65068261])
    """
    return call(yv_p, v, z)


def yve(v: ArrayLike, z: ArrayLike) -> Array:
    """Return ``yv(v, z) * exp(-abs(z.imag))``. It is differentiable for real `z`.

    Example:
        >>> yve(np.array([0.5, 2.0]), 1.0)
        array([-0.43109887, -1.65068261])
    """
    return call(yve_p, v, z)


def hankel1(v: ArrayLike, z: ArrayLike) -> Array:
    """Return Hankel's function of the first kind, ``jv(v, z) + 1j * yv(v, z)``.

    Example:
        >>> hankel1(np.array([0.5, 2.0]), 1.0)
        array([0.67139671-0.43109887j, 0.11490348-1.65068261j])
    """
    return call(hankel1_p, v, z)


def hankel2(v: ArrayLike, z: ArrayLike) -> Array:
    """Return Hankel's function of the second kind, ``jv(v, z) - 1j * yv(v, z)``.

    Example:
        >>> hankel2(np.array([0.5, 2.0]), 1.0)
        array([0.67139671+0.43109887j, 0.11490348+1.65068261j])
    """
    return call(hankel2_p, v, z)
