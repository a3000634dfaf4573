"""Convolution of sequences: a sum of products under a window that moves on by one."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.core.families import linear, multilinear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply

OFFSET: dict[str, Callable[[int], int]] = {
    "full": lambda short: 0,
    "same": lambda short: (short - 1) // 2,
    "valid": lambda short: short - 1,
}
"""Where the output of a mode starts within the full convolution, by the length of the shorter input."""


def _fit(x: Any, axis: int, start: int, length: int) -> Any:
    y = np.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)
    first, last = max(start, 0), min(start + x.shape[axis], length)
    if first < last:
        lead = (slice(None),) * axis
        y[(*lead, slice(first, last))] = x[(*lead, slice(first - start, last - start))]
    return y


fit_p: Primitive = linear(
    "fit",
    _fit,
    lambda g, y, x, axis, start, length: apply(fit_p, g, axis=axis, start=-start, length=x.shape[axis]),
    batch=lambda args, batched, axis, start, length: apply(fit_p, args[0], axis=axis + 1, start=start, length=length),
    cases=(
        case((3,), axis=0, start=0, length=5),
        case((2, 4), axis=1, start=-1, length=2),
        case((4,), axis=0, start=2, length=5),
        case((2,), axis=0, start=3, length=2),
    ),
)
"""`x` laid into zeros of another length along an axis, from `start` on, and cut off where it sticks out."""


def fit(x: Any, axis: int, start: int, length: int) -> Any:
    """Return `x` with another length along an axis: its elements from `start` on, zeros before and behind."""
    if start == 0 and x.shape[axis] == length:
        return x
    return apply(fit_p, x, axis=axis, start=start, length=length)


def _whole(g: Any, a: Any, v: Any, mode: str) -> Any:
    """Return the cotangent of the full convolution."""
    n, m = len(a), len(v)
    return fit(g, 0, OFFSET[mode](min(n, m)), n + m - 1)


def _transposed(g: Any, other: Any) -> Any:
    return np.correlate(g, np.conjugate(other) if other.dtype.kind == "c" else other, "valid")


def _windows(x: Any, width: int) -> Any:
    """Return all windows of the rows of `x`, zeros beyond their ends: shape ``(batch, length + width - 1, width)``."""
    length = x.shape[1] + width - 1
    padded = fit(x, 1, width - 1, length + width - 1)
    return padded[:, np.arange(length)[:, None] + np.arange(width)]


def _batch_convolve(args: Sequence[Any], batched: Sequence[bool], mode: str) -> Any:
    a, v = args
    if not batched[0] or (batched[1] and a.shape[1] < v.shape[1]):
        a, v, batched = v, a, batched[::-1]
    n, m = a.shape[1], v.shape[-1]
    start = OFFSET[mode](min(n, m))
    length = {"full": n + m - 1, "same": max(n, m), "valid": max(n, m) - min(n, m) + 1}[mode]
    kernel = v[..., ::-1]
    windows = _windows(a, m)[:, start : start + length]
    return np.matmul(windows, kernel[..., None])[..., 0] if batched[1] else np.matmul(windows, kernel)


convolve_p: Primitive = multilinear(
    "convolve",
    lambda a, v, mode: np.convolve(a, v, mode),
    lambda g, y, a, v, mode: _transposed(_whole(g, a, v, mode), v),
    lambda g, y, a, v, mode: _transposed(_whole(g, a, v, mode), a),
    batch=_batch_convolve,
    cases=tuple(case(a, v, mode=mode) for mode in OFFSET for a, v in (((5,), (3,)), ((2,), (5,)), ((4,), (4,)), ((1,), (2,)))),
)
"""The convolution of two vectors, as ``np.convolve``."""
