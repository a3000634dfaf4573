"""One rectified unit learns a noisy line, one example at a time: stochastic gradient descent in its oldest form.

Run ``python docs/examples/perceptron.py``.
"""

import argparse
from collections.abc import Sequence

import numpy as np

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.typing import Array

RATE = 2e-4


def rows(key: Array) -> tuple[Array, Array]:
    """Return ten rows of three noisy inputs, shape ``(10, 3)``, and the targets 0 to 9, shape ``(10,)``."""
    x = np.arange(30.0).reshape(10, 3) + 2.0 * tg.random.normal(key, (10, 3))
    return x, np.arange(10.0)


def predict(params: nn.LinearParams, x: Array) -> Array:
    """Return one number a row, shape ``(...)``, for inputs of shape ``(..., 3)``."""
    return nn.relu(nn.linear(params, x))[..., 0]


def loss(params: nn.LinearParams, x: Array, target: Array) -> Array:
    """Return the mean squared error, of one example or of many."""
    return nn.mse(predict(params, x), target)


def main(arguments: Sequence[str] | None = None) -> float:
    """Train, report, and return the final loss."""
    parser = argparse.ArgumentParser(description="Train one rectified unit.")
    parser.add_argument("--quick", action="store_true", help="20 passes instead of 100")
    passes = 20 if parser.parse_args(arguments).quick else 100

    for_rows, for_params = tg.random.split(tg.random.key(0))
    x, targets = rows(for_rows)
    params = nn.LinearParams(weight=tg.random.uniform(for_params, (3, 1), minval=0.0, maxval=0.1), bias=np.zeros(1))
    optimizer = optim.sgd(RATE)
    state = optimizer.init(params)
    gradient = tg.grad(loss)

    for k in range(passes):
        if k % (passes // 10) == 0:
            print(f"pass {k:3}: loss {loss(params, x, targets):.4f}")
        for row, target in zip(x, targets, strict=True):  # one update an example
            updates, state = optimizer.update(gradient(params, row, target), state, params)
            params = optim.apply_updates(params, updates)

    final = float(loss(params, x, targets))
    print(f"pass {passes:3}: loss {final:.4f}\n")
    print(f"weights {np.array2string(params.weight[:, 0], precision=4)}")
    print(f"bias    {params.bias[0]:.4f}")
    print(f"loss    {final:.4f}\n")
    print("target      0     1     2     3     4     5     6     7     8     9")
    print("output " + " ".join(f"{y:5.2f}" for y in predict(params, x)))
    return final


if __name__ == "__main__":
    main()
