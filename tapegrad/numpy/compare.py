"""Comparisons and tests. Their results have no derivative: under `grad` they are plain arrays."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, constant_of
from tapegrad.ops.compare import (
    equal_p,
    greater_equal_p,
    greater_p,
    isfinite_p,
    isinf_p,
    isnan_p,
    less_equal_p,
    less_p,
    logical_and_p,
    logical_not_p,
    logical_or_p,
    logical_xor_p,
    not_equal_p,
)
from tapegrad.typing import Array, ArrayLike


def equal(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 == x2``.

    Example:
        >>> equal(np.array([1.0, 2.0]), 2.0)
        array([False,  True])
    """
    return constant_of(equal_p, np.equal, settings, x1, x2)


def not_equal(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 != x2``.

    Example:
        >>> not_equal(np.array([1.0, 2.0]), 2.0)
        array([ True, False])
    """
    return constant_of(not_equal_p, np.not_equal, settings, x1, x2)


def less(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 < x2``.

    Example:
        >>> less(np.array([1.0, 2.0]), 2.0)
        array([ True, False])
    """
    return constant_of(less_p, np.less, settings, x1, x2)


def less_equal(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 <= x2``.

    Example:
        >>> less_equal(np.array([1.0, 2.0]), 2.0)
        array([ True,  True])
    """
    return constant_of(less_equal_p, np.less_equal, settings, x1, x2)


def greater(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 > x2``.

    Example:
        >>> greater(np.array([1.0, 2.0]), 2.0)
        array([False, False])
    """
    return constant_of(greater_p, np.greater, settings, x1, x2)


def greater_equal(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 >= x2``.

    Example:
        >>> greater_equal(np.array([1.0, 2.0]), 2.0)
        array([False,  True])
    """
    return constant_of(greater_equal_p, np.greater_equal, settings, x1, x2)


def logical_and(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where both arguments are true.

    Example:
        >>> logical_and(np.array([True, False]), np.array([True, True]))
        array([ True, False])
    """
    return constant_of(logical_and_p, np.logical_and, settings, x1, x2)


def logical_or(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where one argument, or both, is true.

    Example:
        >>> logical_or(np.array([True, False]), np.array([True, True]))
        array([ True,  True])
    """
    return constant_of(logical_or_p, np.logical_or, settings, x1, x2)


def logical_xor(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where one argument, and not both, is true.

    Example:
        >>> logical_xor(np.array([True, False]), np.array([True, True]))
        array([False,  True])
    """
    return constant_of(logical_xor_p, np.logical_xor, settings, x1, x2)


def logical_not(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where the argument is false.

    Example:
        >>> logical_not(np.array([True, False]))
        array([False,  True])
    """
    return constant_of(logical_not_p, np.logical_not, settings, x)


def isfinite(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where numbers are neither infinite nor NaN.

    Example:
        >>> isfinite(np.array([1.0, np.inf]))
        array([ True, False])
    """
    return constant_of(isfinite_p, np.isfinite, settings, x)


def isinf(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where numbers are infinite.

    Example:
        >>> isinf(np.array([1.0, np.inf]))
        array([False,  True])
    """
    return constant_of(isinf_p, np.isinf, settings, x)


def isnan(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Tell where numbers are NaN.

    Example:
        >>> isnan(np.array([1.0, np.nan]))
        array([False,  True])
    """
    return constant_of(isnan_p, np.isnan, settings, x)
