"""Stochastic gradient descent, plain, with momentum, and with Nesterov's."""

from typing import Any, Generic, TypeVar

import numpy as np
from attrs import field, frozen

from tapegrad import tree
from tapegrad.optim.optimizer import check_state, in_range, kept_as, number, paired, zeros_like

T = TypeVar("T")


@frozen
class SgdState(Generic[T]):
    """State of `sgd`: the decaying sum of the gradients so far, a tree like the parameters; None without momentum."""

    trace: T | None


@frozen
class Sgd:
    """The optimizer that `sgd` returns.

    Attributes:
        learning_rate: the length of a step, in units of the gradient, 0 or more.
        momentum: how much of the last step is taken again, from 0 to less than 1.
        nesterov: look ahead along the momentum.
    """

    learning_rate: float = field(converter=number, validator=in_range(0.0, float("inf")))
    momentum: float = field(default=0.0, converter=number, validator=in_range(0.0, 1.0))
    nesterov: bool = False

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise TypeError(f"optim.sgd: nesterov must be True or False, got {self.nesterov!r}")
        if self.nesterov and not self.has_momentum:
            raise ValueError("optim.sgd: nesterov looks ahead along the momentum, which is 0; give one, such as momentum=0.9")

    @property
    def has_momentum(self) -> bool:
        return type(self.momentum) is not float or self.momentum != 0.0

    def init(self, params: T) -> SgdState[T]:
        """Return the state before the first step."""
        trace = zeros_like(params)
        return SgdState(trace if self.has_momentum else None)

    def update(self, grads: T, state: SgdState[T], params: T | None = None) -> tuple[T, SgdState[T]]:
        """Return what to add to the parameters, and the state after this step.

        Args:
            grads: the gradient, a tree like the parameters.
            state: the state that `init` or the last step returned.
            params: the parameters; used only to check the gradient.

        Raises:
            TreeError: if the tree of the gradient, or the shape of a leaf, is not that of the parameters.
            TypeError: if `state` is not one of stochastic gradient descent.
            ValueError: if there is momentum now, but was none when the state was made.
        """
        check_state("optim.sgd", state, SgdState)
        rate, momentum = -self.learning_rate, self.momentum
        if state.trace is None:
            if self.has_momentum:
                raise ValueError("optim.sgd: the state was made without momentum; make one with this optimizer's init")
            leaves = tree.leaves(grads) if params is None else paired("optim.sgd", "gradients", grads, params)[0]
            return tree.refill(grads, [g * rate for g in leaves]), state
        pairs = paired("optim.sgd", "gradients", grads, state.trace)
        traces = [_decayed(m, momentum, g) for g, m in zip(*pairs, strict=True)]
        if self.nesterov:
            steps = [_scaled(g + momentum * m, rate) for g, m in zip(pairs[0], traces, strict=True)]
        else:
            steps = [m * rate for m in traces]
        return tree.refill(grads, steps), SgdState(tree.refill(state.trace, traces))


def sgd(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> Sgd:
    """Return stochastic gradient descent.

    With momentum, ``trace = momentum * trace + g`` and the update is ``-learning_rate * trace``, or with Nesterov's
    ``-learning_rate * (g + momentum * trace)``.

    Args:
        learning_rate: 0 or more.
        momentum: from 0 to less than 1.
        nesterov: look ahead along the momentum, which must be more than 0.

    Raises:
        TypeError: if the learning rate or the momentum is not a number.
        ValueError: if it is out of range, or there is no momentum to look ahead along.

    Example:
        >>> optimizer = sgd(0.1)
        >>> updates, state = optimizer.update(np.array([1.0, -2.0]), optimizer.init(np.zeros(2)))
        >>> updates
        array([-0.1,  0.2])

    References:
        I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep learning",
        ICML 2013, https://proceedings.mlr.press/v28/sutskever13.html, eqs. 1-4; here the learning rate multiplies the trace
        instead of the gradient that enters it, as in PyTorch and optax.
    """
    return Sgd(learning_rate, momentum, nesterov)


def _decayed(m: Any, momentum: Any, g: Any) -> Any:
    """Return ``momentum * m + g`` in the dtype of `m`."""
    if type(m) is np.ndarray and type(g) is np.ndarray and type(momentum) is float:
        m = m * momentum
        m += g
        return m
    return kept_as(momentum * m + g, m)


def _scaled(x: Any, by: Any) -> Any:
    if type(x) is np.ndarray and type(by) is float:
        x *= by
        return x
    return x * by
