"""The source of a loop: a function of its own, in which the loop is Python's ``for`` or ``while``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.calls import is_array
from tapegrad.compiler.emit import Writer
from tapegrad.compiler.groups.units import Unit, units
from tapegrad.compiler.loops.layout import PREPARED, Layout, LoopPlanner, Stack
from tapegrad.compiler.loops.node import Repeat, needed
from tapegrad.compiler.plan import Plan, Room
from tapegrad.compiler.source import Source, making
from tapegrad.compiler.trace import Trace, alive


def loop_source(loop: Repeat, passes: Sequence[str], setting: Callable[[Any], Any]) -> Source:
    """Write the function of a loop: it takes the inputs, and returns the outputs.

    What it returns is in its own buffers until it is called again, besides what is fresh and numbers.

    Args:
        loop: the loop.
        passes: names of the passes to run.
        setting: what becomes of a setting of a primitive that is called as it is.
    """
    first, order = in_order(loop, "fuse" in passes)
    planner = LoopPlanner(loop, order, reuse="reuse" in passes)
    made = planner.run()
    return LoopWriter(loop, made, planner.layout, planner.names, setting).function(first)


def in_order(loop: Repeat, fuse: bool) -> tuple[list[Unit], list[Unit]]:
    """Return the units that make the condition, if there is one, and all units, these first."""
    body, order = loop.body, alive(loop.body)
    if loop.turns is not None:
        return [], units(body, order, fuse)
    early = needed(body, range(body.inputs), body.outputs[:1])
    before = set(early)
    late = [index for index in order if index not in before]
    crossing = sorted({s for index in late for s in body.steps[index][1] if s in before and s is not None})
    leaving = [index for index in body.outputs if index in before]
    outputs = (*body.outputs[:1], *crossing, *leaving)
    part = Trace(body.steps, body.inputs, outputs, (*body.constants[:1], *[None] * (len(outputs) - 1)), body.hopeful)
    first = units(part, early, fuse)
    return first, [*first, *units(body, late, fuse)]


class LoopWriter(Writer):
    """What is known while a loop is written down. ``x0``, ``x1``, ... are the inputs of the body, and further places."""

    def __init__(self, loop: Repeat, made: Plan, layout: Layout, count: int, setting: Callable[[Any], Any]) -> None:
        super().__init__(loop.body, made, (), setting)
        self.loop = loop
        self.layout = layout
        self.count = count
        self.before: list[str] = []  # lines before the loop
        self.columns: list[tuple[str, str]] = []  # what a turn takes, and where from
        self.place: dict[str, str] = {}  # for a carried value or a stack the name of the place where it is to be put
        self.numbered = False  # whether the number of the turn is needed
        self.copies: list[str] = []  # lines at the end of a turn
        self.moves: list[tuple[str, str]] = []  # what is assigned after them, all at a time

    def function(self, first: Sequence[Unit]) -> Source:
        """Return the source; `first` are the units that the condition needs."""
        loop = self.loop
        arrays = [j for j in range(loop.carried) if is_array(self.trace.steps[j][4])]
        numbers = [j for j in range(loop.carried) if j not in arrays]
        for stack in self.layout.stacks:
            self.take_stack(stack)
        for j in arrays:
            if j not in self.layout.stack_of:
                self.take_buffers(j)
        for j in numbers:
            kind = self.names.of(type(self.trace.steps[j][4]), "kind")
            self.before.append(f"x{j} = i{j} if type(i{j}) is {kind} else {self.names.of(np.asarray, 'asarray')}(i{j})[()]")
        for k in range(loop.carried, loop.same):
            self.columns.append((f"x{k}", f"r{k}[::-1]" if loop.reverse else f"r{k}"))
        self.prepare()
        known = max((k for k, i in enumerate(self.made.instructions) if i.unit in first), default=-1)
        if loop.turns is None and known < 0:
            self.lines.append(self.stop())
        self.instructions(lambda k: [self.stop()] if loop.turns is None and k == known else [])
        for stack in self.layout.stacks:
            self.put_on_stack(stack)
        for j in arrays:
            if j not in self.layout.stack_of:
                self.change_buffers(j)
        for j in numbers:
            word = self.word(loop.next_values[j], j + (loop.turns is None))
            self.moves.append((f"x{j}", f"{word}.copy()" if isinstance(self.trace.steps[j][4], np.ndarray) else word))
        return Source(self.text(), self.names.bound, self.made)

    def text(self) -> str:
        loop = self.loop
        moves = [(x, y) for x, y in self.moves if x != y]
        if moves:
            self.copies.append(f"{', '.join(x for x, _ in moves)} = {', '.join(y for _, y in moves)}")
        returned = [self.last(j) for j in range(loop.carried)] + [self.whole(k) for k in range(len(loop.stacks))]
        inside = [*self.lines, *self.copies] or ["pass"]
        lines = [*self.before, self.header(), *[f"    {line}" for line in inside]]
        lines.append(f"return ({', '.join(returned)},)")
        given = [*[f"i{j}" for j in range(loop.carried)], *[f"r{k}" for k in range(loop.carried, loop.same)]]
        given += [f"x{k}" for k in range(loop.same, loop.body.inputs)]
        return making(self.names, self.once, f"def loop({', '.join(given)}):", lines)

    def header(self) -> str:
        """Return the line that begins the loop."""
        turns, columns = self.loop.turns, [*self.columns]
        if turns is None:
            return "while True:"
        if self.numbered or not columns:
            columns.append(("t", f"range({turns - 1}, -1, -1)" if self.loop.reverse else f"range({turns})"))
        names, sources = ", ".join(x for x, _ in columns), ", ".join(y for _, y in columns)
        return f"for {names} in {sources}:" if len(columns) == 1 else f"for {names} in zip({sources}):"

    def stop(self) -> str:
        """Return the line that ends a loop that runs until something holds no more."""
        return f"if not {self.word(self.trace.outputs[0], 0)}: break"

    def word(self, index: int | None, output: int) -> str:
        """Return the name of a step, or the constant that the output of that number is."""
        return self.names.of(self.trace.constants[output]) if index is None else self.value[index]

    def new_place(self) -> str:
        self.count += 1
        return f"x{self.count - 1}"

    # Stacks

    def take_stack(self, stack: Stack) -> None:
        """Write down what a stack needs before the loop, and what a turn takes of it."""
        reverse, n = self.loop.reverse, stack.number
        if stack.fresh:
            kind = self.names.of(stack.dtype, "dtype")
            self.before.append(f"s{n} = {self.names.of(np.empty, 'empty')}({stack.shape}, {kind})")
        else:
            self.once.append(f"s{n} = {self.room(Room(stack.buffer, stack.shape, stack.dtype))}")
        value = self.trace.steps[stack.step][4]
        if not is_array(value):
            self.numbered = True
            return
        if stack.carried is None:
            written = f"s{n}[::-1]" if reverse else f"s{n}"
        else:
            j = stack.carried
            self.still(stack, f"h{n} = s{n}[{-1 if reverse else 0}]")
            self.before.append(f"{self.names.of(np.copyto, 'copyto')}(h{n}, i{j})")
            self.columns.append((f"x{j}", self.views(stack, "read", f"s{n}[:0:-1]" if reverse else f"s{n}[:-1]")))
            written = f"s{n}[-2::-1]" if reverse else f"s{n}[1:]"
        found = self.layout.places.get(stack.step)
        self.place[f"s{n}"] = self.new_place() if found is None else f"x{found}"
        self.columns.append((self.place[f"s{n}"], self.views(stack, "write", written)))

    def still(self, stack: Stack, line: str) -> None:
        """Write a line that makes a view of a stack: to be made once, or at each call."""
        (self.before if stack.fresh else self.once).append(line)

    def views(self, stack: Stack, what: str, expression: str) -> str:
        """Return what gives the elements of a stack one after the other: a list that was made once, or the array."""
        if stack.fresh or (self.loop.turns or 0) > PREPARED:
            return expression
        self.once.append(f"{what}{stack.number} = list({expression})")
        return f"{what}{stack.number}"

    def put_on_stack(self, stack: Stack) -> None:
        value = self.trace.steps[stack.step][4]
        if not is_array(value):
            self.copies.append(f"s{stack.number}[t] = {self.value[stack.step]}")
        elif stack.step not in self.layout.places:
            self.copies.append(f"{self.place[f's{stack.number}']}[...] = {self.value[stack.step]}")

    def whole(self, k: int) -> str:
        """Return the name of what output `k` of those that are stacked comes to."""
        index, reverse = self.loop.stacks[k], self.loop.reverse
        for stack in self.layout.stacks:
            n = stack.number
            if stack.carried is None and stack.step == index:
                return f"s{n}"
            if stack.carried is not None and index in (stack.carried, stack.step):
                later = (index == stack.step) != reverse
                return f"s{n}[{'1:' if later else ':-1'}]"
        raise AssertionError("a stack that is not laid out")

    # Carried arrays

    def take_buffers(self, j: int) -> None:
        """Carry an array in a buffer, or in two that change places."""
        value, index = self.trace.steps[j][4], self.loop.next_values[j]
        first = self.buffer(value)
        self.before.append(f"{self.names.of(np.copyto, 'copyto')}({first}, i{j})")
        if j in self.layout.once:
            assert index is not None
            self.before.append(f"x{j} = x{self.layout.places[index]} = {first}")
            return
        found = self.layout.places.get(index) if index is not None and self.is_own(j) else None
        place = self.place[f"x{j}"] = self.new_place() if found is None else f"x{found}"
        self.before.append(f"x{j}, {place} = {first}, {self.buffer(value)}")

    def change_buffers(self, j: int) -> None:
        if j in self.layout.once:
            return
        index, place = self.loop.next_values[j], self.place[f"x{j}"]
        if index is None or index not in self.layout.places or not self.is_own(j):
            self.copies.append(f"{place}[...] = {self.word(index, j + (self.loop.turns is None))}")
        self.moves += [(f"x{j}", place), (place, f"x{j}")]

    def is_own(self, j: int) -> bool:
        """Tell whether the place of the next value of a carried one is there for it, and not a stack's or that of another."""
        index = self.loop.next_values[j]
        first = next(i for i, s in enumerate(self.loop.next_values) if s == index)
        return first == j and not any(stack.step == index for stack in self.layout.stacks)

    def buffer(self, value: Any) -> str:
        self.made.sizes.append(value.nbytes)
        return self.room(Room(len(self.made.sizes) - 1, value.shape, value.dtype))

    def last(self, j: int) -> str:
        """Return the expression of the last value of a carried one."""
        stack = self.layout.stack_of.get(j)
        return f"x{j}" if stack is None else f"s{stack.number}[{0 if self.loop.reverse else -1}]"
