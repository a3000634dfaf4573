"""`cond` and `switch`: a branch as one node."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import FUNCTIONS, Primitive
from tapegrad.core.program import Program
from tapegrad.core.structure import pick_p
from tapegrad.core.var import Var, apply
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.checkpoint import moving
from tapegrad.transforms.forward import jvp
from tapegrad.transforms.loops.body import Body, plain, trace_body
from tapegrad.transforms.outputs import check_function, kind_of
from tapegrad.transforms.packed import axes_of, pack_p, shared, size_of, slots, spread
from tapegrad.transforms.pullback import vjp

P = ParamSpec("P")
Q = ParamSpec("Q")
Out = TypeVar("Out")


def cond(pred: Any, true_fun: Callable[P, Out], false_fun: Callable[Q, Out], *operands: Any) -> Out:
    """Return ``true_fun(*operands)`` if `pred` holds, else ``false_fun(*operands)``; only that one is computed.

    Under `vmap` with a `pred` that differs between examples both are computed, and one is selected for each.

    Args:
        pred: a boolean scalar.
        true_fun: a function of the operands; both are recorded, and must not look at values.
        false_fun: another, which returns the same tree, shapes and dtypes.
        operands: pytrees of arrays.

    Raises:
        TypeError: if `pred` is not a boolean scalar, or the branches return different trees, shapes or dtypes.

    Example:
        >>> cond(True, lambda x: x * 2.0, lambda x: -x, 3.0)
        6.0
    """
    if np.shape(plain(pred)) != ():
        raise TypeError(f"cond: the predicate must be a scalar, got shape {np.shape(plain(pred))}")
    if np.asarray(plain(pred)).dtype.kind not in "biuf":
        raise TypeError(f"cond: the predicate must be a boolean scalar, got {kind_of(pred)}; the order is cond(pred, f, g, x)")
    index = pred != 0 if type(pred) is Var else int(bool(pred))
    out: Out = chosen("cond", index, {"false_fun": false_fun, "true_fun": true_fun}, operands)
    return out


def switch(index: Any, branches: Sequence[Callable[..., Out]], *operands: Any) -> Out:
    """Return ``branches[index](*operands)``; only that one is computed.

    Args:
        index: an integer scalar, clamped to the number of branches.
        branches: functions of the operands that return the same tree, shapes and dtypes; all are recorded.
        operands: pytrees of arrays.

    Raises:
        TypeError: if `index` is not an integer scalar, `branches` no list of functions, or they return different trees, shapes
            or dtypes.
        ValueError: if there is no branch.

    Example:
        >>> switch(1, (lambda x: x, lambda x: x * x), 3.0)
        9.0
    """
    if not isinstance(branches, Iterable) or isinstance(branches, (np.ndarray, Var)):
        raise TypeError(f"switch: expected a list of functions after the index, got {kind_of(branches)}")
    branches = list(branches)
    if not branches:
        raise ValueError("switch: there is no branch")
    value = plain(index)
    if np.shape(value) != () or np.result_type(value).kind not in "iub":
        raise TypeError(f"switch: the index must be an integer scalar, got shape {np.shape(value)} and {np.result_type(value)}")
    out: Out = chosen("switch", index, {f"branch {k}": branch for k, branch in enumerate(branches)}, operands)
    return out


def chosen(name: str, index: Any, named: dict[str, Callable[..., Any]], operands: tuple[Any, ...]) -> Any:
    """Run the branch at `index`, with errors in the words of the function that the user called."""
    branches = list(named.values())
    for which, branch in named.items():
        check_function(f"{name}: {which}", branch)
    tape = CURRENT.get()
    if tape is None:
        return branches[min(max(int(plain(index)), 0), len(branches) - 1)](*operands)
    bodies = [trace_body(name, tape, branch, *operands) for branch in branches]
    check_same(name, list(named), bodies)
    leaves = tree.leaves(operands)
    counts = [len(body.captured) for body in bodies]
    starts = np.cumsum([len(leaves), *counts]).tolist()
    choice = Choice(
        tuple(body.program for body in bodies), len(leaves), tuple((a, a + n) for a, n in zip(starts, counts, strict=False))
    )
    inputs = [index, *leaves, *[x for body in bodies for x in body.captured]]
    if not any(type(x) is Var for x in inputs):
        return tree.unflatten(bodies[0].structure, list(choice.run(tuple(inputs))))
    node = apply(switch_p, apply(pack_p, *inputs), choice=choice)
    return tree.unflatten(bodies[0].structure, [apply(pick_p, node, which=k) for k in range(len(node.value))])


def check_same(name: str, called: Sequence[str], bodies: Sequence[Body]) -> None:
    """Raise unless all branches return the same kind of value."""
    first = bodies[0]
    for which, body in zip(called[1:], bodies[1:], strict=True):
        if body.structure != first.structure:
            raise TypeError(f"{name}: {which} returns {body.structure}, but {called[0]} returns {first.structure}")
        for x, y in zip(body.example, first.example, strict=True):
            if np.shape(x) != np.shape(y) or np.result_type(x) != np.result_type(y):
                raise TypeError(
                    f"{name}: {which} returns shape {np.shape(x)} and dtype {np.result_type(x)}, "
                    f"but {called[0]} returns shape {np.shape(y)} and dtype {np.result_type(y)}"
                )


@frozen(eq=False)
class Choice:
    """What a switch is, besides its values: the program of each branch, and where the values it captured stand."""

    programs: tuple[Program, ...]
    operands: int
    captured: tuple[tuple[int, int], ...]

    def inputs(self, k: int, parts: Sequence[Any]) -> list[Any]:
        """Return the inputs of branch `k` among the parts behind the index."""
        start, stop = self.captured[k]
        return [*parts[: self.operands], *parts[start:stop]]

    def which(self, index: Any) -> int:
        return min(max(int(index), 0), len(self.programs) - 1)

    def run(self, packed: tuple[Any, ...]) -> tuple[Any, ...]:
        k = self.which(packed[0])
        return self.programs[k](*self.inputs(k, packed[1:]))


def _pull(g: Any, y: Any, packed: Any, choice: Choice) -> Any:
    index, *parts = packed
    wanted = moving(parts)

    def back(k: int) -> Callable[..., list[Any]]:
        def run(parts: list[Any], g: list[Any]) -> list[Any]:
            def branch(*given: Any) -> Any:
                inputs = list(parts)
                for position, x in zip(wanted, given, strict=True):
                    inputs[position] = x
                return choice.programs[k](*choice.inputs(k, inputs))

            return list(vjp(branch, *[parts[position] for position in wanted])[1](tuple(g)))

        return run

    found = switch(index, [back(k) for k in range(len(choice.programs))], parts, list(g))
    return slots([None, *[dict(zip(wanted, found, strict=True)).get(k) for k in range(len(parts))]])


def _push(tangents: Sequence[Any], y: Any, packed: Any, choice: Choice) -> Any:
    index, *parts = packed
    wanted = moving(parts)
    given = [
        np.zeros(np.shape(plain(parts[k])), np.result_type(plain(parts[k])))
        if tangents[0][k + 1] is None
        else tangents[0][k + 1]
        for k in wanted
    ]

    def forth(k: int) -> Callable[..., list[Any]]:
        def run(parts: list[Any], t: list[Any]) -> list[Any]:
            def branch(*moved: Any) -> Any:
                inputs = list(parts)
                for position, x in zip(wanted, moved, strict=True):
                    inputs[position] = x
                return choice.programs[k](*choice.inputs(k, inputs))

            return list(jvp(branch, [parts[position] for position in wanted], t)[1])

        return run

    return tuple(switch(index, [forth(k) for k in range(len(choice.programs))], parts, given))


def _batch(args: Sequence[Any], batched: Sequence[bool], choice: Choice) -> Any:
    size = size_of(args[0])  # of a branch that reads nothing there are as many results as of any other
    (index,) = spread(args[0][:1], size)
    given = [choice.inputs(k, args[0][1:]) for k in range(len(choice.programs))]
    outputs = [
        vmap(program, in_axes=axes_of(parts), axis_size=size)(*shared(parts))
        for program, parts in zip(choice.programs, given, strict=True)
    ]
    where, reshape = FUNCTIONS[np.where], FUNCTIONS[np.reshape]
    selected = []
    for rows in zip(*outputs, strict=True):
        y = rows[0]
        for k, row in enumerate(rows[1:], 1):
            chosen = index >= k if k == len(rows) - 1 else index == k
            y = where(reshape(chosen, (-1,) + (1,) * (np.ndim(plain(y)) - 1)), row, y)
        selected.append(y)
    return tuple(selected)


switch_p = Primitive(name="switch", fn=lambda packed, choice: choice.run(packed), pulls=(_pull,), push=_push, batch=_batch)
"""One of several programs, chosen by an index."""
