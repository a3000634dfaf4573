"""What is watched and depends on no argument: it can be looked at once, while the program is made."""

from collections.abc import Sequence
from typing import Any

from tapegrad.compiler.passes.rewriting import replayed
from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.doubt import DoubtError, has_nan, watched_p
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var


def settled(trace: Trace) -> Trace:
    """Return a trace in which only what depends on an argument is watched.

    What does not is the same in every call: a gradient at constants, or what a loop turned out to be that changes nothing.

    Raises:
        DoubtError: if there is NaN in it; no call could be answered by what was recorded hopefully.
    """
    order = alive(trace)
    if not any(trace.steps[index][0] is watched_p for index in order):
        return trace
    moving = set(range(trace.inputs))
    still = False
    for index in order:
        primitive, sources, _, _, value = trace.steps[index]
        if any(source in moving for source in sources):
            moving.add(index)
        elif primitive is watched_p:
            still = True
            if trace.hopeful and has_nan(value):
                raise DoubtError

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        return value if primitive is watched_p and type(args[0]) is not Var else None

    return replayed(trace, rewrite) if still else trace
