"""Subspaces, bands, circulants and matrices of models, under SciPy's names: its values and errors, and derivatives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tapegrad as tg
from tapegrad.scipy import linalg
from tapegrad.testing import check_grads

KINDS = pytest.mark.parametrize("kind", ["real", "complex"])
WIDE = np.array([[0.3, 1.5, -0.4, 0.2], [2.0, -1.0, 0.5, 0.7]])
TALL = np.array([[0.3, 1.5], [2.0, -1.0], [-0.2, 0.7], [0.4, 0.6]])
POSITIVE = np.array([[2.0, 0.5, -0.3], [0.5, 1.5, 0.2], [-0.3, 0.2, 1.0]])
HALF = np.array([[0.0, 0.0, 0.1, 0.2], [0.0, 0.5, 0.3, 0.2], [2.0, 2.5, 1.5, 2.2]])


def of(kind: str, x: Any, seed: int = 1) -> Any:
    """Return a matrix with imaginary parts, if it is to have any."""
    return x if kind == "real" else x + 0.2j * np.random.default_rng(seed).normal(size=x.shape)


def projector(q: Any) -> Any:
    return q @ np.conj(q).T


# Subspaces


@KINDS
@pytest.mark.parametrize("driver", [None, "gelsd", "gelsy", "gelss"])
def test_least_squares(kind: str, driver: Any) -> None:
    a, wide = of(kind, TALL), of(kind, WIDE)
    b, right = of(kind, TALL[:, 0] + 1.0), of(kind, TALL + 1.0, 2)
    check_grads(lambda a, b: linalg.lstsq(a, b, lapack_driver=driver)[:2], (a, b), 1)
    check_grads(lambda a, b: linalg.lstsq(a, b, lapack_driver=driver)[:2], (a, right), 1)
    check_grads(lambda a, b: linalg.lstsq(a, b, lapack_driver=driver)[:2], (wide, b[:2]), 1)
    found, expected = (
        tg.vjp(lambda a: linalg.lstsq(a, b, lapack_driver=driver), a)[0],
        scipy.linalg.lstsq(a, b, lapack_driver=driver),
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        assert theirs is None or (np.allclose(ours, theirs) and np.shape(ours) == np.shape(theirs))


@KINDS
def test_ranges_and_null_spaces(kind: str) -> None:
    wide, tall = of(kind, WIDE), of(kind, TALL)
    check_grads(lambda a: projector(linalg.null_space(a)), (wide,))
    check_grads(lambda a: projector(linalg.null_space(a)), (wide[:1],), 1)
    check_grads(lambda a: projector(linalg.orth(a)), (tall,))
    assert linalg.null_space(tall).shape == tg.vjp(linalg.null_space, tall)[0].shape == (2, 0)
    flat = np.outer(tall[:, 0], wide[0])
    for f in (linalg.null_space, linalg.orth):
        assert np.allclose(projector(tg.vjp(f, flat)[0]), projector(f(flat)))
        assert np.allclose(tg.vmap(f)(np.stack([wide, wide])), f(wide))
    check_grads(lambda a: projector(linalg.orth(a[0])) + projector(linalg.orth(a)[1]), (np.stack([tall, 2.0 * tall]),), 1)


@KINDS
def test_rotations_and_angles_between_subspaces(kind: str) -> None:
    a, b = of(kind, TALL), of(kind, TALL[::-1] + 0.3, 2)
    check_grads(linalg.orthogonal_procrustes, (a, b))
    check_grads(linalg.subspace_angles, (a, b))
    check_grads(linalg.subspace_angles, (a, of(kind, TALL[:, :1] + np.array([[0.5], [0.1], [0.3], [-0.2]]))), 1)
    near = np.array([[1.0], [1e-9], [0.0]])
    angle, pull = tg.vjp(lambda b: linalg.subspace_angles(np.eye(3)[:, :1], b)[0], near)
    assert np.isclose(angle, 1e-9, rtol=1e-6) and np.allclose(pull(np.ones(()))[0], [[0.0], [1.0], [0.0]], atol=1e-6)


def test_a_large_angle_beside_a_common_direction_has_its_derivative() -> None:
    """Planes that are turned against each other share a line: an angle of 0, which has no share in the gradient."""

    def plane(turn: Any) -> Any:
        return np.stack([np.array([1.0, 0.0, 0.0]), np.stack([0.0 * turn, np.cos(turn), np.sin(turn)])], axis=-1)

    for turn in (0.3, 1.2, 1.5):
        angles, moved = tg.jvp(lambda t: linalg.subspace_angles(np.eye(3)[:, :2], plane(t)), (turn,), (1.0,))
        np.testing.assert_allclose(angles, [turn, 0.0], atol=1e-15)
        np.testing.assert_allclose(moved, [1.0, 0.0], atol=1e-12)
        assert tg.grad(lambda t: np.sum(linalg.subspace_angles(np.eye(3)[:, :2], plane(t))))(turn) == pytest.approx(1.0)


@KINDS
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 2, 3)])
def test_rq(shape: tuple[int, ...], kind: str) -> None:
    a = of(kind, np.random.default_rng(3).normal(size=shape))
    check_grads(lambda a: linalg.rq(a, mode="economic"), (a,), 1)
    if len(shape) == 2:
        found, expected = tg.vjp(linalg.rq, a)[0], scipy.linalg.rq(a)
        assert all(np.allclose(x, y) for x, y in zip(found, expected, strict=True))
        check_grads(lambda a: linalg.rq(a, mode="r"), (a,), 1)


# Bands


@KINDS
def test_eigenvalues_of_bands(kind: str) -> None:
    upper = of(kind, HALF)
    upper[-1] = upper[-1].real
    lower = np.array([upper[2], [*upper[1, 1:].conj(), 0.0], [*upper[0, 2:].conj(), 0.0, 0.0]])

    def invariant(wv: Any) -> Any:
        return wv[0], np.abs(wv[1]) ** 2

    if kind == "real":
        for settings in ({}, {"select": "i", "select_range": (1, 2)}, {"select": "v", "select_range": (1.9, 9.0)}):
            check_grads(lambda x, s=settings: invariant(linalg.eig_banded(x, **s)), (upper,), 1)
            check_grads(lambda x, s=settings: invariant(linalg.eig_banded(x, True, **s)), (lower,), 1)
        check_grads(linalg.eigvals_banded, (upper,))
    else:  # the diagonal is real
        for x, is_lower, row in ((upper, False, 2), (lower, True, 0)):

            def f(main: Any, beside: Any, is_lower: bool = is_lower) -> Any:
                rows = [main + 0j, *beside] if is_lower else [*beside, main + 0j]
                return invariant(linalg.eig_banded(np.stack(rows), is_lower))

            check_grads(f, (x[row].real, np.delete(x, row, 0)), 1)


def test_eigenvalues_of_tridiagonal_matrices() -> None:
    d, e = np.array([2.0, -1.0, 0.5, 3.0]), np.array([0.3, -0.7, 1.1])
    check_grads(linalg.eigvalsh_tridiagonal, (d, e))
    check_grads(lambda d, e: np.abs(linalg.eigh_tridiagonal(d, e)[1]), (d, e), 1)
    check_grads(lambda d, e: linalg.eigvalsh_tridiagonal(d, e, "i", (0, 1)), (d, e), 1)
    check_grads(lambda d, e: linalg.eigvalsh_tridiagonal(d, e, "v", (0.0, 9.0)), (d, e), 1)
    found = tg.vmap(tg.grad(lambda d: linalg.eigvalsh_tridiagonal(d, e)[0]))(np.stack([d, 2.0 * d]))
    assert np.allclose(found[1], tg.grad(lambda d: linalg.eigvalsh_tridiagonal(d, e)[0])(2.0 * d))


@KINDS
def test_cholesky_factors_of_bands(kind: str) -> None:
    upper = of(kind, HALF)
    upper[-1] = upper[-1].real
    lower = np.array([upper[2], [*upper[1, 1:].conj(), 0.0], [*upper[0, 2:].conj(), 0.0, 0.0]])
    b = of(kind, np.arange(8.0).reshape(4, 2) - 3.0)
    for half, is_lower, row in ((upper, False, 2), (lower, True, 0)):

        def whole(main: Any, beside: Any, is_lower: bool = is_lower) -> Any:
            return np.stack([main + 0.0 * beside[0], *beside] if is_lower else [*beside, main + 0.0 * beside[0]])

        def factor(main: Any, beside: Any, is_lower: bool = is_lower, whole: Any = whole) -> Any:
            return linalg.cholesky_banded(whole(main, beside), lower=is_lower)

        def solved(main: Any, beside: Any, b: Any, is_lower: bool = is_lower, factor: Any = factor) -> Any:
            return linalg.cho_solve_banded((factor(main, beside), is_lower), b)

        parts = half[row].real, np.delete(half, row, 0)
        c, _ = tg.vjp(factor, *parts)
        expected = scipy.linalg.cholesky_banded(half, lower=is_lower)
        assert np.allclose(c, expected)
        x, _ = tg.vjp(solved, *parts, b)
        assert np.allclose(x, scipy.linalg.solveh_banded(half, b, lower=is_lower))
        check_grads(factor, parts, 1)
        check_grads(solved, (*parts, b), 1)
        check_grads(lambda c, b, is_lower=is_lower: linalg.cho_solve_banded((c, is_lower), b[:, 0]), (expected, b), 1)


# Circulants and Toeplitz matrices


@KINDS
def test_circulant_systems(kind: str) -> None:
    c, b = of(kind, np.array([3.0, 0.5, 0.2, 0.1])), of(kind, np.array([0.3, -1.0, 0.5, 0.2]), 2)
    check_grads(linalg.solve_circulant, (c, b))
    columns = np.stack([b, 2.0 * b + 1.0], 1)
    check_grads(linalg.solve_circulant, (c, columns), 1)
    check_grads(
        lambda c, b: linalg.solve_circulant(c[:, None], b, baxis=-1, outaxis=-1), (np.stack([c, c + 1.0]), columns.T), 1
    )
    alternating = np.array([1.0, -1.0, 1.0, -1.0])
    for f in (lambda c: linalg.solve_circulant(c, b), lambda c: linalg.solve_circulant(c, b, tol=1e-3)):
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            tg.vjp(f, alternating)
    least, _ = tg.vjp(lambda c: linalg.solve_circulant(c, b, singular="lstsq"), alternating)
    assert np.allclose(least, scipy.linalg.solve_circulant(alternating, b, singular="lstsq"))


@KINDS
def test_products_with_toeplitz_matrices(kind: str) -> None:
    c, r = of(kind, np.array([3.0, 0.5, 0.2])), of(kind, np.array([1.0, -0.4, 0.3, 0.2]), 2)
    x = of(kind, np.arange(8.0).reshape(4, 2) - 3.0, 3)
    check_grads(lambda c, r, x: linalg.matmul_toeplitz((c, r), x), (c, r, x))
    check_grads(lambda c, x: linalg.matmul_toeplitz(c, x[:, 0]), (r, x), 1)
    assert np.allclose(tg.vjp(lambda c: linalg.matmul_toeplitz((c, r), x), c)[0], linalg.toeplitz(c, r) @ x)


# Matrices of models


@KINDS
def test_matrices_of_models(kind: str) -> None:
    a = of(kind, np.array([2.0, -0.3, 0.7, 1.1, 0.4]))
    check_grads(lambda s: linalg.diagsvd(s, 5, 7), (a,), 1)
    check_grads(lambda s: linalg.diagsvd(s, 7, 5), (a,), 1)
    check_grads(linalg.leslie, (a, a[1:]), 1)
    check_grads(linalg.leslie, (np.stack([a, 2.0 * a]), np.stack([a, a])[:, 1:]), 1)
    check_grads(linalg.fiedler, (a,), 1)
    for n in (2, 3, 4, 5):
        check_grads(linalg.fiedler_companion, (a[:n],), 1)
    check_grads(linalg.fiedler_companion, (np.stack([a, 2.0 * a + 1.0]),), 1)
    roots = np.linalg.eigvals(tg.vjp(linalg.fiedler_companion, a)[0])
    assert np.allclose(np.polyval(a, roots), 0.0)


@KINDS
def test_the_sign_of_a_matrix(kind: str) -> None:
    a = of(kind, POSITIVE - 1.4 * np.eye(3))
    check_grads(linalg.signm, (a,))
    sign, _ = tg.vjp(linalg.signm, a)
    assert np.allclose(sign @ sign, np.eye(3))


def test_matrices_of_numbers_are_scipys() -> None:
    assert linalg.hilbert is scipy.linalg.hilbert and linalg.dft is scipy.linalg.dft
    assert linalg.solve_lyapunov is linalg.solve_continuous_lyapunov


# Stacks


STACK = np.stack([POSITIVE, 2.0 * POSITIVE + np.eye(3)])
VECTORS = np.array([[4.0, 0.3, 0.7], [3.0, -0.2, 0.4]])
HALVES = np.stack([HALF, 1.5 * HALF])

STACKS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (linalg.toeplitz, (VECTORS, VECTORS[0])),
    (lambda a: linalg.convolution_matrix(a, 4, "same"), (VECTORS,)),
    (linalg.khatri_rao, (STACK, STACK[0])),
    (linalg.solve_toeplitz, (VECTORS, STACK[:, :, :2])),
    (linalg.solve_toeplitz, (VECTORS, VECTORS[0])),
    (lambda c, x: linalg.matmul_toeplitz((c, c), x), (VECTORS, STACK[0])),
    (linalg.solveh_banded, (HALVES, HALF.T)),
    (linalg.eigvals_banded, (HALVES,)),
    (linalg.eigvalsh_tridiagonal, (VECTORS, VECTORS[:, :2])),
    (lambda a, b: linalg.lstsq(a, b)[:2], (STACK[:, :, :2], STACK[0])),
    (lambda a, b: linalg.lstsq(a, b)[:2], (STACK[:, :, :2], VECTORS[0])),
    (linalg.orthogonal_procrustes, (STACK, STACK[::-1] + 1.0)),
    (linalg.subspace_angles, (STACK[:, :, :1], STACK[:, :, 1:] + 1.0)),
    (lambda s: linalg.diagsvd(s, 4, 3), (VECTORS,)),
    (lambda a: linalg.solve_continuous_are(a, POSITIVE, POSITIVE, POSITIVE), (0.3 * STACK,)),
    (lambda a: linalg.solve_discrete_are(a, STACK[:, :, :2], STACK, POSITIVE[:2, :2]), (0.3 * POSITIVE,)),
]


@pytest.mark.parametrize(("f", "args"), STACKS)
def test_stacks_of_matrices_are_taken_as_scipy_takes_them(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    check_grads(f, args, 1)


# Conventions


@pytest.mark.parametrize("name", ["orth", "null_space", "signm", "fiedler", "cholesky_banded", "eigvals_banded", "rq"])
def test_single_precision_is_kept(name: str) -> None:
    x = {"null_space": WIDE, "cholesky_banded": HALF, "eigvals_banded": HALF, "fiedler": WIDE[0]}.get(name, POSITIVE)
    y, pull = tg.vjp(lambda x: np.sum(np.abs(tg.tree.leaves(getattr(linalg, name)(x))[0])), x.astype(np.float32))
    assert y.dtype == pull(y)[0].dtype == np.float32


ERRORS: list[Callable[[Any], Any]] = [
    lambda a: linalg.lstsq(a, a[:2]),
    lambda a: linalg.lstsq(a, a, lapack_driver="round"),  # type: ignore[arg-type]  # by the types as well
    lambda a: linalg.null_space(a[0]),
    lambda a: linalg.orthogonal_procrustes(a, a[:2]),
    lambda a: linalg.subspace_angles(a, a[:2]),
    lambda a: linalg.rq(a, mode="round"),  # type: ignore[arg-type]  # by the types as well
    lambda a: linalg.eig_banded(a, select="x"),  # type: ignore[arg-type]  # by the types as well
    lambda a: linalg.eigh_tridiagonal(a[0], a[0]),
    lambda a: linalg.cholesky_banded(-a),
    lambda a: linalg.cho_solve_banded((a, True), a[0, :2]),
    lambda a: linalg.solve_circulant(a[0], a[0, :2]),
    lambda a: linalg.matmul_toeplitz(a[0], a[0, :2]),
    lambda a: linalg.diagsvd(a[0], 4, 5),
    lambda a: linalg.leslie(a[0], a[0]),
    lambda a: linalg.fiedler_companion(0.0 * a[0]),
    lambda a: linalg.signm(a[:2]),
    lambda a: linalg.null_space(a * np.nan),
]


@pytest.mark.parametrize("f", ERRORS)
def test_bad_input_gets_scipys_kind_of_error(f: Callable[[Any], Any]) -> None:
    with pytest.raises((ValueError, TypeError, np.linalg.LinAlgError)) as plain:
        f(POSITIVE)
    with pytest.raises(type(plain.value)):
        tg.vjp(f, POSITIVE)


def test_matrices_of_no_diagonals_are_empty() -> None:
    calls: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (linalg.toeplitz, scipy.linalg.toeplitz),
        (linalg.circulant, scipy.linalg.circulant),
        (linalg.hankel, scipy.linalg.hankel),
    ]
    for f, expected in calls:
        y, pull = tg.vjp(f, np.ones(0))
        assert y.shape == expected(np.ones(0)).shape == (0, 0)
        assert pull(y)[0].shape == (0,)
    y, pull = tg.vjp(linalg.toeplitz, np.ones(0), np.ones(3))
    assert y.shape == scipy.linalg.toeplitz(np.ones(0), np.ones(3)).shape
    assert [x.tolist() for x in pull(y)] == [[], [0.0, 0.0, 0.0]]
