"""The body of a loop or branch, recorded once and cut out of the tape as a program."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.complaints import leaked
from tapegrad.core.doubt import doubt, has_doubts, watched_p
from tapegrad.core.node import NO_SETTINGS, Recording, Unseen
from tapegrad.core.program import Program, extract
from tapegrad.core.structure import astype, root_p
from tapegrad.core.var import Var, handle
from tapegrad.errors import TreeError
from tapegrad.transforms.checkpoint import DROPPED
from tapegrad.transforms.entry import FRESH
from tapegrad.transforms.outputs import output_index


@frozen(eq=False, repr=False)
class Body:
    """A program, the outer values that it uses besides its arguments, and what it returned on its example."""

    program: Program
    captured: list[Any]
    structure: "tree.Structure[Any]"
    example: list[Any]


def plain(x: Any) -> Any:
    return x.value if type(x) is Var else x


def unwatched(c: Any) -> Any:
    """Return what a gradient or tangent inside a rule comes to, without a look at it: what the rule gives is looked at."""
    if type(c) is not Var or c.primitive is not watched_p:
        return c
    _, (source,), (value,), _, _ = c.tape.steps[c.index]
    return value if source is None else handle(c.tape, source, value, c.tape.steps[source][0])


def trace_body(name: str, tape: Recording, f: Callable[..., Any], *examples: Any, rows: Sequence[Any] = ()) -> Body:
    """Record ``f(*examples)`` without looking at the values, and take the stretch of tape out as a program.

    What a program computes on constants alone nobody looks at later: if there may be NaN in it, it is recorded with care.

    Args:
        name: what the user called.
        tape: the tape.
        f: the function.
        examples: what it is recorded on.
        rows: arrays, traced or not, of whose elements there are examples.
    """
    hopeful, tape.hopeful = tape.hopeful, tape.hopeful and tape.wholly
    try:
        body = record_body(name, tape, f, *examples)
        given = (*tree.leaves(examples), *rows, *body.captured)
        if tape.hopeful and has_doubts(body.program, any(type(x) is Var for x in given)):
            tape.hopeful = False
            body = record_body(name, tape, f, *examples)
        return body
    finally:
        tape.hopeful = hopeful


def record_body(name: str, tape: Recording, f: Callable[..., Any], *examples: Any) -> Body:
    """Record ``f(*examples)``; see `trace_body`."""
    steps = tape.steps
    start = len(steps)

    def trace(x: Any) -> Any:
        if type(x) is Var and x.tape is not tape:
            raise leaked(x)
        value = plain(x)
        steps.append((root_p, FRESH, (value,), NO_SETTINGS, value))
        return handle(tape, len(steps) - 1, value, root_p)

    traced = [tree.rebuild(trace, example) for example in examples]
    roots = len(steps) - start
    tape.abstract.append(Unseen(range(start, start + roots), name))
    try:
        results, structure = tree.flatten(f(*traced))
        for x in results:
            output_index(name, f, x, tape)
        program, captured = extract(tape, start, roots, results)
    except Exception:
        if tape.hopeful:
            doubt(steps[start:])
        raise
    finally:
        tape.abstract.pop()
        steps[start:] = [DROPPED] * (len(steps) - start)
    return Body(program, list(captured), structure, [plain(x) for x in results])


def as_carry(name: str, init: Any) -> Any:
    """Return `init` with numbers as NumPy scalars, so that they have a dtype to be held against.

    Traced ones too: the body is recorded with the first value, and a Python number takes the dtype of what it meets there,
    which the NumPy scalar that the first turn leaves does not.
    """

    def convert(x: Any) -> Any:
        if type(x) is Var:
            return x if isinstance(x.value, (np.ndarray, np.generic)) else astype(x, np.result_type(x.value))
        if not isinstance(x, (np.ndarray, np.generic, float, int, complex, bool)):
            raise TypeError(f"{name}: the carried value must be a tree of arrays, got a {type(x).__name__} in it")
        return np.asarray(x)[()]

    return tree.rebuild(convert, init)


def own_copy(init: Any) -> Any:
    """Return a tree with copies of its plain arrays, for a body that writes to them or donates them."""
    return tree.rebuild(lambda x: x.copy() if type(x) is np.ndarray else x, init)


def unwritable(x: Any) -> Any:
    """Return a view of a plain array that cannot be written to, nor its elements; `x` if it is none."""
    if type(x) is not np.ndarray:
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def writable(tree_of: Any) -> Any:
    """Return a tree with copies of the arrays in it that cannot be written to."""
    return tree.rebuild(lambda x: x.copy() if type(x) is np.ndarray and not x.flags.writeable else x, tree_of)


def check_carry(name: str, init: Any, structure: "tree.Structure[Any]", results: Sequence[Any]) -> None:
    """Raise unless what the body returns as carried value is like what it was given.

    Raises:
        TreeError: if the trees differ.
        TypeError: if a shape or dtype differs, naming the path.
    """
    given, given_structure = tree.flatten(init)
    if structure != given_structure:
        raise TreeError(f"{name}: the body returns a carried value of structure {structure}, but was given {given_structure}")
    for path, x, y in zip(tree.paths(init), given, results, strict=True):
        x, y = plain(x), plain(y)
        if np.shape(x) != np.shape(y) or np.result_type(x) != np.result_type(y):
            raise TypeError(
                f"{name}: the body returns a carried value{' at ' + path if path else ''} of shape {np.shape(y)} and dtype "
                f"{np.result_type(y)}, but was given shape {np.shape(x)} and dtype {np.result_type(x)}; they must be the same"
            )
