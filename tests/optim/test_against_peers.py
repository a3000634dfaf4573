"""Ten steps of each optimizer against optax and PyTorch, in float64, to rounding."""

from typing import Any

import numpy as np
import pytest

from tapegrad import optim
from tapegrad.typing import Array

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.8, "nesterov": True}),
    ("adam", {}),
    ("adam", {"b1": 0.8, "b2": 0.95, "eps": 1e-3}),
]
each = pytest.mark.parametrize(("name", "settings"), SETTINGS)


def walk(name: str, settings: dict[str, Any]) -> tuple[Array, list[Array], list[Array]]:
    """Return the start, the gradients, and where tapegrad is after each step."""
    random = np.random.default_rng(0)
    start = random.normal(size=(3, 2))
    grads = [random.normal(size=(3, 2)) * 10.0**k for k in range(-5, 5)]
    optimizer = getattr(optim, name)(0.05, **settings)
    x, state, reached = start, optimizer.init(start), []
    for g in grads:
        updates, state = optimizer.update(g, state, x)
        x = optim.apply_updates(x, updates)
        reached.append(x)
    return start, grads, reached


@each
def test_equal_to_pytorch(name: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    start, grads, reached = walk(name, settings)
    x = torch.nn.Parameter(torch.tensor(start))
    if name == "adam":
        betas = (settings.get("b1", 0.9), settings.get("b2", 0.999))
        theirs = torch.optim.Adam([x], lr=0.05, betas=betas, eps=settings.get("eps", 1e-8))
    else:
        theirs = torch.optim.SGD([x], lr=0.05, **settings)
    for g, mine in zip(grads, reached, strict=True):
        x.grad = torch.tensor(g)
        theirs.step()
        np.testing.assert_allclose(mine, x.detach().numpy(), rtol=1e-12)


@each
def test_equal_to_optax(name: str, settings: dict[str, Any]) -> None:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    start, grads, reached = walk(name, settings)
    with jax.enable_x64(True):
        theirs = getattr(optax, name)(0.05, **settings)
        x = jax.numpy.asarray(start)
        state = theirs.init(x)
        for g, mine in zip(grads, reached, strict=True):
            updates, state = theirs.update(jax.numpy.asarray(g), state, x)
            x = optax.apply_updates(x, updates)
            np.testing.assert_allclose(mine, np.asarray(x), rtol=1e-12)
