"""Elementwise functions of complex numbers, in JAX's convention: holomorphic or not, against differences in the plane."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.typing import Array

HOLOMORPHIC = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "negative", "positive",
    "sinc",
]  # fmt: skip
Z = np.array([0.3 + 0.4j, -0.7 + 0.2j, 0.5 - 1.1j, -1.3 - 0.6j, 2.0 + 0.1j])
STEP = 1e-6


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_a_holomorphic_function_has_its_complex_derivative(name: str) -> None:
    f = getattr(np, name)
    slope = (f(Z + STEP) - f(Z - STEP)) / (2 * STEP)
    for door in (np, tnp):
        derivative = tg.grad(lambda z, door=door: getattr(door, name)(z).sum(), holomorphic=True)
        np.testing.assert_allclose(derivative(Z), slope, rtol=1e-7, atol=1e-8)
    bend = (derivative(Z + STEP) - derivative(Z - STEP)) / (2 * STEP)
    np.testing.assert_allclose(tg.grad(lambda z: derivative(z).sum(), holomorphic=True)(Z), bend, rtol=1e-7, atol=1e-8)
    tangent = np.full(5, 1.0 - 2.0j)
    np.testing.assert_allclose(tg.jvp(f, (Z,), (tangent,))[1], derivative(Z) * tangent, rtol=1e-12)


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arccosh", "arctanh", "arcsinh", "sqrt", "log"])
@pytest.mark.parametrize("side", [0.0, -0.0])
def test_derivatives_are_those_of_the_side_of_the_branch_cut_that_numpy_is_on(name: str, side: float) -> None:
    f = getattr(np, name)
    sideways = name == "arcsinh"  # its cut is on the other axis
    points = [(side, 2.0), (side, -2.0)] if sideways else [(-2.0, side), (2.0, side)]
    z, after, before = (
        np.array([complex(x, y + step) if sideways else complex(x + step, y) for x, y in points]) for step in (0.0, STEP, -STEP)
    )
    along = (f(after) - f(before)) / (2j * STEP if sideways else 2 * STEP)
    np.testing.assert_allclose(tg.grad(lambda z: f(z).sum(), holomorphic=True)(z), along, rtol=1e-7, atol=1e-8)


NOT_HOLOMORPHIC: dict[str, Callable[[Any, Any], Any]] = {
    "absolute": lambda m, z: m.absolute(z),
    "real": lambda m, z: m.real(z) ** 3,
    "imag": lambda m, z: m.imag(z) ** 3,
    "methods": lambda m, z: (z.real * z.imag * z.conj()).real,
    "conjugate": lambda m, z: m.real(m.conj(z) * z * z),
    "angle": lambda m, z: m.angle(z) ** 2,
    "degrees": lambda m, z: m.angle(z, deg=True) ** 2,
    "sign": lambda m, z: m.real(m.sign(z) ** 2 * (1.0 + 2.0j)),
    "power": lambda m, z: m.real(m.power(z, 2.5 + 1.0j)),
    "exponent": lambda m, z: m.absolute(m.power(2.0, z)) ** 2,
    "negative base": lambda m, z: m.real(m.power(-2.0, z)),
    "mixed": lambda m, z: m.absolute(m.multiply(z, m.real(z)) + 1.0),
    "where": lambda m, z: m.real(m.where(m.real(z) > 0, z * z, m.conj(z) * 1j)),
    "real_if_close": lambda m, z: m.real(m.real_if_close(z) ** 2),
    "nan_to_num": lambda m, z: m.absolute(m.nan_to_num(z)) ** 2,
}


def in_the_plane(f: Callable[[Array], Array], z: Array) -> Array:
    """Return ``df/dx - i df/dy`` of a real function, by differences."""
    along_x = (f(z + STEP) - f(z - STEP)) / (2 * STEP)
    along_y = (f(z + 1j * STEP) - f(z - 1j * STEP)) / (2 * STEP)
    return along_x - 1j * along_y


@pytest.mark.parametrize("name", NOT_HOLOMORPHIC)
@pytest.mark.parametrize("door", [np, tnp], ids=["numpy", "tapegrad"])
def test_a_real_function_of_complex_numbers_has_its_gradient_in_the_plane(door: Any, name: str) -> None:
    def f(z: Any) -> Any:
        return NOT_HOLOMORPHIC[name](door, z)

    gradient = tg.grad(lambda z: f(z).sum())
    np.testing.assert_allclose(gradient(Z), in_the_plane(f, Z), rtol=1e-6, atol=1e-7)
    tangent = np.array([1.0 - 2.0j, 0.5j, 1.0, -1.0 + 1.0j, 2.0])
    np.testing.assert_allclose(tg.jvp(f, (Z,), (tangent,))[1], (gradient(Z) * tangent).real, rtol=1e-10, atol=1e-14)

    def bent(z: Any) -> Any:
        return np.real(gradient(z) * (1.0 + 2.0j)) if not isinstance(z, np.ndarray) else (gradient(z) * (1.0 + 2.0j)).real

    second = tg.grad(lambda z: bent(z).sum())
    np.testing.assert_allclose(second(Z), in_the_plane(bent, Z), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tg.jvp(bent, (Z,), (tangent,))[1], (second(Z) * tangent).real, rtol=1e-9, atol=1e-12)


def test_parts_of_real_arrays_are_the_array_and_zeros() -> None:
    x = np.array([1.0, -2.0])
    for door in (np, tnp):
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.real(x).sum())(x), [1.0, 1.0])
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.imag(x).sum())(x), [0.0, 0.0])
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.conj(x).sum())(x), [1.0, 1.0])
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.angle(x).sum())(x), [0.0, 0.0])
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.real_if_close(x).sum())(x), [1.0, 1.0])


def test_a_real_input_has_a_real_gradient_through_complex_numbers() -> None:
    x = np.array([0.5, -1.5])
    gradient = tg.grad(lambda x: np.absolute(np.exp(1j * x) + x).sum())(x)
    assert gradient.dtype == np.float64
    slope = (np.absolute(np.exp(1j * (x + STEP)) + x + STEP) - np.absolute(np.exp(1j * (x - STEP)) + x - STEP)) / (2 * STEP)
    np.testing.assert_allclose(gradient, slope, rtol=1e-8)


def test_the_modulus_is_flat_at_zero() -> None:
    z = np.array([0j, 3.0 + 4.0j])
    np.testing.assert_allclose(tg.grad(lambda z: np.absolute(z).sum())(z), [0.0, 0.6 - 0.8j])
    inner = tg.grad(lambda z: np.absolute(z).sum())
    assert np.isfinite(tg.grad(lambda z: inner(z).real.sum())(z)).all()


def test_almost_real_numbers_become_real() -> None:
    z = np.array([1.0 + 1e-15j, 2.0])

    def f(z: Any) -> Any:
        y = np.real_if_close(z)
        assert y.dtype == np.float64
        return (y * y).sum()

    np.testing.assert_allclose(tg.grad(f)(z), [2.0, 4.0])
