"""The distributions that are tested: parameters, and values at which they are smooth."""

from typing import Any

import numpy as np
import pytest
import scipy.stats

from tapegrad.scipy import stats

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
