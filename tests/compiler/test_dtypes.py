"""Numbers of all kinds compute the same compiled: what holds for floating-point numbers need not hold for other ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad.numpy as tnp
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
