"""Where a function has a corner, its derivative is the one that the contract names."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.edge_cases.doors import both_doors, derivatives, slopes

TIED = np.array([1.0, 3.0, 3.0, 2.0])


@both_doors
def test_abs_is_flat_at_zero(xp: Any) -> None:
    assert slopes(xp.abs, 0.0) == (0.0, 0.0)
    assert slopes(xp.fabs, 0.0) == (0.0, 0.0)
    assert slopes(abs, 0.0) == (0.0, 0.0)
    assert slopes(lambda x: xp.abs(x) * x, 0.0) == (0.0, 0.0)


@both_doors
@pytest.mark.parametrize("name", ("maximum", "minimum", "fmax", "fmin"))
def test_a_tie_of_two_splits_the_cotangent(xp: Any, name: str) -> None:
    f = getattr(xp, name)
    assert tg.grad(f, (0, 1))(2.0, 2.0) == (0.5, 0.5)
    assert slopes(lambda x: f(x, x), 2.0) == (1.0, 0.0)
    assert slopes(lambda x: f(x, x) ** 2, 2.0) == (4.0, 2.0)
    assert slopes(lambda x: f(x, 0.0), 0.0) == (0.5, 0.0)


@both_doors
@pytest.mark.parametrize("name", ("max", "amax", "nanmax"))
def test_a_tied_maximum_splits_the_cotangent(xp: Any, name: str) -> None:
    gradient, hessian = derivatives(lambda x: getattr(xp, name)(x) ** 2, TIED)
    np.testing.assert_allclose(gradient, 6.0 * np.array([0.0, 0.5, 0.5, 0.0]))
    np.testing.assert_allclose(hessian, 2.0 * np.outer([0.0, 0.5, 0.5, 0.0], [0.0, 0.5, 0.5, 0.0]))


@both_doors
@pytest.mark.parametrize("name", ("min", "amin", "nanmin"))
def test_a_tied_minimum_splits_the_cotangent(xp: Any, name: str) -> None:
    gradient, hessian = derivatives(lambda x: getattr(xp, name)(x) ** 2, -TIED)
    np.testing.assert_allclose(gradient, -6.0 * np.array([0.0, 0.5, 0.5, 0.0]))
    np.testing.assert_allclose(hessian, 2.0 * np.outer([0.0, 0.5, 0.5, 0.0], [0.0, 0.5, 0.5, 0.0]))


@both_doors
def test_ties_split_along_an_axis(xp: Any) -> None:
    x = np.array([[1.0, 1.0], [0.0, 2.0], [3.0, 3.0]])
    split = np.array([[0.5, 0.5], [0.0, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(tg.grad(lambda x: xp.max(x, axis=1).sum())(x), split)
    np.testing.assert_allclose(tg.grad(lambda x: xp.max(x, axis=1, keepdims=True).sum())(x), split)
    np.testing.assert_allclose(tg.grad(lambda x: xp.min(-x, axis=1).sum())(x), -split)


@both_doors
@pytest.mark.parametrize("name", ("median", "nanmedian"))
def test_a_tied_median_splits_the_cotangent(xp: Any, name: str) -> None:
    f = getattr(xp, name)
    gradient, hessian = derivatives(lambda x: f(x) ** 2, np.array([3.0, 1.0, 3.0, 9.0, 3.0]))
    third = np.array([1.0, 0.0, 1.0, 0.0, 1.0]) / 3.0
    np.testing.assert_allclose(gradient, 6.0 * third)
    np.testing.assert_allclose(hessian, 2.0 * np.outer(third, third))
    np.testing.assert_allclose(tg.grad(f)(np.array([2.0, 2.0, 2.0, 2.0])), np.full(4, 0.25))
    np.testing.assert_allclose(tg.grad(f)(np.array([1.0, 2.0, 4.0, 8.0])), [0.0, 0.5, 0.5, 0.0])


@both_doors
def test_the_range_of_equal_values_is_flat(xp: Any) -> None:
    gradient, hessian = derivatives(xp.ptp, np.ones(3))
    assert not gradient.any() and not hessian.any()


@pytest.mark.parametrize("x", (0.0, np.zeros(())))
def test_relu_is_flat_at_zero(x: Any) -> None:
    assert tg.grad(tg.nn.relu)(x) == 0.0
    assert tg.jvp(tg.nn.relu, (0.0,), (1.0,))[1] == 0.0
    assert slopes(lambda x: tg.nn.relu(x) * x, 0.0) == (0.0, 0.0)
    assert slopes(lambda x: tg.nn.relu(x) * x, 1.0) == (2.0, 2.0)


@both_doors
@pytest.mark.parametrize("x", (-1.0, 0.3, 1.0, 2.0))
def test_clip_is_the_minimum_of_the_maximum(xp: Any, x: float) -> None:
    clipped = slopes(lambda x: xp.clip(x, -1.0, 1.0) ** 2, x)
    assert clipped == slopes(lambda x: xp.minimum(xp.maximum(x, -1.0), 1.0) ** 2, x)
    for f in (xp.clip, lambda x, lo, hi: xp.minimum(xp.maximum(x, lo), hi)):
        found = tg.grad(f, (0, 1, 2))(x, -1.0, 1.0)
        assert found == {-1.0: (0.5, 0.5, 0), 0.3: (1, 0, 0), 1.0: (0.5, 0, 0.5), 2.0: (0, 0, 1)}[x]


@both_doors
def test_clip_with_one_bound_is_that_extremum(xp: Any) -> None:
    assert slopes(lambda x: xp.clip(x, 0.0, None), 0.0) == (0.5, 0.0)
    assert slopes(lambda x: xp.clip(x, None, 0.0), 0.0) == (0.5, 0.0)
    assert slopes(lambda x: x.clip(0.0) ** 2, 1.0) == (2.0, 2.0)


def test_where_chooses_between_slopes_too() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(tg.grad(lambda x: tnp.where(x > 0, x * x, -x).sum())(x), [-1.0, -1.0, 4.0])
