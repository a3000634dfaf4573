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
    """Return ``x1 & x2``."""
    return constant_of(bitwise_and_p, np.bitwise_and, settings, x1, x2)


def bitwise_or(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 | x2``."""
    return constant_of(bitwise_or_p, np.bitwise_or, settings, x1, x2)


def bitwise_xor(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 ^ x2``."""
    return constant_of(bitwise_xor_p, np.bitwise_xor, settings, x1, x2)


def invert(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``~x``."""
    return constant_of(invert_p, np.invert, settings, x)


def left_shift(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 << x2``."""
    return constant_of(left_shift_p, np.left_shift, settings, x1, x2)


def right_shift(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 >> x2``."""
    return constant_of(right_shift_p, np.right_shift, settings, x1, x2)


def bitwise_count(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Count the bits that are 1 in the absolute value of each integer."""
    return constant_of(bitwise_count_p, np.bitwise_count, settings, x)


def gcd(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the greatest common divisor of integers."""
    return constant_of(gcd_p, np.gcd, settings, x1, x2)


def lcm(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the least common multiple of integers."""
    return constant_of(lcm_p, np.lcm, settings, x1, x2)


# Other names that NumPy has for them

bitwise_not = invert
bitwise_invert = invert
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift
