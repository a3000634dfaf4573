"""Choices between values, element by element: where, the larger and the smaller, clip."""

from typing import Any, Unpack, cast, overload

import numpy as np

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import own
from tapegrad.numpy.arguments import is_traced
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.ufuncs import Settings, of_two
from tapegrad.ops.choice import clip_p, fmax_p, fmin_p, maximum_p, minimum_p, nan_to_num_p, where_p
from tapegrad.typing import Array, ArrayLike


@overload
def where(condition: ArrayLike, /) -> tuple[Array, ...]: ...
@overload
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike, /) -> Array: ...
@stands_for(np.where)
def where(condition: ArrayLike, x: ArrayLike | None = None, y: ArrayLike | None = None, /) -> Any:
    """Return elements of `x` where the condition is true, and of `y` elsewhere.

    What is not chosen gets no derivative, and does no harm either: ``where(x > 0, sqrt(x), 0.0)`` has derivative 0 at 0.

    Args:
        condition: booleans, of a shape that broadcasts with those of `x` and `y`.
        x: values to choose where it is true.
        y: values to choose where it is not.

    Returns:
        An array of the shape that the three broadcast to. With a condition only, the indices where it is true.

    Raises:
        ValueError: if one of `x` and `y` is given without the other, or the shapes do not broadcast.

    Example:
        >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0.0)
        array([1., 0.])
    """
    if type(x) is Var or type(y) is Var or type(condition) is Var:
        if x is not None and y is not None:
            return apply(where_p, condition, x, y)
        if x is not None or y is not None:
            raise ValueError("either both or neither of x and y should be given")
        return FUNCTIONS[np.nonzero](condition)
    values = [gathered(a) for a in (condition, x, y)]
    return np.where(*values[:1] if x is None and y is None else values)


def maximum(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the larger of two numbers, NaN where one is NaN. On a tie each has slope 1/2.

    Example:
        >>> maximum(np.array([-1.0, 2.0]), 0.0)
        array([0., 2.])
    """
    return of_two(maximum_p, np.maximum, x1, x2, settings)


def minimum(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the smaller of two numbers, NaN where one is NaN. On a tie each has slope 1/2.

    Example:
        >>> minimum(np.array([-1.0, 2.0]), 0.0)
        array([-1.,  0.])
    """
    return of_two(minimum_p, np.minimum, x1, x2, settings)


def fmax(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the larger of two numbers, and the number where one is NaN. On a tie each has slope 1/2.

    Example:
        >>> fmax(np.array([-1.0, np.nan]), 0.0)
        array([0., 0.])
    """
    return of_two(fmax_p, np.fmax, x1, x2, settings)


def fmin(x1: ArrayLike, x2: ArrayLike, /, **settings: Unpack[Settings]) -> Array:
    """Return the smaller of two numbers, and the number where one is NaN. On a tie each has slope 1/2.

    Example:
        >>> fmin(np.array([-1.0, np.nan]), 0.0)
        array([-1.,  0.])
    """
    return of_two(fmin_p, np.fmin, x1, x2, settings)


ABSENT: Any = np._NoValue
# As NumPy's own signature has it, where None means that there is no bound


@stands_for(np.clip)
def clip(
    a: ArrayLike,
    a_min: ArrayLike | None = ABSENT,
    a_max: ArrayLike | None = ABSENT,
    out: None = None,
    *,
    min: ArrayLike | None = ABSENT,
    max: ArrayLike | None = ABSENT,
    **settings: Any,
) -> Array:
    """Return ``minimum(maximum(a, a_min), a_max)``, with its derivatives: at a bound, half goes to each.

    Args:
        a: array of any shape.
        a_min: lower bounds, of a shape that broadcasts with that of `a`; None for no bound.
        a_max: upper bounds, likewise.
        out: not supported on traced values.
        min: the Array-API name of `a_min`.
        max: the Array-API name of `a_max`.
        settings: other keyword arguments of NumPy's ufuncs.

    Returns:
        The clipped array.

    Raises:
        ValueError: if a bound is given under both names.
        TypeError: if only one of `a_min` and `a_max` is given (None says that there is none).

    Example:
        >>> clip(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0)
        array([-1. ,  0.5,  1. ])
    """
    y: Array
    if not any(type(x) in (Var, list, tuple) for x in (a, a_min, a_max, min, max)):
        y = np.clip(a, a_min, a_max, plain_out(out, "clip"), min=min, max=max, **settings)
        return y
    x = gathered(a)
    low, high = [gathered(bound) for bound in bounds(a_min, a_max, min, max)]
    if not is_traced(x, low, high):
        y = np.clip(x, low, high, plain_out(out, "clip"), **settings)
        return y
    refuse_out(out, "clip")
    if low is None or high is None or settings:
        y = own(x) if low is None else np.maximum(x, low, **settings)
        return y if high is None else np.minimum(y, high, **settings)
    y = apply(clip_p, x, low, high)
    return y


def bounds(a_min: Any, a_max: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the bounds that a call of `clip` gave, under either pair of names, None where there is none.

    Raises:
        ValueError: if both pairs of names are used.
        TypeError: if only one of `a_min` and `a_max` is given.
    """
    if a_min is ABSENT and a_max is ABSENT:
        return None if low is ABSENT else low, None if high is ABSENT else high
    if a_min is ABSENT or a_max is ABSENT:
        raise TypeError(f"clip: '{'a_min' if a_min is ABSENT else 'a_max'}' is missing; give None for no bound")
    if low is not ABSENT or high is not ABSENT:
        raise ValueError("clip: give either a_min and a_max, or min and max, not both")
    return a_min, a_max


@stands_for(np.nan_to_num)
def nan_to_num(
    x: ArrayLike, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Return `x` with finite numbers in the place of NaN and infinities. What was replaced has derivative 0.

    Args:
        x: array of any shape.
        copy: False replaces them in `x` itself, if it can be written.
        nan: what NaN becomes.
        posinf: what positive infinity becomes; by default the largest number of the dtype.
        neginf: what negative infinity becomes; by default the most negative number of the dtype.

    Returns:
        An array of the shape of `x`.

    Raises:
        ValueError: if `copy` is False and `x` is a traced value that cannot be written.

    Example:
        >>> nan_to_num(np.array([np.nan, 1.0, np.inf]), posinf=9.0)
        array([0., 1., 9.])
    """
    given: Any = gathered(x)
    if type(given) is not Var:
        plain: Array = np.nan_to_num(given, copy, nan, posinf, neginf)
        return plain
    if not copy and given.link is None:
        raise ValueError(
            "nan_to_num: copy=False was asked for of a traced value that was computed, or is an argument of the transform, and "
            "values on the tape do not change; use the result, or copy=False with an array made by tapegrad.numpy.copy(x)"
        )
    y: Array = apply(nan_to_num_p, given, nan=nan, posinf=posinf, neginf=neginf)
    if not copy:
        given[...] = y
    return y if copy else cast(Array, given)
