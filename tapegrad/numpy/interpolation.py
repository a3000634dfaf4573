"""Filling in and smoothing out under NumPy's names: interpolation between samples, unwrapped angles."""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import dtype_of
from tapegrad.core.structure import astype, stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import is_traced, plain, unboxed
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.indexing import take
from tapegrad.numpy.scans import diff
from tapegrad.ops.scan import along
from tapegrad.typing import Array, ArrayLike


@stands_for(np.interp)
def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: ArrayLike | None = None,
) -> Array:
    """Piecewise linear interpolation, differentiable by the points, the nodes and the values there.

    Args:
        x: where to interpolate, of any shape.
        xp: nodes, of shape ``(n,)``, increasing unless `period` is given.
        fp: values at the nodes, of shape ``(n,)``.
        left: the value left of the nodes; that of the first node by default.
        right: the value right of the nodes; that of the last node by default.
        period: the period of the function; `left` and `right` do not count then.

    Returns:
        The values at `x`, of its shape. At a node the derivative by `x` is the slope to its right, at the last one to its left.

    Raises:
        ValueError: if `xp` and `fp` are no vectors of one length, or the period is zero.

    Example:
        >>> interp(2.5, np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 0.0]))
        np.float64(1.0)
    """
    at, nodes, values, below, above, cycle = (gathered(part) for part in (x, xp, fp, left, right, period))
    if not is_traced(at, nodes, values, below, above, cycle):
        return plain(np.interp, at, nodes, values, left=below, right=above, period=cycle)
    at, nodes = _cast(at, np.float64), _cast(nodes, np.float64)
    values = _cast(values, np.complex128 if dtype_of(values).kind == "c" else np.float64)
    if nodes.ndim != 1 or values.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if nodes.shape != values.shape:
        raise ValueError("fp and xp are not of the same length.")
    if nodes.size == 0:
        raise ValueError("array of sample points is empty")
    if cycle is not None:
        at, nodes, values = wound(at, nodes, values, cycle)
        below = above = None
    y = within(at, nodes, values) if nodes.size > 1 else values[0] + 0.0 * at
    for outside, value in (
        (np.greater(at, nodes[-1]), values[-1] if above is None else above),
        (np.less(at, nodes[0]), values[0] if below is None else below),
    ):
        if type(outside) is Var or np.any(outside):
            y = np.where(outside, value, y)
    result: Array = unboxed(y)
    return result


def _cast(x: Any, dtype: type[np.number[Any]]) -> Any:
    """Return `x` in the precision that NumPy interpolates in.

    Raises:
        TypeError: if it would lose some of `x`.
    """
    own = dtype_of(x)
    if not np.can_cast(own, dtype, "safe"):
        raise TypeError(f"Cannot cast array data from {own!r} to {np.dtype(dtype)!r} according to the rule 'safe'")
    return astype(x, dtype)


def wound(at: Any, nodes: Any, values: Any, cycle: Any) -> tuple[Any, Any, Any]:
    """Return points, nodes and values within one period, with the nodes next to it on both sides."""
    if type(cycle) is not Var and cycle == 0:
        raise ValueError("period must be a non-zero value")
    cycle = np.absolute(cycle)
    nodes = np.remainder(nodes, cycle)
    order = np.argsort(apply(stop_gradient_p, nodes))
    nodes, values = take(nodes, order), take(values, order)
    nodes = np.concatenate([nodes[-1:] - cycle, nodes, nodes[:1] + cycle])
    return np.remainder(at, cycle), nodes, np.concatenate([values[-1:], values, values[:1]])


def within(at: Any, nodes: Any, values: Any) -> Any:
    """Interpolate between at least two nodes."""
    n = nodes.shape[0]
    still, edges = apply(stop_gradient_p, at), apply(stop_gradient_p, nodes)
    place = np.clip(np.searchsorted(edges, still, "right") - 1, 0, n - 2)
    anchor = place + np.equal(still, edges[-1])  # the last node is met exactly
    wide = diff(nodes)
    slopes = diff(values) / np.where(np.equal(wide, 0), 1.0, wide)
    return take(slopes, place) * (at - take(nodes, anchor)) + take(values, anchor)


@stands_for(np.unwrap)
def unwrap(p: ArrayLike, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Array:
    """Angles without jumps: multiples of the period are added where neighbours differ by more than half of it.

    Args:
        p: angles, of any shape.
        discont: the least difference that counts as a jump, half the period if it is less.
        axis: the axis to go along.
        period: the length of a full turn.

    Returns:
        The angles, of the shape of `p`. Their derivative is the identity.

    Example:
        >>> unwrap(np.array([3.0, -3.0]))
        array([3.        , 3.28318531])
    """
    x: Any = gathered(p)
    if not is_traced(x, discont, period):
        return plain(np.unwrap, x, discont, axis, period=period)
    x = x if type(x) is Var else np.asarray(x)
    axis = normalize_axis_index(axis, x.ndim)
    steps = diff(x if is_traced(period) else apply(stop_gradient_p, x), axis=axis)
    dtype = np.result_type(dtype_of(steps), period if type(period) in (int, float) else dtype_of(period))
    whole = dtype.kind in "iu"
    half = period // 2 if whole else period / 2
    wrapped = np.remainder(steps + half, period) - half
    ties = np.logical_and(np.equal(wrapped, -half), np.greater(steps, 0))
    ties = np.logical_and(ties, np.equal(period % 2, 0)) if whole else ties  # no step is half of an odd period
    wrapped = np.where(ties, half, wrapped)
    small = np.less(np.absolute(steps), period / 2 if discont is None else discont)
    turns = np.cumsum(np.where(small, 0, wrapped - steps), axis)
    y: Array = np.concatenate([x[along(axis, slice(None, 1))], x[along(axis, slice(1, None))] + turns], axis)
    y = y if y.dtype == dtype else astype(y, dtype)
    return y
