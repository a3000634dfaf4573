"""`vmap` records rules without guards first, and with them where NaN came out: what it returns is the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.testing import assert_trees_close
from tapegrad.typing import Array

X = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 0.0], [2.0, 3.0, 5.0]])
"""Rows with zeros, where a slope of `masked` is infinite, and one without."""


def by_loop(f: Callable[..., Any], x: Array) -> Any:
    """Apply `f` to one row after the other."""
    return tg.tree.map(lambda *rows: np.stack(rows), *[f(row) for row in x])


def masked(x: Array) -> Array:
    """A branch that is not taken where its slope is infinite."""
    y: Array = tnp.sum(tnp.where(x > 0.5, tnp.sqrt(x), 0.0) * x)
    return y


def padded(w: Array, x: Array) -> Array:
    """A linear layer whose output counts only where `x` is finite."""
    ok = np.isfinite(x)
    y: Array = tnp.sum(tnp.where(ok, tnp.tanh(tnp.where(ok, x, 0.0) @ w), 0.0) ** 2) + tnp.sum(tnp.where(ok, x * w[0], 0.0))
    return y


def looped(x: Array) -> Array:
    """The same branch in the body of a loop."""

    def body(total: Array, row: Array) -> tuple[Array, Array]:
        slope = tg.grad(lambda z: tnp.where(z > 0.5, tnp.sqrt(z), 0.0) * z)(row)
        return total + slope, slope

    total, _ = tg.scan(body, tnp.zeros(()), x)
    y: Array = total + masked(x)
    return y


def kept(x: Array) -> Array:
    y: Array = tg.checkpoint(lambda z: tg.jvp(masked, (z,), (tnp.ones_like(z),))[1])(x)
    return y


TRANSFORMED: dict[str, Callable[[Array], Any]] = {
    "grad": tg.grad(masked),
    "value_and_grad": tg.value_and_grad(masked),
    "jvp": lambda x: tg.jvp(masked, (x,), (np.ones(3),))[1],
    "linearize": lambda x: tg.linearize(masked, x)[1](np.ones(3)),
    "vjp": lambda x: tg.vjp(masked, x)[1](np.array(1.0))[0],
    "hessian": tg.hessian(masked),
    "vmap": lambda x: tg.vmap(tg.grad(lambda z: masked(z * x)))(np.stack([x, x + 1])),
    "scan": tg.grad(looped),
    "checkpoint": tg.grad(kept),
    "jit": tg.jit(tg.grad(masked)),
}


@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize("rows", [slice(0, 3), slice(2, 3)], ids=["zeros", "no zeros"])
def test_gradients_of_each_example_are_those_of_a_loop(name: str, rows: slice) -> None:
    f = TRANSFORMED[name]
    assert_trees_close(tg.vmap(f)(X[rows]), by_loop(f, X[rows]))
    assert all(np.all(np.isfinite(leaf)) for leaf in tg.tree.leaves(tg.vmap(f)(X[rows])))


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_padded_row_does_not_reach_the_gradient_of_a_weight(bad: float) -> None:
    w = np.random.default_rng(0).normal(size=(3, 3))
    x = np.array([[1.0, 2.0, 3.0], [1.0, bad, bad]])
    found = tg.vmap(tg.grad(padded), (None, 0))(w, x)
    assert np.all(np.isfinite(found))
    assert_trees_close(found, np.stack([tg.grad(padded)(w, row) for row in x]))


def outer(a: Array, b: Array) -> Array:
    y: Array = tnp.sum(tnp.outer(a, b) * tnp.outer(b, a))
    return y


def test_nan_that_is_the_answer_comes_out() -> None:
    a = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 2.0]])
    found = tg.vmap(tg.grad(outer))(a, a)
    assert np.all(np.isfinite(found[0])) and np.any(np.isnan(found[1]))
    assert_trees_close(found[1], tg.grad(outer)(a[1], a[1]))


def layer(w: Array, x: Array, y: Array) -> Array:
    error: Array = tnp.sum((x @ w - y) ** 2)
    return error


@pytest.mark.parametrize("where", ["x", "y"])
def test_an_outer_product_of_what_is_not_finite_is_what_a_loop_gives(where: str) -> None:
    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(8, 9)), rng.normal(size=(3, 8)), rng.normal(size=(3, 9))
    {"x": x, "y": y}[where][1, 2] = np.inf
    with np.errstate(invalid="ignore"):  # on some processors ``x @ w`` warns, in NumPy too, where nothing is NaN
        found = tg.vmap(tg.grad(layer), (None, 0, 0))(w, x, y)
    assert_trees_close(found, np.stack([tg.grad(layer)(w, *row) for row in zip(x, y, strict=True)]))


def test_the_function_runs_a_second_time_only_where_nan_came_out() -> None:
    calls: list[None] = []

    def f(x: Array) -> Array:
        calls.append(None)
        return masked(x)

    tg.vmap(tg.grad(f))(X[2:])
    assert len(calls) == 1
    tg.vmap(tg.grad(f))(X)
    assert len(calls) == 3


def test_what_is_not_used_is_not_looked_at() -> None:
    calls: list[None] = []

    def f(x: Array) -> Array:
        calls.append(None)
        tg.grad(masked)(x)
        return masked(x)

    tg.vmap(f)(X)
    assert len(calls) == 1


def test_an_error_in_the_function_is_raised_once_and_leaves_no_tape() -> None:
    def f(x: Array) -> Array:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tg.vmap(f)(X)
    assert_trees_close(tg.vmap(tg.grad(masked))(X[2:]), by_loop(tg.grad(masked), X[2:]))


def test_a_gradient_at_constants_is_looked_at_in_a_map_inside_of_another() -> None:
    slopes = tg.grad(lambda z: tnp.sum(tnp.where(z > 0, tnp.sqrt(z), 0.0)))
    inner = tg.vmap(lambda row: row + tg.vmap(slopes)(np.zeros((2, 3)))[0])
    np.testing.assert_array_equal(inner(np.ones((4, 3))), np.ones((4, 3)))
