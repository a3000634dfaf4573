"""Conversion: what is there already as an array, of another dtype or laid out otherwise, copied only where it must be."""

from typing import Any

import numpy as np

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var
from tapegrad.core.writing import Storage, in_memory
from tapegrad.numpy.arguments import concrete
from tapegrad.numpy.creation import OrderLike, array, order_like, own
from tapegrad.numpy.door import gathered
from tapegrad.typing import Array, ArrayLike, DTypeLike


def asarray(
    a: Any,
    dtype: DTypeLike | None = None,
    order: OrderLike | None = None,
    *,
    device: Any = None,
    copy: bool | None = None,
    like: ArrayLike | None = None,
) -> Array:
    """Return `a` as an array, traced if it is or has traced values in it. Arguments as for `array`.

    Example:
        >>> asarray([1.0, 2.0])
        array([1., 2.])
    """
    x = gathered(a)
    if type(x) is not Var:
        return np.asarray(x, dtype, order, device=device, copy=copy)
    if copy or dtype is not None or order is not None or x is not a:
        return array(a, dtype, copy=copy, order=order or "K")
    y: Array = x
    return y


asanyarray = asarray


def in_order(y: Any, x: Any, order: Any) -> Array:
    """Return `y`, which was cast from `x`, in the given order in memory: what is left of ``x.astype(dtype, order)``."""
    known: Any = order_like(x, order)
    return asarray(y, order=known)


FUNCTIONS["in order"] = in_order


def asarray_chkfinite(a: Any, dtype: DTypeLike | None = None, order: OrderLike | None = None) -> Array:
    """Return `a` as an array, as `asarray` does, having seen that all its elements are finite.

    Raises:
        ValueError: if an element is infinite or NaN.
        ConcretizationError: for a traced value under `vmap` and `jit`.

    Example:
        >>> asarray_chkfinite([1.0, 2.0])
        array([1., 2.])
    """
    y = asarray(a, dtype, order)
    np.asarray_chkfinite(concrete(y, "asarray_chkfinite"))
    return y


def ascontiguousarray(a: Any, dtype: DTypeLike | None = None, *, like: ArrayLike | None = None) -> Array:
    """Return `a` as an array of at least one axis whose last axis runs fastest in memory.

    Example:
        >>> ascontiguousarray(3.0)
        array([3.])
    """
    return _laid_out(a, dtype, "C")


def asfortranarray(a: Any, dtype: DTypeLike | None = None, *, like: ArrayLike | None = None) -> Array:
    """Return `a` as an array of at least one axis whose first axis runs fastest in memory.

    Example:
        >>> asfortranarray(np.ones((2, 2))).flags.f_contiguous
        True
    """
    return _laid_out(a, dtype, "F")


def _laid_out(a: Any, dtype: Any, order: Any) -> Array:
    x: Any = asarray(a, dtype)
    return asarray(x.reshape(1) if x.ndim == 0 else x, order=order)


def require(
    a: Any,
    dtype: DTypeLike | None = None,
    requirements: Any = None,
    *,
    like: ArrayLike | None = None,
) -> Array:
    """Return `a` as an array with the given dtype and memory: 'C' or 'F' for the order, 'O' or 'W' for one of its own.

    Example:
        >>> require([1, 2], float, "F")
        array([1., 2.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        required: Array = np.require(x, dtype, requirements)
        return required
    np.require(np.zeros(1), None, requirements)  # raises NumPy's error
    asked = {str(part)[0].upper() for part in requirements or ()}
    order: Any = next(iter(asked & {"C", "F"}), None)
    x = asarray(x, dtype, order)
    if type(x) is Var and (("O" in asked and type(x.link) is not Storage) or ("W" in asked and not can_write(x))):
        x = own(x, order or "A")
    y: Array = x
    return y


def can_write(x: Any) -> bool:
    """Tell whether a traced value can be written."""
    return x.link is not None and bool(in_memory(x).flags.writeable)
