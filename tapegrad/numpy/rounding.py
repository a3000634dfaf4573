"""Rounding, and numbers taken apart. What is rounded has no derivative: under `grad` it is a plain array."""

from typing import Any, Literal, Unpack

import numpy as np

from tapegrad.core import structure
from tapegrad.core.var import Var, apply, unary
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.ufuncs import Settings, constant_of, of_two
from tapegrad.ops.arithmetic import floor_divide_p, remainder_p
from tapegrad.ops.rounding import (
    ceil_p,
    exponent_p,
    floor_p,
    fraction_p,
    ldexp_p,
    mantissa_p,
    nextafter_p,
    rint_p,
    round_p,
    spacing_p,
    trunc_p,
)
from tapegrad.typing import Array, ArrayLike, DTypeLike


def floor(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the largest integer that is not above each element.

    Example:
        >>> floor(np.array([-1.5, 1.5]))
        array([-2.,  1.])
    """
    return constant_of(floor_p, np.floor, settings, x)


def ceil(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the smallest integer that is not below each element.

    Example:
        >>> ceil(np.array([-1.5, 1.5]))
        array([-1.,  2.])
    """
    return constant_of(ceil_p, np.ceil, settings, x)


def trunc(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return each element without its fraction.

    Example:
        >>> trunc(np.array([-1.5, 1.5]))
        array([-1.,  1.])
    """
    return constant_of(trunc_p, np.trunc, settings, x)


def rint(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the nearest integer, on a tie the even one.

    Example:
        >>> rint(np.array([0.5, 1.5]))
        array([0., 2.])
    """
    return constant_of(rint_p, np.rint, settings, x)


def spacing(x: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the distance from each element to the next number of its dtype.

    Example:
        >>> spacing(1.0)
        np.float64(2.220446049250313e-16)
    """
    return constant_of(spacing_p, np.spacing, settings, x)


@stands_for(np.round, np.around)
def round(a: ArrayLike, decimals: int = 0, out: None = None) -> Array:
    """Return each element rounded to a number of decimals, on a tie to the even digit.

    Args:
        a: array of any shape.
        decimals: how many digits behind the point; negative ones count before it.
        out: not supported on traced values.

    Returns:
        An array of the shape of `a`.

    Example:
        >>> round(np.array([1.25, 1.375]), 1)
        array([1.2, 1.4])
    """
    y: Array
    x = gathered(a)
    if type(x) is not Var:
        y = np.round(x, decimals, plain_out(out, "round"))
        return y
    refuse_out(out, "round")
    y = apply(round_p, x, decimals=decimals)
    return y


@stands_for(np.fix)
def fix(x: ArrayLike, out: None = None) -> Array:
    """Return each element without its fraction, as `trunc` does.

    Args:
        x: array of any shape.
        out: not supported on traced values.

    Returns:
        An array of the shape of `x`.

    Example:
        >>> fix(np.array([-1.5, 1.5]))
        array([-1.,  1.])
    """
    y: Array
    given = gathered(x)
    if type(given) is not Var:
        y = np.fix(given, plain_out(out, "fix"))
        return y
    refuse_out(out, "fix")
    y = apply(trunc_p, given)
    return y


@stands_for(np.modf)
def modf(x: ArrayLike, /, **settings: Unpack[Settings]) -> tuple[Array, Array]:
    """Return fractions and whole parts; the derivative goes with the fractions.

    Example:
        >>> modf(np.array([1.5, -0.25]))
        (array([ 0.5 , -0.25]), array([ 1., -0.]))
    """
    given = gathered(x)
    if type(given) is not Var or settings:
        return np.modf(given, **settings)
    fraction = unary(fraction_p, given)
    if given.dtype.kind != "f":  # np.trunc leaves integers as they are, np.modf does not
        given = structure.astype(given, fraction.dtype)
    return fraction, apply(trunc_p, given)


@stands_for(np.frexp)
def frexp(x: ArrayLike, /, **settings: Unpack[Settings]) -> tuple[Array, Array]:
    """Return mantissas in ``[0.5, 1)`` and exponents of 2; the derivative goes with the mantissas.

    Example:
        >>> frexp(np.array([1.0, 12.0]))
        (array([0.5 , 0.75]), array([1, 4], dtype=int32))
    """
    given = gathered(x)
    if type(given) is not Var or settings:
        return np.frexp(given, **settings)
    return unary(mantissa_p, given), apply(exponent_p, given)


def ldexp(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return ``x1 * 2**x2`` for integers `x2`.

    Example:
        >>> ldexp(np.array([0.5, 0.75]), np.array([1, 4]))
        array([ 1., 12.])
    """
    return of_two(ldexp_p, np.ldexp, x1, x2, settings)


def nextafter(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the number next to `x1` in the direction of `x2`.

    Example:
        >>> nextafter(1.0, 2.0)
        np.float64(1.0000000000000002)
    """
    return of_two(nextafter_p, np.nextafter, x1, x2, settings)


@stands_for(np.divmod)
def divmod(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> tuple[Array, Array]:
    """Return ``(x1 // x2, x1 % x2)``; the derivative goes with the remainders.

    Example:
        >>> divmod(np.array([5.0, -5.0]), 3.0)
        (array([ 1., -2.]), array([2., 1.]))
    """
    if settings or not (type(x1) is Var or type(x2) is Var):
        return np.divmod(gathered(x1), gathered(x2), **settings)
    return apply(floor_divide_p, x1, x2), apply(remainder_p, x1, x2)


@stands_for(np.astype)
def astype(x: Array, dtype: DTypeLike, /, *, copy: bool = True, device: Literal["cpu"] | None = None) -> Array:
    """Return `x` with elements of another dtype; integers and booleans have no derivative.

    Args:
        x: array of any shape.
        dtype: the new dtype.
        copy: make a copy also where the dtype is the same; of a traced value only one that can be written is copied.
        device: None or "cpu".

    Returns:
        An array of the shape of `x`.

    Example:
        >>> astype(np.array([1.5, 2.5]), np.float32)
        array([1.5, 2.5], dtype=float32)
    """
    given: Any = x
    if type(given) is Var:
        same: Any = given
        y: Array = same if not copy and given.dtype == dtype else structure.astype(given, dtype)
        return y
    return np.astype(given, np.dtype(dtype), copy=copy, device=device)


# Another name that NumPy has for it

around = round
