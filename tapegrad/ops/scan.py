"""Scans along one axis: running sums and products, differences of neighbours.

Every primitive here takes ``axis``, an int that is never negative.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, guard, shape_of
from tapegrad.core.families import linear
from tapegrad.core.primitive import PRIMITIVES, Fn, Primitive, case
from tapegrad.core.var import Var, apply


def along(axis: int, part: Any) -> tuple[Any, ...]:
    """Return the index that takes `part` of an axis and all of the axes before and behind it."""
    return (*(slice(None),) * axis, part)


def backwards(x: Any, axis: int) -> Any:
    """Return `x` in reverse order along an axis."""
    return x[along(axis, slice(None, None, -1))]


def ahead(first: Any, x: Any, axis: int) -> Any:
    """Return `x` shifted by one along an axis: the number `first`, then all of `x` but the last."""
    shape = shape_of(x)
    edge = np.full((*shape[:axis], 1, *shape[axis + 1 :]), first, dtype_of(x))
    return np.concatenate([edge, x[along(axis, slice(None, -1))]], axis)


def batch_scan(primitive: str) -> Fn:
    """Return the batch rule of a scan of one input: the same, one axis further."""

    def batch(args: Sequence[Any], batched: Sequence[bool], axis: int, **settings: Any) -> Any:
        return apply(PRIMITIVES[primitive], args[0], axis=axis + 1, **settings)

    return batch


# Running sums

cumsum_p = linear(
    "cumsum",
    lambda x, axis, dtype=None: np.cumsum(x, axis, dtype),
    lambda g, y, x, axis, dtype=None: backwards(np.cumsum(backwards(g, axis), axis), axis),
    batch=batch_scan("cumsum"),
    cases=(case((4,), axis=0), case((2, 3, 2), axis=1), case((0, 2), axis=0)),
)

# Running products


def recurrence(a: Any, b: Any, axis: int) -> Any:
    """Return `s` with ``s[i] = a[i] * s[i-1] + b[i]`` along an axis, and 0 before the first.

    Pairs of neighbours are merged into one step, the recurrence of half the length is solved, and every other element filled
    in: a logarithmic number of NumPy calls, linear work, and nothing but products and sums, so that every derivative is exact.
    Where `s` and `b` are zero, `a` may be infinite.

    References:
        G. E. Blelloch, "Prefix sums and their applications", CMU-CS-90-190, 1990, section 1.4.
    """
    n = shape_of(b)[axis]
    if n <= 1:
        return b
    half = n // 2
    evens, odds = along(axis, slice(None, None, 2)), along(axis, slice(1, None, 2))
    paired, later = along(axis, slice(None, half)), along(axis, slice(1, None))
    a_even, b_even, a_odd = a[evens], b[evens], a[odds]
    carried = b_even[paired]
    at_odds = recurrence(a_odd * a_even[paired], guard(a_odd * carried, carried) + b[odds], axis)
    before = at_odds[along(axis, slice(None, n - half - 1))]
    at_evens = np.concatenate(
        [b_even[along(axis, slice(None, 1))], guard(a_even[later] * before, before) + b_even[later]], axis
    )
    shape = shape_of(b)
    woven = np.stack([at_evens[paired], at_odds], axis + 1).reshape((*shape[:axis], 2 * half, *shape[axis + 1 :]))
    return woven if n % 2 == 0 else np.concatenate([woven, at_evens[along(axis, slice(half, None))]], axis)


def _safe(y: Any) -> bool:
    """Tell whether running products may be divided by their factors: plain, and no zero or overflow on the way."""
    return type(y) is not Var and bool(np.all((y != 0) & np.isfinite(y)))


def _pull_cumprod(g: Any, y: Any, x: Any, axis: int, dtype: Any = None) -> Any:
    if _safe(y):
        return backwards(np.cumsum(backwards(g * y, axis), axis), axis) / x
    if shape_of(x)[axis] == 0:
        return g
    factors = ahead(1, backwards(x, axis), axis)
    onward = backwards(recurrence(factors, backwards(g, axis), axis), axis)
    return guard(ahead(1, y, axis) * onward, onward)


def _push_cumprod(tangents: Sequence[Any], y: Any, x: Any, axis: int, dtype: Any = None) -> Any:
    t = tangents[0]
    if _safe(y):
        return y * np.cumsum(t / x, axis)
    if shape_of(x)[axis] == 0:
        return t
    return recurrence(x, guard(ahead(1, y, axis) * t, t), axis)


cumprod_p = Primitive(
    name="cumprod",
    fn=lambda x, axis, dtype=None: np.cumprod(x, axis, dtype),
    pulls=(_pull_cumprod,),
    push=_push_cumprod,
    batch=batch_scan("cumprod"),
    cases=(
        case((4,), axis=0),
        case((2, 5, 2), axis=1),
        case((0, 2), axis=0),
        case(np.array([2.0, 0.0, 3.0, 0.0, 1.5]), axis=0),
    ),
)

# Differences of neighbours


def _pull_diff(g: Any, y: Any, x: Any, n: int, axis: int) -> Any:
    shape = shape_of(x)
    if shape[axis] < n:
        return np.zeros(shape, g.dtype)
    if n == 1 and type(g) is np.ndarray:
        c = np.empty(shape, g.dtype)
        c[along(axis, slice(1, None))] = g
        c[along(axis, 0)] = 0.0
        c[along(axis, slice(None, -1))] -= g
        return c
    edge = np.zeros((*shape[:axis], n, *shape[axis + 1 :]), g.dtype)
    c = np.diff(np.concatenate([edge, g, edge], axis), n, axis)
    return -c if n % 2 else c


diff_p = linear(
    "diff",
    lambda x, n, axis: np.diff(x, n, axis),
    _pull_diff,
    batch=batch_scan("diff"),
    cases=(case((4,), n=1, axis=0), case((2, 5), n=2, axis=1), case((2, 3), n=3, axis=1), case((2, 2), n=4, axis=0)),
)

# Sums of neighbours


def _pull_pairs(g: Any, y: Any, x: Any, axis: int) -> Any:
    shape = shape_of(x)
    edge = np.zeros((*shape[:axis], 1, *shape[axis + 1 :]), g.dtype)
    return pairs(np.concatenate([edge, g, edge], axis), axis) if shape[axis] else np.zeros(shape, g.dtype)


pairs_p: Primitive = linear(
    "pairs",
    lambda x, axis: x[along(axis, slice(1, None))] + x[along(axis, slice(None, -1))],
    _pull_pairs,
    batch=batch_scan("pairs"),
    cases=(case((4,), axis=0), case((2, 3), axis=1), case((1, 2), axis=0)),
)


def pairs(x: Any, axis: int) -> Any:
    """Return the sum of each element and the next along an axis."""
    return apply(pairs_p, x, axis=axis)


# The trapezoidal rule


def _pull_trapezoid(g: Any, y: Any, x: Any, step: float, axis: int) -> Any:
    shape = shape_of(x)
    weights = np.full(shape[axis], step, g.dtype)
    weights[:1] *= 0.5
    weights[-1:] *= 0.5 if shape[axis] > 1 else 0.0
    rank = len(shape)
    return np.reshape(g, (*shape[:axis], 1, *shape[axis + 1 :])) * weights.reshape((-1, *(1,) * (rank - axis - 1)))


trapezoid_p = linear(
    "trapezoid",
    lambda x, step, axis: np.trapezoid(x, None, step, axis),
    _pull_trapezoid,
    batch=batch_scan("trapezoid"),
    cases=(case((4,), step=0.5, axis=0), case((2, 3), step=2.0, axis=1), case((1, 2), step=1.0, axis=0)),
)
