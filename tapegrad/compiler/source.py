"""Source code, and what the names in it are bound to.

Whatever the code names is bound once, when an *arena* is made: the buffers of a program with the function that computes in
them. Two calls at a time need two arenas.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.plan import Plan, arrays


@define(eq=False)
class Names:
    """What the source names: each thing gets one name, and is bound to it when an arena is made."""

    bound: dict[str, Any] = field(factory=dict)
    known: dict[int, str] = field(factory=dict)

    def of(self, thing: Any, hint: str = "c") -> str:
        """Return a name, or plain words, for a constant."""
        if thing is None or type(thing) in (bool, int):
            return repr(thing)
        if type(thing) is float and np.isfinite(thing):
            return repr(thing)
        if type(thing) is tuple and all(type(x) is int for x in thing):
            return repr(thing)
        if id(thing) not in self.known:
            spelt = hint if hint.isidentifier() else "".join([c if f"_{c}".isidentifier() else "_" for c in f"_{hint}"])
            name = f"{spelt}{len(self.bound)}"  # an operation of the user's may be called <lambda>
            self.bound[name] = thing  # which keeps its id from being used again
            self.known[id(thing)] = name
        return self.known[id(thing)]


LONG = 200
"""Lines from which on what is done once stands in a block of instructions of its own."""


def making(names: Names, once: Sequence[str], head: str, lines: Sequence[str]) -> str:
    """Return the source of ``make(bound, buffers)``, which returns a function.

    CPython's compiler puts an instruction at the front of the first block of instructions for each variable that the function
    needs from here, and moves the whole block for that: with ten thousand buffers this takes longer than all the rest.

    Args:
        names: what the function names.
        once: the lines that are run when an arena is made.
        head: the first line of the function, such as ``def call(args, settings):``.
        lines: the others.
    """
    text = ["def make(bound, buffers):"]
    if names.bound:
        text.append(f"    ({', '.join(names.bound)},) = bound")
    inside = "    "
    if len(names.bound) + len(once) > LONG:
        text.append("    while True:")
        inside += inside
    text += [f"{inside}{line}" for line in once]
    text += [f"{inside}{head}", *[f"{inside}    {line}" for line in lines]]
    text.append(f"{inside}return {head[4 : head.index('(')]}")
    return "\n".join(text) + "\n"


@frozen(eq=False, slots=False)
class Source:
    """The text of a program, what its names are bound to, and where its buffers are.

    Attributes:
        text: the source of ``make(bound, buffers)``, which returns the function ``call(args, settings)``, or that of a
            loop.
        bound: what the names stand for that are the same in every arena.
        plan: the buffers.
    """

    text: str
    bound: dict[str, Any]
    plan: Plan

    @property
    def whole(self) -> str:
        """The text, and those of the loops in it."""
        return "\n".join([self.text, *[x.whole for x in self.bound.values() if isinstance(x, Source)]])

    @property
    def nbytes(self) -> int:
        """The bytes of the buffers of an arena, those of loops included."""
        return sum(self.plan.sizes) + sum([x.nbytes for x in self.bound.values() if isinstance(x, Source)])

    @cached_property
    def make(self) -> Callable[[list[Any], list[Any]], Callable[..., Any]]:
        """The function that the text defines."""
        namespace: dict[str, Any] = {}
        exec(compile(self.text, "<jit>", "exec"), namespace)
        return namespace["make"]  # type: ignore[no-any-return]  # what the text defines

    def arena(self) -> Callable[..., Any]:
        """Allocate buffers, and return the function that computes in them."""
        return self.make(list(self.bound.values()), arrays(self.plan))
