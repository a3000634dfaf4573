"""vjp, jvp and linearize: what goes in, what comes out, and how often."""

import re
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad.errors import TreeError
from tapegrad.testing import assert_trees_close
from tapegrad.typing import Array

RANDOM = np.random.default_rng(0)
A = RANDOM.normal(size=(2, 3))
X = RANDOM.normal(size=3)


@frozen
class Params:
    weight: Array
    bias: Array


PARAMS = Params(A, np.array([0.5, -0.5]))


def affine(params: Params, x: Array) -> Any:
    return {"y": params.weight @ x + params.bias, "norm": np.sum(x * x)}


def cubes(x: Any) -> Any:
    return x * x * x


# vjp


def test_pull_is_the_transposed_jacobian() -> None:
    y, pull = tg.vjp(lambda x: A @ x, X)
    assert np.array_equal(y, A @ X)
    g = np.array([1.0, -2.0])
    assert_trees_close(pull(g), (A.T @ g,))


def test_pull_takes_and_returns_trees() -> None:
    out, pull = tg.vjp(affine, PARAMS, X)
    assert set(out) == {"y", "norm"} and type(out["y"]) is np.ndarray
    params, x = pull({"y": np.array([1.0, 2.0]), "norm": 3.0})
    assert isinstance(params, Params)
    assert_trees_close(params, Params(np.outer([1.0, 2.0], X), np.array([1.0, 2.0])))
    assert_trees_close(x, A.T @ [1.0, 2.0] + 6.0 * X)


def test_pull_may_be_called_any_number_of_times() -> None:
    _, pull = tg.vjp(cubes, X)
    first, second, third = pull(np.ones(3))[0], pull(2 * np.ones(3))[0], pull(np.ones(3))[0]
    assert_trees_close(first, 3 * X * X)
    assert_trees_close(second, 6 * X * X)
    assert np.array_equal(first, third) and not np.shares_memory(first, third)


def test_pull_is_linear() -> None:
    _, pull = tg.vjp(lambda x: np.tanh(A @ np.sin(x)), X)
    g, h = RANDOM.normal(size=2), RANDOM.normal(size=2)
    assert_trees_close(pull(g + 2 * h)[0], pull(g)[0] + 2 * pull(h)[0])


def test_vjp_with_auxiliary_output() -> None:
    y, pull, aux = tg.vjp(lambda x: (x * x, {"seen": x * 2.0}), X, has_aux=True)
    assert np.array_equal(y, X * X) and type(aux["seen"]) is np.ndarray
    assert_trees_close(pull(np.ones(3)), (2 * X,))


def test_outputs_that_do_not_depend_on_the_input_pull_zeros() -> None:
    out, pull = tg.vjp(lambda x: (3.0, np.arange(2.0), x), X)
    assert out[0] == 3.0
    assert_trees_close(pull((1.0, np.ones(2), np.zeros(3))), (np.zeros(3),))


def test_an_output_returned_twice_collects_both_cotangents() -> None:
    _, pull = tg.vjp(lambda x: (lambda y: (y, y, x))(x * x), X)
    assert_trees_close(pull((np.ones(3), np.ones(3), np.ones(3))), (4 * X + 1,))


def test_the_identity_returns_its_cotangent_as_a_copy() -> None:
    _, pull = tg.vjp(lambda x: x, X)
    g = np.ones(3)
    (c,) = pull(g)
    assert np.array_equal(c, g) and not np.shares_memory(c, g)


@pytest.mark.parametrize("g", [1, True, np.float32(1.0), np.int64(1), 1.0])
def test_scalar_cotangents_are_cast(g: Any) -> None:
    _, pull = tg.vjp(lambda x: np.sum(x * x), X)
    (c,) = pull(g)
    assert c.dtype == np.float64
    assert_trees_close(c, 2 * X)


@pytest.mark.parametrize(
    ("g", "error", "message"),
    [
        ({"y": np.ones(3), "norm": 1.0}, TypeError, "vjp: the cotangent at ['y'] has shape (3,) and dtype float64, but"),
        ({"y": np.ones(2, complex), "norm": 1.0}, TypeError, "vjp: the cotangent at ['y'] has shape (2,) and dtype complex128"),
        ({"y": np.ones(2, int), "norm": 1.0}, TypeError, "vjp: the cotangent at ['y'] has shape (2,) and dtype int64"),
        ({"y": np.ones(2), "norm": "1"}, TypeError, "vjp: the cotangent at ['norm'] has"),
        ((np.ones(2), 1.0), TreeError, "vjp: the tree of the cotangent is tuple("),
        (
            {"y": np.ones(2)},
            TreeError,
            "vjp: the tree of the cotangent is dict(['y']: *), expected dict(['norm']: *, ['y']: *)",
        ),
    ],
)
def test_a_cotangent_fits_the_output(g: Any, error: type[Exception], message: str) -> None:
    _, pull = tg.vjp(affine, PARAMS, X)
    with pytest.raises(error, match=re.escape(message)):
        pull(g)
    assert pull({"y": np.ones(2), "norm": 1.0})


@pytest.mark.parametrize("out", ["text", object(), {1, 2}])
def test_an_output_is_made_of_arrays(out: Any) -> None:
    for transform in (lambda f: tg.vjp(f, X), lambda f: tg.jvp(f, (X,), (X,)), lambda f: tg.linearize(f, X)):
        with pytest.raises(TypeError, match=f"the function must return arrays, got an? {type(out).__name__}"):
            transform(lambda x: (x, out))


# jvp


def test_jvp_is_the_jacobian_times_the_tangent() -> None:
    t = RANDOM.normal(size=3)
    y, pushed = tg.jvp(lambda x: np.exp(A @ x), (X,), (t,))
    assert_trees_close(y, np.exp(A @ X))
    assert_trees_close(pushed, np.exp(A @ X) * (A @ t))


def test_jvp_takes_and_returns_trees() -> None:
    tangents = (Params(np.ones_like(A), np.zeros(2)), np.zeros(3))
    _, pushed = tg.jvp(affine, (PARAMS, X), tangents)
    assert_trees_close(pushed, {"y": np.full(2, X.sum()), "norm": 0.0})
    assert type(pushed["y"]) is np.ndarray


def test_outputs_that_do_not_move_have_zero_tangents() -> None:
    _, (a, b, c) = tg.jvp(lambda x: (3.0, np.ones(2, np.float32), np.argmax(x)), (X,), (np.ones(3),))
    assert a == 0.0 and np.array_equal(b, np.zeros(2)) and b.dtype == np.float32 and c == 0.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64])
def test_tangents_have_the_dtype_of_the_output(dtype: type) -> None:
    x: Array = np.ones(3, dtype)
    y, t = tg.jvp(lambda x: x * 2.0 + x * x, (x,), (np.ones(3, dtype),))
    assert y.dtype == t.dtype == dtype and np.array_equal(t, np.full(3, 4.0))


@pytest.mark.parametrize(
    ("primals", "tangents", "error", "message"),
    [
        ((X,), (np.ones(2),), TypeError, "jvp: the tangent at [0] has shape (2,) and dtype float64, but"),
        ((X,), (np.ones(3, complex),), TypeError, "has shape (3,) and dtype complex128, but what it belongs to has"),
        ((X,), (X, X), TreeError, "jvp: the tree of the tangent is tuple([0]: *, [1]: *), expected tuple([0]: *)"),
        (({"a": X},), ({"b": X},), TreeError, "jvp: the tree of the tangent is"),
        (X, (X,), TypeError, "jvp: primals and tangents must be tuples, got ndarray and tuple"),
        ((X,), X, TypeError, "jvp: primals and tangents must be tuples, got tuple and ndarray"),
        ((np.arange(3),), (X,), TypeError, "jvp of <lambda>: the leaf x has dtype int64"),
    ],
)
def test_tangents_fit_the_primals(primals: Any, tangents: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        tg.jvp(lambda x: x, primals, tangents)


def test_lists_of_primals_will_do() -> None:
    assert tg.jvp(lambda x, y: x * y, [2.0, 3.0], [1.0, 0.0])[1] == 3.0


# linearize


def test_linearize_records_once_and_pushes_often() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return np.sin(x) * x

    y, push = tg.linearize(f, X)
    assert_trees_close(y, np.sin(X) * X)
    for t in (np.ones(3), X, np.zeros(3)):
        assert_trees_close(push(t), (np.cos(X) * X + np.sin(X)) * t)
    assert len(calls) == 1


def test_linearize_agrees_with_vjp() -> None:
    def f(x: Any) -> Any:
        return np.tanh(A @ np.exp(x))

    _, push = tg.linearize(f, X)
    _, pull = tg.vjp(f, X)
    t, g = RANDOM.normal(size=3), RANDOM.normal(size=2)
    assert np.dot(push(t), g) == pytest.approx(np.dot(t, pull(g)[0]))


def test_a_tangent_of_a_linearized_function_fits() -> None:
    _, push = tg.linearize(affine, PARAMS, X)
    with pytest.raises(TypeError, match=re.escape("linearize: the tangent at [0].bias has shape (5,)")):
        push(Params(A, np.ones(5)), X)
    with pytest.raises(TreeError, match="linearize: the tree of the tangent"):
        push(X)


# Complex numbers


def test_cotangents_are_not_conjugated() -> None:
    z = np.array(1.0 + 2.0j)
    _, pull = tg.vjp(lambda z: z * z, z)
    assert_trees_close(pull(1j), (2 * z * 1j,))
    _, push = tg.linearize(lambda z: z * z, z)
    assert_trees_close(push(1j), 2 * z * 1j)


def test_a_complex_output_of_a_real_input() -> None:
    _, pull = tg.vjp(lambda x: x * (1.0 + 2.0j), 3.0)
    assert pull(1.0 + 0.0j)[0] == 1.0 and pull(1.0j)[0] == -2.0
    assert pull(1.0j)[0].dtype == np.float64


def test_forward_mode_hands_on_what_the_function_returns_besides() -> None:
    def f(x: Any) -> Any:
        return x * x, {"x": x, "none": None}

    out, moved, aux = tg.jvp(f, (3.0,), (2.0,), has_aux=True)
    assert (out, moved, aux) == (9.0, 12.0, {"x": 3.0, "none": None})
    out, push, aux = tg.linearize(f, 3.0, has_aux=True)
    assert (out, push(2.0), aux) == (9.0, 12.0, {"x": 3.0, "none": None})
    inner = tg.grad(lambda x: tg.jvp(f, (x,), (x,), has_aux=True)[1] + tg.jvp(f, (x,), (x,), has_aux=True)[2]["x"])
    assert inner(3.0) == 13.0
    with pytest.raises(TypeError, match=r"jvp of .* with has_aux=True: the function must return \(output, aux\)"):
        tg.jvp(np.sin, (3.0,), (2.0,), has_aux=True)
