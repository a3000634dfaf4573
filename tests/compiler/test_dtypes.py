"""Numbers of all kinds compute the same compiled: what holds for floating-point numbers need not hold for other ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.ops.exponentials import LARGE
from tests.compiler.tracing import agrees, small_blocks

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: y + -x,
        lambda x, y: -x + y,
        lambda x, y: y - (-x),
        lambda x, y: -x - y,
        lambda x, y: -x * y,
        lambda x, y: -x * 2.5,
        lambda x, y: -x + 1.5,
        lambda x, y: -x / y,
        lambda x, y: y / -x,
        lambda x, y: tnp.sum(-x, dtype=np.float64),
        lambda x, y: -x @ y,
        lambda x, y: y @ -x,
        lambda x, y: tnp.reciprocal(tnp.reciprocal(x)),
        lambda x, y: -tnp.negative(x),
    ],
)
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("other", ["float64", "int64", "int32", "uint16", "complex128"])
def test_negatives_of_integers_are_not_taken_for_those_of_other_numbers(f: Callable[..., Any], dtype: str, other: str) -> None:
    limits = np.iinfo(dtype)
    agrees(f, np.array([limits.min, limits.max, 3, 1], dtype), np.arange(1, 5).astype(other))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, "float16", "float32", "float64"])
@pytest.mark.parametrize("other", ["bool", *INTEGERS, "float16", "float32", "float64"])
@pytest.mark.parametrize("f", [tnp.logaddexp, tnp.logaddexp2])
def test_programs_take_logaddexp_apart_for_floating_point_numbers_only(f: Callable[..., Any], dtype: str, other: str) -> None:
    for size in (3, LARGE):
        x, y = np.arange(size) % 5, np.arange(size) % 7
        agrees(f, x.astype(dtype), y.astype(other), rtol=1e-6)


def test_numbers_that_a_type_cannot_hold_are_added_as_exponentials() -> None:
    agrees(lambda x: tnp.logaddexp(x, -2), np.arange(LARGE).astype(np.uint8))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("scale", [1e-8, 1e-6, 2.0**-20, 1e-3, 200.0, 3e4, 1e5, 2.0**17])
@pytest.mark.parametrize("other", [2.0**-18, 1e-3, 0.01, 300.0, 4e4, 2.0**18])
def test_half_precision_is_not_scaled_by_numbers_that_it_cannot_hold(dtype: str, scale: float, other: float) -> None:
    x = np.array([1e-4, 0.01, 1.0, -3.0, 100.0, 0.0], dtype)

    def f(x: Any) -> Any:
        return (x * scale) * other, (x * scale) / other, (x / scale) * other, x / scale, -(x * scale), -x * scale

    with np.errstate(all="ignore"):
        expected = f(x)
    for a, b in zip(tg.jit(f)(x), expected, strict=True):
        assert a.dtype == b.dtype
        certain = np.isfinite(b) & (np.abs(b) > 100 * np.finfo(dtype).tiny)  # else what is in between may be rounded
        np.testing.assert_allclose(a[certain], b[certain], rtol=8 * float(np.finfo(dtype).eps))
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))


def test_what_is_spread_farther_than_half_precision_counts_is_added_up_as_it_is() -> None:
    agrees(lambda x: tnp.sum(tnp.broadcast_to(x, (2**17,))), np.array([0.0], np.float16), rtol=1e-3)
    agrees(lambda x: tnp.sum(tnp.broadcast_to(x, (2**17,))), np.array([0.25], np.float16), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, "float32", "float64"])
@pytest.mark.parametrize("name", ["sum", "prod"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_sums_of_blocks_have_the_dtype_that_was_asked_for(dtype: str, name: str, axis: Any) -> None:
    with small_blocks():
        for given in ("bool", *INTEGERS):
            x = (np.arange(80) % 7).reshape(16, 5).astype(given)
            agrees(lambda x: getattr(tnp, name)(tnp.where(x > 1, x, 1), axis=axis, dtype=dtype), x, rtol=1e-6)


@pytest.mark.parametrize("name", ["minimum", "maximum", "fmin", "fmax"])
@pytest.mark.parametrize("spread", [lambda c: c, lambda c: np.broadcast_to(c[0], c.shape)], ids=["full", "spread"])
def test_a_float64_constant_is_not_compared_as_a_float32(name: str, spread: Callable[[Any], Any]) -> None:
    """float32's 0.7 is below 0.7: no tie, whose slope would be split."""
    x, c = np.array([0.7, 0.2, 0.9], np.float32), spread(np.full(3, 0.7))
    assert x[0] < c[0]
    gradient = tg.grad(lambda x: (getattr(tnp, name)(x, c).astype(np.float32) * np.array([1.0, 2.0, 3.0], np.float32)).sum())
    expected = np.array([1.0, 2.0, 0.0] if "min" in name else [0.0, 0.0, 3.0], np.float32)
    np.testing.assert_array_equal(gradient(x), expected)
    np.testing.assert_array_equal(tg.jit(gradient)(x), expected)
