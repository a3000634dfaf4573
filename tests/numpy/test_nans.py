"""Reductions that leave NaNs out: values as NumPy's, derivatives of what is left, zero for what is not."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import check

X = np.random.default_rng(0).normal(size=(3, 4, 2))
HOLES = X.copy()
HOLES[0, 1, 0] = HOLES[1, :3, 1] = HOLES[2, 3] = np.nan
GOOD = ~np.isnan(HOLES)
REDUCTIONS = ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanmedian"]
N: Any = np
"""NumPy without its types, for what they refuse."""


@pytest.mark.parametrize("axis", [None, 0, -2, (1, 2)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_without_nan_they_are_the_others(name: str, axis: Any) -> None:
    check(name, X, axis=axis, keepdims=axis == 0, order=2 if axis == -2 else 1)


@pytest.mark.parametrize("axis", [None, 0, 1, (1, 2)])
@pytest.mark.parametrize("name", [*REDUCTIONS, "nanquantile"])
def test_what_is_left_out_has_the_derivative_zero(name: str, axis: Any) -> None:
    settings = {"q": [0.2, 0.7], "method": "weibull"} if name == "nanquantile" else {}

    def f(x: Any) -> Any:
        return np.sum(getattr(np, name)(x, axis=axis, **settings))

    value, gradient = tg.value_and_grad(f)(HOLES)
    assert value == pytest.approx(f(HOLES))
    assert np.all(gradient[~GOOD] == 0)
    t = np.random.default_rng(1).normal(size=X.shape)
    slope = (f(HOLES + 1e-6 * t) - f(HOLES - 1e-6 * t)) / 2e-6
    assert np.sum(gradient * t) == pytest.approx(slope, rel=1e-6)
    assert tg.jvp(f, (HOLES,), (t,))[1] == pytest.approx(slope, rel=1e-6)
    twice = tg.grad(lambda x: np.sum(tg.grad(f)(x) * t))(HOLES)
    assert np.all(twice[~GOOD] == 0)
    steps = [tg.grad(f)(HOLES + h * t) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(np.sum(twice * t), np.sum((steps[0] - steps[1]) * t) / 2e-5, rtol=1e-5, atol=1e-7)
    batch = np.stack([HOLES, 2 * HOLES[::-1]])
    np.testing.assert_allclose(tg.vmap(f)(batch), [f(x) for x in batch])
    np.testing.assert_allclose(tg.vmap(tg.grad(f))(batch), [tg.grad(f)(x) for x in batch], atol=1e-12)


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_running_ones_too(name: str) -> None:
    y, pull = tg.vjp(lambda x: getattr(np, name)(x, 1), HOLES)
    np.testing.assert_array_equal(y, getattr(np, name)(HOLES, 1))
    assert np.all(pull(np.ones_like(y))[0][~GOOD] == 0)


def test_masks_and_starts_count_too() -> None:
    mask = X > -0.5
    check("nansum", X, axis=0, initial=0.5, where=mask, order=1)
    check("nanprod", X, axis=0, initial=0.5, where=mask, order=1)
    check("nanmax", X, axis=0, initial=-0.25, where=mask, order=1)
    check("nanmin", X, initial=0.75, where=mask, order=1)
    check("nanmean", X, axis=(0, 1), where=mask, order=1)
    check("nanvar", X, axis=(0, 1), where=mask, ddof=0.5, keepdims=True, order=1)
    check("nanvar", X, axis=1, mean=np.mean(X, 1, keepdims=True), correction=1, order=1)


def test_ties_are_split_evenly() -> None:
    x = np.array([3.0, np.nan, 3.0, 1.0])
    assert tg.grad(lambda x: np.nanmax(x))(x).tolist() == [0.5, 0, 0.5, 0]
    assert tg.grad(lambda x: np.nanmin(-x))(x).tolist() == [-0.5, 0, -0.5, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nanmean", "Mean of empty slice"),
        ("nanmax", "All-NaN slice"),
        ("nanmin", "All-NaN slice"),
        ("nanmedian", "All-NaN slice"),
        ("nanvar", "Degrees of freedom"),
        ("nanstd", "Degrees of freedom"),
    ],
)
def test_nothing_left_warns_and_is_nan_without_derivative(name: str, message: str) -> None:
    x = np.array([[1.0, 4.0], [np.nan, np.nan]])
    with pytest.warns(RuntimeWarning, match=message):
        y, pull = tg.vjp(lambda x: getattr(tnp, name)(x, axis=1), x)
    np.testing.assert_array_equal(np.isnan(y), [False, True])
    assert np.all(pull(np.array([1.0, 0.0]))[0][1] == 0)
    with pytest.warns(RuntimeWarning, match="All-NaN slice"):
        assert np.isnan(tg.vjp(lambda x: np.nanquantile(x, 0.3, axis=1), x)[0][1])


def test_bad_arguments_raise() -> None:
    with pytest.raises(TypeError, match="nansum: out= is not supported"):
        tg.grad(lambda x: N.nansum(x, out=np.zeros(())))(X)
    with pytest.raises(TypeError, match="dtype must be inexact"):
        tg.grad(lambda x: N.nanmean(x, dtype=int))(X)
    with pytest.raises(ValueError, match="zero-size array to reduction operation fmax"):
        tg.grad(lambda x: N.nanmax(x))(np.zeros(0))
