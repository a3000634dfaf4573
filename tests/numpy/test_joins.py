"""Joins: values as NumPy's through both doors, derivatives of every part."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3))
B = RNG.normal(size=(2, 3))
V = RNG.normal(size=3)

CALLS: list[tuple[str, Any]] = [
    *[("concatenate", lambda m, a, b, v, axis=axis: m.concatenate([a, b, a * b], axis)) for axis in (0, 1, -1, None)],
    ("concat", lambda m, a, b, v: m.concat([a, v[None]])),
    ("concatenate of constants", lambda m, a, b, v: m.concatenate([np.ones((1, 3), int), a, [[1, 2, 3]]])),
    ("concatenate of an array", lambda m, a, b, v: m.concatenate(a)),
    *[("stack", lambda m, a, b, v, axis=axis: m.stack([a, b], axis)) for axis in (0, 1, -1, -2)],
    ("stack of numbers", lambda m, a, b, v: m.stack([v[0], 2.0, v[1] * v[2]])),
    ("stack of many", lambda m, a, b, v: m.stack([v[k % 3] * k for k in range(200)])),
    ("stack of many rows", lambda m, a, b, v: m.stack([a[k % 2] * k for k in range(100)], axis=1)),
    ("concatenate of many", lambda m, a, b, v: m.concatenate([a[k % 2] for k in range(150)])),
    ("vstack", lambda m, a, b, v: m.vstack([a, v, b])),
    ("hstack", lambda m, a, b, v: m.hstack([v, v[0], v * v])),
    ("hstack of matrices", lambda m, a, b, v: m.hstack([a, b])),
    ("dstack", lambda m, a, b, v: m.dstack([a, b])),
    ("dstack of vectors", lambda m, a, b, v: m.dstack([v, v])),
    ("column_stack", lambda m, a, b, v: m.column_stack([a, v[:2], b])),
    ("append", lambda m, a, b, v: m.append(a, b * 2)),
    ("block", lambda m, a, b, v: m.block([[a, b], [v, np.zeros(3)]])),
    ("block of a vector", lambda m, a, b, v: m.block([v, 1.0])),
    ("broadcast", lambda m, a, b, v: m.stack(m.broadcast_arrays(a, v))),
]


@pytest.mark.parametrize("function", [function for _, function in CALLS], ids=[name for name, _ in CALLS])
def test_as_numpy_through_both_doors_with_derivatives(function: Any) -> None:
    expected = function(np, A, B, V)
    for module in (np, tnp):
        value = tg.vjp(lambda *args, m=module: function(m, *args), A, B, V)[0]
        np.testing.assert_array_equal(value, expected)
        assert value.dtype == expected.dtype
    np.testing.assert_array_equal(function(tnp, A, B, V), expected)
    check_grads(lambda *args: np.sin(function(tnp, *args)), (A, B, V))


@pytest.mark.parametrize("function", [function for _, function in CALLS], ids=[name for name, _ in CALLS])
def test_a_batch_of_some_parts_is_each_example(function: Any) -> None:
    batch = np.stack([A, A + 1, -A])
    found = tg.vmap(lambda a: function(np, a, B, V))(batch)
    np.testing.assert_array_equal(found, np.stack([function(np, a, B, V) for a in batch]))


def test_dtypes_are_numpys() -> None:
    x, y = np.ones(2, np.float32), np.ones(2)
    assert tg.vjp(lambda x: np.concatenate([x, x]), x)[0].dtype == np.float32
    assert tg.vjp(lambda x: np.concatenate([x, y]), x)[0].dtype == np.float64
    assert tg.vjp(lambda x: np.stack([x, x], dtype=np.float64), x)[0].dtype == np.float64
    found = tg.grad(lambda x, y: np.concatenate([x, y]).sum(), argnums=(0, 1))(x, y)
    assert [c.dtype for c in found] == [np.float32, np.float64]


def test_nested_lists_with_traced_values_are_arrays() -> None:
    def f(x: Any) -> Any:
        return (tnp.array([[x[0], 1.0], [x[1] * x[2], x[0]]]) * np.array([[1.0, 2.0], [3.0, 4.0]])).sum()

    np.testing.assert_allclose(tg.grad(f)(V), [5.0, 3 * V[2], 3 * V[1]])
    assert tg.vjp(lambda x: tnp.array([[x], [x]]), V)[0].shape == (2, 1, 3)


def test_r_and_c_put_parts_together_as_numpys_do() -> None:
    cases: list[Any] = [
        lambda m, v, a: m.r_[v, 0.0, 1:4, [v[0], 2.0]],
        lambda m, v, a: m.r_["-1", a, a],
        lambda m, v, a: m.r_["0,2", v, v],
        lambda m, v, a: m.r_["0,2,0", v, v * 2],
        lambda m, v, a: m.c_[v, v * v],
        lambda m, v, a: m.c_[a, a],
    ]
    for case in cases:
        expected = np.asarray(case(np, V, A))
        np.testing.assert_array_equal(case(tnp, V, A), expected)
        np.testing.assert_array_equal(tg.vjp(lambda v, a, f=case: f(tnp, v, a), V, A)[0], expected)
        check_grads(lambda v, a, f=case: f(tnp, v, a), (V, A), order=1)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda x: np.concatenate([x, x[0]]), ValueError),
        (lambda x: np.concatenate([x, x[:, :1]]), ValueError),
        (lambda x: np.concatenate([x[0, 0], x[0, 1]]), ValueError),
        (lambda x: np.concatenate([x, x], axis=5), np.exceptions.AxisError),
        (lambda x: np.concatenate([x, x], dtype=int), TypeError),
        (lambda x: np.stack([x, x[0]]), ValueError),
        (lambda x: np.stack([x, x], 7), np.exceptions.AxisError),
        (lambda x: np.block([[x], x]), ValueError),
        (lambda x: np.block([x, []]), ValueError),
        (lambda x: np.block((x, x)), TypeError),
        (lambda x: tnp.array([x, [1.0]]), ValueError),
        (lambda x: tnp.r_["q", x], ValueError),
    ],
)
def test_bad_input_is_numpys_error(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        tg.grad(lambda x: wrong(x).sum())(A)


def test_an_out_argument_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match="out= is not supported"):
        tg.grad(lambda x: np.stack([x, x], out=np.zeros((2, 2, 3))).sum())(A)


@pytest.mark.parametrize("name", ["concatenate", "stack", "hstack", "vstack", "dstack", "column_stack"])
def test_an_array_of_no_arrays_cannot_be_joined(name: str) -> None:
    with pytest.raises(ValueError, match="at least one array"):
        tg.vjp(getattr(np, name), np.ones((0, 2)))


@pytest.mark.parametrize("number", [1.0, 2, True, 1j])
def test_numbers_in_a_flat_join_are_weak(number: Any) -> None:
    x = np.array([[0.5, 1.0]], np.float32)
    y = tg.vjp(lambda x: np.concatenate([x, number], axis=None), x)[0]
    expected = np.concatenate([x, number], axis=None)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y, expected)
