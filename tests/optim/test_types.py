"""What the type checker knows of optimizers: the class of the parameters is kept. mypy checks this file."""

from typing import Any, TypeVar, assert_type

import numpy as np

from tapegrad import nn, optim, random
from tapegrad.typing import Array

S = TypeVar("S")


def take_step(optimizer: optim.Optimizer[S], params: dict[str, Array], grads: dict[str, Array]) -> dict[str, Array]:
    """A loop that works for every optimizer."""
    updates, state = optimizer.update(grads, optimizer.init(params), params)
    updates, _ = optimizer.update(updates, state)
    return optim.apply_updates(params, updates)


def test_the_class_of_the_parameters_is_kept() -> None:
    params = nn.init_linear(random.key(0), 2, 1)
    adam = optim.adam(1e-3)
    state = assert_type(adam.init(params), optim.AdamState[nn.LinearParams])
    updates, state = assert_type(adam.update(params, state, params), tuple[nn.LinearParams, optim.AdamState[nn.LinearParams]])
    assert_type(state.mu, nn.LinearParams)
    new = assert_type(optim.apply_updates(params, updates), nn.LinearParams)
    sgd = optim.sgd(1e-3, momentum=0.9)
    _, trace = sgd.update(new, assert_type(sgd.init(new), optim.SgdState[nn.LinearParams]))
    assert isinstance(assert_type(trace.trace, nn.LinearParams | None), nn.LinearParams)


def test_every_optimizer_fits_the_interface() -> None:
    for optimizer in list[optim.Optimizer[Any]]([optim.adam(0.1), optim.sgd(0.1), optim.sgd(0.1, 0.9)]):
        assert take_step(optimizer, {"w": np.ones(2)}, {"w": np.ones(2)})["w"].shape == (2,)
    take_step(optim.adam(0.1), {"w": np.ones(2)}, {"w": np.ones(2)})
