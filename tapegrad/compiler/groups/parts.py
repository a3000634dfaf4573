"""What a step is to a group: how it goes through its arrays row by row.

A group cuts its arrays along their leading axes, which are taken together as *rows*. A step can be part of it if each row of
its output needs the same row of some inputs, and the whole of others. How many rows there may be depends on the step: an
elementwise one on arrays of one shape can be cut anywhere, so that each element is a row; one that adds up the last axis of a
matrix cannot be cut there. So a step offers several numbers of rows, and those that are gathered in a group agree on one.

The last of the axes that are taken together may be divided: 6 rows of a matrix of 12 have two rows of the matrix each. What a
block sees of an array has the rows first, then what is left of that axis, and then the axes behind it.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen

from tapegrad.compiler.calls import UFUNC_OF, call_of, is_array, is_elementwise
from tapegrad.compiler.groups import sizes
from tapegrad.compiler.groups.products import is_ones, is_tall, stack_rows
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import Step
from tapegrad.core.reading import getitem_p
from tapegrad.ops.contract import across_p, matmul_p
from tapegrad.ops.shape import reshape_p, transpose_p

REDUCTIONS = (np.add, np.multiply, np.maximum, np.minimum)
"""Ufuncs whose reduction over everything can be made of reductions of parts."""

NANOSECONDS = {
    "sqrt": 0.4,
    "sign": 0.5,
    "copysign": 0.7,
    "logical_and": 1.0,
    "logical_or": 1.0,
    "logical_not": 0.5,
    "exp": 1.5,
    "sin": 1.6,
    "cos": 1.6,
    "log": 2.5,
    "exp2": 2.5,
    "tanh": 3.5,
    "hypot": 4.5,
    "log2": 5.5,
    "power": 6.0,
    "expm1": 12.0,
    "log1p": 12.0,
    "arctan2": 14.0,
    "erf": 13.0,
}
"""What ufuncs take for an element in single precision, roughly; 10 where nothing is said, unless they are quick."""

QUICK = frozenset(
    ufunc.__name__
    for ufunc in (
        *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square, np.reciprocal),
        *(np.maximum, np.minimum, np.fmax, np.fmin, np.absolute, np.conjugate, np.floor, np.ceil, np.rint, np.isnan, np.isinf),
        *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.isfinite, np.signbit),
        *(np.bitwise_and, np.bitwise_or, np.bitwise_xor),
    )
)
"""Ufuncs that take about 0.15 ns, so that memory is slower than they are."""

Shape = tuple[int, ...]


@frozen(eq=False)
class Fold:
    """A reduction of one array along some axes: the ufunc, which input the array is, and the axes in order."""

    ufunc: np.ufunc
    operand: int
    axes: tuple[int, ...]


Limit: TypeAlias = tuple[Shape, int]
"""A shape, and how many of its leading axes may be cut."""


@frozen(eq=False)
class Part:
    """What a step is to a group.

    Attributes:
        kind: ``each`` (a ufunc), ``call`` (a function that is called on the rows), ``fold`` (of the axes behind the rows),
            ``product`` (of the rows with a matrix), ``stack`` (of the matrices in each row with those in the same row),
            ``view`` (the same elements in another shape or order), ``end`` (a fold of the rows as well, of which each block
            gives a piece).
        limits: what the rows must fit.
        fold: what is reduced, of a ``fold`` or an ``end`` that is neither a look for NaN nor a sum of products.
    """

    kind: str
    limits: tuple[Limit, ...]
    fold: Fold | None = None


def part_of(step: Step) -> Part | None:
    """Return what a step can be to a group, or None."""
    primitive, inputs, args, _, value = step
    if primitive is watched_p:
        looked_at = inputs[0] is not None and is_array(args[0]) and args[0].dtype.kind in "fc"
        return found("end", whole_of(args[0])) if looked_at else None
    if is_elementwise(step):
        return found("each", (value.shape, cuttable(args, value.shape)))
    if is_call(step):
        return found("call", (value.shape, cuttable(args, value.shape)))
    if primitive in (reshape_p, getitem_p) and is_array(value) and inputs[0] is not None and is_array(args[0]):
        return found("view", whole_of(args[0]), whole_of(value)) if is_reshape(step) else None
    if primitive is transpose_p and is_array(value) and inputs[0] is not None:
        kept = together(step[3]["axes"])
        return found("view", (args[0].shape, kept), (value.shape, kept))
    if is_product_of_stacks(step):
        return found("stack", *[(x.shape, value.ndim - 2) for x in (value, *args)])
    if is_product_of_rows(step):
        return found("product", (value.shape, 1), (args[0].shape, 1))
    if primitive is across_p:
        return found("end", *[(x.shape, 1) for x in args])
    fold = fold_of(step)
    if fold is None:
        return None
    shape = np.shape(args[fold.operand])
    if fold.axes[0] > 0:
        return found("fold", (shape, fold.axes[0]), fold=fold) if is_array(value) else None
    return found("end", (shape, together(fold.axes)), fold=fold)


def is_call(step: Step) -> bool:
    """Tell whether a step is an elementwise function of the library that is no ufunc."""
    primitive, _, _, settings, value = step
    return primitive.elementwise and primitive.into is None and is_array(value) and not settings and value.dtype.kind in "biufc"


def is_product_of_rows(step: Step) -> bool:
    """Tell whether a step multiplies the rows of a tall matrix by a small matrix or a vector."""
    primitive, _, args, _, value = step
    if primitive is not matmul_p or not is_array(value) or not all(map(is_array, args)):
        return False
    x, weight = args
    alike = x.dtype == weight.dtype == value.dtype and x.dtype.char in "fd"
    return alike and x.ndim == 2 and weight.ndim <= 2 and is_tall(len(x), *weight.shape) and not is_ones(weight)


def is_product_of_stacks(step: Step) -> bool:
    """Tell whether a step multiplies stacks of matrices, each of which BLAS can multiply on the thread that calls it."""
    primitive, _, args, _, value = step
    if primitive is not matmul_p or not is_array(value) or not all(map(is_array, args)):
        return False
    a, b = args
    alike = a.dtype == b.dtype == value.dtype and a.dtype.char in "fd" and a.ndim == b.ndim > 2 and a.shape[:-2] == b.shape[:-2]
    return alike and size_of(step) >= sizes.STACKS and stack_rows(a.shape, b.shape) > 0


def found(kind: str, *limits: Limit, fold: Fold | None = None) -> Part | None:
    return Part(kind, limits, fold) if offers(limits) else None


def whole_of(x: Any) -> Limit:
    return x.shape, x.ndim


def together(axes: tuple[int, ...]) -> int:
    """Return how many of the axes in a list are the first, the second and so on."""
    return next((k for k, axis in enumerate(axes) if axis != k), len(axes))


def offers(limits: Sequence[Limit]) -> frozenset[int]:
    """Return the numbers of rows that some leading axes make, taken together, within all limits; none of empty arrays."""
    shape, most = limits[0]
    if 0 in shape:
        return frozenset()
    rows = {math.prod(shape[:d]) for d in range(1, most + 1)}
    return frozenset([n for n in rows if n >= sizes.FEWEST and all(fits(limit, n) for limit in limits)])


def fits(limit: Limit, rows: int) -> bool:
    """Tell whether the leading axes can be cut into so many rows of the same size."""
    shape, most = limit
    cut = split(shape, rows)
    return cut is not None and cut[0] <= most


def split(shape: Shape, rows: int) -> tuple[int, int] | None:
    """Return how many leading axes make so many rows, as few as possible, and how long what is left of the last of them is."""
    count = 1
    for d, n in enumerate(shape):
        count *= n
        if count >= rows:
            whole = count % rows == 0 and (count == rows or rows % (count // n) == 0)
            return (d + 1, count // rows) if whole else None
    return None


def lead(shape: Shape, rows: int) -> tuple[int, int]:
    """Return what `split` does, for rows that fit."""
    cut = split(shape, rows)
    assert cut is not None, f"{shape} has not {rows} rows"
    return cut


def rest(shape: Shape, rows: int) -> Shape:
    """Return the axes that a block sees behind the rows."""
    d, inner = lead(shape, rows)
    return (inner, *shape[d:]) if inner > 1 else shape[d:]


def behind(axes: tuple[int, ...], shape: Shape, rows: int) -> tuple[int, ...]:
    """Return where a block finds the axes of an array that are not rows."""
    d, inner = lead(shape, rows)
    return tuple([axis - d + (2 if inner > 1 else 1) for axis in axes if axis >= d])


def cuttable(args: Sequence[Any], shape: Shape) -> int:
    """Return how many leading axes of the output of an elementwise step can be cut: all inputs have them, or lack them."""
    most = len(shape)
    for x in args:
        s = np.shape(x)
        if len(s) == len(shape):
            most = min(most, max(common(s, shape), units(s)))
        else:
            most = min(most, len(shape) - len(s) + units(s))
    return most


def common(a: Shape, b: Shape) -> int:
    """Return how many leading axes of two shapes are the same."""
    return next((k for k, (m, n) in enumerate(zip(a, b, strict=False)) if m != n), min(len(a), len(b)))


def units(shape: Shape) -> int:
    """Return how many leading axes have length 1."""
    return next((k for k, n in enumerate(shape) if n != 1), len(shape))


def is_cut(step: Step, part: Part, k: int, rows: int) -> bool:
    """Tell whether a part reads of its input `k` the rows only, and not the whole."""
    if part.kind == "product":
        return k == 0
    if part.kind not in ("each", "call"):
        return part.fold is None or part.fold.operand == k
    s, shape = np.shape(step[2][k]), step[4].shape
    return len(s) == len(shape) and common(s, shape) >= lead(shape, rows)[0]


def is_reshape(step: Step) -> bool:
    """Tell whether a view has the elements of its input, all of them and in their order."""
    primitive, _, args, settings, value = step
    if primitive is reshape_p:
        return bool(settings.get("order", "C") == "C" and args[0].size == value.size)
    index = settings["index"]
    parts = index if type(index) is tuple else (index,)
    return all(i is None or i is Ellipsis or (type(i) is slice and i == slice(None)) for i in parts)


def fold_of(step: Step) -> Fold | None:
    """Return what a step reduces, if that is what it does: with a ufunc, or as a product with ones."""
    primitive, inputs, args, _, value = step
    if type(value) is tuple or not any(map(is_array, args)):
        return None
    if primitive is matmul_p:
        a, b = args
        if inputs[1] is None and is_ones(b) and a.ndim > 1:
            return Fold(np.add, 0, (a.ndim - 1,))
        return Fold(np.add, 1, (0,)) if inputs[0] is None and is_ones(a) and np.ndim(b) == 2 else None
    if inputs[0] is None or len(inputs) != 1 or primitive.into is None:
        return None
    x = args[0]
    call = call_of(step)
    if call is None:
        return None
    name = getattr(call.function, "__name__", "")
    if name == "reduce" and len(call.arguments) >= 4:
        ufunc, axis, dtype = getattr(call.function, "__self__", None), call.arguments[1], call.arguments[2]
        if ufunc not in REDUCTIONS or not (dtype is None or is_exact(x.dtype, dtype)):
            return None
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        ordered = tuple(sorted(axis % x.ndim for axis in axes))
        return Fold(ufunc, 0, ordered) if ordered else None
    if name == "short_rows":
        return Fold(call.arguments[0].__self__, 0, (x.ndim - 1,))
    if call.function is np.dot and sum(map(is_ones, call.arguments)) == 1:
        return Fold(np.add, 0, (0 if is_ones(call.arguments[0]) else 1,))
    return None


def is_exact(given: np.dtype[Any], dtype: np.dtype[Any]) -> bool:
    """Tell whether a reduction in a dtype can be made of those of blocks.

    It would be less precise than what floating-point numbers have, and sums of integers in few bits are of another dtype.
    """
    if dtype.kind in "biu":
        return given.kind in "biu" and dtype.itemsize == 8
    return dtype == given or given.kind in "biu"


# What parts take


def size_of(step: Step) -> int:
    """Return the elements of the largest array that a step reads or writes."""
    return max(int(np.size(x)) for x in (step[4], *step[2]))


def width(step: Step, part: Part) -> int:
    """Return the elements that a step takes up in the cache: of a product with fewer columns than it reads, those it writes.

    What is read is read twice, forwards and backwards, and not worth it that all other steps have small blocks.
    """
    if part.kind == "product":
        return int(np.size(step[4]))
    if step[0] is across_p:
        return 0
    return size_of(step)


def nanoseconds(step: Step, part: Part) -> float:
    """Return what a part takes for an element, roughly."""
    if part.kind == "view":
        return 0.0
    if part.kind == "product" or step[0] is across_p:
        lengths: Shape = step[2][1].shape if part.kind == "product" else step[4].shape
        return 0.02 * len(step[2][0]) * math.prod(lengths) / size_of(step)
    if part.kind == "end":
        return 0.25
    if part.kind == "stack":
        return 0.03 * float(np.size(step[4]) * np.shape(step[2][0])[-1] / size_of(step))
    if part.kind == "fold":
        assert part.fold is not None
        return 0.2 + 10.0 / max(1, size_of(step) // max(1, int(np.size(step[4]))))
    ufunc = UFUNC_OF[step[0]]
    name = "where" if ufunc is None else ufunc.__name__
    single = 0.15 if name in QUICK else 0.8 if name == "where" else NANOSECONDS.get(name, 10.0)
    return single * max(4, np.result_type(step[4]).itemsize) / 4
