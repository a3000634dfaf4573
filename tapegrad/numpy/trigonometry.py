"""Trigonometric functions and their inverses, element by element."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, of_two, plainly, records
from tapegrad.ops.trigonometry import (
    arccos_p,
    arcsin_p,
    arctan2_p,
    arctan_p,
    cos_p,
    deg2rad_p,
    degrees_p,
    rad2deg_p,
    radians_p,
    sin_p,
    tan_p,
)
from tapegrad.typing import Array, ArrayLike


@records(sin_p)
def sin(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the sine of each element, in radians.

    Example:
        >>> sin(np.array([0.0, np.pi / 2]))
        array([0., 1.])
    """
    return plainly(np.sin, x, settings)


@records(cos_p)
def cos(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the cosine of each element, in radians.

    Example:
        >>> cos(np.array([0.0, np.pi / 3]))
        array([1. , 0.5])
    """
    return plainly(np.cos, x, settings)


@records(tan_p)
def tan(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the tangent of each element, in radians.

    Example:
        >>> tan(np.array([0.0, np.pi / 4]))
        array([0., 1.])
    """
    return plainly(np.tan, x, settings)


@records(arcsin_p)
def arcsin(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the angle in ``[-pi/2, pi/2]`` whose sine is `x`.

    Example:
        >>> arcsin(np.array([0.0, 1.0]))
        array([0.        , 1.57079633])
    """
    return plainly(np.arcsin, x, settings)


@records(arccos_p)
def arccos(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the angle in ``[0, pi]`` whose cosine is `x`.

    Example:
        >>> arccos(np.array([1.0, 0.0]))
        array([0.        , 1.57079633])
    """
    return plainly(np.arccos, x, settings)


@records(arctan_p)
def arctan(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the angle in ``[-pi/2, pi/2]`` whose tangent is `x`.

    Example:
        >>> arctan(np.array([0.0, 1.0]))
        array([0.        , 0.78539816])
    """
    return plainly(np.arctan, x, settings)


def arctan2(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the angle in ``[-pi, pi]`` of the point ``(x2, x1)``: `x1` is its height. At ``(0, 0)`` both derivatives are 0.

    Example:
        >>> arctan2(np.array([0.0, 1.0]), np.array([-1.0, 0.0]))
        array([3.14159265, 1.57079633])
    """
    return of_two(arctan2_p, np.arctan2, x1, x2, settings)


@records(deg2rad_p)
def deg2rad(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return degrees as radians.

    Example:
        >>> deg2rad(180.0)
        np.float64(3.141592653589793)
    """
    return plainly(np.deg2rad, x, settings)


@records(rad2deg_p)
def rad2deg(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return radians as degrees.

    Example:
        >>> rad2deg(np.pi)
        np.float64(180.0)
    """
    return plainly(np.rad2deg, x, settings)


@records(radians_p)
def radians(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return degrees as radians, as `deg2rad` does.

    Example:
        >>> radians(np.array([0.0, 180.0]))
        array([0.        , 3.14159265])
    """
    return plainly(np.radians, x, settings)


@records(degrees_p)
def degrees(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return radians as degrees, as `rad2deg` does.

    Example:
        >>> degrees(np.array([0.0, np.pi]))
        array([  0., 180.])
    """
    return plainly(np.degrees, x, settings)


# Other names that NumPy has for them

acos = arccos
asin = arcsin
atan = arctan
atan2 = arctan2
