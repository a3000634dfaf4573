"""Cholesky, QR and singular value decompositions: every mode, real and complex, and where vectors are not defined."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core.var import apply
from tapegrad.errors import MissingRuleError
from tapegrad.ops.linalg.triangular import LEAF, lower_inverse_p
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, hermitian_part, positive, real
from tests.numpy.through_doors import check

WEIGHTS = np.arange(9.0).reshape(3, 3)


# Cholesky


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("kind", [real, complex_])
def test_cholesky_of_hermitian_matrices(kind: Any, upper: bool) -> None:
    check_grads(lambda a: np.linalg.cholesky(hermitian_part(a), upper=upper), (positive(3, kind),))
    check_grads(
        lambda a: np.linalg.cholesky(hermitian_part(a), upper=upper), (np.stack([positive(2, kind), positive(2, kind)]),)
    )


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_reads_one_triangle_and_its_gradient_is_symmetric(upper: bool) -> None:
    a = positive(3)
    a[(2, 0) if upper else (0, 2)] = 77.0
    value, pull = tg.vjp(lambda a: tnp.linalg.cholesky(a, upper=upper), a)
    np.testing.assert_allclose(value, np.linalg.cholesky(a, upper=upper))
    (c,) = pull(np.ones_like(a))
    np.testing.assert_allclose(c, c.T)


def test_cholesky_keeps_float32() -> None:
    a = positive(3).astype(np.float32)
    y, pull = tg.vjp(np.linalg.cholesky, a)
    assert y.dtype == pull(y)[0].dtype == np.float32


@pytest.mark.parametrize("n", [LEAF, LEAF + 1, 3 * LEAF + 2])
def test_the_inverse_of_a_triangle_is_put_together_from_those_of_its_halves(n: int) -> None:
    rng = np.random.default_rng(n)
    a = rng.normal(size=(2, n, n)) / n + 2.0 * np.eye(n)
    np.testing.assert_allclose(apply(lower_inverse_p, a), np.linalg.inv(np.tril(a)), rtol=0, atol=1e-13)
    t = rng.normal(size=a.shape)
    _, pushed = tg.jvp(lambda a: apply(lower_inverse_p, a), (a,), (t,))
    near = [np.linalg.inv(np.tril(a + s * 1e-6 * t)) for s in (1.0, -1.0)]
    np.testing.assert_allclose(pushed, (near[0] - near[1]) / 2e-6, rtol=0, atol=1e-7)


def test_a_matrix_that_is_not_positive_definite_raises_numpys_error() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        tg.vjp(np.linalg.cholesky, -np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        tg.vjp(np.linalg.cholesky, np.ones((2, 3)))


# QR


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)])
@pytest.mark.parametrize("kind", [real, complex_])
def test_reduced_qr_and_r(shape: tuple[int, ...], kind: Any) -> None:
    check("linalg.qr", kind(*shape))
    check("linalg.qr", kind(*shape), "r")


@pytest.mark.parametrize("kind", [real, complex_])
def test_complete_qr_as_far_as_it_is_defined(kind: Any) -> None:
    if kind is real:
        check("linalg.qr", kind(3, 2), "complete")
    check("linalg.qr", kind(2, 3), "complete")

    def defined(a: Any) -> Any:
        q, r = np.linalg.qr(a, "complete")
        rest = q[:, 2:]
        return rest @ np.conj(rest).T, r

    check_grads(defined, (kind(5, 2),))


def test_qr_of_dependent_columns_has_no_derivative() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        tg.grad(lambda a: np.sum(np.linalg.qr(a)[0]))(np.zeros((2, 2)))


def test_qr_refuses_other_modes() -> None:
    with pytest.raises(MissingRuleError, match="raw"):
        tg.vjp(lambda a: np.linalg.qr(a, "raw")[0], np.eye(2))
    with pytest.raises(ValueError, match="mode"):
        tg.vjp(lambda a: tnp.linalg.qr(a, "other"), np.eye(2))  # type: ignore[call-overload]  # refused


# Singular values


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)])
def test_thin_decompositions(shape: tuple[int, ...]) -> None:
    apart = np.eye(shape[-2], shape[-1]) * np.arange(1.0, shape[-1] + 1)  # of the singular values, for the differences' sake
    check("linalg.svd", apart + 0.3 * real(*shape), full_matrices=False)
    check("linalg.svdvals", apart + 0.3 * complex_(*shape))
    check("linalg.svd", apart + 0.3 * real(*shape), compute_uv=False)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_complex_decompositions_where_the_phase_of_the_vectors_cancels(shape: tuple[int, ...]) -> None:
    def f(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * np.sin(s)) @ vh

    check_grads(f, (complex_(*shape),))


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_full_decompositions_with_one_vector_more(shape: tuple[int, ...]) -> None:
    check("linalg.svd", real(*shape))


@pytest.mark.parametrize("kind", [real, complex_])
def test_full_decompositions_as_far_as_they_are_defined(kind: Any) -> None:
    def left(a: Any) -> Any:
        rest = np.linalg.svd(a)[0][:, 2:]
        return rest @ np.conj(rest).T

    def right(a: Any) -> Any:
        rest = np.linalg.svd(a)[2][2:]
        return np.conj(rest).T @ rest

    check_grads(left, (kind(5, 2),))
    check_grads(right, (kind(2, 5),))


def test_decompositions_of_hermitian_matrices() -> None:
    a = hermitian_part(real(4, 4))
    expected = np.linalg.svd(a, hermitian=True)
    for found in (tnp.linalg.svd(a, hermitian=True), tg.vjp(lambda a: tuple(np.linalg.svd(a, hermitian=True)), a)[0]):
        for part, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(part, other)

    def f(a: Any) -> Any:
        u, s, vh = np.linalg.svd(hermitian_part(a), hermitian=True)
        return (u * np.sin(s)) @ vh, np.linalg.svd(hermitian_part(a), compute_uv=False, hermitian=True)

    check_grads(f, (a,))


@pytest.mark.parametrize(
    "a", [np.eye(3), np.zeros((3, 3)), np.diag([2.0, 2.0, 1.0]), np.outer([1.0, 2.0, 2.0], [1.0, 0.0, 2.0])]
)
def test_equal_and_vanishing_singular_values_leave_derivatives_finite(a: Any) -> None:
    def f(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a)
        return np.sum(((u * s**2) @ vh) * WEIGHTS)

    assert np.isfinite(tg.grad(f)(a)).all()
    assert np.isfinite(tg.grad(lambda a: np.sum(tg.grad(f)(a) * WEIGHTS))(a)).all()
    np.testing.assert_allclose(tg.grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2))(a), 2.0 * a, atol=1e-14)


def test_results_have_names() -> None:
    for a in (np.eye(2), np.ones((3, 2))):
        assert tnp.linalg.svd(a)._fields == np.linalg.svd(a)._fields
        assert tnp.linalg.qr(a)._fields == np.linalg.qr(a)._fields
    assert tg.grad(lambda a: np.linalg.svd(a).S[0])(np.diag([1.0, 2.0])).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("name", ["svd", "svdvals", "qr"])
def test_what_is_no_matrix_raises_numpys_error(name: str) -> None:
    with pytest.raises(np.linalg.LinAlgError) as expected:
        getattr(np.linalg, name)(np.ones(3))
    with pytest.raises(np.linalg.LinAlgError) as found:
        tg.vjp(lambda a: getattr(tnp.linalg, name)(a), np.ones(3))
    assert str(found.value) == str(expected.value)
