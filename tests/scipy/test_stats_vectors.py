"""Distributions of vectors: SciPy's values and errors, and derivatives by values and parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.scipy import stats
from tapegrad.testing import check_grads
from tests.scipy.distributions import (
    ours,
    theirs,
)


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
