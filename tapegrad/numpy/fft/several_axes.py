"""Fourier transforms along several axes, recorded as one node an axis in NumPy's order."""

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.fft.one_axis import FFT, Norm, fft, ifft, irfft, rfft
from tapegrad.typing import Array, ArrayLike, Axis


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
        else [full if n is None or n == -1 else index(n) for n, full in zip(s, [x.shape[a] for a in axes], strict=True)]
    )
    return lengths, axes


def _several(
    a: Any,
    function: Callable[..., Any],
    step: Callable[..., Array],
    s: Any,
    axes: Any,
    norm: Norm,
    last: Callable[..., Array] | None = None,
    inverse: bool = False,
) -> Array:
    """Transform along the axes, the last one first.

    Args:
        a: the input, as users give it.
        function: NumPy's own, for plain arrays.
        step: the transform along one axis.
        s: the lengths.
        axes: the axes.
        norm: see `Norm`.
        last: the transform along the last axis, where it is another one.
        inverse: whether the input holds half of the last axis, which then comes last.
    """
    x = gathered(a)
    if type(x) is not Var:
        y: Array = function(x, s, axes, norm)
        return y
    lengths, order = _lengths(x, s, axes, last=inverse)
    steps = [step] * len(order)
    if last is not None:
        steps[-1] = last
    rounds = list(zip(steps, lengths, order, strict=True))
    for along, n, axis in rounds if inverse else reversed(rounds):
        x = along(x, n, axis, norm)
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
    return _several(a, FFT.rfftn, fft, s, axes, norm, last=rfft)


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
    return _several(a, FFT.irfftn, ifft, s, axes, norm, last=irfft, inverse=True)


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
