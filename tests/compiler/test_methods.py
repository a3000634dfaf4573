"""Compiled functions in the body of a class, and functions that are objects."""

import copy
import inspect
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tapegrad.tree import static

x = np.arange(3.0)


@frozen
class Model:
    """A model that is a pytree."""

    weight: Any
    scale: float = static(2.0)

    @jit
    def predict(self, x: Any, offset: float = 1.0) -> Any:
        """Return the prediction."""
        return x * self.weight * self.scale + offset

    @jit(static_argnames="power", donate_argnames="x")
    def raised(self, x: Any, power: int) -> Any:
        return (x * self.weight) ** power

    def __call__(self, x: Any) -> Any:
        return x * self.weight


class Plain:
    """A class that is none."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    @jit
    def wrong(self, x: Any) -> Any:
        return x * self.weight

    @jit(static_argnames="self")
    def right(self, x: Any) -> Any:
        return x * self.weight

    @classmethod
    @jit(static_argnames="cls")
    def of_the_class(cls, x: Any) -> Any:
        return x * len(cls.__name__)

    @staticmethod
    @jit
    def of_nothing(x: Any) -> Any:
        return x * 2.0


def test_methods_and_functions_that_are_objects() -> None:
    model = Model(3.0)
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(x), 6.0 * x + 1.0)
        np.testing.assert_array_equal(model.predict(x, offset=0.0), 6.0 * x)
        np.testing.assert_array_equal(Model(1.0, 1.0).predict(x), x + 1.0)
        np.testing.assert_array_equal(Model.predict(model, x), 6.0 * x + 1.0)
    np.testing.assert_array_equal(jit(model)(x), 3.0 * x)
    np.testing.assert_array_equal(jit(model.predict)(x), 6.0 * x + 1.0)


def test_a_method_has_what_a_compiled_function_has() -> None:
    model = Model(3.0)
    model.predict.clear_cache()
    assert "multiply(%1, %0)" in model.predict.lower(x).before
    assert "x " in model.predict.lower(x).before and "self.weight" in model.predict.lower(x).before
    model.predict(x)
    model.predict(x)
    assert model.predict.cache_info()[:3] == (1, 1, 1) == Model.predict.cache_info()[:3]
    Model(4.0).predict(x)
    assert model.predict.cache_info()[:3] == (2, 1, 1)  # objects of one kind share a program
    Model(4.0).predict.clear_cache()
    assert model.predict.cache_info() == (0, 0, 0, 0)


def test_settings_of_methods() -> None:
    given = x.copy()
    np.testing.assert_array_equal(Model(3.0).raised(given, 2), (3.0 * x) ** 2)
    with pytest.raises(TypeError, match="donated"):
        given + 1.0
    np.testing.assert_array_equal(Model(3.0).raised(x.copy(), power=3), (3.0 * x) ** 3)


def test_a_method_looks_like_one() -> None:
    model = Model(3.0)
    method: Any = model.predict
    assert method.__name__ == "predict"
    assert method.__qualname__ == "Model.predict"
    assert str(inspect.signature(method)) == "(x: Any, offset: float = 1.0) -> Any"
    assert method == model.predict and hash(method) == hash(model.predict)
    assert method != Model(3.0).predict and method != model.raised
    assert repr(method) == "<jitted(predict) of Model(weight=3.0, scale=2.0)>"
    for again in (pickle.loads(pickle.dumps(method)), copy.deepcopy(method)):
        np.testing.assert_array_equal(again(x), method(x))
    with pytest.raises(AttributeError, match="predictions"):
        method.predictions  # noqa: B018  # the point of the test


def test_derivatives_of_methods() -> None:
    model = Model(3.0)
    np.testing.assert_array_equal(tg.vmap(model.predict)(x), 6.0 * x + 1.0)
    assert tg.grad(model.predict)(2.0) == 6.0
    assert jit(tg.grad(model.predict))(2.0) == 6.0
    assert tg.grad(Model.predict)(model, 2.0).weight == 4.0
    assert jit(tg.grad(lambda m, x: tnp.sum(m.predict(x))))(model, x).weight == 6.0


def test_an_object_that_is_no_pytree_is_refused_with_what_to_do() -> None:
    plain = Plain(2.0)
    for run in (plain.wrong, plain.wrong.lower):
        with pytest.raises(
            TypeError,
            match=r"jit of wrong: the leaf self has type Plain; .* Make its class a pytree, .* or name self in static_argnames",
        ):
            run(x)


def test_an_object_that_is_static_is_told_by_what_it_is() -> None:
    for weight in (2.0, 3.0):
        plain = Plain(weight)
        for _ in range(2):
            np.testing.assert_array_equal(plain.right(x), weight * x)
    assert Plain.right.cache_info().misses == 2


def test_methods_of_classes_and_of_nothing() -> None:
    owners: Any = (Plain, Plain(1.0))
    for owner in owners:
        np.testing.assert_array_equal(owner.of_the_class(x), 5.0 * x)
        np.testing.assert_array_equal(owner.of_nothing(x), 2.0 * x)


def test_a_method_of_a_dataclass_that_returns_another_one() -> None:
    @dataclass
    class State:
        mean: Any
        count: Any

        @jit(donate_argnames="self")
        def updated(self, x: Any) -> "State":
            count = self.count + 1
            return State(self.mean + (x - self.mean) / count, count)

    state = State(np.zeros(3), 0)
    for k in range(1, 4):
        state = state.updated(float(k) * np.ones(3))
    np.testing.assert_allclose(state.mean, 2.0)
    assert state.count == 3
