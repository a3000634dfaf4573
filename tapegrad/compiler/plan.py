"""Which memory each value lives in.

Walking through the steps once, every output gets an array: a buffer of the program if it is used up inside, where it may take the
place of another value that is not needed any more; fresh memory if it leaves the program. What may share memory with
something else, a view, keeps that alive.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import call_of, into, is_array, is_elementwise
from tapegrad.compiler.trace import Trace
from tapegrad.core.arrays import watched_p
from tapegrad.core.primitive import Into

ALIGNMENT = 64
FOREVER = 2**62


@frozen(eq=False)
class Room:
    """A place in a buffer: its number, and what is seen there."""

    buffer: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@frozen(eq=False)
class Instruction:
    """A step that is computed at each call.

    Attributes:
        index: the step.
        call: how it is computed, or None for a call of the primitive's own function.
        room: where to, or None for fresh memory.
        dead: values that are not needed any more afterwards, and hold memory of their own.
    """

    index: int
    call: Into | None
    room: Room | None
    dead: tuple[int, ...]


@define(eq=False)
class Plan:
    """The instructions of a program, and the memory that it runs in.

    Attributes:
        instructions: what is computed at each call, in order.
        sizes: bytes of each buffer.
        rooms: where each value that lives in a buffer is found.
        still: steps that are views of buffers, and made once.
        owned: the outputs that are certainly nobody else's memory.
    """

    instructions: list[Instruction] = field(factory=list)
    sizes: list[int] = field(factory=list)
    rooms: dict[int, Room] = field(factory=dict)
    still: list[int] = field(factory=list)
    owned: set[int] = field(factory=set)


def plan(trace: Trace, order: Sequence[int], reuse: bool = True) -> Plan:
    """Return where each step in `order` is computed.

    Args:
        trace: the steps.
        order: those that are computed.
        reuse: let values take the place of others that are used up.
    """
    steps = trace.steps
    made = Plan()
    position = {index: k for k, index in enumerate(order)}
    storages = find_storages(trace, order)
    leaving = {s for index in trace.outputs if index is not None for s in storages[index]}
    last_use = dict.fromkeys(range(len(steps)), -1)
    for index in order:
        for source in steps[index][1]:
            if source is not None:
                for storage in storages[source]:
                    last_use[storage] = max(last_use[storage], position[index])
    for storage in leaving:
        last_use[storage] = FOREVER
    ends: dict[int, list[int]] = {}
    for storage, k in last_use.items():
        ends.setdefault(k, []).append(storage)

    free: list[int] = []
    for k, index in enumerate(order):
        step = steps[index]
        value = step[4]
        if is_still(trace, index, made):
            made.still.append(index)
            continue
        call = call_of(step)
        dying = [s for s in ends.get(k, ()) if s in made.rooms]
        room = None
        if into(step) is not None and index not in leaving:
            taken = next((s for s in dying if reuse and is_elementwise(step) and fits(steps, s, index)), None)
            if taken is not None:
                dying.remove(taken)
                room = Room(made.rooms[taken].buffer, value.shape, value.dtype)
            else:
                room = Room(take(made.sizes, free, value.nbytes, reuse), value.shape, value.dtype)
            made.rooms[index] = room
        free += [made.rooms[s].buffer for s in dying]
        held = tuple([s for s in ends.get(k, ()) if s not in made.rooms and s >= trace.inputs and s != index])
        made.instructions.append(Instruction(index, call, room, held))
        if last_use[index] < k and index in made.rooms and index not in leaving:
            free.append(made.rooms[index].buffer)
    counted: dict[int, int] = {}
    for index in trace.outputs:
        if index is not None:
            counted[index] = counted.get(index, 0) + 1
    single = {s for s in leaving if sum(n for i, n in counted.items() if s in storages[i]) == 1}
    for index in counted:
        fresh = all(s >= trace.inputs and s in single and into(steps[s]) is not None for s in storages[index])
        made.owned |= {index} if fresh and storages[index] else set()
    return made


def find_storages(trace: Trace, order: Sequence[int]) -> list[frozenset[int]]:
    """Return, for each step, the steps whose memory its value may be a part of; itself if it has its own."""
    steps = trace.steps
    storages: list[frozenset[int]] = [frozenset()] * len(steps)
    for index in range(trace.inputs):
        storages[index] = frozenset([index])
    for index in order:
        primitive, inputs, _, _, value = steps[index]
        sources = [s for s in inputs if s is not None and (is_array(steps[s][4]) or type(steps[s][4]) is tuple)]
        if into(steps[index]) is not None:
            storages[index] = frozenset([index])
        elif is_array(value) or type(value) is tuple:
            shared = frozenset[int]().union(*[storages[s] for s in sources])
            storages[index] = shared if (primitive.view or primitive is watched_p) else shared | {index}
    return storages


def is_still(trace: Trace, index: int, made: Plan) -> bool:
    """Tell whether a step is a view of something that stays where it is, so that it needs to be made only once."""
    primitive, inputs, args, settings, value = trace.steps[index]
    if primitive is watched_p or not primitive.view or not is_array(value):
        return False
    source = inputs[0]
    if source is None or any(s is not None for s in inputs[1:]):
        return False
    if source not in made.rooms and source not in made.still:
        return False
    example = stand_in(trace, source, made)
    return bool(np.may_share_memory(primitive.fn(example, *args[1:], **settings), example))


def stand_in(trace: Trace, index: int, made: Plan) -> Any:
    """Return an array laid out as a value in a buffer is."""
    room = made.rooms.get(index)
    if room is not None:
        return np.empty(room.shape, room.dtype)
    primitive, inputs, args, settings, _ = trace.steps[index]
    assert inputs[0] is not None
    return primitive.fn(stand_in(trace, inputs[0], made), *args[1:], **settings)


def fits(steps: Sequence[Any], used_up: int, index: int) -> bool:
    """Tell whether the output of an elementwise step can take the place of an input that is used up by it."""
    old, new = steps[used_up][4], steps[index][4]
    return bool(old.shape == new.shape and old.dtype == new.dtype and used_up in steps[index][1])


def take(sizes: list[int], free: list[int], wanted: int, reuse: bool) -> int:
    """Return the number of a buffer of at least `wanted` bytes: the smallest free one, unless it is far too large, or a new one."""
    best = min((b for b in free if wanted <= sizes[b] <= max(4 * wanted, 4096)), key=sizes.__getitem__, default=None)
    if best is not None and reuse:
        free.remove(best)
        return best
    sizes.append(wanted)
    return len(sizes) - 1


def arrays(made: Plan) -> list[Any]:
    """Allocate the buffers of a plan, each aligned to a line of the cache."""
    found = []
    for size in made.sizes:
        raw = np.empty(size + ALIGNMENT, np.uint8)
        start = -raw.__array_interface__["data"][0] % ALIGNMENT
        found.append(raw[start : start + size])
    return found
