"""`jacfwd`, `jacrev`, `jacobian`, `hessian` and `hvp`: trees, arguments, modes, and what is said about bad input."""

import inspect
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad.errors import TreeError
from tapegrad.testing import assert_trees_close

X = np.array([0.3, -0.7, 1.1])
A = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])


@frozen
class Params:
    weight: Any
    bias: Any


PARAMS = Params(A, np.array([0.1, -0.2]))

JACOBIANS: dict[str, Callable[..., Any]] = {"jacfwd": tg.jacfwd, "jacrev": tg.jacrev, "jacobian": tg.jacobian}
each_jacobian = pytest.mark.parametrize("jacobian", JACOBIANS.values(), ids=JACOBIANS)


def network(params: Params, x: Any, scale: float = 1.0) -> Any:
    y = np.tanh(params.weight @ x + params.bias) * scale
    return {"y": y, "sum": (np.sum(y * y),)}


# Jacobians


@each_jacobian
def test_of_an_array_by_an_array(jacobian: Callable[..., Any]) -> None:
    assert_trees_close(jacobian(lambda x: A @ x)(X), A)
    assert_trees_close(jacobian(lambda x: np.outer(x, x))(X), np.eye(3)[:, None] * X[:, None] + X[:, None, None] * np.eye(3))
    assert jacobian(lambda x: np.ones((2, 2)) * x)(2.0).shape == (2, 2)
    assert jacobian(lambda x: x * x)(3.0) == 6.0


@each_jacobian
def test_of_a_tree_by_a_tree(jacobian: Callable[..., Any]) -> None:
    found = jacobian(network)(PARAMS, X, scale=2.0)
    assert isinstance(found["y"], Params) and isinstance(found["sum"][0], Params)
    y = np.tanh(A @ X + PARAMS.bias)
    slope = 2.0 * (1 - y * y)
    assert_trees_close(found["y"].bias, np.diag(slope))
    assert_trees_close(found["y"].weight, np.eye(2)[:, :, None] * slope[:, None, None] * X)
    assert_trees_close(found["sum"][0].bias, 2 * 2.0 * y * slope)
    assert found["sum"][0].weight.shape == (2, 3)


@each_jacobian
def test_by_several_arguments(jacobian: Callable[..., Any]) -> None:
    by_params, by_x = jacobian(lambda p, x: network(p, x)["y"], argnums=(0, 1))(PARAMS, X)
    assert isinstance(by_params, Params) and by_x.shape == (2, 3)
    assert_trees_close(jacobian(network, argnums=1)(PARAMS, X)["y"], by_x)
    assert_trees_close(jacobian(lambda p, x: network(p, x)["y"], argnums=-1)(PARAMS, X), by_x)
    (only,) = jacobian(lambda p, x: network(p, x)["y"], argnums=(1,))(PARAMS, X)
    assert_trees_close(only, by_x)


@each_jacobian
def test_with_auxiliary_output(jacobian: Callable[..., Any]) -> None:
    found, aux = jacobian(lambda x: (x * x, {"seen": x, "name": "n"}), has_aux=True)(X)
    assert_trees_close(found, np.diag(2 * X))
    assert np.array_equal(aux["seen"], X) and type(aux["seen"]) is np.ndarray and aux["name"] == "n"


@each_jacobian
def test_of_what_does_not_depend_on_the_input_and_of_no_elements(jacobian: Callable[..., Any]) -> None:
    constant, some = jacobian(lambda x: (np.ones(2), x))(X)
    assert_trees_close((constant, some), (np.zeros((2, 3)), np.eye(3)))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert jacobian(lambda x: np.sin(x))(np.zeros(0)).shape == (0, 0)
    assert jacobian(lambda x: np.ones(2) * np.sum(x))(np.zeros((0, 3))).shape == (2, 0, 3)


@each_jacobian
def test_float32_and_complex_numbers(jacobian: Callable[..., Any]) -> None:
    assert jacobian(np.tanh)(X.astype(np.float32)).dtype == np.float32
    for none in (jacobian(lambda x: x[:0])(np.ones(3, np.float32)), jacobian(np.tanh)(np.ones(0, np.float32))):
        assert none.dtype == np.float32
    z = X * (1.0 + 0.5j)
    assert_trees_close(jacobian(lambda z: z**3, holomorphic=True)(z), np.diag(3 * z * z))


def test_the_cheaper_mode_is_taken() -> None:
    """Each basis vector is one example of a batch: the batch is as long as the smaller side."""
    sizes: list[int] = []

    @tg.primitive(
        vjp=lambda g, y, x: g * 2.0,
        jvp=lambda t, y, x: t[0] * 2.0,
        batch=lambda args, batched: args[0] * 2.0,
    )
    def double(x: Any) -> Any:
        return x * 2.0

    def watch(kind: str, rule: Callable[..., Any]) -> Any:
        def wrapped(*args: Any) -> Any:
            sizes.append(1 if kind == "forward" else -1)
            return rule(*args)

        return wrapped

    watched = tg.primitive(
        lambda x: x * 2.0,
        vjp=watch("reverse", lambda g, y, x: g * 2.0),
        jvp=watch("forward", lambda t, y, x: t[0] * 2.0),
    )
    wide, tall = np.ones((2, 5)), np.ones((5, 2))
    assert_trees_close(tg.jacobian(lambda x: wide @ watched(x))(np.ones(5)), 2 * wide)
    assert set(sizes) == {-1}
    sizes.clear()
    assert_trees_close(tg.jacobian(lambda x: tall @ watched(x))(np.ones(2)), 2 * tall)
    assert set(sizes) == {1}
    assert tg.jacobian(double)(X).tolist() == (2 * np.eye(3)).tolist()


def test_a_jacobian_is_batched_not_looped() -> None:
    calls: list[int] = []

    def count(tangents: Any, y: Any, x: Any) -> Any:
        calls.append(1)
        return tangents[0] * np.cos(x)

    sine = tg.primitive(lambda x: np.sin(x), jvp=count, elementwise=True)
    assert_trees_close(tg.jacfwd(sine)(np.ones(50)), np.diag(np.cos(np.ones(50))))
    assert len(calls) == 1


# Hessians


def test_a_hessian_of_trees() -> None:
    def loss(params: Params, x: Any) -> Any:
        return np.sum(np.tanh(params.weight @ x + params.bias) ** 2)

    h = tg.hessian(loss)(PARAMS, X)
    assert isinstance(h, Params) and isinstance(h.weight, Params)
    assert h.weight.weight.shape == (2, 3, 2, 3) and h.weight.bias.shape == (2, 3, 2) and h.bias.weight.shape == (2, 2, 3)
    assert_trees_close(h.weight.bias, np.moveaxis(h.bias.weight, 0, -1))
    other = tg.jacrev(tg.jacfwd(loss))(PARAMS, X)
    assert_trees_close(h, other, 1e-10)
    both = tg.hessian(loss, argnums=(0, 1))(PARAMS, X)
    assert_trees_close(both[0].weight[0], h.weight)
    assert_trees_close(both[1][1], tg.hessian(loss, argnums=1)(PARAMS, X))
    assert both[0].weight[1].shape == (2, 3, 3)
    found, aux = tg.hessian(lambda x: (np.sum(x**3), x), has_aux=True)(X)
    assert_trees_close(found, np.diag(6 * X))
    assert np.array_equal(aux, X)


def test_a_hessian_of_a_vector() -> None:
    assert_trees_close(tg.hessian(lambda x: x**3)(X)[1, 1, 1], 6 * X[1])
    assert tg.hessian(lambda x: {"a": A @ x})(X)["a"].shape == (2, 3, 3)


def test_a_product_with_a_hessian() -> None:
    def loss(params: Params) -> Any:
        return np.sum(np.tanh(params.weight @ X + params.bias) ** 2)

    v = Params(A * A, np.array([1.0, -1.0]))
    found = tg.hvp(loss)(PARAMS, v)
    h = tg.hessian(loss)(PARAMS)
    assert_trees_close(found.bias, np.tensordot(h.bias.weight, v.weight, 2) + h.bias.bias @ v.bias, 1e-10)
    cubes: Callable[[Any, Any], Any] = tg.hvp(lambda x: np.sum(x * x * x))
    assert_trees_close(tg.vmap(cubes, (None, 0))(X, np.eye(3)), np.diag(6 * X))
    assert_trees_close(tg.grad(lambda x: np.sum(cubes(x, x * x)))(X), 18 * X**2)


# Bad input


ALL: dict[str, Callable[..., Any]] = {**JACOBIANS, "hessian": tg.hessian}


def raises(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value), str(caught.value)
    assert tg.jacrev(lambda x: x * x)(3.0) == 6.0


@pytest.mark.parametrize("name", ALL)
def test_integers_are_named_by_path_and_dtype(name: str) -> None:
    def f(params: Any) -> Any:
        return params["a"] * 1.0

    for leaf, what in ((np.arange(3), "dtype int64"), (np.array([True]), "dtype bool"), (3, "type int")):
        message = f"{name} of f: the leaf params['a'] has {what}, but derivatives are taken by real or complex"
        raises(TypeError, message, partial(ALL[name](f), {"a": leaf}))


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_differentiated(name: str) -> None:
    transform = ALL[name]
    message = f"{name} of <lambda>: an output has an integer or boolean dtype and no derivative"
    raises(TypeError, message, lambda: transform(lambda x: np.argmax(x))(X))
    raises(TypeError, f"{name} of <lambda>: the function must return arrays, got a str", lambda: transform(lambda x: "a")(X))
    message = f"{name} of <lambda> with has_aux=True: the function must return (output, aux)"
    raises(TypeError, message, lambda: transform(lambda x: x.sum(), has_aux=True)(X))
    raises(TypeError, "is complex; set holomorphic=True if", lambda: transform(lambda x: x * 1j)(X))
    raises(TypeError, "with holomorphic=True: an input has a real dtype", lambda: transform(np.sin, holomorphic=True)(X))


@pytest.mark.parametrize("name", ALL)
def test_argnums_that_name_no_argument(name: str) -> None:
    transform = ALL[name]
    raises(
        TypeError, f"{name} of <lambda>: argnums=2, but the function was called with 1", lambda: transform(lambda x: x, 2)(X)
    )
    raises(TypeError, f"{name}: argnums must be an int or a tuple of ints, got 'a'", lambda: transform(lambda x: x, "a"))
    raises(ValueError, f"{name}: argnums=(0, 0) names an argument twice", lambda: transform(lambda x: x, (0, 0))(X))


def half_square(weights: Any) -> Any:
    """Return half the sum of squares."""
    return np.sum(weights * weights) / 2.0


def test_a_product_with_a_hessian_looks_like_its_function_and_is_pickled() -> None:
    product: Any = tg.hvp(half_square)
    assert (product.__name__, product.__doc__, repr(product)) == ("half_square", half_square.__doc__, "hvp(half_square)")
    assert str(inspect.signature(product)) == "(x, v)"
    assert pickle.loads(pickle.dumps(product))(X, 2.0 * X).tolist() == (2.0 * X).tolist()


def test_bad_input_to_hvp() -> None:
    raises(TypeError, "hvp: expected a function, got an int", lambda: tg.hvp(3))  # type: ignore[arg-type]  # a mistake
    raises(TypeError, "hvp of half_square: the leaf weights has dtype int64", lambda: tg.hvp(half_square)(np.arange(3), X))
    raises(TypeError, "hvp of <lambda>: the function must return a real scalar", lambda: tg.hvp(lambda x: x)(X, X))
    product: Any = tg.hvp(lambda x: np.sum(x))
    raises(TypeError, "hvp of <lambda>: the leaf x has dtype int64", lambda: product(np.arange(3), X))
    raises(TypeError, "hvp: the tangent at [0] has shape (2,) and dtype float64, but", lambda: product(X, np.ones(2)))
    raises(TypeError, "hvp: the tangent at [0] has shape (3,) and dtype complex128, but", lambda: product(X, X * 1j))
    raises(TreeError, "hvp: the tree of the tangent is", lambda: product(X, {"a": X}))
    raises(TypeError, "the function must return a real scalar, got an array of shape (3,)", lambda: tg.hvp(lambda x: x)(X, X))
