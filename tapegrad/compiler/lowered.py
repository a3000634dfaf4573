"""What `jit` made of a function, to be looked at."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.compiler.plan import Plan
from tapegrad.compiler.source import Source
from tapegrad.compiler.trace import Trace, alive
from tapegrad.compiler.units import Group
from tapegrad.core.node import Step
from tapegrad.core.printing import describe, operation


@frozen(eq=False)
class Lowered:
    """A function compiled for one kind of arguments, in all stages; made by ``jit(f).lower(*args)``.

    Attributes:
        before: the listing of what was traced: one operation a line.
        after: the listing of what is left after the passes.
        source: the Python code of the program.
        buffers: for each buffer its size in bytes.
        groups: for each group of elementwise steps the lines of `after` that it computes in blocks.
        flops: an estimate of the floating-point operations of a call: two for each product in a matrix product, one for each
            element of anything else.
        nbytes: an estimate of the bytes that a call reads and writes: those of the inputs and outputs of each step; of a group
            as a whole.
    """

    before: str
    after: str
    source: str
    buffers: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    flops: int
    nbytes: int

    def __str__(self) -> str:
        sizes = ", ".join(f"{size:,}" for size in self.buffers) or "none"
        blocks = [f"blocks: {', '.join(f'%{index}' for index in group)}" for group in self.groups]
        parts = [
            "before the passes",
            self.before,
            "",
            "after the passes",
            self.after,
            *blocks,
            "",
            f"buffers, in bytes: {sizes}",
            f"about {self.flops:,} floating-point operations and {self.nbytes:,} bytes a call",
            "",
            self.source,
        ]
        return "\n".join(parts)


def lowered(first: Trace, last: Trace, order: Sequence[Any], made: Plan, source: Source, paths: Sequence[str]) -> Lowered:
    """Return what there is to be seen of a program.

    Args:
        first: what was traced.
        last: what the passes left.
        order: the units.
        made: where they are computed.
        source: the program.
        paths: where each traced leaf stands.
    """
    numbers = {index: k for k, index in enumerate((*range(last.inputs), *alive(last)))}
    groups = [unit for unit in order if isinstance(unit, Group)]
    inside = {index for group in groups for index in (*group.members, *group.ends)}
    alone = [last.steps[i] for i in alive(last) if i not in inside]
    traffic = sum(bytes_of(value) + sum(bytes_of(x) for x in args) for _, _, args, _, value in alone)
    traffic += sum(bytes_of(last.steps[i][4]) for group in groups for i in (*group.inputs, *group.outputs))
    return Lowered(
        listing(first, paths),
        listing(last, paths),
        source.text,
        tuple(made.sizes),
        tuple([tuple([numbers[i] for i in (*group.members, *group.ends)]) for group in groups]),
        sum(flops(last.steps[i]) for i in alive(last)),
        traffic,
    )


def listing(trace: Trace, paths: Sequence[str]) -> str:
    """Return one line a step, numbered anew."""
    kept = [*range(trace.inputs), *alive(trace)]
    number = {index: k for k, index in enumerate(kept)}
    rows = []
    for k, index in enumerate(kept):
        primitive, inputs, args, settings, value = trace.steps[index]
        renumbered = (primitive, tuple([None if s is None else number[s] for s in inputs]), args, settings, value)
        path = paths[index] if index < trace.inputs else None
        rows.append((f"%{k} = {operation(renumbered, path)}", describe(value)))
    width = max((len(left) for left, _ in rows if len(left) <= 60), default=0)
    results = [f"%{number[i]}" if i is not None else describe(x) for i, x in zip(trace.outputs, trace.constants, strict=True)]
    return "\n".join([*[f"{left:<{width}} {right}" for left, right in rows], f"return {', '.join(results)}"])


def bytes_of(value: Any) -> int:
    return value.nbytes if isinstance(value, np.ndarray) else 0


def flops(step: Step) -> int:
    """Return about how many floating-point operations a step takes."""
    primitive, _, args, _, value = step
    if type(value) is tuple:
        return sum(int(np.size(part)) for part in value)
    if primitive.name == "matmul":
        return 2 * math.prod(np.shape(value)) * int(np.shape(args[0])[-1])
    if primitive.view:
        return 0
    return max(int(np.size(value)), *[int(np.size(x)) for x in args if isinstance(x, np.ndarray)], 0)
