"""Hyperbolic functions and their inverses, element by element."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, plainly, records
from tapegrad.ops.hyperbolics import arccosh_p, arcsinh_p, arctanh_p, cosh_p, sinh_p, tanh_p
from tapegrad.typing import Array, ArrayLike


@records(sinh_p)
def sinh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the hyperbolic sine of each element.

    Example:
        >>> sinh(np.array([0.0, 1.0]))
        array([0.        , 1.17520119])
    """
    return plainly(np.sinh, x, settings)


@records(cosh_p)
def cosh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the hyperbolic cosine of each element.

    Example:
        >>> cosh(np.array([0.0, 1.0]))
        array([1.        , 1.54308063])
    """
    return plainly(np.cosh, x, settings)


@records(tanh_p)
def tanh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the hyperbolic tangent of each element.

    Example:
        >>> tanh(np.array([0.0, 100.0]))
        array([0., 1.])
    """
    return plainly(np.tanh, x, settings)


@records(arcsinh_p)
def arcsinh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the number whose hyperbolic sine is `x`.

    Example:
        >>> arcsinh(np.array([0.0, 1.0]))
        array([0.        , 0.88137359])
    """
    return plainly(np.arcsinh, x, settings)


@records(arccosh_p)
def arccosh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the number from 0 up whose hyperbolic cosine is `x`.

    Example:
        >>> arccosh(np.array([1.0, 2.0]))
        array([0.        , 1.3169579])
    """
    return plainly(np.arccosh, x, settings)


@records(arctanh_p)
def arctanh(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the number whose hyperbolic tangent is `x`.

    Example:
        >>> arctanh(np.array([0.0, 0.5]))
        array([0.        , 0.54930614])
    """
    return plainly(np.arctanh, x, settings)


# Other names that NumPy has for them

acosh = arccosh
asinh = arcsinh
atanh = arctanh
