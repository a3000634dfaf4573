"""Steps of one kind on neighbouring parts of an array, computed as one step on all of them.

The gates of a recurrence are columns of one product, ``z[:, :32]`` and ``z[:, 32:64]``, and each goes through the same steps,
such as those of a logistic function. They are computed on all columns at once; what each would have come to is a part of that.
To read parts takes NumPy longer than to read whole arrays, so that there must be enough steps to be saved. For rows see
`alike`.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from tapegrad.compiler.calls import is_elementwise
from tapegrad.compiler.passes.alike import SMALL
from tapegrad.compiler.passes.pieces import span_of
from tapegrad.compiler.passes.rewriting import Early, identity, replayed
from tapegrad.compiler.trace import Trace, alive, readers_of
from tapegrad.core.reading import getitem_p
from tapegrad.core.var import apply

SAVED = 3
"""Calls from which on it pays: a part costs half a call more to read."""

Span: TypeAlias = tuple[int, int, int]
"""An axis, and where a part of it begins and ends."""

Parts: TypeAlias = tuple[Span | None, ...]
"""For each input of a step the part of an array that it is, or None for a number."""


def compute_columns_together(trace: Trace) -> Trace:
    """Compute as one step what steps of one kind do to neighbouring parts of arrays."""
    before = None
    while trace is not before:
        before, trace = trace, Columns(trace).together()
    return trace


class Columns:
    """The parts of arrays that a trace reads, and what it does to them."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.steps = trace.steps
        self.order = alive(trace)
        self.readers = readers_of(trace, self.order)
        self.spans: dict[int, Span] = {}
        for index in self.order:
            primitive, sources, args, settings, value = self.steps[index]
            if primitive is getitem_p and sources[0] is not None and np.ndim(value) == np.ndim(args[0]) > 1:
                span = span_of(settings["index"], np.shape(args[0]))
                if span is not None and span[0]:
                    self.spans[index] = span

    def together(self) -> Trace:
        early: dict[int, list[Early]] = {}
        for members in self.rows_of_steps():
            if self.are_all(members) or self.saved(members) >= SAVED:
                ready = max(self.bases(members[0][0]))
                early.setdefault(ready, []).append(self.joint_step(members))
        return replayed(self.trace, early=early) if early else self.trace

    def rows_of_steps(self) -> list[list[tuple[int, Span]]]:
        """Return steps of one kind whose parts follow each other, with these."""
        found: dict[Any, list[tuple[int, Span]]] = {}
        for index in self.order:
            step = self.steps[index]
            if index in self.trace.wanted or not is_elementwise(step) or step[4].size > SMALL:
                continue
            spans = {self.spans.get(s) for s in step[1] if s is not None}
            (span,) = spans if len(spans) == 1 else (None,)
            if span is not None and all(s is not None or not np.ndim(x) for s, x in zip(step[1], step[2], strict=True)):
                whole = [self.steps[s][1][0] if s is not None else identity(x) for s, x in zip(step[1], step[2], strict=True)]
                found.setdefault((step[0], span[0], tuple(whole)), []).append((index, span))
        rows: list[list[tuple[int, Span]]] = []
        for members in found.values():
            members.sort(key=lambda member: member[1])
            rows.append(members[:1])
            for (_, before), member in pairwise(members):
                if before[2] == member[1][1]:
                    rows[-1].append(member)
                else:
                    rows.append([member])
        return [members for members in rows if len(members) > 1]

    def are_all(self, members: Sequence[tuple[int, Span]]) -> bool:
        """Tell whether the members read the whole of an array, and nothing else does: not more parts are read then."""
        index, (axis, start, _) = members[0]
        sources = [s for k, _ in members for s in self.steps[k][1] if s is not None]
        if start or any(self.readers[s] != [k for k, _ in members if s in self.steps[k][1]] for s in sources):
            return False
        bases = self.bases(index)
        return all(members[-1][1][2] == np.shape(self.steps[base][4])[axis] for base in bases) and all(
            set(self.readers[base]) <= set(sources) for base in bases
        )

    def saved(self, members: Sequence[tuple[int, Span]]) -> int:
        """Return how many calls are saved, counting the steps that follow on all members."""
        indices, steps = [index for index, _ in members], 0
        while indices:
            steps += 1
            if any(index in self.trace.wanted for index in indices):
                break
            following = [[r for r in self.readers.get(index, ()) if self.goes_on(r)] for index in indices]
            kinds = {tuple(sorted(repr(self.kind(r)) for r in found)) for found in following}
            if len(kinds) != 1 or not following[0]:
                break
            indices = [found[0] for found in following]
        return steps * (len(members) - 1)

    def goes_on(self, index: int) -> bool:
        step = self.steps[index]
        return (
            is_elementwise(step) and sum(s is not None for s in step[1]) == 1 and not any(map(np.ndim, self.constants(index)))
        )

    def kind(self, index: int) -> Any:
        return self.steps[index][0].name, tuple([identity(x) for x in self.constants(index)])

    def constants(self, index: int) -> list[Any]:
        return [x for s, x in zip(self.steps[index][1], self.steps[index][2], strict=True) if s is None]

    def bases(self, index: int) -> list[int]:
        """Return the arrays of which the inputs of a step are parts."""
        return [self.steps[s][1][0] or 0 for s in self.steps[index][1] if s is not None]

    def joint_step(self, members: Sequence[tuple[int, Span]]) -> Early:
        """Return what computes the members: it enters what each comes to."""
        primitive, sources, args, settings, _ = self.steps[members[0][0]]
        axis, start, _ = members[0][1]
        stop = members[-1][1][2]

        def part(x: Any, first: int, last: int) -> Any:
            return x if (first, last) == (0, x.shape[axis]) else x[(*[slice(None)] * axis, slice(first, last))]

        def compute(new: dict[int, Any]) -> None:
            given = [
                x if s is None else part(new[self.steps[s][1][0] or 0], start, stop) for s, x in zip(sources, args, strict=True)
            ]
            together = apply(primitive, *given, **settings)
            for index, (_, first, last) in members:
                new[index] = part(together, first - start, last - start)

        return compute
