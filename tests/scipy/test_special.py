"""The functions of `tapegrad.scipy.special` under both doors: SciPy's values, one derivative, single precision kept."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.special

import tapegrad as tg
from tapegrad.errors import ConcretizationError, MissingRuleError
from tapegrad.scipy import special
from tapegrad.testing import check_grads

POSITIVE = np.array([0.3, 0.6, 0.9])
BY_LAST = {
    "j0 j1 y0 y1 i0 i0e i1 i1e k0 k0e k1 k1e": (),
    "erf erfc erfcx erfi erfinv erfcinv dawsn ndtr log_ndtr ndtri expit logit log_expit": (),
    "gamma gammaln loggamma rgamma digamma psi entr exprel exp10 cosm1 exp1 expi ellipk ellipkm1 ellipe spence wrightomega": (),
    "cbrt exp2 expm1 log1p": (),
    "jn yn kn expn": (2,),
    "jv jve yv yve iv ive kv kve": (1.5,),
    "beta betaln binom poch gammainc gammaincc gammaincinv gammainccinv xlogy xlog1py rel_entr kl_div huber pseudo_huber": (
        0.7,
    ),
    "powm1 boxcox boxcox1p inv_boxcox inv_boxcox1p owens_t stdtr stdtrit": (0.7,),
    "betainc betaincc betaincinv betainccinv": (0.7, 1.2),
    "hyp0f1": (0.7,),
    "hyp1f1 hyperu": (0.7, 1.4),
    "hyp2f1": (0.7, 1.4, 1.9),
    "eval_legendre eval_chebyt eval_chebyu eval_chebyc eval_chebys eval_hermite eval_hermitenorm eval_laguerre": (3,),
    "eval_sh_legendre eval_sh_chebyt eval_sh_chebyu": (3,),
    "eval_gegenbauer eval_genlaguerre": (3, 0.7),
    "eval_jacobi": (3, 0.7, 1.3),
}
UFUNCS = [pytest.param(name, before, id=name) for names, before in BY_LAST.items() for name in names.split()]


@pytest.mark.parametrize(("name", "before"), UFUNCS)
def test_both_doors_give_scipys_value_and_one_derivative(name: str, before: tuple[Any, ...]) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    assert np.allclose(ours(*before, POSITIVE), theirs(*before, POSITIVE), rtol=1e-13)
    y, pull = tg.vjp(lambda x: ours(*before, x), POSITIVE)
    z, other_pull = tg.vjp(lambda x: theirs(*before, x), POSITIVE)
    g = np.arange(1.0, 4.0)
    assert np.array_equal(y, z)
    assert np.array_equal(pull(g)[0], other_pull(g)[0])
    check_grads(lambda x: ours(*before, x), (POSITIVE,), 1)


@pytest.mark.parametrize(("name", "before"), [p for p in UFUNCS if p.id not in ("eval_hermite", "eval_hermitenorm")])
def test_single_precision_is_kept(name: str, before: tuple[Any, ...]) -> None:
    f = getattr(special, name)
    x = POSITIVE.astype(np.float32)
    y, pull = tg.vjp(lambda x: f(*before, x), x)
    assert f(*before, x).dtype == y.dtype == pull(y)[0].dtype == np.float32


@pytest.mark.parametrize("name", ["sici", "shichi", "fresnel"])
def test_pairs_of_integrals(name: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    assert np.array_equal(ours(POSITIVE), theirs(POSITIVE))
    for f in (ours, theirs):
        check_grads(f, (POSITIVE,), 2)


@pytest.mark.parametrize("name", ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_spherical_bessel_functions_and_their_derivatives(name: str, n: int) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    for derivative in (False, True):
        assert np.allclose(ours(n, POSITIVE, derivative), theirs(n, POSITIVE, derivative), rtol=1e-12)
        check_grads(lambda z, derivative=derivative: ours(n, z, derivative), (POSITIVE,), 2, modes=("rev",))


@pytest.mark.parametrize(
    ("x", "trigamma", "tetragamma"),
    [(-101.25, 19.72938087145514, 124.02501013375437), (-1e12 - 0.5, math.pi**2 - 1e-12, -9.99999999998e-25)],
)
def test_derivatives_of_gammaln_far_left_take_no_longer_than_elsewhere(x: float, trigamma: float, tetragamma: float) -> None:
    second: Any = tg.grad(tg.grad(special.gammaln))
    np.testing.assert_allclose(second(x), trigamma, rtol=1e-13)
    np.testing.assert_allclose(tg.grad(second)(x), tetragamma, rtol=1e-13)


def test_second_derivatives_of_binom_take_no_longer_for_large_numbers() -> None:
    by_k = tg.grad(tg.grad(lambda k: special.binom(1e12, k)))(2.0)
    np.testing.assert_allclose(by_k, 3.564674889366212e26, rtol=1e-12)


def test_polygamma_and_multigammaln_are_scipys() -> None:
    n = np.array([0, 1, 3])
    assert np.allclose(special.polygamma(n, POSITIVE), scipy.special.polygamma(n, POSITIVE), rtol=1e-13)
    check_grads(lambda x: special.polygamma(n, x), (POSITIVE,), 2)
    assert special.multigammaln(2.5, 3) == scipy.special.multigammaln(2.5, 3)
    check_grads(lambda a: special.multigammaln(a, 3), (np.array([1.5, 4.0]),), 2)


def test_multigammaln_refuses_what_scipy_refuses() -> None:
    cases: list[tuple[float, Any]] = [(0.2, 3), (2.0, 2.5)]
    for a, d in cases:
        with pytest.raises(ValueError):
            scipy.special.multigammaln(a, d)
        with pytest.raises(ValueError):
            tg.grad(lambda a, d=d: special.multigammaln(a, d))(a)


def test_zeta_has_one_or_two_arguments() -> None:
    assert special.zeta(2.0) == scipy.special.zeta(2.0)
    assert special.zeta(2.0, 1.5) == scipy.special.zeta(2.0, 1.5)
    for f in (special.zeta, scipy.special.zeta):
        check_grads(f, (np.array([2.0, 3.5]),), 2)
        check_grads(f, (np.array([2.0, 3.5]), np.array([0.4, 2.0])), 2)


def test_lambertw_of_real_numbers_has_a_real_gradient() -> None:
    z: Any = np.array([0.0, 1.0, 5.0])
    assert np.array_equal(special.lambertw(z), scipy.special.lambertw(z))
    for w in (special.lambertw, scipy.special.lambertw):
        check_grads(lambda z, w=w: w(z).real, (z,), 2)
    assert tg.grad(lambda z: special.lambertw(z).real)(0.0) == 1.0


def test_softmax_along_any_axes() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 0, -1, (0, 2), (1, -1)):
        for ours, theirs in ((special.softmax, scipy.special.softmax), (special.log_softmax, scipy.special.log_softmax)):
            y, _ = tg.vjp(lambda x, f=ours, axis=axis: f(x, axis), x)
            assert np.allclose(y, theirs(x, axis), rtol=1e-13)
            check_grads(lambda x, f=ours, axis=axis: f(x, axis), (x,), 2, modes=("rev",))


def test_lists_are_arrays() -> None:
    assert np.array_equal(special.erf([0.0, 1.0]), scipy.special.erf([0.0, 1.0]))
    assert tg.grad(lambda x: special.gammainc([x, 2.0], 1.0).sum())(1.0) < 0


def test_a_derivative_that_is_not_known_is_refused_by_name() -> None:
    for f in (
        lambda v: special.jv(v, 1.0),
        lambda a: special.hyp2f1(a, 1.0, 2.0, 0.3),
        lambda n: special.eval_legendre(n, 0.3),
        lambda n: special.expn(n, 0.3),
    ):
        with pytest.raises(MissingRuleError, match="input 0"):
            tg.grad(f)(1.0)
        with pytest.raises(MissingRuleError, match="input 0"):
            tg.jvp(f, (1.0,), (1.0,))


def test_a_scaled_bessel_function_of_complex_numbers_has_no_complex_derivative() -> None:
    with pytest.raises(MissingRuleError, match="holomorphic"):
        tg.grad(lambda z: special.ive(1.5, z).real)(1.0 + 1.0j)


def test_what_scipy_has_without_a_rule_raises() -> None:
    with pytest.raises(MissingRuleError, match="chndtr"):
        tg.grad(lambda x: scipy.special.chndtr(x, 2.0, 1.0))(1.0)
    for f in (scipy.special.logsumexp, scipy.special.softmax):
        with pytest.raises(ConcretizationError):
            tg.grad(lambda x, f=f: f(x).sum())(np.ones(2))


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tapegrad_does_not_import_scipy() -> None:
    run("import sys, tapegrad; assert 'scipy' not in sys.modules")


def test_scipys_door_opens_without_naming_the_room() -> None:
    run("import tapegrad, scipy.special as s; assert abs(tapegrad.grad(s.erf)(0.0) - 1.1283791670955126) < 1e-15")


def test_without_scipy_the_error_names_the_extra() -> None:
    run(
        "import sys; sys.modules['scipy'] = None\n"
        "from tapegrad.errors import MissingExtraError\n"
        "for room in ('special', 'stats'):\n"
        "    try: __import__('tapegrad.scipy.' + room)\n"
        "    except MissingExtraError as e: assert \"pip install 'tapegrad[scipy]'\" in str(e)\n"
        "    else: raise AssertionError(room)\n"
    )
