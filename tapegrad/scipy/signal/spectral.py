"""Signals changed through their Fourier transforms."""

from typing import Any, Literal

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.primitive import Fn
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.typing import Array, ArrayLike

scipy_hilbert: ArrayFn = scipy.signal.hilbert
scipy_resample: Fn = scipy.signal.resample


def hilbert(x: ArrayLike, N: int | None = None, axis: int = -1) -> Array:
    """Return the analytic signal: `x`, and as imaginary part its Hilbert transform.

    Args:
        x: a real signal, an array of any rank.
        N: the length to which it is cut or filled up with zeros; its own by default.
        axis: the axis of time.

    Returns:
        A complex array, of length `N` along `axis`.

    Raises:
        ValueError: if `x` is complex, or `N` is not positive.

    Example:
        >>> np.allclose(hilbert(np.array([1.0, 0.0, -1.0, 0.0])).imag, [0.0, 1.0, 0.0, -1.0])
        True
    """
    arrays = traced(x)
    if arrays is None:
        return scipy_hilbert(x, N, axis)
    (signal,) = arrays
    axis = normalize_axis_index(axis, signal.ndim)
    n = signal.shape[axis] if N is None else N
    if signal.dtype.kind == "c" or n <= 0:
        refused(scipy_hilbert, signal, N, axis)
    keep = np.zeros(n, signal.dtype)  # positive frequencies twice, those without a mirror image once
    keep[0] = 1
    keep[1 : (n + 1) // 2] = 2
    if n % 2 == 0:
        keep[n // 2] = 1
    spectrum = np.fft.fft(signal, n, axis) * keep.reshape(-1, *(1,) * (signal.ndim - axis - 1))
    return np.fft.ifft(spectrum, axis=axis)


def resample(
    x: ArrayLike,
    num: int,
    t: ArrayLike | None = None,
    axis: int = 0,
    window: Any = None,
    domain: Literal["time", "freq"] = "time",
) -> Any:
    """Return a periodic signal sampled at `num` points in place of its own, through its Fourier transform.

    Args:
        x: a signal, an array of any rank.
        num: how many points.
        t: the times of the samples; their new times are returned too.
        axis: the axis of time.
        window: what the spectrum is multiplied by, as SciPy takes it; for plain arrays only.
        domain: ``"time"``; ``"freq"``, where `x` is a spectrum, is for plain arrays only.

    Returns:
        The signal, of length `num` along `axis`; with `t` also the new times.

    Raises:
        ValueError: for another domain.
        NotImplementedError: on traced values, for what is for plain arrays only.

    Example:
        >>> resample(np.array([1.0, 0.0, -1.0, 0.0]), 8)[:4].round(3) + 0.0
        array([ 1.   ,  0.707,  0.   , -0.707])
    """
    arrays = traced(x, t)
    if arrays is None:
        return scipy_resample(x, num, t, axis, window, domain)
    signal, times = arrays
    axis = normalize_axis_index(axis, signal.ndim)
    if domain not in ("time", "freq"):
        refused(scipy_resample, signal, num, domain=domain)
    if domain == "freq" or window is not None:
        raise NotImplementedError(
            "resample: a window, and the domain 'freq', have no derivative; multiply the spectrum yourself"
        )
    n = signal.shape[axis]
    rows = np.moveaxis(signal, axis, -1)
    y = np.moveaxis(_resampled(rows, n, num), -1, axis)
    if times is None:
        return y
    return y, times[0] + (times[1] - times[0]) * (n / num) * np.arange(num)


def _resampled(x: Any, n: int, num: int) -> Any:
    both = min(n, num)
    half = both // 2
    unpaired = both % 2 == 0 and n != num  # a frequency that is its own mirror image on one side only
    if x.dtype.kind != "c":
        weights = np.ones(half + 1, x.dtype)
        if unpaired:
            weights[half] = 2.0 if num < n else 0.5
        return np.fft.irfft(np.fft.rfft(x)[..., : half + 1] * weights * (num / n), num)
    spectrum = np.fft.fft(x)
    low, high = spectrum[..., : half + 1], spectrum[..., n - (both - half - 1) :]
    if unpaired:
        middle = low[..., half:]
        middle = middle + spectrum[..., n - half : n - half + 1] if num < n else middle / 2
        low = np.concatenate([low[..., :half], middle], axis=-1)
        high = np.concatenate([middle, high], axis=-1) if num > n else high
    gap = num - low.shape[-1] - high.shape[-1]
    rest = np.zeros((*x.shape[:-1], gap), spectrum.dtype)
    return np.fft.ifft(np.concatenate([low, rest, high], axis=-1) * (num / n))
