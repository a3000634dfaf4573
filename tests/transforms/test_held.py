"""What `vmap` holds for all examples: it can be indexed with what differs, and otherwise be used as the array that it is."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad import random
from tapegrad.errors import ConcretizationError

TABLE = np.arange(12.0).reshape(4, 3)
ROWS = np.array([0, 3, 3])


def read(table: Any, i: Any) -> Any:
    return table[i]


@pytest.mark.parametrize("table", (TABLE, TABLE.astype(np.float32), TABLE.astype(int), TABLE > 4.0, TABLE + 1j))
def test_a_held_array_is_indexed_with_what_differs(table: Any) -> None:
    found = tg.vmap(read, in_axes=(None, 0))(table, ROWS)
    np.testing.assert_array_equal(found, table[ROWS])
    assert found.dtype == table.dtype


@pytest.mark.parametrize(
    "index",
    (lambda i: (i, slice(None, 2)), lambda i: (..., i), lambda i: (i, i), lambda i: tnp.stack([i, 2 - i])),
)
def test_every_form_of_index_may_differ(index: Any) -> None:
    rows = np.array([0, 1, 2])
    found = tg.vmap(lambda table, i: table[index(i)], in_axes=(None, 0))(TABLE, rows)
    np.testing.assert_array_equal(found, [TABLE[index(i)] for i in rows])


def test_it_is_differentiated_inside_and_outside() -> None:
    def f(table: Any, i: Any) -> Any:
        return tnp.sum(table[i] ** 2)

    inside = tg.vmap(tg.grad(f), in_axes=(None, 0))(TABLE, ROWS)
    expected = np.zeros((3, 4, 3))
    expected[range(3), ROWS] = 2.0 * TABLE[ROWS]
    np.testing.assert_array_equal(inside, expected)
    outside = tg.grad(lambda table: tnp.sum(tg.vmap(f, in_axes=(None, 0))(table, ROWS)))(TABLE)
    np.testing.assert_array_equal(outside, expected.sum(0))


def test_an_outer_gradient_by_something_else_sees_a_constant() -> None:
    def f(w: Any) -> Any:
        return tnp.sum(tg.vmap(lambda table, i, w: table[i] * w, in_axes=(None, 0, 0))(TABLE, ROWS, w))

    np.testing.assert_array_equal(tg.grad(f)(np.ones(3)), TABLE[ROWS].sum(1))


def test_maps_are_nested() -> None:
    def inner(table: Any, rows: Any) -> Any:
        return tg.vmap(read, in_axes=(None, 0))(table, rows)

    rows = np.array([[0, 1], [3, 3]])
    np.testing.assert_array_equal(tg.vmap(inner, in_axes=(None, 0))(TABLE, rows), TABLE[rows])
    np.testing.assert_array_equal(tg.vmap(inner, in_axes=(0, None))(np.stack([TABLE, -TABLE]), ROWS)[1], -TABLE[ROWS])


def test_it_may_be_looked_at() -> None:
    mask = np.array([True, False, True])

    def f(table: Any, mask: Any, x: Any) -> Any:
        assert isinstance(np.asarray(table), np.ndarray)
        positive = sum(float(v) for v in table[0] if v > 0)
        return x[mask] * positive + table[1][table[1] > 3.0][0].item() + int(table[2, 0])

    x = np.ones((2, 3))
    np.testing.assert_array_equal(tg.vmap(f, in_axes=(None, None, 0))(TABLE, mask, x), np.full((2, 2), 3.0 + 4.0 + 6.0))


def test_what_a_gradient_is_taken_by_may_not() -> None:
    def f(table: Any, x: Any) -> Any:
        return float(table[0, 1]) * x

    with pytest.raises(ConcretizationError, match="would lose the derivative"):
        tg.grad(lambda table: tnp.sum(tg.vmap(f, in_axes=(None, 0))(table, ROWS * 1.0)))(TABLE)


def test_a_held_key_draws_the_same_for_all() -> None:
    key = random.key(0)
    drawn = tg.vmap(lambda key, x: x + random.normal(random.split(key)[0], (2,)), in_axes=(None, 0))(key, np.zeros((3, 2)))
    np.testing.assert_array_equal(drawn, np.broadcast_to(random.normal(random.split(key)[0], (2,)), (3, 2)))


def test_an_array_that_is_no_argument_is_named_with_the_way_out() -> None:
    with pytest.raises(ConcretizationError, match=r"tapegrad\.numpy\.take\(array, index\).* in_axes=None"):
        tg.vmap(lambda i: TABLE[i])(ROWS)
    with pytest.raises(ConcretizationError, match=r"tapegrad\.numpy\.where"):
        tg.vmap(lambda mask: TABLE[mask])(np.ones((2, 4), bool))
