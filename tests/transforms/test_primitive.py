"""Operations of the user's own: rules in a few lines, or finite differences, under every transform."""

import math
import pickle
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.core.primitive import PRIMITIVES
from tapegrad.testing import assert_trees_close, check_grads
from tapegrad.typing import Array
from tests.transforms.leaks import left_behind

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(2, 3)), RANDOM.normal(size=3)
X = np.array([0.3, -0.7, 1.1])


def opaque(x: Any) -> Any:
    """Return a copy by way of Python's own floats, as foreign code would: it fails for a traced value."""
    return np.array([float(part) for part in np.ravel(x)]).reshape(np.shape(x)).astype(np.result_type(x))


def layer(a: Any, b: Any, *, scale: float = 1.0) -> Any:
    """Return ``scale * tanh(a @ b)``, computed out of sight."""
    return np.tanh(opaque(a) @ opaque(b)) * scale


def total(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: np.sum(f(*args))


def slope(y: Any, scale: float) -> Any:
    return scale - y * y / scale


def both_cotangents(g: Any, y: Any, a: Any, b: Any, scale: float = 1.0) -> Any:
    d = g * slope(y, scale)
    return np.outer(d, b), a.T @ d


def tangent(t: Any, y: Any, a: Any, b: Any, scale: float = 1.0) -> Any:
    return slope(y, scale) * (t[0] @ b + a @ t[1])


def in_batches(args: Any, batched: Any, scale: float = 1.0) -> Any:
    a, b = (opaque(x) if is_batched else opaque(x)[None] for x, is_batched in zip(args, batched, strict=True))
    return np.tanh(a @ b[..., None])[..., 0] * scale


LAYERS: dict[str, Callable[..., Any]] = {
    "one reverse rule": tg.primitive(layer, vjp=both_cotangents),
    "a reverse rule for each argument": tg.primitive(
        layer,
        vjp=(
            lambda g, y, a, b, scale=1.0: np.outer(g * slope(y, scale), b),
            lambda g, y, a, b, scale=1.0: a.T @ (g * slope(y, scale)),
        ),
    ),
    "a forward rule": tg.primitive(layer, jvp=tangent),
    "both rules": tg.primitive(layer, vjp=both_cotangents, jvp=tangent),
    "finite differences": tg.primitive(layer, derivative="finite differences"),
    "a batching rule": tg.primitive(layer, vjp=both_cotangents, batch=in_batches),
    "a batching rule and a rule for each argument": tg.primitive(
        layer,
        vjp=(
            lambda g, y, a, b, scale=1.0: np.outer(g * slope(y, scale), b),
            lambda g, y, a, b, scale=1.0: a.T @ (g * slope(y, scale)),
        ),
        batch=in_batches,
    ),
    "a batching rule and differences": tg.primitive(layer, derivative="finite differences", batch=in_batches),
}


def expected(a: Any, b: Any) -> Any:
    return np.sum(np.sin(np.tanh(a @ b) * 2.0))


TRANSFORMS: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "value": lambda f: f(A, B),
    "grad": lambda f: tg.grad(f)(A, B),
    "grad by the second": lambda f: tg.grad(f, 1)(A, B),
    "grad by both": lambda f: tg.grad(f, (0, 1))(A, B),
    "jvp": lambda f: tg.jvp(f, (A, B), (A * A, -B)),
    "jvp by one": lambda f: tg.jvp(lambda b: f(A, b), (B,), (B,)),
    "jacfwd": lambda f: tg.jacfwd(f, (0, 1))(A, B),
    "hessian": lambda f: tg.hessian(f, (0, 1))(A, B),
    "reverse over reverse": lambda f: tg.jacrev(tg.jacrev(f))(A, B),
    "reverse over forward": lambda f: tg.grad(lambda a: tg.jvp(lambda a: f(a, B), (a,), (A,))[1])(A),
    "hvp": lambda f: tg.hvp(lambda b: f(A, b))(B, B * B),
    "vmap": lambda f: tg.vmap(f)(np.stack([A, -A]), np.stack([B, 2 * B])),
    "vmap by one": lambda f: tg.vmap(f, (0, None))(np.stack([A, -A, 2 * A]), B),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f, 1), (None, 0))(A, np.stack([B, -B, 2 * B])),
    "grad of vmap": lambda f: tg.grad(lambda a, bs: tg.vmap(f, (None, 0))(a, bs).sum(), (0, 1))(A, np.stack([B, -B])),
    "vmap of vmap": lambda f: tg.vmap(lambda a: tg.vmap(lambda b: f(a, b))(np.stack([B, -B])))(np.stack([A, 2 * A, -A])),
    "hessian of vmap": lambda f: tg.hessian(lambda b: tg.vmap(f, (0, None))(np.stack([A, 2 * A]), b).sum())(B),
    "no examples": lambda f: tg.vmap(tg.grad(f), (0, None))(np.zeros((0, 2, 3)), B),
    "checkpoint": lambda f: tg.grad(lambda a: tg.checkpoint(f)(a, B))(A),
    "scan": lambda f: tg.grad(lambda bs: tg.scan(lambda c, b: (c * f(A, b), c), 1.0, bs)[0])(np.stack([B, -B, 2 * B])),
    "cond": lambda f: tg.grad(lambda b: tg.cond(b[0] < 9.0, lambda b: f(A, b), lambda b: b.sum(), b))(B),
    "jit": lambda f: tg.jit(tg.grad(f, (0, 1)))(A, B),
    "jit of vmap of hessian": lambda f: tg.jit(tg.vmap(tg.hessian(f), (0, None)))(np.stack([A, -A]), B),
    "grad of jit": lambda f: tg.grad(tg.jit(f))(A, B),
    "linearize": lambda f: tg.linearize(f, A, B)[1](A, B),
    "custom_vjp": lambda f: tg.grad(with_custom_vjp(f))(B),
}


def with_custom_vjp(f: Callable[..., Any]) -> Callable[..., Any]:
    g = tg.custom_vjp(lambda b: f(A, b))
    g.defvjp(lambda b: (f(A, b), b), lambda b, c: (c * tg.grad(f, 1)(A, b),))
    return g


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("name", LAYERS)
def test_every_kind_of_rule_under_every_transform(name: str, transform: Callable[..., Any]) -> None:
    def f(a: Any, b: Any) -> Any:
        return np.sum(np.sin(LAYERS[name](a, b, scale=2.0)))

    rtol, atol = (1e-5, 3e-6) if "differences" in name else (1e-10, 1e-12)
    assert_trees_close(transform(f), transform(expected), rtol, atol)


@pytest.mark.parametrize("name", LAYERS)
def test_an_argument_may_be_a_list_with_traced_values(name: str) -> None:
    gradient = tg.grad(lambda b: LAYERS[name](A, [b[0], b[1] * b[2], 1.0]).sum())(B)
    exact = tg.grad(lambda b: np.tanh(A @ np.stack([b[0], b[1] * b[2], 1.0])).sum())(B)
    assert_trees_close(gradient, exact, 1e-6)


def test_third_order_where_rules_are_numpy() -> None:
    f = LAYERS["both rules"]
    check_grads(lambda a, b: f(a, b, scale=0.7), (A, B), 3)


# Kinds of functions


@tg.primitive(vjp=lambda g, y, x: g / (1 + abs(x)) ** 2, elementwise=True)
def softsign(x: Array) -> Array:
    """Return ``x / (1 + |x|)``."""
    return np.asarray(np.divide(x, 1 + np.abs(x)))


def test_the_function_stays_what_it_is() -> None:
    assert softsign.__name__ == "softsign" and softsign.__doc__ == "Return ``x / (1 + |x|)``."
    assert repr(softsign) == "primitive(softsign)"
    assert_type(softsign(X), Array)
    assert np.array_equal(softsign(X), X / (1 + np.abs(X)))
    assert str(tg.record(softsign, X)).splitlines()[1].startswith("%1 = softsign(%0)")


def quotient(a: Any, b: Any) -> Any:
    return opaque(np.broadcast_to(a, np.broadcast_shapes(np.shape(a), np.shape(b)))) / b


QUOTIENTS = {
    "for each": tg.primitive(
        quotient, vjp=(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b), elementwise=True, name="quotient"
    ),
    "at once": tg.primitive(quotient, vjp=lambda g, y, a, b: (g / b, -g * y / b), elementwise=True),
    "forward": tg.primitive(quotient, jvp=lambda t, y, a, b: t[0] / b - t[1] * y / b, elementwise=True),
    "differences": tg.primitive(quotient, derivative="finite differences", elementwise=True),
}


@pytest.mark.parametrize("name", QUOTIENTS)
def test_elementwise_operations_broadcast(name: str) -> None:
    f = QUOTIENTS[name]
    tolerance = 1e-6 if name == "differences" else 1e-12
    for a, b in ((A, X + 2), (X, A + 4), (A, np.float64(2.0)), (A[:, :1], X + 2), (np.float64(2.0), np.float64(3.0))):
        for transform in (
            lambda f, a, b: tg.vjp(f, a, b)[1](np.ones(np.broadcast_shapes(np.shape(a), np.shape(b)))[()]),
            lambda f, a, b: tg.jvp(f, (a, b), (a * a, b)),
            lambda f, a, b: tg.vmap(f, (0, None))(np.stack([a, a]), b),
            lambda f, a, b: tg.vmap(tg.grad(total(f), 1), (0, None))(np.stack([a, 2 * a]), b),
        ):
            assert_trees_close(transform(f, a, b), transform(np.divide, a, b), tolerance, tolerance)
    assert tg.grad(lambda a: f(a, a * a))(2.0) == pytest.approx(-0.25)


def test_differences_of_elementwise_operations_take_two_calls() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(np.shape(x))
        return opaque(x) ** 3

    cube = tg.primitive(f, derivative="finite differences", elementwise=True)
    x = np.linspace(-1, 1, 50)
    assert_trees_close(tg.grad(lambda x: cube(x).sum())(x), 3 * x * x, 1e-6, 1e-7)
    assert calls == [(50,)] * 3
    calls.clear()
    tg.jvp(tg.primitive(f, derivative="finite differences"), (x,), (x,))
    assert calls == [(50,)] * 3


def polar(x: Any, y: Any) -> tuple[Any, Any]:
    return np.hypot(opaque(x), opaque(y)), np.arctan2(opaque(y), opaque(x))


POLARS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "reverse": tg.primitive(
        polar,
        vjp=lambda g, out, x, y: (
            g[0] * x / out[0] - g[1] * y / out[0] ** 2,
            g[0] * y / out[0] + g[1] * x / out[0] ** 2,
        ),
    ),
    "forward": tg.primitive(
        polar,
        jvp=lambda t, out, x, y: ((t[0] * x + t[1] * y) / out[0], (t[1] * x - t[0] * y) / out[0] ** 2),
    ),
    "differences": tg.primitive(polar, derivative="finite differences"),
}


@pytest.mark.parametrize("name", POLARS)
def test_several_outputs(name: str) -> None:
    assert_type(POLARS[name](1.0, 1.0), tuple[Any, Any])

    def using(f: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
        def g(x: Any, y: Any) -> Any:
            r, angle = f(x, y)
            return r * angle * angle

        return g

    f, exact = using(POLARS[name]), using(lambda x, y: (np.sqrt(x * x + y * y), np.arctan2(y, x)))
    tolerance = 1e-5 if name == "differences" else 1e-10
    for transform in (
        lambda f: tg.grad(f, (0, 1))(1.0, 2.0),
        lambda f: tg.jvp(f, (1.0, 2.0), (0.5, 1.0)),
        lambda f: tg.hessian(f, (0, 1))(1.0, 2.0),
        lambda f: tg.vmap(tg.grad(f), (0, None))(np.array([1.0, 3.0]), 2.0),
    ):
        assert_trees_close(transform(f), transform(exact), tolerance, tolerance)
    only = lambda x: POLARS[name](x, 2.0)[1]  # no cotangent comes to the first output
    assert tg.grad(only)(1.0) == pytest.approx(-2 / 5, rel=1e-7)


def test_integers_have_no_derivative_and_need_none() -> None:
    seen: list[Any] = []
    n = np.array([1, 2, 3])

    def power(x: Any, n: Any) -> Any:
        return opaque(x) ** n

    def rule(tangents: Any, y: Any, x: Any, n: Any) -> Any:
        seen.append(tangents[1])
        return n * x ** (n - 1) * tangents[0]

    for f in (
        tg.primitive(power, vjp=lambda g, y, x, n: (g * n * x ** (n - 1), None)),
        tg.primitive(power, vjp=(lambda g, y, x, n: g * n * x ** (n - 1), None)),
        tg.primitive(power, jvp=rule),
        tg.primitive(power, derivative="finite differences"),
    ):
        assert_trees_close(tg.grad(lambda x, f=f: f(x, n).sum())(X), n * X ** (n - 1), 1e-6)
        assert_trees_close(tg.jvp(lambda x, f=f: f(x, n), (X,), (X,))[1], n * X**n, 1e-6)
        assert_trees_close(tg.vmap(tg.grad(f), (0, 0))(X, n), n * X ** (n - 1), 1e-6)
    assert set(map(type, seen)) == {type(None)}


def test_an_output_of_integers_is_a_plain_value() -> None:
    @tg.primitive
    def largest(x: Array) -> Any:
        return int(np.argmax(opaque(x)))

    def f(x: Any) -> Any:
        return x[largest(x)] * 2.0 if largest(x) > 1 else x[0]

    assert tg.grad(f)(X).tolist() == [0.0, 0.0, 2.0]
    assert tg.vmap(lambda x: largest(x) + 1)(np.stack([X, -X])).tolist() == [3, 2]


@pytest.mark.parametrize("name", ["one reverse rule", "a forward rule", "finite differences"])
def test_float32_stays(name: str) -> None:
    a, b = A.astype(np.float32), B.astype(np.float32)
    f = LAYERS[name]
    gradients = tg.grad(lambda a, b: f(a, b).sum(), (0, 1))(a, b)
    y, t = tg.jvp(f, (a, b), (a, b))
    assert {g.dtype for g in gradients} == {y.dtype} == {t.dtype} == {np.dtype(np.float32)}
    assert_trees_close(gradients, tg.grad(lambda a, b: np.tanh(a @ b).sum(), (0, 1))(A, B), 5e-3, 1e-3)


def test_complex_numbers_follow_jaxs_convention() -> None:
    z = np.array([0.3 + 0.4j, -1.0 + 0.5j])
    c = np.array([1.0 - 2.0j, 0.5 + 1.0j])

    def square(z: Any) -> Any:
        return np.asarray(z) * np.asarray(z)

    def modulus(z: Any) -> Any:
        return np.abs(np.asarray(z)) ** 2

    for f in (
        tg.primitive(square, vjp=lambda g, y, z: 2 * z * g),
        tg.primitive(square, jvp=lambda t, y, z: 2 * z * t[0]),
        tg.primitive(square, derivative="finite differences"),
        tg.primitive(square, derivative="finite differences", elementwise=True),
    ):
        assert_trees_close(tg.vjp(f, z)[1](c)[0], 2 * z * c, 1e-6)
        assert_trees_close(tg.jvp(f, (z,), (c,))[1], 2 * z * c, 1e-6)
    for elementwise in (False, True):
        f = tg.primitive(modulus, derivative="finite differences", elementwise=elementwise)
        assert_trees_close(tg.grad(lambda z, f=f: f(z).sum())(z), 2 * np.conj(z), 1e-6)


def test_arrays_without_elements() -> None:
    for f in (softsign, tg.primitive(opaque, derivative="finite differences"), QUOTIENTS["at once"]):
        g = (lambda x, f=f: f(x, x)) if f is QUOTIENTS["at once"] else f
        assert tg.grad(lambda x, g=g: g(x).sum())(np.zeros((0, 3))).shape == (0, 3)
        assert tg.jvp(g, (np.zeros(0),), (np.zeros(0),))[1].shape == (0,)
        assert tg.vmap(g)(np.zeros((0, 3))).shape == (0, 3)


def test_a_branch_not_taken_contributes_nothing() -> None:
    root = tg.primitive(lambda x: np.sqrt(np.asarray(x)), vjp=lambda g, y, x: 0.5 * g / y, elementwise=True)
    assert tg.grad(lambda x: np.where(x > 0, root(x), 0.0).sum())(np.array([0.0, 4.0])).tolist() == [0.0, 0.25]


def test_the_step_of_differences() -> None:
    moved: list[float] = []

    def f(x: Any) -> Any:
        moved.append(float(x))
        return opaque(x) ** 2

    g = tg.primitive(f, derivative="finite differences", step=0.25)
    assert tg.grad(g)(2.0) == 4.0
    assert sorted(moved) == [1.5, 2.0, 2.5]  # relative to the argument
    moved.clear()
    assert tg.grad(g)(0.0) == 0.0 and sorted(moved) == [-0.25, 0.0, 0.25]


def test_foreign_code_of_the_standard_library() -> None:
    gamma: Callable[[Any], Any] = tg.primitive(math.gamma, derivative="finite differences")
    digamma = 1.5061176684318  # at 5
    assert tg.grad(gamma)(5.0) == pytest.approx(24 * digamma, rel=1e-7)
    assert tg.vmap(gamma)(np.array([1.0, 4.0, 5.0])).tolist() == [1.0, 6.0, 24.0]
    trigamma = 0.2213229557
    assert tg.grad(tg.grad(gamma))(5.0) == pytest.approx(24 * (digamma**2 + trigamma), rel=1e-5)


# Names, pickling, memory


def test_two_primitives_may_have_the_same_name() -> None:
    names = set(PRIMITIVES)
    f = tg.primitive(lambda x: x * 2.0, vjp=lambda g, y, x: g * 2.0, name="sin")
    g = tg.primitive(lambda x: x * 3.0, vjp=lambda g, y, x: g * 3.0, name="sin")
    assert tg.grad(lambda x: f(x) * g(x) + np.sin(x))(0.0) == 1.0
    assert set(PRIMITIVES) == names and PRIMITIVES["sin"].fn is np.sin


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(softsign)) is softsign
    again = pickle.loads(pickle.dumps(tg.primitive(layer, vjp=both_cotangents)))
    assert_trees_close(tg.grad(lambda a: again(a, B).sum())(A), tg.grad(lambda a: np.tanh(a @ B).sum())(A))
    node = tg.record(softsign, X).nodes[1]
    assert pickle.loads(pickle.dumps(node.primitive)) is node.primitive
    local: Any = lambda x: x * 1.0
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(tg.primitive(local))


def test_calls_leave_nothing_behind() -> None:
    many = np.stack([B, B])
    batched = tg.grad(lambda b: tg.vmap(LAYERS["a batching rule"], (None, 0))(A, b).sum())

    def work() -> None:
        batched(many)
        tg.grad(lambda b: LAYERS["one reverse rule"](A, b).sum())(B)
        tg.grad(lambda b: LAYERS["finite differences"](A, b).sum())(B)

    _, garbage = left_behind(work, 20)
    assert not garbage, f"left to the garbage collector: {garbage}"


def all_or_nothing(g: Any) -> Any:
    """A cotangent that is left out if it is not finite: no linear function."""
    return tnp.where(tnp.all(tnp.isfinite(g)), g, 0.0)


def each_or_nothing(g: Any) -> Any:
    """The same, one element at a time."""
    return tnp.where(tnp.isfinite(g), g, 0.0)


def refusing(g: Any, y: Any, x: Any) -> Any:
    if not np.all(np.isfinite(g)):
        raise ValueError("not finite")
    return g


@tg.primitive(vjp=lambda g, y, x: all_or_nothing(g[0] + g[1]) / 2)
def halves(x: Any) -> Any:
    return x / 2, x / 2


@tg.primitive(vjp=lambda g, y, x, c: (all_or_nothing(g), None))
def with_packed_rule(x: Any, c: Any) -> Any:
    return 1.0 * x


@tg.primitive(vjp=(lambda g, y, x, c: all_or_nothing(g), None))
def with_rule_for_each(x: Any, c: Any) -> Any:
    return 1.0 * x


KEPT: dict[str, Callable[[Any], Any]] = {
    "vjp": tg.primitive(vjp=lambda g, y, x: all_or_nothing(g))(lambda x: 1.0 * x),
    "jvp": tg.primitive(jvp=lambda t, y, x: all_or_nothing(t[0]))(lambda x: 1.0 * x),
    "for each argument": lambda x: with_rule_for_each(x, np.ones(2)),
    "for all arguments": lambda x: with_packed_rule(x, x[:2]),
    "two outputs": lambda x: sum(halves(x)),
    "vjp, elementwise": tg.primitive(vjp=lambda g, y, x: each_or_nothing(g), elementwise=True)(lambda x: 1.0 * x),
    "jvp, elementwise": tg.primitive(jvp=lambda t, y, x: each_or_nothing(t[0]), elementwise=True)(lambda x: 1.0 * x),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("inside", [True, False])
def test_rules_are_not_shown_nan_that_only_bare_rules_leave_behind(name: str, inside: bool) -> None:
    """A branch not taken has an infinite slope there: its cotangent and tangent are 0."""
    kept = KEPT[name]

    def f(x: Any) -> Any:
        root = tnp.sqrt(kept(x * x)) if inside else kept(tnp.where(x > 0.5, tnp.sqrt(x * x), x))
        return tnp.sum(tnp.where(x > 0.5, root, x))

    def along(x: Any) -> Any:
        return tg.jvp(f, (x,), (x,))[1]

    x = np.array([0.0, 4.0, 1.0])
    for expected, g in ((np.ones(3), tg.grad(f)), (np.array(5.0), along)):
        for h in (g, tg.jit(g)):
            np.testing.assert_allclose(h(x), expected)
        for h in (tg.vmap(g), tg.jit(tg.vmap(g))):
            np.testing.assert_allclose(h(x[None])[0], expected)


@pytest.mark.parametrize("name", KEPT)
def test_what_meets_such_nan_in_a_rule_is_not_lost(name: str) -> None:
    """The other branch has a slope, to which the NaN is added."""

    def f(x: Any) -> Any:
        y = KEPT[name](x)
        return tnp.sum(tnp.where(y > 0.5, tnp.sqrt(y), y))

    x = np.array([0.0, 4.0, 1.0])
    for g in (tg.grad(f), tg.jacfwd(f)):
        for h in (g, tg.jit(g)):
            np.testing.assert_allclose(h(x), [1.0, 0.25, 0.5])
        for h in (tg.vmap(g), tg.jit(tg.vmap(g))):
            np.testing.assert_allclose(h(x[None])[0], [1.0, 0.25, 0.5])


def test_foreign_rules_that_refuse_nan_are_not_shown_it() -> None:
    kept = tg.primitive(vjp=refusing)(lambda x: 1.0 * x)
    x = np.array([0.0, 4.0, 1.0])
    np.testing.assert_allclose(tg.grad(lambda x: tnp.sum(tnp.where(x > 0.5, tnp.sqrt(kept(x * x)), x)))(x), np.ones(3))
