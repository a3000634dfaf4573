"""Products in which a zero cotangent hides what is not finite."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.core.masked import masked_p, may_have_nan
from tapegrad.core.primitive import PRIMITIVES

PUSH: dict[str, Any] = {"of": "matmul", "slot": None, "killer": 0, "given": {}}
A = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0]])
B = np.array([[np.inf, np.nan], [3.0, 4.0]])


def test_zeros_of_the_chosen_factor_hide_what_they_meet_and_others_hide_infinities_in_it() -> None:
    with np.errstate(invalid="ignore"):
        found = masked_p.fn(A, B, **PUSH)
        np.testing.assert_array_equal(found, [[3.0, 4.0], [6.0, 8.0], [np.inf, np.nan]])
        found = masked_p.fn(B.T, A.T, **PUSH)
        np.testing.assert_array_equal(found, [[3.0, 6.0, np.inf], [np.nan, np.nan, np.nan]])


@pytest.mark.parametrize(
    "product",
    (
        lambda w, r: w @ r,
        lambda w, r: np.einsum("ij,j->i", w, r),
        lambda w, r: np.tensordot(w, r, 1),
        lambda w, r: np.sum(w * r, axis=1),
        lambda w, r: np.linalg.multi_dot([w, r]),
    ),
)
def test_both_modes_agree_where_an_infinite_slope_meets_a_zero_weight(product: Any) -> None:
    weights = np.array([[0.0, 2.0], [0.0, 3.0]])  # picks the second element, as a one-hot matrix does
    x, t = np.array([0.0, 4.0]), np.array([1.0, 1.0])

    def f(x: Any) -> Any:
        return np.sum(product(weights, np.sqrt(x)))

    np.testing.assert_array_equal(tg.grad(f)(x), [0.0, 1.25])
    assert tg.jvp(f, (x,), (t,))[1] == 1.25
    np.testing.assert_array_equal(tg.jacfwd(f)(x), [0.0, 1.25])
    np.testing.assert_array_equal(tg.hessian(f)(x), [[0.0, 0.0], [0.0, -0.15625]])
    np.testing.assert_array_equal(tg.jacfwd(tg.jacfwd(f))(x), [[0.0, 0.0], [0.0, -0.15625]])


def test_a_nan_in_the_chosen_factor_stays() -> None:
    assert np.isnan(masked_p.fn(np.array([[np.nan]]), np.array([[0.0]]), **PUSH))


def test_finite_factors_are_multiplied_as_ever() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 3, 3))
    np.testing.assert_array_equal(masked_p.fn(a, b, **PUSH), PRIMITIVES["matmul"].fn(a, b))


def test_derivatives_of_the_masked_product_are_masked() -> None:
    def f(a: Any, b: Any) -> Any:
        with np.errstate(invalid="ignore"):
            return np.sum(np.where(np.array([[True], [False]]), a @ b, 0.0))

    a, b = np.array([[1.0, 2.0], [np.nan, np.inf]]), np.array([[3.0], [4.0]])
    found = tg.grad(lambda b: np.sum(tg.grad(f, 1)(a, b) * b))(b)
    np.testing.assert_array_equal(found, [[1.0], [2.0]])
    ca, cb = tg.grad(lambda a, b: np.sum(tg.grad(f, 1)(a, b) * b), (0, 1))(a, b)
    np.testing.assert_array_equal(ca, [[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(cb, [[1.0], [2.0]])


def test_a_nan_is_seen_in_arrays_and_numbers() -> None:
    assert may_have_nan(np.array([[1.0, np.nan]]))
    assert may_have_nan(np.float64(np.nan))
    assert may_have_nan(np.array([1.0 + np.nan * 1j]))
    assert not may_have_nan(np.array([np.inf, 1.0]))
    assert not may_have_nan(np.zeros(0))
