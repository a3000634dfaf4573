"""Linear systems, inverses, powers and least squares."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, hermitian_part, positive, real, regular
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (3,)),
    ((2, 3, 3), (3, 2)),
    ((2, 3, 3), (2, 3, 1)),
    ((3, 3), (4, 3, 2)),
    ((2, 1, 3, 3), (4, 3, 3)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_solve_with_numpy_2s_vectors_and_stacks(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check("linalg.solve", regular(*a), real(*b), by=(0, 1))


def test_solve_and_inverse_of_complex_matrices() -> None:
    a = complex_(3, 3) + 2.0 * np.eye(3)
    check("linalg.solve", a, complex_(3, 2), by=(0, 1))
    check("linalg.solve", a.real, complex_(3), by=(0, 1))
    check("linalg.inv", a)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1)])
def test_inverse_of_stacks(shape: tuple[int, ...]) -> None:
    check("linalg.inv", regular(*shape))


def test_columns_of_nan_that_are_not_used_contribute_nothing() -> None:
    a, b = regular(3, 3), real(3, 2)
    b[:, 1] = np.nan
    found = tg.grad(lambda a: np.sum(np.linalg.solve(a, b)[:, 0] ** 2))(a)
    np.testing.assert_allclose(found, tg.grad(lambda a: np.sum(np.linalg.solve(a, b[:, 0]) ** 2))(a))


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 6])
def test_every_integer_power(n: int) -> None:
    a = regular(2, 2, 2)
    check_grads(lambda a: np.linalg.matrix_power(a, n), (a,), rtol=1e-4)
    np.testing.assert_allclose(tg.vjp(lambda a: tnp.linalg.matrix_power(a, n), a)[0], np.linalg.matrix_power(a, n))


def test_tensor_systems() -> None:
    check("linalg.tensorsolve", real(2, 3, 6), real(2, 3), by=(0, 1))
    check("linalg.tensorsolve", real(3, 6, 2), real(6), by=(0, 1), axes=(0, 2), order=1)
    check("linalg.tensorinv", real(2, 3, 3, 2))
    check("linalg.tensorinv", real(6, 3, 2), ind=1)


# Pseudoinverse and least squares


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 3, 2)])
def test_pseudoinverse_of_full_rank(shape: tuple[int, ...]) -> None:
    check("linalg.pinv", real(*shape))


def test_pseudoinverse_of_complex_and_hermitian_matrices() -> None:
    check("linalg.pinv", complex_(4, 2))
    check("linalg.pinv", complex_(2, 3))
    check_grads(lambda a: np.linalg.pinv(hermitian_part(a), hermitian=True), (positive(3),))


def test_pseudoinverse_of_matrices_of_lower_rank() -> None:
    check_grads(lambda a, b: np.linalg.pinv(a @ b, 1e-10), (real(4, 2), real(2, 3)))
    check_grads(lambda a, b: N.linalg.pinv(a @ b, rtol=None), (real(4, 1), real(1, 3)))


@pytest.mark.parametrize(("a", "b"), [((5, 3), (5,)), ((5, 3), (5, 2)), ((2, 4), (2,)), ((3, 3), (3, 2))])
@pytest.mark.parametrize("kind", [real, complex_])
def test_least_squares(a: tuple[int, ...], b: tuple[int, ...], kind: Any) -> None:
    def parts(a: Any, b: Any) -> Any:
        x, residuals, _, s = np.linalg.lstsq(a, b)
        return x, residuals, s

    check_grads(parts, (kind(*a), kind(*b)))


def test_least_squares_answer_as_numpy_does() -> None:
    a, b = real(5, 3), real(5, 2)
    expected = N.linalg.lstsq(a, b)
    results: Any = tnp.linalg.lstsq(a, b), tg.vjp(lambda a: tuple(tnp.linalg.lstsq(a, b)), a)[0]
    for found in results:
        for part, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(part, other)
    assert tnp.linalg.lstsq(a, b).rank == 3


def test_least_squares_of_lower_rank() -> None:
    """The solution of least norm, on a path of matrices of one rank."""
    check_grads(lambda a, b, y: np.linalg.lstsq(a @ b, y, rcond=1e-10)[0], (real(5, 2), real(2, 3), real(5)))


def test_a_batch_of_least_squares() -> None:
    a, b = real(3, 5, 2), real(3, 5)
    expected = [np.linalg.lstsq(x, y)[0] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(tg.vmap(lambda a, b: np.linalg.lstsq(a, b)[0])(a, b), expected)


def test_the_rank_is_a_constant() -> None:
    assert tg.grad(lambda a: np.linalg.matrix_rank(a) * np.sum(a))(np.ones((2, 2))).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert tnp.linalg.matrix_rank(np.eye(3), hermitian=True) == 3


# Bad input


@pytest.mark.parametrize("name", ["inv", "solve", "matrix_power", "tensorinv"])
def test_singular_matrices_raise_numpys_error_and_leave_no_trace(name: str) -> None:
    arguments = {"solve": (np.ones(2),), "matrix_power": (-1,), "tensorinv": (1,)}.get(name, ())
    for module in (np, tnp):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            tg.grad(lambda a, module=module: np.sum(getattr(module.linalg, name)(a, *arguments)))(np.ones((2, 2)))
    assert tg.grad(lambda x: x * x)(3.0) == 6.0


@pytest.mark.parametrize("name", ["inv", "solve", "matrix_power", "pinv"])
def test_what_is_no_matrix_raises_numpys_error(name: str) -> None:
    arguments = {"solve": (np.ones(3),), "matrix_power": (2,)}.get(name, ())
    for bad in (np.ones(3), np.ones((2, 3))) if name != "pinv" else (np.ones(3),):
        with pytest.raises(np.linalg.LinAlgError) as expected:
            getattr(np.linalg, name)(bad, *arguments)
        with pytest.raises(np.linalg.LinAlgError) as found:
            tg.vjp(lambda a: getattr(tnp.linalg, name)(a, *arguments), bad)
        assert str(found.value) == str(expected.value)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="exponent must be an integer"):
        tg.vjp(lambda a: N.linalg.matrix_power(a, 1.5), np.eye(2))
    with pytest.raises(ValueError, match="Invalid ind"):
        tg.vjp(lambda a: np.linalg.tensorinv(a, 0), np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="prod"):
        tg.vjp(lambda a: np.linalg.tensorsolve(a, np.ones(2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="rtol"):
        tg.vjp(lambda a: np.linalg.pinv(a, 1e-3, rtol=1e-3), np.eye(2))


def test_a_pseudoinverse_of_hermitian_matrices_wants_square_ones() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        tg.vjp(lambda x: np.linalg.pinv(x, hermitian=True), np.ones((2, 3)))
    assert tg.vjp(lambda x: np.linalg.pinv(x, hermitian=True), np.ones((0, 3)))[0].shape == (3, 0)
