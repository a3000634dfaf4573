"""Elementwise derivatives, first and second, against JAX and PyTorch where they are installed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

POINTS = np.concatenate(
    [np.random.default_rng(0).normal(size=30) * 2, np.random.default_rng(1).uniform(-1, 1, 30), [0.5, -0.5, 1e-3, 20.0, -50.0]]
)
UNARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "absolute", "negative", "deg2rad", "sinc", "i0",
]  # fmt: skip
BINARY = [
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "hypot", "arctan2", "logaddexp", "logaddexp2",
    "copysign", "fmod", "remainder", "float_power",
]  # fmt: skip


@pytest.fixture(scope="module")
def jax() -> Iterator[Any]:
    """Return JAX in double precision, and leave it in the precision in which it was."""
    module = pytest.importorskip("jax")
    before = module.config.jax_enable_x64
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", before)


def derivatives(f: Any, *args: Any) -> list[Any]:
    """Return the values, all first and all second derivatives, element by element."""
    count = tuple(range(len(args)))
    rows = [f(*args), *tg.grad(lambda *xs: f(*xs).sum(), count)(*args)]
    for i in count:
        rows.extend(tg.grad(lambda *xs, i=i: tg.grad(lambda *ys: f(*ys).sum(), i)(*xs).sum(), count)(*args))
    return rows


def points(name: str) -> tuple[Any, ...]:
    if name in BINARY:
        a, b = (np.random.default_rng(k).uniform(0.2, 3.0, 40) for k in (2, 3))
        return (a, b) if "power" in name else (a * np.where(a > 1.5, -1.0, 1.0), b)
    if name in ("arcsin", "arccos", "arctanh"):
        return (POINTS[np.abs(POINTS) < 1],)
    if name in ("log", "log2", "log10", "sqrt", "cbrt"):
        return (np.abs(POINTS),)
    return (POINTS[POINTS > -1],) if name == "log1p" else (POINTS,)


@pytest.mark.parametrize("name", ["cbrt", "expm1"])  # few: it compiles for long
def test_derivatives_are_those_of_jax(name: str, jax: Any) -> None:
    args = points(name)
    count = tuple(range(len(args)))
    f = getattr(jax.numpy, name)
    rows = [f(*args), *(jax.vmap(jax.grad(f, i))(*args) for i in count)]
    rows.extend(jax.vmap(jax.grad(jax.grad(f, i), j))(*args) for i in count for j in count)
    for got, want in zip(derivatives(getattr(np, name), *args), rows, strict=True):
        np.testing.assert_allclose(got, np.asarray(want), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", UNARY + BINARY)
def test_derivatives_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    f = getattr(torch, {"power": "pow", "absolute": "abs"}.get(name, name))
    args = points(name)
    xs = [torch.tensor(x, requires_grad=True) for x in args]
    y = f(*xs)
    gradients = torch.autograd.grad(y.sum(), xs, create_graph=True, allow_unused=True)
    rows = [y, *gradients]
    for g in gradients:
        connected = g is not None and g.requires_grad
        rows.extend(torch.autograd.grad(g.sum(), xs, retain_graph=True, allow_unused=True) if connected else [None] * len(xs))
    for got, want in zip(derivatives(getattr(np, name), *args), rows, strict=True):
        expected = 0.0 if want is None else want.detach().numpy(force=True)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)
