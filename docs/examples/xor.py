"""XOR: the smallest task that a single layer cannot learn. A 2-100-1 sigmoid network, full batch, gradient descent.

Run ``python docs/examples/xor.py``.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from attrs import frozen

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.typing import Array

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TARGETS = np.array([[0], [1], [1], [0]], np.float32)


@frozen
class Network:
    """Parameters of the network: 2 inputs, 100 hidden units, 1 output."""

    hidden: nn.LinearParams
    output: nn.LinearParams


def predict(params: Network, x: Array) -> Array:
    """Return numbers between 0 and 1, shape ``(count, 1)``, for inputs of shape ``(count, 2)``."""
    return nn.sigmoid(nn.linear(params.output, nn.sigmoid(nn.linear(params.hidden, x))))


def loss(params: Network, x: Array, targets: Array) -> Array:
    """Return the mean squared error."""
    return nn.mse(predict(params, x), targets)


def main(arguments: Sequence[str] | None = None) -> list[int]:
    """Train, report, and return the four answers."""
    parser = argparse.ArgumentParser(description="Learn XOR.")
    parser.add_argument("--quick", action="store_true", help="1,000 steps instead of 3,000")
    steps = 1000 if parser.parse_args(arguments).quick else 3000

    first, second = tg.random.split(tg.random.key(0))
    params = Network(nn.init_linear(first, 2, 100), nn.init_linear(second, 100, 1))
    optimizer = optim.sgd(2.0)
    state = optimizer.init(params)
    step = tg.value_and_grad(loss)

    for k in range(steps):
        value, grads = step(params, INPUTS, TARGETS)
        updates, state = optimizer.update(grads, state, params)
        params = optim.apply_updates(params, updates)
        if k % (steps // 10) == 0:
            print(f"step {k:5}: loss {value:.6f}")
    print(f"step {steps:5}: loss {loss(params, INPUTS, TARGETS):.6f}\n")

    outputs = predict(params, INPUTS)
    answers = [int(y > 0.5) for y in outputs[:, 0]]
    for (a, b), y, answer, target in zip(INPUTS, outputs[:, 0], answers, TARGETS[:, 0], strict=True):
        verdict = "right" if answer == target else "wrong"
        print(f"{a:.0f} xor {b:.0f} = {answer}   (output {y:.4f}, {verdict})")
    return answers


if __name__ == "__main__":
    main()
