"""Counts, histograms and sets: constants, but for weights and for the elements themselves."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=20)
Y = np.random.default_rng(1).normal(size=20)
W = np.random.default_rng(2).random(20)
U = np.array([3.0, 1.0, 3.0, 2.0, 1.0, 0.0])

CONSTANTS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("all", (), {}),
    ("any", (), {"where": [True, False, True, False, False, True]}),
    ("count_nonzero", (0,), {"keepdims": True}),
    ("nonzero", (), {}),
    ("flatnonzero", (), {}),
    ("argwhere", (), {}),
    ("histogram", (4,), {"density": True}),
    ("histogram", ([0.0, 1.0, 2.5],), {}),
    ("histogram_bin_edges", (3,), {}),
    ("histogram2d", (U[::-1], 3), {}),
    ("isin", ([1.0, 2.0],), {"invert": True}),
]


@pytest.mark.parametrize(("name", "args", "settings"), CONSTANTS)
def test_counts_are_numpys_and_plain(name: str, args: Any, settings: Any) -> None:
    expected = getattr(np, name)(U, *args, **settings)
    for module in (np, tnp):
        seen: list[Any] = []

        def f(x: Any, module: Any = module, seen: list[Any] = seen) -> Any:
            seen.append(getattr(module, name)(x, *args, **settings))
            return np.sum(x)

        tg.grad(f)(U)
        assert_same(seen[0], expected)
    assert_same(getattr(tnp, name)(U, *args, **settings), expected)


BINS: list[dict[str, Any]] = [
    {},
    {"bins": 4, "range": (-1, 1)},
    {"bins": [-2.0, -0.5, 0.1, 1.5]},
    {"bins": 3, "density": True},
    {"bins": [-2.0, -0.5, 0.1, 1.5], "density": True},
]


@pytest.mark.parametrize("settings", BINS)
def test_sums_of_weights_are_linear_in_the_weights(settings: dict[str, Any]) -> None:
    hist, edges = np.histogram(X, weights=W, **settings)
    value, same = tg.vjp(lambda w: np.histogram(X, weights=w, **settings), W)[0]
    np.testing.assert_allclose(value, hist, rtol=1e-13)
    np.testing.assert_array_equal(same, edges)
    tg.testing.check_grads(lambda w: tnp.histogram(X, weights=w, **settings)[0], (W,))
    tg.testing.check_grads(lambda w: tnp.histogram(X, weights=w * (1 + 2j), **settings)[0], (W,), order=1)


def test_histograms_in_several_dimensions_too() -> None:
    for settings in ({"bins": (3, 4), "density": True}, {"bins": [-2.0, 0.0, 1.0, 2.0]}, {"bins": 2}):
        hist = np.histogram2d(X, Y, weights=W, **settings)[0]
        f = lambda w, settings=settings: tnp.histogram2d(X, Y, weights=w, **settings)[0]
        np.testing.assert_allclose(tg.vjp(f, W)[0], hist)
        tg.testing.check_grads(f, (W,), order=1)
    tg.testing.check_grads(lambda w: np.histogramdd(np.stack([X, Y, X * Y], 1), 2, weights=w)[0], (W,), order=1)
    assert_same(tg.vjp(lambda x: np.histogramdd([x, Y], 2)[0], X)[0], np.histogramdd([X, Y], 2)[0])


def test_bincount_differentiates_by_its_weights() -> None:
    bins = np.array([0, 2, 2, 5] * 5)
    check("bincount", bins, W, 8, by=(1,))
    rows = np.stack([W, 2 * W])
    np.testing.assert_allclose(tg.vmap(lambda w: np.bincount(bins, w))(rows), [np.bincount(bins, w) for w in rows])
    assert tg.grad(lambda w: np.sum(tnp.bincount(np.zeros(0, int), w, 2)))(np.zeros(0)).shape == (0,)


def test_elements_of_sets_carry_derivatives() -> None:
    assert tg.grad(lambda x: np.sum(np.unique(x) * np.arange(4.0)))(U).tolist() == [3, 1, 0, 2, 0, 0]
    assert tg.grad(lambda x: np.sum(np.unique(x, return_counts=True)[0] ** 2))(U).tolist() == [6, 2, 0, 4, 0, 0]
    assert tg.grad(lambda x: np.unique(x[:, None], axis=0)[-1, 0])(U).tolist() == [1, 0, 0, 0, 0, 0]
    assert tg.grad(lambda x: np.sum(np.union1d(x, [2.0, 7.0])))(U).tolist() == [1, 1, 0, 1, 0, 1]
    assert tg.grad(lambda x: np.sum(np.intersect1d(x, [3.0, 7.0])))(U).tolist() == [1, 0, 0, 0, 0, 0]
    assert tg.grad(lambda x: np.sum(np.setdiff1d(x, [3.0, 7.0])))(U).tolist() == [0, 1, 0, 1, 0, 1]
    assert tg.grad(lambda x: np.sum(np.setxor1d(x, [3.0, 7.0])))(U).tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_sets_by_the_standards_names(name: str) -> None:
    found: list[Any] = []

    def f(x: Any) -> Any:
        y = getattr(np, name)(x)
        found.append(y)
        return np.sum(y if name == "unique_values" else y.values)

    assert tg.grad(f)(U).tolist() == [1, 1, 0, 1, 0, 1]
    expected = getattr(np, name)(U)
    if name != "unique_values":
        assert_same(list(found[0])[1:], list(expected)[1:])
        assert type(found[0]) is type(expected)


def test_batches_of_truth() -> None:
    rows = np.stack([U, U + 1])
    assert tg.vmap(lambda x: N.all(x > 0))(rows).tolist() == [False, True]
    assert tg.vmap(lambda x: N.any(x < 1, keepdims=True))(rows).tolist() == [[True], [False]]
    assert tg.vmap(lambda x: N.count_nonzero(x))(rows).tolist() == [5, 6]
    assert tg.vmap(lambda x: N.isin(x, [1.0]))(rows).sum() == 3


@pytest.mark.parametrize("name", ["unique", "nonzero", "argwhere", "flatnonzero", "histogram", "unique_values"])
def test_shapes_that_depend_on_values_are_unknown_under_vmap(name: str) -> None:
    with pytest.raises(ConcretizationError, match=f"numpy.{name}"):
        tg.vmap(getattr(np, name))(np.stack([U, U]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: N.histogram(X[:3], weights=w), ValueError, "same shape as a"),
        (lambda w: N.histogram(X, [1.0, 0.0], weights=w), ValueError, "monotonically"),
        (lambda w: N.histogram2d(X, Y[:2], weights=w), ValueError, "same length"),
        (lambda w: N.bincount([0, 1], w), ValueError, "same length"),
        (lambda w: N.bincount([-1] * 20, w), ValueError, "negative"),
        (lambda w: N.all(w, out=np.zeros(())), TypeError, "all: out= is not supported"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(call)(W)
