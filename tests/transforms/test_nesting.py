"""Transforms of transforms, in any order and to any depth; none sees the other's perturbation."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import LeakedVarError
from tapegrad.testing import assert_trees_close, check_grads

Function = Callable[[Any], Any]

# Each of these turns a function of one number into its derivative.

DERIVATIVES: dict[str, Callable[[Function], Function]] = {
    "grad": tg.grad,
    "value_and_grad": lambda f: lambda x: tg.value_and_grad(f)(x)[1],
    "vjp": lambda f: lambda x: tg.vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: tg.jvp(f, (x,), (1.0,))[1],
    "linearize": lambda f: lambda x: tg.linearize(f, x)[1](1.0),
    "jacrev": tg.jacrev,
    "jacfwd": tg.jacfwd,
}


def quintic(x: Any) -> Any:
    return x**5 / 120.0 + np.sin(x) * np.exp(x)


def exact(order: int, x: float) -> float:
    """Return a derivative of `quintic`."""
    sine = (1.0 + 1.0j) ** order * np.exp((1.0 + 1.0j) * x)
    return math.prod(range(6 - order, 6)) * x ** (5 - order) / 120.0 + float(np.imag(sine))


@pytest.mark.parametrize("outer", DERIVATIVES)
@pytest.mark.parametrize("inner", DERIVATIVES)
def test_two_deep_in_any_order(outer: str, inner: str) -> None:
    f = DERIVATIVES[outer](DERIVATIVES[inner](quintic))
    assert f(0.7) == pytest.approx(exact(2, 0.7), rel=1e-12)


@pytest.mark.parametrize("names", list(itertools.product(["grad", "jvp", "vjp", "linearize"], repeat=3)), ids="-".join)
def test_three_deep_in_any_order(names: tuple[str, str, str]) -> None:
    f: Function = quintic
    for name in names:
        f = DERIVATIVES[name](f)
    assert f(0.7) == pytest.approx(exact(3, 0.7), rel=1e-12)


@pytest.mark.parametrize("name", ["grad", "jvp", "linearize"])
def test_five_deep(name: str) -> None:
    f: Function = quintic
    for order in range(1, 6):
        f = DERIVATIVES[name](f)
        assert f(0.7) == pytest.approx(exact(order, 0.7), rel=1e-12)


def test_the_outer_transform_sees_through_every_inner_one() -> None:
    for derivative in DERIVATIVES.values():

        def f(a: Any, derivative: Callable[[Function], Function] = derivative) -> Any:
            return derivative(lambda x: a * a * x * x * x)(2.0)  # 12 a^2

        assert tg.grad(f)(3.0) == pytest.approx(72.0)
        assert tg.jvp(f, (3.0,), (1.0,))[1] == pytest.approx(72.0)
        assert tg.vmap(f)(np.array([1.0, 3.0])).tolist() == pytest.approx([12.0, 108.0])


def test_gradients_of_trees_may_be_differentiated() -> None:
    params = {"w": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([0.5, -0.5])}

    def loss(params: Any) -> Any:
        return np.sum(np.tanh(params["w"] @ params["b"]) ** 2)

    def norm_of_gradient(params: Any) -> Any:
        gradient = tg.grad(loss)(params)
        return np.sum(gradient["w"] ** 2) + np.sum(gradient["b"] ** 2)

    check_grads(norm_of_gradient, (params,), 2)


def test_hessian_vector_products_agree() -> None:
    a = np.random.default_rng(0).normal(size=(4, 4))
    x, v = np.linspace(-1, 1, 4), np.array([1.0, 0.0, -2.0, 3.0])

    def f(x: Any) -> Any:
        return np.sum(np.exp(a @ x) * x)

    forward_over_reverse = tg.jvp(tg.grad(f), (x,), (v,))[1]
    reverse_over_forward = tg.grad(lambda x: tg.jvp(f, (x,), (v,))[1])(x)
    reverse_over_reverse = tg.grad(lambda x: np.dot(tg.grad(f)(x), v))(x)
    linearized = tg.linearize(tg.grad(f), x)[1](v)
    full = tg.hessian(f)(x) @ v
    for other in (reverse_over_forward, reverse_over_reverse, linearized, full):
        assert_trees_close(forward_over_reverse, other, rtol=1e-10)


def test_a_pull_may_be_pulled_again() -> None:
    def f(x: Any) -> Any:
        _, pull = tg.vjp(lambda x: x * x * x, x)
        (c,) = pull(np.ones(3))
        (d,) = pull(c)  # 3 x^2 * 3 x^2
        return np.sum(d)

    x = np.array([1.0, 2.0, 3.0])
    assert_trees_close(tg.grad(f)(x), 36 * x**3)


def test_a_cotangent_may_be_traced() -> None:
    _, pull = tg.vjp(lambda x: np.sin(x), 0.3)
    assert tg.grad(lambda g: pull(g * g)[0])(3.0) == pytest.approx(6.0 * math.cos(0.3))
    assert tg.jvp(lambda g: pull(g)[0], (3.0,), (1.0,))[1] == pytest.approx(math.cos(0.3))


def test_a_tangent_may_be_traced() -> None:
    _, push = tg.linearize(lambda x: np.sin(x), 0.3)
    assert tg.grad(lambda t: push(t * t))(3.0) == pytest.approx(6.0 * math.cos(0.3))


def test_a_pull_made_inside_may_be_called_further_inside() -> None:
    def f(x: Any) -> Any:
        _, pull = tg.vjp(lambda y: y**3, x)
        return tg.grad(lambda g: pull(g)[0] * g)(x)  # d/dg (3 x^2 g^2) = 6 x^3 at g = x

    assert f(2.0) == 48.0
    assert tg.grad(f)(2.0) == 6 * 3 * 4.0


def test_a_pull_does_not_outlive_the_transform_around_it() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        y, pull = tg.vjp(np.sin, x)
        kept.append(pull)
        kept.append(tg.linearize(np.sin, x)[1])
        return y

    tg.grad(f)(1.0)
    for use in kept:
        with pytest.raises(LeakedVarError, match="after the transform around it had ended"):
            use(1.0)


def test_inner_gradients_of_outer_values_only() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return tg.grad(lambda z: 3.0 * z)(y) * x + tg.grad(lambda z: y)(y)  # 3 x + 0

    assert f(2.0) == 6.0 and tg.grad(f)(2.0) == 3.0


def test_stop_gradient_stops_every_order() -> None:
    def f(x: Any) -> Any:
        return tg.stop_gradient(x * x) * x + x**3

    assert tg.grad(f)(2.0) == 4.0 + 12.0
    assert tg.grad(tg.grad(f))(2.0) == 12.0
    assert tg.jvp(f, (2.0,), (1.0,))[1] == 16.0
    assert tg.grad(lambda x: tg.stop_gradient({"a": x})["a"] * x)(5.0) == 5.0


def test_control_flow_in_nested_transforms() -> None:
    def f(x: Any) -> Any:
        slope = tg.grad(lambda y: y * y)(x)
        return x**2 if slope > 0 else x**3

    assert tg.grad(f)(2.0) == 4.0 and tg.grad(f)(-2.0) == 12.0


# Perturbation confusion


@pytest.mark.parametrize("inner", DERIVATIVES)
@pytest.mark.parametrize("outer", DERIVATIVES)
def test_siskind_and_pearlmutter(outer: str, inner: str) -> None:
    """d/dx (x * d/dy (x + y)) is 1: Siskind & Pearlmutter, "Perturbation Confusion and Referential Transparency", IFL 2005."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert d(lambda x: x * e(lambda y: x + y)(1.0))(1.0) == 1.0


@pytest.mark.parametrize("inner", DERIVATIVES)
@pytest.mark.parametrize("outer", DERIVATIVES)
def test_the_same_argument_inside_and_outside(outer: str, inner: str) -> None:
    """d/dx (x * d/dy (x * y) at y = x) is 2 x."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert d(lambda x: x * e(lambda y: x * y)(x))(3.0) == 6.0
    assert d(lambda x: x * e(lambda y: x * y * y)(x))(2.0) == 6 * 4.0  # 2 x^3


@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_amazing_bug(name: str) -> None:
    """A derivative of a curried function, applied twice, must not mix its two uses: Manzyuk et al., "Perturbation confusion in
    forward automatic differentiation of higher-order functions", JFP 29 (2019), section 2.1."""
    d = DERIVATIVES[name]

    def shift(u: Any) -> Callable[[Function], Function]:
        return lambda f: lambda x: f(x + u)

    def hat(f: Function) -> Function:  # d/du (s u) at u = 0 is the derivative operator
        return lambda x: d(lambda u: shift(u)(f)(x))(0.0)

    assert hat(np.exp)(1.0) == pytest.approx(math.e)
    assert hat(hat(np.exp))(1.0) == pytest.approx(math.e)
    assert hat(hat(lambda x: x**3))(2.0) == pytest.approx(12.0)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_closure_that_is_differentiated_twice(name: str) -> None:
    d = DERIVATIVES[name]

    def f(x: Any) -> Any:
        g = d(lambda y: x * y * y)
        return g(x) + g(2.0 * x) + d(g)(x)  # 2 x^2 + 4 x^2 + 2 x

    assert d(f)(3.0) == pytest.approx(12 * 3 + 2)


def test_an_inner_loop_of_gradient_steps() -> None:
    """Differentiate through an optimizer: three steps of descent on (w - a)^2 from 0."""

    def learned(a: Any) -> Any:
        w = 0.0 * a
        for _ in range(3):
            w = w - 0.1 * tg.grad(lambda w: (w - a) ** 2)(w)
        return w

    assert learned(1.0) == pytest.approx(1 - 0.8**3)
    assert tg.grad(learned)(1.0) == pytest.approx(1 - 0.8**3)
    assert tg.jvp(learned, (1.0,), (1.0,))[1] == pytest.approx(1 - 0.8**3)


def test_a_gradient_penalty() -> None:
    def penalty(w: Any, x: Any) -> Any:
        return np.sum(tg.grad(lambda x: np.sum(np.tanh(w * x)))(x) ** 2)

    check_grads(penalty, (np.array([0.5, -1.0]), np.array([1.0, 2.0])), 2)
