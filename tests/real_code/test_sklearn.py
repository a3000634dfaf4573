"""Functions of scikit-learn that are written with plain NumPy, imported and differentiated as they are."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

random = np.random.default_rng(0)
Z = random.normal(size=(4, 3))
LABELS = np.eye(3)[[0, 2, 1, 0]]


def network() -> Any:
    """Return the module in which scikit-learn keeps what its multilayer perceptrons compute with."""
    return pytest.importorskip("sklearn.neural_network._base")


@pytest.mark.parametrize("name", ("identity", "tanh", "logistic", "relu"))
def test_activations_that_write_over_their_argument(name: str) -> None:
    """scikit-learn brings the derivative of each, which it multiplies a cotangent with, in place."""
    base = network()

    def activated(z: Any) -> Any:
        y = tnp.copy(z)
        base.ACTIVATIONS[name](y)
        return y

    y, pull = tg.vjp(activated, Z)
    expected = np.array(LABELS)
    base.DERIVATIVES[name](y, expected)
    np.testing.assert_allclose(pull(LABELS)[0], expected, rtol=1e-12, atol=1e-15)
    check_grads(activated, (Z,))


def test_softmax_that_writes_over_its_argument() -> None:
    base = network()

    def activated(z: Any) -> Any:
        y = tnp.copy(z)
        base.ACTIVATIONS["softmax"](y)
        return y

    check_grads(activated, (Z,))


@pytest.mark.parametrize("name", ("squared_error", "poisson", "log_loss", "binary_log_loss"))
def test_losses(name: str) -> None:
    loss = network().LOSS_FUNCTIONS[name]
    probabilities = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    check_grads(lambda p: loss(LABELS, p), (probabilities,))


def test_softmax_and_its_loss_have_the_famous_gradient() -> None:
    base = network()

    def loss(z: Any) -> Any:
        p = tnp.copy(z)
        base.ACTIVATIONS["softmax"](p)
        return base.LOSS_FUNCTIONS["log_loss"](LABELS, p)

    np.testing.assert_allclose(tg.grad(loss)(Z), (np.exp(Z) / np.exp(Z).sum(1, keepdims=True) - LABELS) / len(Z), rtol=1e-12)


def test_extended_mathematics() -> None:
    extmath = pytest.importorskip("sklearn.utils.extmath")
    np.testing.assert_allclose(tg.grad(lambda x: extmath.squared_norm(x))(Z), 2 * Z)
    check_grads(extmath.squared_norm, (Z,))
    check_grads(lambda x: extmath.safe_sparse_dot(x, x.T, dense_output=True), (Z,))
    check_grads(extmath.make_nonnegative, (Z,))

    def turned(x: Any) -> Any:
        """A singular value decomposition whose signs are made deterministic."""
        u, s, vt = np.linalg.svd(x, full_matrices=False)
        return extmath.svd_flip(u, vt)[0] * s

    check_grads(turned, (Z,), order=1)
