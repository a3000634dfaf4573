"""NumPy's discrete Fourier transforms, typed and differentiable, under NumPy's own names and signatures.

A real input has a real gradient. Transforms along several axes are recorded as one node an axis, in NumPy's order.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.fft import SWAPPED, fft_p, ifft_p, irfft_p, rfft_p
from tapegrad.typing import Array, ArrayLike, Axis

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
    y = apply(p, x, n=int(n), axis=axis, norm=norm or "backward")
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


# Several axes


def _lengths(x: Any, s: Any, axes: Any, last: bool) -> tuple[list[int], list[int]]:
    """Return the length and the axis of each transform; `last` tells that the input holds half of the last axis.

    Raises:
        ValueError: if there are more or fewer lengths than axes.
    """
    given = axes is not None
    axes = [int(axis) for axis in axes] if given else list(range(-(x.ndim if s is None else len(s)), 0))
    if s is not None and len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    axes = [normalize_axis_index(axis, x.ndim) for axis in axes]
    own = [x.shape[axis] for axis in axes]
    if s is None and last and own:
        own[-1] = 2 * (own[-1] - 1)
    lengths = (
        own
        if s is None
        else [full if n is None or n == -1 else int(n) for n, full in zip(s, [x.shape[a] for a in axes], strict=True)]
    )
    return lengths, axes


def _several(a: Any, function: Callable[..., Any], step: Callable[..., Array], s: Any, axes: Any, norm: Norm) -> Array:
    x = gathered(a)
    if type(x) is not Var:
        y: Array = function(x, s, axes, norm)
        return y
    lengths, order = _lengths(x, s, axes, last=False)
    for n, axis in zip(reversed(lengths), reversed(order), strict=True):
        x = step(x, n, axis, norm)
    result: Array = x
    return result


@stands_for(np.fft.fftn)
def fftn(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = None, norm: Norm = None, out: None = None) -> Array:
    """Return the discrete Fourier transform along several axes.

    Args:
        a: real or complex, any shape.
        s: the length of the result along each axis (-1: that of the input): the input is cut off, or filled up with zeros.
        axes: the axes to transform; by default the last ``len(s)``, or all.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Complex, of lengths `s` along the axes.

    Raises:
        ValueError: if `s` and `axes` differ in length, or a length is less than 1.

    Example:
        >>> fftn(np.eye(2))
        array([[2.+0.j, 0.+0.j],
               [0.+0.j, 2.+0.j]])
    """
    refuse_out(out, "fftn")
    return _several(a, FFT.fftn, fft, s, axes, norm)


@stands_for(np.fft.ifftn)
def ifftn(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = None, norm: Norm = None, out: None = None) -> Array:
    """Return the inverse discrete Fourier transform along several axes; arguments as of `fftn`.

    Example:
        >>> ifftn(2.0 * np.eye(2))
        array([[1.+0.j, 0.+0.j],
               [0.+0.j, 1.+0.j]])
    """
    refuse_out(out, "ifftn")
    return _several(a, FFT.ifftn, ifft, s, axes, norm)


@stands_for(np.fft.fft2)
def fft2(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Return the discrete Fourier transform along two axes; arguments as of `fftn`.

    Example:
        >>> fft2(np.eye(2))
        array([[2.+0.j, 0.+0.j],
               [0.+0.j, 2.+0.j]])
    """
    refuse_out(out, "fft2")
    return _several(a, FFT.fft2, fft, s, axes, norm)


@stands_for(np.fft.ifft2)
def ifft2(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Return the inverse discrete Fourier transform along two axes; arguments as of `fftn`.

    Example:
        >>> ifft2(2.0 * np.eye(2))
        array([[1.+0.j, 0.+0.j],
               [0.+0.j, 1.+0.j]])
    """
    refuse_out(out, "ifft2")
    return _several(a, FFT.ifft2, ifft, s, axes, norm)


@stands_for(np.fft.rfftn)
def rfftn(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = None, norm: Norm = None, out: None = None) -> Array:
    """Return the Fourier transform of real numbers along several axes: along the last axis half of it, as `rfft`.

    Args:
        a: real, any shape.
        s: the length to which the input is cut off, or filled up with zeros, along each axis (-1: its own).
        axes: the axes to transform; by default the last ``len(s)``, or all.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Complex, of lengths `s` along the axes; along the last one ``s[-1] // 2 + 1``.

    Raises:
        ValueError: if `s` and `axes` differ in length, or a length is less than 1.

    Example:
        >>> rfftn(np.eye(2))
        array([[2.+0.j, 0.+0.j],
               [0.+0.j, 2.+0.j]])
    """
    refuse_out(out, "rfftn")
    x = gathered(a)
    if type(x) is not Var:
        y: Array = FFT.rfftn(x, s, axes, norm)
        return y
    lengths, order = _lengths(x, s, axes, last=False)
    x = rfft(x, lengths[-1], order[-1], norm)
    for n, axis in zip(reversed(lengths[:-1]), reversed(order[:-1]), strict=True):
        x = fft(x, n, axis, norm)
    result: Array = x
    return result


@stands_for(np.fft.irfftn)
def irfftn(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = None, norm: Norm = None, out: None = None) -> Array:
    """Return the real numbers of which `a` is the `rfftn`.

    Args:
        a: along the last axis frequencies from 0 on, any shape.
        s: the length of the result along each axis; by default that of `a`, along the last axis even.
        axes: the axes to transform; by default the last ``len(s)``, or all.
        norm: where the factor ``1 / n`` stands, see `Norm`.
        out: not supported.

    Returns:
        Real, of lengths `s` along the axes.

    Raises:
        ValueError: if `s` and `axes` differ in length, or a length is less than 1.

    Example:
        >>> irfftn(2.0 * np.eye(2))
        array([[1., 0.],
               [0., 1.]])
    """
    refuse_out(out, "irfftn")
    x = gathered(a)
    if type(x) is not Var:
        y: Array = FFT.irfftn(x, s, axes, norm)
        return y
    lengths, order = _lengths(x, s, axes, last=True)
    for n, axis in zip(lengths[:-1], order[:-1], strict=True):
        x = ifft(x, n, axis, norm)
    return irfft(x, lengths[-1], order[-1], norm)


@stands_for(np.fft.rfft2)
def rfft2(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Return the Fourier transform of real numbers along two axes; arguments as of `rfftn`.

    Example:
        >>> rfft2(np.eye(2))
        array([[2.+0.j, 0.+0.j],
               [0.+0.j, 2.+0.j]])
    """
    return rfftn(a, s, axes, norm, out)


@stands_for(np.fft.irfft2)
def irfft2(a: ArrayLike, s: Sequence[int] | None = None, axes: Axis = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Return the real numbers of which `a` is the `rfft2`; arguments as of `irfftn`.

    Example:
        >>> irfft2(2.0 * np.eye(2))
        array([[1., 0.],
               [0., 1.]])
    """
    return irfftn(a, s, axes, norm, out)


# Frequencies


@stands_for(np.fft.fftshift)
def fftshift(x: ArrayLike, axes: Axis = None) -> Array:
    """Move the frequency 0 to the middle.

    Args:
        x: any shape.
        axes: the axes to shift; by default all.

    Returns:
        The same elements, rolled by half of each axis.

    Example:
        >>> fftshift(fftfreq(4, 0.25))
        array([-2., -1.,  0.,  1.])
    """
    return _rolled(x, axes, lambda n: n // 2)


@stands_for(np.fft.ifftshift)
def ifftshift(x: ArrayLike, axes: Axis = None) -> Array:
    """Move the frequency 0 from the middle back to the front: undo `fftshift`.

    Args:
        x: any shape.
        axes: the axes to shift; by default all.

    Returns:
        The same elements, rolled back.

    Example:
        >>> ifftshift(np.array([-2.0, -1.0, 0.0, 1.0]))
        array([ 0.,  1., -2., -1.])
    """
    return _rolled(x, axes, lambda n: -(n // 2))


def _rolled(x: Any, axes: Any, shift: Callable[[int], int]) -> Array:
    array = gathered(x)
    shape = np.shape(array)
    chosen = range(len(shape)) if axes is None else (axes,) if isinstance(axes, (int, np.integer)) else axes
    rolled: Array = np.roll(array, [shift(shape[axis]) for axis in chosen], tuple(chosen))
    return rolled


def fftfreq(n: int, d: float = 1.0, device: Literal["cpu"] | None = None) -> Array:
    """Return the frequencies that the elements of an `fft` stand for, in cycles per unit of `d`.

    Args:
        n: the length of the transform.
        d: the distance between samples.
        device: for compatibility; 'cpu'.

    Returns:
        Shape ``(n,)``.

    Example:
        >>> fftfreq(4, 0.25)
        array([ 0.,  1., -2., -1.])
    """
    return np.fft.fftfreq(n, d, device)


def rfftfreq(n: int, d: float = 1.0, device: Literal["cpu"] | None = None) -> Array:
    """Return the frequencies that the elements of an `rfft` stand for, in cycles per unit of `d`.

    Args:
        n: the length of the signal.
        d: the distance between samples.
        device: for compatibility; 'cpu'.

    Returns:
        Shape ``(n // 2 + 1,)``.

    Example:
        >>> rfftfreq(4, 0.25)
        array([0., 1., 2.])
    """
    return np.fft.rfftfreq(n, d, device)
