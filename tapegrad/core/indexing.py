"""Indices, in every form that NumPy knows, as they are recorded.

An index is recorded as NumPy takes it. Only where an array in it is itself traced (under `vmap` or `jit`) it is taken apart: a
template with holes, which is static, and the arrays that fill them, which are inputs of the node.
"""

import operator
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.complaints import lost
from tapegrad.core.origins import depends_on_abstract
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var

ndarray = np.ndarray


class Hole:
    """The place of a traced array in an index."""

    def __repr__(self) -> str:
        return "array"


HOLE: Final = Hole()

INTEGER = frozenset({int})
SIMPLE = frozenset({int, slice, type(None), type(...)})
"""The types of the parts of an index with which NumPy reads a view."""


def parts_of(index: Any) -> tuple[Any, ...]:
    """Return an index as a tuple."""
    return index if type(index) is tuple else (index,)


def is_basic(index: Any) -> bool:
    """Tell whether NumPy reads `index` (as it is recorded) as a view: integers, slices, None and Ellipsis only."""
    return SIMPLE.issuperset(map(type, parts_of(index)))


def holds_number_in_array(index: Any) -> bool:
    """Tell whether `index`, as it was given, has an array of shape ``()`` in it, with which NumPy reads a copy."""
    return any(isinstance(part, ndarray) and part.ndim == 0 for part in parts_of(index))


def is_one_element(index: Any, rank: int) -> bool:
    """Tell whether `index` is an integer for each axis."""
    kind = type(index)
    if kind is int:
        return rank == 1
    return kind is tuple and len(index) == rank and INTEGER.issuperset(map(type, index))


def normal(index: Any) -> tuple[Any, list[Any]]:
    """Return `index` in the form in which it is recorded, and the traced arrays that belong in its holes.

    Integers become ints, lists arrays; later changes of an array do not reach it.

    Raises:
        ConcretizationError: for a mask that must not be looked at.
    """
    arrays: list[Any] = []
    if type(index) is tuple:
        return tuple([part if type(part) is int else _part(part, arrays) for part in index]), arrays
    return _part(index, arrays), arrays


def _part(part: Any, arrays: list[Any]) -> Any:
    kind = type(part)
    if kind is slice:
        bounds = part.start, part.stop, part.step
        return slice(*[operator.index(n) if type(n) is Var else n for n in bounds]) if Var in map(type, bounds) else part
    if kind in SIMPLE or kind is bool:
        return part
    if isinstance(part, (list, tuple)):
        part = FUNCTIONS[np.array](part) if part else np.zeros(0, np.intp)
        kind = type(part)
    if kind is Var:
        if depends_on_abstract(part):
            if part.dtype.kind == "b":
                lost(
                    part, "a mask to index with", "picks a number of elements that depends on values; use tapegrad.numpy.where"
                )
            arrays.append(part)
            return HOLE
        part = part.value
    if isinstance(part, ndarray):
        if part.ndim == 0 and part.dtype.kind in "iu":
            return int(part)
        return part.copy() if part.flags.writeable else part
    if isinstance(part, np.bool):
        return bool(part)
    if hasattr(part, "__index__"):
        return operator.index(part)
    return np.asarray(part)


def filled(template: Any, arrays: Sequence[Any]) -> Any:
    """Return the index: a template with its holes filled."""
    if template is HOLE:
        return arrays[0]
    rest = iter(arrays)
    return tuple([next(rest) if part is HOLE else part for part in template])


def place(index: Any, rank: int) -> tuple[int, int, bool]:
    """Return where the axes of the index arrays stand in the result of reading an array of the given rank.

    Returns:
        The first of them, how many there are, and whether they have been moved to the front, as NumPy does if the arrays do not
        stand side by side in the index.
    """
    parts = parts_of(index)
    if is_basic(index):
        return 0, 0, False
    used = sum(axes_read(part) for part in parts)
    at, first, runs, count, inside = 0, 0, 0, 0, False
    for part in parts:
        if part is None or type(part) is slice or part is Ellipsis:
            inside = False
            at += rank - used if part is Ellipsis else 1
            continue
        count = max(count, 1 if is_mask(part) else len(shape_of(part)))
        if not inside:
            runs += 1
            first = at if runs == 1 else 0
        inside = True
    return first, count, runs > 1


def is_mask(part: Any) -> bool:
    """Tell whether a part of an index picks by truth, not by position."""
    return type(part) is bool or (type(part) not in SIMPLE and dtype_of(part).kind == "b")


def axes_read(part: Any) -> int:
    """Return how many axes a part of an index reads: a mask as many as it has, None and Ellipsis none, others one."""
    if part is None or part is Ellipsis:
        return 0
    return len(shape_of(part)) if is_mask(part) else 1


def is_unique(index: Any) -> bool:
    """Tell whether `index` can be seen, without a look at integers in arrays, to name no element twice."""
    return all(type(part) in SIMPLE or is_mask(part) for part in parts_of(index))
