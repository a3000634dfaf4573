"""`custom_vjp` and `custom_jvp`: rules of the user's own under every transform, and what is said about wrong ones."""

import inspect
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.errors import RuleError
from tapegrad.testing import assert_trees_close
from tapegrad.typing import Array

X = np.array([0.3, -0.7, 1.1])


def raises(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value), str(caught.value)
    assert tg.grad(lambda x: x * x)(3.0) == 6.0


def plain(params: Any, x: Any, n: Any) -> Any:
    return {"y": np.sin(params["a"] * x) * n, "z": (params["a"] ** 2,)}


@tg.custom_vjp
def backward(params: Any, x: Any, n: Any) -> Any:
    return plain(params, x, n)


def forward_and_residuals(params: Any, x: Any, n: Any) -> Any:
    return plain(params, x, n), (params, {"x": x, "n": n})


def cotangents(kept: Any, g: Any) -> Any:
    params, rest = kept
    a, x, n = params["a"], rest["x"], rest["n"]
    inner = g["y"] * n * np.cos(a * x)
    return {"a": inner * x + 2 * a * g["z"][0]}, inner * a, None


backward.defvjp(forward_and_residuals, cotangents)


@tg.custom_jvp
def forward(params: Any, x: Any, n: Any) -> Any:
    return plain(params, x, n)


def tangents(primals: Any, moving: Any) -> Any:
    params, x, n = primals
    a, t = params["a"], moving[0]["a"]
    return forward(*primals), {"y": np.cos(a * x) * (t * x + a * moving[1]) * n, "z": (2 * a * t,)}


forward.defjvp(tangents)


def using(f: Callable[..., Any]) -> Callable[..., Any]:
    def loss(a: Any, x: Any) -> Any:
        out = f({"a": a}, x, 3)
        return np.sum(out["y"] * out["z"][0])

    return loss


def scanned(f: Callable[..., Any], a: Any) -> Any:
    return tg.scan(lambda c, x: (c + f(a, c * x), c), 0.1, np.stack([X, -X]))[0]


TRANSFORMS: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "value": lambda f: f(X, X * X),
    "grad": lambda f: tg.grad(f, (0, 1))(X, X * X),
    "jvp": lambda f: tg.jvp(f, (X, X * X), (X, X)),
    "jvp by one": lambda f: tg.jvp(lambda a: f(a, X), (X,), (X,)),
    "jacfwd": lambda f: tg.jacfwd(f, (0, 1))(X, X),
    "hessian": lambda f: tg.hessian(f, (0, 1))(X, X * X),
    "reverse over reverse": lambda f: tg.jacrev(tg.jacrev(f))(X, X),
    "third order": lambda f: tg.jvp(tg.hessian(f), (X, X), (X, X)),
    "vmap": lambda f: tg.vmap(f)(np.stack([X, -X]), np.stack([X, 2 * X])),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f), (None, 0))(X, np.stack([X, -X])),
    "grad of vmap": lambda f: tg.grad(lambda a: tg.vmap(f, (None, 0))(a, np.stack([X, -X])).sum())(X),
    "vmap of vmap": lambda f: tg.vmap(lambda a: tg.vmap(f, (None, 0))(a, np.stack([X, -X])))(np.stack([X, 2 * X])),
    "no examples": lambda f: tg.vmap(tg.grad(f))(np.zeros((0, 3)), np.zeros((0, 3))),
    "checkpoint": lambda f: tg.grad(tg.checkpoint(f), (0, 1))(X, X),
    "scan": lambda f: tg.grad(lambda a: scanned(f, a))(X),
    "cond": lambda f: tg.grad(lambda a: tg.cond(a[0] > 0, f, lambda a, x: a.sum(), a, X))(X),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("rule", [backward, forward], ids=["custom_vjp", "custom_jvp"])
def test_a_true_rule_changes_no_derivative(rule: Any, transform: Callable[..., Any]) -> None:
    assert_trees_close(transform(using(rule)), transform(using(plain)), 1e-11, 1e-12)


def test_a_rule_of_the_users_own_is_what_counts() -> None:
    @tg.custom_vjp
    def clipped(x: Any) -> Any:
        return x * x

    clipped.defvjp(lambda x: (x * x, None), lambda kept, g: (np.clip(g, -0.5, 0.5),))
    assert tg.grad(lambda x: clipped(x))(3.0) == 0.5
    assert tg.vmap(tg.grad(lambda x: 4.0 * clipped(x)))(X).tolist() == [0.5, 0.5, 0.5]
    assert clipped(3.0) == 9.0


# Mistakes


def with_vjp(rule: Any, forward: Any = lambda x, y: (x * y, None)) -> Any:
    f = tg.custom_vjp(lambda x, y: x * y)
    f.defvjp(forward, rule)
    return lambda x: np.sum(f(x, X))


def with_jvp(rule: Any) -> Any:
    f = tg.custom_jvp(lambda x, y: x * y)
    f.defjvp(rule)
    return lambda x: np.sum(f(x, X))


MODES: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "grad": lambda f: tg.grad(f)(X),
    "jvp": lambda f: tg.jvp(f, (X,), (X,)),
    "second order": lambda f: tg.hessian(f)(X),
    "vmap": lambda f: tg.vmap(tg.grad(f))(np.stack([X, X])),
}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


@each_mode
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda kept, g: (g,), "must return a tuple of 2 cotangents, got 1 values"),
        (lambda kept, g: (g, g, g), "must return a tuple of 2 cotangents, got 3 values"),
        (lambda kept, g: {"x": g}, "must return a tuple of 2 cotangents, got a dict"),
        (lambda kept, g: (g, g[:2]), "returned shape (2,) for argument 1, expected (3,)"),
        (lambda kept, g: (np.sum(g), g), "returned shape () for argument 0, expected (3,)"),
        (lambda kept, g: ({"a": g}, g), "returned dict(['a']: *) for argument 0, expected *"),
        (lambda kept, g: (np.array(["a", "b", "c"]), g), "returned for argument 0 dtype <U1, expected real numbers"),
        (lambda kept, g: (g * 1j, g), "returned for argument 0 dtype complex128, expected real numbers"),
    ],
)
def test_a_backward_function_that_returns_something_else(mode: Callable[..., Any], rule: Any, message: str) -> None:
    raises(RuleError, f"custom_vjp: the backward function of <lambda> {message}", lambda: mode(with_vjp(rule)))


@each_mode
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda p, t: t[0], "must return (output, tangent), the tangent a tree like the output"),
        (lambda p, t: (p[0], (t[0],)), "must return (output, tangent), the tangent a tree like the output"),
        (lambda p, t: (p[0], t[0][:2]), "returned a tangent of shape (2,), expected (3,)"),
        (lambda p, t: (p[0], t[0] * 1j), "returned a tangent of dtype complex128, expected real numbers"),
        (lambda p, t: (p[0], np.array(["a", "b", "c"])), "returned a tangent of dtype <U1, expected real numbers"),
    ],
)
def test_a_forward_rule_that_returns_something_else(mode: Callable[..., Any], rule: Any, message: str) -> None:
    raises(RuleError, f"custom_jvp: the rule of <lambda> {message}", lambda: mode(with_jvp(rule)))


def test_a_forward_function_returns_output_and_residuals() -> None:
    message = "custom_vjp: the forward function of <lambda> must return (output, residuals)"
    raises(RuleError, message, lambda: tg.grad(with_vjp(lambda kept, g: (g, g), lambda x, y: x * y))(X))


def test_a_rule_is_needed_under_a_transform_only() -> None:
    for make, how in ((tg.custom_vjp, "defvjp(forward, backward)"), (tg.custom_jvp, "defjvp(rule)")):
        f: Any = make(lambda x: x * 2.0)
        assert f(3.0) == 6.0
        raises(TypeError, f"<lambda> has no rule yet; give one with <lambda>.{how}", partial(tg.grad(f), 3.0))


def scaled(x: float, y: float = 2.0, *, sign: float = 1.0) -> float:
    """Return ``x * y``, or its negative."""
    return x * y * sign


def with_a_rule(make: Any, **options: Any) -> Any:
    """Return `scaled` with rules that are three times its derivative by `x`, so that it shows that they were used."""
    f = make(scaled, **options)
    if make is tg.custom_vjp:
        f.defvjp(lambda x, y: (x * y, (x, y)), lambda kept, g: (3 * g * kept[1], g * kept[0]))
    else:
        f.defjvp(lambda at, t: (at[0] * at[1], 3 * t[0] * at[1] + t[1] * at[0]))
    return f


BOTH = pytest.mark.parametrize("make", [tg.custom_vjp, tg.custom_jvp])


@BOTH
def test_arguments_by_keyword_and_defaults_are_given_to_rules_by_position(make: Any) -> None:
    f = with_a_rule(make)
    assert tg.grad(lambda x: f(x))(5.0) == 6.0
    assert tg.grad(lambda x: f(y=4.0, x=x))(5.0) == 12.0
    assert tg.grad(lambda y: f(5.0, y=y))(4.0) == 5.0
    raises(TypeError, "of scaled: rules are given arguments by position", lambda: tg.grad(lambda x: f(x, sign=-1.0))(3.0))
    raises(TypeError, "of scaled: missing a required argument: 'x'", lambda: tg.grad(lambda y: f(y=y))(3.0))
    raises(TypeError, "of scaled: got an unexpected keyword argument 'z'", lambda: tg.grad(lambda x: f(x, z=x))(3.0))


@BOTH
def test_a_function_with_a_rule_looks_like_the_function(make: Any) -> None:
    f = with_a_rule(make)
    assert (f.__name__, f.__doc__, f.__wrapped__) == ("scaled", scaled.__doc__, scaled)
    assert inspect.signature(f) == inspect.signature(scaled) and repr(f) == f"{make.__name__}(scaled)"
    assert pickle.loads(pickle.dumps(make(scaled)))(3.0) == 6.0
    assert pickle.loads(pickle.dumps(decorated)) is decorated


@tg.custom_jvp
def decorated(x: float) -> float:
    return x * 2.0


@decorated.defjvp
def decorated_rule(at: Any, t: Any) -> Any:
    return decorated(*at), 5.0 * t[0]


def test_a_rule_may_be_given_by_decorator() -> None:
    assert tg.grad(decorated)(1.0) == 5.0 and decorated_rule((1.0,), (1.0,)) == (2.0, 5.0)


@BOTH
def test_methods_may_have_rules(make: Any) -> None:
    class Model:
        scale = 2.0

        def product(self, x: Any) -> Any:
            return x * self.scale

        ruled = make(product, nondiff_argnums=(0,))
        unruled = make(product)

    if make is tg.custom_vjp:
        Model.ruled.defvjp(lambda self, x: (self.ruled(x), None), lambda self, kept, g: (3.0 * g,))
        Model.unruled.defvjp(lambda self, x: (x, None), lambda kept, g: (None, g))
    else:
        Model.ruled.defjvp(lambda self, at, t: (at[0], 3.0 * t[0]))
        Model.unruled.defjvp(lambda at, t: (at[1], t[1]))
    assert Model().ruled(4.0) == 8.0 and tg.grad(Model().ruled)(1.0) == 3.0
    message = "of product: an argument is a Model, expected an array or a number; if it is no array, name its place in nondiff"
    raises(TypeError, message, lambda: tg.grad(Model().unruled)(1.0))


def test_residuals_and_outputs_are_arrays() -> None:
    f = tg.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, "kept"), lambda kept, g: (g,))
    raises(TypeError, "custom_vjp of <lambda>: a residual is a str, expected an array", lambda: tg.grad(f)(1.0))
    f.defvjp(lambda x: ("x", None), lambda kept, g: (g,))
    raises(TypeError, "custom_vjp of <lambda>: an output is a str, expected an array", lambda: tg.grad(f)(1.0))


@BOTH
@pytest.mark.parametrize("wrong", [0, (-1,), "0", (0.0,), None])
def test_positions_of_what_is_no_array_are_a_tuple(make: Any, wrong: Any) -> None:
    raises(
        TypeError, "nondiff_argnums must be a tuple of positions, each 0 or more", lambda: make(np.sin, nondiff_argnums=wrong)
    )


def test_what_is_no_function() -> None:
    make: Any
    for make, name in ((tg.custom_vjp, "custom_vjp"), (tg.custom_jvp, "custom_jvp")):
        raises(TypeError, f"{name}: expected a function, got an int", partial(make, 3))
    f: Any = tg.custom_vjp(np.sin)
    raises(TypeError, "custom_vjp: the backward function: expected a function, got None", lambda: f.defvjp(np.sin, None))
    g: Any = tg.custom_jvp(np.sin)
    raises(TypeError, "custom_jvp: the rule: expected a function, got a float", lambda: g.defjvp(3.0))


# A forward function may call the function itself, as JAX's documentation does


def threefold() -> Any:
    """``sin(x) * y`` with three times its derivative by `x`, so that it shows which rule was used."""

    @tg.custom_vjp
    def f(x: Any, y: Any) -> Any:
        return np.sin(x) * y

    f.defvjp(lambda x, y: (f(x, y), (np.cos(x), np.sin(x), y)), lambda r, g: (3 * r[0] * g * r[2], r[1] * g))
    return f


@pytest.mark.parametrize("transform", [lambda g: g, tg.jit])
def test_a_forward_function_may_call_the_function(transform: Any) -> None:
    f = threefold()
    x, y = 0.7, 2.0
    np.testing.assert_allclose(transform(tg.grad(f, (0, 1)))(x, y), (3 * np.cos(x) * y, np.sin(x)))
    np.testing.assert_allclose(
        transform(tg.hessian(f, (0, 1)))(x, y), [[-3 * np.sin(x) * y, 3 * np.cos(x)], [np.cos(x), 0.0]], atol=1e-12
    )
    np.testing.assert_allclose(tg.vmap(tg.grad(f), in_axes=(0, None))(np.array([x, 1.0]), y)[0], 3 * np.cos(x) * y)
    np.testing.assert_allclose(tg.jvp(f, (x, y), (1.0, 0.0))[1], 3 * np.cos(x) * y)


@pytest.mark.parametrize("mode", [tg.jacrev, tg.jacfwd])
def test_residuals_that_the_function_itself_computed_have_its_rule(mode: Any) -> None:
    """The second derivative goes through the output among the residuals, by the rule as well."""

    @tg.custom_vjp
    def f(x: Any) -> Any:
        return np.exp(x)

    def forward(x: Any) -> Any:
        y = f(x)
        return y, y

    f.defvjp(forward, lambda y, g: (2 * g * y,))
    np.testing.assert_allclose(mode(tg.grad(f))(0.5), 4 * np.exp(0.5))
    np.testing.assert_allclose(mode(mode(tg.grad(f)))(0.5), 8 * np.exp(0.5))
    np.testing.assert_allclose(tg.vmap(mode(tg.grad(f)))(np.array([0.5, 0.5])), [4 * np.exp(0.5)] * 2)


@pytest.mark.parametrize("transform", [lambda g: g, tg.jit])
def test_a_fixed_point_by_while_loop_has_the_derivative_of_its_equation(transform: Any) -> None:
    """The loop has no reverse rule, and needs none: the output among the residuals has no cotangent of its own."""

    @tg.custom_vjp
    def solved(a: Any) -> Any:  # x = cos(a * x)
        return tg.while_loop(lambda s: abs(s[0] - s[1]) > 1e-14, lambda s: (np.cos(a * s[0]), s[0]), (a * 0.0 + 1.0, a * 0.0))[
            0
        ]

    def forward(a: Any) -> Any:
        x = solved(a)
        return x, (a, x)

    def backward(kept: Any, g: Any) -> Any:
        a, x = kept
        return (-np.sin(a * x) * x / (1.0 + np.sin(a * x) * a) * g,)

    solved.defvjp(forward, backward)
    x = solved(0.8)
    slope = -np.sin(0.8 * x) * x / (1.0 + np.sin(0.8 * x) * 0.8)
    np.testing.assert_allclose(transform(tg.grad(solved))(0.8), slope)
    np.testing.assert_allclose(transform(tg.vmap(tg.grad(solved)))(np.array([0.8, 0.8])), [slope, slope])
    np.testing.assert_allclose(
        transform(tg.hessian(solved))(0.8), (tg.grad(solved)(0.8 + 1e-6) - tg.grad(solved)(0.8 - 1e-6)) / 2e-6, rtol=1e-8
    )


# Arguments that are no arrays


def test_arguments_that_are_no_arrays_come_first_to_a_backward_function() -> None:
    @partial(tg.custom_vjp, nondiff_argnums=(0, 2))
    def f(g: Any, x: Any, power: int, y: Any) -> Any:
        return g(x) ** power * y

    f.defvjp(lambda g, x, power, y: (f(g, x, power, y), (x, y)), lambda g, power, r, c: (c * power * 10.0, c * g(r[0])))
    assert tg.grad(lambda x, y: f(np.sin, x, 3, y), (0, 1))(0.5, 2.0) == (30.0, np.sin(0.5))
    found = tg.vmap(tg.grad(lambda x: f(np.sin, x, 3, 2.0)))(np.ones(2))
    np.testing.assert_array_equal(found, [30.0, 30.0])
    assert tg.jit(tg.grad(lambda x: f(np.sin, x, 3, 2.0)))(0.5) == 30.0
    assert tg.grad(tg.grad(lambda y: f(np.sin, y, 3, y)))(0.5) == np.cos(0.5)
    raises(TypeError, "argument 2 of f is traced, but in nondiff_argnums", lambda: tg.grad(lambda x: f(np.sin, x, x, x))(0.5))
    anything: Any = f
    raises(TypeError, "f was called with 1 arguments, but nondiff_argnums", lambda: tg.grad(lambda x: anything(x))(0.5))


def test_arguments_that_are_no_arrays_come_first_to_a_forward_rule() -> None:
    @partial(tg.custom_jvp, nondiff_argnums=(1,))
    def f(x: Any, g: Any) -> Any:
        return g(x)

    f.defjvp(lambda g, primals, tangents: (f(primals[0], g), 5.0 * g(primals[0]) * tangents[0]))
    assert tg.grad(lambda x: f(x, np.sin))(0.5) == 5.0 * np.sin(0.5)
    assert tg.jvp(lambda x: f(x, np.sin), (0.5,), (1.0,))[1] == 5.0 * np.sin(0.5)
    np.testing.assert_allclose(tg.hessian(lambda x: f(x, np.sin))(0.5), 5.0 * np.cos(0.5))
    np.testing.assert_allclose(tg.vmap(tg.grad(lambda x: f(x, np.sin)))(np.array([0.5])), 5.0 * np.sin(0.5))


def all_or_nothing(g: Array) -> Array:
    """A cotangent that is left out if it is not finite, as a training step that is skipped: no linear function."""
    return tnp.where(tnp.all(tnp.isfinite(g)), g, 0.0)


def skipping() -> dict[str, Any]:
    """The identity with that rule, in both directions."""
    backward: Any = tg.custom_vjp(lambda x: 1.0 * x)
    backward.defvjp(lambda x: (1.0 * x, None), lambda _, g: (all_or_nothing(g),))
    forward: Any = tg.custom_jvp(lambda x: 1.0 * x)
    forward.defjvp(lambda primals, tangents: (1.0 * primals[0], all_or_nothing(tangents[0])))
    return {"custom_vjp": backward, "custom_jvp": forward}


@pytest.mark.parametrize("name", ["custom_vjp", "custom_jvp"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_rule_is_not_shown_nan_that_only_bare_rules_leave_behind(name: str, inside: bool) -> None:
    """A branch not taken has an infinite slope there: its cotangent and tangent are 0."""
    kept = skipping()[name]

    def f(x: Array) -> Array:
        root = tnp.sqrt(kept(x * x)) if inside else kept(tnp.where(x > 0.5, tnp.sqrt(x * x), x))
        return tnp.sum(tnp.where(x > 0.5, root, x))

    def along(x: Array) -> Array:
        tangent: Array = tg.jvp(f, (x,), (x,))[1]
        return tangent

    x = np.array([0.0, 4.0, 1.0])
    for expected, g in ((np.ones(3), tg.grad(f)), (np.array(5.0), along)):
        rows = np.stack([expected, expected])
        compiled: list[Callable[[Array], Any]] = [g, tg.jit(g), tg.checkpoint(g)]
        for h in compiled:
            np.testing.assert_allclose(h(x), expected)
        batches: list[Callable[[Array], Any]] = [tg.vmap(g), tg.jit(tg.vmap(g)), tg.jit(partial(tg.map, g))]
        for h in batches:
            np.testing.assert_allclose(h(np.stack([x, x])), rows)
    np.testing.assert_allclose(tg.grad(lambda x: tnp.sum(tg.grad(f)(x) ** 2))(x), np.zeros(3), atol=1e-12)
