"""Shapes, orders of axes, places, diagonals: values as NumPy's through both doors, derivatives to the second order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import check

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4))
N: Any = np
"""NumPy without its types, for what they refuse."""
FRACTIONS: Any = np.ones(3)
B = RNG.normal(size=(2, 3, 4))
V = RNG.normal(size=5)
S = np.float64(1.5)

Call = tuple[str, tuple[Any, ...], dict[str, Any]]


def call(name: str, *args: Any, **settings: Any) -> Call:
    return name, args, settings


CALLS: list[Call] = [
    *[call("reshape", A, (2, -1), order) for order in "CF"],
    call("reshape", A, 12),
    call("reshape", S, (1, 1)),
    call("reshape", A, (4, 3), copy=True),
    *[call("ravel", B, order) for order in "CF"],
    *[call("expand_dims", A, axis) for axis in (0, -1, (0, 2), (-1, 0))],
    call("squeeze", A[None, :, None]),
    call("squeeze", A[None, :, None], (0, 2)),
    call("transpose", B),
    call("transpose", B, (1, -1, 0)),
    call("permute_dims", B, (2, 0, 1)),
    call("matrix_transpose", B),
    call("swapaxes", B, 0, -1),
    call("moveaxis", B, [0, 1], [-1, 0]),
    *[call("rollaxis", B, axis, start) for axis in (0, 2, -1) for start in (0, 3, -1)],
    call("broadcast_to", V, (3, 5)),
    call("broadcast_to", V, (5,)),
    call("atleast_1d", S),
    call("atleast_2d", V),
    *[call("atleast_3d", x) for x in (S, V, A, B)],
    *[
        call("roll", A, shift, axis)
        for shift, axis in [(1, None), (-1, 1), ((1, 2), (0, 1)), ((1, 1), (0, 0)), (1, (0, 1)), (7, 0)]
    ],
    *[call("tile", A, reps) for reps in (2, (2, 1), (1, 2, 3), 0, ())],
    *[
        call("repeat", A, counts, axis)
        for counts, axis in [(2, None), (2, 0), ([1, 2, 0], 0), ([2], 1), (0, 1), (np.arange(12), None), ([3, 1, 2], -2)]
    ],
    *[call(name, A, k) for name in ("diag", "diagflat", "tril", "triu", "diagonal", "trace") for k in (-2, 0, 1, 5)],
    *[call("diag", V, k) for k in (-1, 0, 2)],
    call("diagonal", B, 1, 2, 0),
    call("trace", B, 0, 1, 2),
    call("tril", V),
    call("triu", B, 1),
]


@pytest.mark.parametrize(("name", "args", "settings"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
def test_as_numpy_with_derivatives(name: str, args: tuple[Any, ...], settings: dict[str, Any]) -> None:
    check(name, *args, **settings)


@pytest.mark.parametrize(("name", "args", "settings"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_batch_is_each_example(name: str, args: tuple[Any, ...], settings: dict[str, Any]) -> None:
    def f(x: Any) -> Any:
        return getattr(np, name)(x, *args[1:], **settings)

    x = np.asarray(args[0])
    batch = np.stack([x, x + 1.0, -x])
    np.testing.assert_array_equal(tg.vmap(f)(batch), np.stack([f(x) for x in batch]))


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
def test_ravel_follows_the_memory_of_what_is_traced(order: Any) -> None:
    for x in (A, np.asfortranarray(A), B.transpose(1, 0, 2), B[::-1]):
        if order == "K" and x.strides[0] < 0:
            continue
        np.testing.assert_array_equal(tg.vjp(lambda x: np.ravel(x, order), x)[0], np.ravel(x, order))


def test_shape_ndim_and_size_are_plain() -> None:
    def f(x: Any) -> Any:
        assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1), tnp.size([x, x])) == ((3, 4), 2, 12, 4, 24)
        return x.sum()

    tg.grad(f)(A)


def test_broadcast_arrays_of_traced_and_plain_values() -> None:
    def f(x: Any) -> Any:
        parts = np.broadcast_arrays(x, np.ones((2, 1)), 3.0)
        assert [part.shape for part in parts] == [(2, 5)] * 3
        return (parts[0] * parts[1] * parts[2]).sum()

    np.testing.assert_array_equal(tg.grad(f)(V), 6.0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda x: np.reshape(x, (5, 5)), ValueError),
        (lambda x: np.reshape(x, (-1, -1)), ValueError),
        (lambda x: tnp.reshape(x.T, -1, copy=False), ValueError),
        (lambda x: np.squeeze(x, 0), ValueError),
        (lambda x: np.expand_dims(x, 7), np.exceptions.AxisError),
        (lambda x: np.transpose(x, (0, 0)), ValueError),
        (lambda x: np.transpose(x, (0,)), ValueError),
        (lambda x: np.swapaxes(x, 0, 9), np.exceptions.AxisError),
        (lambda x: np.moveaxis(x, [0, 1], [0]), ValueError),
        (lambda x: np.matrix_transpose(x[0]), ValueError),
        (lambda x: np.broadcast_to(x, (2, 4)), ValueError),
        (lambda x: np.roll(x, 1, 5), np.exceptions.AxisError),
        (lambda x: np.repeat(x, -1), ValueError),
        (lambda x: np.repeat(x, [1, 2], 0), ValueError),
        (lambda x: np.repeat(x, FRACTIONS, 0), TypeError),
        (lambda x: np.diagonal(x[0]), ValueError),
        (lambda x: np.diagonal(x, 0, 1, 1), ValueError),
        (lambda x: np.diag(x[None]), ValueError),
    ],
)
def test_bad_input_is_numpys_error(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        tg.grad(lambda x: wrong(x).sum())(A)
    with pytest.raises(error):
        wrong(A)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_a_scalar_is_squeezed_along_the_axis_that_numpy_gives_it(axis: int | None) -> None:
    assert tg.grad(lambda x: np.squeeze(x, axis))(np.array(2.0)) == 1.0


def face(x: Any) -> Any:
    """Return what makes arrays like `x`: NumPy, or `tapegrad.numpy` for a traced value."""
    return np if type(x) is np.ndarray else tnp


ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "copy": lambda x, order: N.copy(x.T, order=order),
    "the method copy": lambda x, order: x.T.copy(order),
    "reshape": lambda x, order: N.reshape(x.T.copy(), (12, 1), order=order),
    "the method reshape": lambda x, order: x.T.copy().reshape((12, 1), order=order),
    "ravel": lambda x, order: N.ravel(x.T.copy(), order=order),
    "flatten": lambda x, order: x.T.copy().flatten(order),
    "full_like": lambda x, order: N.full_like(x.T, x[0, 0], order=order),
    "array": lambda x, order: face(x).array(x.T, order=order),
    "full": lambda x, order: face(x).full((4, 3), x[0, 0], order="C" if order in ("A", "K") else order),
}


@pytest.mark.parametrize("order", [None, "C", "F", "A", "K", "c", "f"])
@pytest.mark.parametrize("name", ORDERED)
def test_arrays_lie_in_the_order_that_was_asked_for_so_that_writes_reach_what_they_reach_in_numpy(
    name: str, order: Any
) -> None:
    if "reshape" in name and order == "K":
        pytest.skip("NumPy has no such order here")

    def f(x: Any) -> Any:
        made = ORDERED[name](x, order)
        row = made.reshape(-1)  # a view of it or a copy, as it lies
        row[0] = 50.0
        return np.concatenate([np.ravel(made), np.ravel(made, "K")])

    for x in (A, np.asfortranarray(A)):
        expected = f(x)
        np.testing.assert_array_equal(tg.vjp(f, x)[0], expected)
        np.testing.assert_array_equal(tg.jit(f)(x), expected)


@pytest.mark.parametrize("name", ORDERED)
def test_what_is_no_order_raises(name: str) -> None:
    with pytest.raises(ValueError, match="order must be one of"):
        tg.vjp(lambda x: ORDERED[name](x, "rows"), A)
