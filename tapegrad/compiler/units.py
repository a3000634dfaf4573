"""What is computed together: single steps, and groups of steps that walk over large arrays in blocks.

A group goes through its arrays once, a block of rows that fits into the cache at a time: all steps on the first block, then all
on the second. NumPy's ufuncs compute each block, at the speed of the cache and not of the memory, and on several threads.
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import UFUNC_OF
from tapegrad.compiler.parts import Part, fits, is_cut, offers, part_of
from tapegrad.compiler.trace import Trace
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import Step

LARGE = 2**15
"""Elements from which on arrays may be walked over in blocks."""

BLOCK = 2**16
"""Elements of a block."""

PAYS = 100_000.0
"""Nanoseconds of work from which on blocks and threads may pay. Waking a thread takes about as long."""

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
    """

    members: tuple[int, ...]
    ends: tuple[int, ...]
    parts: dict[int, Part]
    rows: int
    inputs: tuple[int, ...]
    whole: frozenset[int]
    outputs: tuple[int, ...]
    work: float


Unit: TypeAlias = "int | Group"


@define(eq=False)
class Open:
    """A group that is still growing. ``mask`` is its bit; ``needs`` the bits of the groups that it depends on."""

    shape: tuple[int, ...]
    mask: int
    rows: frozenset[int]
    longest: int = 0
    needs: int = 0
    members: list[int] = field(factory=list)
    ends: list[int] = field(factory=list)
    parts: dict[int, Part] = field(factory=dict)

    def take(self, index: int, part: Part, rows: frozenset[int], size: int) -> None:
        (self.ends if part.kind == "end" else self.members).append(index)
        self.parts[index] = part
        self.rows = rows
        self.longest = max(self.longest, size)


def units(trace: Trace, order: Sequence[int], fuse: bool) -> list[Unit]:
    """Return the steps in `order`, gathered into groups where that pays, in an order in which they can be computed."""
    if not fuse:
        return list(order)
    return arrange(trace, order, [g for g in gather(trace, order) if worthwhile(trace, g)])


def gather(trace: Trace, order: Sequence[int]) -> list[Open]:
    """Put each step that can be part of a group into the latest one that it can join, or a new one."""
    steps = trace.steps
    groups: list[Open] = []
    home: dict[int, Open] = {}
    reach: dict[int, int] = {}  # for each value the groups that it depends on, its own not included
    for index in order:
        sources = [s for s in steps[index][1] if s is not None]
        part = part_of(steps[index])
        joined = None
        if part is not None:
            joined = place(steps[index], part, groups, home, reach)
            size = size_of(steps[index])
            if (
                joined is None
                and part.kind not in ("end", "view")
                and size >= LARGE
                and (rows := fitting(offers(part.limits), size))
            ):
                joined = Open(steps[index][4].shape, 1 << len(groups), rows)
                groups.append(joined)
            if joined is not None:
                joined.take(index, part, together(steps[index], part, joined, home), size)
        needs = 0
        for s in sources:
            owner = home.get(s)
            if joined is not None and owner is joined and s not in joined.ends:
                continue
            needs |= reach.get(s, 0) | (owner.mask | owner.needs if owner is not None else 0)
        if joined is not None:
            joined.needs |= needs
            home[index] = joined
            spread(groups, joined)
        reach[index] = needs
    return groups


def place(step: Step, part: Part, groups: list[Open], home: dict[int, Open], reach: dict[int, int]) -> Open | None:
    """Return the latest group that a step can join: one that computes what it needs, or that has arrays of its shape."""
    sources = [s for s in step[1] if s is not None]
    for group in reversed(groups):
        near = any(home.get(s) is group and s not in group.ends for s in sources)
        alike = part.kind == "each" and group.shape == step[4].shape
        if (near or alike) and together(step, part, group, home) and can_join(group, sources, home, reach, groups):
            return group
    return None


def together(step: Step, part: Part, group: Open, home: dict[int, Open]) -> frozenset[int]:
    """Return the numbers of rows that a group can have with another step in it."""
    rows = [n for n in group.rows if all(fits(limit, n) for limit in part.limits)]
    for k, s in enumerate(step[1]):
        if s is not None and home.get(s) is group and s not in group.ends:
            rows = [n for n in rows if is_cut(step, part, k, n)]
    return fitting(rows, max(group.longest, size_of(step)))


def fitting(rows: Iterable[int], size: int) -> frozenset[int]:
    """Return the numbers of rows of which one is not too long for a block."""
    return frozenset([n for n in rows if size // n <= 2 * BLOCK])


def size_of(step: Step) -> int:
    """Return the elements of the largest array that a step reads or writes."""
    return max(int(np.size(x)) for x in (step[4], *step[2]))


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


def worthwhile(trace: Trace, group: Open) -> bool:
    """Tell whether a group gains from blocks: several steps on the same elements, or steps that take their time."""
    computed = [index for index in (*group.members, *group.ends) if group.parts[index].kind != "view"]
    if not computed or all(group.parts[index].kind == "end" for index in computed):
        return False
    slow = any(nanoseconds(trace.steps[index], group.parts[index]) > 0.3 for index in computed)
    return (len(computed) > 1 or slow) and work(trace, group) >= PAYS


def work(trace: Trace, group: Open) -> float:
    """Return about how many nanoseconds the steps of a group take."""
    return sum(nanoseconds(trace.steps[i], part) * size_of(trace.steps[i]) for i, part in group.parts.items())


def nanoseconds(step: Step, part: Part) -> float:
    """Return what a part takes for an element, roughly."""
    if part.kind == "view":
        return 0.0
    if part.kind == "end":
        return 0.25
    if part.kind == "fold":
        assert part.fold is not None
        return 0.2 + 10.0 / max(1, size_of(step) // max(1, int(np.size(step[4]))))
    ufunc = UFUNC_OF[step[0]]
    name = "where" if ufunc is None else ufunc.__name__
    single = 0.15 if name in QUICK else 2.5 if name == "where" else NANOSECONDS.get(name, 10.0)
    return single * max(4, np.result_type(step[4]).itemsize) / 4


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
    return Group(members, ends, group.parts, rows, tuple(inputs), frozenset(whole), outputs, work(trace, group))
