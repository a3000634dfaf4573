"""What a loop has computed need not be computed by another one again: a backward loop reads what the forward loop kept."""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from attrs import define

from tapegrad.compiler.loops.convert import put_loop
from tapegrad.compiler.loops.node import Repeat, cut, loop_p
from tapegrad.compiler.passes.rewriting import identity, replayed
from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.node import Step
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import pick_p
from tapegrad.transforms.loops.body import plain

KEPT = 2**26
"""Bytes up to which values are kept for another loop; it computes them again if there are more."""


@define(eq=False)
class Exchange:
    """What a loop is to stack besides, for others, and what it reads from them."""

    gives: list[int]
    takes: list[tuple[Repeat, int, int]]  # from which loop, the step there, and the step here that it stands for


def share(trace: Trace) -> Trace:
    """Let loops read what earlier ones have computed for the same turn, in place of computing it again."""
    loops = [index for index in alive(trace) if trace.steps[index][0] is loop_p and length(trace.steps[index])]
    plans: dict[Repeat, Exchange] = {trace.steps[index][3]["loop"]: Exchange([], []) for index in loops}
    for k, later in enumerate(loops):
        found: dict[int, tuple[Repeat, int]] = {}
        for earlier in loops[:k]:
            for step, other in common(trace, earlier, later).items():
                found.setdefault(step, (trace.steps[earlier][3]["loop"], other))
        loop = trace.steps[later][3]["loop"]
        taken = frontier(loop.body, found)
        if sum(np.asarray(loop.body.steps[step][4]).nbytes for step in taken) * loop.turns > KEPT:
            continue
        for step in taken:
            giver, other = found[step]
            plans[loop].takes.append((giver, other, step))
            if other not in plans[giver].gives:
                plans[giver].gives.append(other)
    made: dict[tuple[Repeat, int], Any] = {}

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        if primitive is not loop_p or settings["loop"] not in plans:
            return None
        loop = settings["loop"]
        plan = plans[loop]
        if not plan.gives and not plan.takes:
            return None
        taken = [step for _, _, step in plan.takes]
        roots = [*range(loop.same), *taken, *range(loop.same, loop.body.inputs)]
        given = [*args[: loop.same], *[made[giver, other] for giver, other, _ in plan.takes], *args[loop.same :]]
        outputs, constants = [*loop.body.outputs, *plan.gives], [*loop.body.constants, *[None] * len(plan.gives)]
        new = attrs.evolve(loop, body=cut(loop.body, roots, outputs, constants), rows=loop.rows + len(taken))
        values = new.run([plain(x) for x in given]) if plan.gives else value
        found = put_loop(new, given, values)
        made.update({(loop, step): y for step, y in zip(plan.gives, found[len(value) :], strict=True)})
        return found[: len(value)]

    return replayed(trace, rewrite) if any(plan.takes for plan in plans.values()) else trace


def length(step: Step) -> int:
    """Return the number of turns, 0 where it is not known."""
    return step[3]["loop"].turns or 0


def common(trace: Trace, earlier: int, later: int) -> dict[int, int]:
    """Return the steps of a later loop whose value an earlier one has computed in the same turn, with the step that did."""
    _, a_sources, a_args, a_settings, _ = trace.steps[earlier]
    _, b_sources, b_args, b_settings, _ = trace.steps[later]
    a, b = a_settings["loop"], b_settings["loop"]
    if a.turns != b.turns:
        return {}
    inputs: dict[Any, int] = {}
    for k in range(a.carried, a.body.inputs):
        inputs.setdefault((k >= a.same, outer(a_sources[k], a_args[k])), k)
    same: dict[int, int] = {}
    for k in range(b.carried, b.body.inputs):
        source = b_sources[k]
        if (k >= b.same, outer(source, b_args[k])) in inputs:
            same[k] = inputs[k >= b.same, outer(source, b_args[k])]
        elif source is not None and k < b.same and trace.steps[source][0] is pick_p and trace.steps[source][1][0] == earlier:
            which = trace.steps[source][3]["which"]
            index = a.body.outputs[which] if which >= a.carried else None
            if index is not None:
                same[k] = index
    if not any(k < b.same for k in same):
        return {}
    known = {key: index for index in reversed(alive(a.body)) if (key := key_of(a.body.steps[index], None)) is not None}
    for index in alive(b.body):
        key = key_of(b.body.steps[index], same)
        if key is not None and key in known:
            same[index] = known[key]
    return {index: other for index, other in same.items() if index >= b.body.inputs}


def outer(source: int | None, x: Any) -> Any:
    return ("step", source) if source is not None else ("constant", id(x))


def key_of(step: Step, same: dict[int, int] | None) -> Any:
    """Return what is equal for steps that compute the same, in the numbers of the earlier loop; None if it has none."""
    primitive, sources, args, settings, _ = step
    if same is not None and any(s is not None and s not in same for s in sources):
        return None
    given = tuple([content(x) if s is None else s if same is None else same[s] for s, x in zip(sources, args, strict=True)])
    return primitive, given, identity(settings)


def content(x: Any) -> Any:
    """Return what is equal for constants of the same kind and value."""
    if type(x) is np.ndarray:
        return ("array", x.shape, x.dtype.str, x.tobytes()) if x.nbytes <= 2**16 and x.dtype.kind != "O" else id(x)
    return identity(x)


def frontier(body: Trace, found: dict[int, Any]) -> list[int]:
    """Return the steps that can be read in place of being computed, of which the others that were found are parts."""
    read: set[int] = set()
    met: set[int] = set()
    waiting = [index for index in body.outputs if index is not None]
    while waiting:
        index = waiting.pop()
        if index in met or index < body.inputs:
            continue
        met.add(index)
        primitive, sources, _, _, value = body.steps[index]
        if index in found and not primitive.view and isinstance(value, (np.ndarray, np.generic)):
            read.add(index)
        else:  # a view is made again; several values at a time cannot be stacked
            waiting += [s for s in sources if s is not None]
    return sorted(read)
