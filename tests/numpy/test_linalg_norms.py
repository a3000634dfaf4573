"""Norms of every order, over any axes, where they vanish, and condition numbers."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, real, regular
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

VECTOR_ORDERS = [None, 0, 1, 2, 3, 2.5, 0.5, -1, -1.5, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


def away(x: Any) -> Any:
    """Return numbers half further from 0, where differences tell little of negative powers."""
    return x + 0.5 * x / np.abs(x)


@pytest.mark.parametrize("ord", VECTOR_ORDERS)
def test_vector_norms_of_every_order(ord: Any) -> None:
    check("linalg.norm", away(real(4)), ord)
    check("linalg.norm", away(complex_(4)), ord)
    check("linalg.norm", away(real(2, 3)), ord, axis=1, keepdims=True)
    if ord is not None:
        check("linalg.vector_norm", away(real(2, 3, 2)), ord=ord, axis=(0, 2))
        check("linalg.vector_norm", away(real(2, 3)), ord=ord, keepdims=True)


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_matrix_norms_of_every_order(ord: Any) -> None:
    a = np.diag([3.0, 2.0, 1.0, 4.0])[:3] + 0.3 * real(3, 4)
    check("linalg.norm", a, ord)
    check("linalg.norm", a.T + 0.3j * real(4, 3), ord)
    check("linalg.norm", np.stack([a, 2.0 * a.T.reshape(3, 4) + a], axis=1), ord, axis=(2, 0))
    check("linalg.norm", np.stack([a, 2.0 * a], axis=1), ord, axis=(0, -1), keepdims=True)
    check("linalg.matrix_norm", np.stack([a, 2.0 * a]), ord="fro" if ord is None else ord)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2)])
def test_the_norm_of_all_elements(shape: tuple[int, ...]) -> None:
    check("linalg.norm", np.asarray(real(*shape)))
    check("linalg.norm", np.asarray(real(*shape)), keepdims=True)


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 2.5, np.inf])
def test_slopes_are_0_where_vector_norms_vanish(ord: Any) -> None:
    def norm(x: Any) -> Any:
        return np.linalg.norm(x, ord)

    def square(x: Any) -> Any:
        return np.linalg.norm(x, ord) ** 2

    for f in (norm, square):
        assert tg.grad(f)(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
        assert tg.jvp(f, (np.zeros(3),), (np.ones(3),))[1] == 0.0
        curvature = 2.0 if f is square and ord in (None, 2) else 0.0  # then it is the sum of squares
        assert tg.grad(lambda x, f=f: np.sum(tg.grad(f)(x)))(np.zeros(3)).tolist() == [curvature] * 3


@pytest.mark.parametrize("ord", MATRIX_ORDERS)
def test_slopes_are_0_where_matrix_norms_vanish(ord: Any) -> None:
    assert np.all(tg.grad(lambda x: np.linalg.norm(x, ord))(np.zeros((2, 3))) == 0.0)


def test_a_row_that_vanishes_leaves_the_others_alone() -> None:
    c = tg.grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(c, [[0.0, 0.0], [0.6, 0.8]])


def test_a_row_of_infinities_that_is_not_used_contributes_nothing() -> None:
    x = np.array([[3.0, 4.0], [np.inf, np.nan]])

    def f(x: Any) -> Any:
        return np.sum(np.where(np.array([True, False]), np.linalg.norm(x, axis=1), 0.0))

    np.testing.assert_allclose(tg.grad(f)(x), [[0.6, 0.8], [0.0, 0.0]])
    assert np.isfinite(tg.grad(lambda x: np.sum(tg.grad(f)(x)))(x)).all()


def test_the_nuclear_norm_of_a_matrix_of_lower_rank_ignores_what_vanishes() -> None:
    a = np.outer([1.0, 2.0], [3.0, 0.0, 4.0])
    found = tg.grad(lambda a: np.linalg.norm(a, "nuc"))(a)
    np.testing.assert_allclose(found, np.outer([1.0, 2.0], [3.0, 0.0, 4.0]) / np.sqrt(125.0), atol=1e-14)


def test_largest_elements_share_evenly() -> None:
    assert tg.grad(lambda x: np.linalg.norm(x, np.inf))(np.array([2.0, -2.0, 1.0])).tolist() == [0.5, -0.5, 0.0]


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"])
def test_condition_numbers_of_every_order(p: Any) -> None:
    a = regular(2, 3, 3)
    np.testing.assert_allclose(tg.vjp(lambda a: np.linalg.cond(a, p), a)[0], np.linalg.cond(a, p))
    np.testing.assert_array_equal(tnp.linalg.cond(a, p), np.linalg.cond(a, p))
    check_grads(lambda a: np.linalg.cond(a, p), (a,), rtol=1e-4)


@pytest.mark.parametrize("p", [None, 1, "fro"])
def test_condition_numbers_of_singular_matrices_are_infinite(p: Any) -> None:
    for a in (np.zeros((2, 2)), np.stack([np.eye(2), np.zeros((2, 2))])):
        np.testing.assert_array_equal(tg.vjp(lambda a: np.linalg.cond(a, p), a)[0], np.linalg.cond(a, p))


def test_condition_numbers_of_matrices_that_are_not_square() -> None:
    check("linalg.cond", real(4, 2))
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        tg.vjp(lambda a: np.linalg.cond(a, 1), real(4, 2))
    with pytest.raises(np.linalg.LinAlgError, match="empty"):
        tg.vjp(np.linalg.cond, np.zeros((0, 0)))


def test_norms_of_nothing() -> None:
    for ord in (None, 0, 1, 2, 3, np.inf):
        assert tg.grad(lambda x, ord=ord: np.linalg.norm(x, ord))(np.zeros(0)).shape == (0,)
    assert tg.grad(lambda x: np.linalg.norm(x, "nuc"))(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((3,), ("fro",)),
        ((3,), ("other",)),
        ((3, 4), (3,)),
        ((3, 4), ("other",)),
        ((2, 3, 4), (2,)),
        ((2, 3, 4), (None, (0, 0))),
        ((2, 3, 4), (None, (0, 1, 2))),
        ((3,), (None, 1)),
    ],
)
def test_orders_and_axes_that_do_not_exist_raise_numpys_error(shape: tuple[int, ...], arguments: Any) -> None:
    with pytest.raises(ValueError) as expected:
        N.linalg.norm(np.ones(shape), *arguments)
    with pytest.raises(ValueError) as found:
        tg.vjp(lambda x: N.linalg.norm(x, *arguments), np.ones(shape))
    assert type(found.value) is type(expected.value)


@pytest.mark.parametrize("p", [None, 1, "fro", -2])
def test_there_may_be_no_matrices_to_condition(p: Any) -> None:
    y, pull = tg.vjp(lambda x: np.linalg.cond(x, p), np.ones((0, 3, 3)))
    assert y.shape == np.linalg.cond(np.ones((0, 3, 3)), p).shape
    assert pull(y)[0].shape == (0, 3, 3)
    with pytest.raises(np.linalg.LinAlgError, match="empty"):
        tg.vjp(lambda x: np.linalg.cond(x, p), np.ones((2, 0, 0)))
