"""Products in which a zero cotangent hides what is not finite."""

from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.core.masked import masked_p, may_have_nan
from tapegrad.core.primitive import PRIMITIVES

PUSH: dict[str, Any] = {"of": "matmul", "slot": None, "killer": 0, "given": {}}
A = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0]])
B = np.array([[np.inf, np.nan], [3.0, 4.0]])


def test_zeros_of_the_chosen_factor_hide_what_they_meet_and_others_do_not() -> None:
    with np.errstate(invalid="ignore"):
        found = masked_p.fn(A, B, **PUSH)
        np.testing.assert_array_equal(found, [[3.0, 4.0], [6.0, 8.0], [np.inf, np.nan]])
        np.testing.assert_array_equal(masked_p.fn(B.T, A.T, **PUSH), B.T @ A.T)


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
