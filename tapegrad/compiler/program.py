"""A compiled program: what becomes of a function for one kind of arguments."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from functools import partial
from typing import Any

import numpy as np
from attrs import define, field

from tapegrad import tree
from tapegrad.compiler.algebra import simplify
from tapegrad.compiler.emit import DoubtError, Source, emit
from tapegrad.compiler.plan import plan
from tapegrad.compiler.rewriting import expand, fold, merge
from tapegrad.compiler.trace import Trace, alive, record
from tapegrad.compiler.units import units

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
            if self.careful is None:
                assert self.again is not None
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
        context.run(partial(np.seterr, all="ignore"))
        return partial(context.run, self.source.arena())


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

    def compiled(hopeful: bool) -> Compiled:
        trace, results = record(f, leaves, assemble, hopeful)
        trace = improved(trace, chosen)
        order = units(trace, alive(trace), fuse="fuse" in chosen)
        made = plan(trace, order, donated, reuse="reuse" in chosen)
        return Compiled(emit(trace, made, structure, results, fixed, paths), again)

    again = partial(compiled, False)
    return compiled(True)


def improved(trace: Trace, passes: Sequence[str]) -> Trace:
    """Run the rewriting passes."""
    for name, step in REWRITING.items():
        if name in passes:
            trace = step(trace)
    return trace
