"""Selection: elements picked from several arrays, or from one, by conditions and by choices."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, shape_of
from tapegrad.core.origins import depends_on_abstract
from tapegrad.core.putting import choose as put_choice
from tapegrad.core.putting import put
from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import concrete, in_common_dtype, plain
from tapegrad.numpy.choice import where
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.indexing import read, take, take_along_axis
from tapegrad.numpy.joins import stack
from tapegrad.numpy.shapes import ndim, ravel
from tapegrad.typing import Array, ArrayLike


@stands_for(np.select)
def select(condlist: Sequence[ArrayLike], choicelist: Sequence[ArrayLike], default: ArrayLike = 0) -> Array:
    """Return elements of the first array in `choicelist` whose condition is true, and of `default` where none is.

    Args:
        condlist: boolean arrays.
        choicelist: as many arrays; all broadcast together.
        default: a number or array.

    Returns:
        The elements, of the shape that all arguments broadcast to.

    Raises:
        ValueError: if the lists differ in length, or are empty.
        TypeError: if a condition is not boolean.

    Example:
        >>> x = np.array([-2.0, 0.5, 3.0])
        >>> select([x < 0, x > 1], [-x, x * x], 7.0)
        array([2., 7., 9.])
    """
    conditions: list[Any] = [gathered(c) for c in condlist]
    choices: list[Any] = [gathered(x) for x in choicelist]
    y: Any = gathered(default)
    if not any(type(x) is Var for x in (*conditions, *choices, y)):
        return np.select(conditions, choices, y)
    if len(conditions) != len(choices):
        raise ValueError("list of cases must be same length as list of conditions")
    if not conditions:
        raise ValueError("select with an empty condition list is not possible")
    for k, c in enumerate(conditions):
        if dtype_of(c).kind != "b":
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    for c, x in zip(reversed(conditions), reversed(choices), strict=True):
        y = where(c, x, y)
    selected: Array = y
    return selected


@stands_for(np.choose)
def choose(
    a: ArrayLike, choices: Sequence[ArrayLike] | Array, out: None = None, mode: Literal["raise", "wrap", "clip"] = "raise"
) -> Array:
    """Return, at each place, the element of the array whose number stands there in `a`.

    Args:
        a: integers.
        choices: arrays, which broadcast together with `a`.
        out: not supported on traced values.
        mode: what a number does that is out of range: raise, wrap around, or clip. Numbers that are traced under `vmap` or
            `jit` are not checked.

    Returns:
        The elements, of the shape that `a` and `choices` broadcast to.

    Raises:
        ValueError: if a number is out of range and `mode` is 'raise'.

    Example:
        >>> choose([0, 1, 1], [np.array([1.0, 2.0, 3.0]), 10.0])
        array([ 1., 10., 10.])
    """
    numbers: Any = gathered(a)
    found: list[Any] = [gathered(x) for x in choices]
    if not any(type(x) is Var for x in (numbers, *found)):
        chosen: Array = np.choose(numbers, found, plain_out(out, "choose"), mode)
        return chosen
    refuse_out(out, "choose")
    count = len(found)
    numbers = numbers if type(numbers) is Var else np.asarray(numbers)
    if not np.can_cast(numbers.dtype, np.intp, "safe"):
        raise TypeError(f"Cannot cast array data from {numbers.dtype!r} to {np.dtype(np.intp)!r} according to the rule 'safe'")
    if numbers.dtype == bool:
        numbers = astype(numbers, np.intp)  # to NumPy booleans are 0 and 1 here, no mask
    if mode == "wrap":
        numbers = numbers % count
    elif mode == "clip":
        numbers = np.clip(numbers, 0, count - 1)
    elif type(numbers) is not Var and ((numbers < 0) | (numbers >= count)).any():
        raise ValueError("invalid entry in choice array")
    shape = np.broadcast_shapes(shape_of(numbers), *[shape_of(x) for x in found])
    together = stack([broadcast_to(x, shape) for x in in_common_dtype(found)])
    if not shape:
        return read(together, numbers)
    return read(take_along_axis(together, broadcast_to(numbers, shape)[None], 0), 0)


@stands_for(np.piecewise)
def piecewise(x: ArrayLike, condlist: Any, funclist: Sequence[Callable[..., Any] | ArrayLike], *args: Any, **kw: Any) -> Array:
    """Return a function that is defined piece by piece, of the elements of `x`.

    Args:
        x: an array.
        condlist: boolean arrays of its shape.
        funclist: for each condition a function, which is called on the elements where the condition is true, or a number; one
            more is for where no condition is true, 0 by default. Later conditions go before earlier ones.
        args: further arguments of the functions.
        kw: further keyword arguments of the functions.

    Returns:
        The values, of the shape of `x`.

    Raises:
        ValueError: if the lists do not fit.

    Example:
        >>> piecewise(np.array([-2.0, 3.0]), [np.array([True, False])], [lambda x: -x, lambda x: x * x])
        array([2., 9.])
    """
    values: Any = gathered(x)
    conditions: Any = condlist
    if type(values) is not Var and type(gathered(conditions)) is not Var:
        return plain(np.piecewise, values, conditions, funclist, *args, **kw)
    values = values if type(values) is Var else np.asarray(values)
    depth = ndim(conditions)
    conditions = [conditions] if depth == 0 or (depth == 1 and values.ndim) else list(conditions)
    count = len(funclist)
    if count == len(conditions) + 1:
        rest: Any = conditions[0]
        for c in conditions[1:]:
            rest = rest | c
        conditions.append(~rest if type(rest) is Var else ~np.asarray(rest))
    elif count != len(conditions):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} functions are expected"
        )
    y: Any = np.zeros(shape_of(values), dtype_of(values))
    for c, f in zip(conditions, funclist, strict=True):
        if type(c) is Var and depends_on_abstract(c):
            y = put_choice(y, c, f(values, *args, **kw) if callable(f) else f)
            continue
        mask = np.asarray(concrete(c, "piecewise"), bool)
        if not callable(f):
            y = put(y, mask, f)
        elif mask.any():
            y = put(y, mask, f(values[mask], *args, **kw))
    pieces: Array = y
    return pieces


# From one array


@stands_for(np.compress)
def compress(condition: ArrayLike, a: ArrayLike, axis: int | None = None, out: None = None) -> Array:
    """Return the slices along an axis for which a condition is true.

    Args:
        condition: booleans, one for each slice; those that are missing count as false.
        a: an array.
        axis: the axis; None takes `a` flattened.
        out: not supported on traced values.

    Returns:
        The shape of `a`, with as many slices along the axis as are true; a vector for None.

    Raises:
        ConcretizationError: under `vmap` and `jit`, if the condition is traced: the length is not known there.

    Example:
        >>> compress([False, True], np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([[3., 4.]])
    """
    x: Any = gathered(a)
    picked: Any = gathered(condition)
    if type(x) is not Var and type(picked) is not Var:
        compressed: Array = np.compress(picked, x, axis, plain_out(out, "compress"))
        return compressed
    refuse_out(out, "compress")
    mask = np.asarray(concrete(picked, "compress"))
    if mask.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return take(x, np.flatnonzero(mask), axis)


@stands_for(np.extract)
def extract(condition: ArrayLike, arr: ArrayLike) -> Array:
    """Return the elements for which a condition is true, as a vector.

    Args:
        condition: an array of booleans, of the size of `arr`.
        arr: an array.

    Returns:
        Shape ``(n,)`` for `n` true elements.

    Raises:
        ConcretizationError: under `vmap` and `jit`, if the condition is traced: the length is not known there.

    Example:
        >>> extract([True, False, True], np.array([1.0, 2.0, 3.0]))
        array([1., 3.])
    """
    x: Any = gathered(arr)
    picked: Any = gathered(condition)
    if type(x) is not Var and type(picked) is not Var:
        return np.extract(picked, x)
    return take(ravel(x), np.flatnonzero(concrete(picked, "extract")))
