"""Distributions: SciPy's values, derivatives by values and parameters, and what holds at the edges of the support."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

import tapegrad as tg
from tapegrad.scipy import stats
from tapegrad.testing import check_grads

CONTINUOUS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "cauchy": ((), [-30.0, -0.7, 0.0, 0.4, 12.0]),
    "laplace": ((), [-30.0, -0.7, 0.4, 12.0]),
    "logistic": ((), [-30.0, -0.7, 0.0, 0.4, 12.0]),
    "norm": ((), [-9.0, -0.7, 0.0, 0.4, 6.0]),
    "t": ((np.array([0.7, 1.0, 4.0, 30.0, 3.0]),), [-30.0, -0.7, 0.2, 0.4, 12.0]),
    "uniform": ((), [0.1, 0.35, 0.5, 0.9]),
    "expon": ((), [0.01, 0.6, 1.0, 12.0]),
    "gamma": ((np.array([0.6, 1.0, 2.5, 40.0, 3.0]),), [0.3, 0.7, 0.02, 35.0, 9.0]),
    "chi2": ((np.array([0.6, 1.0, 2.5, 40.0, 3.0]),), [0.3, 0.7, 0.02, 35.0, 9.0]),
    "lognorm": ((np.array([0.5, 1.0, 0.8, 2.0]),), [0.3, 0.7, 4.0, 35.0]),
    "pareto": ((np.array([0.5, 1.0, 2.5, 7.0]),), [1.3, 1.7, 4.0, 3.0]),
    "beta": (
        (np.array([0.6, 1.0, 2.5, 40.0, 3.0]), np.array([0.6, 2.0, 1.0, 30.0, 0.5])),
        [0.3, 0.7, 0.02, 0.6, 0.9],
    ),
}
"""Parameters, and standardised values inside of the support, where the functions are smooth."""

DISCRETE: dict[str, tuple[tuple[Any, ...], Any]] = {
    "bernoulli": ((np.array([0.3, 0.8]),), [0, 1]),
    "binom": ((np.array([7.0, 9.0, 40.0, 5.0]), np.array([0.3, 0.8, 0.5, 0.1])), [0, 4, 19, 4]),
    "geom": ((np.array([0.3, 0.8, 0.01]),), [1, 2, 30]),
    "nbinom": ((np.array([0.7, 4.0, 30.0]), np.array([0.3, 0.8, 0.5])), [0, 3, 28]),
    "poisson": ((np.array([0.7, 4.0, 30.0, 2.0]),), [0, 3, 28, 9]),
}
"""Parameters, and counts below the last one."""

PROBABILITIES = ("logcdf", "cdf", "logsf", "sf")
DENSITIES = ("logpdf", "pdf", *PROBABILITIES)
MASSES = ("logpmf", "pmf", *PROBABILITIES)
QUANTILES = ("ppf", "isf")
Q = np.array([0.02, 0.3, 0.6, 0.97])


def named(names: Any, methods: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("name", "method"), [(name, method) for name in names for method in methods])


def ours(name: str, method: str) -> Any:
    return getattr(getattr(stats, name), method)


def theirs(name: str, method: str) -> Any:
    return getattr(getattr(scipy.stats, name), method)


def inside(name: str) -> tuple[Any, ...]:
    """Return values inside of the support, the parameters, a location and a scale."""
    parameters, values = CONTINUOUS[name]
    return (1.7 * np.array(values) - 0.4, *parameters, -0.4, 1.7)


def allowed_counts(name: str, method: str) -> tuple[Any, ...]:
    """Return counts and parameters for which the function is not constant."""
    parameters, counts = DISCRETE[name]
    if name == "bernoulli" and method in PROBABILITIES:  # beyond 0 they are 0 or 1
        counts = [0, 0]
    return (np.array(counts, float), *parameters)


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
            f, g = ours(name, "logpdf"), getattr(getattr(jax.scipy.stats, name), "logpdf")  # noqa: B009
            found = tg.grad(lambda *xs, f=f: np.sum(f(*xs)), positions)(*args)
            expected = jax.grad(lambda *xs, g=g: g(*xs).sum(), positions)(*args)
            for ours_, theirs_ in zip(found, expected, strict=True):
                assert np.allclose(ours_, theirs_, rtol=1e-8, atol=1e-10)


# Edges


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


# Vectors


def test_dirichlet() -> None:
    alpha = np.array([0.7, 1.0, 2.5])
    points = np.array([[0.2, 0.3], [0.3, 0.1], [0.5, 0.6]])
    for method in ("logpdf", "pdf"):
        f, g = ours("dirichlet", method), theirs("dirichlet", method)
        assert np.allclose(f(points, alpha), g(points, alpha)) and np.allclose(f(points[:2], alpha), g(points, alpha))
        check_grads(lambda x, a, f=f: f(x, a), (points[:2], alpha))
        check_grads(lambda a, f=f: f(points[:, 0], a), (alpha,))
    assert np.allclose(tg.vmap(stats.dirichlet.logpdf, (1, None))(points, alpha), stats.dirichlet.logpdf(points, alpha))
    corner: Any = tg.grad(stats.dirichlet.logpdf, 1)(np.array([0.0, 0.4, 0.6]), np.array([1.0, 2.0, 3.0]))
    assert np.isneginf(corner[0]) and np.all(np.isfinite(corner[1:]))
    inward = tg.grad(lambda z: stats.dirichlet.pdf(np.stack([z, 1.0 - z]), np.array([2.0, 3.0])))
    assert np.isclose(inward(0.0), 12.0) and np.isclose(tg.grad(inward)(0.0), -48.0)


def test_multivariate_normal() -> None:
    root = np.array([[1.2, 0.0, 0.0], [0.3, 0.7, 0.0], [-0.5, 0.2, 1.5]])
    x, mean, cov = np.random.default_rng(0).normal(size=(2, 4, 3)), np.array([0.3, -0.2, 0.5]), root @ root.T
    for method in ("logpdf", "pdf"):
        f, g = ours("multivariate_normal", method), theirs("multivariate_normal", method)
        assert np.allclose(f(x, mean, cov), g(x, mean, cov))
        assert np.allclose(f(x, mean, np.diag(cov)), g(x, mean, np.diag(cov)))
        assert np.allclose(f(x, mean, 2.0), g(x, mean, 2.0)) and np.allclose(f(x[0, 0], mean), g(x[0, 0], mean))
        assert np.allclose(f(x[0, :, 0], 0.5, 2.0), g(x[0, :, 0], 0.5, 2.0))
        check_grads(lambda x, m, r, f=f: f(x, m, r @ r.T), (x[0], mean, root), 1)
        check_grads(f, (x[0, 0], mean, np.diag(cov)), 1)
        check_grads(f, (x[..., 0], 0.5, 2.0), 1)
    check_grads(lambda x, m, r: stats.multivariate_normal.logpdf(x, m, r @ r.T), (x[0, 0], mean, root), 2)
    found: Any = tg.grad(stats.multivariate_normal.logpdf, 2)(x[0, 0], mean, cov)
    apart = np.linalg.solve(cov, x[0, 0] - mean)
    assert np.allclose(found, 0.5 * (np.outer(apart, apart) - np.linalg.inv(cov)))
    batched: Any = tg.vmap(tg.grad(stats.multivariate_normal.logpdf, 2), (0, None, None))(x[0], mean, cov)
    assert np.allclose(batched[0], tg.grad(stats.multivariate_normal.logpdf, 2)(x[0, 0], mean, cov))


def test_multinomial() -> None:
    x, p = np.array([[1, 2, 3], [0, 6, 0]]), np.array([0.2, 0.3, 0.5])
    for method in ("logpmf", "pmf"):
        f, g = ours("multinomial", method), theirs("multinomial", method)
        assert np.allclose(f(x, 6, p), g(x, 6, p)) and np.allclose(f(x, [6, 5], p), g(x, [6, 5], p))
        check_grads(lambda z, f=f: f(x, 6, np.exp(z) / np.sum(np.exp(z))), (np.log(p),))
    gradient = tg.grad(lambda p: np.sum(stats.multinomial.logpmf(x[1], 6, p)))(np.array([0.0, 0.9, 0.1]))
    assert np.allclose(gradient, [0.0, 6 / 0.9, 0.0])  # an outcome without count or chance takes no part
    chance = tg.grad(lambda z: stats.multinomial.pmf([1, 2], 3, np.stack([z, 1.0 - z])))
    assert np.isclose(chance(0.0), 3.0) and np.isclose(tg.grad(chance)(0.0), -12.0)
    elsewhere = tg.grad(lambda p: np.sum(stats.multinomial.pmf(x, 5, p)))(p)
    assert np.array_equal(elsewhere, np.zeros(3))


ERRORS: list[Callable[[Any], Any]] = [
    lambda a: stats.dirichlet.logpdf(np.array([0.2, 0.8]), a - 2.0),
    lambda a: stats.dirichlet.logpdf(np.array([0.2, 0.9]), a),
    lambda a: stats.dirichlet.logpdf(np.ones(4) / 4, a),
    lambda a: stats.multivariate_normal.logpdf(np.ones(3), a),
    lambda a: stats.multivariate_normal.logpdf(np.ones(2), a, -np.eye(2)),
    lambda a: stats.multivariate_normal.logpdf(np.ones(2), a, np.ones((2, 3))),
]


@pytest.mark.parametrize("f", ERRORS)
def test_bad_input_raises(f: Callable[[Any], Any]) -> None:
    for call in (f, lambda a: tg.vjp(f, a)):
        with pytest.raises((ValueError, np.linalg.LinAlgError)):
            call(np.ones(2))


def test_a_model_is_fitted_by_its_likelihood() -> None:
    x = np.random.default_rng(0).gamma(2.5, 1.3, size=400)

    def loss(a: Any, scale: Any) -> Any:
        return -np.mean(stats.gamma.logpdf(x, a, 0.0, scale))

    a, _, scale = scipy.stats.gamma.fit(x, floc=0.0)
    assert np.allclose(tg.grad(loss, (0, 1))(a, scale), 0.0, atol=1e-3)
