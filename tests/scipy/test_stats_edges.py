"""Distributions at the edges of their supports, outside of them, and far in the tails: no NaN where there is a derivative."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.scipy import stats
from tests.scipy.distributions import (
    CONTINUOUS,
    DENSITIES,
    QUANTILES,
    Q,
    inside,
    ours,
)


@pytest.mark.parametrize("name", ["uniform", "expon", "gamma", "chi2", "lognorm", "pareto", "beta"])
def test_outside_of_the_support_nothing_moves(name: str) -> None:
    parameters = [float(np.ravel(p)[0]) for p in CONTINUOUS[name][0]]
    values = np.array([-np.inf, -3.0, -0.1, 40.0 if name in ("uniform", "beta") else -7.0])
    for method in DENSITIES:
        f = ours(name, method)
        args = (values, *parameters, 0.0, 1.0)

        def total(*xs: Any, f: Any = f) -> Any:
            return np.sum(np.exp(f(*xs)))

        for gradient in tg.grad(total, tuple(range(len(args))))(*args):
            assert np.all(gradient == 0)
        second = tg.grad(lambda x, rest=args[1:], f=f: np.sum(tg.grad(lambda x: np.sum(f(x, *rest)))(x)))(values)
        assert np.all(second == 0)


@pytest.mark.parametrize("name", ["uniform", "expon", "gamma", "beta", "pareto"])
def test_values_outside_do_not_touch_the_gradients_of_those_inside(name: str) -> None:
    values, *parameters, loc, scale = inside(name)
    parameters = [float(np.ravel(p)[0]) for p in parameters]
    for method in ("logpdf", "pdf", "cdf", "sf"):

        def total(x: Any, *rest: Any, method: str = method) -> Any:
            y = ours(name, method)(x, *rest)
            return np.sum(np.where(np.isfinite(y), y, 0.0))

        args = (*parameters, loc, scale)
        positions = tuple(range(1, 1 + len(args)))
        alone = tg.grad(total, positions)(values, *args)
        among = tg.grad(total, positions)(np.concatenate([[-9.0, -np.inf], values]), *args)
        assert np.allclose(alone, among)


SLOPES: list[tuple[Callable[[Any], Any], float, float, float]] = [
    (stats.expon.pdf, 0.0, -1.0, 1.0),
    (lambda x: stats.gamma.pdf(x, 1.0), 0.0, -1.0, 1.0),
    (lambda x: stats.gamma.pdf(x, 2.0), 0.0, 1.0, -2.0),
    (lambda x: stats.gamma.pdf(x, 3.0), 0.0, 0.0, 1.0),
    (lambda x: stats.gamma.cdf(x, 2.0), 0.0, 0.0, 1.0),
    (lambda x: stats.chi2.pdf(x, 2.0), 0.0, -0.25, 0.125),
    (lambda x: stats.beta.pdf(x, 1.0, 1.0), 0.0, 0.0, 0.0),
    (lambda x: stats.beta.pdf(x, 1.0, 1.0), 1.0, 0.0, 0.0),
    (lambda x: stats.beta.pdf(x, 2.0, 3.0), 0.0, 12.0, -48.0),
    (lambda x: stats.beta.pdf(x, 3.0, 3.0), 1.0, 0.0, 60.0),
    (lambda x: stats.beta.cdf(x, 2.0, 3.0), 0.0, 0.0, 12.0),
    (stats.uniform.cdf, 0.3, 1.0, 0.0),
    (stats.uniform.pdf, 0.0, 0.0, 0.0),
    (stats.norm.logpdf, 0.0, 0.0, -1.0),
    (stats.cauchy.logpdf, 0.0, 0.0, -2.0),
    (stats.laplace.logpdf, 0.0, 0.0, 0.0),
    (lambda p: stats.poisson.pmf(0, p), 0.0, -1.0, 1.0),
    (lambda p: stats.poisson.pmf(1, p), 0.0, 1.0, -2.0),
    (lambda p: stats.poisson.logpmf(0, p), 0.0, -1.0, 0.0),
    (lambda p: stats.binom.pmf(0, 5, p), 0.0, -5.0, 20.0),
    (lambda p: stats.binom.pmf(1, 5, p), 0.0, 5.0, -40.0),
    (lambda p: stats.binom.pmf(5, 5, p), 1.0, 5.0, 20.0),
    (lambda p: stats.geom.pmf(2, p), 1.0, -1.0, -2.0),
    (lambda p: stats.geom.sf(1, p), 1.0, -1.0, 0.0),
    (lambda p: stats.geom.cdf(2, p), 1.0, 0.0, -2.0),
    (lambda p: stats.nbinom.pmf(1, 3.0, p), 1.0, -3.0, -18.0),
    (lambda p: stats.binom.sf(0, 5, p), 0.0, 5.0, -20.0),
    (lambda p: stats.bernoulli.logpmf(0, p), 0.0, -1.0, -1.0),
    (lambda p: stats.bernoulli.pmf(1, p), 1.0, 1.0, 0.0),
    (lambda p: stats.geom.logpmf(1, p), 1.0, 1.0, -1.0),
    (lambda p: stats.nbinom.logpmf(0, 3.0, p), 1.0, 3.0, -3.0),
]


@pytest.mark.parametrize(("f", "x", "first", "second"), SLOPES)
def test_slopes_at_the_edges_are_those_from_inside(f: Callable[[Any], Any], x: float, first: float, second: float) -> None:
    assert np.isclose(tg.grad(f)(x), first, atol=1e-12)
    assert np.isclose(tg.grad(tg.grad(f))(x), second, atol=1e-12)
    assert np.isclose(tg.jvp(f, (x,), (1.0,))[1], first, atol=1e-12)


FAR: list[tuple[Callable[[Any], Any], float, float]] = [
    (stats.norm.logcdf, -1e5, 1e5),
    (stats.norm.logsf, 1e5, -1e5),
    (stats.logistic.logcdf, -1e5, 1.0),
    (stats.laplace.logcdf, -1e5, 1.0),
    (stats.cauchy.logpdf, 1e200, -2e-200),
    (stats.cauchy.logsf, 1e5, -1e-5),
    (lambda x: stats.t.logsf(x, 3.0), 1e5, -3e-5),
    (lambda x: stats.t.logsf(x, np.inf), 1e3, -1e3),
    (lambda x: stats.gamma.logsf(x, 2.0), 1e5, -1.0),
    (lambda x: stats.gamma.logcdf(x, 2.0), 1e-200, 2e200),
    (lambda x: stats.beta.logcdf(x, 2.0, 3.0), 1e-200, 2e200),
    (lambda x: stats.pareto.logsf(x, 2.0), 1e100, -2e-100),
    (lambda mu: stats.poisson.logcdf(1, mu), 1e5, -1.0),
]


@pytest.mark.parametrize(("f", "x", "slope"), FAR)
def test_logarithms_reach_far_into_the_tails(f: Callable[[Any], Any], x: float, slope: float) -> None:
    assert np.isfinite(f(x))
    assert np.isclose(tg.grad(f)(x), slope, rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_at_infinity_probabilities_have_no_slope(name: str) -> None:
    parameters = [float(np.ravel(p)[0]) for p in CONTINUOUS[name][0]]
    for method in ("pdf", "cdf", "sf"):
        args = (np.inf, *parameters, 0.3, 1.2)
        gradients = tg.grad(ours(name, method), tuple(range(len(args))))(*args)
        assert all(g == 0 for g in gradients), (method, gradients)


@pytest.mark.parametrize("method", [*DENSITIES, *QUANTILES])
def test_infinitely_many_degrees_of_freedom_make_the_normal_distribution(method: str) -> None:
    x = Q if method in QUANTILES else np.array([-2.0, 0.3, 12.0])
    y, pull = tg.vjp(ours("t", method), x, np.full(x.shape, np.inf))
    expected, pull_normal = tg.vjp(ours("norm", method), x)
    by_x, by_df = pull(np.ones(x.shape))
    assert np.allclose(y, expected) and np.allclose(by_x, pull_normal(np.ones(x.shape))[0]) and np.all(by_df == 0)


def test_parameters_that_are_not_allowed_are_found_by_nan_check() -> None:
    with tg.debug.nan_check(), pytest.raises(FloatingPointError, match="NaN"):
        tg.grad(lambda scale: stats.norm.logpdf(0.3, 0.0, scale))(-1.0)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: stats.gamma.logsf(x, 2.0), 0.0, -1.0),  # log(1 + x) - x
        (lambda x: stats.chi2.logsf(x, 4.0), 0.0, -0.25),
        (lambda x: stats.beta.logsf(x, 2.0, 1.0), 0.0, -2.0),  # log(1 - x**2)
        (lambda x: stats.beta.logcdf(x, 1.0, 2.0), 1.0, -2.0),
        (lambda p: stats.binom.logcdf(1.0, 3.0, p), 0.0, -6.0),  # log(1 - 3 p**2 + 2 p**3)
        (lambda p: stats.nbinom.logcdf(1.0, 1.0, p), 1.0, -2.0),  # log(1 - (1 - p)**2)
    ],
)
def test_a_probability_of_1_is_curved_though_its_density_vanishes(f: Any, x: float, expected: float) -> None:
    for second in (tg.grad(tg.grad(f)), tg.jit(tg.grad(tg.grad(f))), tg.jacfwd(tg.jacfwd(f))):
        assert second(x) == pytest.approx(expected)


@pytest.mark.parametrize("x", (1e-30, -1e-30, 1e-8, 0.5))
def test_slopes_of_the_logistic_density_are_exact_beside_its_middle(x: float) -> None:
    tanh = math.tanh(0.5 * x)
    for f, slope in ((stats.logistic.logpdf, -tanh), (stats.logistic.pdf, -tanh * (1.0 - tanh * tanh) / 4.0)):
        found: Any = tg.grad(f)(x)
        assert math.isclose(found, slope, rel_tol=1e-14)
