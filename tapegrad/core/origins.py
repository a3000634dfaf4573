"""What a traced value was computed from."""

from collections.abc import Iterator
from typing import Any

from tapegrad.core.complaints import lost
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import PRIMITIVES

current = CURRENT.get


def depends_on_abstract(x: Any) -> bool:
    """Tell whether `x` depends on an argument of a `vmap` or `jit` that is under way."""
    ranges = x.tape.abstract
    return bool(ranges) and any(index in roots for index in origins(x, ranges[0].start) for roots in ranges)


def known(x: Any, what: str, why: str) -> Any:
    """Return the value of a traced value that was computed from constants alone: no derivative is lost with it.

    Such are arrays that `vmap` holds for all examples, which are traced so that they can be indexed with what differs.

    Raises:
        ConcretizationError: for any other.
    """
    steps = x.tape.steps
    if x.link is not None or x.tape is not current() or any(steps[k][0] is PRIMITIVES["root"] for k in origins(x)):
        lost(x, what, why)
    return x.value


def origins(x: Any, first: int = 0) -> Iterator[int]:
    """Yield the indices from `first` on of the nodes that `x` was computed from, itself included."""
    steps = x.tape.steps
    seen = {x.index}
    waiting = [x.index]
    while waiting:
        index = waiting.pop()
        yield index
        for source in steps[index][1]:
            if source is not None and source >= first and source not in seen:
                seen.add(source)
                waiting.append(source)
