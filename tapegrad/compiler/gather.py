"""Sums of many matrix products, which come to one product."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.algebra import made_by
from tapegrad.compiler.rewriting import argument, replayed
from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var
from tapegrad.ops.arithmetic import add_p
from tapegrad.ops.contract import matmul_p
from tapegrad.ops.shape import transpose_p

GATHERED = 2**20
"""Elements of factors up to which products are gathered: they are kept until the last one is there."""


def gather_products(trace: Trace) -> Trace:
    """Make one matrix product of a sum of many: ``a1 @ b1 + a2 @ b2 + ...`` is the product of all ``a`` and all ``b`` in a row.

    Such sums are the gradients of weights that are used again and again, as in a recurrence.
    """
    readers: dict[int, list[int]] = {}
    for index in alive(trace):
        for source in trace.steps[index][1]:
            if source is not None:
                readers.setdefault(source, []).append(index)
    leaving = set(trace.outputs)
    inner = {
        index
        for index in alive(trace)
        if trace.steps[index][0] is add_p
        and index not in leaving
        and len(found := readers.get(index, [])) == 1
        and trace.steps[found[0]][0] is add_p
        and np.shape(trace.steps[found[0]][4]) == np.shape(trace.steps[index][4])
    }

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        if primitive is not add_p or len(shape_of(value)) != 2 or dtype_of(value).char not in "fdFD":
            return None
        return gathered(list(terms(args, value)), value)

    if not any(index in inner for index in alive(trace)):
        return trace
    return replayed(trace, rewrite, skip=inner)


def terms(args: Sequence[Any], value: Any) -> Iterator[Any]:
    """Yield what a tree of sums adds up, from left to right."""
    waiting = list(reversed(args))
    while waiting:
        x = waiting.pop()
        if made_by(x, add_p) and x.shape == shape_of(value) and shape_of(argument(x, 0)) == x.shape == shape_of(argument(x, 1)):
            waiting += [argument(x, 1), argument(x, 0)]
        else:
            yield x


def gathered(parts: list[Any], value: Any) -> Any:
    """Return the sum of parts, those that are matrix products as one product; None if there are few of them."""
    products = [x for x in parts if made_by(x, matmul_p) and x.dtype == dtype_of(value) and is_matrix_product(x)]
    size = sum(np.size(argument(x, k).value) if type(argument(x, k)) is Var else 0 for x in products for k in (0, 1))
    if len(products) < 4 or size > GATHERED:
        return None
    left, right = [argument(x, 0) for x in products], [argument(x, 1) for x in products]
    if all(made_by(a, transpose_p) for a in left):
        rows = np.concatenate([argument(a, 0) for a in left], axis=0)
        total = np.transpose(rows) @ np.concatenate(right, axis=0)
    else:
        total = np.concatenate(left, axis=1) @ np.concatenate(right, axis=0)
    taken = set(map(id, products))
    for x in parts:
        if id(x) not in taken:
            total = total + x
    return total


def is_matrix_product(x: Any) -> bool:
    a, b = argument(x, 0), argument(x, 1)
    return len(shape_of(a)) == 2 == len(shape_of(b)) and dtype_of(a) == dtype_of(b) == x.dtype
