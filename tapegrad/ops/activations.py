"""What neural networks add to NumPy: rectifier, sigmoid, softmax, and the losses that are one operation for speed's sake."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, guard, shape_of
from tapegrad.core.families import elementwise, linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import Var, apply

# Elementwise


def _sigmoid(x: Any) -> Any:
    with np.errstate(over="ignore"):  # exp(-x) may become infinite: 1 / inf is the answer then
        return 1.0 / (1.0 + np.exp(-x))


relu_p = elementwise(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda g, y, x: np.where(x > 0, g, 0.0),
    finite=True,
    fast=(lambda g, y, x: g * (x > 0),),  # a tenth of the time of np.where
    domain=(0.1, 2.0),
)
sigmoid_p = elementwise("sigmoid", _sigmoid, lambda g, y, x: g * (y * (1.0 - y)))


# Softmax and its logarithm. The axis is counted from the end, so that a leading axis changes nothing.


def _softmax(x: Any, axis: int) -> Any:
    y = np.exp(x - np.maximum.reduce(x, axis, keepdims=True))
    y /= np.add.reduce(y, axis, keepdims=True)
    return y


def _softmax_rule(g: Any, y: Any, x: Any, axis: int) -> Any:
    c = g * y
    return c - y * np.add.reduce(c, axis, keepdims=True)


def _careful_softmax_rule(g: Any, y: Any, x: Any, axis: int) -> Any:
    c = guard(g * y, g)
    total = np.add.reduce(c, axis, keepdims=True)
    return c - guard(y * total, broadcast_to(total, shape_of(y)))


def _log_softmax(x: Any, axis: int) -> Any:
    y = x - np.maximum.reduce(x, axis, keepdims=True)
    return y - np.log(np.add.reduce(np.exp(y), axis, keepdims=True))


def _pull_log_softmax(g: Any, y: Any, x: Any, axis: int) -> Any:
    c = np.exp(y)
    c *= np.add.reduce(g, axis, keepdims=True)
    return g - c


def _careful_pull_log_softmax(g: Any, y: Any, x: Any, axis: int) -> Any:
    total = np.add.reduce(g, axis, keepdims=True)
    return g - guard(np.exp(y) * total, broadcast_to(total, shape_of(y)))


def _push_log_softmax(tangents: Sequence[Any], y: Any, x: Any, axis: int) -> Any:
    (t,) = tangents
    c = guard(np.exp(y) * t, t)
    return t - broadcast_to(np.add.reduce(c, axis, keepdims=True), shape_of(y))


SOFTMAX_CASES = (case((4,), axis=-1), case((2, 3), axis=-1), case((2, 3, 2), axis=-2))

softmax_p: Primitive = Primitive(
    name="softmax",
    fn=_softmax,
    pulls=(_softmax_rule,),
    careful=(_careful_softmax_rule,),
    push=lambda tangents, y, x, axis: _careful_softmax_rule(tangents[0], y, x, axis),  # its Jacobian is symmetric
    batch=lambda args, batched, axis: apply(softmax_p, args[0], axis=axis),
    cases=SOFTMAX_CASES,
)
log_softmax_p: Primitive = Primitive(
    name="log_softmax",
    fn=_log_softmax,
    pulls=(_pull_log_softmax,),
    careful=(_careful_pull_log_softmax,),
    push=_push_log_softmax,
    batch=lambda args, batched, axis: apply(log_softmax_p, args[0], axis=axis),
    cases=SOFTMAX_CASES,
)


def softmax(x: Any, axis: int) -> Any:
    """Return the softmax of `x` along an axis that is counted from the end."""
    return apply(softmax_p, x, axis=axis)


def log_softmax(x: Any, axis: int) -> Any:
    """Return the logarithm of the softmax of `x` along an axis that is counted from the end."""
    return apply(log_softmax_p, x, axis=axis)


# Losses, each the mean over all that it is given


def _mse(a: Any, b: Any) -> Any:
    d = a - b
    return np.add.reduce(d * d, None) / np.size(d)


def _mse_slope(g: Any, a: Any, b: Any) -> Any:
    c = a - b
    return c * (g * (2.0 / max(np.size(a), 1)))


def _careful_mse_slope(g: Any, a: Any, b: Any) -> Any:
    return guard(_mse_slope(g, a, b), g)


def _push_mse(tangents: Sequence[Any], y: Any, a: Any, b: Any) -> Any:
    s, t = tangents
    moving = -t if s is None else s if t is None else s - t
    return np.sum(guard((a - b) * moving, moving), None) * (2.0 / max(np.size(a), 1))


def _batch_mse(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    d = np.subtract(*args)
    return np.mean(d * d, axis=tuple(range(1, len(shape_of(d)))))


mse_p = Primitive(
    name="mse",
    fn=_mse,
    pulls=(lambda g, y, a, b: _mse_slope(g, a, b), lambda g, y, a, b: _mse_slope(g, b, a)),
    careful=(lambda g, y, a, b: _careful_mse_slope(g, a, b), lambda g, y, a, b: _careful_mse_slope(g, b, a)),
    push=_push_mse,
    batch=_batch_mse,
    cases=(case((3, 2), (3, 2)), case((), ())),
)
"""The mean of ``(a - b)**2`` for arrays of one shape."""


def _flat_index(labels: Any, classes: int) -> Any:
    return labels.reshape(-1) + np.arange(0, labels.size * classes, classes)


def _nll(x: Any, labels: Any) -> Any:
    return -np.add.reduce(x.reshape(-1)[_flat_index(labels, x.shape[-1])]) / labels.size


def _pull_nll(g: Any, y: Any, x: Any, labels: Any) -> Any:
    shape, count = shape_of(x), max(labels.size, 1)
    if type(g) is Var or type(labels) is Var:
        return (labels[..., None] == np.arange(shape[-1])) * (g * (-1.0 / count))
    c = np.zeros(shape, g.dtype)
    c.reshape(-1)[_flat_index(labels, shape[-1])] = -g / count
    return c


def _batch_nll(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    x, labels = args
    picked = np.sum(np.where(labels[..., None] == np.arange(shape_of(x)[-1]), x, 0.0), axis=-1)
    return -np.mean(picked, axis=tuple(range(1, len(shape_of(picked)))))


nll_p = linear(
    "nll",
    _nll,
    _pull_nll,
    batch=_batch_nll,
    cases=(case((3, 4), np.array([0, 3, 1])), case((2, 1, 3), np.array([[2], [2]])), case((4,), np.array(2))),
)
"""Minus the mean of the entries of `x` that integer labels pick along its last axis."""
