"""Arguments besides the array may be traced where the array is not: they count, or it is said why they cannot be known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import ConcretizationError

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.arange(6.0).reshape(3, 2)

UNKNOWN: dict[str, Callable[[Any], Any]] = {
    "delete": lambda i: N.delete(X, i, 0),
    "insert": lambda i: N.insert(X, i, 9.0, 0),
    "tile": lambda i: N.tile(X, i),
    "split": lambda i: N.split(X, i + 2),
    "array_split": lambda i: N.array_split(X, i),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_decides_the_shape_of_the_result_has_to_be_known(name: str) -> None:
    one = np.array(1)
    word = "split" if "split" in name else name
    with pytest.raises(ConcretizationError, match=rf"its values \(numpy\.{word}\) at .*test_traced_arg.*static_argnames"):
        tg.jit(UNKNOWN[name])(one)
    tg.vmap(lambda i, y: y * np.sum(np.asarray(UNKNOWN[name](i)[0])), in_axes=(None, 0))(one, X)  # held: it is known


@pytest.mark.parametrize("equal_nan", [True, False])
def test_tolerances_may_be_traced(equal_nan: bool) -> None:
    a = np.array([1.0, 1.0, np.nan, np.inf, np.inf, 0.0])
    b = np.array([1.0 + 1e-3, 1.1, np.nan, np.inf, 1.0, 1e-9])
    for rtol in (1e-2, 1e-4):
        wanted = np.isclose(a, b, rtol, 1e-8, equal_nan)
        np.testing.assert_array_equal(tg.jit(lambda r: N.isclose(a, b, r, 1e-8, equal_nan))(rtol), wanted)
        wanted = np.isclose(a, b, 0.0, rtol, equal_nan)
        np.testing.assert_array_equal(tg.jit(lambda r: N.isclose(a, b, 0.0, r, equal_nan))(rtol), wanted)
        assert bool(tg.jit(lambda r: N.allclose(a[:2], b[:2], r))(rtol)) == np.allclose(a[:2], b[:2], rtol)
    assert tg.grad(lambda r: r * np.sum(np.isclose(a[:2], b[:2], r)))(1e-2) == 1.0
