"""Blocks of short rows, which are laid out by columns."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import nn
from tapegrad.compiler.groups import kernel, turning
from tests.compiler.test_planning import grouped
from tests.compiler.test_rows import PROGRAMS, SHAPES, drawn
from tests.compiler.tracing import agrees, small_blocks


@pytest.fixture
def always_turned() -> Iterator[list[bool]]:
    """Turn all blocks that can be, and tell of each group whether it could."""
    seen: list[bool] = []

    def can_be(trace: Any, group: Any, run: int) -> bool:
        with patch.object(turning, "TALL", 1), patch.object(turning, "gain", lambda *args: 1e9):
            seen.append(turning.is_turned(trace, group, run))
        return seen[-1]

    with patch.object(kernel, "is_turned", can_be):
        yield seen


def chosen(f: Any, *args: Any) -> list[bool]:
    """Return for each group of a function whether it is turned."""
    trace, groups = grouped(f, *args)
    return [turning.is_turned(trace, group, kernel.cut(trace, group)[0]) for group in groups]


# Whether it pays


def test_blocks_of_short_rows_are_turned() -> None:
    row = drawn(3)
    assert chosen(lambda x: tnp.tanh(x * row + row), drawn(20_000, 3)) == [True]
    assert chosen(lambda x: tg.grad(lambda x: tnp.sum(nn.softmax(x) ** 2))(x), drawn(20_000, 5)) == [True]


def test_other_blocks_are_not() -> None:
    row, wide = drawn(3), drawn(200)
    assert chosen(lambda x: tnp.tanh(x * wide + wide), drawn(2_000, 200)) == [False]  # NumPy's inner loops are long
    assert chosen(lambda x: tnp.tanh(x * 2.0 + 1.0), drawn(20_000, 3)) == [False]  # there are none
    assert chosen(lambda x: x * wide[:32] + wide[:32], drawn(20_000, 32)) == [False]  # as much is copied as is computed
    assert chosen(lambda x: tnp.tanh(nn.softmax(tnp.tanh(x) @ drawn(3, 3)) * row), drawn(700_000, 3)) == [False]  # BLAS


def test_an_array_that_is_turned_has_its_first_axis_last_in_memory() -> None:
    x = drawn(4, 3, 2)
    for y in (turning.turned(x), turning.empty_turned((4, 3, 2), np.float64)):
        assert (y.shape, y.strides) == (x.shape, (8, 64, 32))
    np.testing.assert_array_equal(turning.turned(x), x)
    for wide in (x, drawn(5, 40)):
        out = np.empty_like(wide)
        turning.turned_back(out, turning.turned(wide))
        np.testing.assert_array_equal(out, wide)


# What comes out


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("block", [4, 12, 64])
def test_turned_blocks_compute_the_same(always_turned: list[bool], program: Any, shape: tuple[int, ...], block: int) -> None:
    x = drawn(*shape)
    with small_blocks(block=block):
        agrees(program, x)
        agrees(program, np.asfortranarray(x))
    assert always_turned


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_turned_blocks(dtype: Any) -> None:
    row = drawn(5, dtype=dtype)

    def f(x: Any) -> Any:
        y = nn.softmax(x * row) - 0.1
        return y, tnp.sum(y, axis=0), tnp.max(y * y, axis=1), tnp.swapaxes(tnp.reshape(y, (-1, 5, 1)), 1, 2) * 2.0

    x = drawn(30_001, 5, dtype=dtype)
    agrees(f, x, rtol=1e-4 if dtype is np.float32 else 1e-11)
    agrees(lambda x: tg.vjp(f, x)[1](tg.tree.map(np.ones_like, f(x))), x, rtol=1e-3 if dtype is np.float32 else 1e-10)


def test_values_that_leave_a_turned_block_and_are_read_in_it(always_turned: list[bool]) -> None:
    row = drawn(3)

    def f(x: Any, z: Any) -> Any:
        y = tnp.exp(x * row)
        pairs = tnp.reshape(y, (-1, 3, 1)) * tnp.reshape(z, (-1, 1, 2))
        flat = tnp.reshape(pairs, (-1, 6))
        return y, tnp.sin(y) * row, pairs, flat, tnp.transpose(pairs, (0, 2, 1)) + y[:, None], tnp.sum(flat > 0.5, axis=1), z

    with small_blocks():
        for rows in (8, 9, 23, 64):
            agrees(f, drawn(rows, 3), drawn(rows, 2))
    assert any(always_turned)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64])
@pytest.mark.parametrize("rows", [9, 17, 25])
def test_ufuncs_that_numpy_gets_wrong_between_other_numbers(always_turned: list[bool], dtype: Any, rows: int) -> None:
    """NumPy 2.4's `negative` and `isfinite` write wrong numbers where they write to every fourth or eighth place."""
    x = (4 * drawn(rows, 3, 3)).astype(dtype)

    def f(x: Any) -> Any:
        y = -(x * x)
        return -y[:, :1] * y, tnp.isfinite(y * 2), tnp.sum(-tnp.square(y), axis=2)

    with small_blocks(block=64):
        agrees(f, x, rtol=1e-5 if dtype is np.float32 else 1e-12)
    assert any(always_turned)


# Ends


def test_what_is_left_of_an_axis_is_added_up_with_the_rows_in_the_last_block_too() -> None:
    """Each row has six rows of the sum, and the last block is not a multiple of what is taken at once."""

    def f(x: Any, y: Any) -> Any:
        z = x + y
        return tnp.sum(tnp.reshape(z, (-1, 4)) * 1.1, axis=0), tnp.tanh(z)

    agrees(f, drawn(7352, 6, 4), drawn(7352, 1, 4), rtol=1e-10)
    with small_blocks(block=32):
        for rows in (8, 13, 21, 50):
            agrees(f, drawn(rows, 6, 4), drawn(rows, 1, 4))
