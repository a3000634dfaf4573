"""Loops of many small operations: what an operation costs, and whether its cost stays what it is."""

from typing import Any

import numpy as np

import tapegrad as tg
from tests.bench.workload import Call, Workload, installed

STEPS = 600
SCALARS = 10_000


def loops() -> list[Workload]:
    """Return the two loops of the benchmark."""
    return [chain(), scalar()]


def chain() -> Workload:
    """600 times tanh, on 10 numbers."""
    x = np.random.default_rng(0).normal(size=10).astype(np.float32)

    def repeat(tanh: Any, total: Any) -> Any:
        def f(y: Any) -> Any:
            for _ in range(STEPS):
                y = tanh(y)
            return total(y)

        return f

    def by_hand() -> tuple[Any, list[Any]]:
        outputs, y = [], x
        for _ in range(STEPS):
            y = np.tanh(y)
            outputs.append(y)
        g = np.ones_like(y)
        for y_k in reversed(outputs):
            g = g * (1 - y_k * y_k)
        return y.sum(), [g]

    calls: dict[str, Call] = {"tapegrad": one(tg.value_and_grad(repeat(tg.numpy.tanh, tg.numpy.sum)), x), "numpy": by_hand}
    if installed("torch"):
        import torch

        calls["torch"] = in_torch(repeat(torch.tanh, torch.sum), x)
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        calls["autograd"] = one(autograd.value_and_grad(repeat(anp.tanh, anp.sum)), x)
    if installed("jax"):
        import jax
        import jax.numpy as jnp

        calls["jax"] = one(jax.value_and_grad(repeat(jnp.tanh, jnp.sum)), jnp.asarray(x))
    return Workload("chain", f"{STEPS} times tanh on 10 numbers", calls)


def scalar() -> Workload:
    """10,000 operations on one number."""
    x = np.float32(0.5)

    def f(s: Any) -> Any:
        for _ in range(SCALARS // 2):
            s = s * 0.9999 + 0.0001
        return s

    def by_hand() -> tuple[Any, list[Any]]:
        s, g = x, np.float32(1)
        for _ in range(SCALARS // 2):
            s = s * 0.9999 + 0.0001
        for _ in range(SCALARS // 2):
            g = g * 0.9999
        return s, [g]

    calls: dict[str, Call] = {"tapegrad": one(tg.value_and_grad(f), x), "numpy": by_hand}
    if installed("torch"):
        calls["torch"] = in_torch(f, x)
    if installed("autograd"):
        import autograd

        calls["autograd"] = one(autograd.value_and_grad(f), x)
    return Workload("scalar", f"{SCALARS:,} operations on one number", calls)


def one(both: Any, x: Any) -> Call:
    """Return the call of a value-and-gradient function of one argument."""

    def call() -> tuple[Any, list[Any]]:
        value, gradient = both(x)
        return value, [gradient]

    return call


def in_torch(f: Any, x: Any) -> Call:
    import torch

    x_ = torch.tensor(x, requires_grad=True)

    def call() -> tuple[Any, list[Any]]:
        y = f(x_)
        return y.detach(), list(torch.autograd.grad(y, x_))

    return call
