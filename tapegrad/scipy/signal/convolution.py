"""Convolution and correlation, by sums of products or by Fourier transforms, in one, two and more dimensions."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_tuple

from tapegrad.numpy.shapes import plain
from tapegrad.ops import scipy_signal as ops
from tapegrad.ops.scipy_signal import Ints, Method, reverse, window
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.typing import Array, ArrayLike, Axis

Mode = Literal["full", "valid", "same"]
Boundary = Literal["fill", "wrap", "symm"]

scipy_convolve: ArrayFn = scipy.signal.convolve
scipy_correlate: ArrayFn = scipy.signal.correlate
scipy_fftconvolve: ArrayFn = scipy.signal.fftconvolve
scipy_oaconvolve: ArrayFn = scipy.signal.oaconvolve
scipy_convolve2d: ArrayFn = scipy.signal.convolve2d
scipy_correlate2d: ArrayFn = scipy.signal.correlate2d
faster_method: Callable[..., Any] = scipy.signal.choose_conv_method

PADDING: dict[str, Any] = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}
"""What NumPy calls the boundaries of SciPy."""


def convolve(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Literal["auto", "direct", "fft"] = "auto") -> Array:
    """Return the convolution of two arrays over all their axes.

    Args:
        in1: shape ``(n1, ..., nk)``.
        in2: shape ``(m1, ..., mk)``.
        mode: ``"full"``; ``"valid"``, without the sums that reach over an edge; ``"same"``, the middle, in the shape of `in1`.
        method: ``"direct"`` sums products, ``"fft"`` multiplies Fourier transforms, ``"auto"`` takes what should be faster.

    Returns:
        Shape ``(n1 + m1 - 1, ...)`` for ``"full"``, ``(|n1 - m1| + 1, ...)`` for ``"valid"``, ``(n1, ...)`` for ``"same"``.

    Raises:
        ValueError: if the ranks differ, or for ``"valid"`` if neither array is at least as long as the other on every axis.

    Example:
        >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5]))
        array([0. , 1. , 2.5, 4. , 1.5])
        >>> tg.grad(lambda k: convolve(np.array([1.0, 2.0, 3.0]), k, "same")[0])(np.array([0.0, 1.0, 0.5]))
        array([2., 1., 0.])
    """
    arrays = traced(in1, in2)
    if arrays is None:
        return scipy_convolve(in1, in2, mode, method)
    x, k = arrays
    if method == "auto" and _fits(x, k, mode) and x.size and k.size:
        method = faster_method(plain(x), plain(k), mode)
    if not _fits(x, k, mode) or method not in ("direct", "fft"):
        refused(scipy_convolve, x, k, mode, method)
    return _convolved(x, k, mode, tuple(range(x.ndim)), method)


def correlate(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Literal["auto", "direct", "fft"] = "auto") -> Array:
    """Return the correlation of two arrays over all their axes: the convolution with `in2` backwards and conjugated.

    Args:
        in1: shape ``(n1, ..., nk)``.
        in2: shape ``(m1, ..., mk)``.
        mode: which part of it, as for `convolve`.
        method: how it is computed, as for `convolve`.

    Returns:
        An array of the shape that `convolve` has; lag 0 of the full correlation is at ``m - 1``.

    Raises:
        ValueError: as `convolve` does.

    Example:
        >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5]), "valid")
        array([3.5])
    """
    arrays = traced(in1, in2)
    if arrays is None:
        return scipy_correlate(in1, in2, mode, method)
    x, k = arrays
    if not _fits(x, k, mode) or method not in ("auto", "direct", "fft"):
        refused(scipy_correlate, x, k, mode, method)
    return convolve(x, _reversed_conjugate(k), mode, method)


def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", axes: Axis = None) -> Array:
    """Return the convolution of two arrays over some axes, by Fourier transforms.

    Args:
        in1: an array.
        in2: an array of the same rank; over the axes that are not named, the two broadcast.
        mode: which part of it, as for `convolve`.
        axes: the axes; all by default.

    Returns:
        The convolution, along each axis of length ``n + m - 1``, ``n`` or ``|n - m| + 1``: by `mode`, as for `convolve`.

    Raises:
        ValueError: as `convolve` does, or if the other axes do not broadcast.

    Example:
        >>> fftconvolve(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0]]), axes=1).round(6)
        array([[1., 3., 2.],
               [3., 7., 4.]])
    """
    return _over_axes(scipy_fftconvolve, in1, in2, mode, axes, "fft")


def oaconvolve(in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", axes: Axis = None) -> Array:
    """Return the convolution of a long and a short array over some axes, by Fourier transforms of overlapping blocks.

    Args:
        in1: an array.
        in2: an array of the same rank; over the axes that are not named, the two broadcast.
        mode: which part of it, as for `convolve`.
        axes: the axes; all by default.

    Returns:
        The convolution, along each axis of length ``n + m - 1``, ``n`` or ``|n - m| + 1``: by `mode`, as for `convolve`.

    Raises:
        ValueError: as `convolve` does, or if the other axes do not broadcast.

    Example:
        >>> oaconvolve(np.arange(6.0), np.array([1.0, 1.0])).round(6)
        array([0., 1., 3., 5., 7., 9., 5.])
    """
    return _over_axes(scipy_oaconvolve, in1, in2, mode, axes, "oa")


def convolve2d(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", boundary: Boundary = "fill", fillvalue: complex = 0
) -> Array:
    """Return the convolution of two matrices, with a choice of what lies beyond the edge.

    Args:
        in1: shape ``(n1, n2)``.
        in2: shape ``(m1, m2)``.
        mode: which part of it, as for `convolve`.
        boundary: what lies beyond the edge of `in1`: `fillvalue` (``"fill"``), `in1` again (``"wrap"``), its mirror image
            (``"symm"``).
        fillvalue: a number.

    Returns:
        Shape ``(n1 + m1 - 1, n2 + m2 - 1)``, ``(n1, n2)`` or ``(|n1 - m1| + 1, |n2 - m2| + 1)``: by `mode`, in its order
        ``"full"``, ``"same"``, ``"valid"``.

    Raises:
        ValueError: if an array is no matrix, or as `convolve` does.

    Example:
        >>> convolve2d(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0]]), "same", "wrap")
        array([[3., 3.],
               [7., 7.]])
    """
    arrays = traced(in1, in2)
    if arrays is None:
        return scipy_convolve2d(in1, in2, mode, boundary, fillvalue)
    x, k = arrays
    if not np.ndim(x) == np.ndim(k) == 2 or not _fits(x, k, mode) or boundary not in PADDING or np.ndim(fillvalue):
        refused(scipy_convolve2d, x, k, mode, boundary, fillvalue)
    if _swapped(x, k, mode):
        x, k = k, x
    return _bounded(x, k, mode, boundary, fillvalue, [(m - 1) // 2 for m in k.shape])


def correlate2d(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", boundary: Boundary = "fill", fillvalue: complex = 0
) -> Array:
    """Return the correlation of two matrices, with a choice of what lies beyond the edge.

    Args:
        in1: shape ``(n1, n2)``.
        in2: shape ``(m1, m2)``, which is conjugated.
        mode: which part of it; for even lengths, ``"same"`` begins one place later than that of `correlate`, as in SciPy.
        boundary: what lies beyond the edge of `in1`, as for `convolve2d`.
        fillvalue: a number.

    Returns:
        Shape ``(n1 + m1 - 1, n2 + m2 - 1)``, ``(n1, n2)`` or ``(|n1 - m1| + 1, |n2 - m2| + 1)``: by `mode`, in its order
        ``"full"``, ``"same"``, ``"valid"``.

    Raises:
        ValueError: as `convolve2d` does.

    Example:
        >>> correlate2d(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 10.0]]), "valid")
        array([[21.],
               [43.]])
    """
    arrays = traced(in1, in2)
    if arrays is None:
        return scipy_correlate2d(in1, in2, mode, boundary, fillvalue)
    x, k = arrays
    if not np.ndim(x) == np.ndim(k) == 2 or not _fits(x, k, mode) or boundary not in PADDING or np.ndim(fillvalue):
        refused(scipy_correlate2d, x, k, mode, boundary, fillvalue)
    if _swapped(x, k, mode):  # SciPy then conjugates `x` and not `k`
        y: Array = reverse(_bounded(k, _reversed_conjugate(x), mode, boundary, fillvalue, [0, 0]), (0, 1))
        return y
    return _bounded(x, _reversed_conjugate(k), mode, boundary, fillvalue, [m // 2 for m in k.shape])


# Helpers


def _fits(in1: Any, in2: Any, mode: str) -> bool:
    """Tell whether ranks and lengths allow a mode."""
    if np.ndim(in1) != np.ndim(in2) or mode not in ("full", "same", "valid"):
        return False
    pairs = list(zip(in1.shape, in2.shape, strict=True))
    return mode != "valid" or all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)


def _swapped(in1: Any, in2: Any, mode: str) -> bool:
    """Tell whether it is `in1` that slides along `in2`."""
    return mode == "valid" and not all(n >= m for n, m in zip(in1.shape, in2.shape, strict=True))


def _reversed_conjugate(x: Any) -> Any:
    return reverse(np.conjugate(x), tuple(range(x.ndim)))


def _convolved(in1: Any, in2: Any, mode: str, axes: Ints, method: Method) -> Array:
    """Record a convolution over `axes`."""
    if not in1.size or not in2.size:
        return np.array([])
    if not axes:
        product: Array = in1 * in2
        return product
    windows = [window(mode, in1.shape[a], in2.shape[a]) for a in axes]
    y: Array = ops.convolve(in1, in2, axes, tuple([low for low, _ in windows]), tuple([size for _, size in windows]), method)
    return y


def _over_axes(function: ArrayFn, in1: Any, in2: Any, mode: Mode, axes: Axis, method: Method) -> Array:
    arrays = traced(in1, in2)
    if arrays is None:
        return function(in1, in2, mode, axes)
    x, k = arrays
    if np.ndim(x) != np.ndim(k) or mode not in ("full", "same", "valid"):
        refused(function, x, k, mode, axes)
    try:
        over = tuple(range(x.ndim)) if axes is None else normalize_axis_tuple(axes, x.ndim)
    except ValueError:
        refused(function, x, k, mode, axes)
    lengths = list(enumerate(zip(x.shape, k.shape, strict=True)))
    moving = tuple([a for a, (n, m) in lengths if a in over and n != 1 != m])
    rest = [(a, n, m) for a, (n, m) in lengths if a not in moving]
    pairs = [(x.shape[a], k.shape[a]) for a in moving]
    nested = mode != "valid" or all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)
    if not nested or any(n != m and n != 1 != m for _, n, m in rest) or (axes is not None and not over):
        refused(function, x, k, mode, axes)
    whole = _convolved(x, k, mode, moving, method)
    if mode != "same" or all(n >= m for _, n, m in rest):
        return whole
    middle = {a: slice((m - n) // 2, (m - n) // 2 + n) for a, n, m in rest if n < m}  # as SciPy cuts what was broadcast
    return whole[tuple([middle.get(a, slice(None)) for a, _ in lengths])]


def _bounded(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any, same: list[int]) -> Array:
    """Return the convolution of matrices; `same` says where the window of that mode begins."""
    lengths = list(zip(in1.shape, in2.shape, same, strict=True))
    windows = [(at, n) if mode == "same" else window(mode, n, m) for n, m, at in lengths]
    low, size = tuple([low for low, _ in windows]), tuple([size for _, size in windows])
    if mode == "valid" or (boundary == "fill" and not fillvalue):
        y: Array = ops.convolve(in1, in2, (0, 1), low, size)
        return y
    widths = [(m - 1 - at, at + length - n) for at, length, (n, m, _) in zip(low, size, lengths, strict=True)]
    more = {"constant_values": fillvalue} if boundary == "fill" else {}
    padded = np.pad(in1, widths, PADDING[boundary], **more)
    return _convolved(padded, in2, "valid", (0, 1), "direct")
