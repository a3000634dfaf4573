"""Integrals of samples: SciPy's values, derivatives by the samples and by where they were taken."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.scipy import integrate
from tapegrad.testing import check_grads

RULES = ("trapezoid", "simpson", "cumulative_trapezoid", "cumulative_simpson")


def samples(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    ("shape", "axis"), [((2,), 0), ((3,), 0), ((4,), -1), ((7,), 0), ((2, 6), 1), ((5, 2), 0), ((2, 4, 2), 1)]
)
def test_derivatives_by_samples_points_and_spacing(name: str, shape: tuple[int, ...], axis: int) -> None:
    rule = getattr(integrate, name)
    y = samples(shape)
    steps = np.random.default_rng(1).uniform(0.5, 1.0, shape)
    check_grads(lambda y, dx: rule(y, dx=dx, axis=axis), (y, np.array(0.7)))
    check_grads(lambda y, x: rule(y, x=x, axis=axis), (y, np.cumsum(steps, axis)))
    vector = np.cumsum(np.random.default_rng(2).uniform(0.5, 1.0, shape[axis]))
    check_grads(lambda y, x: rule(y, x=x, axis=axis), (y, vector), 1)


@pytest.mark.parametrize("n", [2, 3, 5, 9, 17])
def test_rombergs_rule(n: int) -> None:
    check_grads(integrate.romb, (samples((n,)), np.array(0.3)))
    check_grads(lambda y: integrate.romb(y, axis=0), (samples((n, 2)),), 1)


def test_an_initial_value_may_be_traced() -> None:
    y, once = samples((2, 5)), np.array([[0.3], [0.5]])
    check_grads(lambda y, start: integrate.cumulative_simpson(y, initial=start), (y, once))
    check_grads(lambda y, dx: integrate.cumulative_simpson(y, dx=dx), (y, once))
    check_grads(lambda y: integrate.cumulative_trapezoid(y, initial=0), (y,))


def test_an_interval_of_no_length_contributes_nothing() -> None:
    x = np.array([0.0, 1.0, 1.0, 2.0, 3.0])
    g = tg.grad(lambda y: integrate.simpson(y, x))(samples((5,)))
    weights = np.array([integrate.simpson(row, x) for row in np.eye(5)])
    assert np.allclose(g, weights)
    assert np.all(np.isfinite(tg.grad(lambda x: integrate.simpson(samples((5,)), x))(x)))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("n", [3, 4])
def test_dtypes_are_scipys_and_gradients_keep_single_precision(name: str, n: int) -> None:
    rule = getattr(integrate, name)
    y = samples((n,)).astype(np.float32)
    out, pull = tg.vjp(lambda y: rule(y, dx=0.5), y)
    assert out.dtype == rule(y, dx=0.5).dtype
    assert pull(np.ones_like(out))[0].dtype == np.float32


ERRORS: list[Callable[[Any], Any]] = [
    lambda y: integrate.simpson(y, y[:3]),
    lambda y: integrate.trapezoid(y, y[:3]),
    lambda y: integrate.cumulative_trapezoid(y, y[:3]),
    lambda y: integrate.cumulative_trapezoid(y, initial=1.0),
    lambda y: integrate.cumulative_simpson(y, x=-np.arange(5.0)),
    lambda y: integrate.cumulative_simpson(y, dx=np.ones(3)),
    lambda y: integrate.romb(y[:4]),
]


@pytest.mark.parametrize("f", ERRORS)
def test_bad_input_gets_scipys_error(f: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError) as plain:
        f(samples((5,)))
    with pytest.raises(ValueError) as under:
        tg.vjp(f, samples((5,)))
    assert str(under.value) == str(plain.value)
