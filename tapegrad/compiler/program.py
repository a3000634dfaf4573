"""A compiled program: what becomes of a function for one kind of arguments."""

from collections.abc import Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Any

import attrs
import numpy as np
from attrs import define, field, frozen

from tapegrad import tree
from tapegrad.compiler.emit import emit
from tapegrad.compiler.groups.products import across_rows
from tapegrad.compiler.groups.units import units
from tapegrad.compiler.interface import MISS
from tapegrad.compiler.loops.node import Repeat, loop_p
from tapegrad.compiler.lowered import Lowered, lowered
from tapegrad.compiler.passes.algebra import simplify
from tapegrad.compiler.passes.alike import compute_together
from tapegrad.compiler.passes.columns import compute_columns_together
from tapegrad.compiler.passes.gather import gather_products
from tapegrad.compiler.passes.rewriting import expand, fold, merge
from tapegrad.compiler.plan import plan
from tapegrad.compiler.settled import settled
from tapegrad.compiler.source import Source
from tapegrad.compiler.trace import Trace, alive, record
from tapegrad.core.doubt import DoubtError
from tapegrad.core.node import CURRENT
from tapegrad.core.program import Program

Pass = Callable[[Trace], Trace]

REWRITING: dict[str, Pass | None] = {
    "expand": expand,
    "fold": fold,
    "merge": merge,
    "loops": None,  # `with_loops`, which runs all passes on the bodies
    "simplify": simplify,
    "gather": gather_products,
    "batch": lambda trace: compute_columns_together(compute_together(trace)),
}
"""Passes over the steps, in the order in which they run. Steps that nothing depends on are dropped by each of them."""

LOOPS = ("scan", "while_loop")
"""Operations that become loops."""

PASSES = (*REWRITING, "fuse", "reuse")
"""All passes; the last two are part of planning: blocks of elementwise steps, and buffers that are used again."""


@define(eq=False)
class Compiled:
    """A program: its source, and the arenas that wait for a call.

    Attributes:
        source: the text, and what it is bound to.
        again: compiles the careful program, for a call that met NaN with these arguments; None if this is it.
        waiting: arenas that no call runs in.
        careful: the careful program, once it was needed.
    """

    source: Source
    again: "Callable[[tuple[Any, ...], dict[str, Any]], Compiled] | None"
    waiting: list[Callable[..., Any]] = field(factory=list)
    careful: "Compiled | None" = None

    def __call__(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Run the program; return MISS if the arguments are not of the kind that it was made for."""
        waiting = self.waiting
        try:
            run = waiting.pop()
        except IndexError:
            run = self.arena()
        try:
            return run(args, settings)
        except DoubtError:
            if self.again is None:  # a program inside another one, which is hopeful as a whole
                raise
            if self.careful is None:
                self.careful = self.again(args, settings)
            return self.careful(args, settings)
        finally:
            waiting.append(run)

    def nbytes(self) -> int:
        """Return the bytes of the buffers that are allocated."""
        own = self.source.nbytes * len(self.waiting)
        return own + (0 if self.careful is None else self.careful.nbytes())

    def arena(self) -> Callable[..., Any]:
        """Return a function that computes in buffers of its own, and in a context in which NumPy does not warn."""
        context = Context()
        context.run(np.seterr, "ignore")
        call = self.source.arena()
        return partial(context.run, call)


@frozen(eq=False)
class Task:
    """What is to be compiled.

    Attributes:
        f: the function.
        leaves: what is traced.
        take_apart: returns the leaves of ``(args, settings)``.
        assemble: makes ``(args, settings)`` of leaves.
        structure: that of ``(args, settings)``, in which static arguments are leaves.
        fixed: the static arguments, by their place among the leaves of `structure`.
        donated: which leaves were given away.
        passes: names of the passes to run.
        paths: where each leaf stands, for messages.
    """

    f: Callable[..., Any]
    leaves: Sequence[Any]
    take_apart: Callable[[tuple[Any, ...], dict[str, Any]], Sequence[Any]]
    assemble: Callable[[list[Any]], tuple[Any, Any]]
    structure: "tree.Structure[Any]"
    fixed: dict[int, Any]
    donated: Sequence[int]
    passes: Sequence[str]
    paths: Sequence[str]

    def compiled(self) -> Compiled:
        """Return the hopeful program, behind which the careful one stands.

        That one is traced on the arguments that call for it: those of now may be donated, and should not be kept alive.
        """
        task = attrs.evolve(self, leaves=())

        def again(args: tuple[Any, ...], settings: dict[str, Any]) -> Compiled:
            return Compiled(attrs.evolve(task, leaves=task.take_apart(args, settings)).source(hopeful=False)[0], None)

        source, _, hopeful = self.first()
        return Compiled(source, again if hopeful else None)

    def first(self) -> tuple[Source, Callable[[], Lowered], bool]:
        """Return the program to begin with, what shows it, and whether it is the hopeful one."""
        try:
            return *self.source(hopeful=True), True
        except DoubtError:  # NaN in the gradient of a constant, which is in every call
            return *self.source(hopeful=False), False

    def source(self, hopeful: bool) -> tuple[Source, Callable[[], Lowered]]:
        """Trace the function, run the passes, and write the program."""
        first, results = record(self.f, self.leaves, self.assemble, hopeful)
        last = improved(first, self.passes)
        if any(step[0] is loop_p for step in last.steps):
            from tapegrad.compiler.loops.passes import leaving  # here, as few programs have loops

            last = leaving(last)
        if "fuse" in self.passes:
            last = across_rows(last)
        order = units(last, alive(last), fuse="fuse" in self.passes)
        made = plan(last, order, self.donated, reuse="reuse" in self.passes)
        inner = partial(with_programs, passes=self.passes)
        source = emit(last, made, self.structure, results, self.fixed, self.paths, inner)
        return source, lambda: lowered(first, last, order, made, source, self.paths)


def improved(trace: Trace, passes: Sequence[str]) -> Trace:
    """Run the rewriting passes.

    Raises:
        DoubtError: if NaN is watched in what depends on no argument.
    """
    trace = settled(trace)
    for name, step in REWRITING.items():
        if name in passes:
            trace = with_loops(trace, passes) if step is None else step(trace)
    if "merge" in passes:
        trace = merge(trace)  # algebra makes equals of what was not
        if "simplify" in passes:
            trace = simplify(trace)  # and equals simpler
    return settled(trace)


def with_loops(trace: Trace, passes: Sequence[str]) -> Trace:
    """Run the pass over loops, if there are any."""
    if not any(trace.steps[index][0].name in LOOPS for index in alive(trace)):
        return trace
    from tapegrad.compiler.loops.passes import loops  # here, as few programs have loops

    trace = settled(loops(trace, partial(improved, passes=passes)))
    return fold(trace) if "fold" in passes else trace  # loops turn out to be constant


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
        structure: tree.Structure[Any] = tree.structure((inputs, {}))
        paths = [f"input {k}" for k in range(len(inputs))]
        task = Task(
            self.program,
            inputs,
            lambda args, settings: args,
            lambda traced: (tuple(traced), {}),
            structure,
            {},
            (),
            self.passes,
            paths,
        )
        compiled = Compiled(task.source(hopeful=True)[0], None)
        self.compiled.append(compiled)
        return compiled(inputs, {})


def with_programs(x: Any, passes: Sequence[str]) -> Any:
    """Return a setting of a step with compiled programs in place of those that it holds, itself or in a record."""
    if isinstance(x, Program):
        return Inner(x, passes)
    if isinstance(x, Repeat):
        from tapegrad.compiler.loops.source import loop_source  # here, as few programs have loops

        return loop_source(x, passes, partial(with_programs, passes=passes))
    if type(x) is tuple and any(isinstance(part, Program) for part in x):
        return tuple([with_programs(part, passes) for part in x])
    if attrs.has(type(x)):
        found = {a.name: getattr(x, a.name) for a in attrs.fields(type(x))}
        changed = {name: with_programs(part, passes) for name, part in found.items()}
        if any(changed[name] is not part for name, part in found.items()):
            return attrs.evolve(x, **changed)
    return x
