"""Conversion: what is there already as an array, of another dtype or laid out otherwise, copied only where it must be."""

from typing import Any

import numpy as np

from tapegrad.core.var import Var
from tapegrad.numpy.arguments import concrete
from tapegrad.numpy.creation import OrderLike, array, own
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
    if copy or dtype is not None or x is not a:
        return array(a, dtype, copy=copy)
    y: Array = x
    return y


asanyarray = asarray


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
    x = x.reshape(1) if x.ndim == 0 else x
    if type(x) is not Var:
        return np.asarray(x, order=order)
    flags = np.asarray(x.value).flags
    lies_so = flags.c_contiguous if order == "C" else flags.f_contiguous
    y: Any = x if lies_so else own(x, order)
    laid_out: Array = y
    return laid_out


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
    asked = {str(part)[0].upper() for part in requirements or ()}
    x = asarray(x, dtype)
    for order in asked & {"C", "F"}:
        x = _laid_out(x, None, order)
    if asked & {"O", "W"} and type(x) is Var and x.link is None:
        x = own(x)
    y: Array = x
    return y
