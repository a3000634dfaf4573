"""grad and value_and_grad: which arguments, which outputs, which dtypes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import assert_trees_close
from tapegrad.typing import Array

X = np.array([1.0, 2.0, 3.0])


def three(x: Any, y: Any, z: Any, scale: float = 1.0) -> Any:
    return np.sum(x * y * y * z * z * z) * scale


def test_the_gradient_is_exact() -> None:
    assert tg.grad(lambda x: np.sum(x * x * x))(X).tolist() == [3.0, 12.0, 27.0]


def test_the_value_comes_with_the_gradient() -> None:
    value, gradient = tg.value_and_grad(lambda x: np.sum(x * x))(X)
    assert value == 14.0 and gradient.tolist() == [2.0, 4.0, 6.0]


def test_the_value_is_what_the_function_returns() -> None:
    value, _ = tg.value_and_grad(lambda x: np.sum(x * x))(X)
    assert type(value) is type(np.sum(X * X))


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 27.0),
        (1, 108.0),
        (2, 54.0),
        (-1, 54.0),
        ((0,), (27.0,)),
        ((0, 1), (27.0, 108.0)),
        ((2, 0), (54.0, 27.0)),
        ((-3, -1), (27.0, 54.0)),
        ([0, 2], (27.0, 54.0)),
        (np.int64(1), 108.0),
        ((), ()),
    ],
)
def test_argnums_choose_the_arguments(argnums: int | Sequence[int], expected: Any) -> None:
    gradient = tg.grad(three, argnums)(2.0, 1.0, 3.0)
    assert_trees_close(gradient, expected)
    value, gradient = tg.value_and_grad(three, argnums)(2.0, 1.0, 3.0)
    assert value == 54.0
    assert_trees_close(gradient, expected)


@pytest.mark.parametrize("argnums", [3, -4, (0, 3)])
def test_argnums_beyond_the_arguments_are_refused(argnums: int | Sequence[int]) -> None:
    with pytest.raises(TypeError, match=r"grad of three: argnums=.* but the function was called with 3 positional arguments"):
        tg.grad(three, argnums)(1.0, 2.0, 3.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -3)])
def test_argnums_name_an_argument_once(argnums: int | Sequence[int]) -> None:
    with pytest.raises(ValueError, match="names an argument twice"):
        tg.grad(three, argnums)(1.0, 2.0, 3.0)


@pytest.mark.parametrize("argnums", ["x", 1.0, (0, "y"), True, None])
def test_argnums_are_ints(argnums: int) -> None:
    with pytest.raises(TypeError, match="argnums must be an int or a tuple of ints"):
        tg.grad(three, argnums)


def test_keyword_arguments_are_constants() -> None:
    assert tg.grad(three)(2.0, 1.0, 3.0, scale=10.0) == 270.0
    assert tg.grad(three)(2.0, y=1.0, z=3.0) == 27.0


def test_what_is_differentiated_is_passed_by_position() -> None:
    with pytest.raises(TypeError, match="must be passed by position"):
        tg.grad(three)(x=1.0, y=2.0, z=3.0)  # type: ignore[call-arg]  # the mistake under test, which mypy sees as well


def test_other_arguments_may_be_anything() -> None:
    def f(x: Any, mode: str, indices: Array, table: dict[str, int], nothing: None) -> Any:
        return np.sum(x[indices] ** table[mode])

    assert tg.grad(f)(X, "cube", np.array([0, 2, 2]), {"cube": 3}, None).tolist() == [3.0, 0.0, 54.0]


def test_auxiliary_outputs_come_out_plain() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return np.sum(y), {"y": y, "n": 3, "name": "aux", "nothing": None}

    gradient, aux = tg.grad(f, has_aux=True)(X)
    assert gradient.tolist() == [2.0, 4.0, 6.0]
    assert type(aux["y"]) is np.ndarray and aux["y"].tolist() == [1.0, 4.0, 9.0]
    assert aux["n"] == 3 and aux["name"] == "aux" and aux["nothing"] is None
    (value, aux), gradient = tg.value_and_grad(f, has_aux=True)(X)
    assert value == 14.0 and aux["y"].tolist() == [1.0, 4.0, 9.0] and gradient.tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize("wrong", [lambda x: x, lambda x: (x,), lambda x: (x, 1, 2), lambda x: [x, 1]])
def test_has_aux_wants_a_pair(wrong: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"has_aux=True: the function must return \(output, aux\)"):
        tg.grad(wrong, has_aux=True)(1.0)


def test_an_argument_that_is_not_used_has_a_zero_gradient() -> None:
    gradients = tg.grad(lambda x, y: np.sum(x), argnums=(0, 1))(X, {"a": np.ones((2, 2), np.float32), "b": 1.0})
    assert_trees_close(gradients, (np.ones(3), {"a": np.zeros((2, 2)), "b": 0.0}))
    assert gradients[1]["a"].dtype == np.float32
    assert gradients[1]["a"].flags.writeable


@pytest.mark.parametrize("constant", [3.0, np.float64(3.0), np.array(3.0), np.float32(3.0)])
def test_a_constant_output_has_a_zero_gradient(constant: Any) -> None:
    value, gradient = tg.value_and_grad(lambda x: constant)(X)
    assert value == 3.0 and gradient.tolist() == [0.0, 0.0, 0.0]


def test_the_identity_has_slope_one() -> None:
    assert tg.grad(lambda x: x)(2.0) == 1.0
    assert tg.grad(lambda x: x)(np.array(2.0)) == 1.0


def test_the_same_array_twice_is_two_arguments() -> None:
    gradients = tg.grad(lambda a, b: np.sum(a * b * b), argnums=(0, 1))(X, X)
    assert_trees_close(gradients, (X * X, 2 * X * X))


def test_a_value_used_many_times_collects_every_contribution() -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        return y * y + y + x * y

    assert tg.grad(f)(3.0) == 8 * 3 + 2 + 4 * 3


def test_python_control_flow_sees_concrete_values() -> None:
    def f(x: Any) -> Any:
        while x < 10:
            x = x * 2.0
        return x if x > 11 else -x

    assert tg.grad(f)(3.0) == 4.0
    assert tg.grad(f)(5.0) == -2.0


# Dtypes


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (0,)])
def test_the_gradient_has_the_dtype_and_shape_of_the_argument(dtype: type, shape: tuple[int, ...]) -> None:
    x: Array = np.full(shape, 1.5, dtype)
    value, gradient = tg.value_and_grad(lambda x: np.sum(x * 2.0 + 1.0 / x - x**2))(x)
    assert value.dtype == dtype and gradient.dtype == dtype and gradient.shape == shape
    assert np.allclose(gradient, 2.0 - 1.0 / 2.25 - 3.0, rtol=5e-3)


@pytest.mark.parametrize("x", [2.0, np.float64(2.0), np.array(2.0)])
def test_scalars_have_float64_gradients(x: Any) -> None:
    gradient = tg.grad(lambda x: x * x * np.exp(0.0))(x)
    assert gradient == 4.0 and gradient.dtype == np.float64 and np.shape(gradient) == ()


def test_python_floats_are_weak() -> None:
    w = np.ones(3, np.float32)

    def f(x: Any) -> Any:
        y = np.sum(w * x * 2.0) / 3.0 + x
        assert y.dtype == np.float32
        return y

    value, gradient = tg.value_and_grad(f)(3.0)
    assert value.dtype == np.float32 and gradient.dtype == np.float64
    assert gradient == pytest.approx(3.0)


def test_float32_stays_float32_beside_python_numbers() -> None:
    def f(params: Any) -> Any:
        return np.mean((np.tanh(params["w"] * 2 - 1.0) / 3 + params["b"]) ** 2)

    params = {"w": np.ones((2, 3), np.float32), "b": np.float32(0.5)}
    value, gradient = tg.value_and_grad(f)(params)
    assert value.dtype == gradient["w"].dtype == gradient["b"].dtype == np.float32


def test_each_leaf_keeps_its_own_dtype() -> None:
    params: dict[str, Array] = {"single": np.ones(2, np.float32), "double": np.ones(2), "complex": np.ones(2, np.complex64)}
    gradient = tg.grad(lambda p: np.sum(np.real(p["single"] * p["double"] * p["complex"])))(params)
    for name, x in params.items():
        assert gradient[name].dtype == x.dtype
        assert gradient[name].tolist() == [1.0, 1.0]


# Complex numbers


def test_a_real_function_of_complex_numbers_follows_jax() -> None:
    z = np.array([1.0 + 2.0j, -0.5j])
    gradient = tg.grad(lambda z: np.sum(np.real(z) ** 2 + 3.0 * np.imag(z)))(z)
    assert_trees_close(gradient, 2 * z.real - 3.0j, atol=0)


def test_a_holomorphic_function_has_its_complex_derivative() -> None:
    z = np.array(1.0 + 2.0j)
    assert_trees_close(tg.grad(lambda z: z * z * z, holomorphic=True)(z), 3 * z * z)
    assert_trees_close(tg.grad(lambda z: np.exp(z), holomorphic=True)(1j), np.exp(1j))


def test_complex_outputs_need_holomorphic() -> None:
    with pytest.raises(TypeError, match=r"dtype complex128. Take its real part or absolute value, or set holomorphic=True"):
        tg.grad(lambda z: z * z)(1.0 + 1.0j)


def test_holomorphic_wants_complex_outputs() -> None:
    with pytest.raises(TypeError, match="holomorphic=True: the function must return a complex scalar, got dtype float64"):
        tg.grad(lambda z: np.real(z * z), holomorphic=True)(1.0 + 0.0j)
    with pytest.raises(TypeError, match="holomorphic=True: the function must return a complex scalar, got dtype float64"):
        tg.grad(lambda z: 2.0, holomorphic=True)(1.0 + 0.0j)


def test_holomorphic_wants_complex_inputs() -> None:
    with pytest.raises(TypeError, match=r"holomorphic=True: the leaf p\['z'\] has dtype float64, expected complex numbers"):
        tg.grad(lambda p: np.exp(p["z"] * 1.0j), holomorphic=True)({"z": 1.0})


def test_real_inputs_have_real_gradients_through_complex_intermediates() -> None:
    gradient = tg.grad(lambda x: np.sum(np.real(x * (1.0 + 2.0j) * (x * 1.0j))))(X)
    assert gradient.dtype == np.float64
    assert_trees_close(gradient, -4.0 * X)


# Trees


def test_nested_parameters() -> None:
    params = {"layers": [(np.ones((2, 2)), np.zeros(2)), (np.ones((2, 1)), None)], "scale": 2.0}

    def f(params: Any, x: Any) -> Any:
        (w0, b0), (w1, _) = params["layers"]
        return np.sum((x @ w0 + b0) @ w1) * params["scale"]

    gradient = tg.grad(f)(params, np.array([[1.0, 2.0]]))
    expected = {
        "layers": [(np.array([[2.0, 2.0], [4.0, 4.0]]), np.array([2.0, 2.0])), (np.array([[6.0], [6.0]]), None)],
        "scale": 6.0,
    }
    assert_trees_close(gradient, expected)


def test_empty_trees_have_empty_gradients() -> None:
    assert tg.grad(lambda p, x: x * 2.0)({}, 1.0) == {}
    assert tg.grad(lambda p: 1.0)(None) is None


def test_a_read_only_or_strided_argument_is_fine() -> None:
    x = np.arange(12.0).reshape(3, 4)
    x.flags.writeable = False
    for view in (x, x.T, x[::2, ::-1], np.asfortranarray(x), np.broadcast_to(x[0], (5, 4))):
        gradient = tg.grad(lambda v: np.sum(v * v))(view)
        assert gradient.flags.writeable
        assert np.array_equal(gradient, 2 * view)


def test_a_subclass_of_ndarray_is_taken_as_an_array() -> None:
    class Tagged(np.ndarray[Any, Any]):
        pass

    gradient = tg.grad(lambda x: np.sum(x * x))(X.view(Tagged))
    assert gradient.tolist() == [2.0, 4.0, 6.0]


def test_empty_trees_nest() -> None:
    """A transform by nothing within another one records nothing, which is not to say that it has ended."""
    assert tg.vjp(lambda _: tg.vjp(lambda _: 1.0, [])[1](0.0), [])[0] == ([],)
    assert tg.jvp(lambda _: tg.jvp(lambda _: 1.0, ([],), ([],))[1], ([],), ([],)) == (0.0, 0.0)


@pytest.mark.parametrize(
    "f", [lambda x: np.sum(np.reshape(x, (1,))), lambda x: np.sum(x[None]), lambda x: np.max(np.reshape(x, (1, 1)))]
)
def test_the_derivative_by_a_number_is_a_number(f: Any) -> None:
    assert type(tg.grad(f)(np.float64(2.0))) is np.float64
    assert type(tg.grad(f)(np.float32(2.0))) is np.float32
    assert type(tg.grad(f)(np.array(2.0))) is np.ndarray
    assert type(tg.vjp(f, np.float64(2.0))[1](np.float64(1.0))[0]) is np.float64


@pytest.mark.parametrize("which", ["a", "b", "c"])
def test_a_function_may_return_one_of_its_arguments(which: str) -> None:
    params = {"a": 2.0, "b": 3.0, "c": 4.0}

    def f(p: Any) -> Any:
        return p[which]

    expected = {name: float(name == which) for name in params}
    assert tg.grad(f)(params) == expected
    assert tg.jit(tg.grad(f))(params) == expected
    assert tg.grad(lambda a, b, c: f({"a": a, "b": b, "c": c}), argnums=(0, 1, 2))(2.0, 3.0, 4.0) == tuple(expected.values())
    assert tg.grad(lambda s: s * tg.grad(f)(params)[which])(5.0) == 1.0
    assert tg.vmap(tg.grad(f))({name: np.ones(2) for name in params})[which].tolist() == [1.0, 1.0]
