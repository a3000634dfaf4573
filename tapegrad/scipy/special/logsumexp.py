"""`logsumexp`, `softmax` and `log_softmax`.

In SciPy these are no ufuncs but Python functions that ask for plain arrays: for traced values there is this door only.
"""

from typing import Any, Literal, overload

import numpy as np
import scipy.special
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.errors import MissingRuleError
from tapegrad.numpy.arguments import axes_of, plain
from tapegrad.ops.activations import log_softmax_p, softmax_p
from tapegrad.ops.scipy_special.logsumexp import logsumexp_p, weighted_logsumexp_p, weighted_sign_p
from tapegrad.scipy.special.door import as_array
from tapegrad.typing import Array, ArrayLike, Axis


@overload
def logsumexp(
    a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: Literal[False] = False
) -> Array: ...
@overload
def logsumexp(
    a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, *, return_sign: Literal[True]
) -> tuple[Array, Array]: ...
def logsumexp(
    a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """Return the logarithm of the sum of ``b * exp(a)``, safe from overflow.

    The derivative by an element is its share of the sum. Elements of `a` that are ``-inf`` have none; where all are, each has
    an equal share, as in `tapegrad.numpy.logaddexp`. By weights that are 0 the derivative is exact.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that the sum goes over; all by default.
        b: weights, of a shape that broadcasts with that of `a`; they may be 0 or negative.
        keepdims: leave the axes in the result, with length 1.
        return_sign: return the logarithm of the size of the sum, and its sign, which has no derivative.

    Returns:
        The logarithms, of the shape of `a` without the axes; NaN where the sum is negative, unless `return_sign`.

    Raises:
        MissingRuleError: for complex numbers on the tape with `return_sign`.

    Example:
        >>> logsumexp(np.array([[1000.0, 1000.0], [0.0, -np.inf]]), axis=1)
        array([1000.69314718,    0.        ])
    """
    x: Any = as_array(a)
    weights: Any = None if b is None else as_array(b)
    if type(x) is not Var and type(weights) is not Var:
        return plain(scipy.special.logsumexp, x, axis, weights, keepdims, return_sign)
    if weights is None and not return_sign:
        x = floating(x)
        return apply(logsumexp_p, x, axis=axes_of(axis, x.ndim), keepdims=keepdims)
    x, weights = [floating(part) for part in FUNCTIONS[np.broadcast_arrays](x, 1.0 if weights is None else weights)]
    if return_sign and "c" in (x.dtype.kind, weights.dtype.kind):
        raise MissingRuleError(
            "logsumexp: of complex numbers, the size of a sum has no complex derivative; take the absolute value of "
            "exp(logsumexp(a, b=b)), or its real part"
        )
    over = axes_of(axis, x.ndim)
    y = apply(weighted_logsumexp_p, x, weights, axis=over, keepdims=keepdims, signed=return_sign)
    return (y, apply(weighted_sign_p, x, weights, axis=over, keepdims=keepdims)) if return_sign else y


def softmax(x: ArrayLike, axis: Axis = None) -> Array:
    """Return ``exp(x)`` over its sum along axes.

    Args:
        x: array of any shape.
        axis: the axis, or tuple of axes, that the sum goes over; all by default.

    Returns:
        Positive numbers of the shape of `x`, whose sum along the axes is 1.

    Example:
        >>> softmax(np.array([0.0, np.log(3.0)]))
        array([0.25, 0.75])
    """
    traced: Any = as_array(x)
    y: Array = _along(softmax_p, traced, axis) if type(traced) is Var else scipy.special.softmax(traced, axis)
    return y


def log_softmax(x: ArrayLike, axis: Axis = None) -> Array:
    """Return the logarithm of ``softmax(x, axis)``, also where that underflows.

    Args:
        x: array of any shape.
        axis: the axis, or tuple of axes, that the sum goes over; all by default.

    Returns:
        Numbers of the shape of `x`.

    Example:
        >>> log_softmax(np.array([0.0, 1000.0]))
        array([-1000.,     0.])
    """
    traced: Any = as_array(x)
    y: Array = _along(log_softmax_p, traced, axis) if type(traced) is Var else scipy.special.log_softmax(traced, axis)
    return y


def floating(x: Any) -> Any:
    """Return `x` with at least one axis, as floating-point numbers, as SciPy takes it."""
    x = astype(x, float) if dtype_of(x).kind not in "fc" else x
    return x if np.ndim(x) else x.reshape(1)


def _along(primitive: Primitive, x: Any, axis: Axis) -> Any:
    """Apply an operation along one axis, counted from the end, to one axis, several or all of them."""
    x = astype(x, float) if x.dtype.kind not in "fc" else x
    if isinstance(axis, (int, np.integer)):
        return apply(primitive, x, axis=normalize_axis_index(int(axis), x.ndim) - x.ndim)
    if axis is None:
        return apply(primitive, x.reshape(-1), axis=-1).reshape(x.shape)
    over = axes_of(tuple(axis), x.ndim)
    assert isinstance(over, tuple)
    kept = [i for i in range(x.ndim) if i not in over]
    order = [*kept, *over]
    moved = x.transpose(order)
    y = apply(primitive, moved.reshape(*moved.shape[: len(kept)], -1), axis=-1).reshape(moved.shape)
    return y.transpose([order.index(i) for i in range(x.ndim)])
