"""Powers and roots, element by element."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, of_two, plainly, records
from tapegrad.ops.powers import cbrt_p, float_power_p, hypot_p, power_p, sqrt_p, square_p
from tapegrad.typing import Array, ArrayLike


def power(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 ** x2``. Its derivatives are exact at zero bases and integer exponents too.

    Example:
        >>> power(np.array([2.0, 3.0]), 2)
        array([4., 9.])
    """
    return of_two(power_p, np.power, x1, x2, settings)


def float_power(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 ** x2``, computed in float64 or complex128 at least.

    Example:
        >>> float_power(np.array([1, 2]), -1)
        array([1. , 0.5])
    """
    return of_two(float_power_p, np.float_power, x1, x2, settings)


@records(square_p)
def square(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x * x``.

    Example:
        >>> square(np.array([2.0, -3.0]))
        array([4., 9.])
    """
    return plainly(np.square, x, settings)


@records(sqrt_p)
def sqrt(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the square root of each element.

    Example:
        >>> sqrt(np.array([4.0, 9.0]))
        array([2., 3.])
    """
    return plainly(np.sqrt, x, settings)


@records(cbrt_p)
def cbrt(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the cube root of each element.

    Example:
        >>> cbrt(np.array([8.0, -27.0]))
        array([ 2., -3.])
    """
    return plainly(np.cbrt, x, settings)


def hypot(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``sqrt(x1**2 + x2**2)``, safe from overflow. At ``(0, 0)`` both derivatives are 0.

    Example:
        >>> hypot(3.0, np.array([4.0, 0.0]))
        array([5., 3.])
    """
    return of_two(hypot_p, np.hypot, x1, x2, settings)


# Other names that NumPy has for them

pow = power
