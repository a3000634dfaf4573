"""What optimizers promise: the published formulas, the types and dtypes of parameters, no changed inputs, errors with paths."""

import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
from tapegrad import optim, tree
from tapegrad.errors import TreeError
from tapegrad.typing import Array


@frozen
class Layer:
    weight: Array
    bias: Array


class Net(NamedTuple):
    layers: list[Layer]
    scale: Array


def net(dtype: Any = np.float32, seed: int = 0) -> Net:
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        return np.asarray(random.normal(size=shape), dtype)

    return Net([Layer(draw(3, 4), draw(4)), Layer(draw(4, 1), draw(1))], draw(2, 0, 3))


OPTIMIZERS: list[Any] = [
    optim.sgd(0.1),
    optim.sgd(0.1, momentum=0.9),
    optim.sgd(0.1, momentum=0.9, nesterov=True),
    optim.adam(0.01),
]
every = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


def test_sgd_follows_its_formula() -> None:
    optimizer = optim.sgd(0.1, momentum=0.5)
    state = optimizer.init(np.zeros(1))
    first, state = optimizer.update(np.array([1.0]), state)
    second, state = optimizer.update(np.array([1.0]), state)
    assert first == pytest.approx([-0.1]) and second == pytest.approx([-0.15])


def test_nesterov_looks_ahead() -> None:
    optimizer = optim.sgd(0.1, momentum=0.5, nesterov=True)
    updates, _ = optimizer.update(np.array([1.0]), optimizer.init(np.zeros(1)))
    assert updates == pytest.approx([-0.15])


def test_sgd_without_momentum_remembers_nothing() -> None:
    assert tree.leaves(optim.sgd(0.1).init(net())) == []


def test_adam_takes_steps_of_the_learning_rate_whatever_the_gradients_scale() -> None:
    optimizer = optim.adam(0.01)
    updates, state = optimizer.update(np.array([1e3, -1e-3]), optimizer.init(np.zeros(2)))
    assert updates == pytest.approx([-0.01, 0.01], rel=1e-4)
    assert state.count == 1


def test_adam_stands_still_at_a_zero_gradient() -> None:
    optimizer = optim.adam(0.01)
    updates, _ = optimizer.update(np.zeros(2), optimizer.init(np.zeros(2)))
    assert np.array_equal(updates, np.zeros(2))


@pytest.mark.parametrize("compiled", [False, True])
def test_adam_takes_whole_steps_for_small_gradients_of_float16(compiled: bool) -> None:
    optimizer = optim.adam(0.01)
    for g in (np.array([1e-4, -1e-3, 1.0, 300.0, 0.0], np.float16), np.float16(1e-4)):
        exact, state = np.asarray(g, float), optimizer.init(g)
        wide = optimizer.init(exact)
        update = tg.jit(optimizer.update) if compiled else optimizer.update
        for _ in range(3):
            updates, state = update(g, state)
            expected, wide = optimizer.update(exact, wide)
            np.testing.assert_allclose(updates, expected, rtol=1e-5)
        assert optim.apply_updates(g, updates).dtype == np.float16


@every
def test_trees_shapes_and_dtypes_are_those_of_the_parameters(optimizer: Any) -> None:
    for dtype in (np.float32, np.float64):
        params, state = net(dtype), optimizer.init(net(dtype))
        for seed in (1, 2):
            updates, state = optimizer.update(net(dtype, seed), state, params)
            params = optim.apply_updates(params, updates)
        for like in (
            updates,
            params,
            *[m for m in (getattr(state, "mu", None), getattr(state, "trace", None)) if m is not None],
        ):
            assert tree.structure(like) == tree.structure(net())
            assert [x.shape for x in tree.leaves(like)] == [x.shape for x in tree.leaves(net())]
            assert {x.dtype for x in tree.leaves(like)} == {np.dtype(dtype)}


@every
def test_inputs_are_neither_changed_nor_shared(optimizer: Any) -> None:
    params, grads = net(), net(seed=1)
    _, state = optimizer.update(net(seed=2), optimizer.init(params), params)
    before = pickle.dumps((params, grads, state))
    updates, after = optimizer.update(grads, state, params)
    new = optim.apply_updates(params, updates)
    assert pickle.dumps((params, grads, state)) == before
    given, made = tree.leaves((params, grads, state)), tree.leaves((updates, after, new))
    arrays = [x for x in made if isinstance(x, np.ndarray)]
    if after is not state:
        assert not any(np.shares_memory(x, y) for x in arrays for y in given if isinstance(y, np.ndarray))
    assert not any(np.shares_memory(x, y) for i, x in enumerate(arrays) for y in arrays[:i])


@every
def test_numbers_can_be_parameters(optimizer: Any) -> None:
    params: dict[str, Any] = {"a": 1.0, "b": np.float32(2.0)}
    updates, _ = optimizer.update({"a": np.float64(1.0), "b": np.float32(1.0)}, optimizer.init(params), params)
    new = optim.apply_updates(params, updates)
    assert new["a"] < 1.0 and new["b"] < 2.0 and new["b"].dtype == np.float32


@every
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("leaf", [np.float32, lambda x: np.array(x, np.float32), lambda x: np.array([x], np.float32)])
def test_states_keep_their_dtypes_whatever_the_gradients_have(optimizer: Any, leaf: Any, compiled: bool) -> None:
    params = {"a": leaf(3.0)}
    state = optimizer.init(params)
    update = tg.jit(optimizer.update) if compiled else optimizer.update
    for dtype in (np.float64, np.float32, np.float64):
        _, state = update({"a": np.full(np.shape(params["a"]), 0.5, dtype)}, state)
        assert {x.dtype for x in tree.leaves(state) if isinstance(x, (np.ndarray, np.floating))} <= {np.dtype(np.float32)}


@every
def test_states_may_hold_arrays_of_no_axes(optimizer: Any) -> None:
    g = np.array(0.5)
    state = optimizer.init(g)
    arrays = tree.map(lambda x: np.asarray(x) if isinstance(x, np.floating) else x, state)
    assert np.array_equal(optimizer.update(g, arrays)[0], optimizer.update(g, state)[0])


@every
def test_an_optimizer_and_its_state_can_be_pickled(optimizer: Any) -> None:
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer
    state = pickle.loads(pickle.dumps(optimizer.init(net())))
    optimizer.update(net(seed=1), state, net())


@every
def test_a_gradient_of_another_shape_is_refused_with_its_path(optimizer: Any) -> None:
    params = net()
    grads = Net([params.layers[0], Layer(params.layers[1].weight, np.zeros(2, np.float32))], params.scale)
    with pytest.raises(TreeError, match=r"at \.layers\[1\]\.bias have shape \(2,\), expected \(1,\)"):
        optimizer.update(grads, optimizer.init(params), params)


@every
def test_a_gradient_of_another_tree_is_refused_with_its_path(optimizer: Any) -> None:
    params = net()
    with pytest.raises(TreeError, match=r"gradients.*\.layers"):
        optimizer.update(params._replace(layers=params.layers[:1]), optimizer.init(params), params)
    with pytest.raises(TreeError, match="gradients"):
        optimizer.update(tuple(params), optimizer.init(params), params)
    with pytest.raises(TreeError, match=r"gradients.*\.scale"):
        optimizer.update(
            Net(params.layers, [params.scale]),  # type: ignore[arg-type]  # the mistake under test
            optimizer.init(params),
            params,
        )
    with pytest.raises(TreeError, match=r"gradients.*'b'"):
        optimizer.update(
            {"a": np.ones(1), "b": np.ones(1)}, optimizer.init({"a": np.ones(1), "c": np.ones(1)}), {"a": 1.0, "c": 1.0}
        )


def test_updates_of_another_shape_are_refused_with_their_path() -> None:
    with pytest.raises(TreeError, match=r"updates at \['w'\] have shape \(3,\), expected \(2,\)"):
        optim.apply_updates({"w": np.ones(2)}, {"w": np.ones(3)})
    with pytest.raises(TreeError, match="updates at the root"):
        optim.apply_updates(np.ones(2), np.ones((1, 2)))


@pytest.mark.parametrize("optimizer", [optim.sgd(0.1, momentum=0.9), optim.adam(0.1)], ids=repr)
def test_parameters_that_are_no_real_numbers_are_refused_with_their_path(optimizer: Any) -> None:
    with pytest.raises(TypeError, match=r"at \['n'\] has dtype int64"):
        optimizer.init({"n": np.arange(3)})
    with pytest.raises(TypeError, match=r"at \[0\] has type str"):
        optimizer.init(["relu"])


def test_integers_are_not_moved_by_parts_of_one() -> None:
    for whole in (np.arange(3), 3, np.int32(3)):
        with pytest.raises(TypeError, match=r"the parameter at \['n'\] has dtype int\d\d, .* make it a floating-point number"):
            optim.apply_updates({"n": whole}, {"n": np.full(np.shape(whole), 0.5)})
    assert optim.apply_updates([3, np.arange(2)], [1, np.ones(2, int)])[0] == 4


def test_settings_out_of_range_are_refused() -> None:
    for make in (
        lambda: optim.sgd(-0.1),
        lambda: optim.sgd(float("nan")),
        lambda: optim.sgd(0.1, momentum=1.0),
        lambda: optim.adam(0.1, b1=-0.1),
        lambda: optim.adam(0.1, b2=1.5),
        lambda: optim.adam(0.1, eps=-1.0),
    ):
        with pytest.raises(ValueError, match="must be"):
            make()


def test_a_numpy_number_as_learning_rate_leaves_float32_alone() -> None:
    optimizers: list[Any] = [optim.sgd(np.float64(0.1)), optim.adam(np.float64(0.1))]
    for optimizer in optimizers:
        params = {"w": np.ones(3, np.float32), "s": np.float32(1.0)}
        updates, _ = optimizer.update(params, optimizer.init(params), params)
        assert {x.dtype for x in tree.leaves(updates)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("make", (optim.adam, optim.sgd))
def test_settings_that_are_no_numbers_are_refused(make: Any) -> None:
    for wrong in ("0.1", None, [0.1], np.array([0.1, 0.2]), 1j):
        with pytest.raises(TypeError, match="learning_rate must be a number, got a"):
            make(wrong)
    with pytest.raises(TypeError, match="the parameters are given to init"):  # as in PyTorch
        make({"w": np.ones(2)}, 1e-3)


def test_nesterov_needs_momentum_and_is_true_or_false() -> None:
    with pytest.raises(ValueError, match="nesterov looks ahead along the momentum, which is 0"):
        optim.sgd(0.1, nesterov=True)
    with pytest.raises(TypeError, match="nesterov must be True or False, got 'yes'"):
        optim.sgd(0.1, 0.9, nesterov="yes")  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("make", (optim.adam, optim.sgd))
def test_arguments_of_update_in_the_wrong_order_are_noticed(make: Any) -> None:
    params = {"w": np.ones(2)}
    optimizer = make(0.1)
    for wrong in (params, None):
        with pytest.raises(TypeError, match=r"the order is update\(grads, state, params\)"):
            optimizer.update(params, wrong, params)


def test_a_state_without_momentum_does_not_switch_it_off() -> None:
    params = {"w": np.ones(2)}
    with pytest.raises(ValueError, match="the state was made without momentum"):
        optim.sgd(0.1, 0.9).update(params, optim.sgd(0.1).init(params), params)


def test_what_comes_in_pairs_must_be_unpacked() -> None:
    params = {"w": np.ones(2)}
    optimizer = optim.sgd(0.1)
    state = optimizer.init(params)
    both: Any = (1.0, params)
    updated: Any = optimizer.update(params, state)
    with pytest.raises(TreeError, match="value_and_grad returns two things"):
        optimizer.update(both, state, params)
    with pytest.raises(TreeError, match="update returns two things"):
        optim.apply_updates(params, updated)
