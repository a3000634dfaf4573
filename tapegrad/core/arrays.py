"""The closed set: the few operations that rules are written in besides NumPy's own.

Each works on arrays and, recorded, on traced values; their own derivatives need nothing outside this set and NumPy.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.primitive import OUT, Into, Primitive, Slot, case, no_cotangent
from tapegrad.core.var import Var, apply

ndarray = np.ndarray


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of an array, a traced value, a Python number or a list of such."""
    try:
        return x.shape  # type: ignore[no-any-return]  # NumPy's
    except AttributeError:
        return np.shape(x) if isinstance(x, (list, tuple)) else ()


def dtype_of(x: Any) -> np.dtype[Any]:
    """Return the dtype of an array, a traced value or a Python number."""
    try:
        return x.dtype  # type: ignore[no-any-return]  # NumPy's
    except AttributeError:
        return np.asarray(x).dtype


def has_own_arithmetic(x: Any) -> bool:
    """Tell whether an array computes in another way than a plain one, as masked arrays and matrices do.

    To trace such a one as the plain array in it would silently drop its mask, or take matrix products for elementwise ones.
    """
    ways = ("__array_ufunc__", "__array_function__", "__add__", "__mul__", "__matmul__", "__pow__")
    return (
        type(x) is not ndarray
        and isinstance(x, ndarray)
        and any(getattr(type(x), way) is not getattr(ndarray, way) for way in ways)
    )


def own_arithmetic(who: str, x: Any) -> TypeError:
    """Return the error for such an array; `who` names the transform and the leaf."""
    way = "x.filled(value), or x.data and x.mask as two" if isinstance(x, np.ma.MaskedArray) else "numpy.asarray(x)"
    return TypeError(
        f"{who} is a {type(x).__module__}.{type(x).__name__}, whose arithmetic is not that of arrays; arguments are arrays and "
        f"numbers. Pass {way}"
    )


# Broadcasting and its transpose


@lru_cache(64)
def ones(count: int, dtype: np.dtype[Any]) -> Any:
    """Return a vector of ones that is nobody's to write to."""
    column = np.ones(count, dtype)
    column.flags.writeable = False
    return column


@lru_cache(32)
def zeros(count: int, dtype: np.dtype[Any]) -> Any:
    """Return a vector of zeros that is nobody's to write to."""
    column = np.zeros(count, dtype)
    column.flags.writeable = False
    return column


def sums_by_dot(x: Any, axis: int) -> bool:
    """Tell whether BLAS is quick to sum over an axis: one of floating-point numbers that is neither empty nor very long."""
    return x.ndim >= 2 and x.dtype.char in "fd" and 0 < x.shape[axis] <= 65536


def _sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    lead = g.ndim - len(shape)
    if g.shape[lead:] == shape:
        if lead == 1 and g.ndim == 2 and sums_by_dot(g, 0):
            return ones(len(g), g.dtype).dot(g)  # BLAS; half the time of a reduction over the first axis
        return np.add.reduce(g, 0 if lead == 1 else tuple(range(lead)))
    axes = tuple([i for i, n in enumerate(g.shape) if i < lead or (shape[i - lead] == 1 and n != 1)])
    return np.add.reduce(g, axes, keepdims=True).reshape(shape)


def _into_sum_to(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    g, shape = args[0], settings["shape"]
    lead = g.ndim - len(shape)
    if g.shape[lead:] == shape:
        if lead == 1 and g.ndim == 2 and sums_by_dot(g, 0):
            return Into(np.dot, (ones(len(g), g.dtype), Slot(0), OUT))
        return Into(np.add.reduce, (Slot(0), tuple(range(lead)), None, OUT))
    if lead:
        return None
    return Into(np.add.reduce, (Slot(0), tuple([i for i, n in enumerate(g.shape) if shape[i] != n]), None, OUT, True))


def last_axis_sum(x: Any) -> Any:
    """Sum a plain array of floating-point numbers over its last axis, by BLAS where rows are many and short."""
    if x.ndim == 2 and sums_by_dot(x, 1):
        return x.dot(ones(x.shape[1], x.dtype))
    return np.add.reduce(x, -1)


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    if type(x) is not ndarray or x.size != 1 or not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    if x.itemsize * len(shape) == 0:
        return x.reshape(shape)
    view: Any = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))  # a third of the time of np.broadcast_to
    view.flags.writeable = False
    return view


def _batch_to(args: Sequence[Any], batched: Sequence[bool], shape: tuple[int, ...]) -> Any:
    x = args[0]
    return broadcast_to(x.reshape(x.shape[:1] + (1,) * (len(shape) - x.ndim + 1) + x.shape[1:]), x.shape[:1] + shape)


sum_to_p = Primitive(
    name="sum_to",
    fn=_sum_to,
    pulls=(lambda g, y, x, shape: broadcast_to(g, shape_of(x)),),
    push=lambda tangents, y, x, shape: sum_to(tangents[0], shape),
    batch=lambda args, batched, shape: np.sum(
        args[0].reshape(args[0].shape[:1] + args[0].shape[1:]),
        axis=tuple(range(1, args[0].ndim - len(shape)))
        + tuple(i for i, n in enumerate(shape, args[0].ndim - len(shape)) if n == 1 and args[0].shape[i] != 1),
        keepdims=True,
    ).reshape(args[0].shape[:1] + shape),
    into=_into_sum_to,
    cases=(case((2, 3), shape=(3,)), case((2, 3), shape=(2, 1)), case((4, 2, 3), shape=(1, 1)), case((2, 3), shape=())),
)

broadcast_to_p = Primitive(
    name="broadcast_to",
    fn=_broadcast,
    pulls=(lambda g, y, x, shape: sum_to(g, shape_of(x)),),
    push=lambda tangents, y, x, shape: broadcast_to(tangents[0], shape),
    batch=_batch_to,
    view=True,
    cases=(case((3,), shape=(2, 3)), case((2, 1), shape=(2, 3)), case((), shape=(2, 2)), case((1,), shape=(0,))),
)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes along which an array of the given shape was broadcast to ``g.shape``: the transpose of that."""
    if shape_of(g) == shape:
        return g
    return apply(sum_to_p, g, shape=shape) if type(g) is Var else _sum_to(g, shape)


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Broadcast `x` to a shape (a read-only view off the tape)."""
    if shape_of(x) == shape:
        return x
    return apply(broadcast_to_p, x, shape=shape)


def filled(g: Any, shape: tuple[int, ...]) -> Any:
    """Return an array of the given shape in which each element is the scalar `g`."""
    if type(g) is Var or g.nbytes == 0:
        return broadcast_to(g, shape)
    size = 1
    for n in shape:
        size *= n
    if size > 4096:
        return _broadcast(np.asarray(g), shape)
    y: Any = ndarray(shape, g.dtype)
    y.fill(g)
    return y


# A zero cotangent stays zero


def probe(x: Any) -> Any:
    """Return a number that is NaN exactly if an element of a plain array is, and not finite if one is not or is very large.

    The sum of the squares, by BLAS: the cheapest look at a whole array. It is slow on elements that do not go up in memory.
    """
    if x.ndim == 1 and not x.flags.c_contiguous:
        (stride,) = x.strides
        x = x if stride > 0 else x[::-1] if stride else x[:1]
    flat = x.ravel("K")
    return flat.dot(flat)


def _guard(c: Any, g: Any) -> Any:
    if type(c) is ndarray:
        square = probe(c)
        if square == square:
            return c
    elif c == c:
        return c
    y = np.where((g == 0) & np.isnan(c), np.zeros((), c.dtype), c)
    return y if type(c) is ndarray else y[()]


def _batch_guard(c: Any, g: Any, c_batched: bool, g_batched: bool) -> Any:
    """The shape is that of `c`, to which `g` broadcasts: maps around one of the two may have left them of different ranks.

    On a hopeful tape there are guards only in what was recorded with care for a reason, and nobody looks there: they stay.
    """
    if not c_batched:
        c = broadcast_to(c, (shape_of(g)[0], *shape_of(c)))
    shape = shape_of(g)
    if g_batched and len(shape) < len(shape_of(c)):
        g = g.reshape((shape[0], *(1,) * (len(shape_of(c)) - len(shape)), *shape[1:]))
    return apply(guard_p, c, g) if type(c) is Var and c.tape.hopeful else guard(c, g)


guard_p = Primitive(
    name="guard",
    fn=_guard,
    pulls=(lambda g, y, c, source: np.where((source == 0) & np.isnan(c), 0.0, g), no_cotangent),
    push=lambda tangents, y, c, source: (
        None if tangents[0] is None else np.where((source == 0) & np.isnan(c), 0.0, tangents[0])
    ),
    batch=lambda args, batched: _batch_guard(*args, *batched),
    cases=(case((3,), np.array([0.0, 1.0, 2.0])),),
)
"""`c`, but 0 where the cotangent `source` that it was made from is 0 and the slope was infinite or undefined."""


def guard(c: Any, g: Any) -> Any:
    """Return `c`, the product of a cotangent `g` and a slope, with 0 where ``0 * inf`` or ``0 * nan`` made it NaN.

    A branch that was not taken contributes nothing: its cotangent is exactly 0, whatever the slope.
    """
    kind = type(c)
    if kind is Var:
        if c.tape.abstract:
            return c if c.tape.hopeful or (type(g) is not Var and np.all(g)) else apply(guard_p, c, g)
        plain = g.value if type(g) is Var else g
        return c if _guard(c.value, plain) is c.value else apply(guard_p, c, plain)
    if kind is ndarray:
        square = probe(c)
        if square == square:
            return c
    elif c == c:
        return c
    return _guard(c, g)
