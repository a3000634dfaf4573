"""Spherical Bessel functions, element by element. They are differentiable by `z`."""

from tapegrad.core.primitive import Primitive
from tapegrad.ops.scipy_special.bessel_spherical import (
    derivative_of,
    spherical_in_p,
    spherical_jn_p,
    spherical_kn_p,
    spherical_yn_p,
)
from tapegrad.scipy.special.door import as_array, call
from tapegrad.typing import Array, ArrayLike


def spherical_jn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Array:
    """Return the spherical Bessel function of the first kind, of whole order `n`, or its derivative.

    Args:
        n: integers, of any shape.
        z: array of a shape that broadcasts with that of `n`.
        derivative: return the derivative by `z` instead.

    Returns:
        The values, of the shape that the arguments broadcast to.

    Example:
        >>> spherical_jn(1, np.array([0.5, 2.0]))
        array([0.16253703, 0.43539777])
    """
    return _call(spherical_jn_p, n, z, derivative)


def spherical_yn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Array:
    """Return the spherical Bessel function of the second kind, of whole order `n`, or its derivative.

    Args:
        n: integers, of any shape.
        z: array of a shape that broadcasts with that of `n`.
        derivative: return the derivative by `z` instead.

    Returns:
        The values, of the shape that the arguments broadcast to.

    Example:
        >>> spherical_yn(1, np.array([0.5, 2.0]))
        array([-4.46918132, -0.350612  ])
    """
    return _call(spherical_yn_p, n, z, derivative)


def spherical_in(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Array:
    """Return the spherical Bessel function of the first kind, modified, of whole order `n`, or its derivative.

    Args:
        n: integers, of any shape.
        z: array of a shape that broadcasts with that of `n`.
        derivative: return the derivative by `z` instead.

    Returns:
        The values, of the shape that the arguments broadcast to.

    Example:
        >>> spherical_in(1, np.array([0.5, 2.0]))
        array([0.17087071, 0.97438274])
    """
    return _call(spherical_in_p, n, z, derivative)


def spherical_kn(n: ArrayLike, z: ArrayLike, derivative: bool = False) -> Array:
    """Return the spherical Bessel function of the second kind, modified, of whole order `n`, or its derivative.

    Args:
        n: integers, of any shape.
        z: array of a shape that broadcasts with that of `n`.
        derivative: return the derivative by `z` instead.

    Returns:
        The values, of the shape that the arguments broadcast to.

    Example:
        >>> spherical_kn(1, np.array([0.5, 2.0]))
        array([5.71641679, 0.15943812])
    """
    return _call(spherical_kn_p, n, z, derivative)


def _call(primitive: Primitive, n: ArrayLike, z: ArrayLike, derivative: bool) -> Array:
    if not derivative:
        return call(primitive, n, z)
    slope: Array = derivative_of(primitive, as_array(n), as_array(z))
    return slope
