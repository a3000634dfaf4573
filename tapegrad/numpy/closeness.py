"""Questions about numbers and arrays. Their answers have no derivative: under `grad` they are plain."""

from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import is_traced
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.ops.compare import isclose_p, isneginf_p, isposinf_p
from tapegrad.typing import Array, ArrayLike


@stands_for(np.isclose)
def isclose(a: ArrayLike, b: ArrayLike, rtol: ArrayLike = 1e-05, atol: ArrayLike = 1e-08, equal_nan: bool = False) -> Array:
    """Tell where ``|a - b| <= atol + rtol * |b|``.

    Args:
        a: numbers.
        b: the numbers that they are compared with, of a shape that broadcasts with that of `a`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: NaN is close to NaN.

    Returns:
        Booleans, of the shape that `a` and `b` broadcast to.

    Example:
        >>> isclose(np.array([1.0, 2.0]), np.array([1.0 + 1e-9, 2.1]))
        array([ True, False])
    """
    close: Array
    a, b = gathered(a), gathered(b)
    if is_traced(rtol, atol):
        x, y = np.asarray(a) if type(a) is not Var else a, np.asarray(b) if type(b) is not Var else b
        relative: Any = rtol
        close = np.isfinite(y) & np.less_equal(np.abs(x - y), atol + relative * np.abs(y)) | np.equal(x, y)
        return close | (np.isnan(x) & np.isnan(y)) if equal_nan else close
    if type(a) is Var or type(b) is Var:
        close = apply(isclose_p, a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)
        return close
    return np.isclose(a, b, rtol, atol, equal_nan)


@stands_for(np.allclose)
def allclose(a: ArrayLike, b: ArrayLike, rtol: ArrayLike = 1e-05, atol: ArrayLike = 1e-08, equal_nan: bool = False) -> bool:
    """Tell whether `isclose` is true of all elements.

    Args:
        a: numbers.
        b: the numbers that they are compared with, of a shape that broadcasts with that of `a`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: NaN is close to NaN.

    Returns:
        A boolean.

    Example:
        >>> allclose(np.array([1.0, 2.0]), np.array([1.0, 2.1]))
        False
    """
    return whether(np.all(isclose(a, b, rtol, atol, equal_nan)))


@stands_for(np.array_equal)
def array_equal(a1: ArrayLike, a2: ArrayLike, equal_nan: bool = False) -> bool:
    """Tell whether two arrays have the same shape and the same elements.

    Args:
        a1: an array.
        a2: another.
        equal_nan: NaN is equal to NaN.

    Returns:
        A boolean.

    Example:
        >>> array_equal(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
        True
    """
    a, b = gathered(a1), gathered(a2)
    if type(a) is not Var and type(b) is not Var:
        return np.array_equal(a, b, equal_nan)
    if np.shape(a) != np.shape(b):
        return False
    same = np.equal(a, b)
    return whether(np.all(same | (np.isnan(a) & np.isnan(b)) if equal_nan else same))


@stands_for(np.array_equiv)
def array_equiv(a1: ArrayLike, a2: ArrayLike) -> bool:
    """Tell whether two arrays broadcast to the same shape, and have the same elements then.

    Args:
        a1: an array.
        a2: another.

    Returns:
        A boolean.

    Example:
        >>> array_equiv(np.array([1.0, 1.0]), 1.0)
        True
    """
    a, b = gathered(a1), gathered(a2)
    if type(a) is not Var and type(b) is not Var:
        return np.array_equiv(a, b)
    try:
        np.broadcast_shapes(shape_of(a), shape_of(b))
    except ValueError:
        return False
    return whether(np.all(np.equal(a, b)))


def whether(answer: Any) -> bool:
    """Return an answer as a Python boolean, where there is a value."""
    return answer if type(answer) is Var else bool(answer)  # type: ignore[return-value]  # a Var is what it stands for to checkers


@stands_for(np.isposinf)
def isposinf(x: ArrayLike, out: None = None) -> Array:
    """Tell where numbers are positive infinity.

    Args:
        x: array of any shape.
        out: not supported on traced values.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> isposinf(np.array([np.inf, -np.inf, 1.0]))
        array([ True, False, False])
    """
    y: Array
    given = gathered(x)
    if type(given) is not Var:
        y = np.isposinf(given, plain_out(out, "isposinf"))
        return y
    refuse_out(out, "isposinf")
    y = apply(isposinf_p, given)
    return y


@stands_for(np.isneginf)
def isneginf(x: ArrayLike, out: None = None) -> Array:
    """Tell where numbers are negative infinity.

    Args:
        x: array of any shape.
        out: not supported on traced values.

    Returns:
        Booleans, of the shape of `x`.

    Example:
        >>> isneginf(np.array([np.inf, -np.inf, 1.0]))
        array([False,  True, False])
    """
    y: Array
    given = gathered(x)
    if type(given) is not Var:
        y = np.isneginf(given, plain_out(out, "isneginf"))
        return y
    refuse_out(out, "isneginf")
    y = apply(isneginf_p, given)
    return y


@stands_for(np.isreal)
def isreal(x: ArrayLike) -> Array:
    """Tell where the imaginary part is 0.

    Example:
        >>> isreal(np.array([1.0 + 1.0j, 2.0]))
        array([False,  True])
    """
    given = gathered(x)
    y: Array = np.equal(np.imag(given), 0) if type(given) is Var else np.isreal(given)
    return y


@stands_for(np.iscomplex)
def iscomplex(x: ArrayLike) -> Array:
    """Tell where the imaginary part is not 0.

    Example:
        >>> iscomplex(np.array([1.0 + 1.0j, 2.0]))
        array([ True, False])
    """
    given = gathered(x)
    y: Array = np.not_equal(np.imag(given), 0) if type(given) is Var else np.iscomplex(given)
    return y


@stands_for(np.isrealobj)
def isrealobj(x: ArrayLike) -> bool:
    """Tell whether the dtype is not complex.

    Example:
        >>> isrealobj(np.array([1.0]))
        True
    """
    return not iscomplexobj(x)


@stands_for(np.iscomplexobj)
def iscomplexobj(x: ArrayLike) -> bool:
    """Tell whether the dtype is complex.

    Example:
        >>> iscomplexobj(np.array([1.0 + 1.0j]))
        True
    """
    given = gathered(x)
    return dtype_of(given).kind == "c" if type(given) is Var else np.iscomplexobj(given)
