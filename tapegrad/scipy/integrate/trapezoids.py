"""The trapezoidal rule."""

from typing import Any

import numpy as np
import scipy.integrate
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.structure import astype
from tapegrad.numpy.calculus import trapezoid as numpy_trapezoid
from tapegrad.ops.scan import pairs
from tapegrad.scipy.arguments import ArrayFn, refused, traced, weak
from tapegrad.typing import Array, ArrayLike

scipy_trapezoid: ArrayFn = scipy.integrate.trapezoid
scipy_cumulative_trapezoid: ArrayFn = scipy.integrate.cumulative_trapezoid


def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1) -> Array:
    """Return the integral of samples along an axis, by the trapezoidal rule.

    Args:
        y: the samples, an array of any rank.
        x: where they were taken: a vector, or an array that broadcasts to the shape of `y`; at distance `dx` by default.
        dx: the distance between samples, a number or an array that broadcasts against the intervals.
        axis: the axis to integrate over.

    Returns:
        An array of the shape of `y` without `axis`.

    Raises:
        ValueError: if `x` or `dx` does not broadcast.

    Example:
        >>> trapezoid([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])
        np.float64(8.0)
        >>> tg.grad(lambda x: trapezoid(np.array([1.0, 2.0, 3.0]), x))(np.array([4.0, 6.0, 8.0]))
        array([-1.5, -1. ,  2.5])
    """
    arrays = traced(y, x, dx)
    if arrays is None:
        return scipy_trapezoid(y, x, dx, axis)
    samples, points, step = arrays
    axis = normalize_axis_index(axis, samples.ndim)
    if samples.dtype.kind not in "fc":
        samples = samples.astype(np.float64)
    if points is not None and points.ndim > 1:
        points = np.broadcast_to(points, samples.shape)
    area: Array = astype(numpy_trapezoid(samples, points, weak(dx, step), axis), samples.dtype)
    return area


def cumulative_trapezoid(
    y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1, initial: float | None = None
) -> Array:
    """Return the integrals of samples from the first one to each of the others, by the trapezoidal rule.

    Args:
        y: the samples, an array of any rank.
        x: where they were taken: a vector, or an array of the rank of `y`; at distance `dx` by default.
        dx: the distance between samples.
        axis: the axis to integrate over.
        initial: 0 to have a 0 before the first integral.

    Returns:
        An array of the shape of `y`, with one element less along `axis` unless `initial` is given.

    Raises:
        ValueError: if there is no sample, `x` does not fit, or `initial` is neither None nor 0.

    Example:
        >>> cumulative_trapezoid([1.0, 2.0, 3.0], initial=0)
        array([0. , 1.5, 4. ])
    """
    arrays = traced(y, x, dx)
    if arrays is None:
        return scipy_cumulative_trapezoid(y, x, dx, axis, initial)
    samples, points, step = arrays
    axis = normalize_axis_index(axis, samples.ndim)
    n = samples.shape[axis]
    fits = points is None or points.shape == (n,) or (1 < points.ndim == samples.ndim and points.shape[axis] == n)
    if not n or not fits or (initial is not None and not (np.isscalar(initial) and initial == 0)):
        refused(scipy_cumulative_trapezoid, samples, points, step, axis, initial)
    if points is None:
        widths = weak(dx, step)
    elif points.ndim == 1:
        widths = along(np.diff(points), axis, samples.ndim)
    else:
        widths = np.diff(points, axis=axis)
    areas = np.cumsum(widths * pairs(samples, axis) / 2.0, axis)
    if initial is None:
        return areas
    start = np.zeros((*areas.shape[:axis], 1, *areas.shape[axis + 1 :]), areas.dtype)
    return np.concatenate([start, areas], axis)


def part(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """Return the slice ``[start:stop:step]`` of an axis (a non-negative number)."""
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def along(x: Any, axis: int, rank: int) -> Any:
    """Return a vector as an array of the given rank with lengths of 1, but for `axis`."""
    return x.reshape(*(1,) * axis, -1, *(1,) * (rank - axis - 1))
