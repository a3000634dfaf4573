"""A compiled program: what becomes of a function for one kind of arguments."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from functools import partial
from typing import Any

import attrs
import numpy as np
from attrs import define, field

from tapegrad import tree
from tapegrad.compiler.algebra import simplify
from tapegrad.compiler.emit import emit
from tapegrad.compiler.interface import MISS
from tapegrad.compiler.plan import plan
from tapegrad.compiler.rewriting import expand, fold, merge
from tapegrad.compiler.source import DoubtError, Source
from tapegrad.compiler.trace import Trace, alive, record
from tapegrad.compiler.units import units
from tapegrad.core.node import CURRENT
from tapegrad.core.program import Program

Pass = Callable[[Trace], Trace]

REWRITING: dict[str, Pass] = {"expand": expand, "fold": fold, "merge": merge, "simplify": simplify}
"""Passes over the steps, in the order in which they run. Steps that nothing depends on are dropped by each of them."""

PASSES = (*REWRITING, "fuse", "reuse")
"""All passes; the last two are part of planning: blocks of elementwise steps, and buffers that are used again."""


@define(eq=False)
class Compiled:
    """A program: its source, and the arenas that wait for a call.

    Attributes:
        source: the text, and what it is bound to.
        again: compiles the careful program, for a call that met NaN; None if this is it.
        waiting: arenas that no call runs in.
        careful: the careful program, once it was needed.
    """

    source: Source
    again: "Callable[[], Compiled] | None"
    waiting: list[Callable[..., Any]] = field(factory=list)
    careful: "Compiled | None" = None

    def __call__(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Run the program; return MISS if the arguments are not of the kind that it was made for."""
        waiting = self.waiting
        run = waiting.pop() if waiting else self.arena()
        try:
            return run(args, settings)
        except DoubtError:
            if self.again is None:  # a program inside another one, which is hopeful as a whole
                raise
            if self.careful is None:
                self.careful = self.again()
            return self.careful(args, settings)
        finally:
            waiting.append(run)

    def nbytes(self) -> int:
        """Return the bytes of the buffers that are allocated."""
        own = sum(self.source.plan.sizes) * len(self.waiting)
        return own + (0 if self.careful is None else self.careful.nbytes())

    def arena(self) -> Callable[..., Any]:
        """Return a function that computes in buffers of its own, and in a context in which NumPy does not warn."""
        context = Context()
        context.run(np.seterr, "ignore")
        call = self.source.arena()
        return partial(context.run, call)  # type: ignore[call-arg]  # the other arguments come with each call


def build(
    f: Callable[..., Any],
    leaves: Sequence[Any],
    assemble: Callable[[list[Any]], tuple[Any, Any]],
    structure: "tree.Structure[Any]",
    fixed: dict[int, Any],
    donated: Sequence[int],
    passes: Iterable[str],
    paths: Sequence[str],
) -> Compiled:
    """Trace `f` and compile it.

    Args:
        f: the function.
        leaves: what is traced.
        assemble: makes ``(args, settings)`` of leaves.
        structure: that of ``(args, settings)``, in which static arguments are leaves.
        fixed: the static arguments, by their place among the leaves of `structure`.
        donated: which leaves were given away.
        passes: names of the passes to run.
        paths: where each leaf stands, for messages.
    """
    chosen = tuple(passes)

    def compiled(hopeful: bool, otherwise: "Callable[[], Compiled] | None") -> Compiled:
        trace, results = record(f, leaves, assemble, hopeful)
        return translate(trace, chosen, structure, results, fixed, donated, paths, otherwise)

    return compiled(True, partial(compiled, False, None))


def translate(
    trace: Trace,
    passes: Sequence[str],
    structure: "tree.Structure[Any]",
    results: "tree.Structure[Any]",
    fixed: dict[int, Any],
    donated: Sequence[int],
    paths: Sequence[str],
    otherwise: "Callable[[], Compiled] | None",
) -> Compiled:
    """Turn a trace into a program; see `build`."""
    trace = improved(trace, passes)
    order = units(trace, alive(trace), fuse="fuse" in passes)
    made = plan(trace, order, donated, reuse="reuse" in passes)
    source = emit(trace, made, structure, results, fixed, paths, partial(with_programs, passes=passes))
    return Compiled(source, otherwise)


def improved(trace: Trace, passes: Sequence[str]) -> Trace:
    """Run the rewriting passes."""
    for name, step in REWRITING.items():
        if name in passes:
            trace = step(trace)
    return trace


# Programs inside a program: the bodies of loops and branches


class Inner:
    """The body of a loop or branch, compiled when it is first called with arguments of a kind."""

    def __init__(self, program: Program, passes: Sequence[str]) -> None:
        self.program = program
        self.passes = passes
        self.compiled: list[Compiled] = []

    def __call__(self, *inputs: Any) -> Any:
        if CURRENT.get() is not None:
            return self.program(*inputs)
        for compiled in self.compiled:
            out = compiled(inputs, {})
            if out is not MISS:
                return out
        trace, results = record(self.program, inputs, lambda traced: (tuple(traced), {}), hopeful=True)
        structure: tree.Structure[Any] = tree.structure((inputs, {}))
        paths = [f"input {k}" for k in range(len(inputs))]
        self.compiled.append(translate(trace, self.passes, structure, results, {}, (), paths, None))
        return self.compiled[-1](inputs, {})


def with_programs(x: Any, passes: Sequence[str]) -> Any:
    """Return a setting of a step with compiled programs in place of those that it holds, itself or in a record."""
    if isinstance(x, Program):
        return Inner(x, passes)
    if type(x) is tuple and any(isinstance(part, Program) for part in x):
        return tuple([with_programs(part, passes) for part in x])
    if attrs.has(type(x)):
        found = {a.name: getattr(x, a.name) for a in attrs.fields(type(x))}
        changed = {name: with_programs(part, passes) for name, part in found.items()}
        if any(changed[name] is not part for name, part in found.items()):
            return attrs.evolve(x, **changed)
    return x
