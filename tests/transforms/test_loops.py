"""`scan`, `map`, `cond`, `switch`, `while_loop`, `fori_loop`: one node each, under every transform."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import ConcretizationError, MissingRuleError, TreeError
from tapegrad.testing import assert_trees_close

X = np.array([0.3, -0.7, 1.1])
ROWS = np.stack([X, X * X, -X, X + 0.1])


def cell(w: Any, state: Any, row: Any) -> tuple[Any, Any]:
    h = np.tanh(w * state["h"] + row["x"])
    return {"h": h, "n": state["n"] + 1}, (h * row["y"], state["n"])


# Each function with the structure, and what it is in Python's own words.


def scanned(w: Any, x: Any) -> Any:
    rows = {"x": ROWS * x, "y": x * np.ones((4, 3))}
    last, (ys, counts) = tg.scan(lambda s, row: cell(w, s, row), {"h": x, "n": 0}, rows)
    return np.sum(ys * ys) + np.sum(last["h"]) + np.sum(counts) + last["n"]


def scanned_plain(w: Any, x: Any) -> Any:
    state, total = {"h": x, "n": 0}, 0.0
    for row in ROWS:
        state, (y, count) = cell(w, state, {"x": row * x, "y": x})
        total = total + np.sum(y * y) + count
    return total + np.sum(state["h"]) + state["n"]


def backwards(w: Any, x: Any) -> Any:
    last, ys = tg.scan(lambda c, r: (np.sin(c * w) + r, c * r), x, ROWS * x, reverse=True)
    return np.sum(last * ys[0]) + np.sum(ys[-1] ** 2)


def backwards_plain(w: Any, x: Any) -> Any:
    c, ys = x, []
    for r in ROWS[::-1]:
        c, y = np.sin(c * w) + r * x, c * r * x
        ys.append(y)
    return np.sum(c * ys[-1]) + np.sum(ys[0] ** 2)


def repeated(w: Any, x: Any) -> Any:
    return np.sum(tg.fori_loop(1, 4, lambda i, v: np.sin(v * w) * i + x, x))


def repeated_plain(w: Any, x: Any) -> Any:
    v = x
    for i in range(1, 4):
        v = np.sin(v * w) * i + x
    return np.sum(v)


def mapped(w: Any, x: Any) -> Any:
    out = tg.map(lambda r: {"a": np.sum(np.sin(r * w)) * x, "b": r}, ROWS * x)
    return np.sum(out["a"] ** 2) + np.sum(out["b"] * w)


def mapped_plain(w: Any, x: Any) -> Any:
    return sum(np.sum((np.sum(np.sin(r * x * w)) * x) ** 2) + np.sum(r * x * w) for r in ROWS)


def branched(w: Any, x: Any) -> Any:
    y = tg.cond(x[0] * w[0] > 0.1, lambda v: {"y": np.sin(v) * w}, lambda v: {"y": v * v}, x)["y"]
    return np.sum(y * tg.switch(2, [lambda v: v, lambda v: -v, lambda v: np.exp(v) * w], x))


def branched_plain(w: Any, x: Any) -> Any:
    return np.sum(np.where(x[0] * w[0] > 0.1, np.sin(x) * w, x * x) * np.exp(x) * w)


PAIRS = {
    "scan": (scanned, scanned_plain),
    "reverse scan": (backwards, backwards_plain),
    "fori_loop": (repeated, repeated_plain),
    "map": (mapped, mapped_plain),
    "cond and switch": (branched, branched_plain),
}
W = np.array([0.9, -0.4, 0.6])

TRANSFORMS: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "value": lambda f: f(W, X),
    "grad": lambda f: tg.grad(f, (0, 1))(W, X),
    "jvp": lambda f: tg.jvp(f, (W, X), (X, W)),
    "jvp by one": lambda f: tg.jvp(lambda w: f(w, X), (W,), (X,)),
    "hessian": lambda f: tg.hessian(f, (0, 1))(W, X),
    "reverse over reverse": lambda f: tg.jacrev(tg.jacrev(f))(W, X),
    "reverse over forward": lambda f: tg.jacrev(tg.jacfwd(f, 1), 1)(W, X),
    "vmap": lambda f: tg.vmap(f)(np.stack([W, X]), np.stack([X, -X])),
    "vmap by one": lambda f: tg.vmap(f, (None, 0))(W, np.stack([X, -X, W])),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f), (None, 0))(W, np.stack([X, -X, W])),
    "grad of vmap": lambda f: tg.grad(lambda w: tg.vmap(f, (None, 0))(w, np.stack([X, -X])).sum())(W),
    "no examples": lambda f: tg.vmap(tg.grad(f), (None, 0))(W, np.zeros((0, 3))),
    "checkpoint": lambda f: tg.grad(tg.checkpoint(f), (0, 1))(W, X),
    "inside scan": lambda f: tg.grad(lambda w: tg.scan(lambda c, k: (c + f(w * k, X), c), 0.0, X)[0])(W),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("name", PAIRS)
def test_loops_have_the_derivatives_of_pythons_own(name: str, transform: Callable[..., Any]) -> None:
    f, plain = PAIRS[name]
    assert_trees_close(transform(f), transform(plain), 1e-9, 1e-11)


def newton(w: Any, x: Any) -> Any:
    """The square root of ``x * x + w``, by Newton's method."""
    a = x * x + w
    return tg.while_loop(lambda s: np.max(np.abs(s * s - a)) > 1e-13, lambda s: 0.5 * (s + a / s), np.ones(3) + 0.0 * x)


def test_while_loop_in_forward_mode_and_in_batches() -> None:
    w, exact = np.array([1.0, 2.0, 3.0]), lambda w, x: np.sqrt(x * x + w)
    for transform in (
        lambda f: f(w, X),
        lambda f: tg.jvp(f, (w, X), (X, w)),
        lambda f: tg.jacfwd(f, (0, 1))(w, X),
        lambda f: tg.vmap(f, (None, 0))(w, np.stack([X, 3 * X])),
        lambda f: tg.vmap(tg.jacfwd(f), (None, 0))(w, np.stack([X, 3 * X])),
        lambda f: tg.jacfwd(lambda x: tg.vmap(f, (None, 0))(w, x))(np.stack([X, 3 * X])),
    ):
        assert_trees_close(transform(newton), transform(exact), 1e-6, 1e-8)


def test_while_loop_has_no_reverse_rule_and_says_why() -> None:
    for transform in (tg.grad, tg.jacrev, tg.hessian, lambda f: lambda x: tg.vmap(tg.grad(f))(np.stack([x, x]))):
        with pytest.raises(MissingRuleError, match=r"while_loop has no rule for reverse mode.*Use tapegrad\.scan or fori_loop"):
            transform(lambda x: np.sum(newton(1.0, x)))(X)


def test_a_loop_that_does_not_run() -> None:
    assert tg.grad(lambda x: tg.scan(lambda c, r: (c * r, c), x, np.zeros((0,)))[0])(3.0) == 1.0
    assert tg.grad(lambda x: tg.fori_loop(2, 2, lambda i, v: v * v, x))(3.0) == 1.0
    assert tg.jvp(lambda x: tg.while_loop(lambda v: v < 0, lambda v: v * v, x), (3.0,), (1.0,))[1] == 1.0
    assert tg.grad(lambda x: tg.map(lambda r: r * x, np.zeros((0, 2))).sum() + x)(3.0) == 1.0


# The tape


def test_a_loop_is_a_few_nodes_however_long() -> None:
    def f(turns: int) -> Callable[..., Any]:
        return lambda x: tg.scan(lambda c, _: (np.tanh(c) * x, None), x, length=turns)[0]

    short, long = (len(tg.record(f(turns), X)) for turns in (3, 3000))
    assert short == long < 10
    names = [node.primitive.name for node in tg.record(f(3), X).nodes]
    assert "scan" in names and "tanh" not in [name for name in names if name != "dropped"]
    assert tg.grad(lambda x: np.sum(f(3000)(x)))(X).shape == (3,)


def test_branches_that_read_nothing_are_chosen_between_examples() -> None:
    picks = np.array([True, False])
    chosen: Any = tg.vmap(lambda pick: tg.cond(pick, lambda: 1.0, lambda: 2.0))(picks)
    assert chosen.tolist() == [1.0, 2.0]
    mixed = tg.vmap(lambda k, x: tg.switch(k, [lambda: np.ones(2), lambda: x * np.ones(2)]))(
        np.array([1, 0, 7]), np.arange(3.0)
    )
    assert mixed.tolist() == [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]


def test_only_the_chosen_branch_runs() -> None:
    calls: list[str] = []

    @tg.primitive(vjp=lambda g, y, x: 2.0 * g)
    def watched(x: Any) -> Any:
        calls.append("yes")
        return x * 2.0

    @tg.primitive(vjp=lambda g, y, x: 3.0 * g)
    def other(x: Any) -> Any:
        calls.append("no")
        return x * 3.0

    def f(x: Any) -> Any:
        return tg.cond(x > 0, lambda v: watched(v), lambda v: other(v), x)

    assert f(2.0) == 4.0 and calls == ["yes"]
    assert tg.grad(f)(2.0) == 2.0 and tg.grad(f)(-2.0) == 3.0
    assert tg.vmap(tg.grad(f))(np.array([1.0, -1.0])).tolist() == [2.0, 3.0]


# Bad input


def raises(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value), str(caught.value)
    assert tg.grad(lambda x: tg.scan(lambda c, r: (c * r, c), x, X)[0])(1.0) == pytest.approx(np.prod(X))


def under_grad(f: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: tg.grad(lambda x: np.sum(f(x)))(X)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda x: tg.scan(lambda c, r: c, x, X)[0], TypeError, "scan: the body must return (carry, y), got an array of shape"),
        (
            lambda x: tg.scan(lambda c, r: (c, r), x, {"a": X, "b": np.ones(2)})[0],
            ValueError,
            "scan: the leading axes differ: xs['a'] has 3, xs['b'] has 2",
        ),
        (lambda x: tg.scan(lambda c, r: (c, r), x, X, length=2)[0], ValueError, "xs has 3, length has 2"),
        (lambda x: tg.scan(lambda c, r: (c, r), x, 1.0)[0], ValueError, "scan: xs is a scalar and has no leading axis"),
        (lambda x: tg.scan(lambda c, r: (c, r), x)[0], ValueError, "scan: give xs or a length"),
        (
            lambda x: tg.scan(lambda c, r: ({"s": c["s"][:2]}, r), {"s": x}, X)[0]["s"],
            TypeError,
            "scan: the body returns a carried value at ['s'] of shape (2,) and dtype float64, but was given shape (3,)",
        ),
        (
            lambda x: tg.scan(lambda c, r: (c.astype(np.float32), r), x, X)[0],
            TypeError,
            "of shape (3,) and dtype float32, but was given shape (3,) and dtype float64; they must be the same",
        ),
        (
            lambda x: tg.scan(lambda c, r: ((c, c), r), x, X)[0],
            TreeError,
            "scan: the body returns a carried value of",
        ),
        (
            lambda x: tg.scan(lambda c, r: ("a", r), "a", X)[0],
            TypeError,
            "must be a tree of arrays, got a str",
        ),
        (
            lambda x: tg.map(lambda p: p[0], (x, np.ones(2))),
            ValueError,
            "map: the leading axes differ: xs[0] has 3",
        ),
        (lambda x: tg.cond(x > 0, np.sin, np.cos, x), TypeError, "cond: the predicate must be a scalar, got shape (3,)"),
        (
            lambda x: tg.cond(True, lambda v: v, lambda v: v[:2], x),
            TypeError,
            "cond: true_fun returns shape (3,) and dtype float64, but false_fun returns shape (2,) and dtype float64",
        ),
        (
            lambda x: tg.cond(True, lambda v: v, lambda v: (v,), x),
            TypeError,
            "cond: true_fun returns *, but false_fun",
        ),
        (
            lambda x: tg.switch(0, [lambda v: v, lambda v: v > 0], x),
            TypeError,
            "switch: branch 1 returns shape (3,) and",
        ),
        (
            lambda x: tg.switch(1.0, [lambda v: v], x),
            TypeError,
            "switch: the index must be an integer scalar",
        ),
        (lambda x: tg.switch(0, [], x), ValueError, "switch: there is no branch"),
        (lambda x: tg.fori_loop(0.5, 3, lambda i, v: v, x), TypeError, "fori_loop: lower must be an integer, got a float"),  # type: ignore[arg-type]  # the mistake
        (
            lambda x: tg.fori_loop(0, 3, lambda i, v: v[:2], x),
            TypeError,
            "fori_loop: the body returns a carried value",
        ),
        (
            lambda x: tg.while_loop(lambda v: v[0] < 1, lambda v: v[:2], x),
            TypeError,
            "while_loop: the body returns a carried value of shape (2,)",
        ),
        (
            lambda x: tg.while_loop(lambda v: v < 1, lambda v: v, x),
            TypeError,
            "while_loop: the condition must be a",
        ),
        (lambda x: tg.scan(3, x, X), TypeError, "scan: expected a function, got an int"),  # type: ignore[call-overload]  # the mistake
        (lambda x: tg.cond(True, np.sin, 3, x), TypeError, "cond: false_fun: expected a function, got an int"),  # type: ignore[arg-type]  # the mistake
    ],
)
def test_a_mistake_is_named(f: Callable[..., Any], error: type[Exception], message: str) -> None:
    raises(error, message, under_grad(f))


UNTYPED: Any = tg  # for mistakes that a type checker finds


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda: UNTYPED.scan(np.add, 0.0, length=-1), ValueError, "scan: length must be 0 or more, got -1"),
        (lambda: UNTYPED.scan(np.add, 0.0, length=2.0), TypeError, "scan: length must be an integer, got a float"),
        (lambda: UNTYPED.cond("no", np.sin, np.cos, 1.0), TypeError, "cond: the predicate must be a boolean scalar, got a str"),
        (lambda: UNTYPED.cond(None, np.sin, np.cos, 1.0), TypeError, "cond: the predicate must be a boolean scalar, got None"),
        (
            lambda: UNTYPED.cond(np.cos, True, np.sin, 1.0),
            TypeError,
            "cond: the predicate must be a boolean scalar, got an ufunc",
        ),
        (
            lambda: UNTYPED.switch(0, np.sin, 1.0),
            TypeError,
            "switch: expected a list of functions after the index, got an ufunc",
        ),
        (
            lambda: UNTYPED.switch([np.sin], 0, 1.0),
            TypeError,
            "switch: expected a list of functions after the index, got an int",
        ),
    ],
)
def test_a_mistake_outside_of_transforms_is_named(f: Callable[[], Any], error: type[Exception], message: str) -> None:
    raises(error, message, f)


@pytest.mark.parametrize("answer", ["less", None, [True]], ids=str)
def test_a_loop_outside_of_transforms_ends_by_truth_alone(answer: Any) -> None:
    with pytest.raises(TypeError, match="while_loop: the condition must be a boolean scalar"):
        tg.while_loop(lambda v: answer, lambda v: v, 1.0)


@pytest.mark.parametrize(
    "body",
    [
        lambda c, r: (c if r > 0 else -c, r),
        lambda c, r: (c * float(r), r),
        lambda c, r: (c * X[r], r),
    ],
)
def test_a_body_that_looks_at_values_names_its_line(body: Callable[..., Any]) -> None:
    line = body.__code__.co_firstlineno
    with pytest.raises(ConcretizationError, match=rf"test_loops\.py:{line}, in <lambda>"):
        tg.grad(lambda x: tg.scan(body, x, np.arange(3))[0])(1.0)


# Python numbers that are carried


@pytest.mark.parametrize("count", [0, 1.5, 0.5 + 0.0j])
@pytest.mark.parametrize("transform", [lambda f: f, tg.jit])
def test_a_python_number_that_is_carried_has_a_dtype_from_the_first_turn_on(transform: Any, count: Any) -> None:
    """The body is recorded once, with the number that it is given: what it meets in later turns has the same dtype."""
    x = np.ones(2, np.float32)

    def by_scan(x: Any, n: Any) -> Any:
        return tg.scan(lambda s, _: (((s[0] * 0.9 ** s[1]).astype(s[0].dtype), s[1] * 1), s[0] * s[1]), (x, n), None, 3)

    def by_while(x: Any, n: Any) -> Any:
        return tg.while_loop(lambda s: s[2] < 3, lambda s: ((s[0] * s[1]).astype(s[0].dtype), s[1] * 1, s[2] + 1), (x, n, 0))

    if isinstance(count, complex):
        x = x.astype(np.complex64)
    for loop in (by_scan, by_while):
        for found, expected in zip(tg.tree.leaves(transform(loop)(x, count)), tg.tree.leaves(loop(x, count)), strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_rule_of_many_carried_values_is_recorded_in_as_many_nodes() -> None:
    """To trace all outputs of a loop for each one of them would be quadratic."""

    def loss(p: Any) -> Any:
        last, _ = tg.scan(lambda c, x: ([v * x for v in c], None), p, np.array([0.9, 0.8]))
        return sum(last)

    counts = []
    for n in (20, 40, 80):
        tape = tg.record(tg.grad(loss), [np.float64(k) for k in range(n)])
        counts.append(len(tape))
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
