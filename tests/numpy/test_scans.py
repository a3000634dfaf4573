"""Running sums and products, and differences of neighbours."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.ops.scan import recurrence
from tapegrad.typing import Array
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(2, 5))
Z = X + 1j * np.random.default_rng(1).normal(size=(2, 5))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_scans_differentiate_along_any_axis(name: str, axis: int | None) -> None:
    check(name, X, axis)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_scans_of_complex_numbers_scalars_and_other_dtypes(name: str) -> None:
    check(name, Z, 1)
    check(name, np.float64(0.7), order=1)
    check(name, np.float64(0.7), 0, order=1)
    x = X.astype(np.float32)
    y, pull = tg.vjp(lambda x: getattr(np, name)(x, 0, np.float64), x)
    assert_same(y, getattr(np, name)(x, 0, np.float64))
    assert pull(y)[0].dtype == np.float32
    assert np.all(tg.grad(lambda x: 1.0 * np.sum(getattr(np, name)(x, 1, int)))(X) == 0)


@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_scans_by_the_standards_names(name: str, initial: bool) -> None:
    check(name, X, axis=-1, include_initial=initial)
    check(name, X[0], include_initial=initial, order=1)
    with pytest.raises(ValueError, match="more than one dimension"):
        tg.grad(lambda x: np.sum(getattr(np, name)(x)))(X)


@pytest.mark.parametrize("zeros", [[0], [2], [4], [1, 3], [0, 1, 2, 3, 4]])
def test_running_products_with_zeros_are_exact_to_the_second_order(zeros: list[int]) -> None:
    x = np.array([0.5, -2.0, 1.5, 3.0, 0.25])
    x[zeros] = 0.0
    check("cumprod", x)

    def total(x: Array) -> Array:
        return tnp.sum(np.cumprod(x))

    hessian = tg.jacrev(tg.grad(total))(x)
    exact = np.zeros((5, 5))
    for i in range(5):
        for j in range(5):
            if i != j:
                others = np.where(np.isin(np.arange(5), [i, j]), 1.0, x)
                exact[i, j] = sum(np.prod(others[: k + 1]) for k in range(max(i, j), 5))
    np.testing.assert_allclose(hessian, exact, atol=1e-14)


def test_what_comes_behind_an_infinity_does_not_reach_the_front() -> None:
    x = np.array([1.0, 2.0, np.inf, 0.0, 3.0])
    with np.errstate(invalid="ignore"):
        assert tg.grad(lambda x: np.cumprod(x)[:2].sum())(x).tolist() == [3, 1, 0, 0, 0]
        assert tg.grad(lambda x: tg.grad(lambda x: np.cumprod(x)[:2].sum())(x)[0])(x).tolist() == [0, 1, 0, 0, 0]
        assert tg.jvp(lambda x: np.cumprod(x)[:2], (x,), (np.array([1.0, 0.0, 0.0, 0.0, 0.0]),))[1].tolist() == [1, 2]


@pytest.mark.parametrize("n", range(8))
def test_the_recurrence_is_that_of_a_loop(n: int) -> None:
    a, b = np.random.default_rng(n).normal(size=(2, 3, n))
    s, loop = np.zeros(3), np.zeros((3, n))
    for i in range(n):
        s = a[:, i] * s + b[:, i]
        loop[:, i] = s
    np.testing.assert_allclose(recurrence(a, b, 1), loop)


@pytest.mark.parametrize("n", [0, 1, 2, 4, 6])
@pytest.mark.parametrize("axis", [0, -1])
def test_differences_of_any_order(n: int, axis: int) -> None:
    check("diff", X, n, axis)


def test_what_is_put_beside_has_a_derivative() -> None:
    check("diff", X, prepend=0.5, append=X[:, :1], order=1)
    check("ediff1d", X, to_begin=[1.0, 2.0], to_end=3.0)
    ends = np.array([1.0, 2.0])
    assert tg.grad(lambda v: tnp.sum(tnp.diff(X, axis=1, prepend=v, append=2.0 * v)))(0.5) == 2.0
    assert tg.grad(lambda v: tnp.sum(tnp.ediff1d(X, to_end=v, to_begin=v)))(ends).tolist() == [2, 2]
    y, _ = tg.vjp(lambda x: np.diff(x, prepend=0), X.astype(np.float32))
    assert y.dtype == np.diff(X.astype(np.float32), prepend=0).dtype


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.diff(x, -1), ValueError, "order must be non-negative but got -1"),
        (lambda x: N.diff(x[0, 0]), ValueError, "at least one dimensional"),
        (lambda x: N.cumsum(x, 3), np.exceptions.AxisError, "axis 3 is out of bounds"),
        (lambda x: N.cumprod(x, out=np.zeros(10)), TypeError, "cumprod: out= is not supported"),
        (lambda x: N.ediff1d(x, to_end=1j), TypeError, "same_kind"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(lambda x: N.sum(call(x)))(X)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_batches_and_empty_arrays(name: str) -> None:
    f = getattr(np, name)
    np.testing.assert_allclose(tg.vmap(f)(X), np.stack([f(x) for x in X]))
    slopes = tg.vmap(tg.grad(lambda x: N.sum(f(x) ** 2)))(X)
    np.testing.assert_allclose(slopes, np.stack([tg.grad(lambda x: N.sum(f(x) ** 2))(x) for x in X]))
    assert tg.grad(lambda x: N.sum(f(x, 1)))(np.zeros((2, 0))).shape == (2, 0)
