"""Replays of a stretch of the tape: backwards carrying cotangents, forwards carrying tangents.

A replay belongs to one transform, and so does its table of cotangents or tangents: nested transforms cannot confuse each
other's.

On plain arrays, the hot path, the backward replay is optimistic. It runs bare rules, and looks for NaN once, in what it
leaves behind: cotangents pass through linear maps only, so that a NaN in the middle arrives there. Only if there is one, the
stretch runs again with rules that know that nothing times infinity is nothing. Inside another transform rules run on traced
values, carefully at once, and what they compute is recorded for the outer replay.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from attrs import evolve

from tapegrad.core.arrays import probe, sum_to
from tapegrad.core.doubt import checked, has_nan
from tapegrad.core.heap import HEAP, KEPT
from tapegrad.core.node import Recording, Step
from tapegrad.core.pending import Scatter, Slots
from tapegrad.core.primitive import Primitive
from tapegrad.core.quiet import quietly as quietly
from tapegrad.core.structure import astype, pick_p
from tapegrad.core.var import Var, apply, handle
from tapegrad.core.watch import WatchedSteps
from tapegrad.errors import RuleError
from tapegrad.transforms.packed import pack_p

Table: TypeAlias = list[Any]
"""One entry a node, None where nothing has arrived."""

BUDGET = 16 * 2**20
"""How many bytes of node values an optimistic stretch holds on to before it is checked, and let go of."""

PENDING = frozenset({Scatter, Slots})

HEAP.keep(KEPT)  # a replay is the moment at which all that a tape has held is let go of


def backwards(steps: list[Step], table: Table, roots: int, keep: bool = False) -> None:
    """Carry cotangents back over a whole tape, on plain arrays.

    Args:
        steps: the nodes of the tape; unless `keep`, those behind the roots are dropped as they are used up.
        table: one entry a node, the roots at least; theirs are left in it, and nothing else.
        roots: how many nodes at the start of the tape are roots.
        keep: leave the nodes as they are (the tape will be replayed again).
    """
    if type(steps) is WatchedSteps:
        carefully(steps, table, 0, len(table), roots, None, None)
        del table[roots:]
        return
    top = len(table)
    if keep:
        steps = steps[:top]
    else:
        del steps[top:]
    first = True
    while top > roots:
        if not first:
            table[:] = [c.shared() if type(c) is Scatter else c for c in table]
        before = table[:]
        try:
            bottom = _hurry(steps, table, top, roots, BUDGET, sums=not first)
            has_failed = any_nan(table)
        except Exception:  # some rules refuse NaN; the careful replay tells whether it was that
            bottom, has_failed = roots, True
        if has_failed:
            table[:] = before
            carefully(steps, table, 0, top, bottom, None, None)
        del table[bottom:], before, steps[bottom:]
        top = bottom
        first = False


def _hurry(steps: list[Step], table: Table, top: int, bottom: int, budget: int, sums: bool) -> int:
    """Run the bare rules from ``top - 1`` down to `bottom`, or until `budget` is spent; return where it stopped.

    This loop is the price of every operation in every gradient. It is written flat; an operation of one input without settings,
    which needs no inner loop, comes first; and what is rare is found where shape or dtype do not agree at once.

    Args:
        steps: the nodes, up to `top`.
        table: the cotangents, one entry a node.
        top: one past the first node to replay.
        bottom: the last one.
        budget: bytes of node values after which to stop.
        sums: cotangents that are still sums may be in the table.
    """
    weight = 0
    ndarray = np.ndarray
    take = table.pop
    for primitive, inputs, args, settings, value in islice(reversed(steps), top - bottom):
        g = take()
        if g is None:
            continue
        if sums and type(g) in PENDING:
            g = settle(g, value, primitive)
        if len(inputs) == 1 and not settings:
            (source,) = inputs
            (x,) = args
            if source is None:
                continue
            c = primitive.pulls[0](g, value, x)
            try:
                if c.shape != x.shape or c.dtype is not x.dtype:
                    c = conform(c, x, primitive)
                    sums = sums or type(c) in PENDING
            except AttributeError:
                c = conform(c, x, primitive)
                sums = sums or type(c) in PENDING
            if c is None:
                continue
            held = table[source]
            table[source] = c if held is None else held + c
        else:
            for source, x, pull in zip(inputs, args, primitive.pulls):  # noqa: B905  # variadic pulls do not end
                if source is None:
                    continue
                c = pull(g, value, *args, **settings) if settings else pull(g, value, *args)
                try:
                    if c.shape != x.shape or c.dtype is not x.dtype:
                        c = conform(c, x, primitive)
                        sums = sums or type(c) in PENDING
                except AttributeError:
                    c = conform(c, x, primitive)
                    sums = sums or type(c) in PENDING
                if c is None:
                    continue
                held = table[source]
                table[source] = c if held is None else held + c
        if type(value) is ndarray:
            weight += value.nbytes
            if weight > budget:
                break
    return len(table)


def carefully(
    steps: Sequence[Step], table: Table, start: int, top: int, bottom: int, marked: bytearray | None, lift: Recording | None
) -> None:
    """Run the careful rules from ``top - 1`` down to `bottom`; the table begins at node `start`.

    Args:
        marked: the nodes that take part; None for all.
        lift: the live tape, if the replay is to be recorded on it.
    """
    watched = steps if type(steps) is WatchedSteps else None
    for index in range(top - 1, bottom - 1, -1):
        g = table[index - start]
        if g is None:
            continue
        table[index - start] = None  # what holds it alone may use it up
        step = steps[index]
        primitive, inputs, plain_args, settings, value = step
        if type(g) in PENDING:
            g = settle(g, value, primitive)
        y, args = (value, plain_args) if lift is None else lifted(step, index, steps, lift)
        rules = primitive.careful or primitive.pulls
        for k, source in enumerate(inputs):
            if source is None or source < start or (marked is not None and not marked[source - start]):
                continue
            x = plain_args[k]
            if hasattr(x, "dtype") and x.dtype.kind in "biu":  # which nothing depends on smoothly, and not all rules take
                continue
            c = conform(rules[k](g, y, *args, **settings), x, primitive)
            if watched is not None:
                c = checked(c, partial(watched.check_cotangent, index=index, position=k, source=source))
            if c is None:
                continue
            held = table[source - start]
            table[source - start] = c if held is None else held + c


def forwards(steps: Sequence[Step], table: Table, start: int, stop: int, wanted: Iterable[int], lift: Recording | None) -> None:
    """Carry the tangents in `table` forward from the roots through ``steps[start:stop]``; the table begins at `start`.

    Each is dropped where it was needed last, so that what holds it alone may use it up; those of the `wanted` nodes are left.
    """
    watched = steps if type(steps) is WatchedSteps else None
    last = last_uses(steps, start, stop)
    for index in wanted:
        last[index - start] = stop
    for index in range(start, stop):
        if table[index - start] is not None:
            continue
        step = steps[index]
        primitive, inputs, plain_args, settings, value = step
        tangents = [None if source is None or source < start else table[source - start] for source in inputs]
        if all(t is None for t in tangents):
            continue
        for source in inputs:
            if source is not None and source >= start and last[source - start] == index:
                table[source - start] = None
        y, args = (value, plain_args) if lift is None else lifted(step, index, steps, lift)
        table[index - start] = t = fitted(primitive.push(tangents, y, *args, **settings), value, primitive)
        if watched is not None:
            table[index - start] = checked(t, partial(watched.check_tangent, index=index))


def fitted(t: Any, value: Any, primitive: Primitive) -> Any:
    """Bring a tangent to the shape and dtype of its primal."""
    return t if type(value) is tuple or t is None else conform(t, value, primitive, "tangent")


def last_uses(steps: Sequence[Step], start: int, stop: int) -> list[int]:
    """Return, for each node of ``steps[start:stop]``, the last of them that uses it; 0 where none does."""
    last = [0] * (stop - start)
    for index in range(start, stop):
        for source in steps[index][1]:
            if source is not None and source >= start:
                last[source - start] = index
    return last


def marks(steps: Sequence[Step], start: int, roots: int, stop: int) -> bytearray:
    """Mark the nodes of ``steps[start:stop]`` that depend on one of its first `roots`, in one sweep."""
    marked = bytearray(stop - start)
    marked[:roots] = b"\1" * roots
    for index in range(start + roots, stop):
        primitive, inputs, _, _, _ = steps[index]
        for source in () if primitive.constant else inputs:
            if source is not None and source >= start and marked[source - start]:
                marked[index - start] = 1
                break
    return marked


def prune(steps: list[Step], roots: int) -> None:
    """Cut the inputs that do not depend on the first `roots` nodes, so that no cotangent goes there."""
    marked = marks(steps, 0, roots, len(steps))
    for index in range(roots, len(steps)):
        primitive, inputs, args, settings, value = steps[index]
        if any(source is not None and not marked[source] for source in inputs):
            cut = tuple([source if source is not None and marked[source] else None for source in inputs])
            steps[index] = (primitive, cut, args, settings, value)


def lifted(step: Step, index: int, steps: Sequence[Step], lift: Recording) -> tuple[Any, Sequence[Any]]:
    """Return the output and the arguments of a node as traced values; of several outputs a tuple of them."""
    primitive, inputs, args, _, value = step
    if primitive is pick_p:  # whose rules look at neither; and to trace all of several outputs for each of them is quadratic
        return value, args
    y = traced(lift, index, value, primitive)
    return y, [
        x if source is None else traced(lift, source, x, steps[source][0]) for source, x in zip(inputs, args, strict=True)
    ]


def traced(lift: Recording, index: int, value: Any, primitive: Primitive) -> Any:
    """Return the value of a node as a traced one."""
    x = handle(lift, index, value, primitive)
    if type(value) is not tuple:
        return x
    if primitive is pack_p:  # which is nothing but its parts
        _, inputs, args, _, _ = lift.steps[index]
        return tuple(
            [
                part if source is None else handle(lift, source, part, lift.steps[source][0])
                for source, part in zip(inputs, args, strict=True)
            ]
        )
    return tuple([apply(pick_p, x, which=k) for k in range(len(value))])


def settle(g: Any, value: Any, primitive: Primitive) -> Any:
    """Write out a cotangent that is still a sum."""
    return g.settle(apply) if type(g) is Scatter else g.settle(value, apply, primitive.sparse)


def any_nan(cotangents: Sequence[Any]) -> bool:
    """Tell whether there is a NaN in one of some cotangents."""
    ndarray = np.ndarray
    for c in cotangents:
        if type(c) is ndarray:
            square = c.dot(c) if c.ndim == 1 and c.flags.c_contiguous else probe(c)
            if square != square:
                return True
        elif c is not None and holds_nan(c):
            return True
    return False


def holds_nan(c: Any) -> bool:
    """Tell whether an element of a cotangent, written out or not, is NaN."""
    if type(c) is Scatter:
        return any(holds_nan(piece) for _, piece in c.items()) or (c.dense is not None and holds_nan(c.dense))
    if type(c) is Slots:
        return any(holds_nan(part) for part in c.parts.values())
    return has_nan(c)


def conform(c: Any, x: Any, primitive: Primitive, what: str = "cotangent") -> Any:
    """Bring a cotangent to the shape and dtype of its primal, where NumPy had broadcast or promoted the primal.

    Raises:
        RuleError: if the shapes differ otherwise: a rule is wrong.
        TypeError: if the primal is an array of objects.
    """
    kind = type(c)
    if kind is Scatter and c.full_shape == x.shape and c.dtype is x.dtype:
        return c
    if kind is np.ndarray and type(x) is np.ndarray and primitive.broadcasts and c.dtype is x.dtype and what == "cotangent":
        return sum_to(c, x.shape)
    if c is None or kind is Slots:
        return c
    if kind is complex or kind is float:  # a Python complex times a NumPy scalar is a Python complex
        c = np.asarray(c)[()]
    shape = x.shape if hasattr(x, "shape") else ()
    found = c.full_shape if kind is Scatter else c.shape
    if found != shape:
        if not primitive.broadcasts or what == "tangent":
            raise RuleError(
                f"the rule of '{primitive.name}' returned a {what} of shape {found}, but its primal has shape {shape}"
            )
        c = sum_to(c, shape)
    if shape == () and type(x) is not np.ndarray and kind is not Scatter and type(c.value if kind is Var else c) is np.ndarray:
        c = c[()]  # the derivative by a number is one
    if type(x) is float:
        return c if c.dtype.kind == "f" else c.real
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    if c.dtype == dtype:
        return c
    if dtype.kind not in "fc":
        if dtype.kind == "O":
            raise TypeError(
                f"an array of dtype object came out of '{primitive.name}', or went into it: derivatives are taken by numbers "
                f"only. Convert what was combined with traced values, with .astype(float)."
            )
        return None
    if kind is Scatter:
        return evolve(c, dtype=dtype)
    if c.dtype.kind == "c" and dtype.kind != "c":
        c = c.real
    return astype(c, dtype)
