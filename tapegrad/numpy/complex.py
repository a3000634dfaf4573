"""Complex numbers and their parts, element by element."""

from typing import Any, Unpack

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.var import Var, unary
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.ufuncs import Settings, of_one
from tapegrad.ops.complex import angle_p, conjugate_p, imag_p, real_p
from tapegrad.typing import Array, ArrayLike


def conjugate(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the complex conjugate of each element.

    Example:
        >>> conjugate(np.array([1.0 + 2.0j]))
        array([1.-2.j])
    """
    return of_one(conjugate_p, np.conjugate, x, settings)


@stands_for(np.real)
def real(val: ArrayLike) -> Any:
    """Return the real part of each element.

    Example:
        >>> real(np.array([1.0 + 2.0j]))
        array([1.])
    """
    val = gathered(val)
    if type(val) is not Var:
        return np.real(val)
    return unary(real_p, val) if dtype_of(val).kind == "c" else val


@stands_for(np.imag)
def imag(val: ArrayLike) -> Any:
    """Return the imaginary part of each element, 0 of real ones.

    Example:
        >>> imag(np.array([1.0 + 2.0j]))
        array([2.])
    """
    val = gathered(val)
    if type(val) is not Var:
        return np.imag(val)
    return unary(imag_p, val) if dtype_of(val).kind == "c" else np.zeros(val.shape, val.dtype)[()]


@stands_for(np.angle)
def angle(z: ArrayLike, deg: bool = False) -> Any:
    """Return the angle of complex numbers, in ``(-pi, pi]``. Its derivative at 0 is 0.

    Args:
        z: array of any shape.
        deg: return degrees instead of radians.

    Returns:
        Real numbers, of the shape of `z`.

    Example:
        >>> angle(np.array([1.0, 1.0j]))
        array([0.        , 1.57079633])
    """
    x = gathered(z)
    if type(x) is not Var:
        return np.angle(x, deg)
    y = unary(angle_p, x)
    return y * (180.0 / np.pi) if deg else y


# Other names that NumPy has for them

conj = conjugate
