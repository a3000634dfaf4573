"""Losses: one number that says how far predictions are from targets, the mean over all examples."""

from typing import Any

import numpy as np

from tapegrad import numpy as tnp
from tapegrad.core.arrays import shape_of
from tapegrad.core.var import Var, apply, binary
from tapegrad.nn.arguments import HALF, numbers
from tapegrad.ops import activations as ops
from tapegrad.typing import Array, ArrayLike


def mse(predictions: Array, targets: Array) -> Array:
    """Return the mean squared error, ``mean((predictions - targets)**2)``.

    Args:
        predictions: any shape.
        targets: the same shape. They are not broadcast: a column against a row would silently compare each with each.

    Returns:
        A scalar.

    Raises:
        TypeError: if one of them is not an array of numbers.
        ValueError: if the shapes differ.

    Example:
        >>> mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        np.float64(2.0)
    """
    predictions, targets = numbers("nn.mse", predictions, "predictions"), numbers("nn.mse", targets, "targets")
    if shape_of(predictions) != shape_of(targets):
        raise ValueError(
            f"nn.mse: predictions have shape {shape_of(predictions)} and targets shape {shape_of(targets)}; "
            f"they must be the same (reshape one, or broadcast it with np.broadcast_to)"
        )
    loss: Array
    if predictions.dtype.char in "fd":
        loss = binary(ops.mse_p, predictions, targets)
        return loss
    dtype = np.result_type(predictions.dtype, targets.dtype)
    if dtype.kind in "biu":  # the squares of short ones wrap around
        exact = np.dtype(np.int64 if dtype != np.uint64 else np.float64)
        error = (predictions.astype(exact) - targets.astype(exact)).astype(np.float64)
        loss = tnp.mean(error * error)
    elif dtype.char == HALF:
        loss = binary(ops.mse_p, predictions.astype(np.float32), targets.astype(np.float32)).astype(dtype)
    else:
        loss = binary(ops.mse_p, predictions.astype(dtype), targets)
    return loss


def cross_entropy(logits: Array, labels: ArrayLike) -> Array:
    """Return the mean of ``-log(softmax(logits)[label])``: the loss of a classifier.

    Args:
        logits: scores before softmax, shape ``(..., classes)``. A score of ``-inf`` rules a class out.
        labels: the right class of each example, integers from 0 to ``classes - 1``, shape ``(...)``.

    Returns:
        A scalar, in nats.

    Raises:
        TypeError: if the labels are not integers.
        ValueError: if their shape is not that of the logits without the last axis, or one is out of range.

    Example:
        >>> cross_entropy(np.zeros((2, 10)), np.array([3, 7])).round(4)  # log 10
        np.float64(2.3026)
    """
    logits = numbers("nn.cross_entropy", logits, "logits")
    shape = shape_of(logits)
    if not shape:
        raise ValueError("nn.cross_entropy: logits must have an axis of classes, got a single number")
    picks = check_traced(labels, shape) if type(labels) is Var else check_labels(np.asarray(labels), shape)
    loss: Array
    if logits.dtype.char == HALF:
        loss = apply(ops.cross_entropy_p, logits.astype(np.float32), picks).astype(np.float16)
    else:
        loss = apply(ops.cross_entropy_p, logits, picks)
    return loss


def check_labels(labels: "np.ndarray[Any, Any]", shape: tuple[int, ...]) -> "np.ndarray[Any, Any]":
    """Return labels for logits of the given shape, as indices."""
    if labels.dtype.kind not in "iu":
        if labels.ndim == len(shape) + 1 and labels.shape[:-1] == shape:
            hint = "; the logits come first: nn.cross_entropy(logits, labels)"
        elif labels.dtype.kind not in "bf":
            hint = f", the number of its class for each example, from 0 to {shape[-1] - 1}"
        elif labels.ndim == len(shape):
            hint = "; give labels.argmax(axis=-1) if each is a row of zeros and a one"
        else:
            hint = "; give labels.astype(int)"
        raise TypeError(f"nn.cross_entropy: labels must be integers, got dtype {labels.dtype}{hint}")
    if labels.shape != shape[:-1]:
        raise ValueError(
            f"nn.cross_entropy: logits of shape {shape} need one label an example, shape {shape[:-1]}, got {labels.shape}"
        )
    picks: np.ndarray[Any, Any] = ops.in_range(labels if labels.dtype == np.intp else labels.astype(np.intp), shape[-1])
    return picks


def check_traced(labels: Any, shape: tuple[int, ...]) -> Any:
    """Return labels that are traced, for logits of the given shape, as indices; they are looked at once they are known."""
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"nn.cross_entropy: labels must be integers, got a traced value of dtype {labels.dtype}; there is no derivative "
            f"by labels, so pass them as an argument that is not differentiated (see argnums)"
        )
    if labels.shape != shape[:-1]:
        raise ValueError(
            f"nn.cross_entropy: logits of shape {shape} need one label an example, shape {shape[:-1]}, got {labels.shape}"
        )
    return apply(ops.labels_p, labels, classes=shape[-1])
