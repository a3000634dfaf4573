"""Arguments that do not matter, and outputs that have no gradient."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tests.edge_cases.doors import both_doors, derivatives


@both_doors
@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.complex64))
def test_an_argument_without_influence_has_a_gradient_of_zeros(xp: Any, dtype: Any) -> None:
    tree: Any = {"used": np.ones(2), "idle": (np.ones((2, 3), dtype), np.ones((), dtype), np.ones((0, 4), dtype))}
    gradient = tg.grad(lambda tree: xp.sum(tree["used"] ** 2))(tree)
    np.testing.assert_array_equal(gradient["used"], [2.0, 2.0])
    for found, like in zip(gradient["idle"], tree["idle"], strict=True):
        assert found.shape == like.shape and found.dtype == dtype and not np.any(found)
    assert tg.grad(lambda x, y: xp.sin(y), (0, 1))(1.5, 0.0) == (0.0, 1.0)


@both_doors
def test_what_is_rounded_or_compared_has_a_gradient_of_zeros(xp: Any) -> None:
    x = np.array([0.2, 1.7])
    for f in (xp.floor, xp.ceil, xp.rint, xp.trunc, xp.sign, lambda x: x * 0.0 + (x > 1), xp.argsort, xp.zeros_like):

        def summed(x: Any, f: Any = f) -> Any:
            return 1.0 * xp.sum(f(x))

        gradient, hessian = derivatives(summed, x)
        assert not gradient.any() and not hessian.any()


@both_doors
def test_a_constant_function_has_a_gradient_of_zeros(xp: Any) -> None:
    gradient, hessian = derivatives(lambda x: 3.0, np.ones(2))
    assert not gradient.any() and not hessian.any()
    gradient, hessian = derivatives(lambda x: xp.sum(x), np.ones(2))
    np.testing.assert_array_equal(gradient, np.ones(2))
    assert not hessian.any()


@both_doors
def test_an_output_that_is_no_scalar_is_an_error_that_names_its_shape(xp: Any) -> None:
    differentiate: Any = tg.grad  # a type checker would refuse what is tried here
    with pytest.raises(TypeError, match=r"\(3,\)(.|\n)*(vjp|jacrev)"):
        tg.grad(lambda x: xp.sin(x))(np.ones(3))
    with pytest.raises(TypeError, match=r"\(1,\)(.|\n)*(vjp|jacrev)"):
        tg.grad(lambda x: xp.sum(x, keepdims=True))(np.ones(1))
    with pytest.raises(TypeError):
        differentiate(lambda x: (xp.sum(x), xp.sum(x)))(np.ones(1))
    with pytest.raises(TypeError):
        differentiate(lambda x: None)(np.ones(1))
    with pytest.raises(TypeError, match=r"int|bool"):
        tg.grad(lambda x: xp.argmax(x))(np.ones(2))


def test_an_array_of_rank_zero_is_a_scalar() -> None:
    assert tg.grad(lambda x: x * x)(np.array(3.0)) == 6.0
