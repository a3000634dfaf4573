"""Cotangents that are still sums.

Reading one element of a vector has a cotangent that is zero but for that element. Written out, a thousand reads would cost a
thousand vectors; so the rule of an index returns a `Scatter`, adding two of them only puts their pieces together, and the
replay writes the sum once, when it is needed. `Slots` does the same for the outputs of an operation that has several.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from attrs import define, evolve, frozen

from tapegrad.core.primitive import FUNCTIONS, PRIMITIVES


@define(eq=False, repr=False)
class Scatter:
    """A sum of arrays of one shape: a piece at an index (or None), the pieces before it, and what is dense.

    It never changes until it is written out; because one is made for every read it does not take the time to be frozen.

    A dense array that is ``owned`` is nobody else's, and the pieces are added into it when the sum is written. So a loop that
    reads what it has written before costs what it reads and writes, and not the size of the array each time.
    """

    full_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    index: Any
    piece: Any
    before: "Scatter | None" = None
    dense: Any = None
    owned: bool = False

    shape = None  # no array's: a replay that compares shapes takes a closer look
    __array_ufunc__ = None  # so that array + Scatter comes to __radd__

    def __add__(self, other: Any) -> "Scatter":
        if type(other) is not Scatter:
            return evolve(self, dense=other if self.dense is None else self.dense + other, owned=False)
        dense, owned = self.dense, self.owned
        if other.dense is not None:
            dense, owned = (other.dense, other.owned) if dense is None else (dense + other.dense, False)
        if other.before is None and other.piece is not None:
            return Scatter(self.full_shape, self.dtype, other.index, other.piece, self, dense, owned)
        total = evolve(self, dense=dense, owned=owned)
        for index, piece in other.items():
            total = Scatter(self.full_shape, self.dtype, index, piece, total, dense, owned)
        return total

    def __radd__(self, other: Any) -> "Scatter":
        return self.__add__(other)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the indices and pieces, latest first."""
        at: Scatter | None = self
        while at is not None:
            if at.piece is not None:
                yield at.index, at.piece
            at = at.before

    def settle(self, apply: Any) -> Any:
        """Write the sum, by way of `apply` so that it is recorded where the pieces are traced."""
        items = merged(list(self.items()))
        if self.owned and all(isinstance(piece, (np.ndarray, np.generic)) for _, piece in items):
            return self.used_up(items)
        if not items:
            return self.dense
        indices, pieces = zip(*items, strict=True)
        total = apply(PRIMITIVES["scatter"], *pieces, shape=self.full_shape, dtype=self.dtype, indices=indices)
        return total if self.dense is None else total + self.dense

    def used_up(self, items: list[tuple[Any, Any]]) -> Any:
        """Add the pieces into the dense array, and let go of it: whoever writes into it next looks for other owners."""
        total = self.dense
        add_at = FUNCTIONS["add at"]
        for index, piece in items:
            add_at(total, index, piece)
        at: Scatter | None = self
        while at is not None:
            at.dense = None
            at = at.before
        return total

    def shared(self) -> "Scatter":
        """Return the same sum, whose dense array has other owners."""
        return evolve(self, owned=False) if self.owned else self


FEW = 8
"""So many reads of single elements are added up one by one."""


def merged(items: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Put the pieces of many reads by integers together into one piece at an index of arrays."""
    if len(items) <= FEW:
        return items
    rest: list[tuple[Any, Any]] = []
    found: dict[int, list[tuple[Any, Any]]] = {}
    for index, piece in items:
        if type(index) is int:
            found.setdefault(0, []).append((index, piece))
        elif type(index) is tuple and set(map(type, index)) == {int}:
            found.setdefault(len(index), []).append((index, piece))
        else:
            rest.append((index, piece))
    for rank, same in found.items():
        if len(same) <= FEW:
            rest += same
            continue
        where = np.array([index for index, _ in same])
        pieces = [piece for _, piece in same]
        plain = all(isinstance(piece, (np.ndarray, np.generic)) for piece in pieces)
        rest.append((tuple(where.T) if rank else where, np.array(pieces) if plain else FUNCTIONS[np.stack](pieces)))
    return rest


@frozen(eq=False, repr=False)
class Slots:
    """Cotangents of some outputs of an operation with several."""

    parts: dict[int, Any]

    def __add__(self, other: "Slots") -> "Slots":
        parts = dict(self.parts)
        for which, part in other.parts.items():
            parts[which] = parts[which] + part if which in parts else part
        return Slots(parts)

    def settle(self, values: tuple[Any, ...], apply: Any, sparse: bool) -> list[Any]:
        """Return one cotangent an output; where none came zeros, or None if the rules are `sparse`."""
        parts = self.parts
        found = []
        for k, value in enumerate(values):
            part = parts.get(k)
            if part is None and not sparse:
                part = zeros_like(value)
            found.append(part.settle(apply) if type(part) is Scatter else part)
        return found


def zeros_like(x: Any) -> Any:
    """Return zeros for an output to which no cotangent came."""
    return np.zeros(x.shape, x.dtype) if type(x) is np.ndarray else np.zeros_like(x)[()]
