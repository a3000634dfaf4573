"""The tape that a user holds: opened by hand, filled, read and printed."""

from contextvars import Token
from types import TracebackType
from typing import Any, TypeVar

from attrs import define, field

from tapegrad import tree
from tapegrad.core.complaints import leaked
from tapegrad.core.node import CURRENT, NO_SETTINGS, Nodes, Recording
from tapegrad.core.printing import listing
from tapegrad.core.structure import root_p
from tapegrad.core.var import Var, handle
from tapegrad.errors import TapegradError

T = TypeVar("T")


@define(eq=False, repr=False, kw_only=True)
class Tape(Recording):
    """A record of operations in the order of evaluation, and while it is open the place where they are recorded.

    Transforms open a tape of their own; this one is for looking: at what a function does, and from an output back to where
    it came from. Transforms that run while it is open record on it.

    Attributes:
        inputs: indices of the root nodes, for a tape made by `record`.
        outputs: indices of the output nodes, likewise; None for an output that is a constant.

    Raises:
        TapegradError: if it is entered while it is open.
        LeakedVarError: if a value traced on it is used after it was closed.

    Example:
        >>> with Tape() as tape:
        ...     x = tape.root(np.array([1.0, 2.0]), "x")
        ...     y = x * x - 1.0
        >>> print(tape)
        %0 = x                 float64[2]
        %1 = square(%0)        float64[2]
        %2 = subtract(%1, 1.0) float64[2]
        >>> index = 2
        >>> while tape.nodes[index].inputs[0] is not None:  # walk back from the output
        ...     index = tape.nodes[index].inputs[0]
        >>> index
        0
    """

    inputs: list[int] = field(factory=list)
    outputs: list[int | None] = field(factory=list)
    _tokens: list[Token[Recording | None]] = field(factory=list)

    @property
    def nodes(self) -> Nodes:
        """The nodes, oldest first; ``nodes[i].inputs`` are the indices of the nodes that node `i` was computed from."""
        return Nodes(self.steps)

    def root(self, value: T, name: str = "x") -> T:
        """Put the leaves of a pytree on the tape, and return it with traced leaves.

        Args:
            value: arrays of any shape, or a pytree of them.
            name: what the root is called in the listing.

        Raises:
            TapegradError: if the tape is not the one that records.
        """
        if CURRENT.get() is not self:
            raise TapegradError("Tape.root: the tape does not record here; call it inside 'with Tape() as tape:'")
        self.entries.append((len(self.steps), name, (value,), (0,)))

        def trace(x: Any) -> Any:
            if type(x) is Var:
                raise leaked(x)
            self.steps.append((root_p, (None,), (x,), NO_SETTINGS, x))
            return handle(self, len(self.steps) - 1, x, root_p)

        return tree.rebuild(trace, value)

    def index_of(self, x: Any) -> int | None:
        """Return the index of the node that made `x`, or None if `x` is not traced on this tape.

        Example:
            >>> with Tape() as tape:
            ...     y = tape.root(np.ones(3)).sum()
            >>> tape.nodes[tape.index_of(y)].primitive.name
            'sum'
        """
        return x.index if type(x) is Var and x.tape is self else None

    def __enter__(self) -> "Tape":
        if self._tokens:
            raise TapegradError("this tape records already; open another one with tapegrad.Tape()")
        self._tokens.append(CURRENT.set(self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        CURRENT.reset(self._tokens.pop())

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        return listing(self)

    def __repr__(self) -> str:
        return f"<Tape of {len(self)} nodes>"

    def paths(self) -> dict[int, str]:
        """Return, for each root node, the path of the leaf that it stands for."""
        return self.root_paths()
