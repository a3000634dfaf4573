"""What special functions are computed with: double precision inside, and differences without cancellation.

Everything here works on plain arrays, and belongs to the forward functions of primitives; rules do not call it.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import Fn

BLOCK = 512
"""How many elements a quadrature looks at together, so that what it computes on stays in cache."""


def in_double(function: Fn) -> Fn:
    """Return `function`, computed quietly in double precision, with a result of the dtype that its arguments promote to.

    It raises TypeError for complex arguments.
    """
    return _widened(function, "fiub")


def in_double_or_complex(function: Fn) -> Fn:
    """Return `function`, computed quietly in double precision, real or complex, with a result of the dtype of its arguments."""
    return _widened(function, "fiubc")


def _widened(function: Fn, kinds: str) -> Fn:
    @wraps(function)
    def compute(*args: Any, **settings: Any) -> Any:
        dtype = np.result_type(*args)
        if dtype.kind not in kinds:
            raise TypeError(f"{function.__name__.strip('_')}: expected real numbers, got {dtype}")
        wide = np.complex128 if dtype.kind == "c" else np.float64
        with np.errstate(all="ignore"):
            y = function(*[np.asarray(x, wide) for x in args], **settings)
        return np.asarray(y, dtype if dtype.kind in "fc" else np.float64)[()]

    return compute


def private(name: str) -> Any:
    """Return the ufunc that a function of SciPy calls, for the second door; None where this version of SciPy has none."""
    return getattr(scipy.special._ufuncs, name, None)


def weak(function: np.ufunc) -> Fn:
    """Return a ufunc in which Python numbers do not widen what they meet; some of SciPy's would compute in float64 for them."""

    def compute(*args: Any) -> Any:
        if any(type(x) in (float, int) for x in args):
            dtype = np.result_type(*args)
            if dtype == np.float32:
                args = tuple([dtype.type(x) if type(x) in (float, int) else x for x in args])
        return function(*args)

    return compute


def in_blocks(function: Fn) -> Fn:
    """Return `function`, which takes vectors of equal length, as one on arrays that broadcast; it sees a block at a time."""

    @wraps(function)
    def compute(*args: Any, **settings: Any) -> Any:
        spread = np.broadcast_arrays(*args)
        flat = [np.ravel(x) for x in spread]
        y = np.empty(flat[0].shape)
        for start in range(0, len(y), BLOCK):
            block = slice(start, start + BLOCK)
            y[block] = function(*[x[block] for x in flat], **settings)
        return y.reshape(spread[0].shape)

    return compute


@lru_cache(4)
def legendre(count: int) -> tuple[Any, Any]:
    """Return the nodes and weights of Gauss and Legendre's rule on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (nodes + 1.0), 0.5 * weights


# Differences


def log1p_less(z: Any) -> Any:
    """Return ``log1p(z) - z`` for `z` of at most 0.3."""
    w = z / (2.0 + z)  # log1p(z) = 2 atanh(w)
    return w * (2.0 * w * w * polynomial(ATANH, w * w) - z)


def quick_log1p(z: Any) -> Any:
    """Return ``log1p(z)`` in half the time of NumPy's, by correcting ``log(1 + z)`` for what rounding took from z."""
    u = 1.0 + z
    return np.log(u) - ((u - 1.0) - z) / u


def log_ratio_less(x: Any, a: Any) -> Any:
    """Return ``log(x / a) - (x - a) / a``."""
    z = (x - a) / a
    return np.where(np.abs(z) < 0.3, log1p_less(z), np.log(x / a) - z)


def expm1_less(z: Any) -> Any:
    """Return ``expm1(z) - z`` for `z` of at most 1."""
    return z * z * polynomial(EXP, z)


def polynomial(coefficients: Any, z: Any) -> Any:
    """Return the sum of ``coefficients[k] * z**k``."""
    y = coefficients[-1]
    for c in coefficients[-2::-1]:
        y = y * z + c
    return y


ATANH = [1.0 / (2 * k + 3) for k in range(12)]
EXP = [1.0 / math.factorial(k + 2) for k in range(17)]


# Gamma functions of large arguments

BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510]
"""The Bernoulli numbers B2, B4, ..."""

STIRLING = [b / ((2 * j + 2) * (2 * j + 1)) for j, b in enumerate(BERNOULLI)]
LARGE = 10.0
"""From here on the asymptotic series with these coefficients are exact to double precision."""


def stirling_error(a: Any) -> Any:
    """Return ``gammaln(a) - ((a - 1/2) log(a) - a + log(2 pi) / 2)`` for ``a > 0``.

    References:
        DLMF, https://dlmf.nist.gov/5.11.E1
    """
    large = a >= LARGE
    w = 1.0 / np.where(large, a, LARGE)
    b = np.where(large, 1.0, a)
    return np.where(
        large,
        w * polynomial(STIRLING, w * w),
        scipy.special.gammaln(b) - (b - 0.5) * np.log(b) + b - 0.5 * LOG_2PI,
    )


LOG_2PI = math.log(2.0 * math.pi)


def log_less_digamma(x: Any, a: Any) -> Any:
    """Return ``log(x) - digamma(a)`` for ``a > 0``, exact where the two are large and nearly equal."""
    large = a >= LARGE
    big = np.where(large, a, LARGE)
    w = 1.0 / big
    near = (x - big) * w
    log = np.where(np.abs(near) < 0.5, np.log1p(near), np.log(x / big))
    series = [b / (2 * j + 2) for j, b in enumerate(BERNOULLI)]
    return np.where(
        large,
        log + w * (0.5 + w * polynomial(series, w * w)),
        np.log(x) - scipy.special.digamma(a),
    )


def polygamma(order: int, x: Any) -> Any:
    """Return the derivative of `digamma` of the given order."""
    if order == 0:
        return scipy.special.digamma(x)
    far = np.asarray(x) < -FAR
    if np.any(far):
        return np.where(far, _mirrored_polygamma(order, np.where(far, x, -FAR)), polygamma(order, np.where(far, 1.0, x)))[()]
    scale = float((-1) ** (order + 1) * math.factorial(order))
    return scale * scipy.special.zeta(order + 1.0, x)


FAR = 100.0
"""How far left of 0 SciPy's zeta function still goes, in steps of 1, in a bearable time."""


def _mirrored_polygamma(order: int, x: Any) -> Any:
    """Return `polygamma` left of 0, by reflection.

    References:
        DLMF, https://dlmf.nist.gov/5.15.E6
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        turns = x - np.round(x)
        between = turns - np.copysign(0.5, turns)  # so that the cotangent is exactly 0 in the middle between two poles
        cotangent = np.where(np.abs(turns) < 0.25, 1.0 / np.tan(math.pi * turns), -np.tan(math.pi * between))
        return (-1.0) ** order * polygamma(order, 1.0 - x) - polynomial(cotangent_derivative(order), cotangent)


@lru_cache
def cotangent_derivative(order: int) -> Any:
    """Return the derivative of ``pi cot(pi x)`` of the given order, as the coefficients of a polynomial in ``cot(pi x)``."""
    y = np.polynomial.Polynomial([0.0, math.pi])
    for _ in range(order):
        y = -math.pi * y.deriv() * np.polynomial.Polynomial([1.0, 0.0, 1.0])
    return y.coef.tolist()


def polygamma_shift(order: int, x: Any, step: Any) -> Any:
    """Return ``polygamma(order, x + step) - polygamma(order, x)``, without cancellation where both arguments are positive.

    Left of 0, where the step is a whole number, the two have the same cotangent in their reflections: the difference is that
    of the mirrored arguments, and finite also between two poles.
    """
    x, step = np.broadcast_arrays(x, step)
    mirrored = (x <= 0) & (x + step <= 0) & (step == np.round(step))
    if np.any(mirrored):
        sign = np.where(mirrored, (-1.0) ** order, 1.0)
        return sign * polygamma_shift(order, np.where(mirrored, 1.0 - x, x), np.where(mirrored, -step, step))
    y = np.asarray(polygamma(order, x + step) - polygamma(order, x))
    close = (x > 0) & (np.abs(step) < 0.1 * x)
    if np.any(close):
        y[close] = _close_shift(order, x[close], step[close])
    return y


def _close_shift(order: int, x: Any, step: Any) -> Any:
    """Return a polygamma shift that is short: by recurrence up to large arguments, by an asymptotic series from there.

    References:
        DLMF, https://dlmf.nist.gov/5.15.E5 and https://dlmf.nist.gov/5.15.E8
    """
    sign = float((-1) ** (order + 1))
    total = 0.0 * x
    for _ in range(max(0, math.ceil(15.0 - float(np.min(x, initial=15.0))))):
        total = total + sign * math.factorial(order) * power_shift(order + 1, x, step)
        x = x + 1.0
    first = np.log1p(step / x) if order == 0 else sign * math.factorial(order - 1) * power_shift(order, x, step)
    total = total + first + 0.5 * sign * math.factorial(order) * power_shift(order + 1, x, step)
    for j, b in enumerate(BERNOULLI):
        n = 2 * j + 2
        total = total + sign * b * math.factorial(n + order - 1) / math.factorial(n) * power_shift(n + order, x, step)
    return total


def power_shift(exponent: int, x: Any, step: Any) -> Any:
    """Return ``(x + step)**-exponent - x**-exponent``."""
    return x**-exponent * np.expm1(-exponent * np.log1p(step / x))


# Derivatives of exponentials


def bell(n: int, m: int, log_derivative: Callable[[int, int], Any]) -> Mapping[tuple[int, int], Any]:
    """Return the partial derivatives of ``exp(L(a, b))``, up to `n` times by a and `m` times by b, each over ``exp(L)``.

    ``log_derivative(i, j)`` is the derivative of L, i times by a and j times by b.
    """
    wanted = [(i, j) for i in range(n + 1) for j in range(m + 1)]
    log = {order: log_derivative(*order) for order in wanted[1:]}
    found: dict[tuple[int, int], Any] = {(0, 0): 1.0}
    for i, j in wanted[1:]:
        terms = [((p + 1, q), math.comb(i - 1, p) * math.comb(j, q)) for p in range(i) for q in range(j + 1)]
        if i == 0:
            terms = [((0, q + 1), math.comb(j - 1, q)) for q in range(j)]
        total = None
        for (p, q), count in terms:
            term = log[p, q] if (p, q) == (i, j) else count * log[p, q] * found[i - p, j - q]
            total = term if total is None else total + term
        found[i, j] = total
    return found
