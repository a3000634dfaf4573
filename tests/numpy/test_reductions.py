"""Sums, products, means and extremes: signatures, both doors, and what a derivative is where textbooks differ."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.typing import Array
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(2, 3, 4))
Z = X + 1j * np.random.default_rng(1).normal(size=(2, 3, 4))
MASK = X > -0.5
REDUCTIONS = ["sum", "prod", "mean", "max", "min", "amax", "amin"]
AXES = [None, 0, -1, (0, 2), (2, 1, 0), (-2,)]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_differentiate_over_any_axes(name: str, axis: Any) -> None:
    check(name, X, axis)
    check(name, X, axis=axis, keepdims=True, order=1)


@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
def test_reductions_of_complex_numbers(name: str) -> None:
    check(name, Z, axis=1)


@given(st.data())
def test_reductions_of_any_shape_pull_back_to_it(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=0, max_size=4).map(tuple))
    rank = len(shape)
    axis = data.draw(
        st.none() | st.lists(st.integers(-rank, rank - 1), unique_by=lambda i: i % rank).map(tuple) if rank else st.none()
    )
    name = data.draw(st.sampled_from(REDUCTIONS))
    keepdims = data.draw(st.booleans())
    x = np.random.default_rng(2).normal(size=shape)
    y, pull = tg.vjp(lambda x: getattr(np, name)(x, axis=axis, keepdims=keepdims), x)
    assert_same(y, getattr(np, name)(x, axis=axis, keepdims=keepdims))
    (c,) = pull(np.ones_like(y)[()])
    t = np.random.default_rng(3).normal(size=shape)
    _, dy = tg.jvp(lambda x: getattr(np, name)(x, axis=axis, keepdims=keepdims), (x,), (t,))
    assert c.shape == shape
    np.testing.assert_allclose(np.sum(c * t), np.sum(dy), atol=1e-12)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("where", [MASK, MASK[0], MASK[:1, :, :1]])
def test_masked_elements_do_not_count(name: str, where: Any) -> None:
    check(name, X, axis=1, initial=-0.25, where=where)
    check(name, X, initial=0.75, where=where, order=1)
    c = tg.grad(lambda x: getattr(np, name)(x, initial=-0.25, where=where))(X)
    assert np.all(c[~np.broadcast_to(where, X.shape)] == 0)


def test_masked_elements_may_be_anything() -> None:
    x = np.array([1.0, np.nan, 3.0, np.inf])
    mask = np.isfinite(x)
    for f in (tnp.sum, tnp.prod, tnp.mean):
        assert np.all(tg.grad(lambda x, f=f: f(x, where=mask))(x)[~mask] == 0)
        assert np.isfinite(tg.grad(lambda x, f=f: f(x, where=mask))(x)).all()


def test_a_masked_mean_counts_its_elements() -> None:
    check("mean", X, axis=(0, 1), where=MASK)
    check("mean", X, where=MASK, keepdims=True, dtype=np.float64)
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(invalid="ignore"):
        tg.grad(lambda x: np.mean(x, where=False))(X)


@pytest.mark.parametrize(("name", "slope"), [("sum", 1.0), ("prod", np.prod(X)), ("max", 1.0), ("min", 0.0)])
def test_the_initial_value_has_a_derivative(name: str, slope: float) -> None:
    f = getattr(tnp, name)
    assert tg.grad(lambda start: f(X, initial=start))(5.0) == pytest.approx(slope)
    check(name, np.zeros((0, 3)), 0, initial=2.0)


def test_extremes_split_ties_evenly() -> None:
    x = np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
    for f, g in ((np.max, 1.0), (np.min, -1.0)):
        np.testing.assert_array_equal(
            tg.grad(lambda x, f=f, g=g: f(g * x, axis=1).sum())(x), [[0, g / 2, g / 2, 0], [g / 4, g / 4, g / 4, g / 4]]
        )
    assert tg.jvp(lambda x: np.max(x), (x[0],), (np.array([0.0, 1.0, 2.0, 5.0]),))[1] == 1.5
    assert tg.grad(lambda x: np.max(x, initial=3.0))(x[0]).tolist() == [0, 0.25, 0.25, 0]
    second = tg.grad(lambda x: np.sum(tg.grad(lambda x: np.max(x) ** 3)(x)))(x[0])
    np.testing.assert_allclose(second, [0, 9, 9, 0])


def test_the_greatest_of_nan_is_the_nan() -> None:
    assert tg.grad(lambda x: np.max(x))(np.array([1.0, np.nan, 2.0])).tolist() == [0, 1, 0]
    rows = np.array([[1.0, np.nan], [3.0, 2.0]])
    assert tg.grad(lambda x: np.max(x, axis=1).sum())(rows).tolist() == [[0, 1], [1, 0]]
    assert tg.vmap(tg.grad(lambda x: np.max(x)))(rows).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("zeros", [[], [1], [0, 3]])
@pytest.mark.parametrize("axis", [None, 0, (1, 0)])
def test_products_with_zeros_are_exact_to_the_second_order(zeros: list[int], axis: Any) -> None:
    x = np.array([[0.5, -2.0], [3.0, 1.5]])
    x.ravel()[zeros] = 0.0
    check("prod", x, axis)


def test_the_hessian_of_a_product_has_a_zero_diagonal() -> None:
    def product(x: Array) -> Array:
        return tnp.prod(x)

    x = np.array([0.0, 2.0, 0.0, 3.0])
    hessian = tg.jacrev(tg.grad(product))(x)
    expected = np.zeros((4, 4))
    expected[0, 2] = expected[2, 0] = 6.0
    np.testing.assert_array_equal(hessian, expected)
    assert np.all(np.diag(tg.jacfwd(tg.grad(product))(np.array([0.3, 0.7, 1.1]))) == 0)


def test_products_that_overflow_have_the_products_of_the_others() -> None:
    x = np.array([1e200, 1e200, 1e-200])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(tg.grad(lambda x: tnp.prod(x))(x), [1e200 * 1e-200, 1e200 * 1e-200, np.inf])


def test_a_branch_not_taken_contributes_nothing() -> None:
    x = np.array([[1.0, 2.0], [np.inf, 0.0]])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(
            tg.grad(lambda x: np.where(np.array([True, False]), tnp.prod(x, axis=1), 0.0).sum())(x), [[2, 1], [0, 0]]
        )
        twice = tg.grad(lambda x: tg.grad(lambda x: np.where(False, np.prod(x), x[0, 0] ** 2))(x).sum())(x)
    np.testing.assert_array_equal(twice, [[2, 0], [0, 0]])


@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
def test_empty_reductions(name: str) -> None:
    f = getattr(np, name)
    assert tg.grad(lambda x: np.sum(f(x, axis=1)))(np.zeros((0, 3))).shape == (0, 3)
    if name != "mean":
        assert tg.grad(lambda x: np.sum(f(x, axis=0)))(np.zeros((0, 3))).shape == (0, 3)
        return
    with pytest.warns(RuntimeWarning):
        assert tg.grad(lambda x: f(x))(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
def test_the_dtype_of_a_reduction_is_that_of_the_result_only(name: str) -> None:
    x = X.astype(np.float32)
    f = getattr(np, name)
    y, pull = tg.vjp(lambda x: f(x, axis=0, dtype=np.float64), x)
    assert_same(y, f(x, axis=0, dtype=np.float64))
    assert pull(np.ones_like(y))[0].dtype == np.float32
    assert np.all(tg.grad(lambda x: 1.0 * f(x, dtype=int))(X) == 0)


def test_python_numbers_and_lists() -> None:
    assert tg.grad(lambda x: np.sum(x) + np.mean(x) + np.prod(x) + np.max(x) * np.min(x))(2.0) == 7.0
    assert tg.grad(lambda x: tnp.sum([x[0], 3.0 * x[1]]) + tnp.max([[x[0]], [x[1]]]))(np.array([1.0, 2.0])).tolist() == [1, 4]
    assert tg.grad(lambda x: np.sum(x, axis=0) + np.max(x, axis=-1))(np.float64(2.0)) == 2.0


def test_methods_of_traced_arrays() -> None:
    def f(x: Any) -> Any:
        return x.sum(0).prod() + x.mean(axis=-1, keepdims=True).max() + x.min(None, None, True)[0, 0] + x.sum(dtype=np.float64)

    x = X[0]
    expected = np.prod(x.sum(0)) + np.max(x.mean(-1)) + x.min() + x.sum()
    value, _ = tg.value_and_grad(f)(x)
    assert value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.sum(x, out=np.zeros(())), TypeError, "sum: out= is not supported"),
        (lambda x: N.max(x, axis=5), np.exceptions.AxisError, "axis 5 is out of bounds for array of dimension 3"),
        (lambda x: N.sum(x, axis=(0, 0)), ValueError, "duplicate value in 'axis'"),
        (lambda x: N.mean(x, axis=[0, 1]), TypeError, "'list' object cannot be interpreted as an integer"),
        (lambda x: N.max(x, where=MASK), ValueError, "does not have an identity"),
        (lambda x: N.sum(x, where=np.ones((2, 2, 3, 4), bool)), ValueError, "more dimensions than allowed"),
        (lambda x: N.max(x[:0]), ValueError, "zero-size array to reduction operation maximum which has no identity"),
        (lambda x: tnp.sum(x, initial=x[0, 0]), ValueError, "initial: expected a scalar"),
        (lambda x: N.sum(x, axis=1.5), TypeError, "cannot be interpreted as an integer"),
    ],
)
def test_bad_arguments_raise_and_leave_nothing_behind(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(call)(X)
    assert tg.grad(lambda x: N.sum(x))(X).shape == X.shape


def test_batches_reduce_the_axes_of_an_example() -> None:
    for name in REDUCTIONS:
        for axis in (None, 0, -1, (0, 1)):
            f = getattr(np, name)
            np.testing.assert_allclose(
                tg.vmap(lambda x, f=f, axis=axis: f(x, axis=axis, keepdims=True))(X),
                np.stack([f(x, axis=axis, keepdims=True) for x in X]),
            )


@pytest.mark.parametrize("keepdims", ["yes", "", 1.0, None, [1], np.True_, 1, 0, 2])
@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize(
    "f", [np.sum, np.prod, np.mean, np.max, np.nansum, np.nanmax, np.var, np.ptp, np.linalg.norm, np.logaddexp.reduce]
)
def test_keepdims_is_what_it_is_for_arrays(f: Any, axis: int | None, keepdims: Any) -> None:
    x = np.arange(1.0, 7.0).reshape(2, 3)
    try:
        wanted = np.shape(f(x, axis=axis, keepdims=keepdims))
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error))):
            tg.grad(lambda x: np.sum(f(x, axis=axis, keepdims=keepdims)))(x)
    else:
        value, _ = tg.vjp(lambda x: f(x, axis=axis, keepdims=keepdims), x)
        assert np.shape(value) == wanted


@pytest.mark.parametrize("initial", [2, 0.25, np.float64(0.25), np.int64(2), np.array(0.25)])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "nanmax", "nanmin", "nansum", "nanprod"])
@pytest.mark.parametrize("shape", [(3,), (), (0,)])
def test_what_a_reduction_starts_from_does_not_promote(name: str, initial: Any, shape: tuple[int, ...]) -> None:
    x = np.full(shape, 0.5, np.float32)
    calls: list[Any] = [lambda x, door=door: getattr(door, name)(x, initial=initial) for door in (np, tnp)]
    for f in calls:
        for y in (tg.vjp(f, x)[0], tg.vmap(f)(np.stack([x, x]))[0]):
            assert y.dtype == f(x).dtype == np.float32
            np.testing.assert_array_equal(y, f(x))


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_a_reduction_of_real_numbers_starts_from_no_complex_one(name: str) -> None:
    for x in (np.ones(3), np.ones(0)):
        with pytest.raises(TypeError):
            tg.vjp(lambda x: getattr(np, name)(x, initial=1j), x)


@pytest.mark.parametrize("name", ["nanmax", "nanmin", "max", "min", "sum"])
@pytest.mark.parametrize("axis", [0, -1])
def test_a_scalar_has_an_axis_to_methods_of_ufuncs(name: str, axis: int) -> None:
    assert tg.grad(lambda x: getattr(np, name)(x, axis=axis))(np.array(2.0)) == 1.0


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "cumsum", "cumprod", "var", "std", "nansum", "nanprod", "cumulative_prod"]
)
def test_reductions_of_complex_numbers_in_a_real_dtype_have_its_derivative(name: str) -> None:
    x, t, h = np.array([1 + 2j, 0.5 - 1j, -2 + 0.3j]), np.array([0.3 + 0.7j, 1 - 0.2j, 0.4j]), 1e-6

    def f(x: Any) -> Any:
        return getattr(np, name)(x, dtype=np.float64)

    expected = (f(x + h * t) - f(x - h * t)) / (2 * h)
    np.testing.assert_allclose(tg.jvp(f, (x,), (t,))[1], expected, rtol=1e-7)
    g = np.linspace(1.0, 2.0, np.size(expected)).reshape(np.shape(expected))[()]
    for pulled in (tg.vjp(f, x)[1](g)[0], tg.jit(lambda x: tg.vjp(f, x)[1](g)[0])(x)):
        np.testing.assert_allclose(np.sum(pulled * t).real, np.sum(g * expected), rtol=1e-7)


def test_a_variance_in_a_complex_dtype_is_real() -> None:
    x, t, g = np.array([1 + 2j, 0.5 - 1j]), np.array([0.3 + 0.7j, 1 - 0.2j]), 0.5 + 2j

    def f(x: Any) -> Any:
        return np.var(x, dtype=np.complex128)

    pulled = tg.vjp(f, x)[1](np.complex128(g))[0]
    np.testing.assert_allclose(np.sum(pulled * t).real, (g * tg.jvp(f, (x,), (t,))[1]).real)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # NumPy adds up squares in half precision
@pytest.mark.parametrize("f", [np.mean, np.var, lambda x: np.var(x, axis=0, ddof=1)])
@pytest.mark.parametrize(("count", "offset", "width"), [(70_000, 0, 1), (70_000, 30, 1), (100, 2000, 100)])
def test_means_and_variances_in_half_precision_have_derivatives_where_sums_and_counts_run_over(
    f: Callable[[Any], Any], count: int, offset: int, width: int
) -> None:
    x = (np.random.default_rng(0).normal(offset, width, count)).astype(np.float16)
    expected = tg.grad(f)(x.astype(np.float64))
    for gradient in (tg.grad(f), tg.jit(tg.grad(f)), tg.grad(lambda x: tg.vmap(f)(x[None])[0])):
        found = gradient(x)
        assert found.dtype == np.float16
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.02 * np.max(np.abs(expected)))


ALONG_A_SCALAR: dict[str, Callable[[Any, int], Any]] = {
    "argmax": lambda x, axis: np.argmax(x, axis=axis) + x,
    "argmin": lambda x, axis: np.argmin(x, axis=axis, keepdims=True) + x,
    "nanargmax": lambda x, axis: np.nanargmax(x, axis=axis) + x,
    "take": lambda x, axis: np.take(x, [0, 0], axis=axis),
    "take beyond": lambda x, axis: np.take(x, 7, axis=axis, mode="wrap"),
    "repeat": lambda x, axis: np.repeat(x, 2, axis=axis),
    "max": lambda x, axis: np.max(x, axis=axis, initial=0.5),
    "min": lambda x, axis: np.min(x, axis=axis, initial=5.0, keepdims=True),
}


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ALONG_A_SCALAR)
def test_a_scalar_has_an_axis_wherever_numpy_says_so(name: str, axis: int) -> None:
    def f(x: Any) -> Any:
        return ALONG_A_SCALAR[name](x, axis)

    expected = f(np.array(2.0))
    for transformed in (f, tg.jit(f)):
        y, tangent = tg.jvp(transformed, (2.0,), (3.0,))
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(tangent, 1.5 * expected)
    np.testing.assert_array_equal(tg.vmap(f)(np.array([1.0, 2.0]))[1], expected)
    with pytest.raises(np.exceptions.AxisError):
        tg.jvp(lambda x: ALONG_A_SCALAR[name](x, 1), (2.0,), (3.0,))
