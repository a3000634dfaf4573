"""Determinants: exact derivatives at singular matrices, and what a branch not taken contributes."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, real
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

SINGULAR: list[Any] = [
    np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]),
    np.zeros((1, 1)),
    np.zeros((2, 2)),
    np.zeros((3, 3)),
    np.diag([0.0, 0.0, 2.0]),
    np.diag([1.0, 2.0, 0.0, 0.0, 3.0]),
    np.ones((4, 4)),
    np.stack([np.diag([1.0, 0.0]), np.eye(2), np.ones((2, 2))]),
]


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1), (4, 4)])
def test_determinants_of_stacks(shape: tuple[int, ...]) -> None:
    check("linalg.det", real(*shape))
    check("linalg.det", complex_(*shape))


@pytest.mark.parametrize("a", SINGULAR)
@pytest.mark.parametrize("kind", [float, complex])
def test_exact_at_singular_matrices_to_second_order(a: Any, kind: Any) -> None:
    check_grads(np.linalg.det, (a.astype(kind),), atol=1e-7)


def test_the_cofactors_of_a_singular_matrix_by_hand() -> None:
    assert tg.grad(N.linalg.det)(np.zeros((1, 1))).tolist() == [[1.0]]
    np.testing.assert_allclose(tg.grad(N.linalg.det)(np.array([[1.0, 2.0], [2.0, 4.0]])), [[4.0, -2.0], [-2.0, 1.0]])
    hessian = tg.hessian(N.linalg.det)(np.zeros((2, 2)))
    assert np.round(hessian.reshape(4, 4), 14).tolist() == [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]


def test_ill_conditioned_matrices_lose_no_digits() -> None:
    """Cofactors are as exact as the matrix, however near it is to a singular one."""
    u, _, vh = np.linalg.svd(real(4, 4))
    s = np.array([1.0, 0.5, 0.25, 1e-14])
    a = u * s @ vh
    cofactors = np.linalg.det(u) * np.linalg.det(vh) * (u * np.array([s[3] / 8, s[3] / 4, s[3] / 2, 0.125])) @ vh
    np.testing.assert_allclose(tg.grad(N.linalg.det)(a), cofactors, atol=1e-14)


def test_third_derivatives_of_regular_matrices() -> None:
    a, b, c, d = (real(3, 3) + 2.0 * np.eye(3) for _ in range(4))

    def along(f: Any, direction: Any) -> Any:
        return lambda x: tg.jvp(f, (x,), (direction,))[1]

    third = along(along(along(N.linalg.det, b), c), d)(a)
    reverse = np.sum(tg.grad(along(along(N.linalg.det, b), c))(a) * d)
    subsets = [(b, c, d), (b, c), (b, d), (c, d), (b,), (c,), (d,)]
    # a determinant of order 3 is its own third difference
    expected = sum((-1) ** (3 - len(some)) * np.linalg.det(np.sum(some, axis=0)) for some in subsets)
    np.testing.assert_allclose(third, expected)
    np.testing.assert_allclose(reverse, expected)


@pytest.mark.parametrize("kind", [real, complex_])
def test_sign_and_logarithm(kind: Any) -> None:
    check("linalg.slogdet", kind(3, 3))
    check("linalg.slogdet", kind(2, 2, 2))


def test_a_singular_matrix_whose_logarithm_is_not_used_contributes_nothing() -> None:
    a = np.stack([2.0 * np.eye(2), np.zeros((2, 2))])

    def f(a: Any) -> Any:
        return np.sum(np.where(np.array([True, False]), np.linalg.slogdet(a)[1], 0.0))

    np.testing.assert_allclose(tg.grad(f)(a), np.stack([0.5 * np.eye(2), np.zeros((2, 2))]))
    second = tg.grad(lambda a: np.sum(tg.grad(f)(a)))(a)
    np.testing.assert_allclose(second, np.stack([np.full((2, 2), -0.25), np.zeros((2, 2))]))


def test_determinants_by_vmap() -> None:
    a = real(4, 3, 3)
    np.testing.assert_allclose(tg.vmap(tg.grad(N.linalg.det))(a), [tg.grad(N.linalg.det)(x) for x in a])
    np.testing.assert_allclose(tg.vmap(lambda x: N.linalg.slogdet(x)[1])(a), N.linalg.slogdet(a)[1])


@pytest.mark.parametrize("name", ["det", "slogdet"])
@pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 3))])
def test_what_is_no_square_matrix_raises_numpys_error(name: str, bad: Any) -> None:
    with pytest.raises(np.linalg.LinAlgError) as expected:
        getattr(np.linalg, name)(bad)
    with pytest.raises(np.linalg.LinAlgError) as found:
        tg.vjp(lambda a: (getattr(np.linalg, name)(a),), bad)
    assert str(found.value) == str(expected.value)
