"""The ufunc protocol on traced values: keyword arguments, reduce, accumulate, outer, reduceat, at."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads

X = np.random.default_rng(0).uniform(0.5, 2.0, (3, 5))
V = np.array([0.3, 1.2, 2.0])
MASK = np.random.default_rng(1).random((3, 5)) > 0.4

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "add.reduce": lambda x: np.add.reduce(x),
    "add.reduce axis": lambda x: np.add.reduce(x, axis=1, keepdims=True),
    "add.reduce all": lambda x: np.add.reduce(x, axis=None),
    "multiply.reduce": lambda x: np.multiply.reduce(x, 1),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=(0, 1)),
    "minimum.reduce": lambda x: np.minimum.reduce(x, -1),
    "subtract.reduce": lambda x: np.subtract.reduce(x, 1),
    "divide.reduce": lambda x: np.divide.reduce(x, 0),
    "power.reduce": lambda x: np.power.reduce(x[:2], 0),
    "hypot.reduce": lambda x: np.hypot.reduce(x, axis=None),
    "fmax.reduce": lambda x: np.fmax.reduce(x, axis=(0, 1), keepdims=True),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=1),
    "logaddexp.reduce initial": lambda x: np.logaddexp.reduce(x, axis=1, initial=0.3),
    "logaddexp.reduce where": lambda x: np.logaddexp.reduce(x, axis=1, where=MASK),
    "subtract.reduce initial": lambda x: np.subtract.reduce(x, axis=1, initial=2.0),
    "add.accumulate": lambda x: np.add.accumulate(x, 1),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x),
    "maximum.accumulate": lambda x: np.maximum.accumulate(x, 1),
    "logaddexp.accumulate": lambda x: np.logaddexp.accumulate(x, axis=-1),
    "subtract.accumulate": lambda x: np.subtract.accumulate(x, 1),
    "multiply.outer": lambda x: np.multiply.outer(x, V),
    "subtract.outer": lambda x: np.subtract.outer(V, x),
    "hypot.outer": lambda x: np.hypot.outer(x[0], x[1]),
    "add.reduceat": lambda x: np.add.reduceat(x, [0, 2, 3], axis=1),
    "add.reduceat back": lambda x: np.add.reduceat(x, [2, 0, 0, 4, 1], 1),
    "multiply.reduceat": lambda x: np.multiply.reduceat(x, [0, 2, 1], 1),
    "dtype": lambda x: np.exp(x, dtype=np.float64),
    "casting": lambda x: np.add(x, 1, casting="no", dtype=np.float64),
    "order": lambda x: np.multiply(x, x, order="F", subok=False),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_methods_have_the_values_of_numpy_and_derivatives(name: str) -> None:
    f = SMOOTH[name]
    np.testing.assert_allclose(tg.vjp(f, X)[0], f(X), rtol=1e-14)
    check_grads(f, (X,))


def test_a_mask_leaves_out_elements_and_their_derivatives() -> None:
    x = np.array([0.0, 1.0, 4.0])
    for door in (np, tnp):
        y, pull = tg.vjp(lambda x, door=door: door.log(x, where=x > 0), x)
        np.testing.assert_array_equal(y, [0.0, 0.0, np.log(4.0)])
        np.testing.assert_array_equal(pull(np.ones(3))[0], [0.0, 1.0, 0.25])
        y, pull = tg.vjp(lambda x, door=door: door.divide(1.0, x, where=np.array([False, True, True])), x)
        np.testing.assert_array_equal(pull(np.ones(3))[0], [0.0, -1.0, -1 / 16])
        fraction, _ = tg.vjp(lambda x, door=door: door.modf(x + 0.5, where=x > 0)[0], x)
        np.testing.assert_array_equal(fraction, [0.0, 0.5, 0.5])


def test_the_dtype_is_that_of_the_computation() -> None:
    x = np.ones(3, np.float32)
    for door in (np, tnp):
        y, pull = tg.vjp(lambda x, door=door: door.exp(x, dtype=np.float64), x)
        assert y.dtype == np.float64
        assert pull(np.ones(3))[0].dtype == np.float32
        y, _ = tg.vjp(lambda x, door=door: door.add(x, 1j, dtype=complex), x)
        assert y.dtype == np.complex128
        with pytest.raises(TypeError, match="same_kind"):
            tg.grad(lambda x, door=door: door.add(x, 1, dtype=int).sum())(x)


UNKNOWN: dict[str, Any] = {"speed": 1}
REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "out": (lambda x: np.add(x, 1.0, out=np.zeros((3, 5))), TypeError, r"numpy\.add: out="),
    "in place": (lambda x: _added_in_place(np.zeros((3, 5)), x), TypeError, "a = a \\+ x"),
    "at": (lambda x: np.add.at(np.zeros((3, 5)), [1], x), TypeError, r"tapegrad\.numpy\.at"),
    "unary": (lambda x: np.sin.reduce(x), ValueError, "binary"),
    "order": (lambda x: np.subtract.reduce(x, axis=None), ValueError, "reorderable"),
    "identity": (lambda x: np.fmax.reduce(x, where=MASK), ValueError, "initial"),
    "empty": (lambda x: np.fmax.reduce(x[:0]), ValueError, "identity"),
    "axis": (lambda x: np.add.reduce(x, axis=7), ValueError, "axis 7"),
    "other axis": (lambda x: np.hypot.reduce(x, axis=7), ValueError, "axis 7"),
    "reduce out": (lambda x: np.hypot.reduce(x, out=np.zeros(5)), TypeError, "out="),
    "reduceat": (lambda x: np.add.reduceat(x, [9]), IndexError, "9"),
    "other reduceat": (lambda x: np.multiply.reduceat(x, [9]), IndexError, "9"),
    "keyword": (lambda x: np.exp(x, **UNKNOWN), TypeError, "speed"),
}


def _added_in_place(array: Any, x: Any) -> Any:
    array += x
    return array


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said(name: str) -> None:
    f, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        tg.grad(lambda x: f(x).sum())(X)


def test_methods_of_constant_ufuncs_are_plain() -> None:
    def look(x: Any) -> Any:
        assert np.logical_and.reduce(x > 0, axis=None)
        np.testing.assert_array_equal(np.logical_xor.reduce(x, axis=1), np.logical_xor.reduce(X, axis=1))
        np.testing.assert_array_equal(np.less.outer(x[0], V), np.less.outer(X[0], V))
        np.testing.assert_array_equal(np.logical_or.accumulate(x), np.logical_or.accumulate(X))
        return x.sum()

    tg.grad(look)(X)


def test_empty_reductions_give_the_identity() -> None:
    x = np.zeros((0, 2))
    np.testing.assert_array_equal(tg.vjp(lambda x: np.logaddexp.reduce(x), x)[0], [-np.inf, -np.inf])
    np.testing.assert_array_equal(tg.vjp(lambda x: np.add.reduce(x), x)[0], [0.0, 0.0])


@pytest.mark.parametrize("name", ["add", "multiply", "fmax", "hypot", "logaddexp", "logical_and", "logical_or", "logical_xor"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float16", "float32"])
def test_methods_of_ufuncs_have_the_dtypes_of_numpy_for_traced_values_too(name: str, dtype: str) -> None:
    function, x = getattr(np, name), (np.arange(15) % 4).reshape(5, 3).astype(dtype)
    calls: list[Callable[[Any], Any]] = [lambda x: function.accumulate(x), lambda x: function.reduceat(x, [0, 2, 4, 3])]
    if not name.startswith("logical"):
        calls.append(lambda x: function.reduce(x, axis=0, initial=2))
    if name in ("add", "multiply", "fmax"):
        calls.append(lambda x: function.reduceat(x, [0, 2, 4, 3], dtype=dtype))
    for f in calls:
        expected = f(x)
        for found in (tg.jit(f)(x), tg.vmap(f)(x[None])[0]):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=0.01)


@pytest.mark.parametrize(
    "name", ["maximum", "minimum", "fmax", "logical_or", "logical_and", "logical_xor", "bitwise_or", "gcd"]
)
@pytest.mark.parametrize("dtype", [None, "bool", "int8", "float32"])
def test_reductions_take_the_dtypes_and_axes_that_those_of_numpy_take(name: str, dtype: Any) -> None:
    function: np.ufunc = getattr(np, name)
    x = np.random.default_rng(2).integers(0, 9, (2, 3, 4))
    for settings in ({}, {"axis": None}, {"axis": (0, 2), "keepdims": True}, {"axis": 1, "initial": 1}):

        def f(x: Any, settings: Any = settings) -> Any:
            return function.reduce(x, dtype=dtype, **settings)

        try:
            expected = f(x)
        except TypeError:
            with pytest.raises(TypeError):
                tg.jit(f)(x)
            continue
        for y in (tg.jit(f)(x), tg.vmap(f)(x[None])[0]):
            np.testing.assert_array_equal(y, expected)
            assert np.result_type(y) == np.result_type(expected)


def test_an_extreme_in_another_dtype_has_the_derivative_of_the_extreme() -> None:
    g = tg.grad(lambda x: np.maximum.reduce(x, axis=None, dtype="float32"))(X)
    np.testing.assert_array_equal(g, np.equal(X, X.max()))
    assert g.dtype == np.float64
