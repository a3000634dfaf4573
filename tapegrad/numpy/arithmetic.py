"""Arithmetic, element by element."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, constant_of, of_two, plainly, records
from tapegrad.ops.arithmetic import (
    add_p,
    divide_p,
    floor_divide_p,
    fmod_p,
    multiply_p,
    negative_p,
    positive_p,
    reciprocal_p,
    remainder_p,
    subtract_p,
)
from tapegrad.typing import Array, ArrayLike


def add(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 + x2``.

    Example:
        >>> add(np.array([1.0, 2.0]), 10.0)
        array([11., 12.])
    """
    return of_two(add_p, np.add, x1, x2, settings)


def subtract(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 - x2``.

    Example:
        >>> subtract(np.array([1.0, 2.0]), 1.0)
        array([0., 1.])
    """
    return of_two(subtract_p, np.subtract, x1, x2, settings)


def multiply(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 * x2``.

    Example:
        >>> multiply(np.array([1.0, 2.0]), 3.0)
        array([3., 6.])
    """
    return of_two(multiply_p, np.multiply, x1, x2, settings)


def divide(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 / x2``.

    Example:
        >>> divide(np.array([1.0, 2.0]), 4.0)
        array([0.25, 0.5 ])
    """
    return of_two(divide_p, np.divide, x1, x2, settings)


@records(negative_p)
def negative(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``-x``.

    Example:
        >>> negative(np.array([1.0, -2.0]))
        array([-1.,  2.])
    """
    return plainly(np.negative, x, settings)


@records(positive_p)
def positive(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``+x``, a copy of `x`.

    Example:
        >>> positive(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """
    return plainly(np.positive, x, settings)


@records(reciprocal_p)
def reciprocal(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``1 / x``.

    Example:
        >>> reciprocal(np.array([2.0, 4.0]))
        array([0.5 , 0.25])
    """
    return plainly(np.reciprocal, x, settings)


def remainder(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 % x2``, the remainder with the sign of the divisor. Its derivative by `x2` is ``-(x1 // x2)``.

    Example:
        >>> remainder(np.array([5.0, -5.0]), 3.0)
        array([2., 1.])
    """
    return of_two(remainder_p, np.remainder, x1, x2, settings)


def fmod(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the remainder of ``x1 / x2`` with the sign of the dividend. Its derivative by `x2` is ``-trunc(x1 / x2)``.

    Example:
        >>> fmod(np.array([5.0, -5.0]), 3.0)
        array([ 2., -2.])
    """
    return of_two(fmod_p, np.fmod, x1, x2, settings)


def floor_divide(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 // x2``, the largest whole number below the quotient: a constant to derivatives.

    Example:
        >>> floor_divide(np.array([5.0, -5.0]), 3.0)
        array([ 1., -2.])
    """
    return constant_of(floor_divide_p, np.floor_divide, settings, x1, x2)


# Other names that NumPy has for them

true_divide = divide
mod = remainder
