"""Many small steps of one kind, computed as one large step.

A loop that is written out, as in a recurrence, takes the same steps again and again on arrays of one shape. Most depend on
each other. Those that do not, such as the products of all inputs with a weight, or the slopes of all activations once the last
one is known, are one step on all arrays in a row; what each would have come to is a view of its rows. Arrays are in a row if
they are slices of one array, or concatenated anyway, or can be computed in a row (`joining`).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from attrs import field, frozen

from tapegrad.compiler.calls import into, is_elementwise
from tapegrad.compiler.passes.rewriting import Early, identity, replayed
from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.node import Step
from tapegrad.core.reading import getitem_p
from tapegrad.core.var import Var, apply, handle
from tapegrad.ops.contract import matmul_p
from tapegrad.ops.join import concatenate_p

FEW = 4
"""Steps from which on one large one is faster."""

SMALL = 2**13
"""Elements up to which a step is small: its price is that of the call."""


@frozen
class Rows:
    """Where an array lies in a larger one.

    Attributes:
        base: the step that makes the larger one.
        start: its first row there, where the larger one has as many axes.
        count: how many rows it has.
        read: it is read from the larger one; else it is put into it.
    """

    base: int
    start: int
    count: int
    read: bool


Member: TypeAlias = tuple[int, Rows | None]


@frozen(eq=False)
class Alike:
    """Steps that differ only in one input, each of which lies in the same array, or none of which lies in any.

    Attributes:
        place: which input it is.
        members: the steps, and where their inputs lie.
    """

    place: int
    members: list[Member] = field(factory=list)


def compute_together(trace: Trace) -> Trace:
    """Compute as one step what many steps of one kind do to parts of one array; then what they lead to."""
    before = None
    while trace is not before:
        before, trace = trace, computed_together(trace)
    return trace


def computed_together(trace: Trace) -> Trace:
    order = alive(trace)
    uses = first_uses(trace, order)
    early: dict[int, list[Early]] = {}
    taken: set[int] = set()
    lies = places(trace, order)
    for alike in candidates(trace, order, lies):
        members = [member for member in alike.members if member[0] not in taken]
        chosen, ready = in_time(trace, alike.place, members, uses)
        if len(chosen) >= FEW:
            taken.update(index for index, _ in chosen)
            early.setdefault(ready, []).append(joint_step(trace, alike.place, chosen))
    return replayed(trace, early=early) if early else trace


def first_uses(trace: Trace, order: Sequence[int]) -> dict[int, int]:
    """Return for each value the first step that reads it."""
    found: dict[int, int] = {}
    for index in order:
        for source in trace.steps[index][1]:
            if source is not None:
                found.setdefault(source, index)
    return found


def places(trace: Trace, order: Sequence[int]) -> dict[int, Rows]:
    """Return which values lie in larger ones."""
    found: dict[int, Rows] = {}
    for index in order:
        primitive, inputs, args, settings, value = trace.steps[index]
        if primitive is concatenate_p and settings["axis"] == 0:
            for source, start, stop in zip(inputs, settings["ends"], settings["ends"][1:], strict=False):
                if source is not None and source not in found and np.result_type(trace.steps[source][4]) == value.dtype:
                    found[source] = Rows(index, start, stop - start, read=False)
        elif primitive is getitem_p and inputs[0] is not None and np.ndim(value):
            rows = rows_of(settings["index"], args[0], value)
            if rows is not None:
                found[index] = Rows(inputs[0], *rows, read=True)
    return found


def rows_of(index: Any, x: Any, value: Any) -> tuple[int, int] | None:
    """Return which rows an index reads: one entry of the first axis, of which the next one has the rows, or a slice of it."""
    if type(index) is int:
        return (index % len(x)) * len(value), len(value)
    if type(index) is slice and index.step in (None, 1):
        start, stop, _ = index.indices(len(x))
        return (start, stop - start) if stop > start else None
    return None


def candidates(trace: Trace, order: Sequence[int], lies: dict[int, Rows]) -> Iterator[Alike]:
    """Yield steps of one kind on parts of one array."""
    found: dict[Any, Alike] = {}
    for index in order:
        step = trace.steps[index]
        if index in trace.wanted or not isinstance(step[4], np.ndarray) or step[4].size > SMALL:
            continue
        for place, source in enumerate(step[1]):
            if source is None or not is_rowwise(step, place):
                continue
            rows = lies.get(source)
            if rows is not None or (source >= trace.inputs and source not in trace.wanted and into(trace.steps[source])):
                others = tuple(
                    [None if k == place else named(s, x) for k, (s, x) in enumerate(zip(step[1], step[2], strict=True))]
                )
                base = None if rows is None else (rows.base, rows.read)
                x = step[2][place]
                key = (step[0], place, others, base, np.shape(x), np.result_type(x))
                found.setdefault(key, Alike(place)).members.append((index, rows))
    yield from found.values()


def named(source: int | None, x: Any) -> Any:
    """Return what is equal for inputs that are certainly the same."""
    return identity(x) if source is None else ("step", source)


def is_rowwise(step: Step, place: int) -> bool:
    """Tell whether each row of the output needs the same row of one input, and the whole of the others."""
    primitive, _, args, _, value = step
    x = args[place]
    if primitive is matmul_p:
        return place == 0 and np.ndim(x) == 2 == np.ndim(args[1])
    if not is_elementwise(step) or np.shape(x) != value.shape:
        return False
    return all(np.ndim(y) < value.ndim for k, y in enumerate(args) if k != place)


def in_time(trace: Trace, place: int, members: list[Member], uses: dict[int, int]) -> tuple[list[Member], int]:
    """Return the steps that can be computed together before the first of them is needed, and after which step that is."""
    if not members:
        return [], 0
    step, rows = trace.steps[members[0][0]], [rows for _, rows in members if rows is not None]
    before = [s for k, s in enumerate(step[1]) if k != place and s is not None]
    if not rows:
        return most_in_time(trace, place, members, uses, max(before, default=0))
    base = rows[0].base
    parts = [s for s in trace.steps[base][1] if s is not None]
    if not rows[0].read and any(index in parts for index, _ in members):
        return [], 0  # to be computed from what they are put into, they would have to be computed first
    before += [base] if rows[0].read else parts
    length = max(r.start + r.count for r in rows) - min(r.start for r in rows)
    ready = max(before)
    worth = 2 * sum(r.count for r in rows) >= length
    return (members, ready) if worth and ready < min(uses.get(index, 0) for index, _ in members) else ([], 0)


def most_in_time(trace: Trace, place: int, members: list[Member], uses: dict[int, int], ready: int) -> tuple[list[Member], int]:
    """Return as many members as are needed only after what they all need is known, and after which step that is."""
    inputs = {index: trace.steps[index][1][place] or 0 for index, _ in members}
    ordered = sorted(members, key=lambda member: inputs[member[0]])
    best, after, first = 0, ready, len(trace.steps)
    for k, (index, _) in enumerate(ordered):
        first = min(first, uses.get(index, 0))
        if max(ready, inputs[index]) < first:
            best, after = k + 1, max(ready, inputs[index])
    return ordered[:best], after


def joint_step(trace: Trace, place: int, members: Sequence[Member]) -> Early:
    """Return what computes the members: it enters what each comes to."""
    primitive, inputs, args, settings, _ = trace.steps[members[0][0]]
    rank = np.ndim(args[place])

    def stacked(new: dict[int, Any]) -> tuple[Any, list[tuple[int, int]]]:
        """Return all inputs in a row, and where those of each member begin and end."""
        found = [rows for _, rows in members if rows is not None]
        if not found:
            parts = [new[trace.steps[index][1][place] or 0] for index, _ in members]
            ends = np.cumsum([0, *[len(part.value) for part in parts]]).tolist()
            return apply(concatenate_p, *parts, axis=0, ends=tuple(ends)), list(pairwise(ends))
        base = found[0].base
        if base not in new:  # a concatenation that was to come later
            new[base] = again(trace.steps[base], new)
        start, stop = min(rows.start for rows in found), max(rows.start + rows.count for rows in found)
        whole = new[base] if np.ndim(trace.steps[base][4]) == rank else merged(new[base])
        part = whole if (start, stop) == (0, len(whole.value)) else whole[start:stop]
        return part, [(rows.start - start, rows.start - start + rows.count) for rows in found]

    def compute(new: dict[int, Any]) -> None:
        row, ends = stacked(new)
        given = [x if s is None or k == place else new[s] for k, (s, x) in enumerate(zip(inputs, args, strict=True))]
        together = apply(primitive, *given[:place], row, *given[place + 1 :], **settings)
        for (index, _), (start, stop) in zip(members, ends, strict=True):
            new[index] = together[start:stop]

    return compute


def merged(x: Var) -> Any:
    """Return an array whose first two axes are one. How long that is cannot be left to NumPy where there are no elements."""
    return np.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def again(step: Step, new: dict[int, Any]) -> Any:
    primitive, inputs, args, settings, _ = step
    given = [x if source is None else new[source] for source, x in zip(inputs, args, strict=True)]
    return apply(primitive, *given, **settings)


def slices_in_a_row(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """A concatenation of slices of one array that follow each other is a slice of it."""
    if settings["axis"] != 0 or not all(type(x) is Var and made_by_index(x) for x in args):
        return None
    steps = args[0].tape.steps
    found = [(steps[x.index][1][0], rows_of(steps[x.index][3]["index"], steps[x.index][2][0], x.value)) for x in args]
    base = found[0][0]
    position = found[0][1][0] if found[0][1] is not None else 0
    first = position
    for source, rows in found:
        if source != base or rows is None or rows[0] != position:
            return None
        position += rows[1]
    assert base is not None
    whole = handle(args[0].tape, base, steps[base][4], steps[base][0])
    if np.ndim(whole.value) == np.ndim(value) + 1:
        whole = merged(whole)
    elif np.ndim(whole.value) != np.ndim(value):
        return None
    return whole if (first, position) == (0, len(whole.value)) else whole[first:position]


def made_by_index(x: Var) -> bool:
    primitive, inputs, _, _, _ = x.tape.steps[x.index]
    return primitive is getitem_p and inputs[0] is not None
