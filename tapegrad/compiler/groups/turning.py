"""Blocks whose rows are short are turned: in memory the rows come last, so that NumPy goes along the columns.

A block of 2,000 rows of 3 numbers is 2,000 short loops to a ufunc that combines each row with something, and 3 long ones if it
is turned. What is handed to the group is copied once, and what leaves it; constants are laid out like this beforehand.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.groups.parts import Part, behind, is_cut, rest, units
from tapegrad.compiler.groups.units import Group
from tapegrad.compiler.trace import Trace
from tapegrad.core.node import Step
from tapegrad.ops.contract import across_p

NARROW = 64
"""Numbers in a row up to which blocks may be turned."""

TALL = 128
"""Rows of a block from which on it may be turned."""

LOOP = 4.5
"""Nanoseconds that NumPy takes to begin an inner loop."""

COPY = 0.4
"""Nanoseconds that it takes to copy a number from a block that is not turned to one that is, or back."""

COLUMNS = 6
"""Numbers in a row up to which columns are copied back one by one: NumPy would copy them row by row."""

SLOW = 2.5
"""Nanoseconds a number that it takes to reduce short rows, more than columns."""

WRONG_WITH_STRIDES = frozenset({np.negative, np.isfinite})
"""Ufuncs that NumPy 2.4 computes wrongly where it writes between other numbers: a block that is not full is such a part."""

Shape = tuple[int, ...]


def turned(x: Any) -> Any:
    """Return an array whose first axis is the last in memory.

    Example:
        >>> turned(np.zeros((100, 3))).strides
        (8, 800)
    """
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


def empty_turned(shape: Shape, dtype: Any) -> Any:
    """Return an array like that, with anything in it."""
    return np.moveaxis(np.empty((*shape[1:], shape[0]), dtype), -1, 0)


def turned_back(out: Any, x: Any) -> None:
    """Copy a block that is turned to one that is not.

    Example:
        >>> out = np.empty((4, 2))
        >>> turned_back(out, turned(np.eye(4, 2)))
        >>> out[1]
        array([0., 1.])
    """
    if math.prod(out.shape[1:]) > COLUMNS:
        np.copyto(out, x)
    else:
        for column in np.ndindex(out.shape[1:]):
            out[:, *column] = x[:, *column]


def is_turned(trace: Trace, group: Group, run: int) -> bool:
    """Tell whether the blocks of a group are computed faster if they are turned.

    Args:
        trace: the steps.
        group: those that are computed together.
        run: how many rows there are in a block.
    """
    steps, rows = trace.steps, group.rows
    if run < TALL or any(part.kind in ("product", "stack") for part in group.parts.values()):
        return False
    if any(steps[index][0] is across_p for index in group.ends):
        return False
    if max(math.prod(rest(steps[index][4].shape, rows)) for index in group.members) > NARROW:
        return False
    won: float = sum(gain(steps[index], group.parts[index], rows) for index in group.members)
    moved: list[Any] = [steps[index][4] for index in group.outputs]
    moved += [steps[index][4] for index in group.inputs if index in cut_inputs(steps, group)]
    return won > 2 * COPY * sum(narrow(x.shape, rows) for x in moved)


def cut_inputs(steps: Sequence[Step], group: Group) -> set[int]:
    """Return the values that a group is handed and takes rows of."""
    return {
        s
        for index, part in group.parts.items()
        for k, s in enumerate(steps[index][1])
        if s in group.inputs and is_cut(steps[index], part, k, group.rows)
    }


def narrow(shape: Shape, rows: int) -> int:
    """Return how many numbers there are in a row; 0 if it is a single one, which cannot be turned."""
    count = math.prod(rest(shape, rows))
    return count if count > 1 else 0


def gain(step: Step, part: Part, rows: int) -> float:
    """Return the nanoseconds a row that a part takes less if it is turned."""
    if part.kind in ("each", "call"):
        return LOOP * loops(step, part, rows)
    if part.kind != "fold":
        return 0.0
    assert part.fold is not None
    shape: Shape = step[2][part.fold.operand].shape
    count = math.prod(rest(shape, rows))
    if behind(part.fold.axes, shape, rows)[-1] < len(rest(shape, rows)):
        return LOOP * count / shape[-1]
    return -0.15 * count if part.fold.ufunc is np.add else SLOW * count


def loops(step: Step, part: Part, rows: int) -> float:
    """Return how many inner loops a ufunc makes for a row: axes along which all its operands go on alike are one."""
    shape = rest(step[4].shape, rows)
    operands = [np.shape(x) for x in step[2] if np.ndim(x)]
    along: list[list[bool]] = []  # for each operand along which axes it goes on, the rows first
    for k, x in enumerate(step[2]):
        if not np.ndim(x):
            continue
        cut = is_cut(step, part, k, rows)
        own = rest(x.shape, rows) if cut else x.shape[units(x.shape) :]
        own = (1,) * (len(shape) - len(own)) + own
        along.append([cut, *[n > 1 for n in own]])
    assert len(along) == len(operands)
    length, total = 1, math.prod(shape)
    for axis in range(len(shape), 0, -1):
        length *= shape[axis - 1]
        if shape[axis - 1] > 1 and any(goes[axis] != goes[before(axis, shape)] for goes in along):
            return total / length
    return 0.0


def before(axis: int, shape: Shape) -> int:
    """Return the next axis in front that is longer than 1, or the rows."""
    return next((k for k in range(axis - 1, 0, -1) if shape[k - 1] > 1), 0)
