"""Bad input on traced values: SciPy's own error, or one that says what came and what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

pytest.importorskip("scipy")

import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special

import tapegrad.scipy as tsp
from tapegrad.scipy import stats

X = np.arange(6.0).reshape(2, 3) / 7.0 + 0.1
SQUARE = np.array([[2.0, 0.3], [0.3, 1.0]])
FIVE = np.ones(5)

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "gammainc of unlike shapes": lambda sp, x: sp.special.gammainc(x, FIVE),
    "logsumexp over no axis": lambda sp, x: sp.special.logsumexp(x, axis=5),
    "inverse of no square matrix": lambda sp, x: sp.linalg.inv(x),
    "solve with an unlike right side": lambda sp, x: sp.linalg.solve(SQUARE, x.T),
    "solve by an unknown structure": lambda sp, x: sp.linalg.solve(SQUARE, x, assume_a="nope"),
    "exponential of no square matrix": lambda sp, x: sp.linalg.expm(x),
    "Sylvester with unlike shapes": lambda sp, x: sp.linalg.solve_sylvester(x, SQUARE, x),
    "an unknown kind of eigenproblem": lambda sp, x: sp.linalg.eigh(SQUARE, x @ x.T, type=7),
    "singular values by an unknown routine": lambda sp, x: sp.linalg.svd(x, lapack_driver="q"),
    "convolve unlike ranks": lambda sp, x: sp.signal.convolve(x, FIVE),
    "convolve in an unknown way": lambda sp, x: sp.signal.convolve(x, x, mode="nope"),
    "convolve with an unknown boundary": lambda sp, x: sp.signal.convolve2d(x, x, boundary="nope"),
    "convolve with nothing": lambda sp, x: sp.signal.convolve(x, None),
    "correlate with nothing": lambda sp, x: sp.signal.correlate2d(x, None),
    "convolve by transforms with nothing": lambda sp, x: sp.signal.fftconvolve(x, None),
    "solve for nothing": lambda sp, x: sp.linalg.solve(x @ x.T, None),
    "simpson with unlike places": lambda sp, x: sp.integrate.simpson(x, x=FIVE),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_refusal_is_scipys_own(call: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(Exception) as expected:  # whatever SciPy raises
        call(scipy, X)
    with pytest.raises(expected.type) as caught:
        tg.vjp(lambda x: call(tsp, x), X)
    assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize(
    "wrong", (None, "a", np.array(["1", "2", "3"]), np.array([object()] * 3)), ids=["None", "a", "texts", "objects"]
)
def test_parameters_of_distributions_must_be_numbers(wrong: Any) -> None:
    for f in (stats.norm.logpdf, stats.expon.cdf, stats.t.logpdf, stats.poisson.cdf):
        for args in ((X, wrong), (wrong, X)):
            with pytest.raises(TypeError, match=r"values and parameters of a distribution must be numbers, got dtype"):
                tg.vjp(lambda x, f=f, args=args: f(*[x if a is X else a for a in args]), X)


def test_what_scipy_would_take_and_no_rule_does_is_told() -> None:
    with pytest.raises(ValueError, match=r"^solve_triangular: no derivative for .* an array of shape \(2, 3\), trans='Z'"):
        tg.vjp(lambda x: tsp.linalg.solve_triangular(SQUARE, x, trans="Z"), X)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match=r"^lfilter: no derivative for .* array\(\[0\.\]\)"), np.errstate(all="ignore"):
        tg.vjp(lambda x: tsp.signal.lfilter([1.0], [0.0], x), X)
