"""Steps of one kind on neighbouring parts of an array, computed as one step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.passes.columns import compute_columns_together
from tests.compiler.tracing import PROGRAMS, after, agrees

Z = np.random.default_rng(0).normal(size=(4, 12))


def logistic(z: Any) -> Any:
    return 1.0 / (1.0 + tnp.exp(-z))


def gates(z: Any) -> Any:
    return tnp.tanh(z[:, 9:]) * logistic(z[:, 3:6]) + logistic(z[:, :3]) * logistic(z[:, 6:9])


def two_arrays(z: Any) -> Any:
    y = tnp.cos(z)
    return logistic(z[..., :6] + y[..., :6]) * logistic(z[..., 6:] + y[..., 6:])


def planes(z: Any) -> Any:
    y = tnp.reshape(z, (2, 6, 4))
    return tnp.sin(y[:, :2]) * tnp.sin(y[:, 2:4]) + tnp.sin(y[:, 4:])


@pytest.mark.parametrize(
    ("f", "kind", "count"),
    [
        (gates, "exp", 1),
        (gates, "divide", 1),
        (gates, "tanh", 1),
        (two_arrays, "exp", 1),
        (two_arrays, "add", 2),
        (planes, "sin", 1),
        (lambda z: logistic(z[:, :3]) + logistic(z[:, 6:9]), "exp", 2),  # with a gap
        (lambda z: logistic(z[:, :3]) + logistic(z[:, 2:5]), "exp", 2),  # over each other
        (lambda z: tnp.exp(z[:, :3]) + tnp.exp(z[:, 3:6]), "exp", 2),  # too little to be gained
        (lambda z: tnp.exp(z[:, :6]) + tnp.exp(z[:, 6:]), "exp", 1),  # the whole array
        (lambda z: tnp.exp(z[:, :6]) + tnp.exp(z[:, 6:]) * z[:, 3:9], "exp", 2),  # which is read once more
        (lambda z: tnp.maximum(z[:, :6], 1.0) + tnp.maximum(z[:, 6:], 2.0), "maximum", 2),
        (lambda z: (tnp.exp(z[:, :6]), tnp.exp(z[:, 6:])), "exp", 2),  # results are arrays of their own
        (lambda z: logistic(z[:2]) + logistic(z[2:]), "exp", 2),  # rows: see `alike`
        (lambda z: logistic(z[:, :6] * z[0, :6]) + logistic(z[:, 6:] * z[0, 6:]), "exp", 2),  # other factors
    ],
)
def test_parts_that_follow_each_other_are_computed_together(f: Callable[[Any], Any], kind: str, count: int) -> None:
    assert after(compute_columns_together, f, Z).count(kind) == count

    def total(z: Any) -> Any:
        return tnp.sum(sum(tg.tree.leaves(f(z))) ** 2)

    for g in (f, tg.grad(total)):
        agrees(g, Z)
        agrees(g, Z.astype(np.float32), rtol=1e-5)


@pytest.mark.parametrize("f", [gates, two_arrays, planes])
def test_whatever_pass_is_left_out(f: Callable[[Any], Any]) -> None:
    def total(z: Any) -> Any:
        return tnp.sum(f(z) ** 2)

    for passes in PROGRAMS:
        agrees(tg.grad(total), Z, passes=passes)
