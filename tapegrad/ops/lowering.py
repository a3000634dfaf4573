"""Contractions of two operands seen as products of matrices.

Each label of a contraction stands in two or three of its operands and its output. Those in all three are batches; the others
are the rows, the columns, and what is summed, and there are many ways to say so: which operand comes first, in which order
labels become one axis, which of them are batches rather than parts of an axis (a batch that only one operand has is broadcast
in the other one; one that is summed is added up afterwards). The ways differ in what has to be copied before BLAS can read it
and in the order in which the output is laid out. `lowering` weighs them and returns the cheapest.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from itertools import product as product_of
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen

from tapegrad.ops.contract import product

Shape: TypeAlias = tuple[int, ...]

# Nanoseconds, measured: what one element costs that is copied, one that is read out of order later, one that is added up,
# one that BLAS reads or writes; and one matrix, and one multiplication
COPIED, TURNED, ADDED, TOUCHED, MATRIX, FLOP = 1.2, 0.8, 0.3, 0.1, 40.0, 0.02


@frozen(eq=False)
class View:
    """How an operand becomes a stack of matrices.

    Attributes:
        axes: the order of its axes, or None where it is as it should be.
        shape: its shape then, or None where it stays.
        copied: whether BLAS could not read what results.
    """

    axes: Shape | None
    shape: Shape | None
    copied: bool

    def of(self, x: Any) -> Any:
        if self.axes is not None:
            x = x.transpose(self.axes)
        if self.shape is not None:
            x = x.reshape(self.shape)
        return np.ascontiguousarray(x) if self.copied and type(x) is np.ndarray else x


@frozen(eq=False)
class Lowering:
    """A contraction as one product of stacks of matrices.

    Attributes:
        swapped: whether the second operand comes first.
        first, second: how to see the operands, in the order in which they are multiplied.
        added: how many axes of the product to add up, from the front.
        shape: the shape of the result, each label an axis of its own.
        axes: the order of those axes, or None where it is that of the output.
    """

    swapped: bool
    first: View
    second: View
    added: int
    shape: Shape
    axes: Shape | None

    def of(self, a: Any, b: Any) -> Any:
        if self.swapped:
            a, b = b, a
        a, b = self.first.of(a), self.second.of(b)
        y = product(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)
        if self.added:
            y = y.sum(axis=tuple(range(self.added)))
        y = y.reshape(self.shape)
        return y if self.axes is None else y.transpose(self.axes)


def compact(shape: Shape) -> Shape:
    """Return the strides of a contiguous array, in elements."""
    return tuple([math.prod(shape[k + 1 :]) for k in range(len(shape))])


class Side:
    """An operand that is being looked at: its labels and how they lie in memory."""

    def __init__(self, labels: str, shape: Shape, strides: Shape) -> None:
        self.labels = labels
        self.sizes = dict(zip(labels, shape, strict=True))
        self.strides = dict(zip(labels, strides, strict=True))
        self.views: dict[Any, tuple[View, float]] = {}

    def ordered(self, group: Iterable[str]) -> tuple[str, ...]:
        """Return labels in the order in which they lie in memory."""
        return tuple(sorted(group, key=lambda c: (-abs(self.strides[c]), self.labels.index(c))))

    def step(self, group: Sequence[str]) -> int | None:
        """Return the stride of several axes seen as one, 0 if they have one element at most, None if they are not one."""
        wide = [c for c in group if self.sizes[c] != 1]
        for c, following in pairwise(wide):
            if self.strides[c] != self.strides[following] * self.sizes[following]:
                return None
        return (self.strides[wide[-1]] or None) if wide else 0

    def readable(self, one: Sequence[str], two: Sequence[str]) -> bool:
        """Tell whether BLAS reads a matrix of these rows and columns, or its transpose, where it is."""
        down, right = self.step(one), self.step(two)
        if down is None or right is None or down < 0 or right < 0:
            return False
        if down == 0 or right == 0:
            return True
        inner = two if right == 1 else one
        return min(down, right) == 1 and max(down, right) >= math.prod([self.sizes[c] for c in inner])

    def seen(self, batch: Sequence[str], one: Sequence[str], two: Sequence[str]) -> tuple[View, float]:
        """Return how this operand is a stack of matrices, each group of labels an axis, and its cost in nanoseconds."""
        key = tuple(batch), tuple(one), tuple(two)
        if key not in self.views:
            own = [c for c in batch if c in self.labels]
            axes = tuple([self.labels.index(c) for c in (*own, *one, *two)])
            first = min((k for k, c in enumerate(batch) if c in self.labels), default=len(batch))
            shape = tuple([self.sizes.get(c, 1) for c in batch[first:]])
            shape += tuple([math.prod([self.sizes[c] for c in group]) for group in (one, two)])
            copied = not self.readable(one, two)
            view = View(
                None if axes == tuple(range(len(axes))) else axes,
                None if shape == tuple([self.sizes[self.labels[axis]] for axis in axes]) else shape,
                copied,
            )
            self.views[key] = view, COPIED * math.prod(self.sizes.values()) if copied else 0.0
        return self.views[key]


def ways(
    a: Side, b: Side, out: str, floating: bool
) -> Iterator[tuple[list[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """Yield the labels that are batches, those of the rows, those that are summed, and those of the columns, in all orders."""
    shared = [c for c in a.labels if c in b.labels]
    summed = [c for c in shared if c not in out]
    rows, columns = [c for c in a.labels if c not in b.labels], [c for c in b.labels if c not in a.labels]
    moves: dict[tuple[str, ...], None] = {(): None}
    for side, group in ((a, rows), (b, columns), *(((a, summed), (b, summed)) if floating else ())):
        ordered = side.ordered(group)
        moves.update({ordered[:count]: None for count in range(1, len(ordered) + 1)})
    for moved in moves:
        batch = [c for c in moved if c in summed] + [c for c in out if c in moved or c in shared]
        n, k, m = ([c for c in group if c not in moved] for group in (rows, summed, columns))
        yield from (
            (batch, *orders)
            for orders in product_of(
                dict.fromkeys((a.ordered(n), tuple(sorted(n, key=out.index)))),
                dict.fromkeys((a.ordered(k), b.ordered(k))),
                dict.fromkeys((b.ordered(m), tuple(sorted(m, key=out.index)))),
            )
        )


def lowering(
    subscripts: str,
    left_shape: Shape,
    right_shape: Shape,
    left_strides: Shape,
    right_strides: Shape,
    floating: bool = True,
) -> Lowering:
    """Return the cheapest way to see a contraction as one product.

    Args:
        subscripts: of two operands, each label in two or three places, one at least summed.
        left_shape, right_shape: the shapes of the operands.
        left_strides, right_strides: how they lie in memory, in elements.
        floating: whether products may be added up afterwards (integers would come out in another dtype).
    """
    inputs, out = subscripts.split("->")
    left, right = inputs.split(",")
    a, b = Side(left, left_shape, left_strides), Side(right, right_shape, right_strides)
    sizes = a.sizes | b.sizes
    best, least = None, math.inf
    for swapped in (False, True):
        first, second = (b, a) if swapped else (a, b)
        for batch, rows, summed, columns in ways(first, second, out, floating):
            (one, paid), (two, paid_too) = first.seen(batch, rows, summed), second.seen(batch, summed, columns)
            n, k, m, count = (math.prod([sizes[c] for c in group]) for group in (rows, summed, columns, batch))
            cost = paid + paid_too + count * (MATRIX + FLOP * n * k * m + TOUCHED * (n * k + k * m + n * m))
            kept = [c for c in batch if c in out]
            given = [*kept, *rows, *columns]
            added = len(batch) - len(kept)
            if added:
                cost += ADDED * count * n * m
            if [c for c in given if sizes[c] > 1] != [c for c in out if sizes[c] > 1]:
                cost += TURNED * math.prod([sizes[c] for c in out])
            if cost < least:
                axes = tuple([given.index(c) for c in out])
                turned = None if axes == tuple(range(len(axes))) else axes
                best, least = Lowering(swapped, one, two, added, tuple([sizes[c] for c in given]), turned), cost
    assert best is not None
    return best
