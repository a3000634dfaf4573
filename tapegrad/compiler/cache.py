"""The programs of one function, by the kind of arguments that each was made for."""

import os
import threading
from collections import OrderedDict
from typing import Any
from weakref import WeakSet

import numpy as np
from attrs import define, field

from tapegrad.compiler.program import Compiled

CAPACITY = 64
"""How many programs a function keeps."""

RECENT = 4
"""How many of them are tried, the latest first, before the arguments are looked at closely."""

HANDFUL = 8
"""How many programs a function may need before it is worth a warning."""


@define(eq=False)
class Cache:
    """The programs of one function: all of them by kind of arguments, and the recent ones."""

    programs: "OrderedDict[Any, Compiled]" = field(factory=OrderedDict)
    recent: tuple[Compiled, ...] = ()
    hits: int = 0
    misses: int = 0
    lock: Any = field(factory=threading.RLock)

    def __attrs_post_init__(self) -> None:
        ALL.add(self)

    def remember(self, key: Any, program: Compiled) -> None:
        with self.lock:
            self.programs[key] = program
            self.programs.move_to_end(key)
            while len(self.programs) > CAPACITY:
                self.programs.popitem(last=False)
            others = [p for p in self.recent if p is not program]
            self.recent = (program, *others[: RECENT - 1])


ALL: WeakSet[Cache] = WeakSet()
"""The caches of all functions."""


def renew() -> None:
    """Let a process that was forked compile what another thread was about to compile, which is not there to finish it."""
    for cache in ALL:
        cache.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew)


def changed(before: Any, now: Any, paths: list[str]) -> str:
    """Say in what two keys of a cache differ; `paths` are those of all leaves, static arguments among them."""
    (structure, kinds, fixed), (new_structure, new_kinds, new_fixed) = before, now
    if structure != new_structure:
        return f"the tree of the arguments changed from {structure} to {new_structure}"
    static = dict(new_fixed)
    parts = [
        f"the static argument {paths[k]} changed from {brief(a)} to {brief(b)}"
        for (k, a), (_, b) in zip(fixed, new_fixed, strict=True)
        if a != b
    ]
    traced = [path for k, path in enumerate(paths) if k not in static]
    parts += [f"{n} changed from {shown(a)} to {shown(b)}" for n, a, b in zip(traced, kinds, new_kinds, strict=True) if a != b]
    return "; ".join(parts) or "programs were dropped for want of room"


def brief(x: Any) -> str:
    """Return a value in a line."""
    text = " ".join(repr(x).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def shown(kind: Any) -> str:
    """Return what `kind_of` found, as users write it."""
    return kind if isinstance(kind, str) else f"{np.dtype(kind[0])}[{', '.join(map(str, kind[1]))}]"


def kind_of(x: Any) -> Any:
    """Return what a program depends on in a leaf."""
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape
    return type(x).__name__
