"""Exponentials and logarithms, element by element."""

from typing import Unpack

import numpy as np

from tapegrad.numpy.ufuncs import Settings, of_two, plainly, records
from tapegrad.ops.exponentials import exp2_p, exp_p, expm1_p, log1p_p, log2_p, log10_p, log_p, logaddexp2_p, logaddexp_p
from tapegrad.typing import Array, ArrayLike


@records(exp_p)
def exp(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``e ** x``.

    Example:
        >>> exp(np.array([0.0, 1.0]))
        array([1.        , 2.71828183])
    """
    return plainly(np.exp, x, settings)


@records(exp2_p)
def exp2(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``2 ** x``.

    Example:
        >>> exp2(np.array([0.0, 3.0]))
        array([1., 8.])
    """
    return plainly(np.exp2, x, settings)


@records(expm1_p)
def expm1(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``exp(x) - 1``, accurate near 0 too.

    Example:
        >>> expm1(np.array([0.0, 1e-12]))
        array([0.e+00, 1.e-12])
    """
    return plainly(np.expm1, x, settings)


@records(log_p)
def log(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the natural logarithm of each element.

    Example:
        >>> log(np.array([1.0, np.e]))
        array([0., 1.])
    """
    return plainly(np.log, x, settings)


@records(log2_p)
def log2(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the logarithm to base 2.

    Example:
        >>> log2(np.array([1.0, 8.0]))
        array([0., 3.])
    """
    return plainly(np.log2, x, settings)


@records(log10_p)
def log10(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the logarithm to base 10.

    Example:
        >>> log10(np.array([1.0, 100.0]))
        array([0., 2.])
    """
    return plainly(np.log10, x, settings)


@records(log1p_p)
def log1p(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``log(1 + x)``, accurate near 0 too.

    Example:
        >>> log1p(np.array([0.0, 1e-12]))
        array([0.e+00, 1.e-12])
    """
    return plainly(np.log1p, x, settings)


def logaddexp(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``log(exp(x1) + exp(x2))``, safe from overflow. Where both are the same infinity, each has slope 1/2.

    Example:
        >>> logaddexp(np.array([1000.0, -np.inf]), np.array([1000.0, 3.0]))
        array([1000.69314718,    3.        ])
    """
    return of_two(logaddexp_p, np.logaddexp, x1, x2, settings)


def logaddexp2(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``log2(2**x1 + 2**x2)``, safe from overflow. Where both are the same infinity, each has slope 1/2.

    Example:
        >>> logaddexp2(np.array([100.0, 0.0]), np.array([100.0, 0.0]))
        array([101.,   1.])
    """
    return of_two(logaddexp2_p, np.logaddexp2, x1, x2, settings)
