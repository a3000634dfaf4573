"""`jit` among other transforms: it is traced through, and they are traced by it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tapegrad.errors import ConcretizationError, TraceError
from tests.compiler.tracing import agrees

x = np.array([0.5, -1.0, 2.0])


def f(x: Any) -> Any:
    return tnp.sum(tnp.tanh(x) * x[::-1])


compiled: Callable[[Any], Any] = jit(f)


# Under other transforms


@pytest.mark.parametrize("transform", [tg.grad, tg.value_and_grad, tg.jacfwd, tg.jacrev, tg.hessian, tg.checkpoint])
def test_a_compiled_function_under_a_transform(transform: Callable[..., Any]) -> None:
    tg.testing.assert_trees_close(transform(compiled)(x), transform(f)(x))
    tg.testing.assert_trees_close(jit(transform(compiled))(x), transform(f)(x))


def test_under_transforms_of_several_arguments() -> None:
    t = np.ones(3)
    tg.testing.assert_trees_close(tg.jvp(compiled, (x,), (t,)), tg.jvp(f, (x,), (t,)))
    tg.testing.assert_trees_close(tg.vjp(compiled, x)[1](1.0), tg.vjp(f, x)[1](1.0))
    tg.testing.assert_trees_close(tg.vmap(compiled)(np.stack([x, 2.0 * x])), tg.vmap(f)(np.stack([x, 2.0 * x])))
    tg.testing.assert_trees_close(tg.linearize(compiled, x)[1](t), tg.linearize(f, x)[1](t))
    tg.testing.assert_trees_close(tg.hvp(compiled)(x, t), tg.hvp(f)(x, t))


def test_derivatives_go_through_and_are_not_lost() -> None:
    np.testing.assert_allclose(tg.grad(lambda y: compiled(y * x))(2.0), tg.grad(lambda y: f(y * x))(2.0))
    assert "tanh" in str(tg.record(compiled, x))


def test_a_loop_of_a_compiled_step() -> None:
    step: Any = jit(lambda c, x: (tnp.sin(c) * x, c))
    plain = tg.scan(lambda c, x: (tnp.sin(c) * x, c), np.ones(3), np.stack([x, x]))
    tg.testing.assert_trees_close(tg.scan(step, np.ones(3), np.stack([x, x])), plain)


def test_nested_compilation_is_inlined() -> None:
    inner: Any = jit(lambda x, n: tnp.sin(x) * n, static_argnames="n")
    outer = jit(lambda x: inner(x, 2.0) + inner(x, n=2.0))
    np.testing.assert_allclose(outer(x), 4.0 * np.sin(x))
    assert inner.cache_info().misses == 0
    np.testing.assert_allclose(jit(jit(jit(f)))(x), f(x))


# What is compiled


def total(y: Any) -> Any:
    return tnp.sum(y * y)


def summed(g: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda y: sum(total(z) for z in tg.tree.leaves(g(y)))


@pytest.mark.parametrize(
    "transformed",
    [
        tg.grad(f),
        tg.value_and_grad(f),
        tg.hessian(f),
        tg.jacfwd(tg.grad(f)),
        tg.grad(lambda x: total(tg.grad(f)(x))),
        tg.grad(lambda x: tg.jvp(f, (x,), (x * x,))[1]),
        tg.vmap(lambda y: y * tg.grad(f)(x * y)),
        tg.grad(lambda x: total(tg.vmap(lambda y: tnp.sin(y * x))(x))),
        tg.grad(tg.checkpoint(f)),
        tg.grad(lambda x: tg.checkpoint(f)(tnp.exp(x)) ** 2),
        lambda x: tg.vjp(f, x)[1](2.0),
        lambda x: tg.linearize(f, x)[1](x),
        lambda x: tg.hvp(f)(x, x),
    ],
)
def test_transforms_are_compiled(transformed: Callable[[Any], Any]) -> None:
    agrees(transformed, x)


def test_loops_and_branches_are_compiled() -> None:
    def scanned(x: Any) -> Any:
        return tg.scan(lambda c, y: (tnp.tanh(c * y + x), c), x, np.arange(6.0).reshape(2, 3))

    def repeated(x: Any) -> Any:
        return tg.fori_loop(0, 4, lambda i, c: tnp.sin(c) + i, x)

    def until(x: Any) -> Any:
        return tg.while_loop(lambda c: tnp.sum(c * c) < 100.0, lambda c: c * 1.5, x)

    def branching(x: Any) -> Any:
        return tg.cond(x[0] > 0.0, tnp.sin, lambda x: x * 2.0, x)

    def switching(x: Any) -> Any:
        return tg.switch(tnp.argmax(x), (tnp.sin, tnp.cos, tnp.exp), x)

    def mapped(x: Any) -> Any:
        return tg.map(lambda y: y * tnp.sum(x), x)

    for g in (scanned, repeated, until, branching, switching, mapped):
        for y in (x, -x):
            agrees(g, y)
            agrees(lambda y, g=g: tg.jvp(g, (y,), (y * y,)), y)
            if g is not until:
                agrees(tg.grad(summed(g)), y)


def test_rules_of_the_users_own_are_compiled() -> None:
    @tg.custom_vjp
    def clipped(x: Any) -> Any:
        return tnp.sin(x)

    clipped.defvjp(lambda x: (tnp.sin(x), x), lambda x, g: (tnp.clip(g * tnp.cos(x), -0.1, 0.1),))

    @tg.custom_jvp
    def slow(x: Any) -> Any:
        return x**3

    slow.defjvp(lambda primals, tangents: (primals[0] ** 3, 10.0 * tangents[0]))
    for g in (clipped, slow):
        agrees(g, x)
        agrees(tg.grad(summed(g)), x)
        agrees(tg.vmap(tg.grad(summed(g))), x)


@pytest.mark.usefixtures("temporary")
def test_operations_of_the_users_own_are_compiled() -> None:
    @tg.primitive(derivative="finite differences")
    def foreign(x: np.ndarray) -> np.ndarray:
        return np.asarray([float(v) ** 2 for v in np.ravel(x)]).reshape(np.shape(x))

    agrees(foreign, x)
    agrees(tg.grad(summed(foreign)), x, rtol=1e-6)


@pytest.mark.usefixtures("temporary")
def test_an_operation_that_returns_one_array_again_and_again() -> None:
    kept = np.ones(3)
    own = tg.primitive(lambda x: kept, name="own")
    found = jit(lambda x: own(x))(x)
    assert not np.shares_memory(found, kept)


# What cannot be compiled says so


def test_looking_at_a_value() -> None:
    for g in (
        lambda x: x if x[0] > 0 else -x,
        lambda x: float(x[0]) * x,
        lambda x: np.zeros(int(x[0])),
        lambda x: np.asarray(x),
    ):
        with pytest.raises(ConcretizationError, match=r"test_compositions\.py"):
            jit(g)(x)
    with pytest.raises(ConcretizationError, match=r"where\(condition, a, b\)"):
        jit(lambda x: x if x[0] > 0 else -x)(x)


def test_a_shape_that_depends_on_values() -> None:
    for g in (lambda x: x[x > 0], lambda x: tnp.nonzero(x), lambda x: tnp.unique(x)):
        with pytest.raises((ConcretizationError, TypeError)):
            jit(g)(x)


def test_after_an_error_nothing_is_left() -> None:
    def g(x: Any, fail: bool) -> Any:
        if fail:
            raise KeyError("mine")
        return x * 2.0

    compiled = jit(g, static_argnames="fail")
    with pytest.raises(KeyError, match="mine"):
        compiled(x, True)
    np.testing.assert_array_equal(compiled(x, False), 2.0 * x)
    assert compiled.cache_info().programs == 1


def test_global_randomness_is_refused() -> None:
    with pytest.raises(TraceError, match="global generator of random numbers"):
        jit(lambda x: x + np.random.rand())(x)  # noqa: NPY002  # the point of the test
    with pytest.raises(TraceError, match="global generator of random numbers"):
        jit(lambda x: x + np.random.normal(size=3))(x)  # noqa: NPY002  # likewise
    generator = np.random.default_rng(0)
    jit(lambda x: x + generator.normal())(x)  # a constant, which nobody can tell from others
