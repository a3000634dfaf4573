"""Where the carried values and the stacks of a loop live."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import define, field

from tapegrad.compiler.calls import into, is_array
from tapegrad.compiler.groups.units import Group, Unit
from tapegrad.compiler.loops.node import Repeat
from tapegrad.compiler.plan import Planner, Room

LARGE = 2**24
"""Bytes of a stack up to which it is a buffer of the program; larger ones are allocated at each call."""

PREPARED = 2**12
"""Turns up to which the views of stacks are made only once."""


@define(eq=False)
class Stack:
    """An array of the values of one step in all turns.

    Attributes:
        number: what tells its name from those of others.
        step: the step.
        carried: the carried value whose first value is a row of it besides, at the end where the loop begins; None if none is.
        fresh: it is allocated at each call.
        shape: that of the whole.
        dtype: that of its elements.
        buffer: the buffer that it is in, -1 if it is fresh.
    """

    number: int
    step: int
    carried: int | None
    fresh: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    buffer: int = -1


@define(eq=False)
class Layout:
    """The places of what leaves a turn.

    Attributes:
        stacks: those that are written.
        stack_of: for each carried value that is read from a stack, which one.
        twice: the carried values that have two buffers: what is read in a turn, and what is written.
        once: those that have one, because the new value is written where the old one was used up.
        places: for each step that is written where it is wanted, the number of the name of that place.
    """

    stacks: list[Stack] = field(factory=list)
    stack_of: dict[int, Stack] = field(factory=dict)
    twice: list[int] = field(factory=list)
    once: list[int] = field(factory=list)
    places: dict[int, int] = field(factory=dict)


class LoopPlanner(Planner):
    """Plans the body of a loop: what it hands on is written where the next turn, or the stack, has it."""

    joins = False

    def __init__(self, loop: Repeat, order: Sequence[Unit], reuse: bool) -> None:
        super().__init__(loop.body, order, (), reuse)
        self.loop = loop
        self.layout = Layout()
        self.names = loop.body.inputs  # of which the first are those of the inputs
        self.undecided: dict[int, int] = {}  # steps that are the next value of a carried one, which has no stack
        self.lay_out()

    def lay_out(self) -> None:
        loop, layout = self.loop, self.layout
        following = {j: index for j, index in enumerate(loop.next_values) if is_array(self.steps[j][4])}
        wanted = {index: k for k, index in enumerate(loop.stacks) if index is not None}
        taken: set[int] = set()
        for j, index in following.items():
            if loop.turns is not None and (j in wanted or index in wanted) and index is not None and index not in taken:
                fresh = any(wanted.get(s) in loop.fresh for s in (j, index))
                layout.stack_of[j] = self.stack(index, j, fresh)
                taken.add(index)
        for index, k in wanted.items():
            if index not in taken and index not in layout.stack_of:
                self.stack(index, None, k in loop.fresh)
                taken.add(index)
        for j, index in following.items():
            if j not in layout.stack_of:
                if index is None or index in taken or index < loop.body.inputs:
                    layout.twice.append(j)
                else:
                    self.undecided[index] = j
                    taken.add(index)
        ends = {index for unit in self.order if isinstance(unit, Group) for index in unit.ends}  # of blocks, put together later
        for stack in layout.stacks:
            if is_array(self.steps[stack.step][4]) and into(self.steps[stack.step]) is not None and stack.step not in ends:
                layout.places[stack.step] = self.name()

    def stack(self, index: int, carried: int | None, fresh: bool) -> Stack:
        value = self.steps[index][4]
        assert self.loop.turns is not None
        shape = (self.loop.turns + (carried is not None), *np.shape(value))
        dtype = np.result_type(value)
        size = int(np.prod(shape)) * dtype.itemsize
        made = Stack(len(self.layout.stacks), index, carried, fresh or size > LARGE, shape, dtype)
        if not made.fresh:
            made.buffer = len(self.made.sizes)
            self.made.sizes.append(size)
        self.layout.stacks.append(made)
        return made

    def name(self) -> int:
        self.names += 1
        return self.names - 1

    def place(self, k: int, unit: Unit, index: int, dying: list[int]) -> None:
        """Give an output of a unit the place where it is wanted, or a buffer."""
        layout, value = self.layout, self.steps[index][4]
        if index in self.undecided:
            j = self.undecided.pop(index)
            if into(self.steps[index]) is not None:
                layout.places[index] = self.name()
                used_up = self.last_use[j] < k or self.replaces(unit, j, index)
                (layout.once if used_up and j not in self.leaving else layout.twice).append(j)
            else:
                layout.twice.append(j)
        if index in layout.places:
            self.made.rooms[index] = Room(-1 - layout.places[index], value.shape, value.dtype)
        else:
            super().place(k, unit, index, dying)
