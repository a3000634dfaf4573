"""Editing, ranges, grids, blocks and slices: values as NumPy's through both doors, derivatives to the second order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.testing import check_grads

X = np.random.default_rng(0).normal(size=(3, 4)) + 3.0

CALLS: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "append": (np.append, lambda f, x: f(x, x[0])),
    "append axis": (np.append, lambda f, x: f(x, x[:1] * 2, 0)),
    "insert": (np.insert, lambda f, x: f(x, 1, 5.0)),
    "insert row": (np.insert, lambda f, x: f(x, 1, x[0] * 2, 0)),
    "insert column": (np.insert, lambda f, x: f(x, 1, x[:, 0], 1)),
    "insert several": (np.insert, lambda f, x: f(x, [0, 3, 3], x[:, :3], 1)),
    "insert at end": (np.insert, lambda f, x: f(x, -1, x[:, 0], axis=1)),
    "insert none": (np.insert, lambda f, x: f(x, [], 7.0, 1)),
    "insert none in all": (np.insert, lambda f, x: f(x, (), [])),
    "insert slice": (np.insert, lambda f, x: f(x, slice(0, 4, 2), 7.0, axis=1)),
    "delete": (np.delete, lambda f, x: f(x, 3)),
    "delete rows": (np.delete, lambda f, x: f(x, [0, -1], 0)),
    "delete slice": (np.delete, lambda f, x: f(x, slice(1, 3), 1)),
    "delete mask": (np.delete, lambda f, x: f(x, np.array([True, False, False, True]), 1)),
    "resize": (np.resize, lambda f, x: f(x, (5, 5))),
    "resize smaller": (np.resize, lambda f, x: f(x, 2)),
    "trim_zeros": (np.trim_zeros, lambda f, x: f(np.concatenate([np.zeros(2), x[0], np.zeros(1)]))),
    "trim_zeros front": (np.trim_zeros, lambda f, x: f(np.concatenate([np.zeros(2), x[0], np.zeros(1)]), "f")),
    "linspace": (np.linspace, lambda f, x: f(x[0, 0], x[1, 1], 7)),
    "linspace arrays": (np.linspace, lambda f, x: f(x, x[0] * 2, 5, axis=1)),
    "linspace open": (np.linspace, lambda f, x: f(x, 1.0, 5, endpoint=False, axis=-1)),
    "linspace one": (np.linspace, lambda f, x: f(x[0], 1.0, 1)),
    "linspace step": (np.linspace, lambda f, x: f(x[0], 1.0, 4, retstep=True)[1]),
    "logspace": (np.logspace, lambda f, x: f(x[0] / 3, x[1] / 3, 4, base=2.0)),
    "geomspace": (np.geomspace, lambda f, x: f(x[0], x[1] * 4, 4)),
    "meshgrid": (np.meshgrid, lambda f, x: f(x[0], x[1, :3])[0] * f(x[0], x[1, :3])[1]),
    "meshgrid ij": (np.meshgrid, lambda f, x: f(x[0], x[1, :3], x[2, :2], indexing="ij")[2]),
    "meshgrid sparse": (np.meshgrid, lambda f, x: f(x[0], x[1, :3], sparse=True)[1]),
    "apply_along_axis": (np.apply_along_axis, lambda f, x: f(lambda r: r * r[0], 1, x)),
    "apply_along_axis matrix": (np.apply_along_axis, lambda f, x: f(lambda r: r[:, None] * r, 0, x)),
    "apply_along_axis scalar": (np.apply_along_axis, lambda f, x: f(lambda r: (r * r).sum(), 0, x)),
    "apply_over_axes": (np.apply_over_axes, lambda f, x: f(np.sum, x[None], [0, -1])),
    "block": (np.block, lambda f, x: f([[x, x[:, :1]], [x[:1] * 2, x[:1, :1]]])),
    "block vectors": (np.block, lambda f, x: f([x[0], 2.0, x[1]])),
    "block deep": (np.block, lambda f, x: f([[x[0]], [x[1]]])),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys_through_both_doors(name: str) -> None:
    function, call = CALLS[name]
    expected = call(function, X)
    np.testing.assert_allclose(call(FUNCTIONS[function], X), expected, rtol=1e-13)
    with tg.Tape() as tape:
        x = tape.root(X)
        doors: list[Any] = [call(function, x), call(FUNCTIONS[function], x)]
    for traced in doors:
        np.testing.assert_allclose(traced.value, expected, rtol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_derivatives_to_the_second_order(name: str) -> None:
    function, call = CALLS[name]
    check_grads(lambda x: np.sin(call(function, x)), (X,), order=2)


@pytest.mark.parametrize("name", CALLS)
def test_float32_is_kept(name: str) -> None:
    function, call = CALLS[name]
    x = X.astype(np.float32)
    gradient: Any = tg.grad(lambda x: (call(function, x) * 2).sum())(x)
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.insert(x, 99, 1.0, 1), IndexError, "out of bounds"),
        (lambda x: np.delete(x, 99), IndexError, "out of bounds"),
        (lambda x: np.append(x, x[0], 0), ValueError, "dimension"),
        (lambda x: FUNCTIONS[np.meshgrid](x[0], x[1], indexing="no"), ValueError, "indexing"),
        (lambda x: np.linspace(x[0], x[1], -1), ValueError, "non-negative"),
        (lambda x: np.geomspace(x[0] * 0, x[1]), ValueError, "zero"),
        (lambda x: np.block([[x], x]), ValueError, "depths"),
        (lambda x: FUNCTIONS[np.trim_zeros](x, "q"), ValueError, "trim"),
        (lambda x: np.apply_along_axis(np.sum, 7, x), np.exceptions.AxisError, "axis 7"),
    ],
)
def test_bad_input_is_numpys_error(call: Any, error: type[Exception], words: str) -> None:
    with tg.Tape() as tape:
        x = tape.root(X)
        with pytest.raises(error, match=words):
            call(x)
