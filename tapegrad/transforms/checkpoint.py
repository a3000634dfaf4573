"""`checkpoint`: compute again instead of storing."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.complaints import leaked
from tapegrad.core.doubt import has_doubts
from tapegrad.core.node import CURRENT, NO_SETTINGS, Step
from tapegrad.core.primitive import Primitive
from tapegrad.core.program import Program, extract
from tapegrad.core.structure import pick_p, root_p
from tapegrad.core.var import Var, apply, handle
from tapegrad.errors import LeakedVarError
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.packed import axes_of, pack_p, shared, slots
from tapegrad.transforms.pullback import vjp
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
Out = TypeVar("Out")


def checkpoint(f: Callable[P, Out]) -> Callable[P, Out]:
    """Return a function that computes what `f` does, and keeps only its arguments for the backward replay.

    The values in between are dropped, and computed again when a replay needs them: memory for time. What is run again is the
    recorded stretch of tape, not `f` itself, so that side effects and random numbers happen once.

    The gradient of a recurrence of 10,000 steps (``tanh(a * x + 0.1)`` on 1,000 float64 numbers) takes 251 MB; cut into 100
    checkpointed segments of 100 steps it takes 12 MB, and 1.2 times as long. With a `scan` inside each segment, and one over
    the segments, it takes 2 MB, and four times as long. ``python -m tests.bench memory`` measures it.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays; it may use traced values from around it.

    Raises:
        LeakedVarError: when a value that was traced inside is used outside without having been returned.

    Example:
        >>> from tapegrad.transforms.reverse import grad
        >>> grad(lambda x: checkpoint(lambda y: (y * y) * y)(x))(2.0)
        np.float64(12.0)

    References:
        A. Griewank, "Achieving Logarithmic Growth of Temporal and Spatial Complexity in Reverse Automatic Differentiation",
        Optimization Methods and Software 1, 1992.
    """
    return Checkpoint(f)


@frozen(eq=False, slots=False, repr=False)
class Checkpoint(Transformed):
    """``checkpoint(f)``; see `checkpoint`."""

    def __call__(self, *args: Any, **settings: Any) -> Any:
        tape = CURRENT.get()
        leaves, structure = tree.flatten((args, settings))
        if tape is None:
            return self.f(*args, **settings)
        steps = tape.steps
        start = len(steps)
        traced = []
        outer: list[Any] = []
        for x in leaves:
            if type(x) is Var:
                if x.tape is not tape:
                    raise leaked(x)
                steps.append((root_p, (x.index,), (x.value,), NO_SETTINGS, x.value))
                outer.append(x)
                x = handle(tape, len(steps) - 1, x.value, root_p)
            traced.append(x)
        inner_args, inner_settings = tree.unflatten(structure, traced)
        tape.borders.append(start)
        hopeful, tape.hopeful = tape.hopeful, tape.hopeful and tape.wholly
        try:
            results, out_structure = tree.flatten(self.f(*inner_args, **inner_settings))
        finally:
            tape.hopeful = hopeful
            tape.borders.pop()
        program, captured = extract(tape, start, len(outer), results)
        outer += captured
        if not outer:  # of constants, which need not be computed again
            return tree.unflatten(out_structure, results)
        steps[start:] = [DROPPED] * (len(steps) - start)
        if tape.hopeful and tape.wholly and has_doubts(program):
            tape.hopeful = False
            try:
                return self(*args, **settings)
            finally:
                tape.hopeful = True
        packed = apply(pack_p, *outer)
        values = tuple(x.value if type(x) is Var else x for x in results)
        steps.append((checkpoint_p, (packed.index,), (packed.value,), {"program": program}, values))
        node = handle(tape, len(steps) - 1, values, checkpoint_p)
        outputs = [
            x if k is None else apply(pick_p, node, which=i)
            for i, (k, x) in enumerate(zip(program.outputs, results, strict=True))
        ]
        return tree.unflatten(out_structure, outputs)


def moving(parts: Sequence[Any]) -> list[int]:
    """Return the positions of the parts that have a derivative."""
    return [k for k, x in enumerate(parts) if np.result_type(x.dtype if type(x) is Var else x).kind in "fc"]


def along(program: Program, parts: Sequence[Any], positions: Sequence[int]) -> Callable[..., tuple[Any, ...]]:
    """Return `program` as a function of the parts at `positions`, the others held."""

    def run(*given: Any) -> tuple[Any, ...]:
        inputs = list(parts)
        for k, x in zip(positions, given, strict=True):
            inputs[k] = x
        return program(*inputs)

    return run


def _pull(g: Any, y: Any, packed: Any, program: Program) -> Any:
    parts = list(packed)
    positions = moving(parts)
    _, pull = vjp(along(program, parts, positions), *[parts[k] for k in positions])
    found = dict(zip(positions, pull(tuple(g)), strict=True))
    return slots([found.get(k) for k in range(len(parts))])


def _push(tangents: Sequence[Any], y: Any, packed: Any, program: Program) -> Any:
    parts = list(packed)
    positions = [k for k in moving(parts) if tangents[0][k] is not None]
    _, pushed = jvp(along(program, parts, positions), [parts[k] for k in positions], [tangents[0][k] for k in positions])
    return tuple(pushed)


def _batch(args: Sequence[Any], batched: Sequence[bool], program: Program) -> Any:
    parts = args[0]
    return vmap(program, in_axes=axes_of(parts))(*shared(parts))


checkpoint_p = Primitive(
    name="checkpoint", fn=lambda packed, program: program(*packed), pulls=(_pull,), push=_push, batch=_batch
)
"""A stretch of tape whose values were dropped; its rules run the stretch again."""


def _raise_dropped(*args: Any) -> Any:
    raise LeakedVarError(
        "a value traced inside a function under checkpoint was used outside of it without having been returned: "
        "it was dropped with the stretch of tape that made it"
    )


dropped_p = Primitive(name="dropped", fn=_raise_dropped, pulls=(_raise_dropped,), push=lambda tangents, y, x: None)
"""What stands on the tape where a checkpoint has dropped a node."""

DROPPED: Step = (dropped_p, (0,), (None,), NO_SETTINGS, None)
