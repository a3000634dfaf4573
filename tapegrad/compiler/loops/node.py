"""What a loop is while a program is made: a step whose setting holds the body as a trace."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.compiler.trace import Trace, alive
from tapegrad.core.node import NO_SETTINGS, Step
from tapegrad.core.primitive import Primitive, no_cotangent
from tapegrad.core.program import dependencies
from tapegrad.core.structure import root_p


@frozen(eq=False, repr=False)
class Repeat:
    """A loop. Its inputs are the first carried values, what is gone through along the leading axis, and what stays the same.

    Attributes:
        body: what is done in a turn. Its inputs are the carried values, an element of each array that is gone through, and what
            stays the same; its outputs the carried values of the next turn, and what is stacked. That of a loop that
            runs until something holds no more returns this condition first, and is not to be computed further where
            it does not hold; it stacks nothing.
        carried: how many values are carried.
        rows: how many arrays are gone through.
        turns: how often the loop runs; None for one that runs until something holds no more.
        reverse: it goes from the last element to the first.
        fresh: the stacks that leave the program: they are allocated at each call.
    """

    body: Trace
    carried: int
    rows: int
    turns: int | None
    reverse: bool = False
    fresh: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        often = "until" if self.turns is None else f"{self.turns} times" + (", from the last" if self.reverse else "")
        return f"<{often}: {len(alive(self.body))} operations>"

    @property
    def same(self) -> int:
        """The position of the first input that stays the same."""
        return self.carried + self.rows

    @property
    def next_values(self) -> Sequence[int | None]:
        """The steps of the body that make the carried values of the next turn."""
        return self.body.outputs[: self.carried] if self.turns is not None else self.body.outputs[1:]

    @property
    def stacks(self) -> Sequence[int | None]:
        """The steps of the body whose values are stacked."""
        return self.body.outputs[self.carried :] if self.turns is not None else ()

    def run(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """Return the last carried values and the stacks, by way of the body's steps one after the other."""
        carry = [alike(x, self.body.steps[k][4]) for k, x in enumerate(inputs[: self.carried])]
        rows, same = inputs[self.carried : self.same], inputs[self.same :]
        if self.turns is None:
            while (out := evaluate(self.body, [*carry, *same]))[0]:
                carry = out[1:]
            return tuple(carry)
        stacks = [empty(self.turns, self.example(k)) for k in range(self.carried, len(self.body.outputs))]
        for t in self.order():
            out = evaluate(self.body, [*carry, *[x[t] for x in rows], *same])
            carry = out[: self.carried]
            for stack, y in zip(stacks, out[self.carried :], strict=True):
                stack[t] = y
        return (*carry, *stacks)

    def example(self, k: int) -> Any:
        """Return the value of output `k` of the body with which it was recorded."""
        index = self.body.outputs[k]
        return self.body.constants[k] if index is None else self.body.steps[index][4]

    def order(self) -> range:
        assert self.turns is not None
        return range(self.turns - 1, -1, -1) if self.reverse else range(self.turns)


def evaluate(body: Trace, inputs: Sequence[Any]) -> list[Any]:
    """Return the outputs of a trace for other inputs."""
    values: dict[int, Any] = dict(enumerate(inputs))
    for index in alive(body):
        primitive, sources, args, settings, _ = body.steps[index]
        given = [x if s is None else values[s] for s, x in zip(sources, args, strict=True)]
        values[index] = primitive.fn(*given, **settings)
    return [x if index is None else values[index] for index, x in zip(body.outputs, body.constants, strict=True)]


def alike(x: Any, example: Any) -> Any:
    """Return a number as a NumPy scalar, as those are that a loop carries."""
    return x if isinstance(x, np.ndarray) or type(x) is type(example) else np.asarray(x)[()]


def empty(turns: int, x: Any) -> Any:
    return np.empty((turns, *np.shape(x)), np.result_type(x))


def _owner() -> Primitive:
    return loop_p


loop_p: Primitive = Primitive(
    name="loop",
    fn=lambda *inputs, loop: loop.run(inputs),
    pulls=(no_cotangent,),
    push=lambda tangents, y, *inputs, loop: None,
    owner=_owner,  # it is in programs only, and not among the operations that rules are asked of
)
"""A loop in a program."""


def cut(body: Trace, roots: Sequence[int], outputs: Sequence[int | None], constants: Sequence[Any]) -> Trace:
    """Return a trace that computes some steps of `body` from others.

    Args:
        body: the trace.
        roots: the steps that become inputs, in this order.
        outputs: the steps that become outputs, None for a constant.
        constants: the constants (None elsewhere).
    """
    number = {index: k for k, index in enumerate(roots)}
    steps: list[Step] = [(root_p, (None,), (body.steps[index][4],), NO_SETTINGS, body.steps[index][4]) for index in roots]
    for index in needed(body, roots, outputs):
        primitive, sources, args, settings, value = body.steps[index]
        number[index] = len(steps)
        steps.append((primitive, tuple([None if s is None else number[s] for s in sources]), args, settings, value))
    found = tuple([None if index is None else number[index] for index in outputs])
    return Trace(steps, len(roots), found, tuple(constants), body.hopeful)


def needed(body: Trace, roots: Sequence[int], outputs: Sequence[int | None]) -> list[int]:
    """Return the steps that are computed to get from `roots` to the outputs, in order."""
    given = set(roots)
    found: set[int] = set()
    waiting = [index for index in outputs if index is not None and index not in given]
    while waiting:
        index = waiting.pop()
        if index in found:
            continue
        assert index >= body.inputs, "an input that is not given"
        found.add(index)
        waiting += [s for s in body.steps[index][1] if s is not None and s not in given]
    return sorted(found)


def reached(body: Trace, roots: Sequence[int]) -> set[int]:
    """Return the inputs that outputs among the steps `roots` depend on, besides those steps themselves."""
    return {s for s in dependencies(body.steps, 0, roots) if s < body.inputs}
