"""A tape that is watched: for NaN and infinity as they appear, and for arrays that change while the tape needs them.

Watching costs nothing where it is off: a watched tape is one whose list of steps is a `WatchedSteps`, which looks at each step
as it is appended.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.core.node import Entry, Step, argument_paths
from tapegrad.errors import users_line


@frozen(eq=False, repr=False)
class Watch:
    """What to watch for: values that are not finite, arrays that are written to."""

    nan: bool = False
    freeze: bool = False


WATCH: ContextVar[Watch | None] = ContextVar("tapegrad.watch", default=None)
"""What the tapes that are opened in this context watch for."""


class WatchedSteps(list[Step]):
    """The steps of a watched tape, and the line of the user's file that recorded each."""

    def __init__(self, watch: Watch, entries: list[Entry]) -> None:
        super().__init__()
        self.watch = watch
        self.entries = entries
        self.lines: list[str] = []
        self.locked: list[Any] = []

    def append(self, step: Step) -> None:
        super().append(step)
        self.lines.append(users_line())
        primitive, inputs, args, _, value = step
        if self.watch.freeze:
            for x in args:
                self.lock(x)
        if self.watch.nan and not finite(value):
            index = len(self) - 1
            if primitive.name == "root":
                raise FloatingPointError(f"nan_check: the argument {self.path(index)} holds {what(value)}")
            given = ", ".join(describe(x, source) for source, x in zip(inputs, args, strict=True))
            raise FloatingPointError(
                f"nan_check: '{primitive.name}' gave {what(value)} at {self.lines[index]}; its arguments were {given}"
            )

    def lock(self, x: Any) -> None:
        """Make an array read-only until `unlock`."""
        while isinstance(x, np.ndarray):
            if x.flags.writeable:
                x.flags.writeable = False
                self.locked.append(x)
            x = x.base

    def unlock(self) -> None:
        """Make the arrays writeable again that were."""
        for x in reversed(self.locked):  # a view only after its base
            x.flags.writeable = True
        self.locked.clear()

    def __del__(self) -> None:
        self.unlock()

    def path(self, index: int) -> str:
        """Return the path of a root."""
        for start, function, args, positions in reversed(self.entries):
            if index >= start:
                paths = argument_paths(function, args, positions)
                return paths[index - start] if index - start < len(paths) else f"%{index}"
        return f"%{index}"

    def check_cotangent(self, c: Any, index: int, position: int, source: int) -> None:
        """Raise if the cotangent that node `index` sends to its input is not finite."""
        if self.watch.nan and isinstance(c, (np.ndarray, np.generic, float)) and not finite(c):
            primitive = self[index][0]
            towards = f", on its way to the argument {self.path(source)}" if self[source][0].name == "root" else ""
            raise FloatingPointError(
                f"nan_check: the reverse rule of '{primitive.name}' (input {position}) gave {what(c)}{towards}; "
                f"the operation was recorded at {self.lines[index]}"
            )


def finite(x: Any) -> bool:
    """Tell whether all elements are finite numbers."""
    if type(x) is tuple:
        return all(finite(part) for part in x)
    return not np.issubdtype(np.result_type(x), np.inexact) or bool(np.isfinite(x).all())


def what(x: Any) -> str:
    """Say what is wrong with a value that is not finite."""
    parts: Iterable[Any] = x if type(x) is tuple else (x,)
    return "NaN" if any(np.isnan(part).any() for part in parts) else "infinity"


def describe(x: Any, source: int | None) -> str:
    """Describe an argument: a number, or shape and range of an array."""
    if np.ndim(x) == 0:
        return str(x)
    x = np.asarray(x)
    where = "" if source is None else f"%{source} "
    return f"{where}{x.dtype}[{', '.join(map(str, x.shape))}]" + (f" from {x.min()} to {x.max()}" if x.size else "")
