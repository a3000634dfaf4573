"""Slopes, integrals, interpolation and unwrapped angles of sampled functions."""

from typing import Any, Literal

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(4, 5))
FOUR = np.cumsum(np.random.default_rng(1).random(4) + 0.1)
FIVE = np.cumsum(np.random.default_rng(2).random(5) + 0.1)
NODES = np.array([0.0, 1.0, 2.5, 4.0, 4.5])
VALUES = np.array([1.0, -1.0, 0.5, 2.0, 0.0])
POINTS = np.array([[-1.2, 0.3, 0.7], [2.2, 4.2, 7.0]])


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_differentiate_by_samples_and_spacing(edge_order: Literal[1, 2]) -> None:
    check("gradient", X, edge_order=edge_order)
    check("gradient", X, np.float64(0.3), by=(0, 1), edge_order=edge_order)
    check("gradient", X, np.float64(0.3), FIVE, by=(0, 1, 2), edge_order=edge_order, order=1)
    check("gradient", X, FOUR, by=(0, 1), axis=0, edge_order=edge_order)
    check("gradient", X, np.arange(5), axis=(-1,), edge_order=edge_order, order=1)
    check("gradient", X, np.array([0, 1, 3, 4]), 2, axis=(0, 1), edge_order=edge_order, order=1)


def test_integrals_differentiate_by_samples_and_points() -> None:
    check("trapezoid", X)
    check("trapezoid", X, dx=0.3, axis=0)
    check("trapezoid", X, FIVE, by=(0, 1))
    check("trapezoid", X, FOUR, by=(0, 1), axis=-2)
    check("trapezoid", X, X**2, by=(0, 1), axis=0, order=1)
    assert tg.grad(lambda dx: np.sum(tnp.trapezoid(X, dx=dx)))(2.0) == pytest.approx(np.trapezoid(X).sum())


@pytest.mark.parametrize("by", [(0,), (1,), (2,), (0, 1, 2)])
def test_interpolation_differentiates_by_points_nodes_and_values(by: tuple[int, ...]) -> None:
    check("interp", POINTS, NODES, VALUES, by=by)
    check("interp", POINTS, NODES, VALUES, by=by, left=-1.0, right=2.0, order=1)
    check("interp", POINTS, NODES[::-1] + 0.1, VALUES, by=by, period=-5.0, order=1)
    check("interp", np.float64(0.3), NODES, VALUES, by=by, order=1)


def test_interpolation_at_and_beyond_the_nodes() -> None:
    y, pull = tg.vjp(lambda x: np.interp(x, NODES, VALUES), NODES)
    np.testing.assert_array_equal(y, VALUES)
    rises = np.diff(VALUES) / np.diff(NODES)
    np.testing.assert_allclose(pull(np.ones(5))[0], [*rises, rises[-1]])
    assert tg.grad(lambda x: np.interp(x, NODES, VALUES))(9.0) == 0
    assert tg.grad(lambda end: tnp.interp(9.0, NODES, VALUES, right=end**2))(3.0) == 6
    assert tg.grad(lambda f: np.sum(np.interp(POINTS, NODES[:1], f)))(VALUES[:1]).tolist() == [6]
    twice = np.array([0.0, 1.0, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(tg.vjp(lambda x: np.interp(x, twice, VALUES), twice)[0], np.interp(twice, twice, VALUES))
    assert np.isnan(tg.vjp(lambda x: np.interp(x, NODES, VALUES), np.array([np.nan]))[0])


def test_interpolation_of_complex_values_and_by_the_period() -> None:
    check("interp", POINTS, NODES, VALUES * (1 + 2j), by=(2,), order=1)
    tg.testing.check_grads(lambda p: tnp.interp(POINTS, NODES, VALUES, period=p), (4.7,))
    y, pull = tg.vjp(lambda x: np.interp(x, NODES, VALUES), POINTS.astype(np.float32))
    assert y.dtype == np.float64
    assert pull(y)[0].dtype == np.float32


def test_batches_of_points_share_the_nodes() -> None:
    slopes = tg.grad(lambda f: np.sum(tg.vmap(lambda x: np.interp(x, NODES, f))(POINTS)))(VALUES)
    np.testing.assert_allclose(slopes, tg.grad(lambda f: np.sum(np.interp(POINTS, NODES, f)))(VALUES))


def test_unwrapped_angles_move_as_the_angles_do() -> None:
    angles = np.cumsum(np.random.default_rng(3).normal(size=(3, 8)) * 3, 1) % 6
    check("unwrap", angles)
    check("unwrap", angles, 4.0, 0, order=1)
    check("unwrap", angles, axis=0, period=3.0, order=1)
    np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.unwrap(x)))(angles), np.ones((3, 8)))
    tg.testing.check_grads(lambda p: tnp.unwrap(angles, period=p), (3.3,))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.gradient(x, 1.0, 2.0, 3.0), TypeError, "invalid number of arguments"),
        (lambda x: N.gradient(x, FIVE, axis=0), ValueError, "distances must match"),
        (lambda x: N.gradient(x, X, axis=0), ValueError, "scalars or 1d"),
        (lambda x: N.gradient(x, edge_order=3), ValueError, "'edge_order' greater than 2"),
        (lambda x: N.gradient(x[:1]), ValueError, "too small to calculate"),
        (lambda x: N.gradient(x, axis=2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda x: N.trapezoid(x, FOUR), ValueError, "could not be broadcast"),
        (lambda x: N.interp(x, NODES, VALUES[:2]), ValueError, "not of the same length"),
        (lambda x: N.interp(x, [], []), ValueError, "sample points is empty"),
        (lambda x: N.interp(x, NODES, VALUES, period=0), ValueError, "period must be a non-zero value"),
        (lambda x: N.interp(x, NODES[None], VALUES), ValueError, "1-D"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(lambda x: np.sum(call(x)))(X)


@pytest.mark.parametrize(("values", "places", "axis"), [((3,), (2, 3), -1), ((3,), (3, 3), -1), ((2, 3), (4, 2, 3), -2)])
def test_the_places_of_samples_may_have_more_axes_than_they(values: Any, places: Any, axis: int) -> None:
    random = np.random.default_rng(0)
    y, x = random.normal(size=values), random.normal(size=places)
    wanted = np.trapezoid(y, x, axis=axis)
    out, pull = tg.vjp(lambda y, x: np.trapezoid(y, x, axis=axis), y, x)
    np.testing.assert_allclose(out, wanted)
    g = random.normal(size=wanted.shape)
    _, moved = tg.jvp(lambda y, x: np.trapezoid(y, x, axis=axis), (y, x), (y, x))
    np.testing.assert_allclose(moved, 2 * wanted)
    np.testing.assert_allclose(sum(np.sum(c * z) for c, z in zip(pull(g), (y, x), strict=True)), np.sum(g * moved))


@pytest.mark.parametrize(
    "settings", [{"period": 6}, {"period": 5}, {"discont": 4, "period": 5}, {"period": np.int16(9)}, {"period": 6.5}]
)
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32])
def test_whole_angles_are_unwrapped_to_whole_ones(dtype: Any, settings: dict[str, Any]) -> None:
    angles = np.array([[0, 30, 20, 10, 13], [3, 5, 70, 76, 70]]).astype(dtype)
    expected = np.unwrap(angles, **settings)
    assert_same(tg.jit(lambda x: np.unwrap(x, **settings))(angles), expected)
    assert_same(tg.vmap(lambda x: np.unwrap(x, **settings))(angles), expected)
    period: Any = np.asarray(settings["period"])
    expected = np.unwrap(angles, period=period[()])
    assert_same(tg.jit(lambda p: tnp.unwrap(angles, period=p))(period), expected)
