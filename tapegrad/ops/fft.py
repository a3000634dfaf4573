"""Discrete Fourier transforms along one axis; those along several are one after the other.

The matrix of the transform is symmetric, so that the transform is its own transpose (JAX's convention conjugates nothing). The
transforms between real numbers and half a spectrum differ from it by the weight of the frequencies that stand for two.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.core.families import linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.window import fit

SWAPPED: dict[str, Any] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The normalization of the inverse that makes it the transpose."""


def _weights(n: int, axis: int, rank: int, once: float, twice: float, dtype: np.dtype[Any]) -> Any:
    """Return factors for half a spectrum: one for frequencies that stand for themselves, one for those that stand for two."""
    w = np.full(n // 2 + 1, twice, np.finfo(dtype).dtype)
    w[0] = once
    if n % 2 == 0:
        w[-1] = once
    return w.reshape((-1,) + (1,) * (rank - axis - 1))


def _pull_fft(g: Any, y: Any, x: Any, n: int, axis: int, norm: Any) -> Any:
    return fit(np.fft.fft(g, n, axis, norm), axis, 0, x.shape[axis])


def _pull_ifft(g: Any, y: Any, x: Any, n: int, axis: int, norm: Any) -> Any:
    return fit(np.fft.ifft(g, n, axis, norm), axis, 0, x.shape[axis])


def _pull_rfft(g: Any, y: Any, x: Any, n: int, axis: int, norm: Any) -> Any:
    half = np.conjugate(g) * _weights(n, axis, g.ndim, 1.0, 0.5, g.dtype)
    return fit(np.fft.irfft(half, n, axis, SWAPPED[norm]), axis, 0, x.shape[axis])


def _pull_irfft(g: Any, y: Any, x: Any, n: int, axis: int, norm: Any) -> Any:
    half = np.conjugate(np.fft.rfft(g, n, axis, SWAPPED[norm])) * _weights(n, axis, g.ndim, 1.0, 2.0, g.dtype)
    return fit(half, axis, 0, x.shape[axis])


CASES = (
    case((4,), n=4, axis=0, norm="backward"),
    case((3, 2), n=5, axis=0, norm="ortho"),
    case((2, 5), n=3, axis=1, norm="forward"),
    case((2, 5, 2), n=5, axis=1, norm="backward"),
    case((2,), n=1, axis=0, norm="backward"),
    case((3,), n=2, axis=0, norm="ortho"),
)


def _transform(function: Callable[..., Any], pull: Callable[..., Any]) -> Primitive:
    p: Primitive = linear(
        function.__name__,
        lambda x, n, axis, norm: function(x, n, axis, norm),
        pull,
        batch=lambda args, batched, n, axis, norm: apply(p, args[0], n=n, axis=axis + 1, norm=norm),
        cases=CASES,
    )
    return p


fft_p = _transform(np.fft.fft, _pull_fft)
ifft_p = _transform(np.fft.ifft, _pull_ifft)
rfft_p = _transform(np.fft.rfft, _pull_rfft)
irfft_p = _transform(np.fft.irfft, _pull_irfft)
