"""Slopes of samples by differences: linear in the samples, and the transpose of that."""

from typing import Any

import numpy as np

from tapegrad.core.families import linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.structure import astype
from tapegrad.core.var import apply
from tapegrad.ops.scan import along, batch_scan


def around(h: Any, behind_axis: int) -> tuple[Any, Any, Any]:
    """Return the weights of the sample before, at and behind a place, for distances `h` from each sample to the next."""
    before, behind = (np.reshape(d, (-1, *(1,) * behind_axis)) for d in (h[:-1], h[1:]))
    both = before + behind
    return -behind / (before * both), (behind - before) / (before * behind), before / (behind * both)


def edges(h: Any, edge_order: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the weights of the first samples in the first slope, and of the last ones in the last, for ``edge_order=2``.

    For ``edge_order=1``, those of two samples each.
    """
    first, last = (h, h) if np.ndim(h) == 0 else (h[0], h[-1])
    if edge_order == 1:
        return (-1.0 / first, 1.0 / first), (-1.0 / last, 1.0 / last)
    if np.ndim(h) == 0:
        return (-1.5 / h, 2.0 / h, -0.5 / h), (0.5 / h, -2.0 / h, 1.5 / h)
    one, two = h[0], h[1]
    start = -(2.0 * one + two) / (one * (one + two)), (one + two) / (one * two), -one / (two * (one + two))
    one, two = h[-2], h[-1]
    end = two / (one * (one + two)), -(two + one) / (one * two), (2.0 * two + one) / (two * (one + two))
    return start, end


def slopes(x: Any, step: Any, axis: int, edge_order: int) -> Any:
    """Return the slopes of samples along an axis, for one distance between neighbours or for all of them."""

    def part(start: int | None, stop: int | None) -> Any:
        return x[along(axis, slice(start, stop))]

    first, last = (step, step) if np.ndim(step) == 0 else (step[0], step[-1])
    if np.ndim(step) == 0:
        inside = (part(2, None) - part(None, -2)) / (2.0 * step)
    else:
        before, at, behind = around(step, x.ndim - axis - 1)
        inside = before * part(None, -2) + at * part(1, -1) + behind * part(2, None)
    if edge_order == 1:
        start, end = (part(1, 2) - part(0, 1)) / first, (part(-1, None) - part(-2, -1)) / last
    else:
        (a, b, c), (d, e, f) = edges(step, edge_order)
        start = a * part(0, 1) + b * part(1, 2) + c * part(2, 3)
        end = d * part(-3, -2) + e * part(-2, -1) + f * part(-1, None)
    return astype(np.concatenate([start, inside, end], axis), x.dtype)


def _transposed(g: Any, step: Any, axis: int, edge_order: int) -> Any:
    c = np.zeros(g.shape, g.dtype)

    def part(of: Any, start: int | None, stop: int | None) -> Any:
        return of[along(axis, slice(start, stop))]

    inside = part(g, 1, -1)
    if np.ndim(step) == 0:
        inside = inside / (2.0 * step)
        part(c, 2, None)[...] = inside
        part(c, None, -2)[...] -= inside
    else:
        before, at, behind = around(step, g.ndim - axis - 1)
        part(c, None, -2)[...] = before * inside
        part(c, 1, -1)[...] += at * inside
        part(c, 2, None)[...] += behind * inside
    start, end = edges(step, edge_order)
    for k, (a, b) in enumerate(zip(start, end, strict=True)):
        part(c, k, k + 1)[...] += a * part(g, 0, 1)
        part(c, -len(end) + k, k + 1 - len(end) or None)[...] += b * part(g, -1, None)
    return c


slopes_p: Primitive = linear(
    "slopes",
    slopes,
    lambda g, y, x, **settings: apply(slopes_transposed_p, g, **settings),
    batch=batch_scan("slopes"),
    cases=(
        case((4,), step=0.5, axis=0, edge_order=1),
        case((2, 4), step=np.array([1.0, 0.5, 2.0]), axis=1, edge_order=2),
        case((3, 2), step=0.5, axis=0, edge_order=2),
        case((2, 2), step=np.array([0.5]), axis=1, edge_order=1),
    ),
)
slopes_transposed_p: Primitive = linear(
    "slopes_transposed",
    _transposed,
    lambda g, y, x, **settings: apply(slopes_p, g, **settings),
    batch=batch_scan("slopes_transposed"),
    cases=(
        case((4,), step=0.5, axis=0, edge_order=1),
        case((2, 4), step=np.array([1.0, 0.5, 2.0]), axis=1, edge_order=2),
    ),
)
