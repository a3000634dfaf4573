"""`logsumexp`: SciPy's values, and exact derivatives where elements or weights are 0 or infinite."""

from typing import Any

import numpy as np
import pytest
import scipy.special

import tapegrad as tg
from tapegrad.errors import MissingRuleError
from tapegrad.scipy.special import logsumexp
from tapegrad.testing import check_grads

RANDOM = np.random.default_rng(0)
A = RANDOM.normal(size=(2, 3, 2))
B = np.array([[0.5], [2.0], [0.25]])


def traced(f: Any, x: Any) -> Any:
    """Return the value that a function has under a transform."""
    return tg.vjp(f, x)[0]


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1,)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("b", [None, B, 2])
def test_values_are_scipys(axis: Any, keepdims: bool, b: Any) -> None:
    expected = scipy.special.logsumexp(A, axis, b, keepdims)
    assert np.array_equal(logsumexp(A, axis, b, keepdims), expected)
    y = traced(lambda a: logsumexp(a, axis, b, keepdims), A)
    assert np.shape(y) == np.shape(expected) and np.allclose(y, expected, rtol=1e-14)
    check_grads(lambda a: logsumexp(a, axis, b, keepdims), (A,), 2, modes=("rev",))


def test_weights_have_derivatives_where_they_are_zero_or_negative() -> None:
    a = np.array([1.0, 2.0, 0.5])
    b = np.array([1.0, 0.0, -0.3])
    check_grads(lambda a, b: logsumexp(a, b=b), (a, b), 2)
    total = np.sum(b * np.exp(a))
    assert np.allclose(tg.grad(lambda b: logsumexp(a, b=b))(b), np.exp(a) / total)


def test_the_sign_comes_with_the_size() -> None:
    a, b = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    size, sign = logsumexp(a, b=b, return_sign=True)
    assert (size, sign) == scipy.special.logsumexp(a, b=b, return_sign=True)
    (y, s), _ = tg.vjp(lambda a: logsumexp(a, b=b, return_sign=True), a)
    assert np.allclose(y, size) and s == sign == -1.0
    check_grads(lambda a, b: logsumexp(a, b=b, return_sign=True)[0], (a, b), 2)
    assert np.isnan(traced(lambda a: logsumexp(a, b=b), a))


def second(a: Any, axis: int | None = None) -> Any:
    def total(a: Any) -> Any:
        return logsumexp(a, axis=axis).sum()

    return tg.jvp(tg.grad(total), (a,), (np.arange(1.0, a.size + 1.0).reshape(a.shape),))[1]


def test_elements_of_minus_infinity_have_no_share() -> None:
    a = np.array([0.0, -np.inf, 0.0])
    assert np.array_equal(tg.grad(logsumexp)(a), [0.5, 0.0, 0.5])
    assert np.allclose(second(a), [-0.5, 0.0, 0.5])


def test_where_all_is_minus_infinity_shares_are_equal() -> None:
    a = np.array([[-np.inf, -np.inf], [1.0, 1.0]])
    assert np.array_equal(traced(lambda a: logsumexp(a, axis=1), a), scipy.special.logsumexp(a, axis=1))
    assert np.array_equal(tg.grad(lambda a: logsumexp(a, axis=1).sum())(a), np.full((2, 2), 0.5))
    assert np.all(np.isfinite(second(a, 1)))


def test_an_infinite_element_takes_all() -> None:
    a = np.array([np.inf, 1.0])
    assert traced(logsumexp, a) == np.inf
    assert np.array_equal(tg.grad(logsumexp)(a), [1.0, 0.0])


def test_a_weight_of_zero_hides_an_infinite_element() -> None:
    a, b = np.array([np.inf, 1.0]), np.array([0.0, 2.0])
    assert traced(lambda a: logsumexp(a, b=b), a) == scipy.special.logsumexp(a, b=b)
    assert np.array_equal(tg.grad(lambda a: logsumexp(a, b=b))(a), [0.0, 1.0])


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("signed", (False, True))
def test_a_weight_of_zero_hides_an_element_however_large(dtype: Any, signed: bool) -> None:
    def f(a: Any) -> Any:
        b = np.array([0.0, 1.0, 2.0], dtype)
        return logsumexp(a, b=b, return_sign=True)[0] if signed else logsumexp(a, b=b)

    a = np.array([1e4, -1e4, 0.0], dtype)
    for derivative in (tg.grad(f), tg.jacfwd(f), tg.jit(tg.grad(f))):
        np.testing.assert_array_equal(derivative(a), [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(tg.hessian(f)(a), np.zeros((3, 3)))
    assert tg.grad(lambda a: logsumexp(a, b=0.0))(dtype(2.0)) == 0.0


def test_nothing_overflows_and_small_rests_count() -> None:
    assert np.array_equal(tg.grad(logsumexp)(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0.0])
    assert traced(logsumexp, np.array([0.0, -50.0])) == pytest.approx(np.exp(-50.0))


def test_ties_share_evenly() -> None:
    assert np.allclose(tg.grad(logsumexp)(np.ones(4)), 0.25)


def test_numbers_integers_and_single_precision() -> None:
    assert tg.grad(logsumexp)(2.0) == 1.0
    assert traced(lambda b: logsumexp(np.array([1, 2]), b=b), np.ones(2)) == pytest.approx(scipy.special.logsumexp([1, 2]))
    y, pull = tg.vjp(logsumexp, np.ones(3, np.float32))
    assert y.dtype == pull(y)[0].dtype == np.float32


def test_complex_numbers() -> None:
    a = RANDOM.normal(size=3) + 1j * RANDOM.normal(size=3)
    assert np.allclose(traced(logsumexp, a), scipy.special.logsumexp(a))
    check_grads(logsumexp, (a,), 2)
    with pytest.raises(MissingRuleError, match="complex"):
        tg.vjp(lambda a: logsumexp(a, return_sign=True), a)


@pytest.mark.parametrize(
    "x", [A[0], A[0] + 1j * A[1], np.where(A[0] > 0, A[0], -np.inf), np.array([[1e4, 1e4], [np.inf, 0.0]])]
)
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_programs_and_batches_have_the_derivatives_of_eager_code(x: Any, axis: Any) -> None:
    def f(x: Any) -> Any:
        return np.sum(np.real(logsumexp(x, axis=axis)) ** 2)

    for derivative in (tg.grad(f), tg.grad(lambda x: np.sum(np.abs(tg.grad(f)(x)) ** 2))):
        expected = derivative(x)
        np.testing.assert_allclose(tg.jit(derivative)(x), expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(tg.vmap(derivative)(x[None])[0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_sums_of_nothing_have_empty_derivatives_in_programs_and_batches(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    derivative = tg.grad(lambda x: np.sum(np.exp(logsumexp(x, axis=-1))))
    assert derivative(x).shape == tg.jit(derivative)(x).shape == tg.vmap(derivative)(x[None])[0].shape == shape


def test_a_program_takes_the_exponentials_of_value_and_gradient_once() -> None:
    program = tg.jit(tg.value_and_grad(lambda a: np.sum(logsumexp(a, axis=1)))).lower(A[0])
    assert program.after.count("= exp(") == 1


def test_wrong_axes_raise_as_numpy_does() -> None:
    with pytest.raises(np.exceptions.AxisError):
        tg.grad(lambda a: logsumexp(a, axis=3).sum())(A)


EDGES = [
    [0.0, -40.0, -41.0],  # what is beside the greatest is all there is
    [0.0, 0.0, -40.0],
    [1e-300, 0.0, -1e9],
    [3.0, 3.0, 3.0],
    [-np.inf, -np.inf, -np.inf],
    [-np.inf, 2.0, -np.inf],
    [np.inf, 1.0, -np.inf],
    [np.inf, np.inf, 0.0],
    [np.finfo(float).max, 0.0, np.finfo(float).max],
    [-np.finfo(float).max, -np.inf, -np.finfo(float).max],
    [np.nan, 0.0, 1.0],
]


@pytest.mark.parametrize("row", EDGES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_at_the_edges_are_scipys_eager_and_compiled(row: list[float], dtype: Any) -> None:
    with np.errstate(all="ignore"):
        a = np.array([row, row[::-1]]).astype(dtype)
        for axis, keepdims in ((None, False), (1, False), (1, True), (0, False)):
            expected = scipy.special.logsumexp(a.astype(np.float64), axis, keepdims=keepdims).astype(dtype)
            for f in (logsumexp, tg.jit(logsumexp, static_argnames=("axis", "keepdims"))):
                y = f(a, axis=axis, keepdims=keepdims)
                assert np.result_type(y) == dtype
                np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps, atol=0)
