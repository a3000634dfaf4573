"""Fit a sine: a 1-500-1 network of rectifiers learns sin(x) on [0, 2 pi] from 140 points.

Run ``python docs/examples/sine.py``. It saves a picture of the truth, the points and the prediction.
"""

import argparse
from collections.abc import Sequence
from math import pi, sqrt
from pathlib import Path

import numpy as np
from attrs import frozen

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.typing import Array

try:
    from matplotlib.figure import Figure
    from tqdm import trange
except ImportError as error:
    raise SystemExit(f"sine.py needs the package {error.name}. Install it with: pip install 'tapegrad[examples]'") from error

HIDDEN = 500


@frozen
class Network:
    """Parameters of the network: 1 input, 500 hidden units, 1 output."""

    hidden: nn.LinearParams
    output: nn.LinearParams


def predict(params: Network, x: Array) -> Array:
    """Return predictions of shape ``(count, 1)`` for `x` of shape ``(count, 1)``."""
    return nn.linear(params.output, nn.relu(nn.linear(params.hidden, x)))


def loss(params: Network, x: Array, y: Array) -> Array:
    """Return the mean squared error."""
    return nn.mse(predict(params, x), y)


def points(key: Array, count: int) -> tuple[Array, Array]:
    """Return `count` points of the curve at random places, as two columns."""
    x = tg.random.uniform(key, (count, 1), np.float32, 0.0, 2 * pi)
    return x, np.sin(x)


def train(params: Network, x: Array, y: Array, steps: int) -> Network:
    """Return the parameters after full-batch steps of Adam, the last third of them a tenth as long to settle down."""
    optimizer = optim.adam(0.01)
    state = optimizer.init(params)
    step = tg.value_and_grad(loss)
    with trange(steps, desc="training", unit="step") as bar:
        for k in bar:
            if k == steps * 2 // 3:
                optimizer = optim.adam(0.001)  # settings only: the state goes on
            value, grads = step(params, x, y)
            updates, state = optimizer.update(grads, state, params)
            params = optim.apply_updates(params, updates)
            if k % 50 == 0:
                bar.set_postfix(loss=f"{value:.5f}", refresh=False)
    return params


def draw(params: Network, x: Array, y: Array, error: float, path: Path) -> None:
    """Save a picture of the truth, the points learned from and the prediction."""
    curve = np.linspace(0, 2 * pi, 400, dtype=np.float32)[:, None]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve, np.sin(curve), color="0.6", linewidth=5, label="truth, sin(x)")
    axes.plot(curve, predict(params, curve), color="tab:red", label=f"prediction, test RMSE {error:.4f}")
    axes.plot(x, y, ".", color="black", markersize=4, label=f"{len(x)} points learned from")
    axes.set_xticks([0, pi / 2, pi, 3 * pi / 2, 2 * pi], ["0", "π/2", "π", "3π/2", "2π"])
    axes.set(xlabel="x", ylabel="y", title=f"A 1-{HIDDEN}-1 network of rectifiers fits a sine")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def main(arguments: Sequence[str] | None = None) -> float:
    """Train, report, and return the root mean squared error on test points."""
    parser = argparse.ArgumentParser(description="Fit a sine.")
    parser.add_argument("--quick", action="store_true", help="300 steps instead of 1,500")
    parser.add_argument("--output", type=Path, default=Path("sine.png"), help="where to save the picture")
    options = parser.parse_args(arguments)

    for_points, for_test, first, second = tg.random.split(tg.random.key(0), 4)
    x, y = points(for_points, 140)
    params = Network(nn.init_linear(first, 1, HIDDEN), nn.init_linear(second, HIDDEN, 1))
    print(f"loss before training: {loss(params, x, y):.4f}")
    params = train(params, x, y, 300 if options.quick else 1500)
    print(f"loss after training:  {loss(params, x, y):.6f}")

    error = sqrt(float(loss(params, *points(for_test, 60))))
    draw(params, x, y, error, options.output)
    print(f"RMSE on 60 test points: {error:.4f}; picture saved to {options.output}")
    return error


if __name__ == "__main__":
    main()
