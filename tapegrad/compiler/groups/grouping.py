"""Which steps are gathered into groups."""

import functools
import operator
from collections.abc import Iterable, Sequence

import numpy as np
from attrs import define, field

from tapegrad.compiler.groups import sizes
from tapegrad.compiler.groups.parts import Part, fits, is_cut, nanoseconds, offers, part_of, size_of
from tapegrad.compiler.groups.products import begins
from tapegrad.compiler.trace import Trace, readers_of
from tapegrad.core.node import Step

CHEAP = 0.3
"""Nanoseconds an element up to which a step is rather computed late than written down early."""


@define(eq=False)
class Open:
    """A group that is still growing. ``mask`` is its bit; ``needs`` the bits of the groups that it depends on."""

    mask: int
    rows: frozenset[int]
    longest: int = 0
    needs: int = 0
    members: list[int] = field(factory=list)
    ends: list[int] = field(factory=list)
    parts: dict[int, Part] = field(factory=dict)
    shapes: set[tuple[int, ...]] = field(factory=set)

    def take(self, index: int, part: Part, rows: frozenset[int], size: int, shape: tuple[int, ...]) -> None:
        (self.ends if part.kind == "end" else self.members).append(index)
        self.parts[index] = part
        self.rows = rows
        self.longest = max(self.longest, size)
        if part.kind != "end":
            self.shapes.add(shape)


def gather(trace: Trace, order: Sequence[int]) -> list[Open]:
    """Put each step that can be part of a group into the latest one that it can join, or a new one."""
    steps = trace.steps
    groups: list[Open] = []
    if not any(isinstance(x, np.ndarray) and x.size >= sizes.LARGE for i in order for x in (steps[i][4], *steps[i][2])):
        return groups
    home: dict[int, Open] = {}
    reach: dict[int, int] = {}  # for each value the groups that it depends on, its own not included
    for index in order:
        sources = [s for s in steps[index][1] if s is not None]
        part = part_of(steps[index])
        joined = None
        if part is not None:
            joined, rows = place(steps[index], part, groups, home, reach)
            size = size_of(steps[index])
            if (
                joined is None
                and part.kind not in ("end", "view")
                and (part.kind != "product" or begins(len(steps[index][4]), *np.shape(steps[index][2][1])))
                and size >= sizes.LARGE
                and (rows := fitting(offers(part.limits), size))
            ):
                joined = Open(1 << len(groups), rows)
                groups.append(joined)
            if joined is not None:
                joined.take(index, part, rows, size, np.shape(steps[index][4]))
        needs = 0
        for s in sources:
            owner = home.get(s)
            if joined is not None and owner is joined and s not in joined.ends:
                continue
            needs |= reach.get(s, 0) | (owner.mask | owner.needs if owner is not None else 0)
        if joined is not None:
            joined.needs |= closure(needs, groups)
            home[index] = joined
            spread(groups, joined)
        reach[index] = needs
    return groups


def place(
    step: Step, part: Part, groups: list[Open], home: dict[int, Open], reach: dict[int, int]
) -> tuple[Open | None, frozenset[int]]:
    """Return the latest group that a step can join, and the numbers of rows that it then can have.

    It is one that computes what the step needs, or that has arrays of its shape.
    """
    sources = [s for s in step[1] if s is not None]
    for group in reversed(groups):
        near = any(home.get(s) is group and s not in group.ends for s in sources)
        alike = part.kind == "each" and step[4].shape in group.shapes
        if (near or alike) and (rows := together(step, part, group, home)) and can_join(group, sources, home, reach, groups):
            return group, rows
    return None, frozenset()


def together(step: Step, part: Part, group: Open, home: dict[int, Open]) -> frozenset[int]:
    """Return the numbers of rows that a group can have with another step in it."""
    rows = [n for n in group.rows if all(fits(limit, n) for limit in part.limits)]
    for k, s in enumerate(step[1]):
        if s is not None and home.get(s) is group and s not in group.ends:
            rows = [n for n in rows if is_cut(step, part, k, n)]
    return fitting(rows, max(group.longest, size_of(step)))


def fitting(rows: Iterable[int], size: int) -> frozenset[int]:
    """Return the numbers of rows of which one is not too long for a block."""
    return frozenset([n for n in rows if size // n <= sizes.ROW])


def closure(needs: int, groups: list[Open]) -> int:
    """Return groups that are needed with what they have come to need since that was noted."""
    return functools.reduce(operator.or_, [group.needs for group in groups if needs & group.mask], needs)


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
        if closure(needs, groups) & group.mask:
            return False
    return True


# Late computation


def sink(trace: Trace, order: Sequence[int], groups: list[Open]) -> None:
    """Move cheap steps that only a later group needs there, if what they need is at hand anyway: nothing is written for it."""
    home = {index: group for group in groups for index in group.parts}
    readers = readers_of(trace, order)
    for group in groups:
        for index in reversed(group.members):
            user = only_user(index, home, readers)
            if user is None or user is group or index in trace.wanted:
                continue
            rows = sunk_rows(trace, index, group, user, home, readers)
            if rows:
                part = group.parts.pop(index)
                group.members.remove(index)
                user.members.insert(0, index)
                user.parts[index], user.rows = part, rows
                user.longest = max(user.longest, size_of(trace.steps[index]))
                home[index] = user


def only_user(index: int, home: dict[int, Open], readers: dict[int, list[int]]) -> Open | None:
    """Return the group in which all steps are that need a value; None if there are others."""
    users = [home.get(k) for k in readers.get(index, ())]
    return users[0] if users and all(user is users[0] for user in users) else None


def sunk_rows(
    trace: Trace, index: int, group: Open, user: Open, home: dict[int, Open], readers: dict[int, list[int]]
) -> frozenset[int]:
    """Return the numbers of rows that a group can have that takes over a step from another one; none if it should not."""
    steps, part = trace.steps, group.parts[index]
    sources = {s for s in steps[index][1] if s is not None}
    read = {s for k in user.parts for s in steps[k][1]}
    at_hand = all(
        home.get(s) is not group or s in trace.wanted or any(home.get(k) is not group for k in readers[s] if k != index)
        for s in sources
    )
    cheap = part.kind == "each" and nanoseconds(steps[index], part) <= CHEAP
    if not cheap or not at_hand or len(sources - read) > 1 or any(s in user.ends for s in sources):
        return frozenset()
    uses = [(k, i) for k in readers[index] for i, s in enumerate(steps[k][1]) if s == index]
    rows = together(steps[index], part, user, home)
    return frozenset([n for n in rows if all(is_cut(steps[k], user.parts[k], i, n) for k, i in uses)])
