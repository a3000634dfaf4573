"""Sums of products over named axes.

An `einsum` is taken apart before it is recorded: within each operand diagonals are taken and axes that appear nowhere else
are summed (one linear node, `einsum1_p`), then operands are contracted two at a time (one bilinear node each, `einsum2_p`),
each sum at the earliest moment. Every label of a bilinear node then stands in two or three of its two operands and its
output, and each transpose is a bilinear node again. Large contractions are computed as products of matrices (`lowering`); in
programs no einsum is left unless it takes diagonals.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear, multilinear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.lowering import Lowering, compact, lowering

Shape: TypeAlias = tuple[int, ...]

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The labels that there are. (The module `string` has them as well, and takes longer to import than this one.)"""

LARGE = 2048
"""Multiplications from which on a matrix product is faster than NumPy's plain einsum."""


# One operand


def _aligned(x: Any, labels: str, out: str) -> Any:
    """Return an operand with its axes in the order of other labels, and an axis of length 1 for each that it has not."""
    lengths = dict(zip(labels, x.shape, strict=True))
    return x.transpose([labels.index(c) for c in out if c in labels]).reshape([lengths.get(c, 1) for c in out])


def _spread(g: Any, subscripts: str, shape: Shape) -> Any:
    labels, out = subscripts.split("->")
    kept = "".join(sorted(set(labels)))
    wide = np.broadcast_to(
        np.einsum(f"{out}->{''.join(c for c in kept if c in out)}", g).reshape(
            [shape[labels.index(c)] if c in out else 1 for c in kept]
        ),
        [shape[labels.index(c)] for c in kept],
    )
    if len(kept) == len(labels):
        return np.einsum(f"{kept}->{labels}", wide)
    x = np.zeros(shape, wide.dtype)
    np.einsum(f"{labels}->{kept}", x)[...] = wide
    return x


def _leading(subscripts: str) -> str:
    """Return the subscripts with one axis more in front, before and after."""
    labels, out = subscripts.split("->")
    fresh = next(c for c in LETTERS if c not in labels)
    return f"{fresh}{labels}->{fresh}{out}"


def _expand_one(x: Any, subscripts: str) -> Any:
    labels, out = subscripts.split("->")
    added = tuple([k for k, c in enumerate(labels) if c not in out])
    if len(set(labels)) < len(labels) or (added and x.dtype.char not in "fdFD"):
        return None
    kept = [c for c in labels if c in out]
    y = x.sum(axis=added) if added else x
    return y.transpose([kept.index(c) for c in out])


einsum1_p: Primitive = linear(
    "einsum1",
    lambda x, subscripts: np.einsum(subscripts, x),
    lambda g, y, x, subscripts: apply(spread_p, g, subscripts=subscripts, shape=shape_of(x)),
    batch=lambda args, batched, subscripts: apply(einsum1_p, args[0], subscripts=_leading(subscripts)),
    expand=_expand_one,
    cases=(
        case((3, 3), subscripts="ii->i"),
        case((2, 3), subscripts="ij->j"),
        case((2, 3, 2, 4), subscripts="ijik->ki"),
        case((3, 3), subscripts="ii->"),
    ),
)
"""An einsum of one operand: axes in another order, diagonals, sums over axes."""


def _expand_spread(g: Any, subscripts: str, shape: Shape) -> Any:
    labels, out = subscripts.split("->")
    return None if len(set(labels)) < len(labels) else np.broadcast_to(_aligned(g, out, labels), shape)


spread_p: Primitive = linear(
    "spread",
    _spread,
    lambda g, y, x, subscripts, shape: apply(einsum1_p, g, subscripts=subscripts),
    expand=_expand_spread,
    batch=lambda args, batched, subscripts, shape: apply(
        spread_p, args[0], subscripts=_leading(subscripts), shape=(len(args[0]), *shape)
    ),
    cases=(case((2,), subscripts="ijij->i", shape=(2, 3, 2, 3)), case((4, 2), subscripts="ijik->ki", shape=(2, 3, 2, 4))),
)
"""The transpose of `einsum1_p`: onto the diagonal, zeros elsewhere, and along the summed axes."""


# Two operands


@lru_cache(4096)
def _lowering(
    subscripts: str, left_shape: Shape, right_shape: Shape, left_strides: Shape, right_strides: Shape, left: Any, right: Any
) -> Lowering | None:
    """Return how to contract two arrays by a product of matrices, or None where NumPy's plain einsum is as fast."""
    labels, out = subscripts.split("->")
    sizes = dict(zip(labels.replace(",", ""), left_shape + right_shape, strict=True))
    if set(out) == set(sizes) or math.prod(sizes.values()) < LARGE:
        return None
    return lowering(
        subscripts,
        left_shape,
        right_shape,
        tuple([stride // left.itemsize for stride in left_strides]),
        tuple([stride // right.itemsize for stride in right_strides]),
        floating=left.kind in "fc" and right.kind in "fc",
    )


def _contract(a: Any, b: Any, subscripts: str) -> Any:
    if type(a) is not np.ndarray or type(b) is not np.ndarray:
        return np.einsum(subscripts, a, b)
    how = _lowering(subscripts, a.shape, b.shape, a.strides, b.strides, a.dtype, b.dtype)
    return np.einsum(subscripts, a, b) if how is None else how.of(a, b)


def _pull_left(g: Any, y: Any, a: Any, b: Any, subscripts: str) -> Any:
    inputs, out = subscripts.split("->")
    left, right = inputs.split(",")
    return apply(einsum2_p, g, b, subscripts=f"{out},{right}->{left}")


def _pull_right(g: Any, y: Any, a: Any, b: Any, subscripts: str) -> Any:
    inputs, out = subscripts.split("->")
    left, right = inputs.split(",")
    return apply(einsum2_p, a, g, subscripts=f"{left},{out}->{right}")


def _batch_contract(args: Sequence[Any], batched: Sequence[bool], subscripts: str) -> Any:
    fresh = next(c for c in LETTERS if c not in subscripts)
    inputs, out = subscripts.split("->")
    sides = [fresh + side if is_batched else side for side, is_batched in zip(inputs.split(","), batched, strict=True)]
    return apply(einsum2_p, *args, subscripts=f"{sides[0]},{sides[1]}->{fresh}{out}")


def _expand_two(a: Any, b: Any, subscripts: str) -> Any:
    if any(type(x) is float or x.dtype.char not in "fdFD" for x in (a, b)) or a.dtype != b.dtype:
        return None
    inputs, out = subscripts.split("->")
    left, right = inputs.split(",")
    if set(out) == set(left + right):
        return _aligned(a, left, out) * _aligned(b, right, out)
    if set(left) == set(right):  # products of rows, of whatever rank
        labels = out + "".join(c for c in left if c not in out)
        y = _aligned(a, left, labels) * _aligned(b, right, labels)
        return y.sum(axis=tuple(range(len(out), len(labels))))
    return lowering(subscripts, a.shape, b.shape, compact(a.shape), compact(b.shape)).of(a, b)


einsum2_p: Primitive = multilinear(
    "einsum2",
    _contract,
    _pull_left,
    _pull_right,
    batch=_batch_contract,
    expand=_expand_two,
    cases=(
        case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        case((2, 3), (3, 2), subscripts="ij,ji->"),
        case((2, 3), (4,), subscripts="ij,k->kji"),
        case((5, 2, 3), (5, 4, 3), subscripts="bij,bkj->kbi"),
        case((8, 9, 10), (10, 7, 8), subscripts="abc,cda->bd"),
        case((), (3,), subscripts=",i->i"),
    ),
)
"""A contraction of two operands in which no label repeats within one, and each stands in two of the three or in all."""


# Any number of operands: what to do, from subscripts and shapes alone


@frozen(eq=False, repr=False)
class Plan:
    """How to compute an einsum with the primitives above.

    Attributes:
        squeezed: per operand the shape without the axes of length 1 that are broadcast, or None.
        reduced: per operand the subscripts of its `einsum1_p`, or None.
        steps: the pairs of operands to contract, with subscripts; the result goes to the end of the list.
    """

    squeezed: tuple[Shape | None, ...]
    reduced: tuple[str | None, ...]
    steps: tuple[tuple[int, int, str], ...]


def parse(subscripts: str, ranks: Sequence[int], lenient: bool = False) -> tuple[list[str], str]:
    """Return the labels of each operand and of the output, ellipses written out.

    An ellipsis that the output has not is summed over if `lenient`, as NumPy does where it optimizes.

    Raises:
        ValueError: if they are no einsum of operands of these ranks.
    """
    text = subscripts.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    operands = inputs.split(",")
    if len(operands) != len(ranks):
        raise ValueError("number of operands")
    free = [c for c in LETTERS if c not in text]
    widths = [rank - len(labels.replace("...", "")) for labels, rank in zip(operands, ranks, strict=True)]
    if any(width < 0 or (width and "..." not in labels) for labels, width in zip(operands, widths, strict=True)):
        raise ValueError("rank of an operand")
    widest = max((width for labels, width in zip(operands, widths, strict=True) if "..." in labels), default=0)
    dots = "".join(free[:widest])
    written = [labels.replace("...", dots[widest - width :]) for labels, width in zip(operands, widths, strict=True)]
    if arrow:
        result = out.replace("...", dots)
    else:
        named = "".join(operands).replace("...", "")
        result = dots + "".join(sorted(c for c in set(named) if named.count(c) == 1))
    known = set("".join(written))
    good = all(c in LETTERS for c in "".join(written) + result)
    if (
        not good
        or len(set(result)) != len(result)
        or not set(result) <= known
        or ("..." not in out and arrow and dots and not lenient)
    ):
        raise ValueError("subscripts")
    return written, result


@lru_cache(1024)
def plan(subscripts: str, shapes: tuple[Shape, ...], optimize: Any) -> Plan:
    """Return how to compute an einsum of operands of the given shapes.

    Args:
        subscripts: as NumPy's, ellipses and an implicit output allowed.
        shapes: the shape of each operand.
        optimize: True, False, 'greedy', 'optimal', or a path as a tuple.

    Raises:
        ValueError: if they do not fit.
    """
    operands, out = parse(subscripts, [len(shape) for shape in shapes], lenient=bool(optimize))
    sizes: dict[str, int] = {}
    for labels, shape in zip(operands, shapes, strict=True):
        for c, n in zip(labels, shape, strict=True):
            if sizes.setdefault(c, n) == 1:
                sizes[c] = n
            elif n not in (1, sizes[c]):
                raise ValueError("sizes")
    squeezed: list[Shape | None] = []
    reduced: list[str | None] = []
    for k, shape in enumerate(shapes):
        own = [(c, n) for c, n in zip(operands[k], shape, strict=True) if n == sizes[c]]
        squeezed.append(tuple(n for _, n in own) if len(own) < len(shape) else None)
        operands[k] = "".join(c for c, _ in own)
    for k, labels in enumerate(operands):
        elsewhere = "".join(operands[:k] + operands[k + 1 :]) + out
        kept = "".join(dict.fromkeys(c for c in labels if c in elsewhere)) if len(operands) > 1 else out
        reduced.append(f"{labels}->{kept}" if kept != labels else None)
        operands[k] = kept
    return Plan(tuple(squeezed), tuple(reduced), tuple(_pairs(operands, out, sizes, optimize)))


def _pairs(operands: list[str], out: str, sizes: dict[str, int], optimize: Any) -> list[tuple[int, int, str]]:
    if len(operands) > 2:
        like = [np.broadcast_to(0.0, [sizes[c] for c in labels]) for labels in operands]
        path = list(optimize) if isinstance(optimize, tuple) else optimize or "greedy"
        order = np.einsum_path(f"{','.join(operands)}->{out}", *like, optimize=path)[0][1:]
    else:
        order = [tuple(range(len(operands)))] if len(operands) == 2 else []
    steps = []
    for group in order:
        waiting = sorted(group, reverse=True)
        while len(waiting) > 1:  # a path may join more than two at once
            j, i = waiting[:2]
            others = "".join(labels for k, labels in enumerate(operands) if k not in (i, j)) + out
            left, right = operands[i], operands[j]
            result = "".join(dict.fromkeys(c for c in left + right if c in others)) if len(operands) > 2 else out
            steps.append((i, j, f"{left},{right}->{result}"))
            operands = [labels for k, labels in enumerate(operands) if k not in (i, j)] + [result]
            waiting = [len(operands) - 1, *(k for k in waiting[2:])]
    return steps
