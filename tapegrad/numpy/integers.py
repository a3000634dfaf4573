"""Functions of integers. Their results have no derivative: under `grad` they are plain arrays."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, constant_of
from tapegrad.ops.compare import (
    bitwise_and_p,
    bitwise_count_p,
    bitwise_or_p,
    bitwise_xor_p,
    gcd_p,
    invert_p,
    lcm_p,
    left_shift_p,
    right_shift_p,
)
from tapegrad.typing import Array, ArrayLike


def bitwise_and(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 & x2``.

    Example:
        >>> bitwise_and(np.array([6, 3]), 1)
        array([0, 1])
    """
    return constant_of(bitwise_and_p, np.bitwise_and, settings, x1, x2)


def bitwise_or(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 | x2``.

    Example:
        >>> bitwise_or(np.array([6, 3]), 1)
        array([7, 3])
    """
    return constant_of(bitwise_or_p, np.bitwise_or, settings, x1, x2)


def bitwise_xor(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 ^ x2``.

    Example:
        >>> bitwise_xor(np.array([6, 3]), 1)
        array([7, 2])
    """
    return constant_of(bitwise_xor_p, np.bitwise_xor, settings, x1, x2)


def invert(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``~x``.

    Example:
        >>> invert(np.array([0, 5]))
        array([-1, -6])
    """
    return constant_of(invert_p, np.invert, settings, x)


def left_shift(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 << x2``.

    Example:
        >>> left_shift(np.array([6, 3]), 1)
        array([12,  6])
    """
    return constant_of(left_shift_p, np.left_shift, settings, x1, x2)


def right_shift(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 >> x2``.

    Example:
        >>> right_shift(np.array([6, 3]), 1)
        array([3, 1])
    """
    return constant_of(right_shift_p, np.right_shift, settings, x1, x2)


def bitwise_count(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Count the bits that are 1 in the absolute value of each integer.

    Example:
        >>> bitwise_count(np.array([1, 7]))
        array([1, 3], dtype=uint8)
    """
    return constant_of(bitwise_count_p, np.bitwise_count, settings, x)


def gcd(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the greatest common divisor of integers.

    Example:
        >>> gcd(np.array([4, 6]), 6)
        array([2, 6])
    """
    return constant_of(gcd_p, np.gcd, settings, x1, x2)


def lcm(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the least common multiple of integers.

    Example:
        >>> lcm(np.array([4, 6]), 6)
        array([12,  6])
    """
    return constant_of(lcm_p, np.lcm, settings, x1, x2)


# Other names that NumPy has for them

bitwise_not = invert
bitwise_invert = invert
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift
