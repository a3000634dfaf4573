"""`vmap`: axes, empty batches, and what is said about bad input."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply
from tapegrad.errors import ConcretizationError, TreeError
from tapegrad.testing import assert_trees_close
from tests.contracts.trials import Trial, every_primitive, has_trials, outputs, trials

X = np.array([0.3, -0.7, 1.1])
PARAMS = {"w": np.arange(6.0).reshape(3, 2), "b": np.ones(3)}


def f(params: Any, x: Any) -> Any:
    return {"y": params["w"] * x, "z": (params["b"] + x, x)}


# Axes


def test_axes_by_argument_and_by_leaf() -> None:
    every = tg.vmap(f)(PARAMS, X)
    assert_trees_close(every, {"y": PARAMS["w"] * X[:, None], "z": (PARAMS["b"] + X, X)})
    one = tg.vmap(f, in_axes=(0, None))(PARAMS, 2.0)
    assert_trees_close(one, {"y": PARAMS["w"] * 2.0, "z": (PARAMS["b"] + 2.0, np.full(3, 2.0))})
    leaf = tg.vmap(f, in_axes=({"w": 1, "b": None}, None))(PARAMS, 2.0)
    assert_trees_close(leaf["y"], PARAMS["w"].T * 2.0)
    assert leaf["z"][0].shape == (2, 3)
    assert_trees_close(tg.vmap(lambda x: x, in_axes=-1)(PARAMS["w"]), PARAMS["w"].T)


def test_axes_of_the_outputs() -> None:
    out = tg.vmap(lambda x: (np.outer(x, X), x.sum(), 1.0), out_axes=(2, 0, None))(PARAMS["w"])
    assert out[0].shape == (2, 3, 3) and out[1].shape == (3,) and out[2] == 1.0
    assert_trees_close(out[0], np.moveaxis(PARAMS["w"][:, :, None] * X, 0, 2))
    assert tg.vmap(lambda x: np.outer(x, X), out_axes=-1)(PARAMS["w"]).shape == (2, 3, 3)
    assert tg.vmap(lambda x: X, out_axes=1)(PARAMS["w"]).shape == (3, 3)


def test_keyword_arguments_are_mapped_over_their_first_axis() -> None:
    assert tg.vmap(lambda x, *, y: x * y, in_axes=(None,))(2.0, y=X).tolist() == (2 * X).tolist()


def test_the_number_of_examples_can_be_given_where_nothing_is_mapped() -> None:
    assert tg.vmap(lambda x: x * 2.0, in_axes=None, axis_size=3)(1.0).tolist() == [2.0, 2.0, 2.0]
    assert np.size(tg.vmap(lambda: np.ones(2), axis_size=0)()) == 0
    assert tg.vmap(lambda x: x * 2.0, axis_size=3)(X).tolist() == (2 * X).tolist()


# Empty batches


def test_a_batch_without_examples() -> None:
    empty = {"w": np.zeros((0, 2)), "b": np.zeros(0)}
    assert_trees_close(tg.vmap(f)(empty, np.zeros(0)), {"y": np.zeros((0, 2)), "z": (np.zeros(0), np.zeros(0))})
    assert tg.vmap(tg.grad(lambda x: np.sum(np.tanh(x) @ x)))(np.zeros((0, 4), np.float32)).dtype == np.float32
    assert tg.grad(lambda x: tg.vmap(np.sin)(x).sum())(np.zeros((0, 4))).shape == (0, 4)
    assert tg.vmap(tg.hessian(lambda x: np.sum(x**3)))(np.zeros((0, 4))).shape == (0, 4, 4)
    assert tg.vmap(lambda x: tg.scan(lambda c, a: (c + a, c), 0.0, x))(np.zeros((0, 4)))[1].shape == (0, 4)
    assert tg.vmap(tg.vmap(tg.numpy.sin))(np.zeros((0, 2))).shape == (0, 2)


BATCHED = [p for p in every_primitive() if has_trials(p) and p.name != "eigh_some"]  # whose shape goes by the values


@pytest.mark.parametrize("primitive", BATCHED, ids=lambda p: p.name)
def test_every_operation_takes_a_batch_without_examples(primitive: Primitive) -> None:
    for trial in trials(primitive):
        arrays = [k for k, x in enumerate(trial.args) if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]
        if arrays:
            check_empty(trial, arrays)
            check_empty(trial, arrays[:1])


def check_empty(trial: Trial, batched: list[int]) -> None:
    """Check shapes and dtypes of the output for no examples against those for one."""

    def f(*xs: Any) -> Any:
        args = list(trial.args)
        for k, x in zip(batched, xs, strict=True):
            args[k] = x
        return outputs(apply(trial.primitive, *args, **trial.settings))

    found = tg.vmap(f)(*[np.zeros((0, *trial.args[k].shape), trial.args[k].dtype) for k in batched])
    for y, example in zip(tg.tree.leaves(found), tg.tree.leaves(trial.value()), strict=True):
        assert np.shape(y) == (0, *np.shape(example)), (np.shape(y), np.shape(example))


@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.cholesky, np.linalg.det, lambda x: np.linalg.solve(x, x[0]), np.log])
def test_a_batch_without_matrices_has_derivatives(f: Callable[..., Any]) -> None:
    assert tg.vmap(f)(np.zeros((0, 3, 3))).shape[0] == 0
    assert tg.grad(lambda x: tg.vmap(f)(x).sum())(np.zeros((0, 3, 3))).shape == (0, 3, 3)
    assert tg.vmap(tg.grad(lambda x: f(x).sum()))(np.zeros((0, 3, 3))).shape == (0, 3, 3)


# Bad input


def raises(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value), str(caught.value)
    assert tg.vmap(lambda x: x)(X).tolist() == X.tolist()


def test_sizes_that_differ_are_named_with_their_paths() -> None:
    params = {"w": np.ones((3, 2)), "b": np.ones(4)}
    message = "vmap of f: the mapped axes must have one size, but params['b'] has 4, params['w'] has 3, x has 3"
    raises(ValueError, message, lambda: tg.vmap(f)(params, X))
    raises(ValueError, "but params['w'] has 2, x has 3", lambda: tg.vmap(f, ({"w": 1, "b": None}, 0))(params, X))
    raises(ValueError, "but x has 3, y has 2", lambda: tg.vmap(lambda x, *, y: x + y)(X, y=np.ones(2)))


@pytest.mark.parametrize(
    ("in_axes", "error", "message"),
    [
        (({"w": 2, "b": 0}, None), ValueError, "vmap of f: params['w'] has shape (3, 2) and no axis 2 to map over"),
        (({"w": 0, "b": -2}, None), ValueError, "vmap of f: params['b'] has shape (3,) and no axis -2 to map over"),
        (0, ValueError, "vmap of f: x has shape () and no axis 0 to map over"),
        ((0,), TreeError, "vmap of f: in_axes has 1 entries, but there are 2 positional arguments"),
        (({"w": 0}, None), TreeError, "vmap: in_axes of params: {'w': 0} does not fit a dict"),
        (((0, 0), None), TreeError, "vmap: in_axes of params: (0, 0) does not fit a dict; expected an int, None, or a tree"),
        ((0, (0,)), TreeError, "vmap: in_axes of x: (0,) does not fit"),
        ((0.5, None), TreeError, "vmap: in_axes of params: 0.5 does not fit a dict"),
        ((0, True), TreeError, "vmap: in_axes of x: True does not fit"),
        ((None, None), ValueError, "vmap of f: no argument is mapped; give at least one an axis in in_axes"),
        (None, ValueError, "vmap of f: no argument is mapped"),
    ],
)
def test_in_axes_that_do_not_fit(in_axes: Any, error: type[Exception], message: str) -> None:
    raises(error, message, lambda: tg.vmap(f, in_axes=in_axes)(PARAMS, 2.0))


def test_a_number_of_examples_that_does_not_fit() -> None:
    raises(ValueError, "must have one size, but x has 3, axis_size is 4", lambda: tg.vmap(tg.numpy.sin, axis_size=4)(X))
    raises(ValueError, "axis_size must not be negative, got -1", lambda: tg.vmap(lambda: 1.0, axis_size=-1)())
    raises(TypeError, "axis_size must be an integer, got a float", lambda: tg.vmap(tg.numpy.sin, axis_size=3.0)(X))  # type: ignore[arg-type]  # a mistake


@pytest.mark.parametrize(
    ("out_axes", "error", "message"),
    [
        (None, ValueError, "vmap of f: out_axes is None for an output that differs between examples; give it an axis"),
        (2, ValueError, "vmap of f: out_axes has axis 2 for an output of 2 axes with the mapped one"),
        ({"y": 0}, TreeError, "vmap: out_axes: {'y': 0} does not fit a dict"),
        ({"y": 0, "z": (0,)}, TreeError, "vmap: out_axes['z']: 1 axes for a tuple of 2"),
    ],
)
def test_out_axes_that_do_not_fit(out_axes: Any, error: type[Exception], message: str) -> None:
    raises(error, message, lambda: tg.vmap(f, out_axes=out_axes)(PARAMS, X))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: x if x > 0 else -x,
        lambda x: x * float(x),
        lambda x: [1.0, 2.0, 3.0][np.argmax(X * x)],
        lambda x: np.asarray(x),
        lambda x: x.item(),
        lambda x: sum(range(int(x))),
        lambda x: np.zeros(3)[np.argmax(X * x)],
        lambda x: tg.grad(lambda y: y if y > 0 else -y)(x),
        lambda x: tg.cond(x > 0, lambda y: y if y > 0 else -y, lambda y: y, x),
    ],
)
def test_looking_at_a_value_names_the_users_line(mistake: Callable[..., Any]) -> None:
    line = mistake.__code__.co_firstlineno
    with pytest.raises(ConcretizationError, match=re.escape(f"test_vmap.py:{line}, in <lambda>")):
        tg.vmap(mistake)(X)
    with pytest.raises(ConcretizationError, match=re.escape(f"test_vmap.py:{line}, in <lambda>")):
        tg.grad(lambda x: tg.vmap(mistake)(x).sum())(X)


def test_outputs_are_arrays() -> None:
    raises(TypeError, "vmap of <lambda>: the function must return arrays, got a str", lambda: tg.vmap(lambda x: "a")(X))
    raises(ValueError, "d['name'] has shape () and no axis 0", lambda: tg.vmap(lambda d: d["x"])({"x": X, "name": "n"}))


def test_outputs_are_arrays_of_their_own() -> None:
    """As gradients are: to write to one changes neither another one nor an argument."""
    x, y = np.ones((3, 4)), np.full((3, 4), 2.0)

    def loss(x: Any, y: Any) -> Any:
        return np.sum(np.sin(x + y))

    cases: list[Any] = [
        tg.vmap(tg.grad(loss, (0, 1)))(x, y),
        tg.vmap(lambda x, y: (x, x, np.broadcast_to(y[0], (2,)), np.diagonal(np.outer(x, y)), np.sin(y)))(x, y),
        tg.jacrev(lambda x, y: np.sum(x + y), (0, 1))(x, y),
        tg.hessian(loss, (0, 1))(x[0], y[0]),
    ]
    for found in cases:
        leaves = tg.tree.leaves(found)
        assert all(leaf.flags.writeable for leaf in leaves)
        arrays = [*leaves, x, y]
        assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])
