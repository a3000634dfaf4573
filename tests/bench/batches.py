"""Gradients of each example: ``vmap(grad(loss), in_axes=(None, 0, 0))`` against one gradient of the whole batch."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import nn
from tapegrad.typing import Array
from tests.bench.timing import race
from tests.bench.workload import installed

BATCH = 256
NETWORKS = ((16, 32, 4), (64, 128, 10), (784, 32, 10))


def report(rounds: int) -> None:
    """Print, for each network, the time of one batched gradient, and how many times that those of each example take."""
    print(
        f"gradients of {BATCH} examples, float32, relu and cross-entropy; a column says how many times as long as one batched"
    )
    print("gradient by the same library the gradients of each example take; in brackets how many times as long as tapegrad's\n")
    print(f"{'network':<14}{'one gradient':>14}{'each example':>14}{'MB':>6}{'tapegrad':>10}{'NumPy':>16}{'jax.jit':>16}")
    for sizes in NETWORKS:
        calls = networks(sizes)
        check(calls)
        best = race(calls, rounds)
        one, each = best["tapegrad"], best["tapegrad each"]
        size = sum(m * n + n for m, n in pairwise(sizes)) * BATCH * 4 / 1e6
        line = f"{'-'.join(map(str, sizes)):<14}{one * 1e6:>11.0f} us{each * 1e6:>11.0f} us{size:>6.1f}{each / one:>9.1f}x"
        for name in ("numpy", "jax.jit"):
            if name in best:
                line += f"{best[name + ' each'] / best[name]:>8.1f}x ({best[name + ' each'] / each:>4.2f})"
        print(line, flush=True)


def check(calls: dict[str, Callable[[], Any]]) -> None:
    """Raise unless all agree to single precision, and the mean of the gradients of each example is the batched one."""
    first = [np.asarray(g) for g in calls["tapegrad each"]()]
    for name, call in calls.items():
        for g, h in zip(first, call(), strict=True):
            expected = g if name.endswith("each") else g.mean(axis=0)
            np.testing.assert_allclose(np.asarray(h), expected, atol=1e-3 * float(np.abs(expected).max()), err_msg=name)


def networks(sizes: Sequence[int]) -> dict[str, Callable[[], Any]]:
    """Return, for each library, the call that makes one gradient, and the one that makes that of each example."""
    rng = np.random.default_rng(0)
    layers = [
        nn.LinearParams(rng.normal(0, np.sqrt(1 / m), (m, n)).astype(np.float32), rng.normal(0, 0.1, n).astype(np.float32))
        for m, n in pairwise(sizes)
    ]
    x = rng.normal(size=(BATCH, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], BATCH)

    def loss(layers: list[nn.LinearParams], x: Array, y: Array) -> Array:
        for layer in layers[:-1]:
            x = nn.relu(nn.linear(layer, x))
        return nn.cross_entropy(nn.linear(layers[-1], x), y)

    one, each = tg.grad(loss), tg.vmap(tg.grad(loss), in_axes=(None, 0, 0))
    calls: dict[str, Callable[[], Any]] = {
        "tapegrad": lambda: [g for layer in one(layers, x, y) for g in (layer.weight, layer.bias)],
        "tapegrad each": lambda: [g for layer in each(layers, x, y) for g in (layer.weight, layer.bias)],
        "numpy": lambda: by_hand(layers, x, y, False),
        "numpy each": lambda: by_hand(layers, x, y, True),
    }
    if installed("jax"):
        calls |= in_jax(layers, x, y)
    return calls


def by_hand(layers: list[nn.LinearParams], x: Array, y: Array, each: bool) -> list[Array]:
    """NumPy as one writes it for these networks."""
    inputs = [x]
    for layer in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ layer.weight + layer.bias, 0))
    out = inputs[-1] @ layers[-1].weight + layers[-1].bias
    exp = np.exp(out - out.max(axis=1, keepdims=True))
    delta = exp / exp.sum(axis=1, keepdims=True)
    delta[np.arange(len(x)), y] -= 1
    if not each:
        delta /= len(x)
    gradients: list[Array] = []
    for h, layer in zip(reversed(inputs), reversed(layers), strict=True):
        gradients += [delta, np.einsum("bi,bj->bij", h, delta)] if each else [delta.sum(axis=0), h.T @ delta]
        delta = (delta @ layer.weight.T) * (h > 0)
    return gradients[::-1]


def in_jax(layers: list[nn.LinearParams], x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    import jax
    import jax.numpy as jnp

    def loss(params: list[Any], x: Any, y: Any) -> Any:
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        out = jax.nn.log_softmax(x @ params[-1][0] + params[-1][1])
        return -jnp.mean(jnp.take_along_axis(out, y[..., None], -1))

    params = [(jnp.asarray(layer.weight), jnp.asarray(layer.bias)) for layer in layers]
    x_, y_ = jnp.asarray(x), jnp.asarray(y)
    wait: Any = jax.block_until_ready
    one, each = jax.jit(jax.grad(loss)), jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0)))
    return {
        "jax.jit": lambda: jax.tree.leaves(wait(one(params, x_, y_))),
        "jax.jit each": lambda: jax.tree.leaves(wait(each(params, x_, y_))),
    }
