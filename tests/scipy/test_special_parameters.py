"""Derivatives by parameters, which have no closed form, against numbers computed with 60 digits (mpmath)."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.scipy import special
from tapegrad.testing import check_grads

# a, x, and the first and second derivative of gammainc by a
GAMMA = np.array(
    [
        (0.001, 0.5, -0.5603594001080031, -0.5848512398697082),
        (0.5, 1e-06, -0.015630304114240563, 0.21545617754351326),
        (2.5, 1.0, -0.1800996069540415, 0.17286396981617788),
        (2.5, 30.0, -3.320467967686098e-11, -8.476372758880233e-11),
        (100.0, 90.0, -0.02461191684397991, 0.002595492911274581),
        (100.0, 130.0, -0.00081013002856229, -0.00021271959135303796),
        (5000.0, 5010.0, -0.005580347009506905, -1.1149715412607582e-05),
        (5000.0, 4500.0, -1.3611260076175591e-14, 1.4341133234228881e-15),
    ]
)

# a, b, x, and the derivatives of betainc by a, by b, and by both
BETA = np.array(
    [
        (0.01, 0.02, 0.3, -22.588449240546257, 11.02759578976957, 358.68795225638536),
        (0.5, 3.0, 1e-05, -0.061938335087690206, 0.0010694493167668026, -0.009213012716602019),
        (2.0, 3.0, 0.4, -0.24086937608755657, 0.15634433641359877, 0.008923407670034283),
        (2.0, 3.0, 0.999, -4.327084533666821e-09, 2.661129785009167e-08, 2.7924562715818732e-08),
        (50.0, 80.0, 0.35, -0.0332171183295695, 0.019252411342212925, -0.0017716985376417527),
        (50.0, 80.0, 0.6, -1.7256213425079395e-07, 1.6686549973556123e-07, 7.463636837474404e-08),
        (3000.0, 2.0, 0.999, -0.00014923667311504902, 0.19714884806765887, -0.00010090805680343109),
        (0.05, 400.0, 0.001, -0.7256769098643585, 8.233369474724878e-05, 0.0016120260371442628),
    ]
)

# df, t and the derivative of stdtr by df
STUDENT = np.array(
    [
        (0.5, -1.0, -0.15788477686632524),
        (3.0, -0.01, -9.733445959697936e-05),
        (3.0, -50.0, -2.646038225498717e-05),
        (40.0, -2.0, -8.610839202035744e-05),
    ]
)

# s, and the first and second derivative of Riemann's zeta function
ZETA = np.array(
    [
        (-3.5, 0.009154213629941512, -0.001787508571840275),
        (-2.0, -0.03044845705839327, -0.0657635161874252),
        (0.0, -0.9189385332046728, -2.006356455908585),
        (0.5, -3.9226461392091516, -16.008357013928663),
        (1.5, -3.9322397374311016, 15.989556371225687),
        (4.0, -0.06891126589612538, 0.06505816136788066),
    ]
)


def test_gammainc_by_its_parameter() -> None:
    a, x, first, second = GAMMA.T
    slope = tg.grad(lambda a: special.gammainc(a, x).sum())
    curve = tg.jvp(slope, (a,), (np.ones(len(a)),))[1]
    assert np.allclose(slope(a), first, rtol=1e-11, atol=0.0)
    assert np.allclose(curve, second, rtol=1e-10, atol=0.0)
    assert np.array_equal(tg.grad(lambda a: special.gammaincc(a, x).sum())(a), -slope(a))


def test_betainc_by_its_parameters() -> None:
    a, b, x, by_a, by_b, by_both = BETA.T
    slope = tg.grad(lambda a, b: special.betainc(a, b, x).sum(), argnums=(0, 1))
    found = slope(a, b)
    assert np.allclose(found[0], by_a, rtol=1e-11, atol=0.0)
    assert np.allclose(found[1], by_b, rtol=1e-11, atol=0.0)
    mixed = tg.jvp(lambda b: slope(a, b)[0], (b,), (np.ones(len(b)),))[1]
    other = tg.jvp(lambda a: slope(a, b)[1], (a,), (np.ones(len(a)),))[1]
    assert np.allclose(mixed, by_both, rtol=1e-10, atol=0.0)
    assert np.allclose(other, by_both, rtol=1e-10, atol=0.0)


def test_stdtr_by_the_degrees_of_freedom() -> None:
    df, t, first = STUDENT.T
    assert np.allclose(tg.grad(lambda df: special.stdtr(df, t).sum())(df), first, rtol=1e-11, atol=0.0)
    assert np.allclose(tg.grad(lambda df: special.stdtr(df, -t).sum())(df), -first, rtol=1e-11, atol=0.0)
    assert tg.grad(special.stdtr)(3.0, 0.0) == 0.0
    assert tg.grad(tg.grad(special.stdtr), argnums=1)(3.0, 0.0) > 0.0


def test_zeta_by_its_exponent() -> None:
    s, first, second = ZETA.T
    slope = tg.grad(lambda s: special.zeta(s).sum())
    assert np.allclose(slope(s), first, rtol=1e-12, atol=0.0)
    assert np.allclose(tg.jvp(slope, (s,), (np.ones(len(s)),))[1], second, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("name", ["gammaincinv", "gammainccinv"])
def test_inverses_of_gammainc_by_their_parameter(name: str) -> None:
    check_grads(getattr(special, name), (np.array([0.4, 3.0, 20.0]), np.array([0.3, 1e-3, 0.9])), 1)


def test_slopes_of_large_parameters_do_not_cancel() -> None:
    # digamma(a + b) - digamma(a) for b much smaller than a is b / a, nearly
    assert tg.grad(special.betaln)(1e9, 1.0) == pytest.approx(-1e-9, rel=1e-8)
    assert tg.grad(lambda x: special.gammainc(1e8, x))(1e8) == pytest.approx(1.0 / np.sqrt(2e8 * np.pi), rel=1e-8)


def test_long_arrays_are_taken_in_blocks() -> None:
    random = np.random.default_rng(0)
    a, x = random.uniform(0.5, 9.0, (2, 1300))
    whole = tg.grad(lambda a: special.gammainc(a, x).sum())(a)
    parts = [tg.grad(lambda a, x=x: special.gammainc(a, x).sum())(a) for a, x in zip(a[::97], x[::97], strict=True)]
    assert np.allclose(whole[::97], parts, rtol=1e-12)
    assert tg.grad(lambda a: special.gammainc(a, x[:0]).sum())(a[:0]).shape == (0,)
