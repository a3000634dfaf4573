"""Activation functions: rectifier, sigmoid, hyperbolic tangent, softmax."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad import numpy as tnp
from tapegrad.core.var import unary
from tapegrad.nn.arguments import HALF, numbers
from tapegrad.ops import activations as ops
from tapegrad.typing import Array


def relu(x: Array) -> Array:
    """Return the larger of `x` and 0, for each element; the slope at 0 is 0.

    Args:
        x: any shape.

    Example:
        >>> relu(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
    """
    y: Array = unary(ops.relu_p, numbers("nn.relu", x))
    return y


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))`` for each element, without overflow.

    Args:
        x: any shape.

    Example:
        >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
        array([0. , 0.5, 1. ])
    """
    y: Array = unary(ops.sigmoid_p, numbers("nn.sigmoid", x))
    return y


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent of each element; it is ``tapegrad.numpy.tanh``.

    Args:
        x: any shape.

    Example:
        >>> tanh(np.array([0.0, 1000.0]))
        array([0., 1.])
    """
    return tnp.tanh(numbers("nn.tanh", x))


def softmax(x: Array, axis: int = -1) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Args:
        x: one dimension or more; an entry of ``-inf`` gets probability 0.
        axis: the axis that sums to 1.

    Returns:
        The shape of `x`.

    Raises:
        AxisError: if `x` has no such axis.

    Example:
        >>> softmax(np.array([0.0, 0.0, -np.inf]))
        array([0.5, 0.5, 0. ])
    """
    x = numbers("nn.softmax", x)
    axis = from_end("nn.softmax", x, axis)
    y: Array = ops.softmax(x.astype(np.float32), axis).astype(np.float16) if x.dtype.char == HALF else ops.softmax(x, axis)
    return y


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Return the logarithm of `softmax`, exact also where that is too small to be represented.

    Args:
        x: one dimension or more.
        axis: the axis whose exponentials sum to 1.

    Returns:
        The shape of `x`.

    Raises:
        AxisError: if `x` has no such axis.

    Example:
        >>> log_softmax(np.array([0.0, 1000.0]))
        array([-1000.,     0.])
    """
    x = numbers("nn.log_softmax", x)
    axis = from_end("nn.log_softmax", x, axis)
    y: Array = (
        ops.log_softmax(x.astype(np.float32), axis).astype(np.float16) if x.dtype.char == HALF else ops.log_softmax(x, axis)
    )
    return y


def from_end(name: str, x: Any, axis: int) -> int:
    """Return `axis` counted from the end, as the rules want it; one that does not exist is NumPy's to complain about."""
    rank: int = x.ndim
    try:
        return normalize_axis_index(axis, rank) - rank
    except TypeError:
        raise TypeError(f"{name}: axis must be one integer, got {axis!r}") from None
