"""Traced values behave as the arrays they stand for, on every way into the library, or say why they cannot."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.core.var import Var
from tapegrad.errors import ConcretizationError, MissingRuleError
from tapegrad.testing import assert_trees_close

A = np.array([[0.5, -1.5, 2.0], [1.0, 3.0, -0.25]])
B = np.array([[1.5, 0.5, 2.0], [2.0, 1.0, 0.75]])


def traced(f: Callable[..., Any], *args: Any) -> tuple[Any, Any]:
    """Return what `f` gives on traced values, and its gradient (of the sum)."""
    kept: list[Any] = []

    def g(*xs: Any) -> Any:
        y = f(*xs)
        kept.append(y.value if type(y) is Var else y)
        return np.sum(np.asarray(y) if type(y) is not Var else y) * 1.0

    gradient = tg.grad(g, tuple(range(len(args))))(*args)
    return kept[0], gradient


# Operators

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("other", [B, 2.0, 3, np.float32(1.5), np.array(2), B.tolist(), True], ids=lambda x: type(x).__name__)
def test_binary_operators_compute_what_numpy_computes(op: Callable[[Any, Any], Any], other: Any) -> None:
    x = np.abs(A)
    for f, expected in ((lambda x: op(x, other), op(x, other)), (lambda x: op(other, x), op(other, x))):
        value, _ = traced(f, x)
        assert np.array_equal(value, expected) and value.dtype == expected.dtype


@pytest.mark.parametrize("op", BINARY)
def test_both_operands_may_be_traced(op: Callable[[Any, Any], Any]) -> None:
    value, _ = traced(op, np.abs(A), B)
    assert np.array_equal(value, op(np.abs(A), B))


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul])
def test_operators_and_ufuncs_have_the_same_gradient(op: Callable[[Any, Any], Any]) -> None:
    x, y = np.abs(A[:, :2]), B[:, :2]
    ufunc = {operator.truediv: np.divide, operator.sub: np.subtract, operator.mul: np.multiply, operator.pow: np.power}.get(
        op, getattr(np, op.__name__, None)
    )
    assert_trees_close(traced(op, x, y)[1], traced(ufunc, x, y)[1])  # type: ignore[arg-type]  # each has one
    assert_trees_close(traced(lambda a: op(a, y), x)[1], traced(op, x, y)[1][:1])
    assert_trees_close(traced(lambda b: op(x, b), y)[1], traced(op, x, y)[1][1:])


@pytest.mark.parametrize("op", [operator.neg, operator.pos, abs])
def test_unary_operators(op: Callable[[Any], Any]) -> None:
    value, (gradient,) = traced(op, A)
    assert np.array_equal(value, op(A))
    assert np.array_equal(gradient, {operator.neg: -np.ones_like(A), operator.pos: np.ones_like(A), abs: np.sign(A)}[op])


def test_divmod() -> None:
    def f(x: Any) -> Any:
        quotient, remainder = divmod(x, 0.4)
        return quotient + remainder

    assert np.array_equal(traced(f, A)[0], sum(divmod(A, 0.4)))


def test_augmented_assignment_makes_a_new_value() -> None:
    def f(x: Any) -> Any:
        y = x
        y += 1.0
        y *= x
        y -= 2.0 * x
        y /= 2.0
        return y

    value, (gradient,) = traced(f, A)
    assert np.allclose(value, (A * A - A) / 2) and np.allclose(gradient, A - 0.5)


def test_an_array_that_is_added_to_is_not_changed() -> None:
    start = np.zeros_like(A)

    def f(x: Any) -> Any:
        total = start
        total = total + x
        total += x
        return total

    assert np.array_equal(traced(f, A)[1][0], np.full_like(A, 2.0))
    assert np.array_equal(start, np.zeros_like(A))


# Methods and attributes

METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "sum axis": lambda x: x.sum(axis=1, keepdims=True),
    "sum positional": lambda x: x.sum(0),
    "mean": lambda x: x.mean(-1),
    "prod": lambda x: x.prod(axis=0),
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(axis=(0, 1)),
    "var": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: x.std(),
    "ptp": lambda x: np.ptp(x, axis=0),
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(axis=0),
    "dot": lambda x: x.dot(B.T),
    "clip": lambda x: x.clip(-1.0, 1.0),
    "clip keywords": lambda x: x.clip(min=-1.0),
    "round": lambda x: x.round(1) + x,
    "conj": lambda x: x.conj(),
    "conjugate": lambda x: x.conjugate(),
    "reshape": lambda x: x.reshape(3, 2),
    "reshape tuple": lambda x: x.reshape((-1,)),
    "reshape one": lambda x: x.reshape(6),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "squeeze": lambda x: x[None].squeeze(0),
    "transpose": lambda x: x.transpose(),
    "transpose axes": lambda x: x[None].transpose(2, 0, 1),
    "transpose tuple": lambda x: x[None].transpose((2, 0, 1)),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "diagonal": lambda x: x.diagonal(1),
    "trace": lambda x: x.trace(),
    "repeat": lambda x: x.repeat(2, axis=0),
    "take": lambda x: x.take([0, 2, 2], axis=1),
    "compress": lambda x: x.compress([True, False, True], axis=1),
    "choose": lambda x: np.choose([0, 1, 1], [x[0], x[1]]),
    "copy": lambda x: x.copy(),
    "astype": lambda x: x.astype(np.float32),
    "all": lambda x: x.all(axis=0),
    "any": lambda x: x.any(),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(),
    "argsort": lambda x: x.argsort(axis=0),
    "nonzero": lambda x: x.nonzero()[1],
    "index": lambda x: x[1],
    "index pair": lambda x: x[1, -1],
    "slice": lambda x: x[:, ::2],
    "mask": lambda x: x[x > 0],
    "mask by rows": lambda x: x[np.array([True, False])],
    "integers": lambda x: x[:, [0, 0, 2]],
    "new axis": lambda x: x[..., None, 1],
    "flat": lambda x: np.stack(list(x.flat)) if type(x) is Var else np.array(list(x.flat)),
    "rows": lambda x: np.stack([row * 2.0 for row in x]),
    "unpacking": lambda x: (lambda a, b: a * b)(*x),
    "reversed": lambda x: np.stack(list(reversed(x))),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_methods_compute_what_numpy_computes(method: Callable[[Any], Any]) -> None:
    expected = method(A)
    value, _ = traced(method, A)
    assert np.array_equal(value, expected), (value, expected)
    assert np.asarray(value).dtype == np.asarray(expected).dtype


def test_attributes_are_those_of_the_array() -> None:
    def f(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, x.dtype, x.nbytes, x.itemsize, len(x)) == ((2, 3), 2, 6, np.float64, 48, 8, 2)
        assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6 and np.size(x, 1) == 3
        assert np.result_type(x.dtype, np.float32) == np.float64
        return x.sum()

    tg.grad(f)(A)


def test_membership_and_truth_look_at_values() -> None:
    def f(x: Any) -> Any:
        assert 2.0 in x[0]
        assert 7.0 not in x[0]
        assert bool(x[0, 0] > 0) and not x[0, 1] > 0
        return x.sum() if np.all(x[0, 0] == 0.5) else x.sum() * 0.0

    assert np.array_equal(tg.grad(f)(A), np.ones_like(A))


def test_integers_from_traced_values_may_count_and_index() -> None:
    def f(x: Any) -> Any:
        i = np.argmax(x[0])
        return x[1, i] + sum(x[0, k] for k in range(int(x[1, 0]) + 1))

    assert tg.grad(f)(A).tolist() == [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_comparisons_are_plain_arrays() -> None:
    def f(x: Any) -> Any:
        for mask in (x > 0, x <= 1.0, x == x, x != 0, np.greater(x, 0), np.isfinite(x), np.sign(x), np.floor(x)):
            assert type(mask) is not Var
        return x.sum()

    tg.grad(f)(A)


def test_a_traced_value_shows_its_value() -> None:
    seen: list[str] = []

    def f(x: Any) -> Any:
        seen.extend([repr(x), str(x * 2.0), f"{x * 2.0:.3f}"])
        return x * 2.0

    tg.grad(f)(1.5)
    assert seen == ["Var(%0, 1.5)", "Var(%1, 3.0)", "3.000"]


def test_a_traced_value_is_not_hashable_as_an_array_is_not() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        tg.grad(lambda x: 1.0 if x in {1.0} else 2.0)(1.0)


def test_iteration_over_a_scalar_is_numpys_error() -> None:
    with pytest.raises(TypeError, match="iteration over a 0-d array"):
        tg.grad(lambda x: sum(x))(np.array(1.0))
    with pytest.raises(TypeError, match="unsized object"):
        tg.grad(lambda x: x * len(x))(np.array(1.0))


def test_numpys_own_errors_come_through() -> None:
    with pytest.raises(ValueError, match="could not be broadcast together with shapes"):
        tg.grad(lambda x: np.sum(x + np.ones(7)))(A)
    with pytest.raises(IndexError, match="out of bounds"):
        tg.grad(lambda x: x[5, 0])(A)
    with pytest.raises(ValueError, match="cannot reshape"):
        tg.grad(lambda x: x.reshape(5).sum())(A)
    assert tg.grad(lambda x: x.sum())(A).tolist() == np.ones_like(A).tolist()


# What would lose the derivative

LOST: dict[str, Callable[[Any], Any]] = {
    "float(x)": float,
    "complex(x)": complex,
    "x.item()": lambda x: x.item(),
    "x.tolist()": lambda x: x.tolist(),
    "np.asarray(x)": np.asarray,
}


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST.keys())
def test_what_would_lose_the_derivative_says_what_to_write(lose: Callable[[Any], Any]) -> None:
    with pytest.raises(ConcretizationError) as caught:
        tg.grad(lambda x: lose(x) * 1.0)(np.float32(2.0))
    message = str(caught.value)
    assert "shape () and dtype float32" in message
    assert "would lose the derivative" in message and "tapegrad.stop_gradient(x)" in message
    assert "test_var.py:" in message, "the user's own line is named"
    assert isinstance(caught.value, TypeError)


def test_math_functions_say_what_to_write() -> None:
    import math

    with pytest.raises(ConcretizationError, match=r"functions of tapegrad\.numpy"):
        tg.grad(math.sin)(1.0)


def test_stop_gradient_gives_the_plain_value() -> None:
    def f(x: Any) -> Any:
        plain = tg.stop_gradient(x)
        assert type(plain) is float
        return x * float(plain)

    assert tg.grad(f)(3.0) == 3.0


@pytest.mark.parametrize("assign", [lambda x: operator.setitem(x, 0, 1.0), lambda x: operator.setitem(x, slice(None), x)])
def test_assignment_says_what_to_write(assign: Callable[[Any], Any]) -> None:
    with pytest.raises(
        TypeError, match=r"written to a traced value of shape \(2, 3\) at .*test_var\.py:\d+, in .*tapegrad\.numpy\.copy"
    ):
        tg.grad(assign)(A)


def test_a_plain_array_does_not_take_traced_values() -> None:
    def f(x: Any) -> Any:
        buffer = np.zeros(3)
        buffer[0] = x[0, 0]
        return buffer.sum()

    with pytest.raises(ConcretizationError, match=r"test_var\.py:"):  # ours, which NumPy hides behind one of its own
        tg.grad(f)(A)


def test_unknown_attributes_are_named() -> None:
    with pytest.raises(AttributeError, match="a traced array has no attribute 'wheight'"):
        tg.grad(lambda x: x.wheight)(A)
    with pytest.raises(AttributeError, match=r"'newbyteorder'|'byteswap'.* attribute of ndarray that has no derivative rule"):
        tg.grad(lambda x: x.byteswap())(A)


def test_a_function_without_rule_is_named() -> None:
    with pytest.raises(MissingRuleError) as caught:
        tg.grad(lambda x: np.packbits(x).sum())(A)
    message = str(caught.value)
    assert "numpy.packbits was called on a traced value" in message and "test_var.py:" in message
    assert "tapegrad.numpy" in message and "tapegrad.stop_gradient(x)" in message


NO_NUMBERS = {
    "a str, 'text',": "text",
    "None": None,
    "a dict, {'a': 1},": {"a": 1},
    "a set, {1},": {1},
    "an object": object(),
    "a ufunc": np.sin,
    "an array of dtype <U1": np.array(["a"]),
    "an array of dtype object": np.array([None]),
    "an array of dtype datetime64[D]": np.array(["2020-01-01"], "M8[D]"),
}
WITH_NO_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "'multiply' was given {} as input 1": lambda x, other: x * other,
    "'subtract' was given {} as input 0": lambda x, other: other - x,
    "'arctan2' was given {} as input 1": lambda x, other: np.arctan2(x, other),
    "'maximum' was given {} as input 1": lambda x, other: np.maximum(x, other),
    "'power' was given {} as input 1": lambda x, other: tg.numpy.power(x, other),
    "'concatenate' was given {} as input 1": lambda x, other: np.concatenate([x[0], other]),
    "'stack' was given {} as input 1": lambda x, other: np.stack([x, other]),
    "'solve' was given {} as input 1": lambda x, other: np.linalg.solve(x[:, :2], other),
}


@pytest.mark.parametrize("other", NO_NUMBERS)
@pytest.mark.parametrize("words", WITH_NO_NUMBERS)
def test_what_is_no_number_is_named_with_the_operation_and_the_place(words: str, other: str) -> None:
    with pytest.raises(TypeError, match=r"expected an array of numbers, or a number$") as caught:
        tg.grad(lambda x: np.sum(WITH_NO_NUMBERS[words](x, NO_NUMBERS[other])))(A)
    message = str(caught.value)
    assert words.format(other) in message and "test_var.py:" in message


def test_text_is_equal_to_no_number_as_in_numpy() -> None:
    def f(x: Any) -> Any:
        for other in ("a", None, np.array(["a"])):
            np.testing.assert_array_equal(x == other, np.zeros(A.shape, bool))
            np.testing.assert_array_equal(x != other, np.ones(A.shape, bool))
        return x.sum()

    tg.grad(f)(A)


def test_foreign_objects_may_answer_themselves() -> None:
    class Greedy:
        __array_ufunc__ = None

        def __rmul__(self, other: Any) -> Any:
            return other[0, 0] * 5.0

    assert tg.grad(lambda x: x * Greedy())(A)[0, 0] == 5.0


# Lists of traced values

GRADIENTS: list[Callable[..., Any]] = [
    tg.grad,
    lambda f: tg.jit(tg.grad(f)),
    tg.jacfwd,
    lambda f: lambda x: tg.vmap(tg.grad(f))(x[None])[0],
]


@pytest.mark.parametrize("transform", GRADIENTS)
@pytest.mark.parametrize("op", [*BINARY, operator.matmul, np.maximum, np.logaddexp, lambda x, y: np.where(A[0] > 0.0, x, y)])
def test_a_list_of_traced_values_beside_a_traced_array_has_its_derivative(transform: Any, op: Callable[..., Any]) -> None:
    def total(x: Any, make: Callable[[Any], Any]) -> Any:
        y = make([x[0], x[1] * 2.0, x[2]])
        return np.sum(op(x, y) * 1.0) + 2.0 * np.sum(op(y, x) * 1.0) + x[0]

    x = np.array([0.7, 1.3, 2.1])
    found, again, expected = (transform(lambda x, make=make: total(x, make))(x) for make in (list, tuple, np.stack))
    assert found.tolist() == again.tolist() == expected.tolist()


def test_a_product_of_a_list_of_traced_values_and_a_plain_array() -> None:
    a = np.array([0.7, 1.3])
    assert tg.grad(lambda x: tnp.matmul([x[0], x[1] * 2.0], a))(a.copy()).tolist() == [0.7, 2.6]


@pytest.mark.parametrize(("name", "way"), [("detach", "stop_gradient"), ("unsqueeze", r"x\[:, None\]"), ("view", "reshape")])
def test_methods_of_other_libraries_say_what_is_written_here(name: str, way: str) -> None:
    with pytest.raises(AttributeError, match=f"a traced array has no attribute '{name}'. Write .*{way}"):
        tg.grad(lambda x: getattr(x, name)())(1.0)
