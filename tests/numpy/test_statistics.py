"""Variances, averages, covariances: signatures, both doors, constant inputs."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import assert_same, check

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.random.default_rng(0).normal(size=(3, 4, 2))
Z = X + 1j * np.random.default_rng(1).normal(size=(3, 4, 2))
MASK = X > -0.7
ROWS = X[..., 0]
W = np.array([0.5, 1.0, 2.0, 0.25])


@pytest.mark.parametrize("axis", [None, 1, -1, (0, 2)])
@pytest.mark.parametrize("name", ["var", "std"])
def test_spreads_differentiate_over_any_axes(name: str, axis: Any) -> None:
    check(name, X, axis, order=1)
    check(name, X, axis=axis, ddof=1, keepdims=True)
    check(name, Z, axis=axis, order=1)


@pytest.mark.parametrize("name", ["var", "std"])
def test_spreads_of_a_part_around_a_given_mean(name: str) -> None:
    check(name, X, axis=(0, 1), where=MASK)
    check(name, Z, axis=(0, 1), where=MASK, ddof=0.5, keepdims=True, order=1)
    check(name, X, axis=1, mean=np.mean(X, 1, keepdims=True), correction=1, order=1)
    check(name, X, dtype=np.float64, order=1)
    slope = tg.grad(lambda m: np.sum(getattr(tnp, name)(X, axis=1, mean=m)))(X.mean(1, keepdims=True))
    np.testing.assert_allclose(slope, 0.0, atol=1e-15)


def test_where_a_deviation_vanishes_so_does_its_derivative() -> None:
    constant = np.full((2, 3), 4.0)
    pairs: list[tuple[Any, Any]] = [
        (lambda x: np.std(x), lambda x: np.var(x)),
        (lambda x: np.std(x, axis=1), lambda x: np.var(x, axis=1)),
        (lambda x: np.std(x, axis=0, ddof=1), lambda x: np.var(x, axis=0, ddof=1)),
        (lambda x: np.std(x, where=constant > 0), lambda x: np.var(x, where=constant > 0)),
        (lambda x: np.nanstd(x), lambda x: np.nanvar(x)),
        (lambda x: np.std(x + 1j).real, lambda x: np.var(x + 1j).real),
    ]
    for deviation, variance in pairs:
        f, square, same = (lambda x, h=h, n=n: np.sum(h(x) ** n) for h, n in ((deviation, 1), (deviation, 2), (variance, 1)))
        for g in (f, square):
            assert np.all(tg.grad(g)(constant) == 0)
            assert tg.jvp(g, (constant,), (np.arange(6.0).reshape(2, 3),))[1] == 0
            assert np.all(tg.vmap(tg.grad(g))(constant[None]) == 0)
        assert np.all(tg.hessian(f)(constant) == 0)
        np.testing.assert_allclose(tg.hessian(square)(constant), tg.hessian(same)(constant), atol=1e-15)
    assert tg.grad(lambda x: np.std(x) + np.var(x))(2.0) == 0


def test_a_branch_not_taken_contributes_nothing() -> None:
    x = np.array([1.0, np.inf, 2.0])
    with np.errstate(invalid="ignore"):
        for f in (np.std, np.var):
            assert tg.grad(lambda x, f=f: np.where(False, f(x), x[0]))(x).tolist() == [1, 0, 0]


def test_too_few_elements_warn_as_numpy_does() -> None:
    for f in (np.var, np.std):
        with pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"), np.errstate(all="ignore"):
            tg.grad(lambda x, f=f: f(x, ddof=3))(np.ones(3))
        with pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"), np.errstate(all="ignore"):
            tg.grad(lambda x, f=f: f(x, where=False))(np.ones(3))


def test_ptp_is_the_distance_of_the_extremes() -> None:
    check("ptp", X)
    check("ptp", X, axis=(0, 2), keepdims=True)
    assert tg.grad(lambda x: np.ptp(x))(np.ones(4)).tolist() == [0, 0, 0, 0]
    assert tg.grad(lambda x: np.ptp(x))(np.array([1.0, 3.0, 3.0])).tolist() == [-1, 0.5, 0.5]


@pytest.mark.parametrize("by", [(0,), (2,), (0, 2)])
def test_averages_differentiate_by_elements_and_weights(by: tuple[int, ...]) -> None:
    check("average", ROWS, 1, W, by=by)
    check("average", ROWS, None, np.abs(ROWS), by=by, order=1)
    check("average", X, (2, 0), np.abs(X[:, 0].T), by=by, keepdims=True, order=1)
    check("average", ROWS, 0, W[:3], True, by=by, order=1)
    check("average", Z[..., 0], 1, W, by=by, order=1)


def test_averages_without_weights_are_means() -> None:
    check("average", X, order=1)
    check("average", X, (0, 1), returned=True, order=1)
    value, pull = tg.vjp(lambda w: tnp.average(np.arange(4), weights=w), W)
    assert value.dtype == np.float64
    np.testing.assert_allclose(pull(np.ones(()))[0], (np.arange(4) - value) / W.sum())


COVARIANCES: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((ROWS,), {}),
    ((ROWS, ROWS[:2] ** 2), {"bias": True}),
    ((ROWS,), {"rowvar": False, "ddof": 0}),
    ((ROWS[0],), {}),
    ((ROWS[0], ROWS[1]), {}),
    ((ROWS, ROWS[0]), {"rowvar": True, "dtype": np.float64}),
    ((Z[..., 0],), {}),
]


@pytest.mark.parametrize(("args", "settings"), COVARIANCES)
def test_covariances_differentiate(args: Any, settings: Any) -> None:
    check("cov", *args, by=tuple(range(len(args))), order=1, **settings)


@pytest.mark.parametrize("settings", [{}, {"ddof": 0}, {"fweights": np.array([1, 2, 1, 3])}, {"bias": True}])
def test_covariances_differentiate_by_the_weights_of_observations(settings: Any) -> None:
    check("cov", ROWS, aweights=W, order=1, **settings)
    a = tg.grad(lambda w: np.sum(tnp.cov(ROWS, aweights=w, **settings)[0]))(W)
    t = np.array([1.0, -1.0, 0.5, 2.0])
    ahead, behind = (np.cov(ROWS, aweights=W + h * t, **settings)[0].sum() for h in (1e-6, -1e-6))
    assert np.dot(a, t) == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("args", [(ROWS,), (ROWS[0],), (ROWS, ROWS[:1] ** 2), (Z[..., 0],)])
def test_correlations_differentiate(args: Any) -> None:
    check("corrcoef", *args, by=tuple(range(len(args))), order=1)


def test_integers_are_refused_or_counted_as_numpy_does() -> None:
    assert_same(tnp.mean(np.arange(4)), np.mean(np.arange(4)))
    assert_same(tnp.std(np.arange(4)), np.std(np.arange(4)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: N.var(x, ddof=1, correction=1), ValueError, "can't be provided simultaneously"),
        (lambda x: N.std(x, out=np.zeros(())), TypeError, "std: out= is not supported"),
        (lambda x: N.average(x, weights=W), TypeError, "Axis must be specified"),
        (lambda x: N.average(x, 1, W[:2]), ValueError, "Shape of weights must be consistent"),
        (lambda x: N.average(x, 1, [1.0, -1.0, 0.0, 0.0]), ZeroDivisionError, "Weights sum to zero"),
        (lambda x: N.cov(x[None]), ValueError, "m has more than 2 dimensions"),
        (lambda x: N.cov(x, ddof=0.5), ValueError, "ddof must be integer"),
        (lambda x: N.cov(x, aweights=W[:2]), RuntimeError, "incompatible numbers of samples and aweights"),
        (lambda x: N.cov(x, aweights=-W), ValueError, "aweights cannot be negative"),
        (lambda x: N.cov(x, fweights=W), TypeError, "fweights must be integer"),
        (lambda x: N.cov(x, fweights=np.ones((1, 4))), RuntimeError, "multidimensional fweights"),
    ],
)
def test_bad_arguments_raise(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(lambda x: np.sum(call(x)))(ROWS)


def test_weights_of_observations_are_computed_with_in_double_precision() -> None:
    x, w = np.linspace(0.0, 1.0, 5) ** 2, np.linspace(0.1, 1.0, 5).astype(np.float32)
    y, pull = tg.vjp(lambda x, w: np.cov(x, aweights=w), x, w)
    assert y == np.cov(x, aweights=w)
    gx, gw = pull(np.ones_like(y))
    np.testing.assert_array_equal(gx, tg.grad(lambda x: np.cov(x, aweights=w))(x))
    assert gw.dtype == np.float32


@pytest.mark.parametrize("dtype", [int, np.int32, np.float32, complex, bool])
@pytest.mark.parametrize("where", [True, np.array([True, False, True, True])])
@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_statistics_in_a_dtype_are_those_of_numpy_on_traced_values(name: str, where: Any, dtype: Any) -> None:
    x = np.array([1.5, 2.7, 3.9, 7.2])

    def f(x: Any) -> Any:
        return getattr(N, name)(x, dtype=dtype, where=where)

    expected = f(x)
    for found in (tg.jit(f)(x), tg.vmap(f)(x[None])[0]):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_whole_variances_are_constants_beside_what_moves() -> None:
    x = np.array([1.5, 2.7, 3.9, 7.2])
    np.testing.assert_array_equal(tg.grad(lambda x: np.sum(x) * N.var(x, dtype=int))(x), np.full(4, 4.0))
