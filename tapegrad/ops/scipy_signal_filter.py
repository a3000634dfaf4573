"""Recursive filters: one primitive for the filter, and one for the products of two signals at a few lags.

``y = lfilter(b, a, x)`` solves ``A y = B x``, where `A` and `B` are sums of shifts with the coefficients `a` and `b`. The
transpose of a filter is the filter run backwards in time; what a coefficient does is read off at its lag.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import multilinear
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.scipy_signal import reverse

scipy_lfilter: Fn = scipy.signal.lfilter
einsum: Fn = np.einsum


def _one(x: Any) -> Any:
    """Return the coefficient of a filter that does nothing."""
    return np.ones(1, dtype_of(x))


def _back(x: Any, b: Any, a: Any, axis: int) -> Any:
    """Return `x` filtered backwards in time."""
    return reverse(apply(lfilter_p, reverse(x, (axis,)), b, a, axis=axis), (axis,))


def _pull_denominator(g: Any, y: Any, x: Any, b: Any, a: Any, axis: int) -> Any:
    return -apply(lags_p, _back(g, _one(a), a, axis), y, count=len(a), axis=axis)


def _pull_numerator(g: Any, y: Any, x: Any, b: Any, a: Any, axis: int) -> Any:
    return apply(lags_p, _back(g, _one(a), a, axis), x, count=len(b), axis=axis)


def _push(tangents: Sequence[Any], y: Any, x: Any, b: Any, a: Any, axis: int) -> Any:
    dx, db, da = tangents
    source = None if db is None else apply(lfilter_p, x, db, _one(b), axis=axis)
    if da is not None:
        part = -apply(lfilter_p, y, da, _one(a), axis=axis)
        source = part if source is None else source + part
    total = None if dx is None else apply(lfilter_p, dx, b, a, axis=axis)
    if source is not None:
        part = apply(lfilter_p, source, _one(a), a, axis=axis)
        total = part if total is None else total + part
    return total


def _each(primitive: Callable[[], Primitive]) -> Fn:
    """Return a batch rule that takes the examples one by one."""

    def batch(args: Sequence[Any], batched: Sequence[bool], **settings: Any) -> Any:
        size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
        rows = [[x[i] if is_batched else x for x, is_batched in zip(args, batched, strict=True)] for i in range(size)]
        return np.stack([apply(primitive(), *row, **settings) for row in rows])

    return batch


def _batch_lfilter(args: Sequence[Any], batched: Sequence[bool], axis: int) -> Any:
    if batched[1] or batched[2]:
        return _each(lambda: lfilter_p)(args, batched, axis=axis)
    return apply(lfilter_p, *args, axis=axis + 1)


def _lfilter(x: Any, b: Any, a: Any, axis: int) -> Any:
    return scipy_lfilter(b, a, x, axis) if x.size else np.zeros(x.shape, np.result_type(b, a, x))


lfilter_p: Primitive = Primitive(
    name="lfilter",
    fn=_lfilter,
    pulls=(lambda g, y, x, b, a, axis: _back(g, b, a, axis), _pull_numerator, _pull_denominator),
    push=_push,
    batch=_batch_lfilter,
    cases=(
        case((6,), (3,), np.array([1.5, -0.5, 0.2, 0.1]), axis=0),
        case((6,), (2,), np.array([2.0]), axis=0),
        case((2, 5), (1,), np.array([1.0, 0.7]), axis=1),
        case((4, 2), (6,), np.array([-1.0, 0.3]), axis=0),
    ),
)
"""A signal `x` of any rank filtered along an axis (a non-negative number) by the coefficients `b` and `a`, both vectors."""


# Products at lags


def _lags(v: Any, x: Any, count: int, axis: int) -> Any:
    widths = [(0, 0)] * v.ndim
    widths[axis] = (0, count - 1)
    ahead = np.pad(v, widths)
    if v.ndim == 1:
        return np.convolve(ahead, x[::-1], "valid")
    windows = sliding_window_view(ahead, v.shape[axis], axis)
    labels = list(range(v.ndim))
    inner = [v.ndim if i == axis else i for i in labels]
    return einsum(windows, [*labels, v.ndim], x, inner, [axis])


lags_p: Primitive = multilinear(
    "lags",
    _lags,
    lambda g, y, v, x, count, axis: apply(lfilter_p, x, g, _one(g), axis=axis),
    lambda g, y, v, x, count, axis: _back(v, g, _one(g), axis),
    batch=_each(lambda: lags_p),
    cases=(
        case((5,), (5,), count=3, axis=0),
        case((2, 4), (2, 4), count=1, axis=1),
        case((2, 3, 2), (2, 3, 2), count=5, axis=1),
    ),
)
"""For each lag `k` below `count`, the sum over all axes of ``v[n] * x[n - k]``, where `n` runs along `axis`."""
