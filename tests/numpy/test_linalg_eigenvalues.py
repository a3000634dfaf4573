"""Eigenvalues and eigenvectors: both triangles, repeated eigenvalues, complex ones of real matrices."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, hermitian_part, real
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

WEIGHTS = np.arange(9.0).reshape(3, 3)
REPEATED = [np.eye(3), np.zeros((3, 3)), np.diag([1.0, 1.0, 2.0]), np.ones((3, 3)), np.eye(3) + 1e-16 * WEIGHTS]


@pytest.mark.parametrize("uplo", ["L", "U"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (1, 1)])
def test_eigenvectors_of_symmetric_matrices(shape: tuple[int, ...], uplo: str) -> None:
    check_grads(lambda a: tuple(N.linalg.eigh(hermitian_part(a), uplo)), (hermitian_part(real(*shape)),))
    check_grads(lambda a: N.linalg.eigvalsh(hermitian_part(a), uplo), (complex_(*shape),))


@pytest.mark.parametrize("uplo", ["L", "U", "l", "u"])
def test_one_triangle_is_read_and_the_gradient_is_symmetric(uplo: str) -> None:
    a = real(3, 3)
    for module in (N, tnp):
        value, pull = tg.vjp(lambda a, module=module: tuple(module.linalg.eigh(a, uplo)), a)
        for part, expected in zip(value, N.linalg.eigh(a, uplo), strict=True):
            np.testing.assert_allclose(part, expected)
        (c,) = pull((np.array([1.0, 2.0, 3.0]), np.ones((3, 3))))
        np.testing.assert_allclose(c, c.T)


def test_functions_of_complex_hermitian_matrices() -> None:
    def f(a: Any) -> Any:
        w, v = np.linalg.eigh(hermitian_part(a))
        return (v * np.sin(w)) @ np.conj(v).T

    check_grads(f, (complex_(3, 3),))


@pytest.mark.parametrize("a", REPEATED)
def test_repeated_eigenvalues_leave_derivatives_finite(a: Any) -> None:
    def f(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum(((v * w**2) @ v.T) * WEIGHTS)

    assert np.isfinite(tg.grad(f)(a)).all()
    assert np.isfinite(tg.grad(lambda a: np.sum(tg.grad(f)(a) * WEIGHTS))(a)).all()
    assert np.isfinite(tg.jvp(f, (a,), (WEIGHTS,))[1])


@pytest.mark.parametrize("a", REPEATED)
def test_sums_over_repeated_eigenvalues_are_exact(a: Any) -> None:
    w, v = np.linalg.eigh(a)
    found = tg.grad(lambda a: np.sum(np.sin(np.linalg.eigvalsh(a))))(a)
    np.testing.assert_allclose(found, (v * np.cos(w)) @ v.T, atol=1e-14)


@pytest.mark.parametrize("kind", [real, complex_])
def test_eigenvectors_of_general_matrices_as_lapack_scales_them(kind: Any) -> None:
    check("linalg.eig", kind(4, 4))
    check("linalg.eigvals", kind(2, 3, 3))


def test_real_eigenvalues_stay_real() -> None:
    a = np.diag([1.0, 2.0, 4.0]) + 0.1 * real(3, 3)
    check("linalg.eig", a)
    assert tg.vjp(np.linalg.eigvals, a)[0].dtype == np.float64


def test_complex_eigenvalues_of_a_real_matrix_have_a_real_gradient() -> None:
    c = tg.grad(lambda a: np.abs(np.linalg.eigvals(a)[0]))(np.array([[0.0, -2.0], [2.0, 0.0]]))
    assert c.dtype == np.float64
    np.testing.assert_allclose(c, [[0.0, -0.5], [0.5, 0.0]], atol=1e-15)


def test_results_have_names() -> None:
    assert tnp.linalg.eigh(np.eye(2))._fields == np.linalg.eigh(np.eye(2))._fields
    assert tnp.linalg.eig(np.eye(2))._fields == np.linalg.eig(np.eye(2))._fields


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "eig", "eigvals"])
@pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 3))])
def test_what_is_no_square_matrix_raises_numpys_error(name: str, bad: Any) -> None:
    with pytest.raises(np.linalg.LinAlgError) as expected:
        getattr(np.linalg, name)(bad)
    with pytest.raises(np.linalg.LinAlgError) as found:
        tg.vjp(lambda a: getattr(tnp.linalg, name)(a), bad)
    assert str(found.value) == str(expected.value)


def test_another_triangle_raises_numpys_error() -> None:
    for f in (N.linalg.eigh, N.linalg.eigvalsh):
        with pytest.raises(ValueError, match="UPLO"):
            tg.vjp(lambda a, f=f: f(a, "X"), np.eye(2))
