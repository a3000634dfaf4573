"""From `scan` and `while_loop` to loops whose bodies are traces, and back where that does not go."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.loops.node import Repeat, alike, loop_p
from tapegrad.compiler.passes.rewriting import put, replayed
from tapegrad.compiler.trace import Trace, record
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import pick_p, root_p
from tapegrad.core.var import Var
from tapegrad.transforms.loops.body import plain
from tapegrad.transforms.loops.repeat import While, while_p
from tapegrad.transforms.loops.scan import Loop, first_of, scan_p
from tapegrad.transforms.packed import pack_p


def convert(trace: Trace) -> Trace:
    """Put loops with traced bodies in place of `scan` and `while_loop`, and take apart what was packed for them."""

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        if primitive is pack_p:
            return tuple(args)
        if not any(type(x) is tuple for x in args):
            return None
        if primitive is scan_p or primitive is while_p:
            loop = settings["loop"]
            found = from_scan(loop, args[0], trace) if primitive is scan_p else from_while(loop, args[0], trace)
            if found is not None:
                return put_loop(found, args[0], value)
        tape = CURRENT.get()
        assert tape is not None
        given = [packed(x) if type(x) is tuple and any(type(part) is Var for part in x) else x for x in args]
        return put(tape, primitive, given, settings, value)

    return replayed(trace, rewrite)


def packed(parts: Sequence[Any]) -> Any:
    """Return values as one again, for an operation that takes them so."""
    tape = CURRENT.get()
    assert tape is not None
    return put(tape, pack_p, parts, {}, tuple([plain(x) for x in parts]))


def put_loop(loop: Repeat, args: Sequence[Any], value: tuple[Any, ...]) -> tuple[Var, ...]:
    """Append a loop, and return its outputs."""
    tape = CURRENT.get()
    assert tape is not None
    node = put(tape, loop_p, args, {"loop": loop}, value)
    return tuple([put(tape, pick_p, [node], {"which": k}, y) for k, y in enumerate(value)])


def from_scan(loop: Loop, args: Sequence[Any], trace: Trace) -> Repeat | None:
    """Return the loop that a `scan` is, or None if its values change their kind on the way."""
    carry, xs, captured = loop.split([plain(x) for x in args])
    examples = [*[as_carried(x) for x in carry], *[first_of(x) for x in xs], *captured]
    body = recorded(loop.program, examples, trace.hopeful)
    count = len(body.outputs)
    body = Trace(
        body.steps,
        body.inputs,
        (*body.outputs, *range(loop.carried)),  # the carried values of each turn are stacked
        (*body.constants, *[None] * loop.carried),
        body.hopeful,
    )
    found = Repeat(body, loop.carried, loop.xs, loop.turns, loop.reverse)
    stacked = [found.example(k) for k in range(loop.carried, count)]
    kinds = [(np.shape(y), np.result_type(y)) for y in stacked]
    steady = all(same_kind(found.example(k), examples[k]) for k in range(loop.carried))
    return found if steady and kinds == list(loop.ys) else None


def from_while(loop: While, args: Sequence[Any], trace: Trace) -> Repeat | None:
    """Return the loop that a `while_loop` is, or None if its values change their kind on the way."""
    carry, for_test, for_body = loop.split([plain(x) for x in args])
    n, m = loop.carried, loop.carried + loop.captured

    def turn(*inputs: Any) -> Any:
        return (loop.test(*inputs[:m])[0], *loop.body(*inputs[:n], *inputs[m:]))

    examples = [*[as_carried(x) for x in carry], *for_test, *for_body]
    body = recorded(turn, examples, trace.hopeful)
    found = Repeat(body, loop.carried, 0, None)
    return found if all(same_kind(found.example(k + 1), examples[k]) for k in range(n)) else None


def recorded(turn: Callable[..., Any], examples: Sequence[Any], hopeful: bool) -> Trace:
    """Return the trace of a body, without the roots of transforms in it, which give another name to a value."""
    body, _ = record(turn, examples, lambda leaves: (tuple(leaves), {}), hopeful)
    return replayed(body, lambda primitive, args, settings, value: args[0] if primitive is root_p else None)


def as_carried(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) else alike(x, None)


def same_kind(x: Any, y: Any) -> bool:
    """Tell whether two values are of one shape and dtype, and both arrays or both numbers of NumPy."""
    return type(x) is type(y) and np.shape(x) == np.shape(y) and np.result_type(x) == np.result_type(y)
