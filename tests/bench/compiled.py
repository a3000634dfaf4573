"""Compiled functions: value and gradient, training steps and first calls, against ``jax.jit`` and NumPy by hand."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.typing import Array
from tests.bench.networks import by_hand, network
from tests.bench.timing import race
from tests.bench.workload import Call, Workload, installed

COLUMNS = ("eager", "numpy", "jax.jit")
SIZES: dict[str, tuple[str, tuple[int, ...], int, str]] = {
    "xor": ("2-16-1 tanh, mean squared error, batch 4", (2, 16, 1), 4, "tanh"),
    "mnist": ("784-32-10 relu, cross-entropy, batch 64", (784, 32, 10), 64, "relu"),
    "sine": ("1-64-64-1 tanh, mean squared error, batch 140", (1, 64, 64, 1), 140, "tanh"),
    "mlp_big": ("784-512-512-10 relu, cross-entropy, batch 256", (784, 512, 512, 10), 256, "relu"),
}


def report(rounds: int) -> None:
    """Race all workloads, and print how many times as long as the compiled function the others take."""
    print("value and gradient, float32, compiled; a column says how many times as long as tg.jit the library takes\n")
    print(f"{'workload':<14}{'tg.jit':>12}" + "".join(f"{name:>10}" for name in COLUMNS) + "   by hand")
    for make in (*networks(), elementwise(20), elementwise(22), adam("mnist"), adam("mlp_big"), recurrence, attention):
        workload = make()
        workload.check()
        best = race(dict(workload.calls), rounds)
        own = best["tapegrad"]
        ratios = "".join(f"{best[name] / own:>9.2f}x" if name in best else f"{'-':>10}" for name in COLUMNS)
        by = f"   tg.jit = {own / best['numpy']:.2f}x NumPy by hand" if "numpy" in best else ""
        print(f"{workload.name:<14}{own * 1e6:>9.1f} us{ratios}{by}", flush=True)
    first_calls()


def networks() -> list[Callable[[], Workload]]:
    def one(name: str) -> Callable[[], Workload]:
        what, sizes, batch, activation = SIZES[name]

        def make() -> Workload:
            calls = network(name, what, np.random.default_rng(0), sizes, batch, activation, jit=True).calls
            return Workload(name, what, {k: calls[k] for k in ("tapegrad", "eager", "numpy", "jax.jit") if k in calls})

        return make

    return [one(name) for name in SIZES]


# Elementwise


def elementwise(bits: int) -> Callable[[], Workload]:
    """Return the workload mean(tanh(a b) + exp(-a a) sin b) on ``2**bits`` numbers."""

    def make() -> Workload:
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 2**bits)).astype(np.float32)

        def loss(a: Any, b: Any, lib: Any) -> Any:
            return lib.mean(lib.tanh(a * b) + lib.exp(-a * a) * lib.sin(b))

        def plain() -> tuple[Any, list[Any]]:
            t, e, s = np.tanh(a * b), np.exp(-a * a), np.sin(b)
            value = np.mean(t + e * s)
            g = np.float32(1 / a.size)
            d = g * (1 - t * t)
            return value, [d * b - g * s * e * (2 * a), d * a + g * e * np.cos(b)]

        eager = tg.value_and_grad(lambda a, b: loss(a, b, tg.numpy), argnums=(0, 1))
        calls: dict[str, Call] = {"tapegrad": of(tg.jit(eager), a, b), "eager": of(eager, a, b), "numpy": plain}
        if installed("jax"):
            import jax
            import jax.numpy as jnp

            both = jax.jit(jax.value_and_grad(lambda a, b: loss(a, b, jnp), argnums=(0, 1)))
            calls["jax.jit"] = waited(both, jnp.asarray(a), jnp.asarray(b))
        return Workload(f"elementwise{bits}", f"mean(tanh(ab) + exp(-aa) sin b), 2**{bits} numbers", calls)

    return make


def of(both: Any, *args: Any) -> Call:
    """Return the call of a value-and-gradient function whose gradient is a tree."""

    def call() -> tuple[Any, list[Any]]:
        value, gradient = both(*args)
        return value, tg.tree.leaves(gradient)

    return call


def waited(both: Any, *args: Any) -> Call:
    import jax

    wait: Any = jax.block_until_ready

    def call() -> tuple[Any, list[Any]]:
        value, gradient = wait(both(*args))
        return value, jax.tree.leaves(gradient)

    return call


# A step of training


def adam(name: str) -> Callable[[], Workload]:
    """Return the workload of a step of Adam on a network, whose parameters and state are donated."""
    what, sizes, batch, _ = SIZES[name]

    def make() -> Workload:
        rng = np.random.default_rng(0)
        weights = [rng.normal(0, np.sqrt(1 / m), (m, n)).astype(np.float32) for m, n in pairwise(sizes)]
        biases = [np.zeros(n, np.float32) for n in sizes[1:]]
        x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
        y = rng.integers(0, sizes[-1], batch)
        calls: dict[str, Call] = {
            "tapegrad": adam_in_tapegrad(weights, biases, x, y, jit=True),
            "eager": adam_in_tapegrad(weights, biases, x, y, jit=False),
            "numpy": adam_by_hand(weights, biases, x, y),
        }
        if installed("jax") and installed("optax"):
            calls["jax.jit"] = adam_in_jax(weights, biases, x, y)
        return Workload(f"{name} adam", f"a step of Adam, {what}", calls)

    return make


def loss_of(params: list[nn.LinearParams], x: Array, y: Array) -> Array:
    for layer in params[:-1]:
        x = nn.relu(nn.linear(layer, x))
    return nn.cross_entropy(nn.linear(params[-1], x), y)


def adam_in_tapegrad(weights: list[Array], biases: list[Array], x: Array, y: Array, jit: bool) -> Call:
    optimizer = optim.adam(1e-3)

    def step(params: Any, state: Any, x: Any, y: Any) -> Any:
        value, gradient = tg.value_and_grad(loss_of)(params, x, y)
        updates, state = optimizer.update(gradient, state, params)
        return value, optim.apply_updates(params, updates), state

    run: Any = tg.jit(step, donate_argnames=("params", "state")) if jit else step
    params = [nn.LinearParams(w.copy(), b.copy()) for w, b in zip(weights, biases, strict=True)]
    state = optimizer.init(params)

    def call() -> tuple[Any, list[Any]]:
        nonlocal params, state
        value, params, state = run(params, state, x, y)
        return value, [g for layer in params for g in (layer.weight, layer.bias)]

    return call


def adam_by_hand(weights: list[Array], biases: list[Array], x: Array, y: Array) -> Call:
    """Adam as one writes it in NumPy, in place; Kingma & Ba 2015, algorithm 1."""
    weights, biases = [w.copy() for w in weights], [b.copy() for b in biases]
    both = by_hand(weights, biases, x, y, "relu")
    params = [p for pair in zip(weights, biases, strict=True) for p in pair]
    m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    count = 0

    def call() -> tuple[Any, list[Any]]:
        nonlocal count
        value, gradients = both()
        count += 1
        a, b = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
        for p, g, m_k, v_k in zip(params, gradients, m, v, strict=True):
            m_k *= 0.9
            m_k += 0.1 * g
            v_k *= 0.999
            v_k += 0.001 * (g * g)
            p -= 1e-3 * (m_k * a) / (np.sqrt(v_k * b) + 1e-8)
        return value, params

    return call


def adam_in_jax(weights: list[Array], biases: list[Array], x: Array, y: Array) -> Call:
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = optax.adam(1e-3)

    def loss(params: Any, x: Any, y: Any) -> Any:
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        out = x @ params[-1][0] + params[-1][1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))

    def step(params: Any, state: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(gradient, state, params)
        return value, optax.apply_updates(params, updates), state

    run: Any = jax.jit(step, donate_argnums=(0, 1))
    params: Any = [(jnp.array(w), jnp.array(b)) for w, b in zip(weights, biases, strict=True)]
    state: Any = optimizer.init(params)
    x_, y_ = jnp.asarray(x), jnp.asarray(y)
    wait: Any = jax.block_until_ready

    def call() -> tuple[Any, list[Any]]:
        nonlocal params, state
        value, params, state = wait(run(params, state, x_, y_))
        return value, [g for layer in params for g in layer]

    return call


# A recurrence, and attention


def recurrence() -> Workload:
    """Return the workload of 50 steps of h = tanh(h w + x), hidden 64, batch 16, written as a Python loop."""
    rng = np.random.default_rng(0)
    w = rng.normal(0, 1 / 8, (64, 64)).astype(np.float32)
    xs = rng.normal(size=(50, 16, 64)).astype(np.float32)
    start = np.zeros((16, 64), np.float32)

    def loss(w: Any, lib: Any, xs: Any, h: Any) -> Any:
        for t in range(50):
            h = lib.tanh(h @ w + xs[t])
        return lib.mean(h * h)

    def plain() -> tuple[Any, list[Any]]:
        hs = [start]
        for t in range(50):
            hs.append(np.tanh(hs[-1] @ w + xs[t]))
        g = hs[-1] * np.float32(2 / hs[-1].size)
        total = np.zeros_like(w)
        for t in range(50, 0, -1):
            g = g * (1 - hs[t] * hs[t])
            total += hs[t - 1].T @ g
            g = g @ w.T
        return np.mean(hs[-1] * hs[-1]), [total]

    eager = tg.value_and_grad(lambda w: loss(w, tg.numpy, xs, start))
    calls: dict[str, Call] = {"tapegrad": of(tg.jit(eager), w), "eager": of(eager, w), "numpy": plain}
    if installed("jax"):
        import jax
        import jax.numpy as jnp

        xs_, start_ = jnp.asarray(xs), jnp.asarray(start)
        calls["jax.jit"] = waited(jax.jit(jax.value_and_grad(lambda w: loss(w, jnp, xs_, start_))), jnp.asarray(w))
    return Workload("recurrence", "50 steps of tanh, hidden 64, batch 16", calls)


def attention() -> Workload:
    """Return the workload of softmax attention on (8, 64, 64) queries, keys and values."""
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 8, 64, 64)).astype(np.float32)

    def loss(qkv: Any, lib: Any, softmax: Any) -> Any:
        q, k, v = qkv
        scores = q @ lib.swapaxes(k, -1, -2) * 0.125
        return lib.mean((softmax(scores) @ v) ** 2)

    eager = tg.value_and_grad(lambda qkv: loss(qkv, tg.numpy, nn.softmax))
    calls: dict[str, Call] = {"tapegrad": of(tg.jit(eager), (q, k, v)), "eager": of(eager, (q, k, v))}
    if installed("jax"):
        import jax
        import jax.numpy as jnp

        both = jax.jit(jax.value_and_grad(lambda qkv: loss(qkv, jnp, jax.nn.softmax)))
        calls["jax.jit"] = waited(both, (jnp.asarray(q), jnp.asarray(k), jnp.asarray(v)))
    return Workload("attention", "softmax attention, 8 x 64 x 64", calls)


# First calls


def first_calls() -> None:
    """Print how long the first call takes: a trace, the passes, and the program once."""
    print("\nfirst call, best of 3, in ms")
    for name, (what, sizes, batch, activation) in SIZES.items():
        best = {"tapegrad": float("inf"), "jax.jit": float("inf")}
        for _ in range(3):
            calls = network(name, what, np.random.default_rng(0), sizes, batch, activation, jit=True).calls
            for library in best:
                if library in calls:
                    start = time.perf_counter()
                    calls[library]()
                    best[library] = min(best[library], time.perf_counter() - start)
        ours, theirs = best["tapegrad"] * 1e3, best["jax.jit"] * 1e3
        print(f"{name:<14}{ours:>9.1f} ms    jax.jit {theirs:>8.1f} ms    {theirs / ours:.1f}x", flush=True)
