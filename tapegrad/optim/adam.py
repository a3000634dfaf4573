"""Adam: steps scaled by running estimates of the gradient's mean and square."""

from typing import Any, Generic, TypeVar

import numpy as np
from attrs import field, frozen

from tapegrad import tree
from tapegrad.optim.optimizer import check_state, in_range, kept_as, number, paired, zeros_like

T = TypeVar("T")


@frozen
class AdamState(Generic[T]):
    """State of `adam`.

    Attributes:
        count: how many steps were taken.
        mu: decaying mean of the gradients, a tree like the parameters.
        nu: decaying mean of their squares, likewise.
    """

    count: int
    mu: T
    nu: T


@frozen
class Adam:
    """The optimizer that `adam` returns.

    Attributes:
        learning_rate: the length of a step, in units of the parameters, 0 or more.
        b1: how much of the old mean of gradients is kept at each step, from 0 to less than 1.
        b2: how much of the old mean of squares is kept, likewise.
        eps: what is added to the root of the mean square, so that small gradients do not make large steps.
    """

    learning_rate: float = field(converter=number, validator=in_range(0.0, float("inf")))
    b1: float = field(default=0.9, converter=number, validator=in_range(0.0, 1.0))
    b2: float = field(default=0.999, converter=number, validator=in_range(0.0, 1.0))
    eps: float = field(default=1e-8, converter=number, validator=in_range(0.0, float("inf")))

    def init(self, params: T) -> AdamState[T]:
        """Return the state before the first step; float32 for parameters of float16, in which small squares would be 0."""
        return AdamState(0, zeros_like(params, np.float32), zeros_like(params, np.float32))

    def update(self, grads: T, state: AdamState[T], params: T | None = None) -> tuple[T, AdamState[T]]:
        """Return what to add to the parameters, and the state after this step.

        Args:
            grads: the gradient, a tree like the parameters.
            state: the state that `init` or the last step returned.
            params: the parameters; not used.

        Raises:
            TypeError: if `state` is not one of Adam's.
            TreeError: if the tree of the gradient, or the shape of a leaf, is not that of the parameters.
        """
        check_state("optim.adam", state, AdamState)
        count = state.count + 1
        rate = -self.learning_rate / (1.0 - self.b1**count)
        correction = (1.0 - self.b2**count) ** -0.5
        gradients, means = paired("optim.adam", "gradients", grads, state.mu)
        steps, mu, nu = [], [], []
        for g, m, v in zip(gradients, means, tree.leaves(state.nu), strict=True):
            step, m, v = moments(g, m, v, self.b1, self.b2, rate, correction, self.eps)
            steps.append(step)
            mu.append(m)
            nu.append(v)
        return tree.refill(grads, steps), AdamState(count, tree.refill(state.mu, mu), tree.refill(state.nu, nu))


def adam(learning_rate: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Adam:
    """Return the optimizer Adam.

    With ``mu = b1 * mu + (1 - b1) * g`` and ``nu = b2 * nu + (1 - b2) * g**2``, both divided by ``1 - b**count`` to make up
    for their start at zero, the update is ``-learning_rate * mu / (sqrt(nu) + eps)``. For parameters of float16 both, and the
    update, are float32.

    Args:
        learning_rate: 0 or more; 1e-3 is a common choice.
        b1: decay of the mean of gradients, from 0 to less than 1.
        b2: decay of the mean of squares, from 0 to less than 1.
        eps: 0 or more.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of range.

    Example:
        >>> optimizer = adam(0.1)
        >>> updates, state = optimizer.update(np.array([1.0, -200.0]), optimizer.init(np.zeros(2)))
        >>> updates.round(6), state.count
        (array([-0.1,  0.1]), 1)

    References:
        D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, https://arxiv.org/abs/1412.6980,
        algorithm 1.
    """
    return Adam(learning_rate, b1, b2, eps)


def moments(g: Any, m: Any, v: Any, b1: Any, b2: Any, rate: Any, correction: Any, eps: Any) -> tuple[Any, Any, Any]:
    """Return the step and the new moments of one leaf.

    Written twice: with NumPy's buffers, in which it makes the three arrays that it returns and no other, and as a formula for
    whatever else a leaf may be (a number, a traced value).
    """
    plain = type(g) is type(m) is type(v) is np.ndarray and type(rate) is type(correction) is type(eps) is float
    if not (plain and m.ndim):  # what NumPy makes of an array of no axes is a number, which cannot be written to
        g = kept_as(g, m)
        m = kept_as(b1 * m + (1.0 - b1) * g, m)
        v = kept_as(b2 * v + (1.0 - b2) * (g * g), v)
        return m / (np.sqrt(v) + eps / correction) * (rate / correction), m, v
    if g.dtype != m.dtype:
        g = g.astype(m.dtype, casting="same_kind")
    step = g * (1.0 - b1)
    m = m * b1
    m += step
    np.multiply(g, g, step)
    step *= 1.0 - b2
    v = v * b2
    v += step
    np.sqrt(v, step)
    step += eps / correction
    np.divide(m, step, step)
    step *= rate / correction
    return step, m, v
