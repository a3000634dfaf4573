"""At and near a removable point, derivatives are those of the function, not of its formula."""

import math
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tests.edge_cases.doors import both_doors, slopes

TINY = (0.0, 1e-300, 1e-160, 1e-12, 1e-8, -1e-8, 1e-5, -1e-5)


@both_doors
@pytest.mark.parametrize("x", TINY)
def test_sinc_near_zero(xp: Any, x: float) -> None:
    np.testing.assert_allclose(slopes(xp.sinc, x), (-(np.pi**2) / 3 * x, -(np.pi**2) / 3), rtol=1e-8)


@both_doors
@pytest.mark.parametrize("x", TINY)
def test_i0_near_zero(xp: Any, x: float) -> None:
    np.testing.assert_allclose(slopes(xp.i0, x), (x / 2, 0.5), rtol=1e-7)  # i0 itself is good to about 1e-8


@both_doors
@pytest.mark.parametrize("x", (-800.0, -40.0, 0.0, 1e-9, 40.0, 800.0))
def test_logaddexp_anywhere(xp: Any, x: float) -> None:
    with np.errstate(over="ignore"):
        p = 1.0 / (1.0 + np.exp(-x))
    q = np.exp(-x) / (1.0 + np.exp(-x)) if x > 0 else 1.0 / (1.0 + np.exp(x))
    np.testing.assert_allclose(slopes(lambda x: xp.logaddexp(x, 0.0), x), (p, p * q), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(slopes(lambda x: xp.logaddexp2(x / np.log(2), 0.0) * np.log(2), x), (p, p * q), rtol=1e-8)


@both_doors
@pytest.mark.parametrize("x", (1e-30, -1e-30, 1e-8, -1e-8, 1e-3))
def test_the_third_derivative_of_logaddexp_is_exact_beside_equals(xp: Any, x: float) -> None:
    true = -math.tanh(x / 2) / math.cosh(x / 2) ** 2 / 4
    np.testing.assert_allclose(
        slopes(tg.grad(lambda x: xp.logaddexp(x, 0.0)), x), (1 / math.cosh(x / 2) ** 2 / 4, true), rtol=1e-14
    )
    third = slopes(tg.grad(lambda x: xp.logaddexp2(x / math.log(2), 0.0) * math.log(2)), x)[1]
    np.testing.assert_allclose(third, true, rtol=1e-14)


@both_doors
def test_logaddexp_of_equals_and_of_infinities(xp: Any) -> None:
    assert tg.grad(xp.logaddexp, (0, 1))(3.0, 3.0) == (0.5, 0.5)
    np.testing.assert_allclose(slopes(lambda x: xp.logaddexp(x, x), 3.0), (1.0, 0.0), atol=1e-15)
    assert tg.grad(xp.logaddexp, (0, 1))(1.0, -np.inf) == (1.0, 0.0)
    assert slopes(lambda x: xp.logaddexp(x, -np.inf), 1.0) == (1.0, 0.0)
    assert slopes(lambda x: xp.logaddexp(-np.inf, x), 1.0) == (1.0, 0.0)


@both_doors
@pytest.mark.parametrize("x", (0.0, 1e-300, 1e-16, -1e-16, 1e-8))
def test_expm1_and_log1p_near_zero(xp: Any, x: float) -> None:
    np.testing.assert_allclose(slopes(xp.expm1, x), (np.exp(x), np.exp(x)), rtol=1e-15)
    np.testing.assert_allclose(slopes(xp.log1p, x), (1 / (1 + x), -1 / (1 + x) ** 2), rtol=1e-15)
    np.testing.assert_allclose(slopes(lambda x: xp.expm1(x) * xp.log1p(x), x), (2 * x, 2.0), rtol=1e-7)


@both_doors
def test_functions_that_are_flat_far_out_have_derivative_zero_there(xp: Any) -> None:
    assert slopes(xp.tanh, 500.0) == (0.0, 0.0)
    assert slopes(xp.arctan, 1e200) == (0.0, 0.0)
    with np.errstate(all="ignore"):
        assert slopes(lambda x: 1.0 / xp.cosh(x), 800.0) == (0.0, 0.0)
        assert slopes(lambda x: 1.0 / (1.0 + xp.exp(-x)), -800.0) == (0.0, 0.0)


@pytest.mark.parametrize("name", ("sigmoid", "softplus", "silu", "gelu", "mish", "log_sigmoid"))
@pytest.mark.parametrize("x", (-800.0, 0.0, 800.0))
def test_activations_are_finite_everywhere(name: str, x: float) -> None:
    if not hasattr(tg.nn, name):
        pytest.skip(f"there is no {name}")
    assert np.isfinite(slopes(getattr(tg.nn, name), x)).all()


@both_doors
def test_hypot_far_out_does_not_overflow(xp: Any) -> None:
    np.testing.assert_allclose(tg.grad(xp.hypot, (0, 1))(3e200, 4e200), (0.6, 0.8))
    np.testing.assert_allclose(tg.grad(xp.hypot, (0, 1))(3e-200, 4e-200), (0.6, 0.8))


@both_doors
@pytest.mark.parametrize("short", (1e-10, -1e-10, 1e-100, 0.0))
def test_the_second_derivative_of_hypot_by_the_much_longer_leg_is_exact(xp: Any, short: float) -> None:
    by_both = tg.hessian(lambda legs: xp.hypot(legs[0], legs[1]))(np.array([1.0, short]))
    np.testing.assert_allclose(by_both, [[short * short, -short], [-short, 1.0]], rtol=1e-14)
    np.testing.assert_allclose(slopes(lambda x: xp.hypot(short, x), 1.0), (1.0, short * short), rtol=1e-14)


@both_doors
def test_functions_of_two_infinite_numbers_have_the_slopes_of_their_limits(xp: Any) -> None:
    for far in (np.inf, -np.inf):
        assert slopes(lambda x: xp.hypot(x, 2.0), far) == (np.sign(far), 0.0)
        assert slopes(lambda x: xp.hypot(2.0, x), far) == (np.sign(far), 0.0)
        assert slopes(lambda x, far=far: xp.hypot(x, far), 1.0) == (0.0, 0.0)  # type: ignore[misc]  # as lambdas go
        assert slopes(lambda x, far=far: xp.arctan2(x, far), 1.0) == (0.0, 0.0)  # type: ignore[misc]  # as lambdas go
        assert slopes(lambda x, far=far: xp.arctan2(far, x), 1.0) == (0.0, 0.0)  # type: ignore[misc]  # as lambdas go
        assert slopes(lambda x: xp.arctan2(x, 2.0), far) == (0.0, 0.0)
    assert tg.grad(lambda x: (x ** np.array([0.0, 1.0])).sum())(np.inf) == 1.0


@both_doors
@pytest.mark.parametrize("x", TINY)
def test_second_derivatives_that_vanish_at_zero_are_exact_beside_it(xp: Any, x: float) -> None:
    np.testing.assert_allclose(slopes(xp.arcsin, x), (1.0, x), rtol=1e-9)
    np.testing.assert_allclose(slopes(xp.arccos, x), (-1.0, -x), rtol=1e-9)
    np.testing.assert_allclose(slopes(xp.arctanh, x), (1.0, 2 * x), rtol=1e-9)
