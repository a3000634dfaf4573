"""What activations promise: values and slopes at the edges, at both orders, and any axis."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.testing import check_grads
from tapegrad.typing import Array

ACTIVATIONS = [nn.relu, nn.sigmoid, nn.tanh, nn.softmax, nn.log_softmax]


def slope(f: Callable[[Array], Array], order: int = 1) -> Callable[[Array], Array]:
    """Return the derivative of an elementwise function, at each element."""
    for _ in range(order):
        f = (lambda inner: lambda x: tg.grad(lambda x: tg.numpy.sum(inner(x)))(x))(f)
    return f


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_derivatives_are_right_at_both_orders(f: Any) -> None:
    check_grads(f, (np.random.default_rng(0).normal(size=(3, 4)),), order=2)


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_float32_stays_float32(f: Any) -> None:
    x = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
    y, pull = tg.vjp(f, x)
    assert y.dtype == np.float32 and pull(np.ones_like(y))[0].dtype == np.float32


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_numbers_that_are_not_traced_come_out_as_plain_arrays(f: Any) -> None:
    assert type(f(np.ones((2, 3)))) is np.ndarray


def test_relu_has_slope_0_at_0() -> None:
    x = np.array([-1.0, -0.0, 0.0, 1e-300, 2.0])
    assert slope(nn.relu)(x).tolist() == [0, 0, 0, 1, 1]
    assert slope(nn.relu, 2)(x).tolist() == [0, 0, 0, 0, 0]


def test_relu_of_an_infinite_or_undefined_input() -> None:
    assert np.array_equal(nn.relu(np.array([-np.inf, np.inf, np.nan])), [0, np.inf, np.nan], equal_nan=True)
    assert slope(nn.relu)(np.array([-np.inf, np.inf])).tolist() == [0, 1]


@pytest.mark.parametrize("x", [1e-30, -1e-30, 1e-8, -1e-8, 1e-3])
def test_the_second_derivative_of_sigmoid_is_exact_beside_0(x: float) -> None:
    tanh = math.tanh(x / 2)
    np.testing.assert_allclose(slope(nn.sigmoid, 2)(np.array([x])), -tanh * (1 - tanh**2) / 4, rtol=1e-14)
    np.testing.assert_allclose(slope(nn.sigmoid, 3)(np.array([x])), -0.125, rtol=1e-5)


def test_sigmoid_neither_overflows_nor_loses_small_values() -> None:
    x = np.array([-np.inf, -1000.0, -40.0, 0.0, 40.0, 1000.0, np.inf])
    np.testing.assert_allclose(nn.sigmoid(x), [0, 0, np.exp(-40.0), 0.5, 1, 1, 1], rtol=1e-15)
    for order in (1, 2):
        assert np.all(np.isfinite(slope(nn.sigmoid, order)(x)))
    assert np.all(np.isfinite(slope(nn.sigmoid, 2)(x.astype(np.float32))))
    assert slope(nn.sigmoid)(np.zeros(1)) == 0.25


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_softmax_sums_to_one_along_any_axis(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    y = nn.softmax(x, axis)
    np.testing.assert_allclose(y.sum(axis=axis), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.exp(nn.log_softmax(x, axis)), y, rtol=1e-14)
    for f in (nn.softmax, nn.log_softmax):
        check_grads(lambda x, f=f: f(x, axis), (x,), order=1)


@pytest.mark.parametrize("shape", [(5, 0), (0, 5), (5, 0, 0), (0,)])
@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax])
def test_softmax_of_no_classes_is_empty(f: Any, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    assert f(x).shape == tg.jit(f)(x).shape == tg.vjp(f, x)[1](x)[0].shape == shape


def test_softmax_is_unmoved_by_large_inputs() -> None:
    x = np.array([1000.0, 1001.0])
    np.testing.assert_allclose(nn.softmax(x), nn.softmax(x - 1000), rtol=1e-15)
    np.testing.assert_allclose(nn.log_softmax(x), nn.log_softmax(x - 1000), rtol=1e-12)


@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax])
def test_an_entry_of_minus_infinity_takes_no_part(f: Any) -> None:
    x = np.array([0.5, -np.inf, 1.5])
    y, pull = tg.vjp(f, x)
    np.testing.assert_allclose(y[[0, 2]], f(x[[0, 2]]), rtol=1e-15)
    (c,) = pull(np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(c[[0, 2]], tg.vjp(f, x[[0, 2]])[1](np.array([1.0, 0.0]))[0], rtol=1e-15)
    assert c[1] == 0


@pytest.mark.parametrize("f", [nn.softmax, nn.log_softmax])
def test_a_row_that_is_masked_out_contributes_nothing(f: Any) -> None:
    valid = np.array([[True], [False]])

    def loss(x: Array) -> Array:
        return tg.numpy.sum(tg.numpy.where(valid, f(x)[:, :1], 0.0))

    x = np.array([[1.0, 2.0], [np.nan, -np.inf]])
    for derivative in (tg.grad(loss), tg.grad(lambda x: tg.numpy.sum(tg.grad(loss)(x)[0] ** 2))):
        c = derivative(x)
        assert np.all(np.isfinite(c[0])) and np.any(c[0] != 0) and c[1].tolist() == [0, 0]


def test_an_axis_that_does_not_exist_is_refused_as_numpy_refuses_it() -> None:
    for f in (nn.softmax, nn.log_softmax):
        with pytest.raises(np.exceptions.AxisError):
            f(np.ones((2, 3)), axis=2)
        with pytest.raises(np.exceptions.AxisError):
            tg.grad(lambda x, f=f: f(x, axis=-3).sum())(np.ones((2, 3)))


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_integers_are_taken(f: Any) -> None:
    np.testing.assert_allclose(f(np.array([[-1, 2]])), f(np.array([[-1.0, 2.0]])), rtol=1e-15)
    np.testing.assert_allclose(f(np.array([[1, 3]], np.uint32)), f(np.array([[1.0, 3.0]])), rtol=1e-15)


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_equal_to_pytorch(f: Any) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(size=(4, 5)) * 5
    theirs = torch.tensor(x, requires_grad=True)
    y = getattr(torch, f.__name__)(theirs, **({"dim": -1} if "softmax" in f.__name__ else {}))
    mine, pull = tg.vjp(f, x)
    g = np.random.default_rng(2).normal(size=(4, 5))
    y.backward(torch.tensor(g))
    np.testing.assert_allclose(mine, y.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(pull(g)[0], theirs.grad.numpy(), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("f", ACTIVATIONS)
def test_lists_are_taken_and_what_is_no_number_is_refused(f: Any) -> None:
    np.testing.assert_array_equal(f([0.0, 1.0]), f(np.array([0.0, 1.0])))
    for wrong in (None, "1.0", {"x": 1.0}):
        with pytest.raises(TypeError, match=rf"nn\.{f.__name__}: x must be an array of numbers"):
            f(wrong)


@pytest.mark.parametrize("axis", ("0", None, 1.0, (0, 1)))
def test_an_axis_is_one_integer(axis: Any) -> None:
    with pytest.raises(TypeError, match=r"nn\.softmax: axis must be one integer"):
        nn.softmax(np.ones((2, 2)), axis)


def test_relu_of_many_numbers_is_that_of_few() -> None:
    x = np.random.default_rng(0).normal(size=(64, 48)).astype(np.float32)
    x[0, :3] = np.nan, np.inf, -np.inf
    for many in (x, np.asfortranarray(x), x[:, ::2], x.astype(np.float64)):
        y = nn.relu(many)
        assert np.array_equal(y, np.maximum(many, 0), equal_nan=True)
        assert y.dtype == many.dtype
        assert y.flags.writeable
        assert np.array_equal(tg.grad(lambda x: np.sum(nn.relu(x)[1:]))(many)[1:], (many > 0)[1:])
