"""Sampled functions under NumPy's names: their slopes and integrals."""

from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import axes_of, is_traced, plain
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.scans import diff
from tapegrad.ops.scan import pairs, trapezoid_p
from tapegrad.ops.slopes import slopes, slopes_p
from tapegrad.typing import Array, ArrayLike

# Slopes


@stands_for(np.gradient)
def gradient(f: ArrayLike, *varargs: ArrayLike, axis: Any = None, edge_order: Literal[1, 2] = 1) -> Any:
    """Slopes of a sampled function by differences: central ones inside, one-sided ones at the edges.

    Args:
        f: samples, of any shape with at least two (three for ``edge_order=2``) along each axis.
        varargs: the spacing: one number for all axes, or for each axis a number or the coordinates of its samples.
        axis: the axis, or tuple of axes, to go along; all by default.
        edge_order: the order of accuracy at the edges.

    Returns:
        The slopes along the axis, of the shape of `f`; a tuple of them for several axes.

    Raises:
        ValueError: if there are too few samples, or coordinates do not fit them.
        TypeError: if there are spacings for some of the axes only.

    Example:
        >>> gradient(np.array([0.0, 1.0, 4.0, 9.0]), 1.0)
        array([1., 2., 4., 5.])
    """
    x: Any = gathered(f)
    given: list[Any] = [gathered(part) for part in varargs]
    if not is_traced(x, *given):
        return plain(np.gradient, x, *given, axis=axis, edge_order=edge_order)
    x = x if type(x) is Var else np.asarray(x)
    x = x if x.dtype.kind in "fc" else astype(x, np.float64)
    axes = axes_of(axis, x.ndim)
    lines = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    steps = spacings(x, given, lines)
    found = [along_line(x, h, line, edge_order) for line, h in zip(lines, steps, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def along_line(x: Any, h: Any, axis: int, edge_order: int) -> Any:
    """Return the slopes along one axis: as one operation where the spacing is a constant."""
    check_length(x.shape[axis], edge_order)
    if type(h) is Var or type(x) is not Var:
        return slopes(x, h, axis, edge_order)
    return apply(slopes_p, x, step=h, axis=axis, edge_order=edge_order)


def check_length(n: int, edge_order: int) -> None:
    """Raise for too few samples.

    Raises:
        ValueError: if there are not as many as the edges need.
    """
    if n < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."
        )


def spacings(x: Any, given: list[Any], lines: tuple[int, ...]) -> list[Any]:
    """Return for each axis the spacing of the samples: a scalar, or the distances from each to the next."""
    if not given:
        return [1.0] * len(lines)
    if len(given) == 1 and np.ndim(given[0]) == 0:
        return given * len(lines)
    if len(given) != len(lines):
        raise TypeError("invalid number of arguments")
    steps = []
    for h, line in zip(given, lines, strict=True):
        if np.ndim(h) == 0:
            steps.append(h)
            continue
        if np.ndim(h) != 1:
            raise ValueError("distances must be either scalars or 1d")
        if len(h) != x.shape[line]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        apart: Any = diff(h if type(h) is Var else np.asarray(h, np.result_type(np.asarray(h), np.float16)))
        steps.append(apart[0] if type(apart) is not Var and (apart == apart[0]).all() else apart)
    return steps


# Integrals


@stands_for(np.trapezoid)
def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1) -> Array:
    """Integral of a sampled function by the trapezoidal rule.

    Args:
        y: samples, of any shape.
        x: where they were taken, of the shape of `y` or of its axis.
        dx: the distance between samples, if there is no `x`.
        axis: the axis to integrate along.

    Returns:
        The integrals, of the shape of `y` without the axis.

    Example:
        >>> trapezoid(np.array([0.0, 1.0, 2.0]), dx=0.5)
        np.float64(1.0)
    """
    values, at, step = gathered(y), gathered(x), gathered(dx)
    if not is_traced(values, at, step):
        return plain(np.trapezoid, values, at, step, axis)
    values = values if type(values) is Var else np.asarray(values)
    given, axis = axis, normalize_axis_index(axis, values.ndim)
    total: Array
    if at is None and np.ndim(step) == 0 and type(step) is not Var:
        total = apply(trapezoid_p, values, step=step, axis=axis)
        return total
    if at is not None:
        at = at if type(at) is Var else np.asarray(at)
        step = diff(at, axis=given) if at.ndim != 1 else np.reshape(diff(at), (-1, *(1,) * (values.ndim - axis - 1)))
    panels = step * pairs(values, axis) / 2.0
    total = np.sum(panels, axis=given)  # places may have more axes than values
    return total
