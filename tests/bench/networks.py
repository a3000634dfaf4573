"""Networks: value and gradient of a loss by all weights and biases, float32, in every library."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import nn
from tapegrad.typing import Array
from tests.bench.workload import Call, Workload, installed


def networks() -> list[Workload]:
    """Return the four networks of the benchmark."""
    rng = np.random.default_rng(0)
    return [
        network("xor", "2-16-1 tanh, mean squared error, batch 4", rng, (2, 16, 1), 4, "tanh"),
        network("sine", "1-64-64-1 tanh, mean squared error, batch 140", rng, (1, 64, 64, 1), 140, "tanh"),
        network("mnist", "784-32-10 relu, cross-entropy, batch 64", rng, (784, 32, 10), 64, "relu"),
        network("mlp_big", "784-512-512-10 relu, cross-entropy, batch 256", rng, (784, 512, 512, 10), 256, "relu"),
    ]


def network(
    name: str, what: str, rng: np.random.Generator, sizes: Sequence[int], batch: int, activation: str, jit: bool = False
) -> Workload:
    """Return the workload of one network: tanh comes with squared errors, relu with cross-entropy.

    With `jit` the call of tapegrad is compiled, and there is another one that is not.
    """
    weights = [rng.normal(0, np.sqrt(1 / m), (m, n)).astype(np.float32) for m, n in pairwise(sizes)]
    biases = [rng.normal(0, 0.1, n).astype(np.float32) for n in sizes[1:]]
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    if activation == "relu":
        y: Array = rng.integers(0, sizes[-1], batch)
    else:
        y = rng.normal(size=(batch, sizes[-1])).astype(np.float32)
    calls: dict[str, Call] = {
        "tapegrad": in_tapegrad(weights, biases, x, y, activation, jit),
        "numpy": by_hand(weights, biases, x, y, activation),
    }
    if jit:
        calls["eager"] = in_tapegrad(weights, biases, x, y, activation, jit=False)
    if installed("torch"):
        calls["torch"] = in_torch(weights, biases, x, y, activation)
    if installed("autograd"):
        calls["autograd"] = in_autograd(weights, biases, x, y, activation)
    if installed("jax"):
        calls["jax"] = in_jax(weights, biases, x, y, activation, jit=False)
        calls["jax.jit"] = in_jax(weights, biases, x, y, activation, jit=True)
    return Workload(name, what, calls)


def in_tapegrad(weights: list[Array], biases: list[Array], x: Array, y: Array, activation: str, jit: bool) -> Call:
    act = nn.relu if activation == "relu" else tg.numpy.tanh
    params = [nn.LinearParams(w, b) for w, b in zip(weights, biases, strict=True)]

    def loss(params: list[nn.LinearParams], x: Array, y: Array) -> Array:
        for layer in params[:-1]:
            x = act(nn.linear(layer, x))
        out = nn.linear(params[-1], x)
        return nn.cross_entropy(out, y) if activation == "relu" else nn.mse(out, y)

    both = tg.jit(tg.value_and_grad(loss)) if jit else tg.value_and_grad(loss)

    def call() -> tuple[Any, list[Any]]:
        value, gradient = both(params, x, y)
        return value, [g for layer in gradient for g in (layer.weight, layer.bias)]

    return call


def by_hand(weights: list[Array], biases: list[Array], x: Array, y: Array, activation: str) -> Call:
    """NumPy as one writes it for exactly this network, forward and backward."""
    n, rows = len(x), np.arange(len(x))

    def backward(inputs: list[Array], delta: Array) -> list[Array]:
        gradients: list[Array] = []
        for k in range(len(weights) - 1, -1, -1):
            gradients += [delta.sum(axis=0), inputs[k].T @ delta]
            if k:
                h = inputs[k]
                delta = delta @ weights[k].T
                delta = delta * (h > 0) if activation == "relu" else delta * (1 - h * h)
        return gradients[::-1]

    def call() -> tuple[Any, list[Any]]:
        inputs, h = [x], x
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = h @ w + b
            h = np.maximum(h, 0) if activation == "relu" else np.tanh(h)
            inputs.append(h)
        out = h @ weights[-1] + biases[-1]
        if activation == "relu":
            shifted = out - out.max(axis=1, keepdims=True)
            exp = np.exp(shifted)
            total = exp.sum(axis=1, keepdims=True)
            value = (np.log(total[:, 0]) - shifted[rows, y]).mean()
            delta = exp / total
            delta[rows, y] -= 1
            delta /= n
        else:
            error = out - y
            value = (error * error).mean()
            delta = error * (2 / error.size)
        return value, backward(inputs, delta)

    return call


def in_torch(weights: list[Array], biases: list[Array], x: Array, y: Array, activation: str) -> Call:
    import torch
    from torch.nn import functional as F

    params = [torch.tensor(p, requires_grad=True) for w, b in zip(weights, biases, strict=True) for p in (w.T.copy(), b)]
    x_, y_ = torch.tensor(x), torch.tensor(y)
    act = torch.relu if activation == "relu" else torch.tanh

    def call() -> tuple[Any, list[Any]]:
        h = x_
        for k in range(0, len(params) - 2, 2):
            h = act(F.linear(h, params[k], params[k + 1]))
        out = F.linear(h, params[-2], params[-1])
        loss = F.cross_entropy(out, y_) if activation == "relu" else F.mse_loss(out, y_)
        gradients = torch.autograd.grad(loss, params)
        return loss.detach(), [g.T if g.ndim == 2 else g for g in gradients]

    return call


def in_autograd(weights: list[Array], biases: list[Array], x: Array, y: Array, activation: str) -> Call:
    import autograd
    import autograd.numpy as anp

    n, rows = len(x), np.arange(len(x))

    def loss(params: list[Any]) -> Any:
        h = x
        for w, b in params[:-1]:
            h = anp.dot(h, w) + b
            h = anp.maximum(h, 0) if activation == "relu" else anp.tanh(h)
        out = anp.dot(h, params[-1][0]) + params[-1][1]
        if activation == "relu":
            shifted = out - anp.max(out, axis=1, keepdims=True)
            return anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[rows, y]) / n
        return anp.mean((out - y) ** 2)

    both = autograd.value_and_grad(loss)
    params = list(zip(weights, biases, strict=True))

    def call() -> tuple[Any, list[Any]]:
        value, gradient = both(params)
        return value, [g for layer in gradient for g in layer]

    return call


def in_jax(weights: list[Array], biases: list[Array], x: Array, y: Array, activation: str, jit: bool) -> Call:
    import jax
    import jax.numpy as jnp

    def loss(params: list[Any], x: Any, y: Any) -> Any:
        for w, b in params[:-1]:
            x = x @ w + b
            x = jax.nn.relu(x) if activation == "relu" else jnp.tanh(x)
        out = x @ params[-1][0] + params[-1][1]
        if activation == "relu":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))
        return jnp.mean((out - y) ** 2)

    both = jax.value_and_grad(loss)
    both = jax.jit(both) if jit else both
    params = [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases, strict=True)]
    x_, y_ = jnp.asarray(x), jnp.asarray(y)
    wait: Any = jax.block_until_ready

    def call() -> tuple[Any, list[Any]]:
        value, gradient = both(params, x_, y_)
        wait(gradient)
        return value, [g for layer in gradient for g in layer]

    return call
