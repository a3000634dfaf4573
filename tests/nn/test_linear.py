"""What the linear layer promises: its formula on any leading shape, and parameters that depend on the key alone."""

from typing import Any

import numpy as np
import pytest
from attrs import evolve

import tapegrad as tg
from tapegrad import nn, tree
from tapegrad.testing import check_grads


def test_linear_is_a_product_and_a_bias_on_any_leading_shape() -> None:
    params = nn.init_linear(tg.random.key(0), 3, 2, float)
    for shape in ((3,), (5, 3), (4, 5, 3), (0, 3)):
        x = tg.random.normal(tg.random.key(1), shape)
        np.testing.assert_allclose(nn.linear(params, x), np.matmul(x, params.weight) + params.bias, rtol=1e-15)


def test_its_gradient_has_the_type_of_its_parameters_and_is_right() -> None:
    params = nn.init_linear(tg.random.key(0), 3, 2, float)
    x = tg.random.normal(tg.random.key(1), (5, 3))
    grads = tg.grad(lambda params: tg.numpy.sum(nn.linear(params, x) ** 3))(params)
    assert type(grads) is nn.LinearParams
    check_grads(lambda params, x: nn.linear(params, x), (params, x), order=2)


def test_initial_parameters_have_the_documented_range_and_spread() -> None:
    params = nn.init_linear(tg.random.key(0), 400, 100, float)
    for leaf in tree.leaves(params):
        assert abs(leaf).max() <= 1 / 20
    assert params.weight.std() == pytest.approx(1 / 20 / np.sqrt(3), rel=0.02)


def test_initial_parameters_depend_on_the_key_alone() -> None:
    first, again = (nn.init_linear(tg.random.key(3), 4, 2) for _ in range(2))
    other = nn.init_linear(tg.random.key(4), 4, 2)
    assert np.array_equal(first.weight, again.weight) and np.array_equal(first.bias, again.bias)
    assert not np.array_equal(first.weight, other.weight)


def test_parameters_are_float32_unless_asked_otherwise() -> None:
    assert {x.dtype for x in tree.leaves(nn.init_linear(tg.random.key(0), 4, 2))} == {np.dtype(np.float32)}
    assert {x.dtype for x in tree.leaves(nn.init_linear(tg.random.key(0), 4, 2, float))} == {np.dtype(float)}


def test_a_seed_in_place_of_a_key_is_answered_with_what_to_write() -> None:
    with pytest.raises(
        TypeError, match=r"nn\.init_linear: expected a key, got the integer 7; write tapegrad\.random\.key\(7\)"
    ):
        nn.init_linear(7, 4, 2)  # type: ignore[arg-type]  # the mistake under test


def test_a_layer_without_inputs_or_outputs_is_refused() -> None:
    for inputs, outputs in ((0, 2), (2, 0)):
        with pytest.raises(ValueError, match="1 or more"):
            nn.init_linear(tg.random.key(0), inputs, outputs)


@pytest.mark.parametrize(("inputs", "outputs"), ((3.0, 2), ("3", 2), ((3,), 2), (3, None)))
def test_sizes_that_are_no_integers_are_refused(inputs: Any, outputs: Any) -> None:
    with pytest.raises(TypeError, match=r"nn\.init_linear: inputs and outputs must be integers, got"):
        nn.init_linear(tg.random.key(0), inputs, outputs)


def test_parameters_that_are_none_are_told_apart() -> None:
    params, x = nn.init_linear(tg.random.key(0), 3, 2), np.ones((4, 3))
    swapped: Any = (x, params)
    with pytest.raises(TypeError, match=r"got an? ndarray; the parameters come first: nn\.linear\(params, x\)"):
        nn.linear(*swapped)
    with pytest.raises(TypeError, match=r"nn\.linear: bias must be an array of numbers, got a NoneType"):
        nn.linear(evolve(params, bias=None), x)  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("traced", (False, True))
def test_shapes_that_do_not_fit_are_all_named(traced: bool) -> None:
    params, x = nn.init_linear(tg.random.key(0), 3, 2), np.ones((4, 5))
    with pytest.raises(ValueError, match=r"x of shape \(4, 5\), weight of shape \(3, 2\) and bias of shape \(2,\)"):
        tg.grad(lambda params: nn.linear(params, x).sum())(params) if traced else nn.linear(params, x)
