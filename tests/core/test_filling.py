"""A loop that fills an array costs what it reads and writes, in both modes: no copy of the array for each write."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core import putting

COUNT = 1500


def recurrence(x: Any) -> Any:
    """Each element by the one before: read what was written, and write."""
    out = tnp.zeros(len(x))
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = tnp.sin(out[i - 1]) * x[i]
    total: Any = tnp.sum(out)
    return total


def constants(x: Any) -> Any:
    """Nothing happens between two writes."""
    values = [x[i] * x[i] for i in range(len(x))]
    out = tnp.zeros(len(x))
    for i, v in enumerate(values):
        out[i] = v
    return tnp.sum(out * out)


def accumulation(x: Any) -> Any:
    """Elements are written twice, and read at several places in between."""
    out = tnp.zeros(len(x))
    for i in range(len(x)):
        out[i // 2] += x[i] * out[i // 3] + x[i]
    return tnp.sum(out * out)


LOOPS = (recurrence, constants, accumulation)
X = np.linspace(0.5, 1.0, COUNT)


@pytest.mark.parametrize("f", LOOPS)
def test_reverse_mode_copies_no_array_for_a_write(f: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **settings: Any) -> Any:
            written.append(function)
            return function(*args, **settings)

        return call

    monkeypatch.setattr(putting, "put", counted(putting.put))
    monkeypatch.setattr(np, "zeros", counted(np.zeros))
    tg.grad(f)(X)
    assert len(written) < 10


@pytest.mark.parametrize("f", LOOPS)
@pytest.mark.parametrize("way", (tg.grad, lambda f: lambda x: tg.jvp(f, (x,), (x,))), ids=("grad", "jvp"))
def test_no_contents_are_kept_for_each_write(way: Any, f: Callable[[Any], Any]) -> None:
    tracemalloc.start()
    try:
        way(f)(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes * COUNT / 3  # a copy for each write would be three times that


@pytest.mark.parametrize("f", (recurrence, constants))
def test_no_batch_is_kept_for_each_write(f: Callable[[Any], Any]) -> None:
    batch = np.stack([X, X[::-1]])
    tracemalloc.start()
    try:
        found = tg.vmap(f)(batch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes * COUNT / 3
    np.testing.assert_allclose(found, [f(X), f(X[::-1])], rtol=1e-12)


def test_constant_contents_are_kept_until_the_examples_differ() -> None:
    """What is written before, and by whom, does not matter: constants, outer values, what differs in an outer map."""

    def f(a: Any, b: Any) -> Any:
        out = tnp.ones(4)
        out[0] = 5.0
        out[1] = a[0]
        first = tnp.sum(out)
        out[2] = b[1] * out[1]
        out[1:3] = out[0:2] * a
        return first + tnp.sum(tnp.sin(out)), out

    a, b = np.array([[0.3, 0.7], [1.1, 0.2]]), np.array([[1.0, -2.0], [0.5, 0.4], [2.0, 3.0]])
    totals, contents = tg.vmap(lambda a: tg.vmap(lambda b: f(a, b))(b))(a)
    expected = [[f(p, q) for q in b] for p in a]
    np.testing.assert_allclose(totals, [[total for total, _ in row] for row in expected])
    np.testing.assert_allclose(contents, [[out for _, out in row] for row in expected])
    by_outer = tg.grad(lambda p: tnp.sum(tg.vmap(lambda q: f(p, q)[0])(b)))(a[0])
    np.testing.assert_allclose(by_outer, sum(tg.grad(lambda p, q: f(p, q)[0])(a[0], q) for q in b))


@pytest.mark.parametrize("f", LOOPS)
def test_both_modes_agree_with_each_other_and_with_differences(f: Callable[[Any], Any]) -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=6), rng.normal(size=6)
    slope = tg.grad(f)(x) @ t
    np.testing.assert_allclose(tg.jvp(f, (x,), (t,))[1], slope, rtol=1e-12)
    np.testing.assert_allclose((f(x + 1e-6 * t) - f(x - 1e-6 * t)) / 2e-6, slope, rtol=1e-6)
    np.testing.assert_allclose(tg.hessian(f)(x), tg.jacrev(tg.grad(f))(x), atol=1e-12)


def test_what_was_read_before_a_write_keeps_its_derivative() -> None:
    """Views, copies and products of old contents are alive when the array is written again."""

    def f(x: Any) -> Any:
        out = tnp.zeros(4)
        out[:2] = x
        before = [out[1:3] * 1.0, out * x[0], out[0]]
        out[1] = x[1] * out[0]
        out[1:3] = out[0:2] * x
        return sum(tnp.sum(tnp.sin(part)) for part in (*before, out))

    def g(x: Any) -> Any:
        first = tnp.concatenate([x, tnp.zeros(2)])
        second = tnp.stack([x[0], x[0] * x[0], x[0] * x[1] * x[1], first[3]])
        before = [first[1:3], first * x[0], first[0]]
        return sum(tnp.sum(tnp.sin(part)) for part in (*before, second))

    x, t = np.array([0.3, 0.7]), np.array([1.0, -2.0])
    np.testing.assert_allclose(tg.grad(f)(x), tg.grad(g)(x), rtol=1e-12)
    np.testing.assert_allclose(tg.jvp(f, (x,), (t,))[1], tg.jvp(g, (x,), (t,))[1], rtol=1e-12)
    np.testing.assert_allclose(tg.hessian(f)(x), tg.hessian(g)(x), rtol=1e-12)
    pull = tg.vjp(f, x)[1]
    np.testing.assert_array_equal(pull(np.ones(())), pull(np.ones(())))


def test_a_nan_that_nothing_depends_on_is_still_hidden_where_sums_are_used_up() -> None:
    def f(x: Any) -> Any:
        out = tnp.zeros(3)
        for i in range(3):
            out[i] = tnp.where(x[i] > 0, tnp.sqrt(x[i]), 0.0) + (out[i - 1] if i else 0.0)
        return tnp.sum(out)

    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(tg.grad(f)(np.array([0.0, 4.0, -1.0])), [0.0, 0.5, 0.0])


OVERWRITTEN: dict[str, Any] = {
    "x /= v": lambda y, v: np.divide(y, v, out=y),
    "x **= v": lambda y, v: np.power(y, v, out=y),
    "np.divide": lambda y, v: np.divide(v, y + v, out=y),
    "np.sqrt": lambda y, v: np.sqrt(y * v, out=y),
    "np.exp": lambda y, v: np.exp(y + v, out=y),
    "np.tanh": lambda y, v: np.tanh(y * v, out=y),
}


@pytest.mark.parametrize(
    "transform", [tg.jacrev, tg.jacfwd, tg.hessian, lambda f: tg.jit(tg.jacrev(f)), lambda f: tg.jacrev(tg.checkpoint(f))]
)
@pytest.mark.parametrize("name", OVERWRITTEN)
def test_what_a_rule_asks_of_its_output_is_not_written_over(name: str, transform: Any) -> None:
    """The rules of these look at what they computed, which a later write in place must leave to them."""

    def filled(v: Any) -> Any:
        y = tnp.ones(3)
        OVERWRITTEN[name](y, v)
        y[0] = 7.0
        y[1:] *= v[1:]
        return np.sum(y)

    def same(v: Any) -> Any:
        values = {"x /= v": 1 / v, "np.divide": v / (1 + v), "np.sqrt": v**0.5, "np.exp": np.exp(1 + v), "np.tanh": np.tanh(v)}
        return 7.0 + np.sum(values.get(name, v * 0.0 + 1.0)[1:] * v[1:])

    v = np.array([0.5, 1.5, 2.5])
    np.testing.assert_allclose(transform(filled)(v), transform(same)(v), rtol=1e-12)
