"""Complex numbers and their parts, element by element."""

from typing import Any, Unpack

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.var import Var, unary
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.ufuncs import Settings, plainly, records
from tapegrad.ops.complex import angle_p, conjugate_p, imag_p, real_p
from tapegrad.typing import Array, ArrayLike


@records(conjugate_p)
def conjugate(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the complex conjugate of each element.

    Example:
        >>> conjugate(np.array([1.0 + 2.0j]))
        array([1.-2.j])
    """
    return plainly(np.conjugate, x, settings)


@stands_for(np.real)
def real(val: ArrayLike) -> Array:
    """Return the real part of each element.

    Example:
        >>> real(np.array([1.0 + 2.0j]))
        array([1.])
    """
    x: Any = gathered(val)
    if type(x) is not Var:
        return np.real(x)
    return unary(real_p, x) if dtype_of(x).kind == "c" else x  # type: ignore[return-value]  # a Var is an array to checkers


@stands_for(np.imag)
def imag(val: ArrayLike) -> Array:
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
def angle(z: ArrayLike, deg: bool = False) -> Array:
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
    y: Array
    x: Any = gathered(z)
    if type(x) is not Var:
        y = np.angle(x, deg)
        return y
    y = unary(angle_p, x)
    return y * (180.0 / np.pi) if deg else y


@stands_for(np.real_if_close)
def real_if_close(a: ArrayLike, tol: float = 100) -> Array:
    """Return the real part of `a` if all imaginary parts are next to 0, and else `a`.

    Args:
        a: array of any shape.
        tol: how many machine epsilons an imaginary part may measure; a number below 1 is the measure itself.

    Returns:
        An array of the shape of `a`, real or complex.

    Example:
        >>> real_if_close(np.array([2.0 + 1e-15j, 3.0]))
        array([2., 3.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return np.real_if_close(x, tol)
    if dtype_of(x).kind != "c":
        return x  # type: ignore[return-value]  # a Var is an array to checkers
    largest = tol * np.finfo(dtype_of(x)).eps if tol > 1 else tol
    return real(x) if np.all(np.absolute(imag(x)) < largest) else x  # type: ignore[return-value]  # likewise


# Other names that NumPy has for them

conj = conjugate
