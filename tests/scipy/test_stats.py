"""Distributions: SciPy's values, and derivatives by values and parameters."""

from typing import Any

import numpy as np
import pytest
import scipy.stats

import tapegrad as tg
from tapegrad.scipy import stats
from tapegrad.testing import check_grads
from tests.scipy.distributions import (
    CONTINUOUS,
    DENSITIES,
    DISCRETE,
    MASSES,
    QUANTILES,
    Q,
    allowed_counts,
    inside,
    named,
    ours,
    theirs,
)

# Values


@named(CONTINUOUS, DENSITIES)
def test_values_are_scipys(name: str, method: str) -> None:
    values, *rest = inside(name)
    f, g = ours(name, method), theirs(name, method)
    assert np.allclose(f(values, *rest), g(values, *rest), rtol=1e-10, atol=0.0)
    first = [np.ravel(p)[0] for p in rest]
    everywhere = np.array([-np.inf, -5.0, -0.4, 0.7, 1.3, 4.0, 30.0, np.nan])
    assert np.allclose(f(everywhere, *first), g(everywhere, *first), rtol=1e-10, atol=0.0, equal_nan=True)
    assert f(1.0, *first).dtype == np.float64 and np.ndim(f(1.0, *first)) == 0
    assert np.allclose(f(values[:, None], *first), f(values, *first)[:, None])


@named(DISCRETE, MASSES)
def test_values_of_counts_are_scipys(name: str, method: str) -> None:
    parameters, _ = DISCRETE[name]
    counts = np.array([-np.inf, -1, 0, 0.5, 1, 2, 3, 5, 8, 40, np.nan])[:, None]
    found = ours(name, method)(counts, *parameters)
    expected = theirs(name, method)(counts, *parameters)
    assert np.allclose(found, expected, rtol=1e-8, atol=1e-15, equal_nan=True)
    assert np.allclose(ours(name, method)(counts + 3, *parameters, 3), found, equal_nan=True)
    whole = [int(p[0]) if p[0] == int(p[0]) else float(p[0]) for p in parameters]
    assert np.allclose(ours(name, method)(2, *whole), theirs(name, method)(2, *whole))


@named([name for name in CONTINUOUS if hasattr(getattr(stats, name), "ppf")], QUANTILES)
def test_quantiles_are_scipys(name: str, method: str) -> None:
    _, *rest = inside(name)
    q = np.concatenate([[-0.1, 0.0, 1.0, 1.1, np.nan], Q])[:, None]
    found, expected = ours(name, method)(q, *rest), theirs(name, method)(q, *rest)
    assert np.allclose(found, expected, rtol=1e-10, equal_nan=True)


def test_all_of_scipys_functions_are_there() -> None:
    for name in CONTINUOUS:
        assert all(hasattr(getattr(stats, name), method) for method in (*DENSITIES, *QUANTILES))
    for name in DISCRETE:
        assert all(hasattr(getattr(stats, name), method) for method in MASSES)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_parameters_that_are_not_allowed_give_nan(name: str) -> None:
    values, *parameters, loc, scale = inside(name)
    for method in DENSITIES:
        assert np.all(np.isnan(ours(name, method)(values, *parameters, loc, -scale)))
        assert np.all(np.isnan(ours(name, method)(values, *parameters, np.nan, scale)))
        for k in range(len(parameters)):
            wrong = [-p if i == k else p for i, p in enumerate(parameters)]
            assert np.all(np.isnan(ours(name, method)(values, *wrong, loc, scale)))


# Derivatives


@named(CONTINUOUS, DENSITIES)
def test_derivatives_by_values_and_parameters(name: str, method: str) -> None:
    args = tuple(np.asarray(x, float) for x in inside(name))
    check_grads(ours(name, method), args, 1)


@named(CONTINUOUS, QUANTILES)
def test_derivatives_of_quantiles(name: str, method: str) -> None:
    _, *rest = inside(name)
    check_grads(ours(name, method), (Q, *[np.ravel(np.asarray(p, float))[0] for p in rest]), 1)


@named(DISCRETE, MASSES)
def test_derivatives_by_parameters_of_counts(name: str, method: str) -> None:
    counts, *parameters = allowed_counts(name, method)
    f = ours(name, method)
    check_grads(lambda *p: f(counts, *p), tuple(parameters), 1)
    gradient = tg.grad(lambda k, *p: np.sum(f(k, *p)), 0)(counts, *parameters)
    assert np.array_equal(gradient, np.zeros_like(counts))  # by a count there is none


SECOND = [
    ("norm", "logcdf"),
    ("norm", "pdf"),
    ("t", "logpdf"),
    ("t", "cdf"),
    ("gamma", "logpdf"),
    ("gamma", "cdf"),
    ("gamma", "logsf"),
    ("beta", "pdf"),
    ("beta", "logcdf"),
    ("lognorm", "sf"),
    ("pareto", "logcdf"),
    ("cauchy", "logsf"),
    ("logistic", "logpdf"),
]


@pytest.mark.parametrize(("name", "method"), SECOND)
def test_second_derivatives(name: str, method: str) -> None:
    values, *rest = inside(name)
    few = [np.asarray(x, float)[1:3] if np.ndim(x) else float(x) for x in (values, *rest)]
    check_grads(ours(name, method), few, 2)


@pytest.mark.parametrize(("name", "method"), [("poisson", "logcdf"), ("binom", "logpmf"), ("nbinom", "sf"), ("geom", "pmf")])
def test_second_derivatives_by_parameters_of_counts(name: str, method: str) -> None:
    counts, *parameters = allowed_counts(name, method)
    check_grads(lambda *p: ours(name, method)(counts[:2], *p), [p[:2] for p in parameters], 2)


def test_arguments_broadcast_and_gradients_have_their_shapes() -> None:
    x, a, scale = np.array([[0.3], [1.2]]), np.array([0.7, 1.0, 2.5]), np.float64(1.3)
    check_grads(lambda x, a, scale: stats.gamma.logpdf(x, a, 0.0, scale), (x, a, scale), 1)
    found = tg.grad(lambda *args: np.sum(stats.gamma.cdf(args[0], args[1], 0.0, args[2])), (0, 1, 2))(x, a, scale)
    assert [np.shape(g) for g in found] == [(2, 1), (3,), ()]


@named(("norm", "gamma", "beta", "t"), ("logpdf", "cdf", "logsf"))
def test_single_precision_is_kept(name: str, method: str) -> None:
    args = [np.asarray(x, np.float32) for x in inside(name)]
    y, pull = tg.vjp(ours(name, method), *args)
    assert y.dtype == np.float32 and all(c.dtype == np.float32 for c in pull(y))
    assert np.allclose(y, theirs(name, method)(*inside(name)), rtol=1e-3)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_batches_are_what_a_loop_computes(name: str) -> None:
    discrete = name in DISCRETE
    args = allowed_counts(name, "pmf") if discrete else inside(name)[:-2]
    for method in ("logpmf", "cdf", "logsf") if discrete else ("logpdf", "cdf", "logsf"):
        f = tg.value_and_grad(ours(name, method), 1 if len(args) > 1 else 0)
        found = tg.vmap(f)(*args)
        rows = [f(*[x[i] for x in args]) for i in range(len(args[0]))]
        for k in (0, 1):
            assert np.allclose(found[k], [row[k] for row in rows], rtol=1e-9)


def test_against_jax() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        for name in ("norm", "gamma", "beta", "t", "laplace", "logistic", "pareto", "cauchy"):
            args = [np.broadcast_to(x, np.shape(inside(name)[0])) for x in inside(name)]
            positions = tuple(range(len(args)))
            f, g = ours(name, "logpdf"), getattr(jax.scipy.stats, name).logpdf
            found = tg.grad(lambda *xs, f=f: np.sum(f(*xs)), positions)(*args)
            expected = jax.grad(lambda *xs, g=g: g(*xs).sum(), positions)(*args)
            for ours_, theirs_ in zip(found, expected, strict=True):
                assert np.allclose(ours_, theirs_, rtol=1e-8, atol=1e-10)


def test_a_model_is_fitted_by_its_likelihood() -> None:
    x = np.random.default_rng(0).gamma(2.5, 1.3, size=400)

    def loss(a: Any, scale: Any) -> Any:
        return -np.mean(stats.gamma.logpdf(x, a, 0.0, scale))

    a, _, scale = scipy.stats.gamma.fit(x, floc=0.0)
    assert np.allclose(tg.grad(loss, (0, 1))(a, scale), 0.0, atol=1e-3)
