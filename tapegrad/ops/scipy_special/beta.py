"""The beta function and its relatives: binomial coefficients, Pochhammer's symbol."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.gamma import polygamma_shift, rgamma_slope
from tapegrad.ops.scipy_special.precision import weak

BOTH = ((0.5, 3.0), (0.5, 3.0))


# Where an argument of gamma below the line is no positive number, the quotient may vanish while digamma has a pole. There the
# derivative is that of 1 / gamma, which is finite everywhere


def _beta_vanishes(a: Any, b: Any) -> Any:
    return (a + b <= 0) & (a + b == np.round(a + b)) & (b != np.round(b))


def _beta_by(g: Any, y: Any, a: Any, b: Any) -> Any:
    below = scipy.special.rgamma(a + b)
    at_zero = scipy.special.gamma(a) * scipy.special.gamma(b) * (scipy.special.digamma(a) * below + rgamma_slope(below, a + b))
    return g * np.where(_beta_vanishes(a, b), at_zero, -y * polygamma_shift(0, a, b))


def _beta_by_quickly(g: Any, y: Any, a: Any, b: Any) -> Any:
    return _beta_by(g, y, a, b) if np.any(_beta_vanishes(a, b)) else -g * (y * polygamma_shift(0, a, b))


beta_p = elementwise(
    "beta",
    weak(scipy.special.beta),
    _beta_by,
    lambda g, y, a, b: _beta_by(g, y, b, a),
    fast=(_beta_by_quickly, lambda g, y, a, b: _beta_by_quickly(g, y, b, a)),
    domain=BOTH,
    stands_for=scipy.special.beta,
)
betaln_p = elementwise(
    "betaln",
    weak(scipy.special.betaln),
    lambda g, y, a, b: -g * polygamma_shift(0, a, b),
    lambda g, y, a, b: -g * polygamma_shift(0, b, a),
    domain=BOTH,
    stands_for=scipy.special.betaln,
)


def _poch_by_x(g: Any, y: Any, x: Any, m: Any) -> Any:
    top = x + m
    gamma = scipy.special.gamma(top)
    below = scipy.special.rgamma(x)
    left = gamma * (scipy.special.digamma(top) * below + rgamma_slope(below, x))
    between_poles = (x <= 0) & (top <= 0) & (m == np.round(m))
    return g * np.where((x > 0) & (top > 0) | between_poles, y * polygamma_shift(0, x, m), left)


poch_p = elementwise(
    "poch", scipy.special.poch, _poch_by_x, lambda g, y, x, m: g * (y * scipy.special.digamma(x + m)), domain=BOTH
)


def _binom_by_n(g: Any, y: Any, n: Any, k: Any) -> Any:
    rest = n - k + 1.0
    below = scipy.special.rgamma(rest)
    scale = scipy.special.gamma(n + 1.0) * scipy.special.rgamma(k + 1.0)
    left = scale * (scipy.special.digamma(n + 1.0) * below + rgamma_slope(below, rest))
    return g * np.where(rest > 0, y * polygamma_shift(0, rest, k), left)


def _binom_by_k(g: Any, y: Any, n: Any, k: Any) -> Any:
    top, rest = k + 1.0, n - k + 1.0
    first, second = scipy.special.rgamma(top), scipy.special.rgamma(rest)
    outside = scipy.special.gamma(n + 1.0) * (rgamma_slope(first, top) * second - first * rgamma_slope(second, rest))
    return g * np.where((top > 0) & (rest > 0), y * polygamma_shift(0, top, n - 2.0 * k), outside)


binom_p = elementwise(
    "binom",
    scipy.special.binom,
    _binom_by_n,
    _binom_by_k,
    domain=((3.0, 6.0), (0.5, 2.5)),
    cases=(case(np.array([2.5, 4.0, 3.3]), np.array([3.2, 4.7, -0.6])),),
)
