"""Convolution over any axes: one primitive, which is its own transpose with one input reversed.

The full convolution of lengths `n` and `m` has length ``n + m - 1``; every mode of it is a window of that. A window may begin
before 0 and end behind the end, where the convolution is 0; so the transposes are windows as well, and nothing is computed
that no window asked for.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from tapegrad.core.arrays import shape_of, sum_to
from tapegrad.core.families import multilinear
from tapegrad.core.primitive import Fn, case
from tapegrad.core.var import apply

Method = Literal["direct", "fft", "oa"]
Ints = tuple[int, ...]

oaconvolve: Fn = scipy.signal.oaconvolve
einsum: Fn = np.einsum


def convolve(x: Any, k: Any, axes: Ints, low: Ints, size: Ints, method: Method = "direct") -> Any:
    """Return the window ``[low, low + size)`` of the convolution of `x` and `k` over `axes`; the other axes broadcast."""
    return apply(convolve_nd_p, x, k, axes=axes, low=low, size=size, method=method)


def window(mode: str, n: int, m: int) -> tuple[int, int]:
    """Return where the window of a mode begins, and its length, for inputs of lengths `n` and `m`."""
    if mode == "full":
        return 0, n + m - 1
    if mode == "same":
        return (m - 1) // 2, n
    return min(n, m) - 1, abs(n - m) + 1


def reverse(x: Any, axes: Ints) -> Any:
    """Return `x` with the given axes backwards."""
    return x[tuple([slice(None, None, -1) if i in axes else slice(None) for i in range(len(shape_of(x)))])]


# The values


def _convolve(x: Any, k: Any, axes: Ints, low: Ints, size: Ints, method: Method) -> Any:
    x, k = np.asarray(x), np.asarray(k)
    whole = [x.shape[a] + k.shape[a] - 1 for a in axes]
    start = [min(max(at, 0), n) for at, n in zip(low, whole, strict=True)]
    stop = [max(min(at + length, n), first) for at, length, n, first in zip(low, size, whole, start, strict=True)]
    if 0 in size or any(a == b for a, b in zip(start, stop, strict=True)):
        return np.zeros(_shape(x, k, axes, size), np.result_type(x, k))
    compute = _direct if method == "direct" else _by_fft
    if method == "oa" and start == [0] * len(axes) and stop == whole:
        y = oaconvolve(x, k, "full", axes)
    else:
        y = compute(x, k, axes, start, stop)
    before = [a - at for a, at in zip(start, low, strict=True)]
    after = [at + length - b for at, length, b in zip(low, size, stop, strict=True)]
    return _padded(y, axes, before, after)


def _shape(x: Any, k: Any, axes: Ints, size: Ints) -> Ints:
    shape = list(np.broadcast_shapes(*[[1 if a in axes else n for a, n in enumerate(z.shape)] for z in (x, k)]))
    for a, length in zip(axes, size, strict=True):
        shape[a] = length
    return tuple(shape)


def _padded(y: Any, axes: Ints, before: Sequence[int], after: Sequence[int]) -> Any:
    if not any(before) and not any(after):
        return y
    widths = [(0, 0)] * y.ndim
    for a, first, last in zip(axes, before, after, strict=True):
        widths[a] = (first, last)
    return np.pad(y, widths)


def _direct(x: Any, k: Any, axes: Ints, start: Sequence[int], stop: Sequence[int]) -> Any:
    """Sum products: slide the smaller input along the larger one, cut or padded to what the window sees of it."""
    if sum(k.shape[a] for a in axes) > sum(x.shape[a] for a in axes):
        x, k = k, x
    seen = [slice(None)] * x.ndim
    before, after = [], []
    for a, first, last in zip(axes, start, stop, strict=True):
        begin = first - k.shape[a] + 1
        seen[a] = slice(max(begin, 0), last)
        before.append(max(-begin, 0))
        after.append(max(last - x.shape[a], 0))
    if x.ndim == 1:
        if not start[0] and stop[0] == len(x) + len(k) - 1:
            return np.convolve(x, k)
        return np.convolve(_padded(x[seen[0]], axes, before, after), k, "valid")
    windows = sliding_window_view(_padded(x[tuple(seen)], axes, before, after), [k.shape[a] for a in axes], axes)
    labels = list(range(x.ndim))
    inner = {a: x.ndim + i for i, a in enumerate(axes)}
    return einsum(windows, labels + list(inner.values()), reverse(k, axes), [inner.get(a, a) for a in labels], labels)


def _by_fft(x: Any, k: Any, axes: Ints, start: Sequence[int], stop: Sequence[int]) -> Any:
    """Multiply transforms no longer than need be: what wraps around falls outside of the window."""
    whole = [x.shape[a] + k.shape[a] - 1 for a in axes]
    is_real = x.dtype.kind != "c" and k.dtype.kind != "c"
    lengths = [
        scipy.fft.next_fast_len(max(n - first, last, x.shape[a], k.shape[a]), is_real)
        for a, n, first, last in zip(axes, whole, start, stop, strict=True)
    ]
    there: Fn = scipy.fft.rfftn if is_real else scipy.fft.fftn
    back: Fn = scipy.fft.irfftn if is_real else scipy.fft.ifftn
    y = back(there(x, lengths, axes) * there(k, lengths, axes), lengths, axes)
    cut = [slice(None)] * y.ndim
    for a, first, last in zip(axes, start, stop, strict=True):
        cut[a] = slice(first, last)
    return y[tuple(cut)]


# The primitive


def _pull(g: Any, x: Any, k: Any, axes: Ints, low: Ints, method: Method) -> Any:
    """Return the cotangent of `x`, of which nothing but the shape is looked at."""
    shape, lengths = shape_of(x), shape_of(k)
    first = tuple([lengths[a] - 1 - at for a, at in zip(axes, low, strict=True)])
    c = convolve(g, reverse(k, axes), axes, first, tuple([shape[a] for a in axes]), method)
    return sum_to(c, shape)


def _batch(args: Sequence[Any], batched: Sequence[bool], axes: Ints, low: Ints, size: Ints, method: Method) -> Any:
    x, k = [z if is_batched else z[None] for z, is_batched in zip(args, batched, strict=True)]
    return convolve(x, k, tuple([a + 1 for a in axes]), low, size, method)


convolve_nd_p = multilinear(
    "convolve_nd",
    _convolve,
    lambda g, y, x, k, axes, low, size, method: _pull(g, x, k, axes, low, method),
    lambda g, y, x, k, axes, low, size, method: _pull(g, k, x, axes, low, method),
    batch=_batch,
    cases=(
        case((5,), (3,), axes=(0,), low=(0,), size=(7,), method="direct"),
        case((5,), (4,), axes=(0,), low=(1,), size=(5,), method="fft"),
        case((3,), (6,), axes=(0,), low=(2,), size=(4,), method="direct"),
        case((4,), (3,), axes=(0,), low=(-2,), size=(10,), method="direct"),
        case((4,), (3,), axes=(0,), low=(7,), size=(2,), method="fft"),
        case((9,), (2,), axes=(0,), low=(0,), size=(10,), method="oa"),
        case((4, 5), (2, 3), axes=(0, 1), low=(1, 0), size=(3, 7), method="direct"),
        case((4, 5), (5, 3), axes=(0, 1), low=(3, 2), size=(2, 3), method="fft"),
        case((2, 5), (1, 3), axes=(1,), low=(0,), size=(7,), method="direct"),
        case((1, 5), (2, 3), axes=(1,), low=(1,), size=(4,), method="fft"),
        case((2, 4, 3), (2, 2, 3), axes=(2, 1), low=(2, 0), size=(2, 5), method="direct"),
    ),
)
"""Two arrays of one rank, convolved over `axes`, by summing products ('direct') or by transforms ('fft', 'oa')."""
