"""Rolls in programs: a few elements are taken one by one, more are written piece by piece."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.core.primitive import OUT, Slot
from tapegrad.ops.shape import Rolled, roll_p

ROLLS: list[tuple[Any, Any]] = [
    (1, None),
    (-3, 0),
    (0, 0),
    (10_000, -1),
    ((2, -1), (0, 1)),
    ((1, 2, -5), (1, 0, 1)),
    ((3, -3), (1, 1)),
    ((), ()),
]
SHAPES = [(3, 4), (1, 7), (40, 50), (2, 1500), (1500, 2), (5, 6, 7), (30, 20, 9)]


def how(shape: tuple[int, ...], shifts: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return what a program calls for a roll, what that wrote, and what was right."""
    x = np.arange(float(np.prod(shape))).reshape(shape)
    assert roll_p.into is not None
    into = roll_p.into((x,), {"shifts": shifts, "axes": axes})
    assert into is not None
    out = np.full(shape, np.nan)
    into.function(*[out if a is OUT else x if isinstance(a, Slot) else a for a in into.arguments])
    return into.function, out, np.roll(x, shifts, axes)


@pytest.mark.parametrize("shifts, axes, pieces", [((1,), (0,), 2), ((7, -1), (0, 1), 4), ((2, -2), (1, 1), 1), ((), (), 1)])
@pytest.mark.parametrize("shape", [(8, 9), (60, 70)], ids=str)
def test_a_few_elements_are_taken_and_more_are_written_in_pieces(
    shape: tuple[int, ...], shifts: tuple[int, ...], axes: tuple[int, ...], pieces: int
) -> None:
    function, out, right = how(shape, shifts, axes)
    np.testing.assert_array_equal(out, right)
    if np.prod(shape) < 100:
        assert function is np.ndarray.take
    else:
        assert isinstance(function, Rolled) and len(function.pieces) == pieces


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("shift, axis", ROLLS, ids=str)
def test_compiled_rolls_and_their_gradients(shift: Any, axis: Any, shape: tuple[int, ...], order: Any) -> None:
    x, w = (np.asarray(np.random.default_rng(seed).normal(size=shape), order=order) for seed in (0, 1))
    value = tg.jit(lambda x: np.roll(np.sin(x), shift, axis))(x)
    np.testing.assert_allclose(value, np.roll(np.sin(x), shift, axis), rtol=1e-14)
    gradient = tg.jit(tg.grad(lambda x: (np.roll(np.sin(x), shift, axis) * w).sum()))(x)
    undone = np.roll(w, -shift if isinstance(shift, int) else tuple(-s for s in shift), axis)
    np.testing.assert_allclose(gradient, np.cos(x) * undone, rtol=1e-14)


@pytest.mark.parametrize("shape", [(12,), (3000,), (50, 60)], ids=str)
@pytest.mark.parametrize("dtype", ["f4", "i8", "?", "c16"])
def test_rolls_in_a_loop(shape: tuple[int, ...], dtype: str) -> None:
    """Each step writes where another one reads."""
    x = (np.random.default_rng(2).normal(size=shape) > 0).astype(dtype)

    @tg.jit
    def after(x: np.ndarray) -> Any:
        return tg.fori_loop(0, 5, lambda i, x: np.roll(x, 2, 0) ^ x if dtype in "i8?" else np.roll(x, 2, 0) - x, x)

    right = x
    for _ in range(5):
        right = np.roll(right, 2, 0) ^ right if dtype in "i8?" else np.roll(right, 2, 0) - right
    value = after(x)
    assert value.dtype == right.dtype
    np.testing.assert_array_equal(value, right)


def test_an_empty_array_rolls() -> None:
    assert tg.jit(lambda x: np.roll(x * 2, 1, 0))(np.ones((0, 3))).shape == (0, 3)
