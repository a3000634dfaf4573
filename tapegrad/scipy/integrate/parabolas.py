"""Rules of higher order: Simpson's, by parabolas through three samples, and Romberg's, by extrapolation."""

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.integrate
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.structure import astype
from tapegrad.numpy.shapes import plain
from tapegrad.scipy.arguments import ArrayFn, refused, traced, weak
from tapegrad.scipy.integrate.trapezoids import along, cumulative_trapezoid, part
from tapegrad.typing import Array, ArrayLike

scipy_simpson: ArrayFn = scipy.integrate.simpson
scipy_cumulative_simpson: ArrayFn = scipy.integrate.cumulative_simpson
scipy_romb: ArrayFn = scipy.integrate.romb


def simpson(y: ArrayLike, x: ArrayLike | None = None, *, dx: ArrayLike = 1.0, axis: int = -1) -> Array:
    """Return the integral of samples along an axis, by Simpson's rule.

    Args:
        y: the samples, an array of any rank. For an even number of them, the last interval has a correction of its own.
        x: where they were taken: a vector, or an array of the rank of `y`; at distance `dx` by default.
        dx: the distance between samples, a number.
        axis: the axis to integrate over.

    Returns:
        An array of the shape of `y` without `axis`.

    Raises:
        ValueError: if `x` does not fit.

    Example:
        >>> simpson([0.0, 1.0, 4.0], [0.0, 1.0, 2.0])
        np.float64(2.6666666666666665)

    References:
        K. V. Cartwright, "Simpson's rule cumulative integration with MS Excel and irregularly-spaced data", Journal of
        Mathematical Sciences and Mathematics Education 12 (2017), equation 8.
    """
    arrays = traced(y, x, dx)
    if arrays is None:
        return scipy_simpson(y, x, dx=dx, axis=axis)
    samples, points, step = arrays
    step = weak(dx, step)
    axis = normalize_axis_index(axis, samples.ndim)
    n = samples.shape[axis]
    if points is not None:
        if points.ndim not in (1, samples.ndim) or points.shape[axis if points.ndim > 1 else 0] != n:
            refused(scipy_simpson, samples, points, axis=axis)
        points = along(points, axis, samples.ndim) if points.ndim == 1 else points
    area: Array
    if n % 2 or n == 0:
        area = _simpson(samples, points, step, axis, n - 2)
        return area
    last, before = _at(samples, axis, -1), _at(samples, axis, -2)
    if n == 2:
        width = step if points is None else _at(points, axis, -1) - _at(points, axis, -2)
        area = 0.5 * width * (last + before)
        return area
    if points is None:
        h0 = h1 = astype(step, np.float64)
    else:
        h0, h1 = (astype(_at(points, axis, k) - _at(points, axis, k - 1), np.float64) for k in (-2, -1))
    alpha = _ratio(2 * h1**2 + 3 * h0 * h1, 6 * (h1 + h0))
    beta = _ratio(h1**2 + 3.0 * h0 * h1, 6 * h0)
    eta = _ratio(h1**3, 6 * h0 * (h0 + h1))
    first = _simpson(samples, points, step, axis, n - 3)
    rest = alpha * last + beta * before - eta * _at(samples, axis, -3)
    area = first + (astype(rest, first.dtype) if samples.ndim > 1 else rest)  # SciPy adds to an array in place
    return area


def cumulative_simpson(
    y: ArrayLike, *, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1, initial: ArrayLike | None = None
) -> Array:
    """Return the integrals of samples from the first one to each of the others, by Simpson's rule.

    Args:
        y: the samples, an array of any rank.
        x: where they were taken, increasing: a vector, or an array of the shape of `y`; at distance `dx` by default.
        dx: the distance between samples: a number, or an array of the shape of `y` with one element along `axis`.
        axis: the axis to integrate over.
        initial: what is added to all, and stands before them: a number, or an array of the shape that `dx` may have.

    Returns:
        An array of the shape of `y`, with one element less along `axis` unless `initial` is given.

    Raises:
        ValueError: if `x` does not fit or does not increase, or if `dx` or `initial` does not fit.

    Example:
        >>> cumulative_simpson(np.array([0.0, 1.0, 4.0, 9.0]), initial=0).round(6)
        array([0.      , 0.333333, 2.666667, 9.      ])
    """
    arrays = traced(y, x, dx, initial)
    if arrays is None:
        return scipy_cumulative_simpson(y, x=x, dx=dx, axis=axis, initial=initial)
    samples, points, step, start = arrays
    if not -samples.ndim <= axis < samples.ndim or not _fits(samples, axis % samples.ndim, points, step, start):
        refused(scipy_cumulative_simpson, samples, x=plain(points), dx=plain(step), axis=axis, initial=plain(start))
    axis %= samples.ndim
    samples = samples if samples.dtype.kind in "fc" else samples.astype(np.float64)
    if samples.shape[axis] < 3:
        areas = np.swapaxes(cumulative_trapezoid(samples, points, weak(dx, step), axis), axis, -1)
    else:
        areas = np.cumsum(_pieces(samples, points, step, axis), -1)
    if start is not None:
        start = start if start.dtype.kind in "fc" else start.astype(np.float64)
        start = np.broadcast_to(start, (*samples.shape[:axis], 1, *samples.shape[axis + 1 :]))
        start = np.swapaxes(start, axis, -1)
        areas = np.concatenate([start, areas + start], -1)
    return np.swapaxes(areas, -1, axis)


def romb(y: ArrayLike, dx: ArrayLike = 1.0, axis: int = -1, show: Any = False) -> Array:
    """Return the integral of samples along an axis, by Romberg's rule.

    Args:
        y: the samples, ``2 ** k + 1`` of them.
        dx: the distance between samples.
        axis: the axis to integrate over.
        show: print the table of extrapolations (for plain arrays only).

    Returns:
        An array of the shape of `y` without `axis`.

    Raises:
        ValueError: for another number of samples.

    Example:
        >>> romb(np.array([0.0, 1.0, 16.0, 81.0, 256.0]))
        np.float64(204.8)
    """
    arrays = traced(y, dx)
    if arrays is None:
        return scipy_romb(y, dx, axis, show)
    samples, step = arrays
    if not -samples.ndim <= axis < samples.ndim or (samples.shape[axis] - 1).bit_count() != 1 or samples.shape[axis] < 2:
        refused(scipy_romb, samples, step, axis)
    rows = samples if axis in (-1, samples.ndim - 1) else np.moveaxis(samples, axis, -1)
    area: Array = np.matmul(rows, _romberg(samples.shape[axis] - 1)) * astype(step, np.float64)
    return area


# Helpers


def _at(x: Any, axis: int, k: int) -> Any:
    return x[(slice(None),) * axis + (k,)]


def _ratio(a: Any, b: Any) -> Any:
    """Return ``a / b``, but 0 where `b` is 0: an interval of no length."""
    zero = b == 0
    return np.where(zero, 0.0, a / np.where(zero, 1.0, b))


def _simpson(y: Any, x: Any, dx: Any, axis: int, stop: int) -> Any:
    """Return the sum of parabolas over pairs of intervals, of which the last begins before `stop`."""
    if x is None and stop > 0:
        used = y if stop + 2 == y.shape[axis] else part(y, axis, 0, stop + 2)
        rows = used if axis == y.ndim - 1 else np.moveaxis(used, axis, -1)
        real = np.finfo(y.dtype).dtype if y.dtype.kind in "fc" else np.dtype(float)
        return np.matmul(rows, _weights(stop + 2, real)) * (dx / 3.0)
    y0, y1, y2 = (part(y, axis, k, max(stop, 0) + k, 2) for k in range(3))
    if x is None:
        return np.sum(y0 + 4.0 * y1 + y2, axis) * (dx / 3.0)
    h = np.diff(x, axis=axis)
    h0, h1 = (astype(part(h, axis, k, max(stop, 0) + k, 2), np.float64) for k in range(2))
    total, ratio = h0 + h1, _ratio(h0, h1)
    middle = total * _ratio(total, h0 * h1)
    return np.sum(total / 6.0 * (y0 * (2.0 - _ratio(1.0, ratio)) + y1 * middle + y2 * (2.0 - ratio)), axis)


@lru_cache(16)
def _weights(n: int, dtype: np.dtype[Any]) -> Any:
    """Return 1, 4, 2, 4, ..., 4, 1: so often parabolas over unit intervals take each sample, times 3."""
    weights = np.full(n, 2, dtype)
    weights[1::2] = 4
    weights[0] = weights[-1] = 1
    weights.flags.writeable = False
    return weights


def _fits(y: Any, axis: int, x: Any, dx: Any, initial: Any) -> bool:
    """Tell whether the arguments of `cumulative_simpson` have shapes, and `x` values, that it allows."""
    once = (*y.shape[:axis], 1, *y.shape[axis + 1 :])
    if initial is not None and initial.shape not in ((), once):
        return False
    if y.shape[axis] < 3:
        return True
    if x is None:
        return dx.shape in ((), once)
    if x.shape != y.shape and x.shape != (y.shape[axis],):
        return False
    return not np.any(np.diff(plain(x), axis=axis if x.ndim > 1 else 0) <= 0)


def _pieces(y: Any, x: Any, dx: Any, axis: int) -> Any:
    """Return the integrals over the single intervals, along the last axis: two by two, from one parabola for both."""
    y = np.swapaxes(y, axis, -1)
    n = y.shape[-1]
    if x is None:
        dx = dx if dx.dtype.kind in "fc" else dx.astype(np.float64)
        h = np.broadcast_to(np.swapaxes(dx, axis, -1) if dx.ndim else dx, (*y.shape[:-1], 1))
    else:
        x = x if x.dtype.kind in "fc" else x.astype(np.float64)
        x = x if x.ndim == 1 else np.swapaxes(x, axis, -1)
        h = np.diff(x)

    def halves(start: int) -> tuple[Any, Any]:
        """Return the integrals over both intervals of the parabolas that begin at ``start``, ``start + 2``, ..."""
        y0, y1, y2 = (y[..., start + k : n - 2 + k : 2] for k in range(3))
        if x is None:
            return h / 3 * (5 * y0 / 4 + 2 * y1 - y2 / 4), h / 3 * (5 * y2 / 4 + 2 * y1 - y0 / 4)
        h0, h1 = (h[..., start + k : n - 2 + k : 2] for k in range(2))
        return _half(y0, y1, y2, h0, h1), _half(y2, y1, y0, h1, h0)

    left, right = halves(0)
    pairs = np.stack([left, right], -1).reshape(*y.shape[:-1], -1)
    return pairs if n % 2 else np.concatenate([pairs, halves(n - 3)[1]], -1)


def _half(y0: Any, y1: Any, y2: Any, h0: Any, h1: Any) -> Any:
    """Return the integral of a parabola over the first of its two intervals."""
    share = h0 / (h0 + h1)
    bend = share * (h0 / h1)
    return h0 / 6 * ((3 - share) * y0 + (3 + bend + share) * y1 - bend * y2)


@lru_cache(16)
def _romberg(intervals: int) -> Any:
    """Return the weights of the samples in Romberg's rule."""
    depth = intervals.bit_length() - 1
    rows = []  # trapezoidal rules, from one interval on
    for k in range(depth + 1):
        step = intervals >> k
        row = np.zeros(intervals + 1)
        row[::step] = step
        row[[0, -1]] = step / 2
        rows.append(row)
    for order in range(1, depth + 1):
        rows = [fine + (fine - coarse) / (4**order - 1) for coarse, fine in pairwise(rows)]
    weights = rows[0]
    weights.flags.writeable = False
    return weights
