"""Passes that replay a trace onto a new one, step by step, each step as it was or in other words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.node import CURRENT, NO_SETTINGS, Recording, Step, Unseen
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import pick_p, root_p
from tapegrad.core.var import Var, handle

Rewrite: TypeAlias = Callable[[Primitive, Sequence[Any], dict[str, Any], Any], Any]
"""``rewrite(primitive, args, settings, value)``: the output in other words (a traced value on the new trace, a tuple of them,
or a constant), or None where the step is to stay as it is."""

Recorder: TypeAlias = Callable[[Step], Any]


Instead: TypeAlias = Callable[[int, dict[int, Any]], Any]
"""``instead(index, new)``: the output of a step in other words, from what the steps before it have become; or None."""


Early: TypeAlias = Callable[[dict[int, Any]], None]
"""``early(new)`` enters what some later steps come to."""


def replayed(
    trace: Trace,
    rewrite: Rewrite | None = None,
    instead: Mapping[int, Instead] | None = None,
    early: Mapping[int, Sequence[Early]] | None = None,
) -> Trace:
    """Return a trace that computes the same: each step that the outputs need in other words, or as it was.

    Args:
        trace: what is replayed.
        rewrite: knows other words by what a step is.
        instead: knows them for single steps.
        early: knows them for steps that come later than the one that it is listed under.
    """
    tape = Recording(hopeful=trace.hopeful, wholly=True)
    tape.steps.extend(trace.steps[: trace.inputs])
    tape.abstract.append(Unseen(range(trace.inputs), "jit"))
    new: dict[int, Any] = {k: handle(tape, k, step[4], root_p) for k, step in enumerate(tape.steps)}
    token = CURRENT.set(tape)
    try:
        with np.errstate(all="ignore"):
            if early is not None:
                hurry(early, new, range(trace.inputs))
            for index in alive(trace):
                if index in new:
                    continue
                primitive, inputs, args, settings, value = trace.steps[index]
                given = [x if source is None else new[source] for source, x in zip(inputs, args, strict=True)]
                if primitive is pick_p and type(given[0]) is tuple:
                    new[index] = given[0][settings["which"]]
                    continue
                y = None if rewrite is None else rewrite(primitive, given, settings, value)
                if instead is not None and index in instead:
                    y = instead[index](index, new)
                new[index] = put(tape, primitive, given, settings, value) if y is None else y
                if early is not None:
                    hurry(early, new, (index,))
    finally:
        CURRENT.reset(token)
        steps, tape.steps = tape.steps, []
    results = [x if index is None else new[index] for index, x in zip(trace.outputs, trace.constants, strict=True)]
    traced = [type(y) is Var for y in results]
    return Trace(
        steps,
        trace.inputs,
        tuple([y.index if is_traced else None for y, is_traced in zip(results, traced, strict=True)]),
        tuple([None if is_traced else y for y, is_traced in zip(results, traced, strict=True)]),
        trace.hopeful,
    )


def hurry(early: Mapping[int, Sequence[Early]], new: dict[int, Any], known: Iterable[int]) -> None:
    """Compute what can be, now that some steps are known."""
    for index in known:
        for compute in early.get(index, ()):
            compute(new)


def put(tape: Recording, primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Var:
    """Append a step whose value is known."""
    inputs = tuple([x.index if type(x) is Var else None for x in args])
    plain = tuple([x.value if type(x) is Var else x for x in args])
    tape.steps.append((primitive, inputs, plain, settings or NO_SETTINGS, value))
    return handle(tape, len(tape.steps) - 1, value, primitive)


def producer(x: Any) -> Step | None:
    """Return the step that made a traced value; None for a constant."""
    return x.tape.steps[x.index] if type(x) is Var else None


def argument(x: Var, k: int) -> Any:
    """Return argument `k` of the step that made `x`, as it stands on the tape."""
    _, inputs, args, _, _ = x.tape.steps[x.index]
    source = inputs[k]
    return args[k] if source is None else handle(x.tape, source, args[k], x.tape.steps[source][0])


# Passes of this kind


def expand(trace: Trace) -> Trace:
    """Take operations apart into simpler ones, where a primitive says how (`Primitive.expand`)."""

    expanded = True

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        nonlocal expanded
        if primitive.expand is None or not any(type(x) is Var for x in args):
            return None
        y = primitive.expand(*args, **settings)
        if y is not None:
            expanded = True
            assert same_kind(y, value), f"expand of {primitive.name}"
        return y

    while expanded:
        expanded = False
        trace = replayed(trace, rewrite)
    return trace


def same_kind(y: Any, value: Any) -> bool:
    if type(value) is tuple:
        return all(same_kind(part, v) for part, v in zip(y, value, strict=True))
    plain = y.value if type(y) is Var else y
    return np.shape(plain) == np.shape(value) and np.result_type(plain) == np.result_type(value)


def fold(trace: Trace) -> Trace:
    """Replace what depends on no argument by its value."""
    moving = set(range(trace.inputs))
    for index in alive(trace):
        if any(source in moving for source in trace.steps[index][1]):
            moving.add(index)

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        return None if any(type(x) is Var for x in args) else value

    return trace if len(moving) == trace.inputs + len(alive(trace)) else replayed(trace, rewrite)


COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum"})
"""Operations of two arguments whose order does not matter."""


def merge(trace: Trace) -> Trace:
    """Compute only once what is computed twice: the same operation on the same arguments with the same settings."""
    met: dict[Any, Var] = {}

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        given = tuple([identity(x) for x in args])
        if primitive.name in COMMUTATIVE:
            given = tuple(sorted(given, key=repr))
        key = (primitive, given, identity(settings))
        if key not in met:
            tape = CURRENT.get()
            assert tape is not None
            met[key] = put(tape, primitive, args, settings, value)
        return met[key]

    return replayed(trace, rewrite)


def identity(x: Any) -> Any:
    """Return something hashable that is equal for what is certainly the same."""
    if type(x) is Var:
        return Var, x.index
    if isinstance(x, dict):
        return tuple(sorted((name, identity(v)) for name, v in x.items())) if x else ()
    if isinstance(x, (tuple, list)):
        return type(x), tuple([identity(v) for v in x])
    if isinstance(x, (int, float, complex, str, np.generic, np.dtype, slice)) or x is None or x is Ellipsis:
        return type(x), repr(x)  # -0.0 is not 0.0, and nan is nan
    return id(x)
