"""`where` of large arrays, which chooses bits, is `np.where`."""

from itertools import product
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.ops.choice import where_p
from tapegrad.typing import Array

SIZE = 9000
SPECIAL: Array = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.5, -2.25])


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "f2", "c16", "i8"])
def test_the_choice_by_bits_is_that_of_numpy(dtype: str) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        a, b = (rng.choice(SPECIAL, size=SIZE).astype(dtype) for _ in range(2))
        table = a.reshape(90, 100)
        masks = {
            "a mask": rng.random(SIZE) < 0.5,
            "reversed": (rng.random(SIZE) < 0.5)[::-1],
            "other bytes for true": rng.integers(0, 4, SIZE).astype(np.uint8).view(bool),
            "numbers": rng.integers(0, 3, SIZE),
        }
        others: list[Any] = [
            a,
            a[::-1],
            0.0,
            -0.0,
            0,
            1,
            0.1,
            1e300,
            np.nan,
            -np.inf,
            True,
            np.float32(2),
            np.array(3.0, dtype),
        ]
        for mask, x in product(masks.values(), others):
            same(where_p.fn(mask, x, b), np.where(mask, x, b))
            same(where_p.fn(mask, b[::-1], x), np.where(mask, b[::-1], x))
        mask = masks["a mask"].reshape(90, 100)
        same(where_p.fn(mask, table, 2.5), np.where(mask, table, 2.5))
        same(
            where_p.fn(mask, table.T.reshape(90, 100), table[:, ::-1]), np.where(mask, table.T.reshape(90, 100), table[:, ::-1])
        )
        same(where_p.fn(mask, table, table[:1]), np.where(mask, table, table[:1]))


def same(found: Any, expected: Any) -> None:
    """Check that two arrays are the same, to the sign of zeros and the bits of what is no number."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert np.array_equal(found, expected, equal_nan=True)
    for part in (np.real, np.imag):
        assert np.array_equal(np.signbit(part(found).astype(float)), np.signbit(part(expected).astype(float)))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_large_arrays_are_chosen_by_their_bits(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: Any) -> None:
        raise AssertionError("numpy.where was called")

    x = np.linspace(-1.0, 1.0, SIZE).astype(dtype)
    expected, nothing, few = np.where(x > 0, x, -x), np.where(x > 0, x, 0.0), np.where(x[:3000] > 0, x[:3000], 0.0)
    monkeypatch.setattr(np, "where", refused)
    same(where_p.fn(x > 0, x, -x), expected)
    same(where_p.fn(x > 0, x, 0.0), nothing)
    same(where_p.fn(x[:3000] > 0, x[:3000], 0.0), few)


def test_what_was_chosen_can_be_written_to_and_shares_no_memory() -> None:
    x, y = np.ones(SIZE), np.zeros(SIZE)
    mask = np.arange(SIZE) % 2 == 0
    for chosen in (where_p.fn(mask, x, y), where_p.fn(mask, x, 0.0)):
        chosen += 1.0
    assert (x == 1.0).all()
    assert (y == 0.0).all()


@pytest.mark.parametrize("size", [10, SIZE, 300_000])
def test_large_choices_have_the_derivatives_of_small_ones(size: int) -> None:
    x: Array = np.linspace(-2.0, 2.0, size)

    def huber(x: Array) -> Array:
        chosen: Array = np.where(np.abs(x) < 1.0, 0.5 * x * x, np.abs(x) - 0.5)
        total: Array = chosen.sum()
        return total

    expected = np.clip(x, -1.0, 1.0)
    assert np.allclose(tg.grad(huber)(x), expected, rtol=1e-15)
    assert np.allclose(tg.jit(tg.grad(huber))(x), expected, rtol=1e-15)
    assert np.allclose(tg.hvp(huber)(x, np.ones_like(x)), np.abs(x) < 1.0, rtol=1e-15)
