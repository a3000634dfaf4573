"""What a traced value was computed from."""

from collections.abc import Iterator
from typing import Any

from tapegrad.core.complaints import CONSTANT_OR_ARRAY, hidden, leaked, lost
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import PRIMITIVES

current = CURRENT.get


def depends_on_abstract(x: Any) -> bool:
    """Tell whether `x` depends on an argument of a `vmap` or `jit` that is under way."""
    abstract = x.tape.abstract
    return bool(abstract) and any(index in unseen.roots for index in origins(x, abstract[0].roots.start) for unseen in abstract)


def look_at(x: Any, what: str, way: str) -> None:
    """Raise the error for a value that depends on an argument of a `vmap` or `jit` under way, and was asked for a plain one.

    Args:
        x: a traced value.
        what: what it was asked for.
        way: what to write instead, whichever the transform.

    Raises:
        LeakedVarError: if the transform that recorded it is over.
        ConcretizationError: see above.
    """
    if not x.tape.steps:
        raise leaked(x)
    abstract = x.tape.abstract
    if abstract:
        indices = set(origins(x, abstract[0].roots.start))
        transforms = [unseen.transform for unseen in abstract if not indices.isdisjoint(unseen.roots)]
        if transforms:
            hidden(x, what, way, transforms)


def known(x: Any, what: str, way: str) -> Any:
    """Return the value of a traced value that was computed from constants alone: no derivative is lost with it.

    Such are arrays that `vmap` holds for all examples, which are traced so that they can be indexed with what differs, and
    what has passed through `stop_gradient` or a comparison where such an array would have.

    Args:
        x: a traced value.
        what: what it was asked for.
        way: what to write instead under a transform that does not know it.

    Raises:
        ConcretizationError: for any other.
    """
    look_at(x, what, way)
    if x.link is not None or x.tape is not current() or _is_smooth(x):
        lost(x, what, CONSTANT_OR_ARRAY)
    return x.value


def _is_smooth(x: Any) -> bool:
    """Tell whether a derivative by some root may pass through to `x`."""
    steps = x.tape.steps
    return any(steps[index][0] is PRIMITIVES["root"] for index in origins(x, through_constants=False))


def origins(x: Any, first: int = 0, through_constants: bool = True) -> Iterator[int]:
    """Yield the indices from `first` on of the nodes that `x` was computed from, itself included.

    Unless `through_constants`, nodes that were passed on through operations without derivative only are left out.
    """
    steps = x.tape.steps
    seen = {x.index}
    waiting = [x.index]
    while waiting:
        index = waiting.pop()
        yield index
        if not through_constants and steps[index][0].constant:
            continue
        for source in steps[index][1]:
            if source is not None and source >= first and source not in seen:
                seen.add(source)
                waiting.append(source)
