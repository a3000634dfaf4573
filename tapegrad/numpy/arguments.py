"""What the arguments of reductions mean: axes, masks, initial values."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import dtype_of
from tapegrad.core.origins import look_at
from tapegrad.core.primitive import Fn, Primitive
from tapegrad.core.structure import astype, stop_gradient_p
from tapegrad.core.var import Var, apply, unary
from tapegrad.ops.reduce import Axes, add_up, count, max_p, min_p, nanmax_p, nanmin_p, nansum_p, prod_p, sum_p
from tapegrad.typing import Array


def axes_of(axis: Any, rank: int, scalars: bool = False) -> Axes:
    """Return the axes of a reduction as they are recorded: None, an int or a tuple, none of them negative.

    ``scalars`` says that a scalar counts as having one axis, as the methods of ufuncs have it.

    Raises:
        AxisError: if there is no such axis.
        ValueError: if one is named twice.
    """
    if type(axis) is tuple:
        axes = tuple([normalize_axis_index(index(i), rank) for i in axis])
        if len(set(axes)) != len(axes):
            raise ValueError("duplicate value in 'axis'")
        return axes
    if axis is None or (scalars and rank == 0 and axis in (0, -1)):
        return None
    return normalize_axis_index(index(axis), rank)


LENIENT = frozenset({sum_p, nansum_p, prod_p, max_p, min_p, nanmax_p, nanmin_p})
"""Reductions by the method of a ufunc."""


def reduction(p: Primitive, x: Any, axis: Any, dtype: Any, keepdims: Any, **settings: Any) -> Array:
    """Record a reduction of a traced value, with those settings only that say something."""
    y: Array
    if axis is None and dtype is None and keepdims is False and not settings:
        y = unary(p, x)
        return y
    if dtype is not None:
        dtype = np.dtype(dtype)
        if dtype.kind in "fc":
            settings["dtype"] = dtype
        else:
            x = apply(stop_gradient_p, x)
            if type(x) is not Var:
                return plain(p.fn, x, axis, keepdims, dtype=dtype, **settings)
            x = astype(x, dtype)
            settings["dtype"] = dtype  # sums of few bits would go on in more
    if axis is not None:
        value = x.value
        rank = value.ndim if type(value) is np.ndarray else np.ndim(value)
        settings["axis"] = axis if type(axis) is int and 0 <= axis < rank else axes_of(axis, rank, p in LENIENT)
    if keepdims is not False and kept(keepdims):
        settings["keepdims"] = True
    y = apply(p, x, **settings)
    return y


def kept(keepdims: Any) -> bool:
    """Return ``keepdims`` as a reduction of NumPy takes it: an integer, which True and False are.

    Raises:
        TypeError: for what is none.
    """
    if type(keepdims) is not bool:
        np.add.reduce(np.zeros(1), keepdims=keepdims)  # raises NumPy's error
    return bool(keepdims)


def memory_order(order: Any, default: str) -> Any:
    """Return 'C', 'F', 'A' or 'K' for an order in memory as NumPy takes it: None for the default, and small letters, too.

    Raises:
        ValueError: for what is no order.
    """
    if order is None:
        return default
    if not isinstance(order, str) or order.upper() not in ("C", "F", "A", "K"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return order.upper()


def is_traced(*values: Any) -> bool:
    """Tell whether one of the values is traced."""
    for x in values:  # noqa: SIM110  # half the time of any(...)
        if type(x) is Var:
            return True
    return False


def masked(x: Any, where: Any, filler: Any) -> Any:
    """Return `x` with the filler where the mask is False; the mask broadcasts to `x`, never `x` to the mask."""
    if where is True:
        return x
    return np.where(np.broadcast_to(where, np.shape(x)), x, filler)


def counted(x: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    """Return how many elements of `x` under the mask go into each element of the output: an int where there is no mask."""
    if where is True:
        return np.size(x) if axis is None else count(np.shape(x), axes_of(axis, np.ndim(x)))
    return add_up(np.broadcast_to(where, np.shape(x)), axis, np.intp, None, keepdims)


def scalar(initial: Any, dtype: np.dtype[Any]) -> Any:
    """Return the initial value of a reduction, checked to be a scalar, in the dtype of the result."""
    if np.ndim(initial) != 0:
        raise ValueError(f"initial: expected a scalar, got an array of shape {np.shape(initial)}")
    if type(initial) is not Var:
        return np.array(initial, dtype)[()]
    return initial if dtype.kind in "biu" else astype(initial, dtype)


def in_common_dtype(parts: Sequence[Any]) -> list[Any]:
    """Return arrays, with Python numbers among them as arrays of the dtype that NumPy gives them all together."""
    kinds: list[Any] = [x if type(x) in (bool, int, float, complex) else dtype_of(x) for x in parts]
    common = np.result_type(*kinds)
    return [x if type(x) is Var else np.asarray(x, common if type(x) in (bool, int, float, complex) else None) for x in parts]


def in_dtype(x: Any, dtype: Any) -> Any:
    """Return `x` as NumPy first casts what is complex, where the dtype asked for is real; elsewhere as it is."""
    return astype(x, dtype) if dtype is not None and np.dtype(dtype).kind == "f" and x.dtype.kind == "c" else x


def plain(function: Fn, *args: Any, **settings: Any) -> Array:
    """Call a function of NumPy, without the settings that are None: arguments that were not given."""
    y: Array
    if settings:
        y = function(*args, **{name: value for name, value in settings.items() if value is not None})
    else:
        y = function(*args)
    return y


def floating(x: Any) -> Any:
    """Return the dtype that a mean of integers is taken in; None, its own, for other arrays."""
    return np.float64 if dtype_of(x).kind in "biu" else None


def as_real(n: Any, dtype: Any) -> Any:
    """Return counts as real numbers that do not promote arrays of the given dtype; as they are beside integers."""
    return n if isinstance(n, int) or np.dtype(dtype).kind in "biu" else astype(n, np.finfo(dtype).dtype)


def any_true(mask: Any) -> bool:
    """Tell whether a mask holds anywhere; where values must not be looked at, that it does not."""
    return type(mask) is not Var and bool(np.any(mask))


def one_of(ddof: float, correction: float | None) -> float:
    """Return the correction of a variance, whichever of its two names was used."""
    if correction is None:
        return float(ddof) if isinstance(ddof, np.generic) else ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return float(correction) if isinstance(correction, np.generic) else correction


def concrete(x: Any, name: str) -> Any:
    """Return a value as a plain array, for a function whose result has no derivative and a shape that depends on values.

    Raises:
        ConcretizationError: if values must not be looked at.
    """
    if type(x) is not Var:
        return x
    look_at(x, f"its values (numpy.{name})", "Write it with tapegrad.numpy.where: the shape of its result depends on values")
    return apply(stop_gradient_p, x) if not x.tape.abstract else x.value


def along_one(x: Any, axis: Any, scalars: bool = False) -> tuple[Any, int]:
    """Return `x` and the axis, not negative; `x` in one dimension where the axis is None, or it is a scalar that may be one."""
    if axis is None:
        return np.ravel(x), 0
    if scalars and np.ndim(x) == 0:
        return np.ravel(x), normalize_axis_index(axis, 1)
    return x, normalize_axis_index(axis, np.ndim(x))


def unboxed(y: Any) -> Any:
    """Return what an operation left in an array of shape ``()`` as the scalar that NumPy's functions return."""
    return y[()] if y.ndim == 0 else y


def weights_beside(weights: Any, a: Any, axis: Any) -> Any:
    """Return weights in a shape that broadcasts against `a`.

    Raises:
        TypeError: if the shapes differ and no axis says where the weights belong.
        ValueError: if they do not fit there.
    """
    shape, own = np.shape(a), np.shape(weights)
    if own == shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([normalize_axis_index(i, len(shape)) for i in axes])
    if own != tuple([shape[i] for i in axes]):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    ordered = np.transpose(weights, np.argsort(axes)) if len(axes) > 1 else weights
    return np.reshape(ordered, tuple([n if i in axes else 1 for i, n in enumerate(shape)]))
