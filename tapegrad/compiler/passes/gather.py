"""Sums of many matrix products, which come to fewer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.compiler.passes.rewriting import argument, replayed
from tapegrad.compiler.trace import Trace, alive, readers_of
from tapegrad.core.node import Step
from tapegrad.ops.arithmetic import add_p
from tapegrad.ops.contract import matmul_p
from tapegrad.ops.shape import transpose_p

GATHERED = 2**20
"""Elements of factors up to which products are gathered: they are kept until the last one is there."""

FEW = 4
"""Products from which on one long product is faster than their sum."""


@frozen
class Sum:
    """What a tree of additions adds up, from left to right: products of matrices that nothing else needs, and the rest.

    A constant stands for itself, as the step in which it is an argument and its place there.
    """

    products: list[int]
    others: list[int | tuple[int, int]]


def gather_products(trace: Trace) -> Trace:
    """Make one matrix product of a sum of many.

    ``a1 @ b + a2 @ b`` is ``(a1 + a2) @ b``; ``a1 @ b1 + a2 @ b2 + ...`` is the product of all ``a`` and all ``b`` in a row.
    Such sums are the gradients of weights that are used again and again, as in a recurrence.
    """
    steps = trace.steps
    readers = readers_of(trace, alive(trace))
    only = {index: found[0] for index, found in readers.items() if len(found) == 1 and index not in trace.wanted}
    inner = {index for index, user in only.items() if is_sum(steps[index]) and is_sum(steps[user]) and same(steps, index, user)}
    sums = {index: terms(steps, index, inner, only) for index in alive(trace) if is_sum(steps[index]) and index not in inner}
    instead = {index: found for index, found in sums.items() if len(found.products) > 1}
    if not instead:
        return trace

    def rewrite(index: int, new: dict[int, Any]) -> Any:
        found = instead[index]
        total = add_up([(argument(new[k], 0), argument(new[k], 1)) for k in found.products])
        if total is None:
            return None
        for k in found.others:
            total = total + (new[k] if isinstance(k, int) else steps[k[0]][2][k[1]])
        return total

    return replayed(trace, instead=dict.fromkeys(instead, rewrite))


def is_sum(step: Step) -> bool:
    value = step[4]
    return step[0] is add_p and np.ndim(value) == 2 and np.result_type(value).char in "fdFD"


def same(steps: Sequence[Step], a: int, b: int) -> bool:
    return bool(np.shape(steps[a][4]) == np.shape(steps[b][4]) and np.result_type(steps[a][4]) == np.result_type(steps[b][4]))


def is_product(step: Step, like: Step) -> bool:
    """Tell whether a step is a product of two matrices, of the dtype and shape of another one."""
    primitive, _, args, _, value = step
    return primitive is matmul_p and all(
        np.ndim(x) == 2 and np.result_type(x) == np.result_type(like[4]) for x in (*args, value)
    )


def terms(steps: Sequence[Step], index: int, inner: set[int], only: dict[int, int]) -> Sum:
    """Return what a tree of additions adds up."""
    found = Sum([], [])
    waiting: list[tuple[int, int]] = [(index, 1), (index, 0)]
    while waiting:
        k, place = waiting.pop()
        source = steps[k][1][place]
        if source is None:
            found.others.append((k, place))
        elif source in inner:
            waiting += [(source, 1), (source, 0)]
        elif source in only and is_product(steps[source], steps[index]):
            found.products.append(source)
        else:
            found.others.append(source)
    return found


def add_up(pairs: list[tuple[Any, Any]]) -> Any:
    """Return the sum of products; None if that is no simpler than it was."""
    merged = with_common_factor(with_common_factor(pairs, 1), 0)
    size = sum(np.size(x.value) for pair in merged for x in pair if hasattr(x, "value"))
    if len(merged) >= FEW and size <= GATHERED:
        return in_a_row(merged)
    if len(merged) == len(pairs):
        return None
    total = merged[0][0] @ merged[0][1]
    for a, b in merged[1:]:
        total = total + a @ b
    return total


def with_common_factor(pairs: list[tuple[Any, Any]], place: int) -> list[tuple[Any, Any]]:
    """Add up what is multiplied with the same matrix."""
    found: dict[Any, tuple[Any, Any]] = {}
    for pair in pairs:
        common, other = pair[place], pair[1 - place]
        key = common.index if hasattr(common, "index") else id(common)
        if key in found:
            other = found[key][1 - place] + other
        found[key] = (other, common) if place else (common, other)
    return list(found.values())


def in_a_row(pairs: list[tuple[Any, Any]]) -> Any:
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    if all(hasattr(a, "index") and a.tape.steps[a.index][0] is transpose_p for a in left):
        rows = np.concatenate([argument(a, 0) for a in left], axis=0)
        return np.transpose(rows) @ np.concatenate(right, axis=0)
    return np.concatenate(left, axis=1) @ np.concatenate(right, axis=0)
