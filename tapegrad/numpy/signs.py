"""What looks at, or sets, the sign of numbers."""

from typing import Unpack

import numpy as np

from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered
from tapegrad.numpy.ufuncs import Settings, constant_of, of_two, plainly, records
from tapegrad.ops import signs
from tapegrad.ops.compare import signbit_p
from tapegrad.ops.signs import absolute_p, copysign_p, fabs_p, heaviside_p
from tapegrad.typing import Array, ArrayLike


@records(absolute_p)
def absolute(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``|x|``, of complex numbers the modulus. Its derivative at 0 is 0.

    Example:
        >>> absolute(np.array([-2.0, 3.0]))
        array([2., 3.])
    """
    return plainly(np.absolute, x, settings)


@records(fabs_p)
def fabs(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``|x|`` of real numbers, as floating-point numbers.

    Example:
        >>> fabs(np.array([-2, 3]))
        array([2., 3.])
    """
    return plainly(np.fabs, x, settings)


def sign(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return -1, 0 or 1, a constant to derivatives; of complex numbers ``x / |x|``, or 0.

    Example:
        >>> sign(np.array([-2.0, 0.0, 3.0]))
        array([-1.,  0.,  1.])
    """
    y: Array = signs.sign(x) if type(x) is Var and not settings else np.sign(gathered(x), **settings)
    return y


def copysign(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``|x1|`` with the sign of `x2`.

    Example:
        >>> copysign(np.array([1.0, -2.0]), -0.0)
        array([-1., -2.])
    """
    return of_two(copysign_p, np.copysign, x1, x2, settings)


def heaviside(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return 0 where `x1` is negative, 1 where it is positive, and `x2` where it is 0.

    Example:
        >>> heaviside(np.array([-1.0, 0.0, 2.0]), 0.5)
        array([0. , 0.5, 1. ])
    """
    return of_two(heaviside_p, np.heaviside, x1, x2, settings)


def signbit(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where the sign is minus, that of ``-0.0`` too.

    Example:
        >>> signbit(np.array([-0.0, 0.0]))
        array([ True, False])
    """
    return constant_of(signbit_p, np.signbit, settings, x)


# Other names that NumPy has for them

abs = absolute
