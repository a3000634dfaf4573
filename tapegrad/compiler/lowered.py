"""What `jit` made of a function, to be looked at."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from tapegrad.compiler.groups.units import Group
from tapegrad.compiler.plan import Plan
from tapegrad.compiler.source import Source
from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.printing import describe, operation


@frozen(eq=False)
class Lowered:
    """A function compiled for one kind of arguments, in all stages; made by ``jit(f).lower(*args)``, printed as a whole.

    Attributes:
        before: the listing of what was traced: one operation a line, with its dtype and shape.
        after: the listing of what is left after the passes.
        source: the Python code of the program.
        buffers: for each buffer of the program its size in bytes. Each thread that computes blocks has arrays of its own
            besides, which the source names; what leaves the program is allocated at each call.
        groups: for each group of elementwise steps the lines of `after` that it computes in blocks.
        flops: an estimate of the floating-point operations of a call, of what stands in `after`: two for each product in a
            matrix product, none where numbers are only moved, one for each element of anything else (so that
            factorizations of matrices take far more). A loop counts as all its turns, as one where their number is not
            known; a branch as the dearest one.
        nbytes: an estimate of the bytes that a call reads and writes in arrays: the inputs and outputs of each step, a view
            counting nothing; those of a group once, as a whole.

    Example:
        >>> program = tg.jit(lambda a, b: np.sum(a @ b)).lower(np.ones((2, 3)), np.ones((3, 4)))
        >>> print(program.after)
        %0 = a              float64[2, 3]
        %1 = b              float64[3, 4]
        %2 = matmul(%0, %1) float64[2, 4]
        %3 = sum(%2)        float64[]
        return %3
        >>> program.buffers  # the product, 8 numbers
        (64,)
        >>> program.flops  # 2 * 2 * 3 * 4 for the product, 8 for the sum
        56
        >>> program.nbytes  # 6 + 12 + 8 numbers, and 8 once more
        272
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
    from tapegrad.compiler.costs import bytes_of, cost  # here, as it loads the loops, which few programs have

    numbers = {index: k for k, index in enumerate((*range(last.inputs), *alive(last)))}
    groups = [unit for unit in order if isinstance(unit, Group)]
    inside = {index for group in groups for index in (*group.members, *group.ends)}
    costs = {i: cost(last.steps[i]) for i in alive(last)}
    traffic = sum(n for i, (_, n) in costs.items() if i not in inside)
    traffic += sum(bytes_of(last.steps[i][4]) for group in groups for i in (*group.inputs, *group.outputs))
    constants = {id(x): x for i in inside for s, x in zip(last.steps[i][1], last.steps[i][2], strict=True) if s is None}
    traffic += sum(map(bytes_of, constants.values()))
    return Lowered(
        listing(first, paths),
        listing(last, paths),
        source.whole,
        tuple(made.sizes),
        tuple([tuple([numbers[i] for i in (*group.members, *group.ends)]) for group in groups]),
        sum(n for n, _ in costs.values()),
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
