"""Functions of NumPy and SciPy that are written with plain NumPy, imported and differentiated as they are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import check_grads

X = np.array([0.3, -0.7, 1.2, 0.1])
C = np.array([0.5, -1.0, 0.25, 2.0])

SERIES = ("polynomial.poly", "chebyshev.cheb", "legendre.leg", "hermite.herm", "hermite_e.herme", "laguerre.lag")


@pytest.mark.parametrize("name", SERIES)
def test_the_slope_of_a_series_is_the_series_of_its_derivative(name: str) -> None:
    """``np.polynomial`` finds derivatives by its own formulae."""
    module, prefix = name.split(".")
    room = getattr(np.polynomial, module)
    value, derivative = getattr(room, f"{prefix}val"), getattr(room, f"{prefix}der")

    def total(x: Any) -> Any:
        return value(x, C).sum()

    np.testing.assert_allclose(tg.grad(total)(X), value(X, derivative(C)), rtol=1e-12)
    second = tg.jvp(tg.grad(total), (X,), (np.ones_like(X),))[1]
    np.testing.assert_allclose(second, value(X, derivative(C, 2)), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tg.vmap(tg.grad(total))(X), value(X, derivative(C)), rtol=1e-12)


def test_a_polynomial_object_is_called_on_traced_values() -> None:
    polynomial = np.poly1d(C)
    np.testing.assert_allclose(tg.grad(lambda x: polynomial(x).sum())(X), polynomial.deriv()(X))


def test_the_norm_of_scipys_integrators() -> None:
    norm = pytest.importorskip("scipy.integrate._ivp.common").norm
    np.testing.assert_allclose(tg.grad(norm)(X), X / (len(X) * norm(X)))
    check_grads(norm, (X,))


def test_lagranges_polynomial_by_the_values_that_it_passes_through() -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    nodes = np.arange(4.0)
    basis = [interpolate.lagrange(nodes, row)(0.4) for row in np.eye(4)]
    np.testing.assert_allclose(tg.grad(lambda y: interpolate.lagrange(nodes, y)(0.4))(X), basis, rtol=1e-10)


PULSES: dict[str, Callable[[Any, Any], Any]] = {
    "a Gaussian pulse": lambda signal, t: signal.gausspulse(t, fc=0.4),
    "its envelope": lambda signal, t: signal.gausspulse(t, fc=0.4, retenv=True)[1],
    "a sweep": lambda signal, t: signal.sweep_poly(t, np.poly1d([0.1, 0.2])),
}


@pytest.mark.parametrize("name", PULSES)
def test_waveforms_by_time(name: str) -> None:
    signal = pytest.importorskip("scipy.signal")
    check_grads(lambda t: PULSES[name](signal, t), (X,))
