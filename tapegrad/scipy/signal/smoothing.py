"""Trends and smoothing: linear maps of a signal, whose coefficients depend on nothing but its length."""

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.structure import astype
from tapegrad.ops import scipy_signal as ops
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.typing import Array, ArrayLike

scipy_detrend: ArrayFn = scipy.signal.detrend
scipy_savgol_filter: ArrayFn = scipy.signal.savgol_filter
savgol_coeffs: ArrayFn = scipy.signal.savgol_coeffs

PADDING: dict[str, Any] = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
"""What NumPy calls the boundaries of SciPy."""


def detrend(
    data: ArrayLike,
    axis: int = -1,
    type: Literal["linear", "constant", "l", "c"] = "linear",
    bp: ArrayLike = 0,
    overwrite_data: bool = False,
) -> Array:
    """Return a signal without its trend along an axis.

    Args:
        data: an array of any rank.
        axis: the axis of time.
        type: ``"linear"`` takes away the straight line of least squares, ``"constant"`` the mean.
        bp: break points: between two of them, the line is a line of its own.
        overwrite_data: without effect on traced values.

    Returns:
        An array of the shape of `data`.

    Raises:
        ValueError: for an unknown type, or a break point beyond the end.

    Example:
        >>> detrend(np.array([1.0, 2.0, 4.0]), type="constant").round(3)
        array([-1.333, -0.333,  1.667])
    """
    arrays = traced(data)
    if arrays is None:
        return scipy_detrend(data, axis, type, bp, overwrite_data)
    (x,) = arrays
    if type in ("constant", "c"):
        y: Array = x - np.mean(x, axis, keepdims=True)
        return y
    breaks = np.unique(np.concatenate(np.atleast_1d(0, np.asarray(bp), x.shape[axis])))
    if type not in ("linear", "l") or np.any(breaks > x.shape[axis]):
        refused(scipy_detrend, x, axis, type, bp)
    rows = np.moveaxis(x, axis, 0)
    columns = rows.reshape(rows.shape[0], -1) if rows.size else rows
    pieces = [_without_line(columns[first:last]) for first, last in pairwise(breaks)]
    return np.moveaxis(np.concatenate(pieces).reshape(rows.shape), 0, axis)


def savgol_filter(
    x: ArrayLike,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: Literal["mirror", "constant", "nearest", "wrap", "interp"] = "interp",
    cval: float = 0.0,
) -> Array:
    """Return a signal smoothed by polynomials, fitted to a window around each element (Savitzky-Golay).

    Args:
        x: a real array of any rank.
        window_length: how many elements a polynomial is fitted to.
        polyorder: its degree, less than `window_length`.
        deriv: which derivative of it is returned.
        delta: the distance between elements, for derivatives.
        axis: the axis of time.
        mode: how the signal is continued beyond its ends; ``"interp"`` fits polynomials to the last windows instead.
        cval: what it is continued with in mode ``"constant"``.

    Returns:
        An array of the shape of `x`.

    Raises:
        ValueError: if the degree is too high, or for ``"interp"`` the window longer than the signal.

    Example:
        >>> savgol_filter(np.array([0.0, 1.0, 4.0, 9.0, 16.0]), 3, 2).round(6)
        array([ 0.,  1.,  4.,  9., 16.])
    """
    arrays = traced(x)
    if arrays is None:
        return scipy_savgol_filter(x, window_length, polyorder, deriv, delta, axis, mode, cval)
    (signal,) = arrays
    axis = normalize_axis_index(axis, signal.ndim)
    fits = signal.dtype.kind == "f" and (mode in PADDING or (mode == "interp" and window_length <= signal.shape[axis]))
    if not fits:
        refused(scipy_savgol_filter, signal, window_length, polyorder, deriv, delta, axis, mode)
    if signal.dtype not in (np.float32, np.float64):
        signal = astype(signal, np.float64)
    kernel = savgol_coeffs(window_length, polyorder, deriv, delta).astype(signal.dtype)
    kernel = kernel.reshape(*(1,) * axis, -1, *(1,) * (signal.ndim - axis - 1))
    after = window_length // 2
    before = window_length - 1 - after
    if mode != "interp":
        widths = [(0, 0)] * signal.ndim
        widths[axis] = (before, after)
        more: Any = {"constant_values": cval} if mode == "constant" else {}
        padded = np.pad(signal, widths, PADDING[mode], **more)
        y: Array = ops.convolve(padded, kernel, (axis,), (window_length - 1,), (signal.shape[axis],))
        return y
    inner = ops.convolve(signal, kernel, (axis,), (2 * after,), (signal.shape[axis] - 2 * after,))
    fit = scipy_savgol_filter(np.eye(window_length), window_length, polyorder, deriv, delta, 0).astype(signal.dtype)
    rows = np.moveaxis(signal, axis, -2) if signal.ndim > 1 else signal[:, None]
    first = np.matmul(fit[:after], rows[..., :window_length, :])
    last = np.matmul(fit[window_length - after :], rows[..., rows.shape[-2] - window_length :, :])
    ends = [np.moveaxis(end, -2, axis) if signal.ndim > 1 else end[:, 0] for end in (first, last)]
    return np.concatenate([ends[0], inner, ends[1]], axis)


def _without_line(x: Any) -> Any:
    """Return the columns of `x` without their straight lines of least squares."""
    n = len(x)
    line = np.stack([np.ones(n), np.arange(1, n + 1) / max(n, 1)], 1)
    basis, _ = np.linalg.qr(line)
    basis = basis.astype(np.finfo(x.dtype).dtype)
    return x - np.matmul(basis, np.matmul(basis.T, x))
