"""Programs as users write them: each gives compiled what it gives without, and is traced once."""

import enum
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import optim
from tapegrad.compiler.function import jit


def close(a: Any, b: Any) -> None:
    tg.testing.assert_trees_close(a, b, 1e-10, 1e-12)


@dataclass
class State:
    params: Any
    optimizer: Any
    step: int
    key: Any


def test_a_training_loop_with_dropout_and_donated_state() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 4))
    targets = x @ random.normal(size=(4, 1))
    start = {"first": random.normal(size=(4, 8)), "bias": np.zeros(8), "second": random.normal(size=(8, 1))}
    optimizer = optim.adam(1e-2)

    def loss(params: Any, key: Any, x: Any, targets: Any) -> Any:
        hidden = tnp.tanh(x @ params["first"] + params["bias"])
        kept = tg.random.bernoulli(key, 0.9, hidden.shape)
        return tnp.mean((hidden * kept @ params["second"] - targets) ** 2)

    def train(state: State, x: Any, targets: Any) -> tuple[State, Any]:
        key, drop = tg.random.split(state.key)
        value, gradient = tg.value_and_grad(loss)(state.params, drop, x, targets)
        updates, kept = optimizer.update(gradient, state.optimizer, state.params)
        return State(optim.apply_updates(state.params, updates), kept, state.step + 1, key), value

    def begin() -> State:
        params = tg.tree.map(np.copy, start)
        return State(params, optimizer.init(params), 0, tg.random.key(0))

    compiled = jit(train, donate_argnames="state")
    plain, donated = begin(), begin()
    losses = []
    for _ in range(20):
        plain, value = train(plain, x, targets)
        donated, same = compiled(donated, x, targets)
        losses.append(float(same))
        close(same, value)
    close(donated.params, plain.params)
    np.testing.assert_array_equal(donated.key, plain.key)
    assert donated.step == 20 and losses[-1] < losses[0]
    assert compiled.cache_info()[:2] == (19, 1)


def test_gradients_of_each_example() -> None:
    random = np.random.default_rng(1)
    params, x, y = {"w": random.normal(size=(4, 2))}, random.normal(size=(8, 4)), random.normal(size=(8, 2))

    def loss(params: Any, x: Any, y: Any) -> Any:
        return tnp.sum((tnp.tanh(x @ params["w"]) - y) ** 2)

    each = tg.vmap(tg.grad(loss), in_axes=(None, 0, 0))
    found = jit(each)(params, x, y)
    assert found["w"].shape == (8, 4, 2)
    close(found, each(params, x, y))
    close(tg.vmap(jit(tg.grad(loss)), in_axes=(None, 0, 0))(params, x, y), found)
    for k in range(8):
        close(found["w"][k], tg.grad(loss)(params, x[k], y[k])["w"])


def test_a_compiled_cell_inside_the_body_of_a_scan() -> None:
    @jit
    def cell(params: Any, hidden: Any, x: Any) -> Any:
        return tnp.tanh(hidden @ params["w"] + x)

    def run(params: Any, xs: Any) -> Any:
        def body(hidden: Any, x: Any) -> Any:
            hidden = cell(params, hidden, x)
            return hidden, {"hidden": hidden, "size": tnp.sum(hidden**2)}

        return tg.scan(body, np.zeros(3), xs)

    random = np.random.default_rng(2)
    params, xs = {"w": 0.3 * random.normal(size=(3, 3))}, random.normal(size=(5, 3))
    close(jit(run)(params, xs), run(params, xs))

    def loss(params: Any, xs: Any) -> Any:
        return tnp.sum(run(params, xs)[1]["size"])

    close(jit(tg.grad(loss))(params, xs), tg.grad(loss)(params, xs))
    close(jit(tg.jvp, static_argnames="f")(run, (params, xs), (params, xs)), tg.jvp(run, (params, xs), (params, xs)))


@frozen
class Report:
    loss: Any
    parts: dict[str, Any]


def test_results_in_records_and_dicts() -> None:
    def report(x: Any, names: tuple[str, ...]) -> Report:
        parts = {name: getattr(x, name)() for name in names}
        state = State(x + 1.0, None, x.shape[0], np.arange(3))
        return Report(tnp.sum(x), {**parts, "list": [x * 2.0, (x,)], "none": None, "true": True, "state": state})

    compiled = jit(report, static_argnames="names")
    x = np.arange(4.0)
    for _ in range(2):
        found, expected = compiled(x, ("mean", "max")), report(x, ("mean", "max"))
        assert tg.tree.structure(found) == tg.tree.structure(expected)
        close(found, expected)
        assert found.parts["none"] is None and found.parts["true"] is True and found.parts["state"].step == 4


def test_losses_with_something_besides() -> None:
    def loss(w: Any, x: Any) -> tuple[Any, dict[str, Any]]:
        y = x @ w
        return tnp.mean(y**2), {"predicted": y, "count": x.shape[0]}

    w, x = np.arange(3.0), np.ones((2, 3))
    both = tg.value_and_grad(loss, has_aux=True)
    compiled = jit(both)
    for _ in range(2):
        close(compiled(w, x), both(w, x))
    (_, extra), _ = compiled(w, x)
    assert extra["count"] == 2 and extra["predicted"].shape == (2,)
    close(jit(tg.grad(loss, has_aux=True))(w, x), tg.grad(loss, has_aux=True)(w, x))


def test_keys_go_through() -> None:
    def sample(key: Any, shape: tuple[int, ...]) -> Any:
        first, second = tg.random.split(key)
        draws = tg.random.normal(first, shape), tg.random.uniform(second, shape)
        return *draws, tg.random.permutation(first, 5), tg.random.bernoulli(second, 0.5, shape)

    compiled = jit(sample, static_argnames="shape")
    key = tg.random.key(7)
    drawn = []
    for k in range(3):
        one = tg.random.fold_in(key, k)
        close(compiled(one, (3, 2)), sample(one, (3, 2)))
        drawn.append(compiled(one, (3, 2))[0])
    assert compiled.cache_info().misses == 1
    assert not np.any(drawn[0] == drawn[1]) and not np.any(drawn[1] == drawn[2])
    keys = tg.random.split(key, 4)
    close(jit(tg.vmap(lambda key: tg.random.normal(key, (3,))))(keys), np.stack([tg.random.normal(one, (3,)) for one in keys]))

    def estimate(scale: Any, key: Any) -> Any:
        return tnp.mean(tnp.exp(scale * tg.random.normal(key, (100,))))

    close(jit(tg.grad(estimate))(0.5, key), tg.grad(estimate)(0.5, key))

    def walk(key: Any, length: int) -> Any:
        def body(state: Any, _: Any) -> Any:
            key, draw = tg.random.split(state[0])
            place = state[1] + tg.random.normal(draw)
            return (key, place), place

        return tg.scan(body, (key, 0.0), None, length=length)[1]

    close(jit(walk, static_argnames="length")(key, 6), walk(key, 6))


class Mode(enum.Enum):
    UP = 1
    DOWN = 2


def test_decorators_and_static_arguments_as_users_of_jax_write_them() -> None:
    @functools.partial(jit, static_argnames=("mode", "activation"))
    def f(x: Any, mode: Mode, activation: Any = tnp.tanh) -> Any:
        return activation(x) if mode is Mode.UP else -activation(x)

    x = np.arange(3.0)
    np.testing.assert_allclose(f(x, Mode.UP), np.tanh(x))
    np.testing.assert_allclose(f(x, mode=Mode.DOWN), -np.tanh(x))
    np.testing.assert_allclose(f(x, Mode.UP, np.sin), np.sin(x))
    np.testing.assert_allclose(jit(functools.partial(f, mode=Mode.DOWN))(x), -np.tanh(x))

    @functools.wraps(f)
    def wrapped(*args: Any, **settings: Any) -> Any:
        return f(*args, **settings)

    np.testing.assert_allclose(wrapped(x, Mode.UP), np.tanh(x))
    np.testing.assert_allclose(jit(np.linalg.norm)(np.ones(4)), 2.0)


def test_branches_and_loops_around_compiled_functions() -> None:
    @jit(static_argnames="n")
    def power(x: Any, n: int) -> Any:
        return x**n

    def branch(x: Any) -> Any:
        return tg.cond(tnp.sum(x) > 0.0, lambda x: power(x, 2), lambda x: power(x, 3), x)

    def loop(x: Any) -> Any:
        return tg.while_loop(lambda c: tnp.sum(c) < 100.0, lambda c: power(c * 2.0, 1), x)

    def counted(x: Any) -> Any:
        return tg.fori_loop(0, 3, lambda i, c: power(c, 2) + i, x)

    for f in (branch, loop, counted):
        for x in (np.full(3, 0.5), np.full(3, -0.5)):
            if f is not loop or x[0] > 0:
                close(jit(f)(x), f(x))


def test_a_last_batch_that_is_smaller_is_a_program_of_its_own() -> None:
    compiled = jit(lambda w, x: tnp.mean((x @ w) ** 2))
    w = np.ones(4, np.float32)
    for n in (8, 8, 3, 8, 8, 3):
        assert compiled(w, np.ones((n, 4), np.float32)).dtype == np.float32
    assert compiled.cache_info()[:3] == (4, 2, 2)


def test_a_result_that_is_none_is_named() -> None:
    for f, path in (
        (lambda x: {"a": {"name": "relu", "x": x}}, r"\['a'\]\['name'\]"),
        (lambda x: (x, [x, print]), r"\[1\]\[1\]"),
        (lambda x: Report(x, {"mode": Mode.UP}), r"\.parts\['mode'\]"),
    ):
        with pytest.raises(TypeError, match=rf"jit of <lambda>: .* got .* at {path} of the result"):
            jit(f)(np.ones(3))


@pytest.mark.parametrize("name", [None, "my operation", "3rd", "class", "a.b", "np", "\N{GREEK SMALL LETTER ALPHA}"])
def test_operations_of_any_name_are_compiled(name: str | None) -> None:
    """The function of one that is defined by a lambda is called <lambda>, which the source of a program cannot say."""
    ruled = tg.primitive(lambda x: x * x, vjp=lambda g, y, x: 2.0 * g * x, name=name)
    bare = tg.primitive(lambda x: np.sin(x), name=name)
    assert tg.jit(lambda x: ruled(x) + bare(x))(2.0) == 4.0 + np.sin(2.0)
    assert tg.jit(tg.grad(ruled))(3.0) == 6.0


def test_truth_values_times_themselves_are_truth_values_and_their_squares_numbers() -> None:
    b = np.array([True, False])
    for f in (lambda b: b * b, np.square, lambda b: np.sum(b * b), lambda b: np.sum(np.square(b))):
        value, expected = jit(f)(b), f(b)
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


def test_integers_stay_integers_in_powers_and_changed_places() -> None:
    assert jit(lambda n: n**2)(3) == 9
    assert isinstance(jit(lambda n: n**2)(3), (int, np.integer))
    np.testing.assert_array_equal(jit(lambda c, k, n: tnp.at(c)[k].add(n))(np.arange(3), 1, 5), [0, 6, 2])


def test_no_rule_is_asked_for_behind_what_is_constant() -> None:
    def f(w: Any) -> Any:
        def body(c: Any) -> Any:
            return c[0] + 1, c[1] * 1.5

        scale = tg.while_loop(lambda c: c[0] < 3, body, (0, tg.stop_gradient(w) + np.floor(w)))[1]
        return np.sum(w * scale)

    w = np.array([1.0, 2.5])
    expected = 1.5**3 * (w + np.floor(w))
    for g in (tg.grad(f), jit(tg.grad(f)), lambda w: tg.vmap(tg.grad(f))(w[None])[0]):
        np.testing.assert_allclose(g(w), expected)


def test_an_infinite_weight_of_zeros_is_mended_in_stacks_of_matrices() -> None:
    z, w = np.zeros((2, 4)), np.ones((2, 4, 3))
    gradient = tg.grad(lambda w: np.sum(-np.inf * (z @ w)))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(gradient(w), np.zeros_like(w))
        np.testing.assert_array_equal(jit(gradient)(w), np.zeros_like(w))
