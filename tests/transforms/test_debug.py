"""`tg.debug`: where the first NaN or infinity appeared, and arrays that must not change."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad import debug


@frozen
class Layer:
    weight: Any
    bias: Any


@frozen
class Params:
    layers: list[Layer]


PARAMS = Params([Layer(np.ones(2), np.zeros(2)), Layer(np.array([0.0, 4.0]), np.zeros(2))])


def found(call: Callable[[], Any]) -> str:
    """Return the message of the error that nan_check raises, without warnings, and check that the library goes on."""
    with pytest.raises(FloatingPointError) as caught, debug.nan_check(), np.errstate(all="ignore"):
        call()
    assert tg.grad(lambda x: x * x)(3.0) == 6.0
    return str(caught.value)


def line_of(f: Callable[..., Any]) -> str:
    return f"test_debug.py:{f.__code__.co_firstlineno}, in {f.__name__}"


# nan_check, the values


@pytest.mark.parametrize(("bad", "what"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_an_argument_is_named_by_its_path(bad: float, what: str) -> None:
    params = Params([Layer(np.ones(2), np.zeros(2)), Layer(np.array([0.0, bad]), 1.0)])
    message = found(lambda: tg.grad(lambda params: np.sum(params.layers[1].weight))(params))
    assert message == f"nan_check: the argument params.layers[1].weight holds {what}"


def test_an_operation_is_named_with_its_line_and_its_arguments() -> None:
    f = lambda params: np.sum(np.log(params.layers[1].weight - 1.0))
    message = found(lambda: tg.grad(f)(PARAMS))
    assert message.startswith("nan_check: 'log' gave NaN at ")
    assert line_of(f) in message
    assert "its arguments were %4 float64[2] from -1.0 to 3.0" in message
    assert message.endswith("; it was computed from the argument params.layers[1].weight")


def test_an_argument_of_an_operation_is_named_by_its_path() -> None:
    message = found(lambda: tg.grad(lambda params: np.sum(1.0 / params.layers[1].weight))(PARAMS))
    assert message.startswith("nan_check: 'divide' gave infinity at ")
    assert "its arguments were 1.0, params.layers[1].weight float64[2] from 0.0 to 4.0" in message


TRANSFORMS: dict[str, Callable[[Callable[..., Any], Any], Any]] = {
    "grad": lambda f, x: tg.grad(f)(x),
    "vjp": lambda f, x: tg.vjp(f, x),
    "jvp": lambda f, x: tg.jvp(f, (x,), (x,)),
    "linearize": lambda f, x: tg.linearize(f, x),
    "hessian": lambda f, x: tg.hessian(f)(x),
    "jacfwd": lambda f, x: tg.jacfwd(f)(x),
    "vmap": lambda f, x: tg.vmap(f)(np.array([1.0, x])),
    "vmap of grad": lambda f, x: tg.vmap(tg.grad(f))(np.array([1.0, x])),
    "checkpoint": lambda f, x: tg.grad(tg.checkpoint(f))(x),
    "scan": lambda f, x: tg.grad(lambda x: tg.scan(lambda c, a: (f(c), a), x, np.ones(2))[0])(x),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_value_is_found_under_every_transform(name: str) -> None:
    def f(x: Any) -> Any:
        return np.log(x) ** 2

    message = found(lambda: TRANSFORMS[name](f, -2.0))
    assert "'log' gave NaN" in message
    assert re.search(r"at .*test_debug\.py:\d+, in f", message)


def test_a_later_turn_of_a_loop_is_found() -> None:
    message = found(lambda: tg.grad(lambda x: tg.scan(lambda c, a: (np.log(c), a), x, np.ones(3))[0])(1.0))
    assert message.startswith("nan_check: 'scan' gave ")


# nan_check, the derivatives


def test_a_cotangent_is_found_on_its_way_to_the_argument() -> None:
    f = lambda params: np.sum(np.sqrt(params.layers[1].weight))
    message = found(lambda: tg.grad(f)(PARAMS))
    assert message.startswith("nan_check: the reverse rule of 'sqrt' (input 0) gave infinity, on its way to the argument ")
    assert "on its way to the argument params.layers[1].weight; the operation was recorded at" in message
    assert line_of(f) in message


def test_a_cotangent_is_found_in_the_middle() -> None:
    message = found(lambda: tg.grad(lambda params: np.sqrt(params.layers[1].weight[0] * 2.0))(PARAMS))
    assert "the reverse rule of 'sqrt' (input 0) gave infinity; the operation was recorded at" in message
    assert message.endswith("; it was computed from the argument params.layers[1].weight")


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: tg.jvp(f, (0.0,), (1.0,)),
        lambda f: tg.linearize(f, 0.0)[1](1.0),
        lambda f: tg.jacfwd(f)(np.zeros(1)),
    ],
)
def test_a_tangent_is_found(transform: Callable[..., Any]) -> None:
    assert re.search(r"'sqrt'.* gave infinity.*test_debug\.py", found(lambda: transform(lambda x: np.sqrt(x))))


def test_a_second_derivative_is_found() -> None:
    f = lambda x: x**1.5
    for message in (found(lambda: tg.grad(tg.grad(f))(0.0)), found(lambda: tg.jvp(tg.grad(f), (0.0,), (1.0,)))):
        assert "'power'" in message and "gave infinity" in message


def test_what_is_fine_passes() -> None:
    x = np.array([0.0, 4.0])
    with debug.nan_check():
        assert tg.grad(lambda x: np.sum(x * x))(x).tolist() == [0.0, 8.0]
        assert tg.vmap(tg.grad(lambda x: x * x))(x).tolist() == [0.0, 8.0]
        assert tg.hessian(lambda x: np.sum(x**3))(x).tolist() == [[0.0, 0.0], [0.0, 24.0]]


def test_a_branch_that_was_not_taken_is_fine() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    x = np.array([0.0, 4.0])
    with debug.nan_check():
        assert tg.grad(f)(x).tolist() == [0.0, 0.25]
        assert tg.vmap(tg.grad(f))(x[:, None]).tolist() == [[0.0], [0.25]]


def test_nothing_is_checked_outside() -> None:
    with debug.nan_check():
        pass
    with np.errstate(all="ignore"):
        assert np.isnan(tg.grad(lambda x: np.log(x) * np.nan)(2.0))


# freeze_inputs


def test_a_constant_cannot_change_while_the_tape_needs_it() -> None:
    noise = np.ones(3)

    def f(x: Any) -> Any:
        y = (x * noise).sum()
        noise[0] = 5.0
        return y

    with debug.freeze_inputs(), pytest.raises(ValueError, match="read-only"):
        tg.grad(f)(np.ones(3))
    noise[0] = 5.0  # writable again
    assert tg.grad(f)(np.ones(3)).tolist() == [5.0, 1.0, 1.0]


def test_an_argument_cannot_change_either_nor_through_a_view() -> None:
    whole = np.ones((2, 3))
    x = whole[0]

    def f(x_: Any) -> Any:
        y = (x_ * x_).sum()
        whole[0, 0] = 7.0
        return y

    with debug.freeze_inputs(), pytest.raises(ValueError, match="read-only"):
        tg.grad(f)(x)
    assert whole.flags.writeable and x.flags.writeable


def test_arrays_stay_frozen_as_long_as_a_pull_needs_them() -> None:
    noise = np.ones(3)
    with debug.freeze_inputs():
        _, pull = tg.vjp(lambda x: (x * noise).sum(), np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        noise[0] = 5.0
    assert pull(1.0)[0].tolist() == [1.0, 1.0, 1.0]
    del pull
    noise[0] = 5.0


def test_what_was_read_only_stays_read_only() -> None:
    fixed = np.ones(3)
    fixed.flags.writeable = False
    with debug.freeze_inputs():
        tg.grad(lambda x: (x * fixed).sum())(np.ones(3))
    assert not fixed.flags.writeable


def test_both_together() -> None:
    noise = np.ones(3)
    with debug.freeze_inputs(), debug.nan_check(), np.errstate(all="ignore"):
        with pytest.raises(FloatingPointError, match="'log' gave infinity"):
            tg.grad(lambda x: np.sum(np.log(x * noise)))(np.zeros(3))
        noise[0] = 2.0
        assert tg.grad(lambda x: np.sum(x * noise))(np.zeros(3)).tolist() == [2.0, 1.0, 1.0]


def place() -> str:
    return r"at .*test_debug\.py:\d+, in <lambda>"


@pytest.mark.parametrize("second", [1.0, 0.0])
def test_a_derivative_of_a_later_example_is_found(second: float) -> None:
    """Rules are recorded with the first example, which is fine: the others come when the batch is computed."""
    xs = np.array([4.0, 1.0, second])
    for slope in (tg.grad(np.sqrt), lambda x: tg.jvp(lambda y: np.sqrt(y), (x,), (1.0,))[1], tg.grad(lambda x: np.sqrt(x))):
        with tg.debug.nan_check():
            if second:
                assert np.allclose(tg.vmap(slope)(xs), 0.5 / np.sqrt(xs))
                continue
            with pytest.raises(
                FloatingPointError, match=r"the (reverse|forward) rule of 'sqrt'.* gave infinity.*recorded at .*py:\d+"
            ):
                tg.vmap(slope)(xs)


def test_a_value_in_a_compiled_function_is_found() -> None:
    compiled = tg.jit(lambda params, *, k: {"y": np.log(params["w"]) * k, "k": k})
    with tg.debug.nan_check(), np.errstate(all="ignore"):
        fine = compiled({"w": np.ones(2)}, k=2)
        assert type(fine["y"]) is np.ndarray and fine["k"] == 2
        with pytest.raises(FloatingPointError, match=rf"'log' gave infinity {place()}; its arguments were params\['w'\]"):
            compiled({"w": np.zeros(2)}, k=2)


def test_arguments_are_named_in_batches_and_for_rules_of_the_users() -> None:
    def f(p: Any) -> Any:
        return p["a"]

    ruled = tg.custom_vjp(f)
    ruled.defvjp(lambda p: (p["a"], None), lambda kept, g: ({"a": g * np.nan},))
    zero = {"a": np.zeros(2)}
    assert "arguments were p['a'] = 0.0" in found(lambda: tg.vmap(lambda p: np.log(p["a"]))(zero))
    assert "the reverse rule of 'custom_vjp' of f (input 0) gave NaN, on its way to the argument p['a']" in found(
        lambda: tg.grad(lambda p: ruled(p).sum())(zero)
    )
