"""What neural networks add to NumPy: rectifier, sigmoid, softmax, and the losses that are one operation for speed's sake."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, guard, last_axis_sum, ones, shape_of, zeros
from tapegrad.core.families import constant, elementwise
from tapegrad.core.primitive import Fn, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply
from tapegrad.ops.reduce import short_rows

highest: Fn = np.maximum.reduce


# Elementwise


@np.errstate(over="ignore")  # exp(-x) may become infinite: 1 / inf is the answer then. Half the time of a `with`
def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(x * -1.0))  # unsigned integers have no -x


def _product(y: Any) -> Any:
    return y * (1.0 - y)


def _sigmoid_slope(x: Any) -> Any:
    return _product(_sigmoid(x))


ZERO = {"f": np.zeros((), np.float32), "d": np.zeros((), np.float64)}
"""Zeros that NumPy need not make of a Python number first, which takes it 0.3 us; by the character of their dtype."""


def _relu(x: Any) -> Any:
    if type(x) is np.ndarray and x.dtype.char in "fd" and 2**10 <= x.size <= 2**18 and x.flags.c_contiguous:
        return np.maximum(x.reshape(-1), zeros(x.size, x.dtype)).reshape(x.shape)  # a number makes it up to four times as slow
    return np.maximum(x, 0)


def _relu_slope_quickly(g: Any, y: Any, x: Any) -> Any:
    return g * (y > ZERO.get(y.dtype.char, 0))  # a tenth of the time of np.where


relu_p = elementwise(
    "relu",
    _relu,
    lambda g, y, x: np.where(y > 0, g, 0.0),  # not `x`, which then can be written over in a program
    finite=True,
    fast=(_relu_slope_quickly,),
    bare=(lambda g, y, x: g * (y > 0),),
    domain=(0.1, 2.0),
    expand=lambda x: np.maximum(x, 0),
)
sigmoid_slope_p = elementwise(
    "sigmoid_slope",
    _sigmoid_slope,
    lambda g, y, x: g * (-y * np.tanh(0.5 * x)),  # that of the product is a difference, which is lost near 0
    expand=lambda x: _product(apply(sigmoid_p, x)),
)
sigmoid_p: Primitive = elementwise(
    "sigmoid",
    _sigmoid,
    lambda g, y, x: g * apply(sigmoid_slope_p, x),
    fast=(lambda g, y, x: g * _product(y),),
    expand=lambda x: 1.0 / (1.0 + np.exp(x * -1.0)),
)


# Softmax and its logarithm. The axis is counted from the end, so that a leading axis changes nothing.


def _below_max(x: Any, axis: int) -> Any:
    """Return `x` minus its maximum along an axis, in C's order of axes; unsigned integers would wrap around."""
    if x.dtype.kind in "iu":
        x = x.astype(float)
    if not x.size:  # NumPy knows no greatest of no elements
        return x.copy()
    if axis == -1 and x.size >= 256 and x.shape[-1] <= 16 and x.flags.c_contiguous:
        return x - short_rows(highest, x, keepdims=True)
    return np.subtract(x, highest(x, axis, None, None, True), order="C")


def _softmax(x: Any, axis: int) -> Any:
    y = np.exp(_below_max(x, axis))
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
    y = _below_max(x, axis)
    return y - np.log(np.add.reduce(np.exp(y), axis, keepdims=True)) if y.size else y


def _pull_log_softmax(g: Any, y: Any, x: Any, axis: int) -> Any:
    c = np.exp(y)
    c = c * np.add.reduce(g, axis, keepdims=True)
    return g - c


def _careful_pull_log_softmax(g: Any, y: Any, x: Any, axis: int) -> Any:
    total = np.add.reduce(g, axis, keepdims=True)
    return g - guard(np.exp(y) * total, broadcast_to(total, shape_of(y)))


def _push_log_softmax(tangents: Sequence[Any], y: Any, x: Any, axis: int) -> Any:
    (t,) = tangents
    c = guard(np.exp(y) * t, t)
    return t - broadcast_to(np.add.reduce(c, axis, keepdims=True), shape_of(y))


def _shifted(x: Any, axis: int) -> Any:
    if x.dtype.kind in "iu":
        x = x.astype(float)
    return x - np.maximum.reduce(x, axis, keepdims=True) if 0 not in shape_of(x) else x


def _expand_softmax(x: Any, axis: int) -> Any:
    y = np.exp(_shifted(x, axis))
    return y / np.add.reduce(y, axis, keepdims=True)


def _expand_log_softmax(x: Any, axis: int) -> Any:
    y = _shifted(x, axis)
    return y - np.log(np.add.reduce(np.exp(y), axis, keepdims=True))


SOFTMAX_CASES = (case((4,), axis=-1), case((2, 3), axis=-1), case((2, 3, 2), axis=-2))

softmax_p: Primitive = Primitive(
    name="softmax",
    fn=_softmax,
    pulls=(_softmax_rule,),
    careful=(_careful_softmax_rule,),
    push=lambda tangents, y, x, axis: _careful_softmax_rule(tangents[0], y, x, axis),  # its Jacobian is symmetric
    batch=lambda args, batched, axis: apply(softmax_p, args[0], axis=axis),
    expand=_expand_softmax,
    cases=SOFTMAX_CASES,
)
log_softmax_p: Primitive = Primitive(
    name="log_softmax",
    fn=_log_softmax,
    pulls=(_pull_log_softmax,),
    careful=(_careful_pull_log_softmax,),
    push=_push_log_softmax,
    batch=lambda args, batched, axis: apply(log_softmax_p, args[0], axis=axis),
    expand=_expand_log_softmax,
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
    d = np.subtract(a, b)  # an array or a NumPy scalar, of Python floats as well
    if d.size <= 1024 and d.dtype.char in "fd":
        flat = d.ravel()
        return flat.dot(flat) / d.size  # half the time of a reduction
    return np.add.reduce(d * d, None) / d.size


def _expand_mse(a: Any, b: Any) -> Any:
    d = a - b
    return np.add.reduce(np.square(d), None) / np.size(d)


def _mse_slope(g: Any, a: Any, b: Any) -> Any:
    c = np.subtract(a, b)
    return c * (g * (2.0 / max(c.size, 1)))


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
    expand=_expand_mse,
    cases=(case((3, 2), (3, 2)), case((), ())),
)
"""The mean of ``(a - b)**2`` for arrays of one shape."""


LABELLED = (case((3, 4), np.array([0, 3, 1])), case((2, 1, 3), np.array([[2], [2]])), case((4,), np.array(2)))


def in_range(labels: Any, classes: int) -> Any:
    """Return labels of the dtype of indices.

    Raises:
        ValueError: if one is out of range.
    """
    unsigned = labels.view(np.uintp)  # a negative one is huge
    if labels.size and unsigned.item(unsigned.argmax()) >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)].reshape(-1)[0]
        raise ValueError(f"nn.cross_entropy: labels must be from 0 to {classes - 1}, got {wrong}")
    return labels


labels_p: Primitive = constant(
    "labels",
    lambda labels, classes: in_range(np.array(labels, np.intp), classes),  # an int8 cannot count the places of a table
    batch=lambda args, batched, classes: apply(labels_p, args[0], classes=classes),
    cases=(case(np.array([0, 3, 1]), classes=4),),
)
"""Labels that were traced, looked at when their values are known: one out of range would pick a score that is not its own."""


def _flat_index(labels: Any, classes: int) -> Any:
    return labels.reshape(-1) + np.arange(0, labels.size * classes, classes)


def _one_hot(labels: Any, classes: int) -> Any:
    return np.equal(labels[..., None], np.arange(classes))


def _cross_entropy(x: Any, labels: Any, kept: Any = None) -> Any:
    """Return the loss, and the error: softmax minus one-hot labels."""
    n = labels.size
    if has_few_columns(x):
        y, total, picked = _error_by_columns(x, labels, n)
        return ones(n, x.dtype).dot(np.log(total) - picked) / n, y
    y = _below_max(x, -1)
    flat = y.reshape(-1)  # a view: it is written to below
    where = _flat_index(labels, x.shape[-1])
    picked = flat[where]
    np.exp(y, out=y)
    total = last_axis_sum(y)
    loss = np.add.reduce(np.log(total).reshape(-1) - picked) / n
    y /= total[..., None]
    flat[where] -= 1
    return loss, y


def has_few_columns(x: Any) -> bool:
    """Tell whether `x` is a table that NumPy goes through faster one column after the other."""
    return x.ndim == 2 and x.shape[1] <= 16 and 0 < len(x) <= 1024 and x.dtype.char in "fd"


def _error_by_columns(x: Any, labels: Any, n: int) -> tuple[Any, Any, Any]:
    """Return the error, what softmax was divided by, and the labels' scores, the largest of each row taken off."""
    y = x.T.copy()
    y -= highest(y, 0)
    flat = y.ravel()  # a view: it is written to below
    where = labels * n
    where += counting(n)
    picked = flat[where]
    np.exp(y, out=y)
    total = ones(len(y), y.dtype).dot(y)
    y /= total
    flat[where] = flat[where] - ones(n, y.dtype)  # two thirds of the time of `-= 1`
    return y.T, total, picked


@lru_cache(16)
def counting(n: int) -> Any:
    """Return 0 up to n - 1, as an array that is nobody's to write to."""
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers


def _expand_cross_entropy(x: Any, labels: Any, kept: Any = None) -> Any:
    if x.dtype.char not in "fd" or not labels.size:
        return None
    y = log_softmax(x, -1)
    return np.add.reduce(np.take_along_axis(y, labels[..., None], -1), None) * (-1.0 / labels.size)


def _misfit(x: Any, labels: Any) -> Any:
    if has_few_columns(x):
        return np.ascontiguousarray(_error_by_columns(x, labels, labels.size)[0])
    y = _softmax(x, -1)
    y.reshape(-1)[_flat_index(labels, x.shape[-1])] -= 1
    return y


def _batch_misfit(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    x, labels = args
    if not batched[1]:
        labels = broadcast_to(labels, shape_of(x)[:-1])
    elif not batched[0]:
        x = broadcast_to(x, (*shape_of(labels), shape_of(x)[-1]))
    return apply(misfit_p, x, labels)


def _push_misfit(tangents: Sequence[Any], y: Any, x: Any, labels: Any) -> Any:
    return _careful_softmax_rule(tangents[0], softmax(x, -1), x, -1)


misfit_p: Primitive = Primitive(
    name="misfit",
    fn=_misfit,
    pulls=(lambda g, y, x, labels: _softmax_rule(g, softmax(x, -1), x, -1), no_cotangent),
    careful=(lambda g, y, x, labels: _careful_softmax_rule(g, softmax(x, -1), x, -1), no_cotangent),
    push=_push_misfit,
    batch=_batch_misfit,
    expand=lambda x, labels: softmax(x, -1) - _one_hot(labels, shape_of(x)[-1]),
    cases=LABELLED,
)
"""Softmax minus one-hot labels: the derivative of cross-entropy, but for its scale."""


def _error(x: Any, labels: Any, kept: Any) -> Any:
    return apply(misfit_p, x, labels) if kept is None or type(x) is Var else kept


def _pull_cross_entropy(g: Any, y: Any, x: Any, labels: Any, kept: Any = None) -> Any:
    return _error(x, labels, kept) * (g * (1.0 / max(labels.size, 1)))


def _careful_pull_cross_entropy(g: Any, y: Any, x: Any, labels: Any, kept: Any = None) -> Any:
    scale = g * (1.0 / max(labels.size, 1))
    return guard(_error(x, labels, kept) * scale, scale)


def _push_cross_entropy(tangents: Sequence[Any], y: Any, x: Any, labels: Any, kept: Any = None) -> Any:
    t = tangents[0]
    return np.sum(guard(_error(x, labels, kept) * t, t)) * (1.0 / max(labels.size, 1))


def _batch_cross_entropy(args: Sequence[Any], batched: Sequence[bool], kept: Any = None) -> Any:
    x, labels = args
    y, hot = log_softmax(x, -1), _one_hot(labels, shape_of(x)[-1])
    picked = np.sum(np.where(hot, y, 0.0), axis=-1)
    return -np.mean(picked, axis=tuple(range(1, len(shape_of(picked)))))


cross_entropy_p = Primitive(
    name="cross_entropy",
    fn=lambda x, labels, kept=None: _cross_entropy(x, labels)[0],
    keep=_cross_entropy,
    pulls=(_pull_cross_entropy, no_cotangent),
    careful=(_careful_pull_cross_entropy, no_cotangent),
    push=_push_cross_entropy,
    batch=_batch_cross_entropy,
    expand=_expand_cross_entropy,
    cases=LABELLED,
)
"""The mean of ``-log(softmax(x)[label])`` over all examples."""
