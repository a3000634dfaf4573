"""Adding to an array at an index, where what is named twice receives twice.

``np.add.at`` is quick at positions in flat arrays only, so an index is turned into those. Of wide rows the ones that no other
row of a round meets are added by whole rows, which is quicker still.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.indexing import is_basic, is_unique, parts_of
from tapegrad.core.primitive import FUNCTIONS

ndarray = np.ndarray

WIDE = 128
"""From so many elements on whole rows are added."""

FEW = 16
"""So few rows are added by elements."""

ALL = slice(None)


@lru_cache(16)
def _counted(size: int) -> Any:
    numbers = np.arange(size)
    numbers.flags.writeable = False
    return numbers


def counted(size: int) -> Any:
    """Return the integers below `size`, in an array that must not be written."""
    return _counted(size) if size <= 65536 else np.arange(size)


def positions(shape: tuple[int, ...], index: Any) -> Any:
    """Return the positions, in the array of the given shape laid out flat, that `index` reads."""
    return counted(math.prod(shape)).reshape(shape)[index]


def add_at(total: Any, index: Any, piece: Any) -> None:
    """Add `piece` to a contiguous array at an index; what is named twice receives twice."""
    if is_unique(index):
        part = total[index] if is_basic(index) else None
        if type(part) is ndarray:
            part += piece
        else:
            total[index] += piece
        return
    if total.ndim == 1 and type(index) is ndarray and index.ndim == 1:
        np.add.at(total, index, piece)
        return
    rows, rest = rows_of(total.shape, index)
    if rows is not None:
        _add_rows(total, rows, rest, piece)
    elif total.size > max(65536, 16 * piece.size):
        np.add.at(total, index, piece)
    else:
        flat = positions(total.shape, index)
        piece = piece if piece.shape == flat.shape else np.broadcast_to(piece, flat.shape)
        np.add.at(total.reshape(-1), flat.reshape(-1), piece.reshape(-1))


FUNCTIONS["add at"] = add_at


def rows_of(shape: tuple[int, ...], index: Any) -> tuple[Any, tuple[int, ...]]:
    """Return the rows that `index` reads of an array whose last axes it reads whole.

    Args:
        shape: the shape of the array.
        index: an index that reads the array without an error.

    Returns:
        The positions of the rows, in the order of the axes that are read, and the shape of a row. None instead of
        the positions if `index` is not of the kind: whole axes, integers and arrays of integers side by side, whole axes.
    """
    parts = parts_of(index)
    if any(part is None for part in parts):
        return None, ()
    at = next((k for k, part in enumerate(parts) if part is ...), None)
    if at is not None:
        parts = (*parts[:at], *(ALL,) * (len(shape) - len(parts) + 1), *parts[at + 1 :])
    first = next(k for k, part in enumerate(parts) if not _is_all(part))
    last = len(parts)
    while _is_all(parts[last - 1]):
        last -= 1
    if at is not None and first < at < last:  # arrays on both sides of it do not stand side by side, even if it is for no axis
        return None, ()
    rows: Any = 0
    for part, size in zip(parts[first:last], shape[first:], strict=False):
        if type(part) is not int:
            if type(part) is not ndarray or part.dtype.kind == "b":
                return None, ()
            part = part.astype(np.intp, copy=False)
            if part.size and part.min() < 0:
                part = np.where(part < 0, part + size, part)
        elif part < 0:
            part += size
        rows = rows * size + part
    if first:
        before = shape[:first]
        rows = counted(math.prod(before)).reshape(*before, *(1,) * rows.ndim) * math.prod(shape[first:last]) + rows
    return rows, shape[last:]


def _is_all(part: Any) -> bool:
    return type(part) is slice and part == ALL


def _add_rows(total: Any, rows: Any, rest: tuple[int, ...], piece: Any) -> None:
    shape = rows.shape + rest
    if piece.shape != shape:
        piece = np.broadcast_to(piece, shape)
    width = math.prod(rest)
    if not piece.size:
        return
    rows = rows.reshape(-1)
    piece = piece.reshape(-1, width)
    if width >= WIDE:
        rows, piece = _add_unshared(total.reshape(-1, width), rows, piece)
    flat = rows if width == 1 else rows[:, None] * width + counted(width)
    np.add.at(total.reshape(-1), flat.reshape(-1), piece.reshape(-1))


def _add_unshared(total: Any, rows: Any, piece: Any) -> tuple[Any, Any]:
    """Add the last of all pieces for each row, then the last of the others, while that gets on; return what is left."""
    latest = np.empty(len(total), np.intp)
    while len(rows) >= FEW:
        numbers = counted(len(rows))
        latest[rows] = numbers
        is_latest = latest[rows] == numbers
        count = np.count_nonzero(is_latest)
        if count == len(rows):
            total[rows] += piece
            return rows[:0], piece[:0]
        if 4 * count < len(rows):
            break
        total[rows[is_latest]] += piece[is_latest]
        rows, piece = rows[~is_latest], piece[~is_latest]
    return rows, piece


# Adding at rows that are always the same


LEAST = 512
"""Elements that a round has at least, on average: each is a call of NumPy."""


class RowSums:
    """The sums of rows at given positions: a function of the rows, for which the positions are sorted once.

    In round `k` those come that are the number `k` for their position. Positions with many rows come first, so that each round
    adds to the first ones of the last round: what is added lies in a row, and no position is looked up. Rows are added in the
    order in which they come, as by ``np.add.at``, in a fifth of the time.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], index: Any) -> None:
        self.shape = shape
        self.dtype = dtype
        self.index = index
        self.width = 0
        self.plan: tuple[Any, Any, list[slice]] | None = None

    def __call__(self, piece: Any) -> Any:
        if not self.width:
            self.width, self.plan = self.prepared(piece)
        total = np.zeros(self.shape, self.dtype)
        if self.plan is None:
            add_at(total, self.index, piece)
            return total
        source, target, rounds = self.plan
        rows = piece.reshape(-1, self.width).take(source, 0)
        sums = rows[rounds[0]]
        for part in rounds[1:]:
            added = rows[part]
            first = sums[: len(added)]
            np.add(first, added, first)
        total.reshape(-1, self.width)[target] = sums
        return total

    def prepared(self, piece: Any) -> tuple[int, tuple[Any, Any, list[slice]] | None]:
        """Return how wide rows are, and where they come from and go in which rounds; None instead if that is slow."""
        rows, rest = rows_of(self.shape, self.index)
        width = max(math.prod(rest), 1)
        if rows is None or width == 1 or piece.dtype != self.dtype or piece.shape != rows.shape + rest:
            return width, None
        rows = rows.reshape(-1)
        target, where, counts = np.unique(rows, return_inverse=True, return_counts=True)
        most = counts.max(initial=0)
        if most < 2 or piece.size < LEAST * most:
            return width, None
        by_count = np.argsort(-counts, kind="stable")
        rank = np.empty_like(by_count)
        rank[by_count] = counted(len(by_count))
        sorted_ = np.argsort(where.reshape(-1), kind="stable")
        number = np.empty_like(sorted_)  # of each row, among those for its position
        number[sorted_] = counted(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        source = np.lexsort((rank[where.reshape(-1)], number))
        ends = np.cumsum(np.bincount(number)).tolist()
        return width, (source, target[by_count], [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)])
