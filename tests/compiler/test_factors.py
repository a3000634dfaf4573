"""What carried values are multiplied with in each turn of a loop, multiplied together before it."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tests.compiler.tracing import PROGRAMS, agrees

rng = np.random.default_rng(0)
ROWS, U = rng.normal(size=(12, 3)), rng.normal(size=3)


def over(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the last value of a loop over rows, and all before it."""
    return lambda u, rows: tg.scan(lambda u, r: (turn(u, r), u), u, rows)


TURNS: dict[str, Callable[[Any, Any], Any]] = {
    "products": lambda u, r: u * r * tnp.exp(r) * 0.9,
    "quotients": lambda u, r: u / tnp.exp(r) / tnp.cosh(r),
    "slopes": lambda u, r: u * tnp.cos(r) - u * tnp.cos(r) * tnp.tanh(r) ** 2,
    "factors of fewer axes": lambda u, r: u * r[0] * tnp.exp(r[1:2]) * tnp.sin(r),
    "what is read between": lambda u, r: (v := u * r * tnp.exp(-r), v * tnp.cos(r) + v)[1],
    "the slope of itself": lambda u, r: tnp.tanh(u) * tnp.cos(r) * tnp.sin(r) - tnp.tanh(u) * u,
    "squares of what is carried": lambda u, r: u * r * u * tnp.exp(-r),
    "the difference of two products": lambda u, r: u * r * tnp.cos(r) - u * tnp.sin(r) + u / tnp.cosh(r),
    "itself, doubled and negated": lambda u, r: (-u - u - u * 0.5) * r,
    "only itself": lambda u, r: -1.0 * -(u + u) + 0.0 * r,
    "a long way": lambda u, r: [u := u - u * tnp.tanh(r * k) ** 2 * 0.1 for k in range(100)][-1],
    "a step of two outputs": lambda u, r: tg.cond(u[0] > 0.0, lambda u: (u, r), lambda u: (r, u), u)[0] * r * tnp.cos(r),
    "two carried values": lambda u, r: u * tnp.roll(u, 1) * r * tnp.cos(r),
    "what is taken from the factors": lambda u, r: r * tnp.cos(r) - u * r * tnp.cos(r) * 0.5,
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_loops_compute_the_same_to_rounding(turn: Callable[[Any, Any], Any], dtype: Any) -> None:
    f, u, rows = over(turn), U.astype(dtype), ROWS.astype(dtype)
    rtol = 1e-11 if dtype is np.float64 else 1e-4
    for g in (f, tg.grad(lambda u, rows: tnp.sum(f(u, rows)[1] ** 2), (0, 1)), tg.jacfwd(lambda u, rows: f(u, rows)[0])):
        agrees(g, u, rows, rtol=rtol)
    for passes in PROGRAMS:
        agrees(f, u, rows, rtol=rtol, passes=passes)


def memory(weights: Any, xs: Any) -> Any:
    """A recurrence with gates (S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9, 1997)."""

    def turn(state: Any, x: Any) -> Any:
        h, c = state
        z = x @ weights[0] + h @ weights[1]
        gates = 1.0 / (1.0 + tnp.exp(-z[:, :9]))
        c = gates[:, :3] * c + gates[:, 3:6] * tnp.tanh(z[:, 9:])
        return (gates[:, 6:] * tnp.tanh(c), c), None

    start = np.zeros((4, 3), xs.dtype)
    (h, _), _ = tg.scan(turn, (start, start), xs)
    return tnp.mean(h**2)


def test_the_gradient_of_a_recurrence_with_gates_has_one_product_a_path() -> None:
    weights, xs = [0.3 * rng.normal(size=(2, 12)), 0.3 * rng.normal(size=(3, 12))], rng.normal(size=(20, 4, 2))
    agrees(tg.value_and_grad(memory), weights, xs, rtol=1e-11)
    shown = str(jit(tg.grad(memory)).lower(weights, xs).after)
    (count,) = re.findall(r"from the last: (\d+) operations", shown)
    assert int(count) <= 16  # 28 with each factor on its own
    assert "scatter" not in shown


def test_factors_that_overflow_together_are_multiplied_one_after_the_other() -> None:
    f = over(lambda u, r: u * r * (r + 1.0) * tnp.exp(-r))
    compiled = jit(f)
    for rows in (ROWS, np.full((12, 3), 400.0), ROWS):
        tg.testing.assert_trees_close(compiled(U, rows), f(U, rows), 1e-12)
    g = over(lambda u, r: u * r * r * (1.0 / r) * (1.0 / r))
    compiled = jit(g)
    for rows in (ROWS, np.full((12, 3), 1e160), np.full((12, 3), -1e160), ROWS):
        with np.errstate(all="ignore"):
            tg.testing.assert_trees_close(compiled(1e-100 * U, rows), g(1e-100 * U, rows), 1e-12)


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_great_and_small_constants_stay_where_they_are(scale: float) -> None:
    rows = np.abs(ROWS) * scale
    f = over(lambda u, r: u * (r * 1.0) * (r * 2.0) / (r * 3.0) / (r * 4.0))
    u = U / scale
    tg.testing.assert_trees_close(jit(f)(u, rows), f(u, rows), 1e-12)
