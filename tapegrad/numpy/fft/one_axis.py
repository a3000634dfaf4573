"""Fourier transforms along one axis. A real input has a real gradient."""

from collections.abc import Callable
from operator import index
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.fft import SWAPPED, fft_p, ifft_p, irfft_p, rfft_p
from tapegrad.typing import Array, ArrayLike

Norm: TypeAlias = Literal["backward", "ortho", "forward"] | None
"""Where the factor ``1 / n`` stands: on the inverse, as its root on both, or on the forward transform. None is 'backward'."""

FFT: Any = np.fft
"""NumPy's own functions, called with whatever was given."""


def _along(p: Primitive, function: Callable[..., Any], a: Any, n: Any, axis: int, norm: Norm, whole: bool = True) -> Array:
    """Record a transform along one axis; `whole` tells whether its input is as long as its `n`."""
    x = gathered(a)
    y: Array
    if type(x) is not Var:
        y = function(x, n, axis, norm)
        return y
    axis = normalize_axis_index(axis, x.ndim)
    if n is None:
        n = x.shape[axis] if whole else 2 * (x.shape[axis] - 1)
    if norm is not None and norm not in SWAPPED:
        function(np.ones(1), norm=norm)  # says what is wrong
    y = apply(p, x, n=index(n), axis=axis, norm=norm or "backward")
    return y


@stands_for(np.fft.fft)
def fft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return the discrete Fourier transform along an axis.

    Args:
        a: real or complex, any shape.
        n: the length of the result: the input is cut off, or filled up with zeros, to it. By default that of the axis.
        axis: the axis to transform.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Complex, of length `n` along the axis.

    Raises:
        ValueError: if `n` is less than 1.
        AxisError: if there is no such axis.

    Example:
        >>> fft(np.array([1.0, 0.0, 0.0]))
        array([1.+0.j, 1.+0.j, 1.+0.j])
    """
    refuse_out(out, "fft")
    return _along(fft_p, FFT.fft, a, n, axis, norm)


@stands_for(np.fft.ifft)
def ifft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return the inverse discrete Fourier transform along an axis; arguments as of `fft`.

    Example:
        >>> ifft(np.array([3.0, 0.0, 0.0]))
        array([1.+0.j, 1.+0.j, 1.+0.j])
    """
    refuse_out(out, "ifft")
    return _along(ifft_p, FFT.ifft, a, n, axis, norm)


@stands_for(np.fft.rfft)
def rfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return the frequencies from 0 to the highest of the Fourier transform of real numbers along an axis.

    Args:
        a: real, any shape.
        n: the length to which the input is cut off, or filled up with zeros. By default that of the axis.
        axis: the axis to transform.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Complex, of length ``n // 2 + 1`` along the axis.

    Raises:
        TypeError: if the input is complex.
        ValueError: if `n` is less than 1.

    Example:
        >>> rfft(np.array([1.0, 0.0, 0.0]))
        array([1.+0.j, 1.+0.j])
    """
    refuse_out(out, "rfft")
    return _along(rfft_p, FFT.rfft, a, n, axis, norm)


@stands_for(np.fft.irfft)
def irfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return the real numbers of which `a` is the `rfft`.

    Args:
        a: frequencies from 0 on, any shape.
        n: the length of the result; by default even, ``2 * (m - 1)`` for `m` frequencies.
        axis: the axis to transform.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Real, of length `n` along the axis.

    Raises:
        ValueError: if `n` is less than 1.

    Example:
        >>> irfft(np.array([3.0, 0.0]), 3)
        array([1., 1., 1.])
    """
    refuse_out(out, "irfft")
    return _along(irfft_p, FFT.irfft, a, n, axis, norm, whole=False)


@stands_for(np.fft.hfft)
def hfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return the Fourier transform, which is real, of a signal of which `a` is one half and the conjugate of it the other.

    Args:
        a: times from 0 on, any shape.
        n: the length of the result; by default even, ``2 * (m - 1)`` for `m` times.
        axis: the axis to transform.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Real, of length `n` along the axis.

    Example:
        >>> hfft(np.array([1.0, 0.0]), 3)
        array([1., 1., 1.])
    """
    refuse_out(out, "hfft")
    x = gathered(a)
    if type(x) is not Var:
        y: Array = FFT.hfft(x, n, axis, norm)
        return y
    return irfft(np.conjugate(x), n, axis, _swapped(norm))


@stands_for(np.fft.ihfft)
def ihfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Return one half of the signal of which `a` is the `hfft`.

    Args:
        a: real, any shape.
        n: the length to which the input is cut off, or filled up with zeros. By default that of the axis.
        axis: the axis to transform.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Complex, of length ``n // 2 + 1`` along the axis.

    Example:
        >>> ihfft(np.array([3.0, 0.0, 0.0]))
        array([1.-0.j, 1.-0.j])
    """
    refuse_out(out, "ihfft")
    x = gathered(a)
    if type(x) is not Var:
        y: Array = FFT.ihfft(x, n, axis, norm)
        return y
    return np.conjugate(rfft(x, n, axis, _swapped(norm)))


def _swapped(norm: Any) -> Any:
    return SWAPPED.get("backward" if norm is None else norm, norm)
