"""Mistakes in primitives of the user's own: each is named with the primitive, the rule, what was expected and what came."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.core.node import CURRENT
from tapegrad.errors import ConcretizationError, MissingRuleError, RuleError
from tests.transforms.test_primitive import LAYERS, A, B, X, layer, opaque, polar, tangent, total


def fails(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value), str(caught.value)
    assert CURRENT.get() is None


def test_a_rule_that_returns_the_wrong_number() -> None:
    one = tg.primitive(layer, vjp=lambda g, y, a, b: (a,), name="lens")
    fails(
        RuleError,
        "primitive 'lens': its vjp rule must return 2 cotangents, one for each argument, got 1 values",
        lambda: tg.grad(total(one))(A, B),
    )
    bare = tg.primitive(layer, vjp=lambda g, y, a, b: a, name="lens")
    fails(RuleError, "2 cotangents, one for each argument, got an array of shape (2, 3)", lambda: tg.hessian(total(bare))(A, B))
    three = tg.primitive(polar, jvp=lambda t, y, a, b: (a, a, a), name="polar")
    fails(
        RuleError,
        "primitive 'polar': its jvp rule must return 2 tangents, one for each output, got 3 values",
        lambda: tg.jvp(three, (1.0, 1.0), (1.0, 1.0)),
    )
    two = tg.primitive(layer, vjp=(None, None, None), name="lens")
    fails(TypeError, "primitive 'lens': called with 2 arguments, but it has 3 vjp rules", lambda: tg.grad(total(two))(A, B))


@pytest.mark.parametrize("transform", [tg.grad, lambda f: tg.grad(lambda a, b: np.sum(tg.grad(f)(a, b)))])
def test_a_rule_that_returns_the_wrong_shape(transform: Callable[..., Any]) -> None:
    wrong = tg.primitive(layer, vjp=lambda g, y, a, b: (a, a), name="lens")
    message = "primitive 'lens': its vjp rule returned for argument 1 shape (2, 3), expected (3,)"
    fails(RuleError, message, lambda: transform(total(wrong))(A, B))
    each = tg.primitive(layer, vjp=(lambda g, y, a, b: g, None), name="lens")
    message = "primitive 'lens': its vjp rule returned for argument 0 shape (2,), expected (2, 3)"
    fails(RuleError, message, lambda: transform(total(each))(A, B))


def test_a_forward_rule_that_returns_the_wrong_shape() -> None:
    wrong = tg.primitive(layer, jvp=lambda t, y, a, b: t[1], name="lens")
    message = "primitive 'lens': its jvp rule returned shape (3,), expected (2,)"
    fails(RuleError, message, lambda: tg.jvp(wrong, (A, B), (A, B)))
    other = tg.primitive(polar, jvp=lambda t, y, a, b: (t[0], X), name="polar")
    message = "primitive 'polar': its jvp rule returned for output 1 shape (3,), expected ()"
    fails(RuleError, message, lambda: tg.jvp(other, (1.0, 1.0), (1.0, 1.0)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.array(["a", "b", "c"]), "dtype <U1, expected real numbers"),
        (np.array([None] * 3), "dtype object, expected real numbers"),
        (np.ones(3) * 1j, "dtype complex128, expected real numbers"),
        ("text", "a str, expected an array"),
        ({"a": 1.0}, "a dict, expected an array"),
    ],
)
def test_a_rule_that_returns_the_wrong_dtype(wrong: Any, message: str) -> None:
    f = tg.primitive(opaque, vjp=lambda g, y, x: wrong, jvp=lambda t, y, x: wrong, name="copy")
    fails(RuleError, f"primitive 'copy': its vjp rule returned for argument 0 {message}", lambda: tg.grad(total(f))(X))
    fails(RuleError, f"primitive 'copy': its jvp rule returned {message}", lambda: tg.jvp(f, (X,), (X,)))


def test_a_batching_rule_that_returns_the_wrong_shape() -> None:
    f = tg.primitive(opaque, vjp=lambda g, y, x: g, batch=lambda args, batched: np.sum(args[0], axis=0), name="copy")
    message = "primitive 'copy': its batch rule returned shape (3,), expected a leading axis of 2"
    fails(RuleError, message, lambda: tg.vmap(f)(np.stack([X, X])))
    fails(RuleError, message, lambda: tg.grad(lambda x: tg.vmap(f)(x).sum())(np.stack([X, X])))


@pytest.mark.parametrize("out", [None, "text", {"a": 1.0}, [1.0, 2.0], (1.0, None)])
def test_a_function_that_returns_no_array(out: Any) -> None:
    f = tg.primitive(lambda x: out, vjp=lambda g, y, x: g, name="lens")
    fails(TypeError, "primitive 'lens': the function must return an array, or a tuple of arrays, got ", lambda: tg.grad(f)(1.0))


def test_a_function_that_returns_no_output() -> None:
    def nothing(x: Any) -> tuple[Any, ...]:
        return ()

    f = tg.primitive(nothing, name="lens")
    fails(TypeError, "primitive 'lens': the function returned no output", lambda: tg.vjp(f, 1.0))


def test_without_rules_there_is_a_value_and_a_batch_but_no_derivative() -> None:
    f = tg.primitive(opaque, name="copy")
    assert tg.vmap(f)(A).tolist() == A.tolist()
    assert tg.grad(lambda x: np.sum(x * f(tg.stop_gradient(x))))(X).tolist() == X.tolist()
    message = (
        "primitive 'copy' has no derivative rule; give it one with vjp= or jvp=, or declare derivative='finite differences'"
    )
    fails(MissingRuleError, message, lambda: tg.grad(total(f))(X))
    fails(MissingRuleError, message, lambda: tg.jvp(f, (X,), (X,)))


def test_a_foreign_rule_has_no_transpose_and_no_second_order() -> None:
    f = tg.primitive(opaque, vjp=lambda g, y, x: opaque(g), name="copy")
    assert tg.grad(total(f))(X).tolist() == [1.0, 1.0, 1.0]
    fails(
        MissingRuleError,
        "primitive 'copy' has no jvp rule, and its vjp rule, which is not NumPy code, cannot be transposed; give it jvp=",
        lambda: tg.jvp(f, (X,), (X,)),
    )
    second = tg.primitive(opaque, vjp=lambda g, y, x: g * opaque(x), name="copy")
    fails(ConcretizationError, "test_primitive.py", lambda: tg.hessian(total(second))(X))


def test_arguments_are_arrays_and_settings_are_static() -> None:
    f = LAYERS["both rules"]
    message = "primitive 'layer': the setting 'scale' is a traced value; pass it by position"
    fails(TypeError, message, lambda: tg.grad(lambda s: f(A, B, scale=s).sum())(1.0))
    message = "primitive 'layer': argument 1 is a dict, expected an array or a number; pass static settings by keyword"
    fails(TypeError, message, lambda: tg.grad(lambda a: f(a, {"b": B}).sum())(A))
    fails(TypeError, "argument 1 is a str", lambda: tg.grad(lambda a: f(a, "b").sum())(A))


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: tg.primitive(3.0), TypeError, "primitive: expected a function, got a float"),  # type: ignore[call-overload]  # the mistake
        (lambda: tg.primitive(layer, vjp=3.0), TypeError, "primitive 'layer': vjp must be a function, got a float"),  # type: ignore[call-overload]  # the mistake
        (lambda: tg.primitive(layer, vjp=(None, 3.0)), TypeError, "vjp[1] must be a function, got a float"),  # type: ignore[arg-type]  # the mistake
        (lambda: tg.primitive(layer, jvp="x"), TypeError, "jvp must be a function, got a str"),  # type: ignore[call-overload]  # the mistake
        (lambda: tg.primitive(layer, derivative="exact"), ValueError, "or left out, got 'exact'"),  # type: ignore[call-overload]  # the mistake
        (
            lambda: tg.primitive(layer, jvp=tangent, derivative="finite differences"),
            TypeError,
            "it has a rule and finite differences; give one of them",
        ),
        (lambda: tg.primitive(layer, jvp=tangent, step=0.1), TypeError, "step is a positive number, for derivative="),
        (lambda: tg.primitive(layer, derivative="finite differences", step=-1.0), TypeError, "step is a positive number"),
    ],
)
def test_a_definition_that_cannot_be(mistake: Callable[[], Any], error: type[Exception], message: str) -> None:
    fails(error, message, mistake)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"vjp": lambda g, y: g}, "vjp is called as vjp(g, y, *args, **settings), but its signature is (g, y)"),
        ({"vjp": (None, lambda g: g)}, "vjp[1] is called as vjp[1](g, y, *args, **settings), but its signature is (g)"),
        ({"jvp": lambda t, y: t}, "jvp is called as jvp(tangents, y, *args, **settings), but its signature is (t, y)"),
        ({"batch": lambda x: x}, "batch is called as batch(args, batched, **settings), but its signature is (x)"),
    ],
)
def test_a_rule_that_takes_too_few_arguments(rules: dict[str, Any], message: str) -> None:
    fails(TypeError, f"primitive 'layer': {message}", lambda: tg.primitive(layer, **rules))


@pytest.mark.parametrize(
    "rules",
    [
        {"vjp": lambda g, y, x, n: g, "batch": lambda args, batched, n: args[0]},
        {"vjp": lambda *args, n: args[0], "batch": lambda args, batched, *, n: args[0]},
        {"jvp": max, "batch": print},
    ],
)
def test_rules_may_take_settings_in_any_way(rules: dict[str, Any]) -> None:
    tg.primitive(layer, **rules)
