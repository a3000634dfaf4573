"""The tester is tested: a rule that is wrong by a thousandth fails, in the mode and at the order where it is wrong."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad.core.families import elementwise
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply, unary
from tapegrad.testing import assert_trees_close, check_grads
from tapegrad.typing import Array

Function = Callable[[Any], Any]


def sine(pull: float = 1.0, push: float = 1.0, second: float = 1.0, third: float = 1.0) -> Function:
    """Return a sine whose rules are off by a factor: in one mode, or in the derivative of the derivative, or in its."""
    minus_sin = elementwise("test_minus_sin", lambda x: -np.sin(x), lambda g, y, x: third * g * -np.cos(x))
    cos = elementwise("test_cos", np.cos, lambda g, y, x: second * g * unary(minus_sin, x))
    sin = Primitive(
        name="test_sin",
        fn=np.sin,
        pulls=(lambda g, y, x: pull * g * unary(cos, x),),
        push=lambda tangents, y, x: push * tangents[0] * unary(cos, x),
    )
    return lambda x: unary(sin, x)


X = np.array([0.3, -1.1, 2.0])


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_rules_pass(modes: tuple[str, ...], order: int) -> None:
    check_grads(sine(), (X,), order, modes)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("factor", [1.001, 0.999, 2.0, -1.0, 0.0, np.nan])
@pytest.mark.parametrize(("mode", "other"), [("fwd", "rev"), ("rev", "fwd")])
def test_a_wrong_rule_fails_in_its_mode(mode: str, other: str, factor: float) -> None:
    f = sine(push=factor) if mode == "fwd" else sine(pull=factor)
    with pytest.raises(AssertionError, match=f"order 1, {mode}: the derivative of the output.* by x, "):
        check_grads(f, (X,), 1, (mode,))
    check_grads(f, (X,), 1, (other,))


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("factor", [1.001, 0.999])
@pytest.mark.parametrize("first", ["fwd", "rev"])
@pytest.mark.parametrize("second", ["fwd", "rev"])
def test_a_wrong_second_derivative_fails_at_order_two(first: str, second: str, factor: float) -> None:
    f = sine(second=factor)
    check_grads(f, (X,), 1, {first, second})  # type: ignore[arg-type]  # a set will do
    derivative: Function = (
        (lambda x: tg.jvp(f, (x,), (np.ones(3),))[1]) if first == "fwd" else lambda x: tg.vjp(f, x)[1](np.ones(3))[0]
    )
    with pytest.raises(AssertionError, match=f"order 1, {second}"):
        check_grads(derivative, (X,), 1, (second,))
    if first == second:
        with pytest.raises(AssertionError, match=f"order 2, {second} of {first}: the derivative of the .*tangent of "):
            check_grads(f, (X,), 2, (first,))


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_a_wrong_third_derivative_fails_at_order_three(mode: str) -> None:
    f = sine(third=1.001)
    check_grads(f, (X,), 2, (mode,))
    with pytest.raises(AssertionError, match=f"order 3, {mode} of {mode} of {mode}"):
        check_grads(f, (X,), 3, (mode,))


@pytest.mark.usefixtures("temporary")
def test_one_wrong_element_among_many_fails() -> None:
    factor = np.ones(50)
    factor[17] = 1.001
    f = elementwise("test_scaled", lambda x: x * 1.0, lambda g, y, x: g * factor)
    for mode in ("fwd", "rev"):
        with pytest.raises(AssertionError, match=r"the output\[17\]" if mode == "fwd" else "the output"):
            check_grads(lambda x: unary(f, x), (np.linspace(0.5, 1.0, 50),), 1, (mode,))


class Pair(NamedTuple):
    left: Any
    right: Any


@frozen
class Params:
    weight: Array
    more: Any


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_the_message_names_the_leaves(mode: str) -> None:
    good, bad = sine(), apply_scaled(1.01)

    def f(params: Params, x: Any) -> Any:
        return {"a": good(x) * params.weight, "b": Pair(x, bad(params.more[1]))}

    args = (Params(np.array(0.5), [np.array(1.0), np.array(2.0)]), np.array(0.3))
    with pytest.raises(AssertionError, match=re.escape("by params.more[1], ") if mode == "rev" else "params.more") as caught:
        check_grads(f, args, 1, (mode,))
    assert "the output['b'].right" in str(caught.value)
    numbers = [float(x) for x in re.findall(r"-?\d+\.\d+", str(caught.value))]
    assert len(numbers) == 2 and numbers[0] == pytest.approx(1.01 * numbers[1])


def apply_scaled(factor: float) -> Function:
    scaled = elementwise("test_scaled", lambda x: x * 3.0, lambda g, y, x: 3.0 * factor * g)
    return lambda x: apply(scaled, x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128])
def test_every_floating_dtype_passes(dtype: type) -> None:
    x: Array = (np.array([0.5, -1.2, 0.8]) * (1.0 + 0.5j if np.dtype(dtype).kind == "c" else 1.0)).astype(dtype)
    check_grads(lambda x: x * x * x - x / (x + 3.0), (x,), 2)


def test_complex_derivatives_are_checked_in_both_parts() -> None:
    check_grads(lambda z: z * z.conj(), (np.array([0.5 + 1j, -1.0 + 0.2j]),), 2)
    check_grads(lambda z: (z * 2j).real + z.imag, (np.array(0.5 + 1j),), 2)


def test_python_floats_mixed_dtypes_and_constants_pass() -> None:
    def f(scale: Any, tree: Any) -> Any:
        return tree["x"] * scale, tree["y"] - 1.0, 3.0, np.arange(3), tree["none"]

    check_grads(f, (2.0, {"x": np.ones(2, np.float32), "y": np.zeros((0, 2)), "none": None}), 2)


def test_a_value_that_changes_under_a_transform_fails() -> None:
    def f(x: Any) -> Any:
        return x * (2.0 if type(x) is float else 1.0)

    with pytest.raises(AssertionError, match="the output under the transform is"):
        check_grads(f, (1.5,), 1)


def test_leaves_without_derivative_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"params\['n'\] has dtype int64"):
        check_grads(lambda params: params["x"], ({"x": np.ones(2), "n": np.arange(3)},))


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="modes are 'fwd' and 'rev'"):
        check_grads(np.sin, (1.0,), modes=("forward",))


def test_a_check_of_nothing_is_refused() -> None:
    for modes in ((), "fwd"):
        with pytest.raises(ValueError, match="modes are 'fwd' and 'rev', a tuple of one or both, got"):
            check_grads(np.sin, (1.0,), modes=modes)
    for nothing in (lambda x: None, lambda x: np.argmax(x)):
        with pytest.raises(TypeError, match="returns no floating-point number that could be checked"):
            check_grads(nothing, (np.ones(2),))
    for eps in (0.0, -1e-3, "1"):
        with pytest.raises(ValueError, match="eps must be a number greater than 0"):
            check_grads(np.sin, (1.0,), eps=eps)  # type: ignore[arg-type]  # a mistake


def test_other_arguments_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"args must be a tuple of the arguments, got an array of shape \(3,\)"):
        check_grads(np.sin, np.ones(3))  # type: ignore[arg-type]  # a mistake
    for order in (0, -1, "2", 1.0):
        with pytest.raises(ValueError, match="order must be an integer of 1 or more"):
            check_grads(np.sin, (1.0,), order=order)  # type: ignore[arg-type]  # a mistake


def test_a_wrong_tolerance_lets_a_wrong_rule_pass() -> None:
    def f(x: Any) -> Any:
        return x * 3.0 + tg.stop_gradient(x) * 0.003

    with pytest.raises(AssertionError):
        check_grads(f, (2.0,), 1)
    check_grads(f, (2.0,), 1, rtol=1e-2)
    check_grads(f, (2.0,), 1, atol=1e-1)


def test_a_large_step_shows_in_the_differences() -> None:
    with pytest.raises(AssertionError):
        check_grads(lambda x: x**3, (2.0,), 1, eps=0.1)


# Trees


def test_trees_that_are_close_pass() -> None:
    assert_trees_close({"a": (1.0, None, [np.ones(2)])}, {"a": (1.0 + 1e-9, None, [np.ones(2, np.float32)])})
    assert_trees_close(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]))
    assert_trees_close(np.zeros((0, 2)), np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.1]}, "at ['a'][1]: 2.0, expected 2.1"),
        (Params(np.array([[1.0, 5.0]]), ()), Params(np.array([[1.0, 4.0]]), ()), "at .weight[0, 1]: 5.0, expected 4.0"),
        (Params(np.ones(2), ()), Params(np.ones(3), ()), "at .weight: shape (2,), expected (3,)"),
        ([np.array([1.0, np.nan])], [np.array([9.0, 2.0])], "at [0][1]: nan, expected 2.0"),
        (1.0, 2.0, "at the root: 1.0, expected 2.0"),
        ({"a": 1.0}, {"b": 1.0}, "the trees differ at the root"),
        ([(1.0,)], [[1.0]], "the trees differ at [0]"),
    ],
)
def test_trees_that_differ_fail_with_the_path(actual: Any, expected: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        assert_trees_close(actual, expected)


def test_tolerances_of_trees_count() -> None:
    assert_trees_close([100.0], [101.0], rtol=0.1)
    assert_trees_close([0.0], [0.5], rtol=0.0, atol=0.6)
    with pytest.raises(AssertionError):
        assert_trees_close([0.0], [0.5], rtol=0.9, atol=0.0)
