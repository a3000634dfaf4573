"""Optimizers are functions like any other: training can be differentiated, batched and looped over."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.testing import check_grads
from tapegrad.typing import Array

PARAMS = nn.init_linear(tg.random.key(0), 3, 1, float)
X = tg.random.normal(tg.random.key(1), (5, 3))


def loss(params: nn.LinearParams) -> Array:
    return nn.mse(nn.linear(params, X), X[:, :1])


def after_three_steps(optimizer: Any) -> Array:
    params, state = PARAMS, optimizer.init(PARAMS)
    for _ in range(3):
        updates, state = optimizer.update(tg.grad(loss)(params), state, params)
        params = optim.apply_updates(params, updates)
    return loss(params)


SETTINGS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda x: optim.adam(x),
    "adam-b1": lambda x: optim.adam(0.1, b1=x),
    "adam-b2": lambda x: optim.adam(0.1, b2=x),
    "adam-eps": lambda x: optim.adam(0.1, eps=x),
    "sgd": lambda x: optim.sgd(x),
    "sgd-momentum": lambda x: optim.sgd(0.1, momentum=x),
    "nesterov": lambda x: optim.sgd(x, momentum=0.5, nesterov=True),
}


@pytest.mark.parametrize("make", SETTINGS.values(), ids=SETTINGS)
def test_training_can_be_differentiated_by_every_setting(make: Callable[[Any], Any]) -> None:
    check_grads(lambda x: after_three_steps(make(x)), (0.05,), order=1)


@pytest.mark.parametrize("make", [optim.adam, optim.sgd])
def test_learning_rates_can_be_tried_in_a_batch(make: Callable[[Any], Any]) -> None:
    rates = np.array([0.01, 0.1])
    expected = [after_three_steps(make(float(rate))) for rate in rates]
    np.testing.assert_allclose(tg.vmap(lambda rate: after_three_steps(make(rate)))(rates), expected, rtol=1e-12)


def test_a_training_loop_can_be_a_scan() -> None:
    optimizer = optim.adam(0.1)

    def step(carry: Any, _: None) -> Any:
        params, state = carry
        updates, state = optimizer.update(tg.grad(loss)(params), state, params)
        params = optim.apply_updates(params, updates)
        return (params, state), loss(params)

    (_, state), losses = tg.scan(step, (PARAMS, optimizer.init(PARAMS)), None, length=3)
    assert state.count == 3 and losses[-1] == pytest.approx(after_three_steps(optimizer), rel=1e-12)
