"""Medians, percentiles and quantiles: every method, ties, derivatives by the share."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.numpy.ranks import METHODS
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(5, 4, 2))
TIES = np.array([1.0, 2.0, 2.0, 3.0, 2.0])
SHARES = np.array([0.0, 0.31, 0.5, 0.77, 1.0])


@pytest.mark.parametrize("axis", [None, 0, -2, (0, 2), (2, 1, 0)])
def test_medians_differentiate_over_any_axes(axis: Any) -> None:
    check("median", X, axis, order=1)
    check("median", X, axis=axis, keepdims=True)
    check("nanmedian", X, axis=axis, keepdims=True, order=1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_differentiate_by_every_method(name: str, method: str) -> None:
    check(name, X, 0.37, method=method, order=1)
    check(name, X, SHARES, (0, 2), method=method, keepdims=True, order=1)


@pytest.mark.parametrize("name", ["percentile", "nanpercentile"])
def test_percentiles_are_quantiles_out_of_a_hundred(name: str) -> None:
    check(name, X, [30, 55], 1)
    check(name, X, np.array([[10.0], [90.0]]), axis=1, method="hazen", order=1)


@pytest.mark.parametrize("share", [0.4, np.float32(0.4), np.float64(0.4), [0.4], np.array([0, 1]), 1])
def test_python_numbers_do_not_promote_and_arrays_do(share: Any) -> None:
    x = X[..., 0].astype(np.float32)
    for name in ("quantile", "nanquantile"):
        for method in ("linear", "hazen", "lower", "averaged_inverted_cdf"):
            y, pull = tg.vjp(lambda x, name=name, method=method: getattr(np, name)(x, share, 1, method=method), x)
            expected = getattr(np, name)(x, share, 1, method=method)
            assert y.dtype == expected.dtype
            np.testing.assert_array_equal(y, expected)
            assert pull(y)[0].dtype == np.float32


@pytest.mark.parametrize("method", ["linear", "hazen", "weibull", "median_unbiased"])
def test_the_share_has_a_derivative(method: str) -> None:
    check("quantile", X, np.array([0.13, 0.32, 0.67]), 0, by=(0, 1), method=method)
    check("nanquantile", X, np.array([0.13, 0.32, 0.67]), 0, by=(1,), method=method)
    assert tg.grad(lambda q: tnp.percentile(np.array([1.0, 5.0]), q))(30.0) == pytest.approx(0.04)
    assert tg.grad(lambda q: tnp.quantile(X, q, method="nearest"))(0.3) == 0


def test_equal_elements_share_evenly() -> None:
    third = [0, 1 / 3, 1 / 3, 0, 1 / 3]
    middle: list[Any] = [
        lambda x: np.median(x),
        lambda x: np.quantile(x, 0.4),
        lambda x: np.percentile(x, 50, method="midpoint"),
        lambda x: np.nanmedian(x),
        lambda x: np.quantile(x, np.array([0.31, 0.5, 0.7])).mean(),
    ]
    for f in middle:
        np.testing.assert_allclose(tg.grad(f)(TIES), third)
        assert tg.jvp(f, (TIES,), (np.array([9.0, 1.0, 2.0, 9.0, 3.0]),))[1] == pytest.approx(2.0)
        np.testing.assert_allclose(tg.vmap(tg.grad(f))(TIES[None])[0], third)
        second = tg.grad(lambda x, f=f: np.sum(tg.grad(lambda x: f(x) ** 2)(x)))(TIES)
        np.testing.assert_allclose(second, np.array(third) * 2)
    assert tg.grad(lambda x: np.median(x))(np.array([1.0, 4.0, 4.0, 1.0])).tolist() == [0.25] * 4


def test_weights_choose_and_have_no_derivative() -> None:
    weights = np.abs(X) + 0.1
    check("quantile", X, [0.2, 0.8], 1, method="inverted_cdf", weights=weights, order=1)
    check("nanquantile", X, 0.3, 1, method="inverted_cdf", weights=weights, order=1)
    check("percentile", X, 30, method="inverted_cdf", weights=weights, order=1)
    assert np.all(tg.grad(lambda w: tnp.quantile(X, 0.3, method="inverted_cdf", weights=w))(weights) == 0)


def test_a_row_with_nan_has_no_quantile_and_no_derivative() -> None:
    x = X[..., 0].copy()
    x[1, 2] = np.nan
    for f in (lambda x: np.median(x, 1), lambda x: np.quantile(x, 0.3, 1)):
        y, pull = tg.vjp(f, x)
        np.testing.assert_array_equal(np.isnan(y), [False, True, False, False, False])
        (c,) = pull(np.ones(5))
        assert np.all(c[1] == 0)
        np.testing.assert_allclose(c.sum(1), [1, 0, 1, 1, 1])
        np.testing.assert_array_equal(tg.vmap(lambda row, f=f: f(row[None])[0])(x), y)
    assert np.isnan(tg.value_and_grad(lambda x: np.median(x))(x)[0])


def test_batches_of_quantiles() -> None:
    rows = X[..., 0]
    np.testing.assert_allclose(tg.vmap(lambda x: np.quantile(x, SHARES))(rows), np.quantile(rows, SHARES, 1).T)
    np.testing.assert_allclose(tg.vmap(lambda q: tnp.quantile(X, q, 0))(SHARES), np.quantile(X, SHARES, 0))
    np.testing.assert_allclose(
        tg.vmap(lambda x: np.nanquantile(x, 0.3, method="hazen"))(rows), np.quantile(rows, 0.3, 1, method="hazen")
    )


def test_medians_of_nothing() -> None:
    assert tg.grad(lambda x: np.sum(np.median(x, 1)))(np.zeros((0, 3))).shape == (0, 3)
    with pytest.warns(RuntimeWarning):
        assert tg.grad(lambda x: np.median(x))(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.quantile(x, 1.2), ValueError, r"Quantiles must be in the range \[0, 1\]"),
        (lambda x: N.percentile(x, -1), ValueError, r"Percentiles must be in the range \[0, 100\]"),
        (lambda x: N.quantile(x, 0.5, method="best"), ValueError, "'best' is not a valid method"),
        (lambda x: N.quantile(x, 0.5, weights=X), ValueError, "Only method 'inverted_cdf' supports weights"),
        (lambda x: N.quantile(x, 0.5, weights=-(X**2), method="inverted_cdf"), ValueError, "Weights must be non-negative"),
        (lambda x: N.quantile(x, 0.5, weights=0 * X, method="inverted_cdf"), ValueError, "all zero"),
        (lambda x: N.quantile(x, np.full((1, 1, 1), 0.5)), ValueError, "q must be a scalar or 1d"),
        (lambda x: N.quantile(x * 1j, 0.5), TypeError, "a must be an array of real numbers"),
        (lambda x: N.quantile(x[:0], 0.5, axis=0), IndexError, "out of bounds"),
        (lambda x: N.median(x, axis=4), np.exceptions.AxisError, "axis 4 is out of bounds"),
        (lambda x: N.median(x, out=np.zeros(())), TypeError, "median: out= is not supported"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message), np.errstate(invalid="ignore"):
        tg.grad(lambda x: np.sum(call(x)))(X)


@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile"])
@pytest.mark.parametrize("keepdims", [True, False])
def test_there_may_be_no_quantiles_asked_for(name: str, keepdims: bool) -> None:
    x = np.arange(6.0).reshape(2, 3)
    y, pull = tg.vjp(lambda x: getattr(np, name)(x, [], axis=1, keepdims=keepdims), x)
    assert y.shape == getattr(np, name)(x, [], axis=1, keepdims=keepdims).shape
    np.testing.assert_array_equal(pull(y)[0], np.zeros((2, 3)))


@pytest.mark.parametrize("q", [0, 1, True, np.array(1), [0, 1], np.array([[1], [0]])])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_shares_that_are_integers_stay_within_the_elements(q: Any, method: Any, size: int) -> None:
    x = np.arange(3.0, 3.0 + size)[::-1]
    for name in ("quantile", "nanquantile"):
        y, pull = tg.vjp(lambda x, name=name: getattr(np, name)(x, q, method=method), x)
        np.testing.assert_array_equal(y, np.quantile(x, np.asarray(q, float), method=method))
        at = pull(np.ones_like(y))[0]
        assert at.sum() == np.size(q)
