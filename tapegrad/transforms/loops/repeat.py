"""`while_loop` and `fori_loop`: loops that run until something holds, or a number of times."""

from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeVar

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.doubt import doubt, looking
from tapegrad.core.node import CURRENT
from tapegrad.core.origins import depends_on_abstract
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.program import Program
from tapegrad.core.structure import pick_p
from tapegrad.core.var import Var, apply
from tapegrad.errors import MissingRuleError
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.checkpoint import along, moving
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.loops.body import as_carry, check_carry, own_copy, plain, trace_body, unwatched
from tapegrad.transforms.loops.scan import looped
from tapegrad.transforms.outputs import check_function, kind_of
from tapegrad.transforms.packed import axes_of, pack_p, shared, size_of, spread

Carry = TypeVar("Carry")


def while_loop(cond_fun: Callable[[Carry], Any], body_fun: Callable[[Carry], Carry], init_val: Carry) -> Carry:
    """Repeat ``value = body_fun(value)`` as long as ``cond_fun(value)`` holds.

    The loop is one node on the tape. It has a forward rule, and none for reverse mode: how often it runs is not known when
    the tape is recorded, and its values in between are not kept. Use `scan` or `fori_loop` with a fixed number of turns
    there, or Python's own ``while``, which works under `grad`.

    Args:
        cond_fun: gives a boolean scalar.
        body_fun: gives a value with the same tree, shapes and dtypes.
        init_val: the first value, a pytree.

    Raises:
        TypeError: if the value changes its shape or dtype, or the condition is no scalar.
        MissingRuleError: in reverse mode.

    Example:
        >>> while_loop(lambda x: x < 100.0, lambda x: x * 2.0, 1.0)
        np.float64(128.0)
    """
    check_function("while_loop", cond_fun)
    check_function("while_loop", body_fun)
    value = as_carry("while_loop", init_val)
    tape = CURRENT.get()
    if tape is None:
        init, value = value, own_copy(value)
        while truth(cond_fun(value)):
            new = body_fun(value)
            leaves, structure = tree.flatten(new)
            check_carry("while_loop", init, structure, leaves)
            value = new
        last: Carry = value
        return last
    leaves, structure = tree.flatten(value)
    test = trace_body("while_loop", tape, cond_fun, value)
    truth(test.example[0] if len(test.example) == 1 else test.example)
    body = trace_body("while_loop", tape, body_fun, value)
    check_carry("while_loop", value, body.structure, body.example)
    loop = While(test.program, body.program, len(leaves), len(test.captured))
    inputs = [*leaves, *test.captured, *body.captured]
    if not any(type(x) is Var for x in inputs):
        return tree.unflatten(structure, list(loop.run(tuple(inputs))))
    packed = apply(pack_p, *inputs)
    if tape.hopeful:  # at NaN it might never end
        doubt([tape.steps[x.index] for x in inputs if type(x) is Var])
    node = apply(while_p, packed, loop=loop)
    return tree.unflatten(structure, [apply(pick_p, node, which=k) for k in range(len(leaves))])


def fori_loop(lower: SupportsIndex, upper: SupportsIndex, body_fun: Callable[[Any, Carry], Carry], init_val: Carry) -> Carry:
    """Repeat ``value = body_fun(i, value)`` for i from `lower` to ``upper - 1``.

    Args:
        lower: an integer.
        upper: an integer. Where one of the two depends on an argument of `vmap`, there is no reverse rule; see `while_loop`.
        body_fun: gives a value with the same tree, shapes and dtypes.
        init_val: the first value, a pytree.

    Raises:
        TypeError: if the value changes its shape or dtype.

    Example:
        >>> fori_loop(0, 4, lambda i, total: total + i, 0)
        np.int64(6)
    """
    check_function("fori_loop", body_fun)
    if not any(type(n) is Var and depends_on_abstract(n) for n in (lower, upper)):
        start, stop = (bound(which, plain(n)) for which, n in (("lower", lower), ("upper", upper)))
        turns = np.arange(start, max(start, stop))
        last: Carry = looped("fori_loop", lambda value, i: (body_fun(i, value), None), init_val, turns)[0]
        return last
    first: Any = lower
    end: Any = upper
    _, value = while_loop(lambda s: s[0] < end, lambda s: (s[0] + 1, body_fun(s[0], s[1])), (first + 0, init_val))
    return value


def bound(which: str, n: Any) -> int:
    """Return a bound of `fori_loop` as an integer."""
    if np.shape(n) != () or np.result_type(n).kind not in "iu":
        raise TypeError(f"fori_loop: {which} must be an integer, got {kind_of(n)}")
    return int(n)


def truth(x: Any) -> bool:
    """Return the value of a condition."""
    x = plain(x)
    if isinstance(x, list) or np.shape(x) != () or np.asarray(x).dtype.kind not in "biuf":
        raise TypeError(f"while_loop: the condition must be a boolean scalar, got {x!r}")
    return bool(x)


@frozen(eq=False)
class While:
    """What a while loop is, besides its values."""

    test: Program
    body: Program
    carried: int
    captured: int

    def split(self, parts: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the carried values, and the captured ones of the test and of the body."""
        n, m = self.carried, self.carried + self.captured
        return list(parts[:n]), list(parts[n:m]), list(parts[m:])

    def run(self, packed: tuple[Any, ...]) -> tuple[Any, ...]:
        value, for_test, for_body = self.split(packed)
        test, body = looking(self.test), looking(self.body)
        while test(*value, *for_test)[0]:
            value = list(body(*value, *for_body))
        return tuple(value)


def _pull(*args: Any, **settings: Any) -> Any:
    raise MissingRuleError(
        "while_loop has no rule for reverse mode: the values of its turns are not kept, and their number is not known when it "
        "is recorded. Use tapegrad.scan or fori_loop with a fixed number of turns, or Python's own while under grad"
    )


def _push(tangents: Sequence[Any], y: Any, packed: Any, loop: While) -> Any:
    value, for_test, for_body = loop.split(packed)
    inputs = [*value, *for_body]
    given = [*tangents[0][: loop.carried], *tangents[0][loop.carried + loop.captured :]]
    wanted = moving([plain(x) for x in inputs])
    full = [
        (np.zeros(np.shape(plain(x)), np.result_type(plain(x))) if t is None else t) if k in wanted else None
        for k, (t, x) in enumerate(zip(given, inputs, strict=True))
    ]

    def forth(state: Any) -> Any:
        now, t_now = state
        at = [*now, *for_body]
        moved = [*t_now, *full[loop.carried :]]
        out, t_out = jvp(along(loop.body, at, wanted), [at[k] for k in wanted], [moved[k] for k in wanted])
        return list(out), [unwatched(t) if k in wanted else None for k, t in enumerate(t_out)]

    _, last = while_loop(lambda state: loop.test(*state[0], *for_test)[0], forth, (value, full[: loop.carried]))
    return tuple(last)


def _batch(args: Sequence[Any], batched: Sequence[bool], loop: While) -> Any:
    value, for_test, for_body = loop.split(args[0])
    axes = [0] * len(value)
    test = vmap(loop.test, in_axes=(*axes, *axes_of(for_test)))
    body = vmap(loop.body, in_axes=(*axes, *axes_of(for_body)))
    value, for_test, for_body = spread(value, size_of(args[0])), shared(for_test), shared(for_body)
    where, reshape = FUNCTIONS[np.where], FUNCTIONS[np.reshape]

    def running(now: Any) -> Any:
        return test(*now, *for_test)[0]

    def turn(now: Any) -> Any:
        goes_on = running(now)
        new = body(*now, *for_body)
        return [
            where(reshape(goes_on, (-1,) + (1,) * (np.ndim(plain(x)) - 1)), x, old) for x, old in zip(new, now, strict=True)
        ]

    return tuple(while_loop(lambda now: FUNCTIONS[np.any](running(now)), turn, value))


while_p = Primitive(name="while_loop", fn=lambda packed, loop: loop.run(packed), pulls=(_pull,), push=_push, batch=_batch)
"""A loop that runs until its condition fails."""
