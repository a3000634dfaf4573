"""Adding at an index: every form of index and piece gives what adding one after the other gives."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.core import adding
from tapegrad.core.adding import WIDE, RowSums, add_at
from tapegrad.core.indexing import is_unique


def one_by_one(total: Any, index: Any, piece: Any) -> Any:
    """Add element by element, in the order of the index."""
    total = total.copy()
    where = np.arange(total.size).reshape(total.shape)[index]
    for position, value in zip(where.ravel(), np.broadcast_to(piece, where.shape).ravel(), strict=True):
        total.flat[position] += value
    return total


def some_index(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return an index of integers, arrays (of few bits, with negatives), slices, None, masks and Ellipsis."""
    common = [int(n) for n in rng.integers(1, 5, rng.integers(1, 3))]
    parts: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        kinds = ["array", "array", "array", "integer", "all", "all", "slice", "none", "rest", "mask", "end"]
        kind = rng.choice(kinds)
        if kind == "end":
            break
        if kind == "rest":
            if any(part is ... for part in parts):
                continue
            parts.append(...)
            axis += int(rng.integers(0, len(shape) - axis + 1))
            continue
        if kind == "array":
            at = [1 if rng.random() < 0.2 else size for size in common[rng.integers(0, len(common)) :]]
            parts.append(rng.integers(-n, n, at).astype(rng.choice(["i1", "i2", "i8"]) if n < 128 else "i2"))
        elif kind == "integer":
            parts.append(int(rng.integers(-n, n)))
        elif kind == "mask":
            parts.append(rng.random(n) < 0.5)
        else:
            parts.append({"all": slice(None), "slice": slice(0, None, 2), "none": None}[kind])
        axis += kind != "none"
    return (*parts, None) if rng.random() < 0.1 else tuple(parts)


def test_any_index_adds_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    compared = 0
    while compared < 400:
        shape = tuple(int(n) for n in rng.choice([1, 2, 3, 5, WIDE + 2], rng.integers(1, 5), p=[0.1, 0.3, 0.3, 0.2, 0.1]))
        index = some_index(rng, shape)
        total = rng.integers(0, 9, shape).astype(np.float32)
        try:
            read = total[index]
        except IndexError:  # arrays that do not broadcast, or a mask beside them
            continue
        if read.size > 2000:
            continue
        piece = rng.integers(0, 9, read.shape[rng.integers(0, read.ndim + 1) if rng.random() < 0.3 else 0 :]).astype(np.float32)
        wanted = one_by_one(total, index, piece)
        add_at(total, index, np.asarray(piece, order="F") if rng.random() < 0.3 else piece)
        np.testing.assert_array_equal(total, wanted, str(index))
        compared += 1


@pytest.mark.parametrize("rows", [1, 3, 40, 300, 100_000])
@pytest.mark.parametrize("width", [WIDE, WIDE - 1])
def test_wide_rows_named_many_times(rows: int, width: int) -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(-rows, rows, (7, 20))
    ids[0] = ids[1, 0]
    piece = rng.integers(-9, 9, (7, 20, width)).astype(np.float32)
    total = np.ones((rows, width), np.float32)
    add_at(total, ids, piece)
    wanted = np.ones((rows, width), np.float32)
    for row, values in zip(ids.ravel(), piece.reshape(-1, width), strict=True):
        wanted[row] += values
    np.testing.assert_array_equal(total, wanted)


def test_a_piece_that_is_spread_over_an_index_of_two_axes() -> None:
    index = np.arange(400).reshape(200, 2) % 4
    y = tnp.at(np.zeros(100_000))[index].add(np.array([5.0, 1.0]))  # here np.add.at reads beyond the end of the piece
    np.testing.assert_array_equal(y[:5], [500.0, 100.0, 500.0, 100.0, 0.0])


@pytest.mark.parametrize("width", [3, WIDE])
def test_gradient_of_rows_read_twice_is_the_same_in_programs_and_batches(width: int) -> None:
    rng = np.random.default_rng(2)
    table = rng.standard_normal((5000, width)).astype(np.float32)
    ids = rng.integers(0, 5000, 64)
    ids[10:30] = ids[0]

    def loss(table: Any, ids: Any) -> Any:
        return tnp.sum(table[ids] ** 3)

    wanted = np.zeros_like(table)
    for row in ids:
        wanted[row] += 3 * table[row] ** 2
    np.testing.assert_allclose(tg.grad(loss)(table, ids), wanted, rtol=1e-5)
    np.testing.assert_allclose(tg.jit(tg.grad(loss))(table, ids), wanted, rtol=1e-5)
    batch = tg.vmap(tg.grad(loss), in_axes=(None, 0))(table, np.stack([ids, ids[::-1]]))
    np.testing.assert_allclose(batch, np.stack([wanted, wanted]), rtol=1e-5)


def test_sums_at_positions_that_are_always_the_same_are_those_of_any_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit: rows are added in the order in which they come."""
    monkeypatch.setattr(adding, "LEAST", 1)
    rng = np.random.default_rng(0)
    planned = 0
    for _ in range(1500):
        shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 4)))
        index = some_index(rng, shape)
        index = index[0] if len(index) == 1 and rng.random() < 0.5 else index
        dtype = np.dtype(rng.choice(["f", "d", "D"]))
        try:
            read = np.zeros(shape)[index]
        except IndexError:  # arrays that do not broadcast, or a mask beside them
            continue
        if is_unique(index):
            continue
        sums = RowSums(shape, dtype, index)
        for _ in range(2):
            piece = rng.normal(size=read.shape).astype(dtype)
            np.testing.assert_array_equal(sums(piece), one_by_one(np.zeros(shape, dtype), index, piece))
        planned += sums.plan is not None
    assert planned > 30


@pytest.mark.parametrize("width", [(), (8,), (2, 4)])
def test_programs_add_rows_at_constant_positions_in_rounds(width: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    index, x = rng.integers(-20, 20, 2000), rng.normal(size=(20, *width)).astype(np.float32)
    weights = rng.normal(size=(2000, *width)).astype(np.float32)

    def gradient(x: Any, weights: Any) -> Any:
        return tg.grad(lambda x: tnp.sum(tnp.sin(x[index]) * weights))(x)

    compiled = tg.jit(gradient)
    for scale in (1.0, 2.0):
        expected = gradient(x, scale * weights)
        np.testing.assert_allclose(compiled(x, scale * weights), expected, rtol=1e-4, atol=1e-4)
    assert "scatter" in str(compiled.lower(x, weights).after)
