"""What a tape is made of: nodes in the order of evaluation, and where the roots among them came from."""

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias, overload

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

    def __repr__(self) -> str:
        names = [step[0].name for step in self._steps[:8]]
        more = ["..."] if len(self) > len(names) else []
        return f"<{len(self)} nodes: {', '.join([*names, *more])}>"


Entry: TypeAlias = tuple[int, Callable[..., Any] | str, tuple[Any, ...], tuple[int, ...]]
"""The arguments that one transform put on the tape: the index of their first root, the function, its arguments, and the
positions of those whose leaves became roots."""


@frozen(eq=False)
class Unseen:
    """The roots of a transform under way whose values must not be looked at, and the name of the transform."""

    roots: range
    transform: str


@define(eq=False, repr=False, kw_only=True)
class Recording:
    """The data of a tape. It grows, or is dropped whole.

    ``foreign`` tells that there are roots besides those of the transform that opened the tape (a transform ran inside it);
    ``borders`` holds where stretches under way begin that are run again later (`checkpoint`);
    ``abstract`` holds the roots whose values must not be looked at, of each `vmap`, `jit` or structured loop under way;
    ``quiet`` holds the ranges of nodes that rules recorded, which divide by zero where the user's code does not;
    ``hopeful`` tells that rules are to be recorded bare, without guards against NaN, and their results `watched`;
    ``wholly`` that this is so in the bodies of loops, too, which are recorded with care otherwise (`jit`);
    ``refused`` is what was said when a traced value was last asked for a plain one in vain.
    """

    steps: list[Step] = field(factory=list)
    entries: list[Entry] = field(factory=list)
    foreign: bool = False
    abstract: list[Unseen] = field(factory=list)
    borders: list[int] = field(factory=list)
    quiet: list[range] = field(factory=list)
    hopeful: bool = False
    wholly: bool = False
    refused: str = ""

    def root_paths(self) -> dict[int, str]:
        """Return, for each root node, the path of the leaf that it stands for."""
        return {
            start + k: path
            for start, function, args, positions in self.entries
            for k, path in enumerate(argument_paths(function, args, positions))
        }


CURRENT: ContextVar[Recording | None] = ContextVar("tapegrad.tape", default=None)
"""The tape that this context (thread, task) records on."""


def argument_paths(function: Callable[..., Any] | str, args: Sequence[Any], positions: tuple[int, ...]) -> list[str]:
    """Return the path of each leaf of ``args[i]``, i in `positions`, such as ``params.layers[0].weight``."""
    names = argument_names(function, positions)
    return [name + path for name, i in zip(names, positions, strict=True) for path in tree.paths(args[i])]


def argument_names(function: Callable[..., Any] | str, positions: tuple[int, ...]) -> list[str]:
    """Return the names of the arguments of `function` at `positions`, as its signature has them."""
    if isinstance(function, str):
        return [function for _ in positions]
    kinds = inspect.Parameter
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        parameters = []
    named = [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is kinds.VAR_POSITIONAL), None)
    return [named[i] if i < len(named) else f"argument {i}" if rest is None else f"{rest}[{i - len(named)}]" for i in positions]
