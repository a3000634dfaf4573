"""Linear algebra under SciPy's names: its values and errors, derivatives by every input, symmetrized where it reads a half."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tapegrad as tg
from tapegrad.errors import ConcretizationError, MissingRuleError
from tapegrad.scipy import linalg
from tapegrad.testing import check_grads
from tests.numpy.matrices import hermitian_part

SQUARE = np.array([[0.3, 1.5, -0.4], [2.0, -1.0, 0.5], [-0.2, 0.7, 1.8]])
SMALL = 0.3 * np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.4], [-0.2, 0.7, 1.8]])
POSITIVE = np.array([[2.0, 0.5, -0.3], [0.5, 1.5, 0.2], [-0.3, 0.2, 1.0]])
KINDS = pytest.mark.parametrize("kind", ["real", "complex"])
RIGHT = [np.array([0.3, -1.0, 0.5]), np.array([[0.3, 1.0], [-1.0, 0.2], [0.5, 0.7]])]


def of(kind: str, x: Any) -> Any:
    """Return a matrix with imaginary parts, if it is to have any."""
    return x if kind == "real" else x + 0.2j * np.random.default_rng(1).normal(size=x.shape)


def stack(x: Any) -> Any:
    return np.stack([x, 2.0 * x + np.eye(len(x))])


# Systems and inverses


@KINDS
@pytest.mark.parametrize("b", RIGHT, ids=["vector", "matrix"])
def test_systems(b: Any, kind: str) -> None:
    a, b = of(kind, SQUARE), of(kind, b)
    check_grads(linalg.solve, (a, b))
    check_grads(linalg.solve, (stack(a), b), 1)
    for structure in ("upper triangular", "lower triangular", "diagonal", "tridiagonal"):
        check_grads(lambda a, b, s=structure: linalg.solve(a, b, assume_a=s), (a, b), 1)
    for trans in (0, 1, 2):
        check_grads(lambda a, b, t=trans: linalg.solve_triangular(a, b, t, lower=t == 1, unit_diagonal=t == 2), (a, b))
        check_grads(lambda a, b, t=trans: linalg.lu_solve(linalg.lu_factor(a), b, t), (a, b), 1)
    p = of(kind, POSITIVE)
    for lower in (False, True):
        for structure in ("pos", "her"):
            check_grads(lambda a, b, s=structure, low=lower: linalg.solve(hermitian_part(a), b, low, assume_a=s), (p, b), 1)
        check_grads(lambda a, b, low=lower: linalg.cho_solve(linalg.cho_factor(hermitian_part(a), low), b), (p, b), 1)


@KINDS
def test_inverses_and_determinants(kind: str) -> None:
    a, p = of(kind, SQUARE), of(kind, POSITIVE)
    check_grads(linalg.inv, (stack(a),), 1)
    check_grads(lambda a: linalg.inv(hermitian_part(a), assume_a="pos"), (p,))
    check_grads(linalg.det, (a,))
    check_grads(linalg.pinv, (a[:, :2],))
    check_grads(lambda a: linalg.pinv(a, atol=1e-3), (a[:2],), 1)
    check_grads(lambda a: linalg.pinvh(hermitian_part(a)), (p,), 1)
    check_grads(lambda a: linalg.norm(a, 1), (a,), 1)


@KINDS
def test_band_and_toeplitz_systems(kind: str) -> None:
    band = of(kind, np.array([[0.0, 0.5, -0.3, 0.2], [2.0, 1.5, 1.8, -2.0], [0.4, -0.2, 0.3, 0.0]]))
    b = of(kind, np.array([[0.3, 1.0], [-1.0, 0.2], [0.5, 0.7], [0.1, -0.4]]))
    check_grads(lambda ab, b: linalg.solve_banded((1, 1), ab, b), (band, b))
    check_grads(lambda ab, b: linalg.solve_banded((1, 1), ab, b[:, 0]), (band, b), 1)
    half = np.array([[0.0, 0.0, 0.1, 0.2], [0.0, 0.5, 0.3, 0.2], [2.0, 2.0, 2.0, 2.0]])
    check_grads(linalg.solveh_banded, (half, b.real))
    check_grads(lambda ab, b: linalg.solveh_banded(ab, b, lower=True), (half[::-1].copy(), b.real), 1)
    c, r = of(kind, np.array([3.0, 0.5, 0.2, 0.1])), of(kind, np.array([3.0, -0.4, 0.3, 0.2]))
    check_grads(linalg.solve_toeplitz, (c, b), 1)
    check_grads(lambda c, r, b: linalg.solve_toeplitz((c, r), b[:, 0]), (c, r, b))


# Factors


@KINDS
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3)])
def test_factors(shape: tuple[int, ...], kind: str) -> None:
    a = of(kind, np.random.default_rng(3).normal(size=shape))
    check_grads(lambda a: linalg.lu(a)[1:], (a,))
    check_grads(lambda a: linalg.lu(a, permute_l=True), (a,), 1)
    check_grads(lambda a: linalg.qr(a, mode="economic"), (a,), 1)
    check_grads(linalg.svdvals, (a,), 1)
    check_grads(linalg.polar, (a,))
    check_grads(lambda a: linalg.polar(a, "left"), (a,), 1)
    if len(shape) == 2:
        check_grads(lambda a: linalg.qr(a, mode="economic", pivoting=True)[:2], (a,), 1)


@KINDS
def test_cholesky(kind: str) -> None:
    p = of(kind, POSITIVE)
    for lower in (False, True):
        check_grads(lambda a, low=lower: linalg.cholesky(hermitian_part(a), low), (stack(p),))
        check_grads(lambda a, low=lower: linalg.cho_factor(hermitian_part(a), low)[0], (p,), 1)


def test_the_polar_decomposition_has_a_derivative_where_singular_values_coincide() -> None:
    check_grads(linalg.polar, (2.0 * np.eye(3),))


# Spectra


@KINDS
def test_hermitian_pairs_and_some_eigenvalues(kind: str) -> None:
    a, b = of(kind, POSITIVE - 2.0 * np.eye(3)), of(kind, POSITIVE @ POSITIVE + np.eye(3))

    def invariant(wv: Any) -> Any:
        return wv[0], np.abs(wv[1]) ** 2

    for type_ in (1, 2, 3):
        check_grads(lambda a, b, t=type_: invariant(linalg.eigh(hermitian_part(a), hermitian_part(b), type=t)), (a, b), 1)
    check_grads(lambda a: invariant(linalg.eigh(hermitian_part(a), subset_by_index=(1, 2))), (a,), 1)
    check_grads(lambda a: linalg.eigvalsh(hermitian_part(a), subset_by_value=(-0.9, 9.0)), (a,))
    check_grads(linalg.eigvals, (of(kind, SMALL),))


def test_an_invariant_function_has_a_derivative_where_the_eigenvalues_of_a_pair_coincide() -> None:
    b = POSITIVE

    def f(a: Any) -> Any:
        w, v = linalg.eigh(a, b)
        return np.sum((v * np.exp(w)) @ v.T * POSITIVE)

    g = tg.grad(f)(2.0 * b)
    h = 1e-4
    t = np.array([[1.0, 0.3, 0.0], [0.3, -1.0, 0.5], [0.0, 0.5, 0.2]])
    assert np.isclose(np.sum(g * t), (f(2.0 * b + h * t) - f(2.0 * b - h * t)) / (2 * h), rtol=1e-5)
    assert np.allclose(g, g.T)


# Functions and equations


@KINDS
@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm"])
def test_functions_of_matrices(name: str, kind: str) -> None:
    check_grads(getattr(linalg, name), (of(kind, SMALL),))


def test_powers_and_the_derivative_of_the_exponential() -> None:
    for t in (0.5, -1.5, 2, -1, 0):
        check_grads(lambda a, t=t: linalg.fractional_matrix_power(a, t), (SMALL,), 1)
    g = tg.grad(lambda t: np.sum(linalg.fractional_matrix_power(POSITIVE, t)))(0.7)
    assert np.isclose(g, np.sum(scipy.linalg.logm(POSITIVE) @ scipy.linalg.fractional_matrix_power(POSITIVE, 0.7)))
    check_grads(linalg.expm_frechet, (SMALL, POSITIVE))


@pytest.mark.parametrize("n", [8, 40])
def test_large_exponentials_of_either_algorithm(n: int) -> None:
    a, e = np.random.default_rng(0).normal(size=(2, n, n)) / np.sqrt(n)
    expected = scipy.linalg.expm_frechet(a, e, compute_expm=False)
    assert np.allclose(tg.jvp(linalg.expm, (a,), (e,))[1], expected, rtol=1e-10)


def test_a_logarithm_with_negative_eigenvalues_is_complex() -> None:
    check_grads(linalg.logm, (np.array([[-2.0, 1.0], [0.3, 1.0]]),), 1)


@KINDS
def test_matrix_equations(kind: str) -> None:
    a, q, b = of(kind, SMALL), of(kind, POSITIVE), of(kind, RIGHT[1])
    check_grads(linalg.solve_sylvester, (a, of(kind, POSITIVE[:2, :2]), b))
    check_grads(linalg.solve_continuous_lyapunov, (a, q), 1)
    check_grads(linalg.solve_discrete_lyapunov, (a, q))
    for solve in (linalg.solve_continuous_are, linalg.solve_discrete_are):

        def riccati(a: Any, b: Any, q: Any, r: Any, *more: Any, solve: Any = solve) -> Any:
            return solve(a, b, hermitian_part(q), hermitian_part(r), *more)

        matrices = (a, b, q + 3.0 * np.eye(3), q[:2, :2])
        check_grads(riccati, matrices, 1)
        check_grads(riccati, (*matrices, np.eye(3) + 0.2 * a, 0.1 * b), 1)


def test_sylvesters_equation_is_solved_where_real_and_complex_matrices_meet() -> None:
    rotation = np.array([[0.5, -2.0], [2.0, 0.5]])
    q = np.array([[1.0 + 2.0j, 0.5], [1.0j, 2.0]])
    x, _ = tg.vjp(lambda q: linalg.solve_sylvester(rotation, rotation, q), q)
    assert np.allclose(rotation @ x + x @ rotation, q)


# Structured matrices


@KINDS
def test_matrices_of_vectors_and_blocks(kind: str) -> None:
    c, r, m = of(kind, RIGHT[0]), of(kind, np.array([2.0, -0.3])), of(kind, RIGHT[1])
    check_grads(linalg.block_diag, (m, c, stack(of(kind, SMALL))), 1)
    check_grads(linalg.toeplitz, (c,))
    check_grads(linalg.toeplitz, (c, r))
    check_grads(linalg.circulant, (m,), 1)
    check_grads(linalg.hankel, (c,), 1)
    check_grads(linalg.hankel, (c, r), 1)
    check_grads(linalg.companion, (m.T + 2.0,))
    check_grads(linalg.khatri_rao, (m, of(kind, SMALL)[:, :2]), 1)
    modes: tuple[Any, ...] = ("full", "same", "valid")
    for mode in modes:
        for n in (1, 2, 5):
            check_grads(lambda a, n=n, mode=mode: linalg.convolution_matrix(a, n, mode), (c,), 1)


# Conventions


def test_the_gradient_by_a_symmetric_matrix_is_symmetric() -> None:
    b = RIGHT[0]
    functions: list[Callable[[Any], Any]] = [
        lambda a: np.sum(linalg.solve(a, b, assume_a="pos")),
        lambda a: np.sum(linalg.cholesky(a)),
        lambda a: np.sum(linalg.cho_solve(linalg.cho_factor(a), b)),
        lambda a: np.sum(linalg.eigh(a, driver="evd")[1]),
    ]
    for f in functions:
        g = tg.grad(f)(POSITIVE)
        assert np.allclose(g, g.T)


@pytest.mark.parametrize("name", ["inv", "expm", "sqrtm", "svdvals", "pinv", "cholesky", "toeplitz"])
def test_single_precision_is_kept(name: str) -> None:
    f = getattr(linalg, name)
    x = POSITIVE[0].astype(np.float32) if name == "toeplitz" else POSITIVE.astype(np.float32)
    y, pull = tg.vjp(f, x)
    assert y.dtype == pull(y)[0].dtype == np.float32


def test_the_determinant_is_in_double_precision_as_scipys_is() -> None:
    y, pull = tg.vjp(linalg.det, POSITIVE.astype(np.float32))
    assert y.dtype == np.float64
    assert pull(y)[0].dtype == np.float32


def test_batches_are_what_a_loop_computes() -> None:
    matrices, vectors = stack(SQUARE), np.array([[0.3, -1.0, 0.5], [1.0, 0.2, 0.7]])

    def f(a: Any, b: Any) -> Any:
        _, left, right = linalg.lu(a)
        return np.sum(linalg.lu_solve(linalg.lu_factor(a), b)) + np.sum(left @ (linalg.expm(0.3 * a) @ right))

    found = tg.vmap(tg.grad(f))(matrices, vectors)
    assert np.allclose(found, [tg.grad(f)(a, b) for a, b in zip(matrices, vectors, strict=True)])


def test_against_jax() -> None:
    jax = pytest.importorskip("jax")
    jsl = jax.scipy.linalg
    b = RIGHT[1]
    with jax.enable_x64(True):
        pairs: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
            (lambda a: linalg.expm(a), lambda a: jsl.expm(a)),
            (lambda a: linalg.lu(a)[2], lambda a: jsl.lu(a)[2]),
            (lambda a: linalg.solve_triangular(a, b, lower=True), lambda a: jsl.solve_triangular(a, b, lower=True)),
            (lambda a: linalg.lu_solve(linalg.lu_factor(a), b), lambda a: jsl.lu_solve(jsl.lu_factor(a), b)),
            (lambda a: linalg.block_diag(a, a), lambda a: jsl.block_diag(a, a)),
        ]
        for ours, theirs in pairs:
            weights = np.random.default_rng(0).normal(size=np.shape(ours(SQUARE)))
            g = tg.grad(lambda a, f=ours, w=weights: np.sum(f(a) * w))(SQUARE)
            other = jax.grad(lambda a, f=theirs, w=weights: (f(a) * w).sum())(SQUARE)
            assert np.allclose(g, np.asarray(other), rtol=1e-9)


# Bad input


ERRORS: list[tuple[type[Exception], Callable[[Any], Any]]] = [
    (np.linalg.LinAlgError, lambda a: linalg.solve(0.0 * a, a)),
    (np.linalg.LinAlgError, lambda a: linalg.solve(-a, a, assume_a="pos")),
    (ValueError, lambda a: linalg.solve(a, a[:2])),
    (ValueError, lambda a: linalg.solve(a, a, assume_a="round")),
    (ValueError, lambda a: linalg.solve(a / 0.0 if type(a) is np.ndarray else a * np.inf, a)),
    (np.linalg.LinAlgError, lambda a: linalg.solve_triangular(0.0 * a, a)),
    (ValueError, lambda a: linalg.solve_triangular(a[:2], a)),
    (np.linalg.LinAlgError, lambda a: linalg.cholesky(-a)),
    (ValueError, lambda a: linalg.cho_solve((a, False), a[:2])),
    (ValueError, lambda a: linalg.lu(a[0])),
    (ValueError, lambda a: linalg.det(a[:2])),
    (np.linalg.LinAlgError, lambda a: linalg.expm(a[:2])),
    (ValueError, lambda a: linalg.solve_sylvester(a, a, a[:2])),
    (ValueError, lambda a: linalg.eigh(a[:2])),
    (ValueError, lambda a: linalg.companion(a[0, :1])),
    (ValueError, lambda a: linalg.solve_banded((2, 2), a, a)),
]


@pytest.mark.parametrize(("error", "f"), ERRORS)
def test_bad_input_gets_scipys_kind_of_error(error: type[Exception], f: Callable[[Any], Any]) -> None:
    with np.errstate(all="ignore"):
        with pytest.raises(error):
            f(POSITIVE)
        with pytest.raises(error):
            tg.vjp(f, POSITIVE)
    assert tg.grad(lambda a: np.sum(linalg.inv(a)))(POSITIVE).shape == (3, 3)


def test_what_has_no_rule_says_what_to_use() -> None:
    with pytest.raises(MissingRuleError, match="conj"):
        tg.vjp(lambda a: linalg.eig(a, left=True), SMALL)
    with pytest.raises(MissingRuleError, match="economic"):
        tg.vjp(lambda a: linalg.qr(a, mode="raw")[1], SMALL)


def test_scipys_own_functions_refuse_traced_values() -> None:
    with pytest.raises(ConcretizationError):
        tg.vjp(scipy.linalg.expm, SMALL)
