"""Bad input gets an error that says what was expected, what came and what to do, and the library goes on."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad.core.families import constant, linear
from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import Primitive, missing, no_cotangent
from tapegrad.core.var import apply
from tapegrad.errors import MissingRuleError, RuleError, TapegradError


@frozen
class Layer:
    weight: Any
    heads: Any = 4


@frozen
class Params:
    layers: list[Layer]
    name: Any = 1.0


GOOD = np.ones((2, 2))

TRANSFORMS: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda f, x: tg.grad(f)(x),
    "value_and_grad": lambda f, x: tg.value_and_grad(f)(x),
    "vjp": lambda f, x: tg.vjp(f, x),
    "jvp": lambda f, x: tg.jvp(f, (x,), (x,)),
    "linearize": lambda f, x: tg.linearize(f, x),
    "record": lambda f, x: tg.record(f, x),
    "jacrev": lambda f, x: tg.jacrev(f)(x),
    "jacfwd": lambda f, x: tg.jacfwd(f)(x),
}
each_transform = pytest.mark.parametrize(("name", "transform"), TRANSFORMS.items(), ids=TRANSFORMS)


def loss(params: Any) -> Any:
    return np.sum(np.asarray([1.0]))


def raises(call: Callable[[], Any], error: type[Exception], *parts: str) -> Exception:
    """Check that a call raises, with every part in the message, and that the next gradient works."""
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value), (part, str(caught.value))
    assert CURRENT.get() is None
    assert tg.grad(lambda x: x * x)(3.0) == 6.0
    return caught.value


# What derivatives are taken by


@pytest.mark.parametrize(
    ("leaf", "what"),
    [
        (3, "type int"),
        (True, "type bool"),
        ("adam", "type str"),
        (np.arange(3), "dtype int64"),
        (np.int32(1), "dtype int32"),
        (np.array([True]), "dtype bool"),
        (np.array(["a"]), "dtype <U1"),
        (np.array([None]), "dtype object"),
        (np.array(["2020-01-01"], "datetime64[D]"), "dtype datetime64[D]"),
        (object(), "type object"),
        ({1.0}, "type set"),
        (lambda x: x, "type function"),
    ],
)
@each_transform
def test_a_leaf_without_derivative_is_named_by_path_and_dtype(
    name: str, transform: Callable[[Any, Any], Any], leaf: Any, what: str
) -> None:
    params = Params([Layer(GOOD, 1.0), Layer(GOOD, leaf)])
    message = f"{name} of loss: the leaf params.layers[1].heads has {what}, but derivatives are taken by real or complex"
    way = {"record": "by keyword", **dict.fromkeys(("vjp", "jvp", "linearize"), "ake it from the enclosing function")}
    raises(lambda: transform(loss, params), TypeError, message, way.get(name, "(see argnums)"), "tapegrad.tree.static()")


@each_transform
def test_the_first_bad_leaf_is_named(name: str, transform: Callable[[Any, Any], Any]) -> None:
    raises(lambda: transform(loss, Params([Layer(GOOD)], "x")), TypeError, "params.layers[0].heads has type int")
    raises(lambda: transform(loss, {"b": 1, "a": (2.0, [3])}), TypeError, "the leaf params['a'][1][0] has type int")
    raises(lambda: transform(loss, 3), TypeError, "the leaf params has type int")


def test_integers_are_told_to_convert() -> None:
    raises(lambda: tg.grad(loss)(np.arange(3)), TypeError, "Convert it with .astype(float)")
    raises(lambda: tg.grad(loss)(3), TypeError, "Write it as a float (3.0)")


def test_classes_are_told_to_become_pytrees() -> None:
    class Model:
        weight = 1.0

    raises(lambda: tg.grad(loss)(Model()), TypeError, "the leaf params has type Model", "tapegrad.tree.register")


def test_the_argument_is_named_as_its_function_names_it() -> None:
    def f(alpha: Any, *rest: Any, scale: float = 1.0) -> Any:
        return alpha

    raises(lambda: tg.grad(f, argnums=1)(1.0, {"k": 2}, 3.0), TypeError, "grad of f: the leaf rest[0]['k'] has type int")
    raises(lambda: tg.grad(f, argnums=(0, 2))(1.0, 2.0, 3), TypeError, "the leaf rest[1] has type int")


def test_integers_elsewhere_are_welcome() -> None:
    assert tg.grad(lambda x, n: x**n)(2.0, 3) == 12.0
    assert tg.grad(lambda p, x: x[p["n"]] * x[0], 1)({"n": 1}, np.array([2.0, 5.0])).tolist() == [5.0, 2.0]


# What a loss may return


@pytest.mark.parametrize(
    ("out", "parts"),
    [
        (lambda x: x, ["got an array of shape (3,)", "Reduce it (sum, mean)", "tapegrad.vjp", "tapegrad.jacrev"]),
        (lambda x: x[:1], ["got an array of shape (1,)"]),
        (lambda x: np.ones((2, 2)), ["got an array of shape (2, 2)"]),
        (lambda x: "text", ["got a str"]),
        (lambda x: None, ["got None (is a return missing?)"]),
        (lambda x: [x.sum()], ["got a list"]),
        (lambda x: (x.sum(), 1), ["got a tuple", "set has_aux=True if it is (loss, aux)"]),
        (lambda x: {"loss": x.sum()}, ["got a dict"]),
        (lambda x: 3, ["must return a real scalar of floating-point type, got dtype int64"]),
        (lambda x: np.argmax(x), ["got dtype int64"]),
        (lambda x: x.sum() > 0, ["got dtype bool"]),
        (lambda x: x.sum() * 1j, ["got dtype complex128", "real part or absolute value", "holomorphic=True"]),
        (lambda x: 1j, ["got dtype complex128"]),
    ],
)
@pytest.mark.parametrize("name", ["grad", "value_and_grad"])
def test_a_loss_is_a_real_scalar(name: str, out: Callable[[Any], Any], parts: list[str]) -> None:
    raises(
        lambda: TRANSFORMS[name](out, np.arange(3.0)), TypeError, f"{name} of <lambda>: the function must return a real", *parts
    )


def test_a_loss_of_an_inner_gradient_as_well() -> None:
    def f(x: Any) -> Any:
        return tg.grad(lambda y: y * np.ones(2))(x)

    raises(lambda: tg.grad(f)(1.0), TypeError, "got an array of shape (2,)")


@pytest.mark.parametrize("name", ("grad", "value_and_grad", "jacrev", "jacfwd", "jacobian", "vmap", "checkpoint"))
def test_arguments_in_the_place_of_the_function_are_noticed(name: str) -> None:
    raises(lambda: getattr(tg, name)(np.ones(3)), TypeError, f"{name}: expected a function, got an array of shape (3,)")


@pytest.mark.parametrize("name", ("vjp", "linearize", "record"))
def test_arguments_before_the_function_are_noticed(name: str) -> None:
    raises(lambda: getattr(tg, name)(np.ones(3), loss), TypeError, f"{name}: expected a function, got an array of shape (3,)")


def test_a_traced_value_is_called_an_array() -> None:
    raises(
        lambda: tg.grad(lambda x: x.sum(), has_aux=True)(GOOD), TypeError, "must return (output, aux), got an array of shape ()"
    )


def test_what_is_no_function() -> None:
    raises(lambda: tg.grad(3.0), TypeError, "grad: expected a function, got a float")  # type: ignore[call-overload]  # the mistake


def test_a_call_with_too_few_arguments_is_pythons_error() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * y

    error = raises(lambda: tg.grad(f)(1.0), TypeError, "missing 1 required positional argument: 'y'")  # type: ignore[call-arg]  # the mistake
    assert not isinstance(error, TapegradError)
    nothing: Any = lambda: 1.0
    call: Any = tg.grad(nothing)
    raises(call, TypeError, "argnums=0, but the function was called with 0 positional arguments")


# Rules


def test_a_missing_rule_names_operation_and_input_and_says_how_to_define_one(temporary: None) -> None:
    p = Primitive("test_half", lambda a, b: a * b, (lambda g, y, a, b: g * b, missing("test_half", 1)), missing("test_half"))
    assert tg.grad(lambda a: apply(p, a, 3.0))(2.0) == 3.0
    parts = ["the operation 'test_half' has no derivative rule for its input 1", "Define one where the primitive is defined"]
    raises(lambda: tg.grad(lambda b: apply(p, 2.0, b))(3.0), MissingRuleError, *parts, "tapegrad.stop_gradient")
    raises(lambda: tg.grad(tg.grad(lambda b: apply(p, 2.0, b)))(3.0), MissingRuleError, *parts)
    raises(
        lambda: tg.jvp(lambda a: apply(p, a, 3.0), (2.0,), (1.0,)),
        MissingRuleError,
        "the operation 'test_half' has no derivative rule for it",
        "push for forward mode",
    )
    assert issubclass(MissingRuleError, NotImplementedError)


@pytest.mark.parametrize("order", [1, 2])
def test_a_rule_of_the_wrong_shape_is_caught_always(temporary: None, order: int) -> None:
    p = linear("test_wrong", lambda x: x * 2.0, lambda g, y, x: np.sum(g))
    q = Primitive("test_push", lambda x: x * 2.0, (lambda g, y, x: g * 2.0,), lambda tangents, y, x: np.sum(tangents[0]))

    def f(x: Any) -> Any:
        return np.sum(apply(p, x))

    gradient = tg.grad(f) if order == 1 else tg.grad(lambda x: np.sum(tg.grad(f)(x)))
    message = "the rule of 'test_wrong' returned a cotangent of shape (), but its primal has shape (3,)"
    raises(lambda: gradient(np.ones(3)), RuleError, message)
    message = "the rule of 'test_push' returned a tangent of shape (), but its primal has shape (3,)"
    raises(lambda: tg.jvp(lambda x: apply(q, x), (np.ones(3),), (np.ones(3),)), RuleError, message)


def test_a_rule_of_another_dtype_is_cast_back(temporary: None) -> None:
    p = linear("test_wide", lambda x: x * 2, lambda g, y, x: g.astype(np.float64) * 2.0)
    gradient = tg.grad(lambda x: np.sum(apply(p, x)))(np.ones(3, np.float32))
    assert gradient.dtype == np.float32 and gradient.tolist() == [2.0, 2.0, 2.0]


def test_a_primitive_has_a_name_of_its_own(temporary: None) -> None:
    constant("test_once", np.floor)
    raises(lambda: constant("test_once", np.floor), ValueError, "a primitive named 'test_once' exists already")


def test_an_input_without_derivative_by_nature_is_silent(temporary: None) -> None:
    p = Primitive(
        "test_mask", lambda m, x: np.where(m, x, 0.0), (no_cotangent, lambda g, y, m, x: np.where(m, g, 0.0)), missing("x")
    )
    gradients = tg.grad(lambda m, x: np.sum(apply(p, m, x)), (0, 1))(np.array([1.0, 0.0]), np.array([5.0, 6.0]))
    assert [g.tolist() for g in gradients] == [[0.0, 0.0], [1.0, 0.0]]


# Messages name the user's own line


@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: float(x[0]),
        lambda x: np.asarray(x),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: np.packbits(x),
    ],
)
def test_the_line_that_made_the_mistake_is_named(mistake: Callable[[Any], Any]) -> None:
    line = mistake.__code__.co_firstlineno
    with pytest.raises((TypeError, NotImplementedError), match=re.escape(f"test_bad_input.py:{line}, in <lambda>")):
        tg.grad(lambda x: np.sum(mistake(x)))(np.ones(3))


class Metres(np.ndarray[Any, Any]):
    """A class of arrays with an arithmetic of its own."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return NotImplemented


@pytest.mark.parametrize(
    "name", ["grad", "value_and_grad", "vjp", "jvp", "linearize", "jacrev", "jacfwd", "hessian", "vmap", "jit"]
)
def test_arrays_with_an_arithmetic_of_their_own_are_refused(name: str) -> None:
    def f(p: Any) -> Any:
        return np.sum(p[0] * p[0])

    x = np.arange(3.0)
    masked = np.ma.masked_array(x, mask=[False, True, False])
    for wrong, what in (
        (masked, r"numpy\.ma(\.core)?\.MaskedArray, .*Pass x\.filled\(value\), or x\.data and x\.mask as two"),
        (x.reshape(1, 3).view(np.matrix), r"numpy(\.matrixlib\.defmatrix)?\.matrix, .*Pass numpy\.asarray\(x\)"),
        (x.view(Metres), r"Metres, .*Pass numpy\.asarray\(x\)"),
    ):
        given: Any = [wrong]
        with pytest.raises(TypeError, match=rf"{name}.* of f: the leaf p\[0\] is a .*{what}"):
            if name in ("vjp", "linearize"):
                getattr(tg, name)(f, given)
            elif name == "jvp":
                tg.jvp(f, (given,), (given,))
            else:
                getattr(tg, name)(f)(given)
    np.testing.assert_array_equal(tg.grad(f)([x.view(np.recarray)])[0], 2.0 * x)


@pytest.mark.parametrize("f", [lambda x: x * 1j, lambda x: 1j])
def test_a_complex_number_of_pythons_is_no_loss_either(f: Any) -> None:
    raises(lambda: tg.grad(f)(1.0), TypeError, "got dtype complex128. Take its real part or absolute value")


class Tensor:
    """An array of another library."""

    shape, dtype = (2,), "torch.float32"


def test_an_array_of_another_library_is_called_so() -> None:
    tensor: Any = Tensor()
    with pytest.raises(
        TypeError, match=r"the leaf a has type tests\.\w+\.test_bad_input\.Tensor, but .* by arrays of NumPy only"
    ):
        tg.grad(np.sum)(tensor)
    with pytest.raises(
        TypeError, match=r"the leaf w\[1\] has .* Convert it with numpy\.asarray or pass it as another argument"
    ):
        tg.grad(lambda w: np.sum(w[0]))([1.0, tensor])
    with pytest.raises(TypeError, match=r"the parameter at \['w'\] has type Tensor, expected real floating-point numbers"):
        tg.optim.sgd(0.1).init({"w": tensor})
