"""What all examples of a batch share stays one value of its own kind, also inside of loops, branches and rules."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import assert_trees_close

W = np.array([[0.5, -0.3], [0.2, 0.7]])
XS = np.array([[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]])


def step(w: Any, x: Any) -> Any:
    return np.tanh(x @ w) * w[0]


def with_backward(w: Any, x: Any) -> Any:
    f = tg.custom_vjp(step)
    f.defvjp(lambda w, x: (f(w, x), {"w": w, "x": x}), lambda kept, g: tg.vjp(step, kept["w"], kept["x"])[1](g))
    return f(w, x)


def with_forward(w: Any, x: Any) -> Any:
    f = tg.custom_jvp(step)
    f.defjvp(lambda primals, tangents: tg.jvp(step, primals, tangents))
    return f(w, x)


STRUCTURES: dict[str, Callable[[Any, Any], Any]] = {
    "cond": lambda w, x: tg.cond(x[0] > 0, step, lambda w, x: x @ w, w, x),
    "cond of a shared condition": lambda w, x: tg.cond(w[0, 0] > 0, step, lambda w, x: x @ w, w, x),
    "cond that captures": lambda w, x: tg.cond(x[0] > 0, lambda: step(w, x), lambda: x @ w),
    "switch": lambda w, x: tg.switch(np.argmax(x), [step, lambda w, x: x @ w], w, x),
    "scan": lambda w, x: tg.scan(lambda c, row: (step(w, c) + row, c), x, w)[0],
    "scan over what differs": lambda w, x: tg.scan(lambda c, a: (step(w, a * c), None), w[0], x)[0],
    "map": lambda w, x: tg.map(lambda a: step(w, a * x), x)[1],
    "fori_loop": lambda w, x: tg.fori_loop(0, 3, lambda i, c: step(w, c) + x, w[0]),
    "checkpoint": lambda w, x: tg.checkpoint(step)(w, x),
    "checkpoint that captures": lambda w, x: tg.checkpoint(lambda x: step(w, x))(x),
    "custom_vjp": with_backward,
    "custom_jvp": with_forward,
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_gradients_by_what_is_shared_are_sums_over_the_examples(name: str) -> None:
    f = STRUCTURES[name]

    def loss(w: Any, xs: Any) -> Any:
        return np.sum(np.sin(tg.vmap(f, in_axes=(None, 0))(w, xs)))

    def one_by_one(w: Any, xs: Any) -> Any:
        return sum(np.sum(np.sin(f(w, x))) for x in xs)

    expected = tg.grad(one_by_one, (0, 1))(W, XS)
    assert_trees_close(tg.grad(loss, (0, 1))(W, XS), expected)
    assert_trees_close(tg.jit(tg.grad(loss, (0, 1)))(W, XS), expected)
    assert_trees_close(tg.jvp(loss, (W, XS), (W, XS)), tg.jvp(one_by_one, (W, XS), (W, XS)))
    assert_trees_close(tg.hessian(loss)(W, XS), tg.hessian(one_by_one)(W, XS), rtol=1e-9)

    def each(x: Any) -> Any:
        return tg.grad(lambda w, x: np.sum(f(w, x)), (0, 1))(W, x)

    rows = [each(x) for x in XS]
    assert_trees_close(tg.vmap(each)(XS), tuple(np.stack([row[k] for row in rows]) for k in range(2)))


SCALED: dict[str, Callable[[Any, Any], Any]] = {
    "cond": lambda x, s: tg.cond(x[0] > 0, lambda x, s: x * s, lambda x, s: x + s, x, s),
    "cond that captures": lambda x, s: tg.cond(x[0] > 0, lambda x: x * s, lambda x: x + s, x),
    "switch": lambda x, s: tg.switch(np.argmax(x), [lambda x, s: x * s, lambda x, s: x + s], x, s),
    "checkpoint": lambda x, s: tg.checkpoint(lambda x, s: x * s)(x, s),
    "scan": lambda x, s: tg.scan(lambda c, _: (c * s, None), x, None, length=2)[0],
    "fori_loop": lambda x, s: tg.fori_loop(0, 2, lambda i, c: c * s, x),
    "map": lambda x, s: tg.map(lambda a: a * s, x),
    "custom_vjp": lambda x, s: scaled_backward()(x, s),
    "custom_jvp": lambda x, s: scaled_forward()(x, s),
}


def scaled_backward() -> Any:
    f = tg.custom_vjp(lambda x, s: x * s)
    f.defvjp(lambda x, s: (f(x, s), (x, s)), lambda kept, g: (g * kept[1], np.sum(g * kept[0])))
    return f


def scaled_forward() -> Any:
    f = tg.custom_jvp(lambda x, s: x * s)
    f.defjvp(lambda p, t: (f(*p), t[0] * p[1] + t[1] * p[0]))
    return f


@pytest.mark.parametrize("name", SCALED)
def test_a_python_number_that_is_shared_does_not_change_the_dtype(name: str) -> None:
    f, xs = SCALED[name], XS.astype(np.float32)

    def total(x: Any, s: Any) -> Any:
        return np.sum(f(x, s))

    shared: Any = {"in_axes": (0, None)}
    found: dict[str, Any] = {
        "value": tg.vmap(f, **shared)(xs, 2.0),
        "program": tg.jit(tg.vmap(f, **shared))(xs, 2.0),
        "gradient": tg.vmap(tg.grad(total), **shared)(xs, 2.0),
        "gradient by the number": tg.vmap(tg.value_and_grad(total, 1), **shared)(xs, 2.0)[0],
        "tangent": tg.vmap(lambda x: tg.jvp(lambda x: f(x, 2.0), (x,), (x,))[1])(xs),
        "second": tg.vmap(tg.hessian(total), **shared)(xs, 2.0),
    }
    assert {way: y.dtype for way, y in found.items()} == dict.fromkeys(found, np.dtype(np.float32))


def test_a_while_loop_keeps_what_is_shared() -> None:
    def f(x: Any, s: Any) -> Any:
        return tg.while_loop(lambda c: np.sum(c) < 10.0 * s, lambda c: c * s + 1.0, x)

    xs = np.abs(XS).astype(np.float32)
    found = tg.jit(tg.vmap(f, in_axes=(0, None)))(xs, 2.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.stack([f(x, 2.0) for x in xs]), rtol=1e-6)


@pytest.mark.parametrize("joint", [True, False])
def test_batching_rules_see_what_is_shared(joint: bool) -> None:
    seen: set[tuple[bool, ...]] = set()

    def in_batches(args: Sequence[Any], batched: Sequence[bool]) -> Any:
        seen.add(tuple(batched))
        return args[0] @ args[1]

    rules: tuple[Callable[..., Any], ...] = (lambda g, y, x, w: w @ g, lambda g, y, x, w: np.outer(x, g))
    together: Any = lambda *given: tuple([rule(*given) for rule in rules])
    product: Any = tg.primitive(lambda x, w: x @ w, vjp=together if joint else rules, batch=in_batches)

    def f(w: Any, x: Any) -> Any:
        return tg.scan(lambda c, _: (product(c, w), None), x, None, length=2)[0]

    found = tg.grad(lambda w: np.sum(tg.vmap(f, in_axes=(None, 0))(w, XS)))(W)
    assert seen == {(True, False)}
    np.testing.assert_allclose(found, tg.grad(lambda w: np.sum(XS @ w @ w))(W))
