"""What is computed together: single steps, and groups of elementwise steps that walk over large arrays in blocks.

A group goes through its arrays once, a block that fits into the cache at a time: all steps on the first block, then all on the
second. NumPy's ufuncs compute each block, at the speed of the cache and not of the memory, and on several threads.
"""

import heapq
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import UFUNC_OF, call_of, is_array, is_elementwise
from tapegrad.compiler.trace import Trace
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import Step

LARGE = 2**17
"""Elements from which on arrays are walked over in blocks."""

BLOCK = 2**16
"""Elements of a block."""

REDUCTIONS = (np.add, np.multiply, np.maximum, np.minimum)
"""Ufuncs whose reduction over everything can be made of reductions of blocks."""


@frozen(eq=False)
class Group:
    """Elementwise steps on arrays of one shape, in order, and what is reduced to a number as they pass.

    Attributes:
        members: the steps.
        ends: steps that reduce a member, or a value of its shape, to a number; `watched` steps look for NaN in it.
        shape: the shape of all members.
        rows: blocks are rows along the first axis; else runs of elements.
        inputs: values from outside that the group reads.
        outputs: members that are needed outside.
    """

    members: tuple[int, ...]
    ends: tuple[int, ...]
    shape: tuple[int, ...]
    rows: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


Unit: TypeAlias = "int | Group"


@define(eq=False)
class Open:
    """A group that is still growing. ``mask`` is its bit; ``needs`` the bits of the groups that it depends on."""

    shape: tuple[int, ...]
    mask: int
    needs: int = 0
    members: list[int] = field(factory=list)
    ends: list[int] = field(factory=list)


def units(trace: Trace, order: Sequence[int], fuse: bool) -> list[Unit]:
    """Return the steps in `order`, gathered into groups where that pays, in an order in which they can be computed."""
    if not fuse:
        return list(order)
    groups = gather(trace, order)
    return arrange(trace, order, [g for g in groups if worthwhile(trace, g)])


def gather(trace: Trace, order: Sequence[int]) -> list[Open]:
    """Put each large elementwise step into the latest group that it can join, or a new one."""
    steps = trace.steps
    groups: list[Open] = []
    home: dict[int, Open] = {}
    reach: dict[int, int] = {}  # for each value the groups that it depends on, its own not included
    for index in order:
        step = steps[index]
        sources = [s for s in step[1] if s is not None]
        end = is_end(trace, step)
        wanted = steps[sources[0]][4].shape if end else step[4].shape if is_elementwise(step) else None
        candidate = wanted is not None and int(np.prod(wanted)) >= LARGE
        joined = None
        if candidate:
            for group in reversed(groups):
                if group.shape == wanted and can_join(group, sources, home, reach, groups):
                    if end and home.get(sources[0]) is not group:
                        continue
                    joined = group
                    break
            if joined is None and not end:
                joined = Open(step[4].shape, 1 << len(groups))
                groups.append(joined)
        needs = 0
        for s in sources:
            owner = home.get(s)
            if joined is not None and owner is joined and s not in joined.ends:
                continue
            needs |= reach.get(s, 0) | (owner.mask | owner.needs if owner is not None else 0)
        if joined is not None:
            (joined.ends if end else joined.members).append(index)
            joined.needs |= needs
            home[index] = joined
            spread(groups, joined)
        reach[index] = needs
    return groups


def spread(groups: list[Open], changed: Open) -> None:
    """Hand on what a group has come to need to the groups that need it."""
    for group in groups:
        if group.needs & changed.mask:
            group.needs |= changed.needs


def can_join(group: Open, sources: Sequence[int], home: dict[int, Open], reach: dict[int, int], groups: list[Open]) -> bool:
    """Tell whether a step on `sources` can be computed as a part of `group`: nothing that it needs may need the group."""
    for s in sources:
        owner = home.get(s)
        if owner is group and s not in group.ends:
            continue
        needs = reach.get(s, 0) | (owner.mask | owner.needs if owner is not None else 0)
        if needs & group.mask:
            return False
        for other in groups:
            if needs & other.mask and other.needs & group.mask:
                return False
    return True


def is_end(trace: Trace, step: Step) -> bool:
    """Tell whether a step reduces a whole array to a number, or looks for NaN in it."""
    primitive, inputs, args, _, _ = step
    if not inputs or inputs[0] is None or not is_array(args[0]) or len(inputs) != 1:
        return False
    if primitive is watched_p:
        return args[0].dtype.kind in "fc"
    return reduction(step) is not None


def reduction(step: Step) -> Any:
    """Return the ufunc of a step that reduces a whole array, or None."""
    if is_array(step[4]) or type(step[4]) is tuple:
        return None
    call = call_of(step)
    if call is None or getattr(call.function, "__name__", "") != "reduce" or len(call.arguments) != 5:
        return None
    ufunc = getattr(call.function, "__self__", None)
    _, axis, dtype, _, keepdims = call.arguments
    rank = step[2][0].ndim
    whole = axis is None or (rank == 1 and axis == 0) or (type(axis) is tuple and len(axis) == rank)
    return ufunc if ufunc in REDUCTIONS and whole and dtype is None and not keepdims else None


def worthwhile(trace: Trace, group: Open) -> bool:
    """Tell whether a group gains from blocks: several steps on the same elements, or steps that take their time."""
    slow = any(slow_ufunc(trace.steps[index]) for index in group.members)
    return (len(group.members) + len(group.ends) > 1 or slow) and divisible(trace, group) is not None


def slow_ufunc(step: Step) -> bool:
    ufunc = UFUNC_OF[step[0]]
    return ufunc is not None and ufunc.__name__ not in QUICK


QUICK = frozenset(
    ufunc.__name__
    for ufunc in (
        *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square, np.reciprocal, np.sqrt),
        *(np.maximum, np.minimum, np.fmax, np.fmin, np.absolute, np.sign, np.conjugate),
        *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
        *(np.logical_and, np.logical_or, np.logical_not),
    )
)
"""Ufuncs that memory is slower than."""


def divisible(trace: Trace, group: Open) -> bool | None:
    """Tell whether blocks are rows (True) or runs of elements (False); None if the group cannot be cut."""
    flat = True
    members = set(group.members)
    for index in group.members:
        _, inputs, args, _, _ = trace.steps[index]
        for source, x in zip(inputs, args, strict=True):
            if source in members:
                continue
            shape = np.shape(x)
            if shape != group.shape and int(np.prod(shape)) != 1:
                flat = False
    if flat:
        return False
    row = int(np.prod(group.shape[1:]))
    return True if group.shape[0] >= 8 and row <= 2 * BLOCK else None


def arrange(trace: Trace, order: Sequence[int], groups: Sequence[Open]) -> list[Unit]:
    """Return steps and groups in an order in which all can be computed, the earliest possible step first."""
    steps = trace.steps
    unit_of: dict[int, int] = {}
    contents: list[list[int]] = []
    for group in groups:
        for index in (*group.members, *group.ends):
            unit_of[index] = len(contents)
        contents.append([*group.members, *group.ends])
    for index in order:
        if index not in unit_of:
            unit_of[index] = len(contents)
            contents.append([index])
    before: list[set[int]] = [
        {unit_of[s] for index in content for s in steps[index][1] if s is not None and s in unit_of} - {k}
        for k, content in enumerate(contents)
    ]
    after: list[list[int]] = [[] for _ in contents]
    waiting = [len(b) for b in before]
    for k, b in enumerate(before):
        for j in b:
            after[j].append(k)
    late = [False] * len(contents)  # what needs something watched: by then all that can be is looked at, see `plan`
    result: list[Unit] = []
    heap = [(False, max(contents[k]), k) for k in range(len(contents)) if not waiting[k]]
    heapq.heapify(heap)
    used_outside = find_used_outside(trace, unit_of, order)
    while heap:
        _, _, k = heapq.heappop(heap)
        late[k] = late[k] or any(steps[index][0] is watched_p for index in contents[k])
        if k < len(groups):
            result.append(closed(trace, groups[k], used_outside))
        else:
            result.append(contents[k][0])
        for j in after[k]:
            waiting[j] -= 1
            late[j] = late[j] or late[k]
            if not waiting[j]:
                heapq.heappush(heap, (late[j], max(contents[j]), j))
    assert len(result) == len(contents), "units depend on each other"
    return result


def find_used_outside(trace: Trace, unit_of: dict[int, int], order: Sequence[int]) -> set[int]:
    """Return the values that are needed by another unit, or leave the program."""
    used = {index for index in trace.outputs if index is not None}
    for index in order:
        used |= {s for s in trace.steps[index][1] if s is not None and unit_of.get(s) != unit_of[index]}
        if trace.steps[index][0] is watched_p and index in used:
            used |= {s for s in trace.steps[index][1] if s is not None}
    for index in reversed(order):  # what is watched is the same array, under another name
        if index in used and trace.steps[index][0] is watched_p:
            used |= {s for s in trace.steps[index][1] if s is not None}
    return used


def closed(trace: Trace, group: Open, used: set[int]) -> Group:
    members = set(group.members)
    inputs = []
    for index in (*group.members, *group.ends):
        for s in trace.steps[index][1]:
            if s is not None and s not in members and s not in inputs:
                inputs.append(s)
    outputs = tuple([index for index in group.members if index in used])
    return Group(tuple(group.members), tuple(group.ends), group.shape, bool(divisible(trace, group)), tuple(inputs), outputs)
