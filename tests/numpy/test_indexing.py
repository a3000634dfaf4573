"""Reading by index: every form that NumPy knows, in every mode, at a cost that does not depend on what is not read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core.pending import Scatter
from tapegrad.core.reading import getitem_p
from tapegrad.errors import ConcretizationError
from tapegrad.testing import check_grads
from tapegrad.typing import Array

RNG = np.random.default_rng(0)
X: Array = RNG.normal(size=(3, 4, 2))


@st.composite
def shapes_and_indices(draw: Any) -> tuple[tuple[int, ...], Any]:
    """Draw a shape and an index into it: basic, of integers, a mask, or all of these mixed."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    kind = draw(st.sampled_from(["basic", "integer", "mask", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=5))
    if kind == "integer":
        arrays = draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)))
        return shape, arrays[: draw(st.integers(1, len(shape)))]
    if kind == "mask":
        return shape, draw(hnp.arrays(bool, shape[: draw(st.integers(1, len(shape)))]))
    parts: list[Any] = []
    length = draw(st.integers(1, 3))
    for n in shape:
        part = draw(st.sampled_from(["slice", "int", "array", "mask"]))
        if part == "slice":
            parts.append(draw(st.slices(n)))
        elif part == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif part == "array":
            parts.append(draw(hnp.arrays(int, length, elements=st.integers(-n, n - 1))))
        else:
            chosen = draw(st.lists(st.integers(0, n - 1), min_size=min(length, n), max_size=min(length, n), unique=True))
            parts.append(np.isin(np.arange(n), chosen) if len(chosen) == length else slice(None))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from([None, ...])))
    return shape, tuple(parts)


def numbers(shape: tuple[int, ...], seed: int = 1) -> Array:
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


@given(shapes_and_indices())
def test_reading_is_transposed_by_adding_at_the_index(drawn: tuple[tuple[int, ...], Any]) -> None:
    shape, index = drawn
    x = numbers(shape)
    y, pull = tg.vjp(lambda x: x[index], x)
    np.testing.assert_array_equal(y, x[index])
    g = numbers(np.shape(y), 2)
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    (c,) = pull(g)
    np.testing.assert_allclose(c, expected, rtol=1e-14)
    assert c.shape == shape
    t = numbers(shape, 3)
    np.testing.assert_array_equal(tg.jvp(lambda x: x[index], (x,), (t,))[1], t[index])


@given(shapes_and_indices())
def test_second_order_goes_through_any_index(drawn: tuple[tuple[int, ...], Any]) -> None:
    shape, index = drawn
    x, t = numbers(shape), numbers(shape, 2)
    expected = np.zeros(shape)
    np.add.at(expected, index, -np.sin(x[index]) * t[index])

    def f(x: Array) -> Any:
        return np.sin(x[index]).sum()

    found = tg.jvp(tg.grad(f), (x,), (t,))[1]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    found = tg.grad(lambda x: (tg.grad(f)(x) * t).sum())(x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@given(shapes_and_indices())
def test_a_batch_is_read_in_one_go_and_as_one_by_one(drawn: tuple[tuple[int, ...], Any]) -> None:
    shape, index = drawn
    batch = numbers((3, *shape))
    np.testing.assert_array_equal(tg.vmap(lambda x: x[index])(batch), np.stack([x[index] for x in batch]))
    found = tg.vmap(tg.grad(lambda x: (x[index] ** 2).sum()))(batch)
    for x, c in zip(batch, found, strict=True):
        expected = np.zeros(shape)
        np.add.at(expected, index, 2 * x[index])
        np.testing.assert_allclose(c, expected, rtol=1e-13)


@pytest.mark.parametrize(
    "index",
    [
        [2, 0],
        ([0, 2], [1, 1]),
        (slice(None), [True, False, True, True]),
        (np.int64(1), -1),
        np.array(2),
        [],
        (0, slice(None), [1, 0]),
        (True,),
        (slice(0), None),
        np.zeros((3, 4), bool),
    ],
    ids=str,
)
def test_lists_scalars_and_empty_indices_mean_what_they_mean_to_numpy(index: Any) -> None:
    y, pull = tg.vjp(lambda x: x[index], X)
    np.testing.assert_array_equal(y, X[index])
    expected = np.zeros_like(X)
    np.add.at(expected, index, np.ones_like(X[index]))
    np.testing.assert_array_equal(pull(np.ones_like(y))[0], expected)


def test_reads_that_repeat_accumulate() -> None:
    np.testing.assert_array_equal(tg.grad(lambda x: x[[0, 0, 1]].sum() + x[0])(np.ones(3)), [3.0, 1.0, 0.0])


def test_float32_and_complex_keep_their_dtype() -> None:
    x = np.arange(3, dtype=np.float32)
    assert tg.grad(lambda x: (x[1] * x[np.array([0, 0])]).sum())(x).dtype == np.float32
    z = np.array([1.0 + 2.0j, 3.0])
    assert tg.vjp(lambda z: z[0], z)[1](np.complex128(1.0))[0].dtype == np.complex128


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64, bool])
@pytest.mark.parametrize("count", [(), (3,), (2, 2), (0,)])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda x: x[::-1], lambda x: x[:, :1]])
def test_rows_are_read_as_numpy_reads_them(dtype: Any, count: tuple[int, ...], layout: Callable[[Any], Any]) -> None:
    """Values, and where they lie in memory; short ways are for integers and contiguous arrays only."""
    rng = np.random.default_rng(0)
    x = layout(rng.normal(size=(5, 3)))
    index = np.ones(5, bool) if dtype is bool else rng.integers(0, 5, count).astype(dtype)
    expected = x[index]
    found = tg.jvp(lambda x: x[index], (x,), (x,))
    for y in (*found, tg.jit(lambda x, index: x[index])(x, index) if dtype is not bool else found[0]):
        assert np.array_equal(y, expected) and (
            y.strides == expected.strides or not index.ndim
        )  # one row of a program is a copy
    if index.size and np.issubdtype(dtype, np.signedinteger):
        assert np.array_equal(tg.jvp(lambda x: x[index - 5], (x,), (x,))[1], expected)


def test_the_cotangent_of_a_read_costs_what_was_read() -> None:
    c = getitem_p.pulls[0](np.float64(1.0), None, np.zeros(10**6), index=3)
    assert type(c) is Scatter
    total = c
    for _ in range(99):
        total = total + c
    assert len(list(total.items())) == 100


def test_many_reads_in_one_gradient_add_up() -> None:
    x = RNG.normal(size=1000)

    def f(x: Array) -> Any:
        total: Any = 0.0
        for i in range(len(x)):
            total = total + x[i] * x[i] + x[-1 - i]
        return total

    np.testing.assert_allclose(tg.grad(f)(x), 2 * x + 1, rtol=1e-13)
    np.testing.assert_allclose(tg.grad(lambda x: (tg.grad(f)(x) * x).sum())(x[:100]), 4 * x[:100] + 1, rtol=1e-13)


def test_many_reads_of_a_matrix_add_up() -> None:
    x = RNG.normal(size=(5, 6))

    def f(x: Array) -> Any:
        return sum(x[i, j] ** 2 for i in range(5) for j in range(6)) + sum((x[i] * x[i]).sum() for i in range(5))

    np.testing.assert_allclose(tg.grad(f)(x), 4 * x, rtol=1e-14)


def test_an_index_array_changed_later_does_not_change_the_gradient() -> None:
    index = np.array([0, 1])

    def f(x: Array) -> Any:
        y = x[index].sum()
        index[:] = 2
        return y

    np.testing.assert_array_equal(tg.grad(f)(np.ones(3)), [1.0, 1.0, 0.0])


# Positions that are traced


@pytest.mark.parametrize("in_axes", [(0, 0), (None, 0), (0, None)])
@pytest.mark.parametrize(
    ("read", "positions"),
    [
        (lambda x, i: x[i], np.array([2, 0, -1])),
        (lambda x, i: x[:, i], np.array([3, 0, 3])),
        (lambda x, i: x[i, :, i], np.array([1, 0, 1])),
        (lambda x, i: x[0, :, i], np.array([1, 0, 1])),
        (lambda x, i: x[i], np.array([[2, 0], [1, 1], [0, 0]])),
        (lambda x, i: x[:, i, None], np.array([[3, 0], [1, 1], [0, 0]])),
        (lambda x, i: x[i, ..., [[1], [0]]], np.array([[2, 0], [1, 1], [0, 0]])),
        (lambda x, i: x[None, i, 1], np.array([[2, 0], [1, 1], [0, 0]])),
        (lambda x, i: tnp.take(x, i, axis=1), np.array([[3, 0], [1, 1], [0, 0]])),
    ],
)
def test_vmap_reads_at_positions_that_differ_between_examples(
    read: Callable[[Any, Any], Any], positions: Array, in_axes: tuple[int | None, int | None]
) -> None:
    batch: Array = X if in_axes[0] is None else RNG.normal(size=(3, *X.shape))
    where: Array = positions[0] if in_axes[1] is None else positions

    def pick(k: int) -> tuple[Array, Array]:
        return batch if in_axes[0] is None else batch[k], where if in_axes[1] is None else where[k]

    def read_copy(x: Any, i: Any) -> Any:
        return read(tnp.copy(x), i)  # what is not mapped is plain, and NumPy reads it; a copy is on the tape

    expected = np.stack([read(*pick(k)) for k in range(3)])
    np.testing.assert_array_equal(tg.vmap(read_copy, in_axes)(batch, where), expected)

    def loss(x: Any, i: Any) -> Any:
        return (read(x, i) ** 2).sum()

    found = tg.vmap(tg.grad(loss), in_axes)(batch, where)
    np.testing.assert_allclose(found, np.stack([tg.grad(loss)(*pick(k)) for k in range(3)]), rtol=1e-13)

    def curvature(x: Any, i: Any) -> Any:
        return tg.grad(lambda x: tg.grad(loss)(x, i).sum())(x)

    found = tg.vmap(curvature, in_axes)(batch, where)
    np.testing.assert_allclose(found, np.stack([curvature(*pick(k)) for k in range(3)]), rtol=1e-13)


def test_a_mask_that_differs_between_examples_names_where() -> None:
    with pytest.raises(ConcretizationError, match=r"mask.*numpy\.where"):
        tg.vmap(lambda x: x[x > 0].sum())(X)


@pytest.mark.parametrize("door", [np, tnp])
def test_what_is_taken_is_laid_out_as_by_numpy(door: Any) -> None:
    def in_memory(x: Any) -> Any:
        parts = [door.take(x, [0, 1], axis=1), door.delete(x, 1, axis=1), door.take(x, 2, axis=1)]
        return np.concatenate([part.ravel(order="K") for part in parts])

    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(tg.vjp(in_memory, x)[0], in_memory(x))


def test_a_plain_array_read_at_a_traced_position_names_take() -> None:
    table = np.arange(4.0)
    with pytest.raises(ConcretizationError, match=r"numpy\.take"):
        tg.vmap(lambda i: table[i])(np.array([1, 3]))
    np.testing.assert_array_equal(tg.vmap(lambda i: tnp.take(table, i))(np.array([1, 3])), [1.0, 3.0])


# Functions


@pytest.mark.parametrize("door", [np, tnp])
@pytest.mark.parametrize(
    ("indices", "axis", "mode"),
    [
        ([0, 5, 5], None, "raise"),
        ([[0], [2]], 1, "raise"),
        (1, 0, "raise"),
        ([7, -9], None, "wrap"),
        ([7, -9], 1, "clip"),
        ([], 0, "raise"),
        (np.int8(-1), -1, "raise"),
    ],
)
def test_take(door: Any, indices: Any, axis: Any, mode: Any) -> None:
    y = tg.vjp(lambda x: door.take(x, indices, axis, mode=mode), X)[0]
    np.testing.assert_array_equal(y, np.take(X, indices, axis, mode=mode))
    check_grads(lambda x: np.sin(door.take(x, indices, axis, mode=mode)), (X,))


@pytest.mark.parametrize("door", [np, tnp])
@pytest.mark.parametrize(
    ("indices", "axis"),
    [
        (np.argsort(X, axis=1), 1),
        (np.zeros((1, 4, 2), int), 0),
        (np.array([5, 5, 0]), None),
        (np.array([[[1]], [[0]], [[1]]]), -1),
    ],
)
def test_take_along_axis(door: Any, indices: Any, axis: Any) -> None:
    y = tg.vjp(lambda x: door.take_along_axis(x, indices, axis), X)[0]
    np.testing.assert_array_equal(y, np.take_along_axis(X, indices, axis))
    check_grads(lambda x: np.sin(door.take_along_axis(x, indices, axis)), (X,))


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (lambda x: x[9], IndexError),
        (lambda x: x[0, 0, 0, 0], IndexError),
        (lambda x: x["a"], IndexError),
        (lambda x: x[1.0], IndexError),
        (lambda x: x[x], IndexError),
        (lambda x: x[np.ones(4, bool)], IndexError),
        (lambda x: np.take(x, 99), IndexError),
        (lambda x: np.take(x, 0, axis=5), np.exceptions.AxisError),
        (lambda x: np.take_along_axis(x, np.array([0]), 1), ValueError),
        (lambda x: np.take_along_axis(x, np.array([[[0.5]]]), 1), IndexError),
        (lambda x: x.take(0, out=np.zeros(1)), TypeError),
    ],
)
def test_bad_indices_are_numpys_errors_and_leave_the_library_usable(read: Callable[[Any], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        tg.grad(lambda x: read(x).sum())(X)
    np.testing.assert_array_equal(tg.grad(lambda x: x[0, 0, 0])(X)[0, 0], [1.0, 0.0])


@pytest.mark.parametrize("axis", [0, 1, None])
def test_booleans_to_take_are_numbers(axis: int | None) -> None:
    x = np.arange(6.0).reshape(2, 3)
    y, pull = tg.vjp(lambda x: np.take(x, [True, False, True], axis), x)
    np.testing.assert_array_equal(y, np.take(x, [True, False, True], axis))
    np.testing.assert_array_equal(
        pull(np.ones_like(y))[0], tg.vjp(lambda x: np.take(x, [1, 0, 1], axis), x)[1](np.ones_like(y))[0]
    )
