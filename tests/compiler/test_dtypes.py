"""Numbers of all kinds compute the same compiled: what holds for floating-point numbers need not hold for other ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad.numpy as tnp
from tapegrad.ops.exponentials import LARGE
from tests.compiler.tracing import agrees

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
