"""A tape that is watched: for NaN and infinity as they appear, and for arrays that change while the tape needs them.

Watching costs nothing where it is off: a watched tape is one whose list of steps is a `WatchedSteps`, which looks at each step
as it is appended.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
        self.rules = 0

    @contextmanager
    def rules_at_work(self) -> Iterator[None]:
        """Look at no value in between: what a rule divides by zero it may hide again; what it returns is looked at."""
        self.rules += 1
        try:
            yield
        finally:
            self.rules -= 1

    def append(self, step: Step) -> None:
        super().append(step)
        self.lines.append(users_line())
        _, _, args, _, value = step
        if self.watch.freeze:
            for x in args:
                self.lock(x)
        if self.watch.nan and not self.rules:
            self.check_value(value, len(self) - 1, args)

    def check_value(self, value: Any, index: int, args: Sequence[Any], of: str = "") -> None:
        """Raise if the value of node `index` is not finite."""
        if not self.watch.nan or finite(value):
            return
        primitive, inputs, *_ = self[index]
        if primitive.name == "root":
            raise FloatingPointError(f"nan_check: the argument {self.path(index)} holds {what(value)}")
        given = ", ".join(describe(x, self.name(source)) for source, x in zip(inputs, args, strict=True))
        raise FloatingPointError(
            f"nan_check: {self.title(index)} gave {what(value)}{of} at {self.lines[index]}; its arguments were {given}"
            f"{self.origin(index)}"
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
                if index - start < len(paths):
                    return paths[index - start]
                break
        (source,) = self[index][1]  # the root of a loop's body, perhaps: what it stands for outside
        return f"%{index}" if source is None else self.name(source)

    def title(self, index: int) -> str:
        """Return the name of an operation; of a function with a rule of its own that function's, too."""
        primitive, _, _, settings, _ = self[index]
        if primitive.name == "pack" and index + 1 < len(self):  # which only gathers the arguments of the next one
            primitive, _, _, settings, _ = self[index + 1]
        called = getattr(settings.get("rule"), "name", "")
        return f"'{primitive.name}'" + (f" of {called}" if called else "")

    def name(self, source: int | None) -> str:
        """Return what an input is called: the path of an argument, the number of a node, nothing for a constant."""
        return "" if source is None else self.path(source) if self[source][0].name == "root" else f"%{source}"

    def origin(self, index: int) -> str:
        """Say which arguments a node depends on, if it does not name them itself."""
        found, waiting, seen = [], [index], {index}
        while waiting:
            at = waiting.pop()
            sources = [source for source in self[at][1] if source is not None and source not in seen]
            if not sources and self[at][0].name == "root":
                found.append(at)
            seen.update(sources)
            waiting += sources
        paths = [self.path(root) for root in sorted(found) if root not in self[index][1]]
        if not paths:
            return ""
        listed = ", ".join(paths[:FEW]) + (" and others" if len(paths) > FEW else "")
        return f"; it was computed from the argument{'s' if len(paths) > 1 else ''} {listed}"

    def check_cotangent(self, c: Any, index: int, position: int, source: int) -> None:
        """Raise if the cotangent that node `index` sends to its input is not finite."""
        c = getattr(c, "value", c)
        if self.watch.nan and isinstance(c, (np.ndarray, np.generic, float)) and not finite(c):
            towards = f", on its way to the argument {self.path(source)}" if self[source][0].name == "root" else ""
            raise FloatingPointError(
                f"nan_check: the reverse rule of {self.title(index)} (input {position}) gave {what(c)}{towards}; "
                f"the operation was recorded at {self.lines[index]}{self.origin(index) if not towards else ''}"
            )

    def check_tangent(self, t: Any, index: int) -> None:
        """Raise if the tangent of node `index` is not finite."""
        parts = [getattr(part, "value", part) for part in (t if type(t) is tuple else (t,))]
        for part in parts:
            if self.watch.nan and isinstance(part, (np.ndarray, np.generic, float)) and not finite(part):
                raise FloatingPointError(
                    f"nan_check: the forward rule of {self.title(index)} gave {what(part)}; the operation was recorded at "
                    f"{self.lines[index]}{self.origin(index)}"
                )


FEW = 3
"""So many arguments are named."""


def finite(x: Any) -> bool:
    """Tell whether all elements are finite numbers."""
    if type(x) is tuple:
        return all(finite(part) for part in x)
    if x is None:
        return True
    return not np.issubdtype(np.result_type(x), np.inexact) or bool(np.isfinite(x).all())


def what(x: Any) -> str:
    """Say what is wrong with a value that is not finite."""
    parts: Iterable[Any] = x if type(x) is tuple else (x,)
    return "NaN" if any(np.isnan(part).any() for part in parts if np.result_type(part).kind in "fc") else "infinity"


def describe(x: Any, name: str) -> str:
    """Describe an argument: a number, or shape and range of an array, with what it is called."""
    if type(x) is tuple:
        return " and ".join(describe(part, name) for part in x)
    called = f"{name} " if name else ""
    if np.ndim(x) == 0:
        return f"{called}= {x}" if called else str(x)
    x = np.asarray(x)
    spread = f" from {x.min()} to {x.max()}" if x.size and x.dtype.kind in "biuf" else ""
    return f"{called}{x.dtype}[{', '.join(map(str, x.shape))}]{spread}"
