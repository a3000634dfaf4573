"""Padding, splitting and flipping: values as NumPy's through both doors, derivatives to the second order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.testing import check_grads

X = np.random.default_rng(0).normal(size=(3, 4))

PADS: list[tuple[Any, str, dict[str, Any]]] = [
    (1, "constant", {}),
    (((1, 0), (2, 3)), "constant", {"constant_values": 5.0}),
    ((1, 2), "constant", {"constant_values": ((1.0, 2.0), (3.0, 4.0))}),
    (((5, 2), (0, 9)), "edge", {}),
    (2, "reflect", {}),
    (((4, 7), (3, 9)), "reflect", {}),
    (2, "reflect", {"reflect_type": "odd"}),
    (2, "symmetric", {}),
    (((4, 7), (3, 9)), "symmetric", {"reflect_type": "odd"}),
    (((4, 7), (3, 9)), "wrap", {}),
    (((2, 3), (0, 4)), "linear_ramp", {}),
    (((2, 3), (1, 4)), "linear_ramp", {"end_values": ((1.0, 2.0), (-1.0, 3.0))}),
    (2, "maximum", {}),
    (2, "minimum", {"stat_length": 2}),
    (((2, 1), (1, 0)), "mean", {"stat_length": ((1, 2), (3, 1))}),
    (2, "median", {"stat_length": 3}),
    ({1: (1, 2)}, "edge", {}),
]


def padded(widths: Any, mode: str, settings: dict[str, Any]) -> Callable[[Any, Any], Any]:
    return lambda f, x: f(x, widths, mode, **settings)


def turned(k: int) -> Callable[[Any, Any], Any]:
    return lambda f, x: f(x, k)


CALLS: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    **{f"pad {mode} {k}": (np.pad, padded(widths, mode, more)) for k, (widths, mode, more) in enumerate(PADS)},
    "flip": (np.flip, lambda f, x: f(x)),
    "flip axes": (np.flip, lambda f, x: f(x, (0, -1))),
    "fliplr": (np.fliplr, lambda f, x: f(x)),
    "flipud": (np.flipud, lambda f, x: f(x)),
    **{f"rot90 {k}": (np.rot90, turned(k)) for k in (-1, 0, 1, 2, 3, 5)},
    "rot90 axes": (np.rot90, lambda f, x: f(x[None], 1, (2, 1))),
    "array_split": (np.array_split, lambda f, x: f(x, 3, 1)[1]),
    "array_split at": (np.array_split, lambda f, x: f(x, [1, 3, 7], 1)[2]),
    "split": (np.split, lambda f, x: f(x, 2, -1)[1]),
    "vsplit": (np.vsplit, lambda f, x: f(x, [1])[1]),
    "hsplit": (np.hsplit, lambda f, x: f(x, 2)[0]),
    "dsplit": (np.dsplit, lambda f, x: f(x[None], 2)[0]),
    "unstack": (getattr(np, "unstack", tnp.unstack), lambda f, x: f(x, axis=1)[2]),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys_through_both_doors(name: str) -> None:
    function, call = CALLS[name]
    expected = call(function, X)
    np.testing.assert_allclose(call(FUNCTIONS.get(function, tnp.unstack), X), expected, rtol=1e-14)
    with tg.Tape() as tape:
        x = tape.root(X)
        doors = [call(function, x), call(FUNCTIONS.get(function, tnp.unstack), x)]
    for traced in doors:
        np.testing.assert_allclose(traced.value, expected, rtol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_derivatives_to_the_second_order(name: str) -> None:
    function, call = CALLS[name]
    check_grads(lambda x: np.sin(call(function, x)), (X,), order=2)


def test_constants_and_ramps_are_differentiable_in_their_values() -> None:
    check_grads(lambda c: tnp.pad(X, 1, constant_values=c) ** 2, (0.5,), order=2)
    check_grads(lambda c: tnp.pad(X, 1, mode="linear_ramp", end_values=c) ** 2, (0.5,), order=2)


def test_float32_is_kept() -> None:
    x = X.astype(np.float32)
    for name, (function, call) in CALLS.items():
        gradient = tg.grad(lambda x, f=function, c=call: (c(f, x) * 2).sum())(x)
        assert gradient.dtype == np.float32, name


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: tnp.pad(x, 1, "nonsense"), ValueError, "nonsense"),
        (lambda x: np.pad(x, ((1, 2, 3),)), ValueError, "broadcast"),
        (lambda x: np.pad(x, 1, "edge", constant_values=1), ValueError, "unsupported keyword"),
        (lambda x: np.pad(x, 1, lambda *a: None), TypeError, "named mode"),
        (lambda x: np.split(x, 3, 1), ValueError, "equal division"),
        (lambda x: np.fliplr(x[0]), ValueError, "2-d"),
        (lambda x: np.rot90(x, 1, (0, 0)), ValueError, "different"),
        (lambda x: np.flip(x, 5), np.exceptions.AxisError, "axis 5"),
        (lambda x: np.dsplit(x, 2), ValueError, "3 or more"),
    ],
)
def test_bad_input_is_numpys_error(call: Any, error: type[Exception], words: str) -> None:
    with tg.Tape() as tape:
        x = tape.root(X)
        with pytest.raises(error, match=words):
            call(x)


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("name", ("flip", "trim_zeros"))
@pytest.mark.parametrize("number", (float, np.float64, np.array))
def test_a_number_has_no_axis_to_turn_or_trim(xp: Any, name: str, number: Any) -> None:
    f = getattr(xp, name)
    assert tg.value_and_grad(lambda x: f(x) * x)(number(3.0)) == (9.0, 6.0)
    assert tg.jvp(f, (number(3.0),), (number(1.0),)) == (3.0, 1.0)


@pytest.mark.parametrize("shift", [7, (), (1, 2)])
def test_a_roll_along_no_axes_moves_nothing(shift: Any) -> None:
    x = np.arange(3.0)
    if shift == (1, 2):
        np.testing.assert_array_equal(tg.vjp(lambda x: np.roll(x, shift, (0, 0)), x)[0], np.roll(x, shift, (0, 0)))
    else:
        np.testing.assert_array_equal(tg.vjp(lambda x: np.roll(x, shift, ()), x)[0], x)


@pytest.mark.parametrize("number", [np.array(True), np.array(2), np.array(2.5), np.array(1j)], ids=str)
def test_a_scalar_of_any_kind_is_its_own_mirror_image(number: Any) -> None:
    expected = np.flip(number)
    for found in (tg.jit(np.flip)(number), tg.vmap(np.flip)(np.array([number, number]))[1]):
        assert found == expected
        assert found.dtype == expected.dtype
