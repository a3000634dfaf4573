"""Where textbook forms of derivatives are 0 over 0, overflow or cancel: exact, at first and second order."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.special

import tapegrad as tg
from tapegrad.scipy import special


def orders(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    """Return the first and the second derivative."""
    return float(tg.grad(f)(x)), float(tg.grad(tg.grad(f))(x))


REMOVABLE = [
    ("xlogy by x at (0, 2)", lambda x: special.xlogy(x, 2.0), 0.0, math.log(2.0), 0.0),
    ("xlogy by y at (0, 0)", lambda y: special.xlogy(0.0, y), 0.0, 0.0, 0.0),
    ("xlog1py by y at (0, -1)", lambda y: special.xlog1py(0.0, y), -1.0, 0.0, 0.0),
    ("entr at 0", special.entr, 0.0, math.inf, -math.inf),
    ("entr at 1", special.entr, 1.0, -1.0, -1.0),
    ("entr left of 0", special.entr, -1.0, 0.0, 0.0),
    ("rel_entr by y at (0, 2)", lambda y: special.rel_entr(0.0, y), 2.0, 0.0, 0.0),
    ("rel_entr by x at (0, 2)", lambda x: special.rel_entr(x, 2.0), 0.0, -math.inf, math.inf),
    ("rel_entr by y at (0, 0)", lambda y: special.rel_entr(0.0, y), 0.0, 0.0, 0.0),
    ("kl_div by y at (0, 2)", lambda y: special.kl_div(0.0, y), 2.0, 1.0, 0.0),
    ("logit at 0", special.logit, 0.0, math.inf, -math.inf),
    ("logit at 1/2", special.logit, 0.5, 4.0, 0.0),
    ("expit far right", special.expit, 40.0, math.exp(-40.0), -math.exp(-40.0)),
    ("expit far left", special.expit, -700.0, math.exp(-700.0), math.exp(-700.0)),
    ("expit beside 0", special.expit, 1e-30, 0.25, -0.125e-30),
    ("log_expit far left", special.log_expit, -1000.0, 1.0, 0.0),
    ("log_ndtr far left", special.log_ndtr, -1e8, 1e8, -1.0),
    ("log_ndtr far right", special.log_ndtr, 50.0, 0.0, 0.0),
    ("erfcx far right", special.erfcx, 1e8, -1e-16 / math.sqrt(math.pi), 2e-24 / math.sqrt(math.pi)),
    ("dawsn far right", special.dawsn, 1e6, -0.5e-12, 1e-18),
    ("dawsn at 0", special.dawsn, 0.0, 1.0, 0.0),
    ("dawsn beside 0", special.dawsn, 1e-30, 1.0, -4e-30),
    ("rgamma at 0", special.rgamma, 0.0, 1.0, 2.0 * np.euler_gamma),
    ("rgamma at -3", special.rgamma, -3.0, -6.0, None),
    ("exprel at 0", special.exprel, 0.0, 0.5, 1.0 / 3.0),
    ("exprel where exp overflows", lambda x: special.exprel(x) * 1e-300, 709.0, None, None),
    ("boxcox by lmbda at 0", lambda c: special.boxcox(3.0, c), 0.0, math.log(3.0) ** 2 / 2.0, math.log(3.0) ** 3 / 3.0),
    ("boxcox by lmbda at x = 0", lambda c: special.boxcox(0.0, c), 2.0, 0.25, -0.25),
    ("inv_boxcox by lmbda at 0", lambda c: special.inv_boxcox(1.0, c), 0.0, -0.5 * math.e, (0.25 + 2.0 / 3.0) * math.e),
    ("j1 at 0", special.j1, 0.0, 0.5, 0.0),
    ("i1 at 0", special.i1, 0.0, 0.5, 0.0),
    ("j0 at 0", special.j0, 0.0, 0.0, -0.5),
    ("i0e far right", special.i0e, 1e10, -0.5e-15 / math.sqrt(2.0 * math.pi), 0.75e-25 / math.sqrt(2.0 * math.pi)),
    ("k0e far right", special.k0e, 1e10, -0.5e-15 * math.sqrt(0.5 * math.pi), 0.75e-25 * math.sqrt(0.5 * math.pi)),
    (
        "ive far right",
        lambda x: special.ive(0.5, x),
        1e10,
        -0.5e-15 / math.sqrt(2.0 * math.pi),
        0.75e-25 / math.sqrt(2 * math.pi),
    ),
    (
        "kve far right",
        lambda x: special.kve(0.5, x),
        1e10,
        -0.5e-15 * math.sqrt(0.5 * math.pi),
        0.75e-25 * math.sqrt(math.pi / 2),
    ),
    ("ive at 1e6", lambda x: special.ive(0.5, x), 1e6, -0.5e-9 / math.sqrt(2.0 * math.pi), 0.75e-15 / math.sqrt(2.0 * math.pi)),
    ("kve at 1e6", lambda x: special.kve(0.5, x), 1e6, -0.5e-9 * math.sqrt(0.5 * math.pi), 0.75e-15 * math.sqrt(0.5 * math.pi)),
    ("spherical_jn(0) at 0", lambda z: special.spherical_jn(0, z), 0.0, 0.0, -1.0 / 3.0),
    ("sici at 0", lambda x: special.sici(x)[0], 0.0, 1.0, 0.0),
    ("shichi at 0", lambda x: special.shichi(x)[0], 0.0, 1.0, 0.0),
    ("shichi beside 0", lambda x: special.shichi(x)[0], 1e-30, 1.0, 1e-30 / 3.0),
    ("wrightomega far right", special.wrightomega, 1e15, 1.0, 1e-30),
    ("ellipk at 0", special.ellipk, 0.0, math.pi / 8.0, 9.0 * math.pi / 64.0),
    ("ellipe at 0", special.ellipe, 0.0, -math.pi / 8.0, -3.0 * math.pi / 64.0),
    ("spence at 1", special.spence, 1.0, -1.0, 0.5),
    ("gammainc by x at 0, a = 1", lambda x: special.gammainc(1.0, x), 0.0, 1.0, -1.0),
    ("gammainc by x at 0, a = 2", lambda x: special.gammainc(2.0, x), 0.0, 0.0, 1.0),
    ("gammainc by x at 0, a = 3", lambda x: special.gammainc(3.0, x), 0.0, 0.0, 0.0),
    ("gammainc by a at x = 0", lambda a: special.gammainc(a, 0.0), 2.0, 0.0, 0.0),
    ("gammainc by a at 0", lambda a: special.gammainc(a, 0.5), 0.0, -float(scipy.special.exp1(0.5)), None),
    ("betainc by x at 0, a = 1", lambda x: special.betainc(1.0, 3.0, x), 0.0, 3.0, -6.0),
    ("betainc by x at 1, b = 2", lambda x: special.betainc(1.0, 2.0, x), 1.0, 0.0, -2.0),
    ("betainc by a at x = 0", lambda a: special.betainc(a, 2.0, 0.0), 1.5, 0.0, 0.0),
    ("betainc by b at x = 1", lambda b: special.betainc(1.5, b, 1.0), 2.0, 0.0, 0.0),
    ("poch by x at 0", lambda x: special.poch(x, 2.0), 0.0, 1.0, 2.0),
    ("poch by x between two poles", lambda x: special.poch(x, 1.0), -2.0, 1.0, 0.0),
    ("poch by x between two poles, two steps", lambda x: special.poch(x, 2.0), -3.0, -5.0, 2.0),
    ("poch by x between two poles, backwards", lambda x: special.poch(x, -1.0), -1.0, -0.25, -0.25),
    ("poch of no step at a pole", lambda x: special.poch(x, 0.0), 0.0, 0.0, 0.0),
    (
        "beta by a where it vanishes",
        lambda a: special.beta(a, -0.5),
        0.5,
        -2.0 * math.pi,
        8.0 * math.pi * math.log(2.0),
    ),
    ("beta by a between two poles", lambda a: special.beta(a, 2.0), -3.0, 5.0 / 36.0, 19.0 / 108.0),
    ("betaln by a between two poles", lambda a: special.betaln(a, 2.0), -3.0, 5.0 / 6.0, 13.0 / 36.0),
    ("powm1 by b far left", lambda b: special.powm1(2.0, b), -64.0, math.log(2.0) * 2.0**-64, math.log(2.0) ** 2 * 2.0**-64),
    ("huber inside", lambda r: special.huber(1.0, r), 0.5, 0.5, 1.0),
    ("huber outside", lambda r: special.huber(1.0, r), -3.0, -1.0, 0.0),
    ("pseudo_huber of a huge residual", lambda r: special.pseudo_huber(1.0, r), 1e200, 1.0, 0.0),
    ("pseudo_huber at 0", lambda r: special.pseudo_huber(2.0, r), 0.0, 0.0, 1.0),
    ("i0e at its kink", special.i0e, 0.0, 0.0, None),
]


@pytest.mark.parametrize(("f", "x", "first", "second"), [pytest.param(*row[1:], id=row[0]) for row in REMOVABLE])
def test_exact_where_the_textbook_form_fails(f: Any, x: float, first: float | None, second: float | None) -> None:
    once, twice = orders(f, x)
    assert not math.isnan(once)
    if first is not None:
        assert once == pytest.approx(first, rel=1e-10, abs=0.0 if first else 1e-15)
    if second is not None:
        assert twice == pytest.approx(second, rel=1e-9, abs=0.0 if second else 1e-15)


@pytest.mark.parametrize(("delta", "r"), [(1e-5, 3.0), (1e5, 0.3), (1.0, 1e-10), (2.0, 1.0)])
def test_second_derivatives_of_pseudo_huber_are_exact_for_large_and_small_residuals(delta: float, r: float) -> None:
    by_both = tg.hessian(lambda x: special.pseudo_huber(x[0], x[1]))(np.array([delta, r]))
    radius = math.hypot(delta, r)
    np.testing.assert_allclose(by_both[1], [(r / radius) ** 3, (delta / radius) ** 3], rtol=1e-13)
    np.testing.assert_allclose(by_both[0, 1], by_both[1, 0], rtol=1e-13)


def test_scipys_door_is_as_exact() -> None:
    assert orders(scipy.special.log_ndtr, -1e8) == orders(special.log_ndtr, -1e8)
    assert orders(scipy.special.rgamma, -3.0) == orders(special.rgamma, -3.0)


@pytest.mark.parametrize(
    ("f", "bad"),
    [
        (special.logit, 2.0),
        (special.log1p, -3.0),
        (special.ndtri, 7.0),
        (lambda x: special.xlogy(1.0, x), -1.0),
        (lambda x: special.gammainc(x, 1.0), -1.0),
        (lambda x: special.betainc(1.0, 2.0, x), 3.0),
        (special.gammaln, 0.0),
    ],
)
def test_a_branch_that_is_not_taken_contributes_nothing(f: Any, bad: float) -> None:
    x = np.array([0.3, bad])
    with np.errstate(all="ignore"):
        loss = lambda x: np.where(x == 0.3, f(x), 0.0).sum()
        gradient = tg.grad(loss)(x)
        curvature = tg.jvp(tg.grad(loss), (x,), (np.ones(2),))[1]
    assert gradient[1] == 0 and np.isfinite(gradient[0])
    assert curvature[1] == 0 and np.isfinite(curvature[0])


@pytest.mark.parametrize("name", ["i0e", "i1e", "k0e", "k1e", "erfcx", "dawsn"])
def test_what_falls_off_has_no_slope_at_infinity(name: str) -> None:
    f = getattr(special, name)
    assert orders(f, math.inf) == (0.0, 0.0)
    if name in ("i0e", "i1e", "dawsn"):
        assert orders(f, -math.inf) == (0.0, 0.0)
    for x in (30.0, np.array([30.0, math.inf])):
        np.testing.assert_allclose(tg.jvp(f, (x,), (np.ones_like(x),))[1], (f(x + 1e-4) - f(x - 1e-4)) / 2e-4, 1e-5, 0.0)


def test_the_scaled_complement_falls_without_bound_to_the_left() -> None:
    assert orders(special.erfcx, -math.inf) == (-math.inf, math.inf)


@pytest.mark.parametrize("transform", [lambda f: f, tg.jit])
def test_series_that_end_have_slopes_where_those_after_them_diverge(transform: Any) -> None:
    """``2F1(10, -1; 1.5; z) = 1 - 10 / 1.5 z`` everywhere; the factor of what does not converge is 0."""

    def line(z: Any) -> Any:
        return special.hyp2f1(10.0, -1.0, 1.5, z)

    for z in (0.3, 3.7):
        assert transform(tg.grad(line))(z) == pytest.approx(-10 / 1.5)
        assert transform(tg.grad(tg.grad(line)))(z) == 0.0
    assert transform(tg.grad(lambda z: special.hyp2f1(0.0, 10.0, -1.0, z)))(0.99) == 0.0


def test_polynomials_of_high_degrees_that_are_given_as_floats() -> None:
    for f in (special.eval_legendre, special.eval_chebyu, special.eval_chebyt, special.eval_sh_legendre):
        floats, integers = (orders(partial(f, n), 0.001) for n in (300.0, 300))
        assert floats == pytest.approx(integers, rel=1e-9) and np.isfinite(floats).all()


def test_the_curvature_of_boxcox_by_its_exponent_where_the_power_is_lost_in_rounding() -> None:
    """With ``x**lmbda`` near 0 it is that of ``-1 / lmbda``."""
    for x in (0.5, 1e-300):
        assert tg.grad(tg.grad(lambda p, x=x: special.boxcox(x, p)))(80.0) == pytest.approx(-2 / 80.0**3)


def test_expi_has_slopes_where_the_exponential_overflows() -> None:
    x = np.array([89.0], np.float32)  # expi is 5e36 there
    true = math.exp(89.0) / 89.0
    slope = tg.grad(lambda x: np.sum(special.expi(x)))
    np.testing.assert_allclose(slope(x), [true], rtol=1e-5)
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(slope(x)))(x), [true - true / 89.0], rtol=1e-5)
