"""Creation: arrays from numbers, shapes and nested lists.

While a tape records, `zeros`, `ones`, `empty`, `full`, their ``_like`` forms, `array` and `copy` return arrays that can be
written, element by element or in slices, with the right derivative: ``out[i] = v``, ``out[i] += v``, ``out *= v``. Arrays of
integers and booleans have no derivative, and stay NumPy's own.
"""

from typing import Any, Literal

import numpy as np

from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import in_memory, record, writable
from tapegrad.numpy.arguments import memory_order
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.joins import pack
from tapegrad.ops.create import copy_p, full_p
from tapegrad.typing import Array, ArrayLike, DTypeLike, Shape

Order = Literal["C", "F"]
OrderLike = Literal["K", "A", "C", "F"]

FUNCTIONS[np.array] = pack


def lengths(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple."""
    return tuple([int(n) for n in shape]) if np.iterable(shape) else (int(shape),)


def fill(value: Any, shape: Any, dtype: Any, order: Any) -> Array | None:
    """Record an array filled with a value, if a tape records and the array has a derivative; otherwise return None."""
    tape = CURRENT.get()
    dtype = np.dtype(dtype)
    if tape is None or dtype.kind not in "fc":
        return None
    settings = {"shape": lengths(shape), "dtype": dtype}
    if order != "C" and memory_order(order, "C") == "F":
        settings["order"] = "F"
    made: Array = writable(apply(full_p, value, **settings) if type(value) is Var else record(tape, full_p, value, settings))
    return made


def order_like(a: Any, order: Any) -> str:
    """Return 'C' or 'F' for the order of an array that is to be like another one."""
    letter: str = memory_order(order, "K")
    if letter in ("K", "A"):
        value = in_memory(a) if type(a) is Var else a
        return "F" if isinstance(value, np.ndarray) and value.flags.fnc else "C"
    return letter


# One value


def zeros(
    shape: Shape, dtype: DTypeLike | None = None, order: Order = "C", *, device: Any = None, like: ArrayLike | None = None
) -> Array:
    """Return an array of zeros; while a tape records, one that can be written.

    Args:
        shape: its shape.
        dtype: its dtype, float by default.
        order: how its elements lie in memory.
        device: "cpu" or None.
        like: not used.

    Example:
        >>> from tapegrad import grad
        >>> def f(x):
        ...     out = zeros(3)
        ...     for i in range(3):
        ...         out[i] = x[i] ** 2
        ...     return out.sum()
        >>> grad(f)(np.array([1.0, 2.0, 3.0]))
        array([2., 4., 6.])
    """
    made = fill(0.0, shape, dtype or float, order)
    return np.zeros(shape, dtype, order, device=device) if made is None else made


def ones(
    shape: Shape, dtype: DTypeLike | None = None, order: Order = "C", *, device: Any = None, like: ArrayLike | None = None
) -> Array:
    """Return an array of ones; while a tape records, one that can be written. Arguments as for `zeros`.

    Example:
        >>> ones((1, 2))
        array([[1., 1.]])
    """
    made = fill(1.0, shape, dtype or float, order)
    return np.ones(shape, dtype, order, device=device) if made is None else made


def empty(
    shape: Shape, dtype: DTypeLike | None = None, order: Order = "C", *, device: Any = None, like: ArrayLike | None = None
) -> Array:
    """Return an array to be filled; while a tape records, one of zeros that can be written. Arguments as for `zeros`.

    Example:
        >>> empty((1, 2)).shape
        (1, 2)
    """
    made = fill(0.0, shape, dtype or float, order)
    return np.empty(shape, dtype, order, device=device) if made is None else made


def full(
    shape: Shape,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    order: Order = "C",
    *,
    device: Any = None,
    like: ArrayLike | None = None,
) -> Array:
    """Return an array filled with a value; while a tape records, one that can be written.

    Args:
        shape: its shape.
        fill_value: a number, or an array that broadcasts to that shape.
        dtype: its dtype, that of the value by default.
        order: how its elements lie in memory.
        device: "cpu" or None.
        like: not used.

    Example:
        >>> full(2, 7.0)
        array([7., 7.])
    """
    value: Any = gathered(fill_value)
    if type(value) is not Var:
        value = np.asarray(value)
    made = fill(value, shape, value.dtype if dtype is None else dtype, order)
    if made is not None:
        return made
    value = value.value if type(value) is Var else value
    return np.full(shape, value, dtype, order, device=device)


# One value, like another array


@stands_for(np.zeros_like)
def zeros_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: OrderLike = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: Any = None,
) -> Array:
    """Return zeros of the shape and dtype of `a`, where no others are given; while a tape records, they can be written.

    Example:
        >>> zeros_like(np.array([1.0, 2.0]))
        array([0., 0.])
    """
    return full_like(a, 0, dtype, order, subok, shape, device=device)


@stands_for(np.ones_like)
def ones_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    order: OrderLike = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: Any = None,
) -> Array:
    """Return ones of the shape and dtype of `a`, where no others are given; while a tape records, they can be written.

    Example:
        >>> ones_like(np.array([3.0, 4.0]))
        array([1., 1.])
    """
    return full_like(a, 1, dtype, order, subok, shape, device=device)


@stands_for(np.empty_like)
def empty_like(
    prototype: ArrayLike,
    /,
    dtype: DTypeLike | None = None,
    order: OrderLike = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: Any = None,
) -> Array:
    """Return an array to be filled, of the shape and dtype of `prototype`, where no others are given.

    Example:
        >>> empty_like(np.zeros((2, 3))).shape
        (2, 3)
    """
    return full_like(prototype, 0, dtype, order, subok, shape, device=device)


@stands_for(np.full_like)
def full_like(
    a: ArrayLike,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    order: OrderLike = "K",
    subok: bool = True,
    shape: Shape | None = None,
    *,
    device: Any = None,
) -> Array:
    """Return an array filled with a value, of the shape and dtype of `a`, where no others are given.

    While a tape records, it can be written.

    Args:
        a: an array.
        fill_value: a number, or an array that broadcasts to the shape.
        dtype: the dtype.
        order: how its elements lie in memory: as those of `a` by default.
        subok: keep a subclass of ndarray.
        shape: the shape.
        device: "cpu" or None.

    Example:
        >>> full_like(np.array([1.0, 2.0]), 7)
        array([7., 7.])
    """
    x: Any = gathered(a)
    value: Any = gathered(fill_value)
    x = x if type(x) is Var else np.asanyarray(x)
    value = value if type(value) is Var else np.asarray(value)
    made = fill(value, x.shape if shape is None else shape, dtype or x.dtype, order_like(x, order))
    if made is not None:
        return made
    x, value = (part.value if type(part) is Var else part for part in (x, value))
    return np.full_like(x, value, dtype, order, subok, shape, device=device)


# What is there already


def array(
    object: Any,
    dtype: DTypeLike | None = None,
    *,
    copy: bool | None = True,
    order: OrderLike | None = "K",
    subok: bool = False,
    ndmin: int = 0,
    ndmax: int = 0,
    like: ArrayLike | None = None,
) -> Array:
    """Return an array of the elements of `object`; while a tape records, one that can be written.

    Args:
        object: an array, a number, or nested lists of them, with traced values among them.
        dtype: the dtype; what holds all elements by default.
        copy: True for an array of its own, None for one only where it is needed, False to raise where it is.
        order: how the elements lie in memory.
        subok: keep a subclass of ndarray.
        ndmin: how many axes there are at least; new ones come first.
        ndmax: how many levels of lists become axes, on plain values (NumPy 2.4); 0 for all.
        like: not used.

    Raises:
        ValueError: if nested lists are ragged.

    Example:
        >>> from tapegrad import grad
        >>> grad(lambda x: (array([x, x * x]) * array([1.0, 10.0])).sum())(3.0)
        np.float64(61.0)
    """
    x = pack(object) if isinstance(object, (list, tuple)) and type(gathered(object)) is Var else object
    fresh = x is not object
    if type(x) is not Var:
        most: Any = {"ndmax": ndmax} if ndmax else {}
        made = np.array(x, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin, **most)
        tape = CURRENT.get()
        if tape is not None and copy and made.dtype.kind in "fc" and type(made) is np.ndarray:
            made = writable(record(tape, copy_p, made, {}))
        plain: Array = made
        return plain
    order = order if order == "K" else memory_order(order, "K")
    if dtype is not None and np.dtype(dtype) != x.dtype:
        x, fresh = astype(x, dtype), True
    if type(x) is Var and x.ndim < ndmin:
        x = x.reshape((1,) * (ndmin - x.ndim) + x.shape)
    lies_so = copy is True or lies_in(x, order)
    if copy is False and (fresh or not lies_so):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    y: Array = own(x, order) if copy or fresh or not lies_so else x
    return y


def lies_in(x: Any, order: Any) -> bool:
    """Tell whether a traced value lies in memory in the given order, or none in particular is asked for."""
    if order not in ("C", "F"):
        return True
    flags = in_memory(x).flags
    return bool(flags.c_contiguous if order == "C" else flags.f_contiguous)


def own(x: Any, order: Any = "K") -> Any:
    """Return a copy that can be written of a traced value; integers and booleans come as they are."""
    if type(x) is not Var or x.dtype.kind not in "fc":
        return x
    if order == "K" or (order == "C" and in_memory(x).flags.c_contiguous):
        return writable(apply(copy_p, x))
    return writable(apply(copy_p, x, order=order_like(x, order)))


@stands_for(np.copy)
def copy(a: ArrayLike, order: OrderLike | None = "K", subok: bool = False) -> Array:
    """Return a copy of `a`; while a tape records, one that can be written.

    Example:
        >>> from tapegrad import grad
        >>> def f(x):
        ...     y = copy(x)
        ...     y[0] *= 10
        ...     return y.sum()
        >>> grad(f)(np.array([1.0, 2.0]))
        array([10.,  1.])
    """
    return array(a, copy=True, order=order, subok=subok)
