"""What a tape is made of: nodes in the order of evaluation, and where the roots among them came from."""

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias, overload

from attrs import define, field, frozen

from tapegrad import tree
from tapegrad.core.primitive import Primitive

NO_SETTINGS: dict[str, Any] = {}
"""The settings of an operation that has none: one dict for all nodes."""


Step: TypeAlias = tuple[Primitive, tuple[int | None, ...], tuple[Any, ...], dict[str, Any], Any]
"""The fields of a `Node`, in its order: what the recorder appends. A record would take five times as long to be born."""


@frozen(eq=False)
class Node:
    """One operation as it happened: a step of the tape, as it is read.

    Attributes:
        primitive: what was computed.
        inputs: for each argument the index of the node that it came from, or None for a constant.
        args: the values of the arguments.
        settings: static keyword arguments.
        value: the output; a tuple for an operation with several outputs, which `pick` nodes take apart.
    """

    primitive: Primitive
    inputs: tuple[int | None, ...]
    args: tuple[Any, ...]
    settings: dict[str, Any]
    value: Any


class Nodes(Sequence[Node]):
    """The steps of a tape, read as nodes."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, index: int) -> Node: ...
    @overload
    def __getitem__(self, index: slice) -> "Nodes": ...
    def __getitem__(self, index: int | slice) -> "Node | Nodes":
        return Nodes(self._steps[index]) if isinstance(index, slice) else Node(*self._steps[index])


class Entry(NamedTuple):
    """The arguments that one transform put on the tape: where their roots start, and which trees they are leaves of."""

    start: int
    function: Callable[..., Any] | str
    trees: tuple[Any, ...]
    positions: tuple[int, ...]

    def paths(self) -> list[str]:
        """Return the path of each root, such as ``params.layers[0].weight``."""
        names = argument_names(self.function, self.positions)
        return [name + path for name, branch in zip(names, self.trees, strict=True) for path in tree.paths(branch)]


@define(eq=False)
class Recording:
    """The data of a tape. It grows, or is dropped whole.

    ``foreign`` tells that there are roots besides those of the transform that opened the tape (a transform ran inside it);
    ``abstract`` counts the transforms under way whose values must not be looked at (`vmap`, `jit`).
    """

    steps: list[Step] = field(factory=list)
    entries: list[Entry] = field(factory=list)
    foreign: bool = False
    abstract: int = 0

    def root_paths(self) -> dict[int, str]:
        """Return, for each root node, the path of the leaf that it stands for."""
        return {entry.start + i: path for entry in self.entries for i, path in enumerate(entry.paths())}


CURRENT: ContextVar[Recording | None] = ContextVar("tapegrad.tape", default=None)
"""The tape that this context (thread, task) records on."""


def argument_names(function: Callable[..., Any] | str, positions: tuple[int, ...]) -> list[str]:
    """Return the names of the arguments of `function` at `positions`, as its signature has them."""
    if isinstance(function, str):
        return [function for _ in positions]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        parameters = []
    names = []
    for i in positions:
        if i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL:
            names.append(parameters[i].name)
        elif parameters and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
            names.append(f"{parameters[-1].name}[{i - len(parameters) + 1}]")
        else:
            names.append(f"argument {i}")
    return names
