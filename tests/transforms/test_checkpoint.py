"""`checkpoint`: the derivatives of the function, for less memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import LeakedVarError
from tapegrad.testing import assert_trees_close, check_grads
from tests.bench.memory import peak, scanned, scanned_segments, segments, start, stored

X = np.array([0.3, -0.7, 1.1])
A = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])


def layer(params: Any, x: Any, *, scale: float = 1.0) -> Any:
    return {"out": np.tanh(params["w"] @ x) * scale, "norm": np.sum(x * x)}


# Memory


def test_ten_thousand_steps_in_checkpointed_segments() -> None:
    """251 MB without checkpoints, 12 MB with: what is kept is the state between segments, and one segment at a time."""
    a, x = start()
    tenth, expected = peak(lambda: tg.grad(stored)(a, x, 1000))
    found = tg.grad(segments)(a, x, 1000)
    assert_trees_close(found, expected, 1e-12)
    assert tenth > 1000 * 3 * x.nbytes
    assert peak(lambda: tg.grad(segments)(a, x))[0] < min(16e6, 10 * tenth / 15)


def test_scans_keep_the_state_of_each_turn_and_checkpointed_scans_less() -> None:
    a, x = start()
    plain, expected = peak(lambda: tg.grad(stored)(a, x, 1000))
    scan, found = peak(lambda: tg.grad(scanned)(a, x, 1000))
    both, again = peak(lambda: tg.grad(scanned_segments)(a, x, 1000, 50))
    assert_trees_close((found, again), (expected, expected), 1e-12)
    assert scan < 1.2 * 1000 * x.nbytes < plain / 2.5
    assert both < scan / 5


# Derivatives


def using(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[..., Any]:
    def f(w: Any, x: Any) -> Any:
        out = wrap(layer)({"w": w}, x, scale=2.0)
        return np.sum(out["out"] ** 2) * out["norm"]

    return f


TRANSFORMS: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "value": lambda f: f(A, X),
    "grad": lambda f: tg.grad(f, (0, 1))(A, X),
    "jvp": lambda f: tg.jvp(f, (A, X), (A, X)),
    "jvp by one": lambda f: tg.jvp(lambda x: f(A, x), (X,), (X,)),
    "hessian": lambda f: tg.hessian(f, (0, 1))(A, X),
    "reverse over reverse": lambda f: tg.jacrev(tg.jacrev(f, 1), 1)(A, X),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f), (None, 0))(A, np.stack([X, -X])),
    "grad of vmap": lambda f: tg.grad(lambda x: tg.vmap(f, (None, 0))(A, x).sum())(np.stack([X, -X])),
    "inside itself": lambda f: tg.grad(tg.checkpoint(lambda x: tg.checkpoint(f)(A, x) ** 2))(X),
    "scan": lambda f: tg.grad(lambda x: tg.scan(lambda c, k: (c * f(A, k * x), c), 1.0, X)[0])(X),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_checkpoint_changes_no_derivative(transform: Callable[..., Any]) -> None:
    assert_trees_close(transform(using(tg.checkpoint)), transform(using(lambda f: f)), 1e-12, 1e-12)


def test_values_from_around_it_have_derivatives() -> None:
    def f(a: Any, x: Any) -> Any:
        b = a * 2.0
        return tg.checkpoint(lambda x: np.sum(np.sin(b * x) * a))(x)

    check_grads(f, (X, X * X), 2)


def test_the_function_runs_once() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return np.sum(x * x * x)

    assert_trees_close(tg.grad(tg.checkpoint(f))(X), 3 * X * X, 1e-14)
    assert len(calls) == 1
    assert tg.checkpoint(f)(X) == f(X)


def test_constant_outputs_and_outputs_that_are_arguments() -> None:
    def f(x: Any) -> Any:
        y, same, constant, k = tg.checkpoint(lambda x: (x * x, x, 3.0, np.argmax(x)))(x)
        assert type(constant) is float
        return np.sum(y * same) * constant + x[k]

    check_grads(f, (X,), 2)


def test_a_value_that_was_not_returned_cannot_be_used() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        def inner(x: Any) -> Any:
            kept.append(np.sin(x))
            return np.sum(kept[-1])

        return tg.checkpoint(inner)(x) + np.sum(kept[-1])

    with pytest.raises(LeakedVarError, match="under checkpoint was used outside of it without having been returned"):
        tg.grad(f)(X)


def test_an_error_inside_leaves_the_library_usable() -> None:
    def f(x: Any) -> Any:
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        tg.grad(tg.checkpoint(f))(X)
    assert tg.grad(tg.checkpoint(lambda x: np.sum(x)))(X).tolist() == [1.0, 1.0, 1.0]


def test_a_function_of_constants_may_be_differentiated_inside() -> None:
    slope = tg.checkpoint(tg.grad(lambda z: np.sum(z**3)))
    assert tg.grad(lambda x: x * np.sum(slope(np.ones(2))))(1.0) == 6.0
