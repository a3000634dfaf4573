"""`scan` and `map`: a loop over the leading axis as one node."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.program import Program
from tapegrad.core.structure import pick_p
from tapegrad.core.var import Var, apply
from tapegrad.transforms.batch import made_up, vmap
from tapegrad.transforms.checkpoint import along, moving
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.loops.body import as_carry, check_carry, own_copy, plain, trace_body, unwatched, unwritable, writable
from tapegrad.transforms.outputs import check_function, kind_of
from tapegrad.transforms.packed import Same, axes_of, pack_p, shared, size_of, slots, spread
from tapegrad.transforms.pullback import vjp
from tapegrad.typing import Array, Scalar

Carry = TypeVar("Carry")
Turn = TypeVar("Turn")


@overload
def scan(
    f: Callable[[Carry, Any], tuple[Carry, Scalar]],
    init: Carry,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Carry, Array]: ...
@overload
def scan(
    f: Callable[[Carry, Any], tuple[Carry, Turn]], init: Carry, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Carry, Turn]: ...
def scan(
    f: Callable[[Carry, Any], tuple[Carry, Any]], init: Carry, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Carry, Any]:
    """Carry a value through a loop over the leading axis of `xs`, and stack what each turn puts out.

    The loop is one node on the tape, however long it is; the backward replay keeps only the carried value of each turn.

    Args:
        f: ``f(carry, x) -> (carry, y)``; it is recorded once and must not look at values.
        init: the first carried value, a pytree; `f` must return one with the same shapes and dtypes.
        xs: a pytree of arrays of shape ``(turns, ...)``, or None.
        length: the number of turns, needed where `xs` is None.
        reverse: go from the last element to the first; `y` s are stacked in the order of `xs` all the same.

    Returns:
        The last carried value, and a tree like `y` with a leading axis of the number of turns.

    Raises:
        ValueError: if lengths differ, or none is given, or it is negative.
        TypeError: if the carried value changes its shape or dtype, or the length is no integer.

    Example:
        >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
        (np.float64(6.0), array([0., 1., 3.]))
    """
    out: tuple[Carry, Any] = looped("scan", f, init, xs, length, reverse)
    return out


@overload
def map(f: Callable[[Any], Scalar], xs: Any) -> Array: ...
@overload
def map(f: Callable[[Any], Turn], xs: Any) -> Turn: ...
def map(f: Callable[[Any], Any], xs: Any) -> Any:  # the name that jax.lax users look for
    """Apply `f` to each element along the leading axis of `xs`, one after the other, as one node on the tape.

    Args:
        f: a function of one element, a pytree; it is recorded once and must not look at values.
        xs: a pytree of arrays of shape ``(count, ...)``.

    Returns:
        A tree like the output of `f`, with a leading axis.

    Raises:
        ValueError: if the leading axes differ.

    Example:
        >>> map(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
        array([1., 4., 9.])
    """
    check_function("map", f)
    return looped("map", lambda carry, x: (carry, f(x)), None, xs)[1]


def looped(
    name: str, f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, length: int | None = None, reverse: bool = False
) -> Any:
    """Run `scan` under the name that the user called it by."""
    check_function(name, f)
    turns = count_turns(name, xs, length)
    init = as_carry(name, init)
    tape = CURRENT.get()
    leaves, xs_structure = tree.flatten(xs)
    if tape is None:
        return run_plain(name, f, init, leaves, xs_structure, turns, reverse)
    example = tree.unflatten(xs_structure, [first_of(x) for x in leaves])
    body = trace_body(name, tape, lambda carry, x: pair(name, f(carry, x)), init, example, rows=leaves)
    carried, carry_structure = tree.flatten(init)
    count = len(carried)
    out_carry, out_y = body.structure.children
    check_carry(name, init, out_carry, body.example[: out_carry.count])
    loop = Loop(body.program, count, len(leaves), turns, reverse, tuple(like(y) for y in body.example[count:]))
    outputs = record(loop, [*carried, *leaves, *body.captured])
    last = tree.unflatten(carry_structure, outputs[:count])
    return last, tree.unflatten(out_y, outputs[count : count + len(loop.ys)])


@frozen(eq=False)
class Loop:
    """What a scan is, besides its values: the program of its body, and how many carried values, `xs` and turns there are."""

    program: Program
    carried: int
    xs: int
    turns: int
    reverse: bool
    ys: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]

    def split(self, parts: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the carried values, the `xs` and the captured values among the inputs."""
        return (
            list(parts[: self.carried]),
            list(parts[self.carried : self.carried + self.xs]),
            list(parts[self.carried + self.xs :]),
        )

    def order(self) -> range:
        return range(self.turns - 1, -1, -1) if self.reverse else range(self.turns)


def record(loop: Loop, inputs: Sequence[Any]) -> list[Any]:
    """Run a loop, as a node if an input is traced; return last carried values, stacked outputs, stacked carried values."""
    if not any(type(x) is Var for x in inputs):
        return list(run_program(tuple(inputs), loop))
    node = apply(scan_p, apply(pack_p, *inputs), loop=loop)
    return [apply(pick_p, node, which=k) for k in range(len(node.value))]


def run_program(packed: tuple[Any, ...], loop: Loop) -> tuple[Any, ...]:
    carry, xs, captured = loop.split(packed)
    carry = [np.asarray(x)[()] for x in carry]
    histories = [np.empty((loop.turns, *np.shape(x)), np.result_type(x)) for x in carry]
    ys = [np.empty((loop.turns, *shape), dtype) for shape, dtype in loop.ys]
    for t in loop.order():
        for history, x in zip(histories, carry, strict=True):
            history[t] = x
        out = loop.program(*carry, *[x[t] for x in xs], *captured)
        carry = list(out[: loop.carried])
        for stack, y in zip(ys, out[loop.carried :], strict=True):
            stack[t] = y
    return (*carry, *ys, *histories)


def run_plain(
    name: str,
    f: Callable[..., Any],
    init: Any,
    leaves: list[Any],
    xs_structure: "tree.Structure[Any]",
    turns: int,
    reverse: bool,
) -> tuple[Any, Any]:
    """Run a loop of which nothing is traced: Python's own, with the user's function."""
    leaves = [unwritable(x) for x in leaves]
    carry = own_copy(init)
    stacks: list[Any] = []
    y_structure: Any = tree.structure(None)
    if turns == 0:
        _, y = pair(name, f(own_copy(init), tree.unflatten(xs_structure, [first_of(x) for x in leaves])))
        examples, y_structure = tree.flatten(y)
        stacks = [np.empty((0, *np.shape(x)), np.result_type(x)) for x in examples]
    for turn in range(turns):
        t = turns - 1 - turn if reverse else turn
        made, y = pair(name, f(carry, tree.unflatten(xs_structure, [x[t] for x in leaves])))
        if turn == 0:
            results, structure = tree.flatten(made)
            check_carry(name, init, structure, results)
            examples, y_structure = tree.flatten(y)
            stacks = [np.empty((turns, *np.shape(x)), np.result_type(x)) for x in examples]
        carry = made
        for stack, x in zip(stacks, tree.leaves(y), strict=True):
            stack[t] = x
    return writable(carry), tree.unflatten(y_structure, stacks)


def _pull(g: Any, y: Any, packed: Any, loop: Loop) -> Any:
    parts = list(packed)
    carry, xs, captured = loop.split(parts)
    outputs = list(y)
    histories = outputs[loop.carried + len(loop.ys) :]
    g_carry, g_ys = list(g[: loop.carried]), list(g[loop.carried : loop.carried + len(loop.ys)])
    g_histories = list(g[loop.carried + len(loop.ys) :])  # there are some only where this rule itself is differentiated
    kinds = [plain(x) for x in (*carry, *[first_of(x) for x in xs], *captured)]
    wanted = moving(kinds)
    in_carry = [k for k in wanted if k < loop.carried]
    in_xs = [k - loop.carried for k in wanted if loop.carried <= k < loop.carried + loop.xs]
    in_captured = [k - loop.carried - loop.xs for k in wanted if k >= loop.carried + loop.xs]
    floating = [k for k, y_k in enumerate(loop.ys) if y_k[1].kind in "fc"]

    def back(state: Any, turn: Any) -> Any:
        g_state, g_captured = state
        then_carry, then_x, g_y, g_history = turn
        inputs = [*then_carry, *then_x, *captured]
        out, pull = vjp(along(loop.program, inputs, wanted), *[inputs[k] for k in wanted])
        full = [np.zeros(np.shape(plain(o)), np.result_type(plain(o))) for o in out]
        for k, c in zip(in_carry, g_state, strict=True):
            full[k] = c
        for k, c in zip(floating, g_y, strict=True):
            full[loop.carried + k] = full[loop.carried + k] if c is None else c
        found = [unwatched(c) for c in pull(tuple(full))]
        a, b = len(in_carry), len(in_carry) + len(in_xs)
        g_before = [c if more is None else c + more for c, more in zip(found[:a], g_history, strict=True)]
        return (g_before, [old + new for old, new in zip(g_captured, found[b:], strict=True)]), found[a:b]

    zeros = [np.zeros(np.shape(plain(captured[k])), np.result_type(plain(captured[k]))) for k in in_captured]
    last_zeros = [np.zeros(np.shape(plain(carry[k])), np.result_type(plain(carry[k]))) for k in in_carry]
    start = ([zero if g_carry[k] is None else g_carry[k] for k, zero in zip(in_carry, last_zeros, strict=True)], zeros)
    turns = (histories, xs, [g_ys[k] for k in floating], [g_histories[k] for k in in_carry])
    (last, g_captured), g_xs = scan(back, start, turns, loop.turns, reverse=not loop.reverse)
    found = dict(zip(wanted, [*last, *g_xs, *g_captured], strict=True))
    return slots([found.get(k) for k in range(len(parts))])


def _push(tangents: Sequence[Any], y: Any, packed: Any, loop: Loop) -> Any:
    parts = list(packed)
    carry, xs, captured = loop.split(parts)
    kinds = [plain(x) for x in (*carry, *[first_of(x) for x in xs], *captured)]
    wanted = moving(kinds)
    full = [
        (t if t is not None else np.zeros(np.shape(plain(x)), np.result_type(plain(x)))) if k in wanted else None
        for k, (t, x) in enumerate(zip(tangents[0], parts, strict=True))
    ]
    t_carry, t_xs, t_captured = loop.split(full)

    def forth(state: Any, turn: Any) -> Any:
        now, t_now = state
        x, t_x = turn
        inputs = [*now, *x, *captured]
        given = [*t_now, *t_x, *t_captured]
        out, t_out = jvp(along(loop.program, inputs, wanted), [inputs[k] for k in wanted], [given[k] for k in wanted])
        moved = [unwatched(t) if np.result_type(plain(o)).kind in "fc" else None for o, t in zip(out, t_out, strict=True)]
        n = loop.carried
        return (list(out[:n]), moved[:n]), (list(out[n:]), moved[n:], list(now), list(t_now))

    (_, t_last), (_, t_ys, _, t_histories) = scan(forth, (carry, t_carry), (xs, t_xs), loop.turns, loop.reverse)
    return (*t_last, *t_ys, *t_histories)


def _batch(args: Sequence[Any], batched: Sequence[bool], loop: Loop) -> Any:
    carry, xs, captured = loop.split(args[0])
    axes = (*[0] * len(carry), *axes_of(xs), *axes_of(captured))
    carry = spread(carry, size_of(args[0]))
    swap = FUNCTIONS[np.moveaxis]
    turned = [x.value if type(x) is Same else swap(x, 0, 1) for x in xs]
    held = shared(captured)

    def body(state: Any, turn: Any) -> Any:
        out = vmap(loop.program, in_axes=axes)(*state, *turn, *held)
        return list(out[: loop.carried]), (list(out[loop.carried :]), list(state))

    last, (ys, histories) = scan(body, carry, turned, loop.turns, loop.reverse)
    return (*last, *[swap(y, 0, 1) for y in ys], *[swap(h, 0, 1) for h in histories])


scan_p = Primitive(
    name="scan",
    fn=lambda packed, loop: run_program(packed, loop),
    pulls=(_pull,),
    push=_push,
    batch=_batch,
    sparse=True,  # of the stacked carried values there is a cotangent in second derivatives only
)
"""A loop: last carried values, stacked outputs, and the stacked carried values that its rules need."""


def pair(name: str, out: Any) -> tuple[Any, Any]:
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(f"{name}: the body must return (carry, y), got {kind_of(out)}")
    return out


def like(x: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return np.shape(x), np.result_type(x)


def first_of(x: Any) -> Any:
    """Return an example of the elements along the leading axis; one is made up where there is none."""
    value = plain(x)
    return value[0] if len(value) else made_up(value.shape[1:], value.dtype)


def count_turns(name: str, xs: Any, length: int | None) -> int:
    """Return the number of turns.

    Raises:
        TypeError: if the length is no integer.
        ValueError: if there is no one number.
    """
    sizes: dict[str, int] = {}
    for path, x in zip(tree.paths(xs), tree.leaves(xs), strict=True):
        shape = np.shape(plain(x))
        if not shape:
            raise ValueError(f"{name}: xs{path} is a scalar and has no leading axis to loop over")
        sizes[f"xs{path}"] = shape[0]
    if length is not None:
        sizes["length"] = turns_of(name, length)
    if not sizes:
        raise ValueError(f"{name}: give xs or a length")
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{name}: the leading axes differ: {', '.join(f'{which} has {n}' for which, n in sizes.items())}")
    return next(iter(sizes.values()))


def turns_of(name: str, length: Any) -> int:
    """Return a length that was given as a number."""
    try:
        turns = operator.index(length)
    except TypeError:
        raise TypeError(f"{name}: length must be an integer, got {kind_of(length)}") from None
    if turns < 0:
        raise ValueError(f"{name}: length must be 0 or more, got {turns}")
    return turns
