"""Which memory each value lives in.

Walking through the units once, every output gets an array: a buffer of the program if it is used up inside, where it may take
the place of another value that is not needed any more; the memory of a donated argument, or fresh memory, if it leaves the
program. What may share memory with something else, a view, keeps that alive.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import call_of, into, is_array, is_elementwise
from tapegrad.compiler.groups.units import Group, Unit
from tapegrad.compiler.joining import Place, find_places
from tapegrad.compiler.trace import Trace
from tapegrad.core.doubt import watched_p
from tapegrad.core.primitive import Into
from tapegrad.core.program import Program

ALIGNMENT = 64
FOREVER = 2**62


@frozen(eq=False)
class Room:
    """A place in a buffer: its number, what is seen there, and how many bytes after its beginning. A number below 0 is that
    of a donated argument, ``-1 - k``."""

    buffer: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int = 0


@frozen(eq=False)
class Instruction:
    """A unit that is computed at each call.

    Attributes:
        unit: the step, or the group.
        call: how a step is computed, or None for a call of the primitive's own function.
        dead: values that are not needed any more afterwards, and hold memory of their own.
    """

    unit: Unit
    call: Into | None
    dead: tuple[int, ...]


@define(eq=False)
class Plan:
    """The instructions of a program, and the memory that it runs in.

    Attributes:
        instructions: what is computed at each call, in order.
        sizes: bytes of each buffer.
        rooms: where each value is found that does not live in fresh memory.
        still: steps that are views of buffers, and made once, in order; the values say nothing.
        joined: concatenations whose inputs are computed in their places, and for those that are not where they are copied to.
        owned: the outputs that are certainly nobody else's memory.
        parts: for each other output the values that it may share memory with.
        donated: the inputs that were given away.
        hoped: how many of the instructions run before all is looked at that may be NaN: until then the program may give up.
    """

    instructions: list[Instruction] = field(factory=list)
    sizes: list[int] = field(factory=list)
    rooms: dict[int, Room] = field(factory=dict)
    still: dict[int, None] = field(factory=dict)
    joined: dict[int, dict[int, Room]] = field(factory=dict)
    owned: set[int] = field(factory=set)
    parts: dict[int, tuple[int, ...]] = field(factory=dict)
    donated: tuple[int, ...] = ()
    hoped: int = 0


def plan(trace: Trace, order: Sequence[Unit], donated: Sequence[int] = (), reuse: bool = True) -> Plan:
    """Return where each unit is computed.

    Args:
        trace: the steps.
        order: the units that are computed.
        donated: inputs whose memory outputs may be written to.
        reuse: let values take the place of others that are used up.
    """
    return Planner(trace, order, donated, reuse).run()


class Planner:
    """What is known while a plan is made."""

    joins = True
    """Whether what is concatenated may be computed in its place."""

    def __init__(self, trace: Trace, order: Sequence[Unit], donated: Sequence[int], reuse: bool) -> None:
        self.trace = trace
        self.steps = trace.steps
        self.order = order
        self.reuse = reuse
        self.made = Plan(donated=tuple(donated))
        self.storages = find_storages(trace, order)
        leaving = frozenset([s for index in trace.wanted for s in self.storages[index]])
        self.places = find_places(trace, order, leaving) if reuse and self.joins else {}
        self.joining = {place.join for place in self.places.values()}
        self.grouped = {index for unit in order if isinstance(unit, Group) for index in unit.outputs}
        if self.places:
            self.storages = [frozenset([self.place_of(s).root for s in found]) for found in self.storages]
        self.leaving = {s for index in trace.wanted for s in self.storages[index]}
        self.last_use = self.last_uses()
        self.free: list[tuple[int, int]] = []
        self.checked = max((k for k, unit in enumerate(order) if self.watches(unit)), default=-1)
        self.given = {s for s in donated if is_array(self.steps[s][4])}

    def last_uses(self) -> dict[int, int]:
        """Return for each storage the position of the last unit that reads it."""
        last = dict.fromkeys(range(len(self.steps)), -1)
        for k, unit in enumerate(self.order):
            for source in sources_of(self.trace, unit):
                for storage in self.storages[source]:
                    last[storage] = k
        for storage in self.leaving:
            last[storage] = FOREVER
        return last

    def watches(self, unit: Unit) -> bool:
        """Tell whether the program may give up at a unit, and the careful one begin anew with the arguments."""
        found = unit.ends if isinstance(unit, Group) else (unit,)
        return any(self.steps[i][0] is watched_p or any(map(may_doubt, self.steps[i][3].values())) for i in found)

    def run(self) -> Plan:
        made, steps = self.made, self.steps
        ends: dict[int, list[int]] = {}
        for storage, k in self.last_use.items():
            ends.setdefault(k, []).append(storage)
        for k, unit in enumerate(self.order):
            if not isinstance(unit, Group) and self.is_still(unit):
                made.still[unit] = None
                continue
            dying = [s for s in ends.get(k, ()) if s in made.rooms and made.rooms[s].buffer >= 0]
            for index in outputs_of(unit):
                self.place(k, unit, index, dying)
            for s in dying:
                self.release(made.rooms[s].buffer)
            held = tuple([s for s in ends.get(k, ()) if s not in made.rooms and s >= self.trace.inputs])
            made.instructions.append(Instruction(unit, None if isinstance(unit, Group) else call_of(steps[unit]), held))
            if k <= self.checked:
                made.hoped = len(made.instructions)
            for index in outputs_of(unit):
                root = self.place_of(index).root
                if self.last_use[root] < k and index in made.rooms and made.rooms[index].buffer >= 0:
                    self.release(made.rooms[index].buffer)
        self.find_owned()
        return made

    def place(self, k: int, unit: Unit, index: int, dying: list[int]) -> None:
        """Give the output `index` of a unit a room, where it is written into one."""
        steps, made = self.steps, self.made
        value = steps[index][4]
        if not isinstance(unit, Group) and into(steps[index]) is None:
            return
        if index in self.leaving:
            for s in self.given if k >= self.checked and not (isinstance(unit, Group) and self.watches(unit)) else ():
                if self.fits(s, index) and (self.last_use[s] < k or self.replaces(unit, s, index)):
                    self.given.discard(s)
                    made.rooms[index] = Room(-1 - s, value.shape, value.dtype)
                    return
            return
        root, offset = self.place_of(index).root, self.place_of(index).offset
        if root in made.rooms or index in self.places:
            if root not in made.rooms:
                whole = steps[root][4]
                made.rooms[root] = Room(self.take(whole.nbytes), whole.shape, whole.dtype)
            made.rooms[index] = Room(made.rooms[root].buffer, value.shape, value.dtype, offset)
            if index in self.joining:
                made.joined[index] = self.copies(index, offset)
            return
        taken = next((s for s in dying if self.reuse and self.fits(s, index) and self.replaces(unit, s, index)), None)
        if taken is not None:
            dying.remove(taken)
            made.rooms[index] = Room(made.rooms[taken].buffer, value.shape, value.dtype)
            return
        made.rooms[index] = Room(self.take(value.nbytes), value.shape, value.dtype)

    def copies(self, join: int, offset: int) -> dict[int, Room]:
        """Return where those inputs of a concatenation are copied to that are not computed there."""
        buffer, found = self.made.rooms[join].buffer, {}
        dtype, root = self.steps[join][4].dtype, self.place_of(join).root
        for k, (source, x) in enumerate(zip(self.steps[join][1], self.steps[join][2], strict=True)):
            if source not in self.places or self.places[source] != Place(join, root, offset):
                found[k] = Room(buffer, np.shape(x), dtype, offset)
            offset += dtype.itemsize * np.size(x)
        return found

    def fits(self, used_up: int, index: int) -> bool:
        old, new = self.steps[used_up][4], self.steps[index][4]
        return bool(old.shape == new.shape and old.dtype == new.dtype)

    def replaces(self, unit: Unit, used_up: int, index: int) -> bool:
        """Tell whether an elementwise output can be written over an input that the unit is the last to read."""
        if isinstance(unit, Group):
            if any(used_up in self.storages[s] for s in unit.whole):
                return False
            position = unit.members.index(index)
            later = (*unit.members[position + 1 :], *unit.ends)
            read = any(used_up in self.storages[s] for i in later for s in self.steps[i][1] if s is not None)
            direct = all(
                s == used_up for i in unit.members for s in self.steps[i][1] if s is not None and used_up in self.storages[s]
            )
            return not read and direct and self.last_use_is(unit, used_up)
        return is_elementwise(self.steps[index]) and used_up in self.steps[index][1] and self.last_use_is(unit, used_up)

    def last_use_is(self, unit: Unit, storage: int) -> bool:
        k = self.last_use[storage]
        return k < len(self.order) and self.order[k] is unit

    def take(self, wanted: int) -> int:
        """Return the number of a buffer of at least `wanted` bytes: a free one that is not far too large, or a new one."""
        sizes = self.made.sizes
        k = bisect_left(self.free, (wanted, 0))
        if self.reuse and k < len(self.free) and self.free[k][0] <= max(4 * wanted, 4096):
            return self.free.pop(k)[1]
        sizes.append(wanted)
        return len(sizes) - 1

    def release(self, buffer: int) -> None:
        """Let a buffer be used again; the free ones are in the order of their sizes."""
        insort(self.free, (self.made.sizes[buffer], buffer))

    def place_of(self, index: int) -> Place:
        """Return where a value lies: in what it is joined into, or by itself."""
        return self.places.get(index) or Place(index, index, 0)

    def is_still(self, index: int) -> bool:
        """Tell whether a step is a view of something that stays where it is, so that it needs to be made only once."""
        primitive, inputs, args, settings, value = self.steps[index]
        if primitive is watched_p or not primitive.view or not is_array(value):
            return False
        source = inputs[0]
        if source is None or any(s is not None for s in inputs[1:]) or not self.stays(source):
            return False
        example = self.stand_in(source)
        return bool(np.may_share_memory(primitive.fn(example, *args[1:], **settings), example))

    def stays(self, index: int) -> bool:
        room = self.made.rooms.get(index)
        return index in self.made.still or (room is not None and room.buffer >= 0)

    def stand_in(self, index: int) -> Any:
        """Return an array laid out as a value in a buffer is."""
        room = self.made.rooms.get(index)
        if room is not None:
            return np.empty(room.shape, room.dtype)
        primitive, inputs, args, settings, _ = self.steps[index]
        assert inputs[0] is not None
        return primitive.fn(self.stand_in(inputs[0]), *args[1:], **settings)

    def find_owned(self) -> None:
        counted: dict[int, int] = {}
        for index in self.trace.outputs:
            if index is not None:
                counted[index] = counted.get(index, 0) + 1
        holders: dict[int, int] = {}
        for index, n in counted.items():
            for s in self.storages[index]:
                holders[s] = holders.get(s, 0) + n
        for index in counted:
            parts, value = self.storages[index], self.steps[index][4]
            fresh = not isinstance(value, np.ndarray) or self.is_writeable(index)
            if parts and fresh and all(s >= self.trace.inputs and holders[s] == 1 and self.is_written(s) for s in parts):
                self.made.owned.add(index)
            else:
                self.made.parts[index] = tuple(sorted(parts))

    def is_writeable(self, index: int) -> bool:
        """Tell whether an array can be written to, as what is broadcast cannot, nor a view of that.

        The example of a view may be, where it was recorded for something else that it stands for now.
        """
        while True:
            primitive, inputs, _, _, value = self.steps[index]
            if isinstance(value, np.ndarray) and not value.flags.writeable:
                return False
            source = inputs[0] if primitive.view or primitive is watched_p else None
            if source is None:
                return True
            index = source

    def is_written(self, index: int) -> bool:
        """Tell whether a value is computed into an array of its own."""
        return into(self.steps[index]) is not None or index in self.grouped


def outputs_of(unit: Unit) -> tuple[int, ...]:
    return unit.outputs if isinstance(unit, Group) else (unit,)


def sources_of(trace: Trace, unit: Unit) -> Sequence[int]:
    if isinstance(unit, Group):
        return unit.inputs
    return [s for s in trace.steps[unit][1] if s is not None]


def find_storages(trace: Trace, order: Sequence[Unit]) -> list[frozenset[int]]:
    """Return, for each step, the steps whose memory its value may be a part of; itself if it has its own."""
    steps = trace.steps
    storages: list[frozenset[int]] = [frozenset()] * len(steps)
    for index in range(trace.inputs):
        storages[index] = frozenset([index])
    for unit in order:
        written = unit.outputs if isinstance(unit, Group) else ()
        for index in (*unit.members, *unit.ends) if isinstance(unit, Group) else (unit,):
            primitive, inputs, _, _, value = steps[index]
            sources = [s for s in inputs if s is not None and has_memory(steps[s][4])]
            added_up = isinstance(unit, Group) and index in unit.ends and primitive is not watched_p
            if index in written or into(steps[index]) is not None or (added_up and has_memory(value)):
                storages[index] = frozenset([index])
            elif has_memory(value):
                shared = frozenset[int]().union(*[storages[s] for s in sources])
                storages[index] = shared if (primitive.view or primitive is watched_p) else shared | {index}
    return storages


def has_memory(value: Any) -> bool:
    """Tell whether a value may share memory with others: an array, of whatever rank, or several."""
    return type(value) is np.ndarray or type(value) is tuple


def may_doubt(x: Any) -> bool:
    """Tell whether there is a program in a setting that may give up: the body of a loop in which something is watched."""
    if isinstance(x, Program):
        return any(p is watched_p or any(map(may_doubt, settings.values())) for p, _, _, settings, _ in x.instructions)
    if isinstance(x, Trace):
        return any(p is watched_p or any(map(may_doubt, settings.values())) for p, _, _, settings, _ in x.steps)
    if type(x) is tuple:
        return any(map(may_doubt, x))
    return attrs.has(type(x)) and any(may_doubt(getattr(x, a.name)) for a in attrs.fields(type(x)))


def arrays(made: Plan) -> list[Any]:
    """Allocate the buffers of a plan, each aligned to a line of the cache."""
    found = []
    for size in made.sizes:
        raw = np.empty(size + ALIGNMENT, np.uint8)
        start = -raw.__array_interface__["data"][0] % ALIGNMENT
        found.append(raw[start : start + size])
    return found
