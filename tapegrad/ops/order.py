"""Order along one axis: sorting, partitioning, elements by rank.

Sorting moves elements, and its derivative moves them back. Equal elements could have been placed either way round: what
belongs to their places is split evenly among them, so that ``sort(x)[-1]`` has the derivative of ``max(x)``.

Every primitive here takes ``axis``, an int that is never negative.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.families import constant
from tapegrad.core.primitive import PRIMITIVES, Fn, Primitive, case, no_cotangent
from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.ops.reduce import add_up
from tapegrad.ops.scan import along


def batch_along(primitive: str) -> Fn:
    """Return the batch rule of an operation along an axis: the same, one axis further, arguments at rest repeated."""

    def batch(args: Sequence[Any], batched: Sequence[bool], axis: int, **settings: Any) -> Any:
        raised = [x if is_batched else np.expand_dims(x, 0) for x, is_batched in zip(args, batched, strict=True)]
        size = next(shape_of(x)[0] for x, is_batched in zip(args, batched, strict=True) if is_batched)
        full = [np.broadcast_to(x, (size, *shape_of(x)[1:])) for x in raised]
        return apply(PRIMITIVES[primitive], *full, axis=axis + 1, **settings)

    return batch


# Permutations


def _inverse(order: Any, axis: int) -> Any:
    back = np.empty_like(order)
    places = np.arange(order.shape[axis]).reshape([-1 if i == axis else 1 for i in range(order.ndim)])
    np.put_along_axis(back, order, places, axis)
    return back


inverse_p = constant(
    "inverse_permutation",
    lambda order, axis: _inverse(order, axis),
    batch=batch_along("inverse_permutation"),
    cases=(case(np.array([[2, 0, 1], [0, 2, 1]]), axis=1),),
)

permute_p: Primitive = Primitive(
    name="permute",
    fn=lambda x, order, axis: x[order] if x.ndim == 1 else np.take_along_axis(x, order, axis),
    pulls=(
        lambda g, y, x, order, axis: apply(permute_p, g, apply(inverse_p, order, axis=axis), axis=axis),
        no_cotangent,
    ),
    push=lambda tangents, y, x, order, axis: apply(permute_p, tangents[0], order, axis=axis),
    batch=batch_along("permute"),
    cases=(case((3,), np.array([2, 0, 1]), axis=0), case((2, 3), np.array([[2, 0, 1], [0, 2, 1]]), axis=1)),
)
"""`x` with the vectors along an axis in another order: a permutation of each, which `take_along_axis` does not ask for."""

# Equal neighbours


def _mean_of_ties(x: Any, y: Any, axis: int) -> Any:
    rows, sorted_rows = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
    starts = np.ones(sorted_rows.shape, bool)
    starts[..., 1:] = sorted_rows[..., 1:] != sorted_rows[..., :-1]
    starts = starts.ravel()
    first = np.flatnonzero(starts)
    if not first.size:
        return x
    lengths = np.diff(first, append=starts.size)
    means = np.add.reduceat(rows.ravel(), first) / lengths.astype(np.finfo(x.dtype).dtype)
    return np.moveaxis(np.repeat(means, lengths).reshape(rows.shape), -1, axis)


mean_of_ties_p: Primitive = Primitive(
    name="mean_of_ties",
    fn=_mean_of_ties,
    pulls=(lambda g, y, x, by, axis: apply(mean_of_ties_p, g, by, axis=axis), no_cotangent),
    push=lambda tangents, y, x, by, axis: apply(mean_of_ties_p, tangents[0], by, axis=axis),
    batch=batch_along("mean_of_ties"),
    cases=(
        case((4,), np.array([1.0, 2.0, 2.0, 3.0]), axis=0),
        case((2, 3), np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]), axis=1),
    ),
)
"""`x`, with the mean in place of elements that stand where the sorted array `by` has equal ones: a projection."""


def even(x: Any, y: Any, axis: int) -> Any:
    """Replace what belongs to equal elements of a sorted `y` by its mean."""
    y = apply(stop_gradient_p, y)
    same = np.equal(y[along(axis, slice(1, None))], y[along(axis, slice(None, -1))])
    if type(same) is not Var and not same.any():
        return x
    return apply(mean_of_ties_p, x, y, axis=axis)


# Sorting


def _order(x: Any, axis: int) -> Any:
    return apply(argsort_p, apply(stop_gradient_p, x), axis=axis)


def _pull_sort(g: Any, y: Any, x: Any, axis: int) -> Any:
    back = apply(inverse_p, _order(x, axis), axis=axis)
    return apply(permute_p, even(g, y, axis), back, axis=axis)


sort_p = Primitive(
    name="sort",
    fn=lambda x, axis: np.sort(x, axis),
    pulls=(_pull_sort,),
    push=lambda tangents, y, x, axis: even(apply(permute_p, tangents[0], _order(x, axis), axis=axis), y, axis),
    batch=batch_along("sort"),
    cases=(case((4,), axis=0), case((3, 2), axis=0), case((2, 3), axis=1), case((0, 2), axis=0)),
)


def _pull_partition(g: Any, y: Any, x: Any, kth: Any, axis: int) -> Any:
    order = _order(y, axis)
    in_order = apply(permute_p, apply(stop_gradient_p, y), order, axis=axis)
    return _pull_sort(apply(permute_p, g, order, axis=axis), in_order, x, axis)


def _push_partition(tangents: Sequence[Any], y: Any, x: Any, kth: Any, axis: int) -> Any:
    order = _order(y, axis)
    in_order = apply(permute_p, apply(stop_gradient_p, y), order, axis=axis)
    t = even(apply(permute_p, tangents[0], _order(x, axis), axis=axis), in_order, axis)
    return apply(permute_p, t, apply(inverse_p, order, axis=axis), axis=axis)


partition_p = Primitive(
    name="partition",
    fn=lambda x, kth, axis: np.partition(x, kth, axis),
    pulls=(_pull_partition,),
    push=_push_partition,
    batch=batch_along("partition"),
    cases=(case((5,), kth=2, axis=0), case((3, 4), kth=(0, 2), axis=1)),
)

# Elements by rank


def _ranked(x: Any, ranks: tuple[int, ...], axis: int) -> Any:
    return np.take(np.partition(x, sorted(set(ranks)), axis), ranks, axis)


def _holders(y: Any, x: Any, ranks: tuple[int, ...], axis: int) -> list[tuple[Any, Any, Any]]:
    """Return, for each rank, where it stands in the output, the elements of `x` that are equal to it, and their number."""
    x, y = apply(stop_gradient_p, x), apply(stop_gradient_p, y)
    places = [along(axis, slice(k, k + 1)) for k in range(len(ranks))]
    masks = [np.equal(x, y[place]) for place in places]
    return [(place, mask, add_up(mask, axis, dtype_of(x), None, True)) for place, mask in zip(places, masks, strict=True)]


def _pull_ranked(g: Any, y: Any, x: Any, ranks: tuple[int, ...], axis: int) -> Any:
    total = None
    for place, mask, ties in _holders(y, x, ranks, axis):
        part = np.where(mask, g[place] / ties, 0.0)
        total = part if total is None else total + part
    return total


def _push_ranked(tangents: Sequence[Any], y: Any, x: Any, ranks: tuple[int, ...], axis: int) -> Any:
    parts = [
        add_up(np.where(mask, tangents[0] / ties, 0.0), axis, None, None, True) for _, mask, ties in _holders(y, x, ranks, axis)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)


ranked_p = Primitive(
    name="ranked",
    fn=_ranked,
    pulls=(_pull_ranked,),
    push=_push_ranked,
    batch=batch_along("ranked"),
    cases=(case((5,), ranks=(2,), axis=0), case((2, 4), ranks=(1, 2), axis=1), case((4, 2), ranks=(0, 0, 3), axis=0)),
)
"""The elements that would stand at some few places if `x` were sorted along an axis."""

# Where elements are: no derivatives

argsort_p = constant(
    "argsort",
    lambda x, axis, **settings: np.argsort(x, axis, **settings),
    batch=batch_along("argsort"),
    cases=(case((4,), axis=0), case((2, 3), axis=1), case((2, 3), axis=0, kind="stable")),
)
argpartition_p = constant(
    "argpartition",
    lambda x, kth, axis, **settings: np.argpartition(x, kth, axis, **settings),
    batch=batch_along("argpartition"),
    cases=(case((5,), kth=2, axis=0), case((2, 3), kth=1, axis=1)),
)
lexsort_p = constant(
    "lexsort",
    lambda *keys, axis: np.lexsort(keys, axis),
    batch=batch_along("lexsort"),
    cases=(case((3,), axis=0),),
)


def _search(name: str, search: Fn) -> Primitive:
    def batch(args: Sequence[Any], batched: Sequence[bool], axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is not None:
            return apply(PRIMITIVES[name], args[0], axis=axis + 1, keepdims=keepdims)
        shape = shape_of(args[0])
        found = apply(PRIMITIVES[name], args[0].reshape((shape[0], -1)), axis=1)
        return found.reshape((shape[0], *(1,) * (len(shape) - 1))) if keepdims else found

    return constant(
        name,
        lambda x, axis=None, keepdims=False: search(x, axis, keepdims=keepdims),
        batch=batch,
        cases=(case((3,)), case((2, 3), axis=0), case((2, 3), axis=1, keepdims=True), case((2, 3), keepdims=True)),
    )


argmax_p = _search("argmax", np.argmax)
argmin_p = _search("argmin", np.argmin)
nanargmax_p = _search("nanargmax", np.nanargmax)
nanargmin_p = _search("nanargmin", np.nanargmin)


def _batch_searchsorted(args: Sequence[Any], batched: Sequence[bool], side: str) -> Any:
    """Sorted arrays that differ between examples are searched one after the other: NumPy takes one at a time."""
    if not batched[0]:
        return apply(searchsorted_p, *args, side=side)
    size = shape_of(args[0])[0]
    return np.stack([apply(searchsorted_p, args[0][i], args[1][i] if batched[1] else args[1], side=side) for i in range(size)])


searchsorted_p: Primitive = constant(
    "searchsorted",
    lambda a, v, side: np.searchsorted(a, v, side),
    arity=2,
    batch=_batch_searchsorted,
    cases=(case(np.array([0.0, 1.0, 2.0]), (3,), side="left"), case(np.array([0.0, 1.0, 2.0]), (2, 2), side="right")),
)
