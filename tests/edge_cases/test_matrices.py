"""Symmetric matrices, and eigenvectors that belong to the same eigenvalue."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import check_grads
from tests.edge_cases.doors import both_doors

REPEATED = {
    "identity": np.eye(3),
    "zero": np.zeros((2, 2)),
    "diagonal": np.diag([1.0, 1.0, 2.0]),
    "turned": np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]]),
}


def symmetric(n: int) -> Any:
    a = np.random.default_rng(0).normal(size=(n, n))
    return a + a.T


@both_doors
@pytest.mark.parametrize("name", REPEATED)
def test_functions_of_a_matrix_with_equal_eigenvalues_are_finite(xp: Any, name: str) -> None:
    """``V f(w) V'`` does not depend on the choice of eigenvectors."""
    a = REPEATED[name]
    weight = symmetric(len(a))

    def squared(a: Any) -> Any:
        w, v = xp.linalg.eigh(a)
        return (weight * ((v * w**2) @ v.T)).sum()

    for gradient in (tg.grad(squared)(a), tg.jacfwd(squared)(a)):
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(np.trace(gradient), np.trace(weight @ a + a @ weight))  # the derivative along the identity
    assert np.isfinite(tg.hessian(squared)(a)).all()


@both_doors
@pytest.mark.parametrize("name", ("diagonal", "turned"))
def test_projections_onto_all_vectors_of_an_eigenvalue_are_exact(xp: Any, name: str) -> None:
    weight = symmetric(3)

    def projected(a: Any) -> Any:
        v = xp.linalg.eigh((a + a.T) / 2)[1][:, :2]
        return (weight * (v @ v.T)).sum()

    check_grads(projected, (REPEATED[name],), order=1)
    assert np.isfinite(tg.hessian(projected)(REPEATED[name])).all()


@both_doors
@pytest.mark.parametrize("name", REPEATED)
def test_sums_of_equal_eigenvalues_have_the_derivative_of_the_trace(xp: Any, name: str) -> None:
    a = REPEATED[name]
    for f in (lambda a: xp.linalg.eigh(a)[0], xp.linalg.eigvalsh):
        np.testing.assert_allclose(tg.grad(lambda a, f=f: f(a).sum())(a), np.eye(len(a)), atol=1e-12)
        np.testing.assert_allclose(tg.grad(lambda a, f=f: (f(a) ** 2).sum())(a), 2 * a, atol=1e-12)
        hessian = tg.hessian(lambda a, f=f: (f(a) ** 2).sum())(a)
        assert np.isfinite(hessian).all()


@both_doors
@pytest.mark.parametrize("matrix", (np.eye(2), np.zeros((3, 2)), np.diag([2.0, 2.0, 1.0])), ids=("identity", "zero", "pair"))
def test_functions_of_equal_singular_values_are_finite(xp: Any, matrix: Any) -> None:
    weight = np.random.default_rng(1).normal(size=matrix.shape)

    def rebuilt(a: Any) -> Any:
        u, s, vh = xp.linalg.svd(a, full_matrices=False)
        return (weight * ((u * s) @ vh)).sum()

    assert np.isfinite(tg.grad(rebuilt)(matrix)).all()
    assert np.isfinite(tg.jacfwd(rebuilt)(matrix)).all()
    assert np.isfinite(tg.hessian(rebuilt)(matrix)).all()
    squares = tg.grad(lambda a: (xp.linalg.svd(a, compute_uv=False) ** 2).sum())(matrix)
    np.testing.assert_allclose(squares, 2 * matrix, atol=1e-12)


@both_doors
def test_the_cotangent_of_a_symmetric_matrix_is_symmetric(xp: Any) -> None:
    a = symmetric(3)
    positive = a @ a + np.eye(3)
    weight = np.random.default_rng(2).normal(size=(3, 3))

    def of_eigh(a: Any) -> Any:
        w, v = xp.linalg.eigh(a)
        return (weight * ((v * xp.sin(w)) @ v.T)).sum()

    for f, x in (
        (of_eigh, a),
        (lambda a: (weight[0] * xp.linalg.eigvalsh(a)).sum(), a),
        (lambda a: (weight * xp.linalg.cholesky(a)).sum(), positive),
    ):
        gradient = tg.grad(f)(x)
        np.testing.assert_allclose(gradient, gradient.T, atol=1e-13)
        check_grads(lambda a, f=f: f((a + a.T) / 2), (x,), order=2)


@both_doors
@pytest.mark.parametrize("triangle", ("L", "U"))
def test_either_triangle_is_read_and_the_gradient_is_that_of_the_symmetric_matrix(xp: Any, triangle: str) -> None:
    a = symmetric(3)
    garbage = np.tril(a) if triangle == "L" else np.triu(a)
    whole = tg.grad(lambda a: (xp.linalg.eigvalsh(a) ** 3).sum())(a)
    np.testing.assert_allclose(whole, 3 * a @ a, atol=1e-10)
    half = tg.grad(lambda a: (xp.linalg.eigvalsh(a, triangle) ** 3).sum())(garbage)
    np.testing.assert_allclose(half, whole, atol=1e-10)
