"""A transformed function looks like the function: name, docstring, signature, pickling, as a decorator and on methods."""

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad.typing import Array


def loss(params: Array, x: Array, *, power: int = 2) -> Any:
    """Return a sum of powers."""
    return np.sum((params * x) ** power)


@tg.grad
def decorated(x: Any) -> Any:
    """Decorated with grad."""
    return x**3


@tg.value_and_grad
def both(x: Any) -> Any:
    return x**3


@tg.checkpoint
def kept(x: Any) -> Any:
    """Computed again on the way back."""
    return np.sum(x**3)


class Model:
    """A model whose methods are transformed."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def loss(self, x: Any) -> Any:
        """The model's loss."""
        return x * x * self.scale

    def slope(self, x: Any) -> Any:
        return tg.grad(self.loss)(x)

    @staticmethod
    @tg.grad
    def static(x: Any) -> Any:
        return x**3

    @tg.checkpoint
    def remembered(self, x: Any) -> Any:
        return x**3 * self.scale


class Callables:
    def __call__(self, x: Any) -> Any:
        return x**4


@frozen
class Quadratic:
    scale: float

    def __call__(self, x: Any) -> Any:
        return x * x * self.scale


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "grad": tg.grad,
    "value_and_grad": tg.value_and_grad,
    "vmap": tg.vmap,
    "jacrev": tg.jacrev,
    "jacfwd": tg.jacfwd,
    "hessian": tg.hessian,
    "checkpoint": tg.checkpoint,
}
each_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())

X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])


@each_transform
def test_name_docstring_signature_and_module_stay(transform: Callable[..., Any]) -> None:
    transformed = transform(loss)
    assert transformed.__name__ == "loss" and transformed.__qualname__ == "loss"
    assert transformed.__doc__ == "Return a sum of powers."
    assert transformed.__module__ == __name__ and transformed.__wrapped__ is not None
    assert inspect.signature(transformed) == inspect.signature(loss)
    assert inspect.unwrap(transformed) is loss


def test_a_transformed_function_shows_what_it_is() -> None:
    assert repr(tg.grad(loss)) == "grad(loss)"
    assert "loss" in repr(tg.vmap(tg.grad(loss)))


@each_transform
def test_transforms_of_transforms_stay_named(transform: Callable[..., Any]) -> None:
    assert transform(tg.grad(loss)).__name__ == "loss"
    assert inspect.signature(transform(tg.grad(loss))) == inspect.signature(loss)


@each_transform
def test_pickling(transform: Callable[..., Any]) -> None:
    transformed = transform(loss)
    again = pickle.loads(pickle.dumps(transformed))
    assert again.__name__ == "loss"
    expected, found = transformed(X, Y), again(X, Y)
    for a, b in zip(tg.tree.leaves(expected), tg.tree.leaves(found), strict=True):
        assert np.array_equal(a, b)


def test_pickling_keeps_the_options() -> None:
    again = pickle.loads(pickle.dumps(tg.grad(loss, argnums=(1, 0))))
    assert [g.tolist() for g in again(X, Y)] == [(2 * X * X * Y).tolist(), (2 * X * Y * Y).tolist()]
    nested = pickle.loads(pickle.dumps(tg.vmap(tg.grad(loss), in_axes=(0, None))))
    assert nested(np.stack([X, Y]), Y).shape == (2, 2)


def test_pickling_what_was_decorated() -> None:
    for f in (decorated, both):
        again = pickle.loads(pickle.dumps(f))
        assert again is f


def test_pickling_a_pickled_callable_object() -> None:
    again = pickle.loads(pickle.dumps(tg.grad(Quadratic(3.0))))
    assert again(2.0) == 12.0


def test_what_cannot_be_pickled_says_so() -> None:
    def local(x: Any) -> Any:
        return x * 2.0

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(tg.grad(local))


def test_decorators() -> None:
    assert decorated(2.0) == 12.0 and decorated.__doc__ == "Decorated with grad."
    assert both(2.0) == (8.0, 12.0)
    assert tg.grad(kept)(X).tolist() == [3.0, 12.0]


def test_methods() -> None:
    model = Model(5.0)
    assert model.slope(2.0) == 20.0
    assert tg.grad(model.loss)(2.0) == 20.0
    assert tg.grad(model.loss).__doc__ == "The model's loss."
    assert tg.grad(Model.loss, 1)(model, 2.0) == 20.0
    assert Model.static(2.0) == 12.0 and model.static(2.0) == 12.0
    assert tg.grad(model.remembered)(2.0) == 60.0


def test_methods_that_are_transformed_in_the_class() -> None:
    class Own:
        scale = 3.0

        def square(self, x: Any) -> Any:
            return x * x * self.scale

        slope = tg.grad(square, argnums=1)

    assert Own().slope(2.0) == 12.0


def test_static_methods_may_be_transformed_below_and_class_methods_above() -> None:
    class Own:
        @tg.grad
        @staticmethod
        def below(x: Any) -> Any:
            return x * x

        @staticmethod
        @tg.grad
        def above(x: Any) -> Any:
            return x * x

    assert Own.below(3.0) == Own().below(3.0) == Own.above(3.0) == Own().above(3.0) == 6.0
    with pytest.raises(TypeError, match="grad: got a classmethod: write @classmethod above @grad, not below it"):
        tg.grad(classmethod(lambda cls, x: x))  # type: ignore[call-overload]  # a mistake


def test_partial_and_callable_objects() -> None:
    import functools

    assert tg.grad(functools.partial(loss, x=Y, power=3))(X).shape == (2,)
    assert tg.grad(Callables())(2.0) == 32.0
    assert tg.grad(Quadratic(2.0))(3.0) == 12.0
    assert tg.grad(np.sin)(0.0) == 1.0


@each_transform
def test_what_is_no_function_is_refused(transform: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="expected a function, got a float"):
        transform(3.0)
