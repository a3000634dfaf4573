"""Selection and functions of the user's own: values as NumPy's through both doors, derivatives to the second order."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError
from tapegrad.testing import check_grads

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4))
NUMBERS = np.array([[0, 1, 2, 1], [1, 1, 0, 0], [2, 2, 1, 0]])

CALLS: list[tuple[str, Any]] = [
    ("select", lambda m, x: m.select([x > 1, x < -0.5], [x * 2, x**2], 7.0)),
    ("select broadcast", lambda m, x: m.select([x > 0, x[0] > 0], [x[:, :1], 1.0], x * 3)),
    ("choose", lambda m, x: m.choose(NUMBERS, [x, x * 2, 1.0])),
    ("choose wrapped", lambda m, x: m.choose(NUMBERS * 2 - 1, [x, x * x], mode="wrap")),
    ("choose clipped", lambda m, x: m.choose(NUMBERS * 2 - 1, [x, x * x], mode="clip")),
    ("choose by a mask", lambda m, x: m.choose(A > 0, [x, x * x])),
    ("choose by a traced mask", lambda m, x: m.choose(x > 0, [x, x * x])),
    ("choose by a boolean", lambda m, x: m.choose(np.True_, [x[0, 0], x[1, 1] ** 2])),
    ("choose one", lambda m, x: m.choose(1, [x[0, 0], x[1, 1] ** 2])),
    ("piecewise", lambda m, x: m.piecewise(x, [x < 0, x > 1], [np.sin, lambda x: x**2, 3.0])),
    ("piecewise overlap", lambda m, x: m.piecewise(x, [x > -1, x > 0], [1.0, np.exp])),
    ("piecewise of a vector", lambda m, x: m.piecewise(x[0], x[0] > 0, [np.sqrt, lambda x: -x])),
    ("piecewise of a number", lambda m, x: m.piecewise(x[0, 0], x[0, 0] > 0, [np.sqrt, np.cos])),
    ("piecewise arguments", lambda m, x: m.piecewise(x, [x > 0], [lambda x, a, b: x * a + b, 0.0], 2.0, b=3.0)),
    ("compress", lambda m, x: m.compress([True, False, True], x, 0)),
    ("compress flat", lambda m, x: m.compress([0, 1, 1], x)),
    ("extract", lambda m, x: m.extract(x > 0, x)),
    ("apply_along_axis", lambda m, x: m.apply_along_axis(lambda v: v[::2] * v[1], 1, x)),
    ("apply_along_axis to numbers", lambda m, x: m.apply_along_axis(lambda v: (v * v).sum(), 0, x)),
    ("apply_along_axis to matrices", lambda m, x: m.apply_along_axis(np.diag, 0, x)),
    ("apply_over_axes", lambda m, x: m.apply_over_axes(np.sum, x[None], (0, -1))),
    ("method compress", lambda m, x: x.compress([True, False, True], axis=0)),
]


@pytest.mark.parametrize("function", [function for _, function in CALLS], ids=[name for name, _ in CALLS])
def test_as_numpy_through_both_doors_with_derivatives(function: Any) -> None:
    expected = function(np, A)
    for module in (np, tnp):
        value = tg.vjp(lambda x, m=module: function(m, x), A)[0]
        np.testing.assert_allclose(value, expected, rtol=1e-14)
        assert np.asarray(value).dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(function(tnp, A), expected)
    check_grads(lambda x: np.sin(function(tnp, x)), (A,))


@pytest.mark.parametrize(
    "function",
    [function for name, function in CALLS if name != "extract"],
    ids=[name for name, _ in CALLS if name != "extract"],
)
def test_a_batch_is_each_example(function: Any) -> None:
    batch = np.stack([A, -A, A + 0.1])
    with np.errstate(invalid="ignore"):  # where values must not be looked at, every piece is computed everywhere
        found = tg.vmap(lambda x: function(tnp, x))(batch)
    np.testing.assert_allclose(found, np.stack([function(np, x) for x in batch]), rtol=1e-14)


def test_a_piece_is_not_computed_where_its_condition_is_false() -> None:
    x = np.array([-1.0, 4.0])
    gradient = tg.grad(lambda x: np.piecewise(x, [x > 0], [np.sqrt, 0.0]).sum())(x)
    np.testing.assert_array_equal(gradient, [0.0, 0.25])


def test_choices_can_be_traced_under_vmap() -> None:
    found = tg.vmap(lambda k: np.choose(k, [1.0, 10.0, 100.0]))(np.array([2, 0, 1]))
    np.testing.assert_array_equal(found, [100.0, 1.0, 10.0])


def test_vectorize_calls_a_function_of_numbers_for_each_element() -> None:
    def f(a: Any, b: Any, sign: Any = 1.0) -> Any:
        return sign * a * b if a > 0 else b

    for g in (tnp.vectorize(f), tnp.vectorize(f, excluded={"sign"})):
        np.testing.assert_array_equal(g(A, A[0], sign=2.0), np.vectorize(f)(A, A[0], sign=2.0))
        check_grads(lambda x, g=g: g(x, x[0], sign=2.0), (A,))

    @tnp.vectorize
    def pair(a: Any) -> Any:
        return a * a, a + 1.0

    check_grads(lambda x: pair(x)[0] * pair(x)[1], (A,), order=1)


def test_functions_that_look_at_plain_arrays_may_use_traced_values_from_around() -> None:
    plain = np.arange(6.0).reshape(2, 3)
    gradient = tg.grad(lambda s: tnp.apply_along_axis(lambda row: row * s, 1, plain).sum())(2.0)
    assert gradient == 15.0


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda x: np.select([x > 0], [x, x]), ValueError),
        (lambda x: np.select([], [], x), ValueError),
        (lambda x: np.select([x * 2], [x]), TypeError),
        (lambda x: np.choose([5], [x[0], x[1]]), ValueError),
        (lambda x: np.choose(x, [x, x]), TypeError),
        (lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]), ValueError),
        (lambda x: np.compress([[True]], x), ValueError),
        (lambda x: np.compress([False, False, False, True], x, 0), IndexError),
        (lambda x: np.apply_along_axis(np.sum, 7, x), np.exceptions.AxisError),
        (lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]), ValueError),
        (lambda x: tnp.vectorize(lambda v: v, signature="(n)->(n)")(x), TypeError),
    ],
)
def test_bad_input_is_an_error(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        tg.grad(lambda x: wrong(x).sum())(A)


def test_selections_of_a_size_that_depends_on_values_are_refused_under_vmap() -> None:
    for f in (lambda x: np.extract(x > 0, x), lambda x: np.compress(x > 0, x)):
        with pytest.raises(ConcretizationError, match="depends on values"):
            tg.vmap(f)(A)


@pytest.mark.parametrize("number", [1.0, 2, True])
def test_numbers_to_choose_from_are_weak(number: Any) -> None:
    x = np.array([0.5, 1.0, 2.0], np.float32)
    y, pull = tg.vjp(lambda x: np.choose([0, 1, 0], [x, number]), x)
    assert y.dtype == np.float32 and y.tolist() == [0.5, float(number), 2.0]
    assert pull(np.ones(3, np.float32))[0].tolist() == [1.0, 0.0, 1.0]


def test_lists_to_choose_from_have_their_shape() -> None:
    x, rows = np.array([0.5, 1.0, 2.0]), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    y = tg.vjp(lambda x: np.choose([0, 1, 0], [x, rows]), x)[0]
    np.testing.assert_array_equal(y, np.choose([0, 1, 0], [x, rows]))
