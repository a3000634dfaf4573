"""What goes in decides what comes out: single precision, weak Python numbers, real gradients, complex conventions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.edge_cases.doors import both_doors, derivatives, slopes

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "arithmetic": lambda xp, x: (2 * x**2 + 3.0 * x - 1 / (x + 4)).sum(),
    "functions": lambda xp, x: (xp.tanh(x) * xp.exp(-x) + xp.sinc(x) + xp.logaddexp(x, 1.0)).sum(),
    "statistics": lambda xp, x: xp.std(x) + xp.var(x, ddof=1) + xp.mean(x) + xp.median(x) + xp.quantile(x, 0.3),
    "products": lambda xp, x: (x @ x) + xp.prod(x) + xp.cumprod(x).sum() + xp.einsum("i,i", x, x),
    "choices": lambda xp, x: (xp.where(x > 0, x, 0.1 * x) + xp.maximum(x, 0.0) + xp.clip(x, -0.5, 0.5)).sum(),
    "indices": lambda xp, x: x[1:].sum() + x[[0, 0, 2]].sum() + xp.sort(x)[0] + xp.take(x, 1),
    "shapes": lambda xp, x: xp.concatenate([x, xp.flip(x)]).reshape(2, -1).T.sum(),
    "matrices": lambda xp, x: xp.linalg.det(xp.outer(x, x) + np.eye(4, dtype=np.float32)) + xp.linalg.norm(x),
    "solving": lambda xp, x: xp.linalg.solve(xp.outer(x, x) + 2 * np.eye(4, dtype=np.float32), x).sum(),
    "transforms": lambda xp, x: (xp.abs(xp.fft.rfft(x)) ** 2).sum(),
    "polynomials": lambda xp, x: xp.polyval(x, 0.5) + xp.interp(0.5, np.arange(4, dtype=np.float32), x),
}


@both_doors
@pytest.mark.parametrize("name", PROGRAMS)
def test_single_precision_stays_single(xp: Any, name: str) -> None:
    x = np.array([0.3, -1.2, 2.0, 0.7])
    f = PROGRAMS[name]
    exact = tg.grad(lambda x: f(xp, x))(x)
    gradient = tg.grad(lambda x: f(xp, x))(x.astype(np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, exact, rtol=2e-4, atol=2e-4)
    hessian = tg.hessian(lambda x: f(xp, x))(x.astype(np.float32))
    assert hessian.dtype == np.float32
    tangent = tg.jvp(lambda x: f(xp, x), (x.astype(np.float32),), (np.ones(4, np.float32),))[1]
    assert tangent.dtype == f(np, x.astype(np.float32)).dtype


@both_doors
def test_python_numbers_are_weak(xp: Any) -> None:
    x = np.array([0.5, 1.5], np.float32)

    def loss(scale: Any, x: Any) -> Any:
        y = xp.multiply(scale, x) * 2.0 + xp.maximum(x, 0.0) / 3 - xp.power(x, 2.0)
        return y.sum()

    value, (by_scale, by_x) = tg.value_and_grad(loss, (0, 1))(1.5, x)
    assert value.dtype == np.float32 and by_x.dtype == np.float32
    np.testing.assert_allclose(by_scale, 4.0, rtol=1e-6)
    value, (_, by_x) = tg.value_and_grad(loss, (0, 1))(np.float64(1.5), x)
    assert value.dtype == np.float64 and by_x.dtype == np.float32


@both_doors
def test_integers_beside_floats_are_promoted_as_numpy_does(xp: Any) -> None:
    n = np.array([1, 2, 3], np.int16)
    x = np.float32(2.0)
    value, gradient = tg.value_and_grad(lambda x: xp.sum(x**n))(x)
    assert value.dtype == np.sum(x**n).dtype and gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, 1 + 4 + 12)


@both_doors
def test_a_real_input_has_a_real_gradient_through_complex_numbers(xp: Any) -> None:
    np.testing.assert_allclose(slopes(lambda x: xp.real(xp.exp(1j * x)), 0.7), (-np.sin(0.7), -np.cos(0.7)))
    np.testing.assert_allclose(slopes(lambda x: xp.imag(xp.exp(1j * x)), 0.7), (np.cos(0.7), -np.sin(0.7)))
    np.testing.assert_allclose(slopes(lambda x: xp.abs(x + 2j) ** 2, 0.7), (1.4, 2.0))
    np.testing.assert_allclose(slopes(lambda x: xp.angle(x + 1j), 0.0), (-1.0, 0.0), atol=1e-15)
    for f in (lambda x: xp.real(xp.sqrt(x + 0j)), lambda x: (xp.conj(x * 1j) * (x * 1j)).real):
        gradient = tg.grad(f)(np.float32(4.0))
        assert gradient.dtype == np.float32


@both_doors
@pytest.mark.parametrize("n", (4, 5))
def test_a_real_signal_has_a_real_gradient_through_fourier_transforms(xp: Any, n: int) -> None:
    x = np.random.default_rng(n).normal(size=n)
    gradient, hessian = derivatives(lambda x: (xp.abs(xp.fft.fft(x)) ** 2).sum(), x)
    assert gradient.dtype == hessian.dtype == np.float64
    np.testing.assert_allclose(gradient, 2 * n * x)  # Parseval
    np.testing.assert_allclose(hessian, 2 * n * np.eye(n), atol=1e-12)
    np.testing.assert_allclose(tg.grad(lambda x: (xp.fft.irfft(xp.fft.rfft(x), n) ** 2).sum())(x), 2 * x)
    np.testing.assert_allclose(tg.grad(lambda x: (xp.fft.ifft(xp.fft.fft(x)).real ** 2).sum())(x), 2 * x)
    single = tg.grad(lambda x: (xp.abs(xp.fft.fft(x)) ** 2).sum())(x.astype(np.float32))
    assert single.dtype == np.float32


Z = 0.6 - 0.8j
CONVENTION: dict[str, tuple[Callable[[Any, Any], Any], complex]] = {
    # a real function of a complex number, and df/dx - i df/dy at Z
    "real": (lambda xp, z: xp.real(z), 1.0),
    "imag": (lambda xp, z: xp.imag(z), -1.0j),
    "abs": (lambda xp, z: xp.abs(z), np.conj(Z) / abs(Z)),
    "abs squared": (lambda xp, z: xp.abs(z) ** 2, 2 * np.conj(Z)),
    "z times its conjugate": (lambda xp, z: xp.real(z * xp.conj(z)), 2 * np.conj(Z)),
    "angle": (lambda xp, z: xp.angle(z), -1j * np.conj(Z) / abs(Z) ** 2),
    "real of a power": (lambda xp, z: xp.real(z**3), 3 * Z**2),
    "imag of a power": (lambda xp, z: xp.imag(z**3), -3j * Z**2),
    "real of exp": (lambda xp, z: xp.real(xp.exp(z)), np.exp(Z)),
    "real of a quotient": (lambda xp, z: xp.real(1 / z), -1 / Z**2),
    "real of the conjugate": (lambda xp, z: xp.real(xp.conj(z) ** 2), np.conj(2 * np.conj(Z))),
    "real of sqrt": (lambda xp, z: xp.real(xp.sqrt(z)), 0.5 / np.sqrt(Z)),
}


@both_doors
@pytest.mark.parametrize("name", CONVENTION)
def test_complex_gradients_follow_one_convention(xp: Any, name: str) -> None:
    f, expected = CONVENTION[name]
    np.testing.assert_allclose(tg.grad(lambda z: f(xp, z))(Z), expected, atol=1e-15)
    array = tg.grad(lambda z: xp.sum(f(xp, z)))(np.array([Z, Z], np.complex64))
    assert array.dtype == np.complex64
    np.testing.assert_allclose(array, [expected, expected], rtol=1e-5, atol=1e-6)


@both_doors
def test_complex_vectors_and_matrices_follow_it_too(xp: Any) -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2))
    b = random.normal(size=2) + 1j * random.normal(size=2)
    np.testing.assert_allclose(tg.grad(lambda b: xp.vdot(b, b).real)(b), 2 * b.conj())
    np.testing.assert_allclose(tg.grad(lambda b: xp.linalg.norm(b) ** 2)(b), 2 * b.conj())
    np.testing.assert_allclose(tg.grad(lambda a: (a @ b)[0].real)(a), np.outer([1.0, 0.0], b))
    np.testing.assert_allclose(tg.grad(lambda a: xp.linalg.det(a).real)(a), np.linalg.det(a) * np.linalg.inv(a).T)
    np.testing.assert_allclose(tg.grad(lambda b: (xp.abs(xp.fft.fft(b)) ** 2).sum())(b), 4 * b.conj())


@both_doors
def test_holomorphic_functions_have_their_complex_derivative(xp: Any) -> None:
    for f, expected in ((lambda z: z**3, 3 * Z**2), (xp.exp, np.exp(Z)), (xp.sin, np.cos(Z)), (xp.log, 1 / Z)):
        np.testing.assert_allclose(tg.grad(f, holomorphic=True)(Z), expected)
        np.testing.assert_allclose(tg.jvp(f, (Z,), (1.0 + 0j,))[1], expected)
        np.testing.assert_allclose(tg.jvp(f, (Z,), (1j,))[1], 1j * expected)
    np.testing.assert_allclose(tg.grad(tg.grad(lambda z: z**3, holomorphic=True), holomorphic=True)(Z), 6 * Z)


def test_complex_outputs_need_to_be_declared_holomorphic() -> None:
    with pytest.raises(TypeError, match="holomorphic"):
        tg.grad(lambda z: z**2)(Z)


def test_jax_has_the_same_convention() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        for f, expected in CONVENTION.values():
            np.testing.assert_allclose(jax.grad(lambda z, f=f: f(jax.numpy, z))(Z), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("x", (3, np.int64(3), np.array([1, 2]), True, np.array([True, False])))
def test_integers_have_no_gradient(x: Any) -> None:
    with pytest.raises(TypeError, match=r"'?x'?.*(int|bool)"):
        tg.grad(lambda x: tnp.sum(x * 1.0))(x)


def test_an_integer_leaf_is_named_by_its_path() -> None:
    with pytest.raises(TypeError, match=r"params\['layers'\]\[1\].*int64"):
        tg.grad(lambda params: tnp.sum(params["layers"][0]))({"layers": [np.ones(2), np.arange(2)]})
