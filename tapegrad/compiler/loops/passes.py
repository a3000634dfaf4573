"""The pass over loops."""

from collections.abc import Callable

import attrs

from tapegrad.compiler.loops.convert import convert
from tapegrad.compiler.loops.factors import with_one_factor
from tapegrad.compiler.loops.node import loop_p
from tapegrad.compiler.loops.share import share
from tapegrad.compiler.loops.shrink import shrink
from tapegrad.compiler.loops.split import split
from tapegrad.compiler.trace import Trace
from tapegrad.core.structure import pick_p


def loops(trace: Trace, improve: Callable[[Trace], Trace]) -> Trace:
    """Make loops of `scan` and `while_loop` that a program can be written for.

    Args:
        trace: what was traced.
        improve: the other passes, and this one, for the bodies.
    """
    trace = shrink(share(shrink(convert(trace))))
    return shrink(split(with_bodies(trace, improve)))


def with_bodies(trace: Trace, improve: Callable[[Trace], Trace]) -> Trace:
    """Run passes on the bodies."""
    steps = [*trace.steps]
    for index, (primitive, inputs, args, settings, value) in enumerate(steps):
        if primitive is loop_p:
            loop = attrs.evolve(settings["loop"], body=improve(settings["loop"].body))
            steps[index] = (primitive, inputs, args, {"loop": with_one_factor(loop)}, value)
    return attrs.evolve(trace, steps=steps)


def leaving(trace: Trace) -> Trace:
    """Mark the stacks of loops that are results of the program, and are allocated at each call."""
    steps = [*trace.steps]
    for index in trace.wanted:
        primitive, inputs, _, settings, _ = steps[index]
        source = inputs[0] if primitive is pick_p else None
        if source is None or steps[source][0] is not loop_p:
            continue
        primitive, sources, args, inner, value = steps[source]
        loop = inner["loop"]
        if settings["which"] >= loop.carried:
            fresh = loop.fresh | {settings["which"] - loop.carried}
            steps[source] = (primitive, sources, args, {"loop": attrs.evolve(loop, fresh=fresh)}, value)
    return attrs.evolve(trace, steps=steps)
