"""The same gradients as JAX and PyTorch, where these are installed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.properties.strategies import filled

PROGRAMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    # programs of a (n, m) and a (m,) array that NumPy, JAX and PyTorch write alike
    "elementwise": lambda xp, a, b: (xp.tanh(a) * xp.exp(-b) + xp.sin(a * b) / (1.0 + xp.square(b))).sum(),
    "powers": lambda xp, a, b: (a**b + xp.sqrt(a) - xp.log(b) + xp.hypot(a, b) + xp.arctan2(a, b)).sum(),
    "choices": lambda xp, a, b: (xp.where(a > b, a * a, b) + xp.maximum(a, b) * xp.minimum(a, b)).sum(),
    "products": lambda xp, a, b: ((a @ b) ** 2).sum() + xp.einsum("ij,ik->jk", a, a).sum() + (a @ a.T @ a @ b).sum(),
    "statistics": lambda xp, a, b: xp.log(a.mean() + b.sum()) * xp.logaddexp(a, b).sum(),
    "indices": lambda xp, a, b: (a[0] * a[-1, 1:].sum() + a[[0, 0, 1]].sum() * b[::2].sum()).sum(),
    "scans": lambda xp, a, b: (xp.cumsum(a, 1) * xp.cumprod(a, 0)).sum() + xp.diff(a[:, 0]).sum() * xp.cumsum(b, 0).sum(),
    "linear algebra": lambda xp, a, b: (
        xp.linalg.det(a.T @ a + xp.eye(len(b))) + xp.linalg.norm(b) + xp.linalg.inv(a.T @ a + xp.eye(len(b))).sum()
    ),
    "softmax": lambda xp, a, b: (xp.exp(a) / xp.exp(a).sum(1)[:, None] * b).sum(),
}


def arguments(n: int, m: int, seed: int) -> tuple[Any, Any]:
    return filled((n, m), seed), filled((m,), seed + 1, 0.41, 1.77)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_and_hessians_are_those_of_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    f, (a, b) = PROGRAMS[name], arguments(3, 2, 0)
    if name == "indices":
        f = INDICES_OF_JAX
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        expected = jax.grad(lambda a, b: f(jax.numpy, a, b), (0, 1))(a, b)
        along = jax.jvp(jax.grad(lambda a: f(jax.numpy, a, b)), (a,), (np.ones_like(a),))[1]
        expected, along = [np.asarray(x) for x in expected], np.asarray(along)

    def ours(a: Any, b: Any) -> Any:
        return PROGRAMS[name](tnp, a, b)

    for x, y in zip(tg.grad(ours, (0, 1))(a, b), expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9)

    def by_first(a: Any) -> Any:
        return ours(a, b)

    hessian = tg.jvp(tg.grad(by_first), (a,), (np.ones_like(a),))[1]
    np.testing.assert_allclose(hessian, along, rtol=1e-8, atol=1e-8)


def INDICES_OF_JAX(xp: Any, a: Any, b: Any) -> Any:
    """JAX wants an array where NumPy takes a list."""
    return (a[0] * a[-1, 1:].sum() + a[np.array([0, 0, 1])].sum() * b[::2].sum()).sum()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("n", "m"), ((3, 2), (2, 4), (4, 4)))
def test_gradients_are_those_of_pytorch(name: str, n: int, m: int) -> None:
    torch = pytest.importorskip("torch")
    f, (a, b) = PROGRAMS[name], arguments(n, m, n)
    x, y = (torch.tensor(value, requires_grad=True) for value in (a, b))
    f(Torch(torch), x, y).backward()
    for found, expected in zip(tg.grad(lambda a, b: f(tnp, a, b), (0, 1))(a, b), (x.grad, y.grad), strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9, atol=1e-9)


class Torch:
    """PyTorch, in double precision."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def eye(self, n: int) -> Any:
        return self.torch.eye(n, dtype=self.torch.float64)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.torch, name)
