"""Roots of sums of squares are flat where they vanish: 0, not NaN, in both orders."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tests.edge_cases.doors import both_doors, derivatives

ZEROS = np.zeros(3)


def assert_flat(f: Any, x: Any) -> None:
    gradient, hessian = derivatives(f, x)
    np.testing.assert_array_equal(gradient, np.zeros_like(gradient))
    assert np.isfinite(hessian).all()


@both_doors
@pytest.mark.parametrize("order", (None, 2, 1, 3, 2.5, np.inf))
def test_the_norm_is_flat_at_zero(xp: Any, order: Any) -> None:
    assert_flat(lambda x: xp.linalg.norm(x, order), ZEROS)


@both_doors
@pytest.mark.parametrize("order", (-1, -2, -0.5))
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # as NumPy's own
def test_norms_of_negative_order_are_flat_where_one_element_is_zero(xp: Any, order: float) -> None:
    assert_flat(lambda x: xp.linalg.norm(x, order), ZEROS)
    assert_flat(lambda x: xp.linalg.norm(x, order), np.array([0.0, 3.0, -4.0]))
    x = np.array([[0.0, 2.0], [1.0, 1.0]])
    gradient, _ = derivatives(lambda x: xp.linalg.norm(x, order, axis=1).sum(), x)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [2.0 ** (1 / order - 1)] * 2])


@both_doors
@pytest.mark.parametrize("name", ("vector_norm", "norm"))
def test_norms_of_rows_are_flat_where_a_row_is_zero(xp: Any, name: str) -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    gradient, hessian = derivatives(lambda x: getattr(xp.linalg, name)(x, axis=1).sum(), x)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.6, 0.8]])
    assert np.isfinite(hessian).all()
    np.testing.assert_allclose(hessian[1, :, 1], [[0.128, -0.096], [-0.096, 0.072]])


@both_doors
@pytest.mark.parametrize("order", ("fro", "nuc", 2))
def test_matrix_norms_have_a_finite_gradient_at_zero(xp: Any, order: Any) -> None:
    gradient = tg.grad(lambda x: xp.linalg.norm(x, order))(np.zeros((2, 2)))
    assert np.isfinite(gradient).all()


PICKED: Any = np.array([1, 1, 0])
SQUARES: dict[str, tuple[Any, Any]] = {
    "norm(x)**2": (lambda xp, x: xp.linalg.norm(x) ** 2, lambda xp, x: xp.sum(x * x)),
    "square(norm(x))": (lambda xp, x: xp.square(xp.linalg.norm(x)), lambda xp, x: xp.sum(x * x)),
    "norm(x) * norm(x)": (lambda xp, x: (lambda n: 3 * (n * n))(xp.linalg.norm(x)), lambda xp, x: 3 * xp.sum(x * x)),
    "sin(norm(x)**2)": (lambda xp, x: xp.sin(xp.linalg.norm(x) ** 2), lambda xp, x: xp.sin(xp.sum(x * x))),
    "norms of rows": (
        lambda xp, x: xp.sum(xp.linalg.norm(xp.stack([x, 2 * x]), axis=1) ** 2),
        lambda xp, x: 5 * xp.sum(x * x),
    ),
    "std(x)**2": (lambda xp, x: xp.std(x) ** 2, lambda xp, x: xp.var(x)),
    "the norm of one row": (
        lambda xp, x: xp.linalg.norm(xp.stack([x, 2 * x]), axis=1)[1] ** 2,
        lambda xp, x: 4 * xp.sum(x * x),
    ),
    "norms of rows, picked": (
        lambda xp, x: xp.sum(xp.linalg.norm(xp.stack([x, 2 * x]), axis=1)[PICKED] ** 2),
        lambda xp, x: 9 * xp.sum(x * x),
    ),
    "norms of rows, each for itself": (
        lambda xp, x: (lambda n: n[0] ** 2 + 3 * n[1] ** 2)(xp.linalg.norm(xp.stack([x, 2 * x]), axis=1)),
        lambda xp, x: 13 * xp.sum(x * x),
    ),
    "norms of rows, reshaped": (
        lambda xp, x: xp.sum(xp.linalg.norm(xp.stack([x, 2 * x]), axis=1).reshape(2, 1) ** 2),
        lambda xp, x: 5 * xp.sum(x * x),
    ),
    "abs(x)**2": (lambda xp, x: xp.sum(xp.abs(x) ** 2), lambda xp, x: xp.sum(x * x)),
    "abs(z)**2": (lambda xp, x: xp.sum(xp.abs(x + 1j * xp.flip(x)) ** 2), lambda xp, x: 2 * xp.sum(x * x)),
    "power of a spectrum": (lambda xp, x: xp.sum(xp.abs(xp.fft.fft(x)) ** 2), lambda xp, x: 3 * xp.sum(x * x)),
    "fabs(x)**2": (lambda xp, x: xp.sum(xp.fabs(x) ** 2), lambda xp, x: xp.sum(x * x)),
    "hypot(x, 2x)**2": (lambda xp, x: xp.sum(xp.hypot(x, 2 * x) ** 2), lambda xp, x: 5 * xp.sum(x * x)),
}
MODES: dict[str, Any] = {
    "forward over reverse": lambda f: tg.hessian(f),
    "reverse over reverse": lambda f: tg.jacrev(tg.grad(f)),
    "forward over forward": lambda f: tg.jacfwd(tg.jacfwd(f)),
    "reverse over forward": lambda f: tg.jacrev(tg.jacfwd(f)),
}


@both_doors
@pytest.mark.parametrize("name", SQUARES)
@pytest.mark.parametrize("mode", MODES)
def test_the_square_of_what_vanishes_has_the_curvature_of_what_it_is(xp: Any, name: str, mode: str) -> None:
    f, same = (lambda x, g=g: g(xp, x) for g in SQUARES[name])
    gradient, _ = derivatives(f, ZEROS)
    np.testing.assert_array_equal(gradient, ZEROS)
    for x in (ZEROS, np.array([0.5, -1.0, 2.0])):
        np.testing.assert_allclose(MODES[mode](f)(x), MODES[mode](same)(x), atol=1e-14)
    many = np.stack([ZEROS, ZEROS + 1.0])
    np.testing.assert_allclose(tg.vmap(MODES[mode](f))(many), tg.vmap(MODES[mode](same))(many), atol=1e-14)


@both_doors
@pytest.mark.parametrize("x", [np.zeros(3), np.array([0.0, 2.0, -1.0])], ids=["zero", "one zero"])
@pytest.mark.parametrize("name", [*SQUARES, "hypot**2", "sqrt(x * x)**2"])
def test_the_square_of_what_vanishes_has_one_gradient_however_it_is_taken(xp: Any, name: str, x: Any) -> None:
    others = {
        "hypot**2": lambda xp, x: xp.hypot(x[0], x[1]) ** 2,
        "sqrt(x * x)**2": lambda xp, x: xp.sum(xp.sqrt(x * x) ** 2),
    }
    g = others[name] if name in others else SQUARES[name][0]
    alone = tg.grad(lambda x: g(xp, x))
    expected = alone(x)
    np.testing.assert_allclose(tg.jit(alone)(x), expected, atol=1e-15)
    np.testing.assert_allclose(tg.vmap(alone)(x[None])[0], expected, atol=1e-15)
    np.testing.assert_allclose(tg.jvp(alone, (x,), (x,))[0], expected, atol=1e-15)
    np.testing.assert_allclose(tg.jacfwd(lambda x: g(xp, x))(x), expected, atol=1e-15)


def test_a_square_root_that_is_squared_has_one_gradient_however_it_is_taken() -> None:
    alone = tg.grad(lambda x: np.sum(np.sqrt(x) ** 2))
    x = np.array([0.0, 4.0])
    ways: list[Any] = [tg.jit(alone), lambda x: tg.vmap(alone)(x[None])[0], lambda x: tg.vjp(alone, x)[0]]
    for taken in ways:
        np.testing.assert_allclose(taken(x), alone(x))


@both_doors
def test_the_square_of_an_absolute_value_is_curved_at_zero(xp: Any) -> None:
    np.testing.assert_array_equal(tg.hessian(lambda x: xp.sum(xp.abs(x) ** 2))(ZEROS), 2 * np.eye(3))
    np.testing.assert_array_equal(tg.hessian(lambda x: xp.hypot(x[0], x[1]) ** 2)(ZEROS), np.diag([2.0, 2.0, 0.0]))


@both_doors
def test_a_distance_to_itself_is_flat(xp: Any) -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    gradient = tg.grad(lambda x: xp.linalg.norm(x[:, None] - x[None], axis=-1).sum())(x)
    towards = 2.0 * np.array([[-2.0, -3.0], [2.0, 3.0]]) / np.sqrt(13.0)
    np.testing.assert_allclose(gradient, towards)


@both_doors
@pytest.mark.parametrize("name", ("std", "nanstd"))
def test_the_deviation_of_equal_values_is_flat(xp: Any, name: str) -> None:
    f = getattr(xp, name)
    assert_flat(f, np.full(4, 3.0))
    assert_flat(lambda x: f(x, ddof=1), np.full(4, 3.0))
    assert_flat(lambda x: f(x) ** 2, np.full(4, 3.0))
    assert_flat(lambda x: f(x, axis=0).sum(), np.ones((2, 2)))


@both_doors
def test_hypot_is_flat_at_zero(xp: Any) -> None:
    assert_flat(lambda x: xp.hypot(x[0], x[1]), np.zeros(2))


@both_doors
def test_the_complex_modulus_is_flat_at_zero(xp: Any) -> None:
    assert tg.grad(lambda z: xp.abs(z))(0j) == 0.0
    assert_flat(lambda x: xp.abs(x[0] + 1j * x[1]), np.zeros(2))
