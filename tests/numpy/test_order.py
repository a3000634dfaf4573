"""Sorting, partitioning, searching: derivatives move with the elements, positions have none."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(3, 4, 2))
TIES = np.array([2.0, 1.0, 2.0, 3.0, 2.0, 1.0])
W = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sorted_values_differentiate(axis: int | None) -> None:
    check("sort", X, axis)
    check("partition", X, 1, axis)
    check("partition", X, (0, 1), axis, order=1)


def test_complex_numbers_are_sorted_by_their_real_part_first() -> None:
    z = X[..., 0] + 1j * X[..., 1]
    check("sort", z)
    check("sort_complex", z)
    check("sort_complex", X, order=1)


@pytest.mark.parametrize("f", [np.sort, lambda x: np.partition(x, 2)])
def test_equal_elements_share_evenly(f: Any) -> None:
    places = np.argsort(np.argsort(f(TIES), kind="stable"))
    ranks = W[np.argsort(places)]
    ones, twos = ranks[:2].mean(), ranks[2:5].mean()
    expected = [twos, ones, twos, ranks[5], twos, ones]
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(f(x) * W))(TIES), expected)
    np.testing.assert_allclose(tg.jvp(lambda x: np.sum(f(x) * W), (TIES,), (W,))[1], np.dot(expected, W))
    np.testing.assert_allclose(tg.vmap(tg.grad(lambda x: np.sum(f(x) * W)))(np.stack([TIES, TIES]))[1], expected)
    second = tg.grad(lambda x: np.sum(tg.grad(lambda x: np.sum(f(x) ** 3))(x)))(TIES)
    np.testing.assert_allclose(second, 6 * TIES)


def test_the_last_sorted_element_has_the_derivative_of_the_greatest() -> None:
    for x in (TIES, np.ones(3), np.array([[2.0, 2.0], [1.0, 2.0]])):
        np.testing.assert_allclose(tg.grad(lambda x: np.sort(x, axis=None)[-1])(x), tg.grad(lambda x: np.max(x))(x))


def test_nan_is_sorted_last_and_moves_along() -> None:
    assert tg.grad(lambda x: np.sort(x)[0])(np.array([np.nan, 2.0, 1.0])).tolist() == [0, 0, 1]


POSITIONS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("argsort", (), {}),
    ("argsort", (None, "stable"), {}),
    ("argsort", (0,), {"stable": True}),
    ("argpartition", (1,), {}),
    ("argpartition", ((0, 2), 1), {}),
    ("argmax", (), {}),
    ("argmin", (1,), {"keepdims": True}),
    ("nanargmax", (-1,), {}),
    ("nanargmin", (), {"keepdims": True}),
    ("searchsorted", (X[0],), {"side": "right"}),
    ("digitize", ([-1.0, 0.0, 1.0],), {}),
    ("digitize", ([1.0, 0.0, -1.0],), {"right": True}),
    ("lexsort", (), {}),
]


@pytest.mark.parametrize(("name", "args", "settings"), POSITIONS)
def test_positions_are_numpys_and_plain(name: str, args: Any, settings: Any) -> None:
    x = np.sort(X.ravel()) if name == "searchsorted" else X
    expected = getattr(np, name)(x, *args, **settings)
    for module in (np, tnp):
        seen: list[Any] = []

        def f(x: Any, module: Any = module, seen: list[Any] = seen) -> Any:
            seen.append(getattr(module, name)(x, *args, **settings))
            return np.sum(x)

        tg.grad(f)(x)
        assert_same(seen[0], expected)
        assert_same(getattr(module, name)(x, *args, **settings), expected)


def test_positions_of_traced_values_in_plain_arrays() -> None:
    edges = np.array([0.0, 1.0, 2.0])
    assert tg.grad(lambda v: 1.0 * tnp.searchsorted(edges, v) + v)(1.5) == 1.0
    sorter = np.array([2, 0, 1])
    y, _ = tg.vjp(lambda x: x[np.searchsorted(x, 1.5, sorter=sorter)], np.array([1.0, 2.0, 0.0]))
    assert y == 0.0


def test_batches_sort_and_search_each_example() -> None:
    x = X[..., 0]
    np.testing.assert_array_equal(tg.vmap(np.sort)(x), np.sort(x, 1))
    np.testing.assert_array_equal(tg.vmap(np.argsort)(x), np.argsort(x, 1))
    np.testing.assert_array_equal(tg.vmap(lambda x: np.argmax(x, keepdims=True))(x), np.argmax(x, 1, keepdims=True))
    np.testing.assert_array_equal(tg.vmap(lambda x: x[np.argsort(x)][0])(x), x.min(1))
    np.testing.assert_array_equal(
        tg.vmap(lambda x: np.searchsorted(np.sort(x), x))(x), np.stack([np.searchsorted(np.sort(r), r) for r in x])
    )
    np.testing.assert_array_equal(tg.vmap(lambda x, y: np.lexsort((x, y)))(x, x[:, ::-1]), np.lexsort((x, x[:, ::-1])))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.sort(x, 7), np.exceptions.AxisError, "axis 7 is out of bounds"),
        (lambda x: N.sort(x, kind="fast"), ValueError, "sort kind must be one of"),
        (lambda x: N.sort(x, order="a"), ValueError, "Cannot specify order"),
        (lambda x: N.partition(x, 9), ValueError, "kth"),
        (lambda x: N.argmax(x, out=np.zeros(())), TypeError, "argmax: out= is not supported"),
        (lambda x: N.digitize(x, [0.0, 2.0, 1.0]), ValueError, "monotonically"),
        (lambda x: N.argmax(x[:0]), ValueError, "empty sequence"),
        (lambda x: N.nanargmax(x * np.nan), ValueError, "All-NaN"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(lambda x: N.sum(1.0 * call(x)))(X)
