"""What is computed together: single steps, and groups of steps that walk over large arrays in blocks.

A group goes through its arrays once, a block of rows that fits into the cache at a time: all steps on the first block, then all
on the second. NumPy's ufuncs compute each block, at the speed of the cache and not of the memory, and on several threads.
"""

import heapq
from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen

from tapegrad.compiler.groups import sizes
from tapegrad.compiler.groups.grouping import CHEAP, Open, gather, sink
from tapegrad.compiler.groups.parts import Part, is_cut, nanoseconds, size_of
from tapegrad.compiler.trace import Trace, readers_of
from tapegrad.core.doubt import watched_p


@frozen(eq=False)
class Group:
    """Steps that are computed block by block, in order.

    Attributes:
        members: the steps that are computed for each row by itself.
        ends: steps that reduce all rows, of which each block gives a piece; `watched` steps look for NaN.
        parts: for each of both what it is to the group.
        rows: how many rows there are.
        inputs: values from outside that the group reads.
        whole: those of them that are read as a whole, at least by one step.
        outputs: members that are needed outside.
        work: about how many nanoseconds it takes on one thread.
        heavy: slow ufuncs take most of them.
    """

    members: tuple[int, ...]
    ends: tuple[int, ...]
    parts: dict[int, Part]
    rows: int
    inputs: tuple[int, ...]
    whole: frozenset[int]
    outputs: tuple[int, ...]
    work: float
    heavy: bool


Unit: TypeAlias = "int | Group"


def units(trace: Trace, order: Sequence[int], fuse: bool) -> list[Unit]:
    """Return the steps in `order`, gathered into groups where that pays, in an order in which they can be computed."""
    if not fuse:
        return list(order)
    groups = [group for group in gather(trace, order) if worthwhile(trace, group)]
    sink(trace, order, groups)
    release_views(trace, order, groups)
    return arrange(trace, order, [group for group in groups if group.members])


def release_views(trace: Trace, order: Sequence[int], groups: Sequence[Open]) -> None:
    """Leave views that no step of their group reads to whoever does: written down by a group they would be copies.

    What looks for NaN in them goes with them.
    """
    readers = readers_of(trace, order)
    for group in groups:
        for index in reversed(group.members):
            inside = [k for k in readers.get(index, ()) if k in group.parts]
            if group.parts[index].kind == "view" and all(trace.steps[k][0] is watched_p for k in inside):
                for k in inside:
                    group.ends.remove(k)
                    del group.parts[k]
                group.members.remove(index)
                del group.parts[index]


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
    used = set(trace.wanted)
    for index in order:
        used |= {s for s in trace.steps[index][1] if s is not None and unit_of.get(s) != unit_of[index]}
        if trace.steps[index][0] is watched_p and index in used:
            used |= {s for s in trace.steps[index][1] if s is not None}
    for index in reversed(order):  # what is watched is the same array, under another name
        if index in used and trace.steps[index][0] is watched_p:
            used |= {s for s in trace.steps[index][1] if s is not None}
    return used


def worthwhile(trace: Trace, group: Open) -> bool:
    """Tell whether a group gains from blocks: several steps on the same elements, or steps that take their time."""
    computed = [index for index in (*group.members, *group.ends) if group.parts[index].kind != "view"]
    if all(group.parts[index].kind in ("end", "product") for index in computed):
        return False
    slow = any(nanoseconds(trace.steps[index], group.parts[index]) > CHEAP for index in computed)
    return (len(computed) > 1 or slow) and work(trace, group) >= sizes.PAYS


def work(trace: Trace, group: Open, slowly: bool = False) -> float:
    """Return about how many nanoseconds the steps of a group take; of slow ones only, if wanted."""
    times = [(nanoseconds(trace.steps[i], part), size_of(trace.steps[i])) for i, part in group.parts.items()]
    return sum(time * size for time, size in times if time > 1.0 or not slowly)


def closed(trace: Trace, group: Open, used: set[int]) -> Group:
    """Return a group that has grown, with as many rows as all of it can have."""
    rows = max(group.rows)
    inside = {*group.members, *group.ends}
    inputs: list[int] = []
    whole: set[int] = set()
    for index in (*group.members, *group.ends):
        for k, s in enumerate(trace.steps[index][1]):
            if s is not None and s not in inside:
                inputs += [] if s in inputs else [s]
                if not is_cut(trace.steps[index], group.parts[index], k, rows):
                    whole.add(s)
    outputs = tuple([index for index in group.members if index in used])
    members, ends = tuple(group.members), tuple(group.ends)
    total = work(trace, group)
    heavy = work(trace, group, slowly=True) > 0.5 * total
    return Group(members, ends, group.parts, rows, tuple(inputs), frozenset(whole), outputs, total, heavy)
