"""Powers, products and determinants are exact where an input is zero: nothing divides by it."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.edge_cases.doors import both_doors, derivatives, slopes

POWERS = {
    # exponent: slopes of x**exponent at 0
    0: (0.0, 0.0),
    1: (1.0, 0.0),
    2: (0.0, 2.0),
    3: (0.0, 0.0),
    2.5: (0.0, 0.0),
}


@both_doors
@pytest.mark.parametrize("exponent", (*range(5), 0.0, 1.0, 2.0, 2.5, 3.0))
def test_powers_of_zero_are_exact(xp: Any, exponent: Any) -> None:
    expected = POWERS.get(exponent, (0.0, 0.0))
    assert slopes(lambda x: x**exponent, 0.0) == expected
    assert slopes(lambda x: xp.power(x, exponent), 0.0) == expected
    assert slopes(lambda x: xp.float_power(x, exponent), 0.0) == expected
    assert slopes(lambda x: xp.power(x, np.full(2, exponent)).sum(), 0.0) == (2 * expected[0], 2 * expected[1])
    gradient, hessian = derivatives(lambda x: (x**exponent).sum(), np.array([0.0, 1.0]))
    np.testing.assert_allclose(gradient, [expected[0], exponent])
    np.testing.assert_allclose(hessian, np.diag([expected[1], exponent * (exponent - 1)]), atol=1e-15)


@both_doors
def test_powers_of_zero_by_their_exponent_are_exact(xp: Any) -> None:
    for exponent in (0.5, 1.0, 2.0, 3.0):
        assert slopes(lambda y: xp.power(0.0, y), exponent) == (0.0, 0.0)
        assert tg.grad(lambda x, y: xp.power(x, y), 1)(0.0, exponent) == 0.0
    x, y = 0.0, 2.0
    assert tg.grad(lambda x: tg.grad(lambda y: xp.power(x, y))(y))(x) == 0.0
    assert tg.grad(lambda y: tg.grad(lambda x: xp.power(x, y))(x))(y) == 0.0


@both_doors
def test_a_polynomial_written_with_an_array_of_powers(xp: Any) -> None:
    powers = np.arange(4)
    gradient, hessian = derivatives(lambda x: (xp.array([1.0, 2.0, 3.0, 4.0]) * x**powers).sum(), 0.0)
    assert (gradient, hessian) == (2.0, 6.0)


@both_doors
@pytest.mark.parametrize("zeros", ((), (1,), (0, 2), (0, 1, 2)))
def test_products_with_zeros_are_exact(xp: Any, zeros: tuple[int, ...]) -> None:
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[list(zeros)] = 0.0
    gradient, hessian = derivatives(xp.prod, x)
    for i in range(4):
        assert gradient[i] == np.prod(np.delete(x, i))
        for j in range(4):
            assert hessian[i, j] == (0.0 if i == j else np.prod(np.delete(x, [i, j])))


@both_doors
@pytest.mark.parametrize("name", ("prod", "nanprod", "cumprod", "cumulative_prod", "nancumprod"))
def test_products_along_an_axis_with_zeros_are_exact(xp: Any, name: str) -> None:
    x = np.array([[0.0, 2.0, 3.0], [4.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    f = getattr(xp, name)
    for axis in (0, 1):
        check_grads(lambda x, axis=axis: f(x, axis=axis), (x,), order=2)


@both_doors
@pytest.mark.parametrize(
    "matrix",
    (
        np.zeros((2, 2)),
        np.array([[1.0, 2.0], [2.0, 4.0]]),
        np.zeros((3, 3)),
        np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]]),
        np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]),
        np.diag([1.0, 2.0, 3.0, 0.0]),
    ),
    ids=("zero 2", "rank 1 of 2", "zero 3", "rank 2 of 3", "rank 1 of 3", "rank 3 of 4"),
)
def test_the_determinant_of_a_singular_matrix_is_exact(xp: Any, matrix: Any) -> None:
    n = len(matrix)
    gradient, hessian = derivatives(xp.linalg.det, matrix)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(matrix, i, 0), j, 1)
            np.testing.assert_allclose(gradient[i, j], (-1) ** (i + j) * np.linalg.det(minor), atol=1e-12)
    h = 1e-5
    for i in range(n):
        for j in range(n):
            moved = np.zeros_like(matrix)
            moved[i, j] = h
            difference = (tg.grad(xp.linalg.det)(matrix + moved) - tg.grad(xp.linalg.det)(matrix - moved)) / (2 * h)
            np.testing.assert_allclose(hessian[i, j], difference, atol=1e-7)


@both_doors
def test_matrix_powers_of_a_singular_matrix_are_exact(xp: Any) -> None:
    for n in (0, 1, 2, 3):
        check_grads(lambda x, n=n: xp.linalg.matrix_power(x, n), (np.zeros((2, 2)),))


def reverse(g: Any, k: int) -> Any:
    return lambda t: tg.grad(g)(t)[k]


def forward(g: Any, k: int) -> Any:
    return lambda t: tg.jvp(g, (t,), (np.eye(3)[k],))[1]


def mixed(f: Any, x: Any, directions: Any, ways: Any) -> Any:
    """Return the third derivative of `f` at `x` along three directions, each taken in one of the two ways."""

    def g(t: Any) -> Any:
        return f(x + t[0] * directions[0] + t[1] * directions[1] + t[2] * directions[2])

    for k, way in enumerate(ways):
        g = way(g, k)
    return g(np.zeros(3))


def leibniz(a: Any) -> Any:
    """The determinant of a matrix as the sum of its products."""
    total = 0.0
    for order in itertools.permutations(range(len(a))):
        swaps = sum(order[j] > order[i] for i in range(len(a)) for j in range(i))
        total = total + (-1) ** swaps * math.prod(a[i, k] for i, k in enumerate(order))
    return total


@pytest.mark.parametrize("rank", (0, 1, 2, 3, 4))
def test_third_derivatives_of_the_determinant_are_exact_at_every_rank(rank: int) -> None:
    rng = np.random.default_rng(rank)
    matrix = rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 4))
    directions = rng.normal(size=(3, 4, 4))
    expected = mixed(leibniz, matrix, directions, (reverse, reverse, reverse))
    for ways in ((reverse, reverse, reverse), (forward, forward, forward), (reverse, forward, reverse)):
        np.testing.assert_allclose(mixed(np.linalg.det, matrix, directions, ways), expected, rtol=1e-11, atol=1e-11)


def test_fourth_derivatives_of_the_determinant_of_a_singular_matrix_say_so() -> None:
    def g(t: Any) -> Any:
        return tnp.linalg.det(t * np.eye(4))

    fourth = tg.grad(tg.grad(tg.grad(tg.grad(g))))
    np.testing.assert_allclose(fourth(2.0), 24.0)
    with pytest.raises(np.linalg.LinAlgError, match="fourth order and above are not known at a singular matrix"):
        fourth(0.0)


def by_hand(x: Any) -> Any:
    return math.prod(x[i] for i in range(len(x)))


@both_doors
@pytest.mark.parametrize("name", ("prod", "nanprod", "cumprod", "nancumprod"))
@pytest.mark.parametrize("zeros", ((), (0,), (0, 2), (1, 2, 3), (0, 1, 2, 3)))
def test_third_derivatives_of_products_with_zeros_are_exact(xp: Any, name: str, zeros: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(zeros))
    x, directions, weights = np.array([2.0, 3.0, -1.5, 0.7]), rng.normal(size=(3, 4)), rng.normal(size=4)
    x[list(zeros)] = 0.0

    def whole(x: Any) -> Any:
        y = getattr(xp, name)(x)
        return (y * weights).sum() if "cum" in name else y

    def slowly(x: Any) -> Any:
        return sum(weights[i] * by_hand(x[: i + 1]) for i in range(4)) if "cum" in name else by_hand(x)

    expected = mixed(slowly, x, directions, (reverse, reverse, reverse))
    for ways in itertools.product((reverse, forward), repeat=3):
        np.testing.assert_allclose(mixed(whole, x, directions, ways), expected, rtol=1e-11, atol=1e-12)
