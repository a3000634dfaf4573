"""The multinomial distribution: how often each of several outcomes occurs in `n` trials.

Every function is differentiable by the probabilities and by `n`; by the counts `x` there is no derivative.
"""

from typing import Any

import numpy as np

from tapegrad.core.primitive import Fn
from tapegrad.core.quiet import quietly
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import finished, given, instead, power_products
from tapegrad.typing import Array, ArrayLike


def logpmf(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Array:
    """Return the logarithm of the probability of the counts `x`.

    Args:
        x: counts, of shape ``(..., k)``.
        n: how many trials, a number or an array of shape ``(...)``.
        p: probabilities of shape ``(..., k)``. The last is replaced by what is missing to 1, if they do not sum
            to 1 (as in SciPy).

    Returns:
        The logarithms, of shape ``(...)``; ``-inf`` where the counts do not sum to `n`, NaN where a probability is none.

    Example:
        >>> logpmf(np.array([1, 2, 0]), 3, np.array([0.2, 0.3, 0.5]))
        np.float64(-2.918771...)
    """
    return _mass(x, n, p, lambda chances, counts, constant: special.xlogy(counts, chances).sum(axis=-1) + constant, -np.inf)


def pmf(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Array:
    """Return the probability of the counts `x`; the arguments are those of `logpmf`.

    Example:
        >>> pmf(np.array([1, 2, 0]), 3, np.array([0.2, 0.3, 0.5]))
        np.float64(0.054...)
    """
    return _mass(x, n, p, lambda chances, counts, constant: power_products(chances, counts, constant, axis=-1), 0.0)


def _mass(x: ArrayLike, n: ArrayLike, p: ArrayLike, f: Fn, elsewhere: float) -> Array:
    """Return ``f(probabilities, counts, log(n! / counts!))`` for counts that sum to `n`."""
    with quietly():
        counts, trials, chances = given(x, n, p)
        whole = np.floor(counts)
        rest = 1.0 - chances[..., :-1].sum(axis=-1)
        off = np.abs(1.0 - chances.sum(axis=-1)) > 1e-15
        chances = completed(chances, rest, off)
        missed = np.any((whole < counts) | (whole < 0), axis=-1) | (whole.sum(axis=-1) != trials)
        constant = special.gammaln(trials + 1.0) - special.gammaln(whole + 1.0).sum(axis=-1)
        y = instead(f(chances, whole, constant), missed, elsewhere)
        allowed = np.all((chances >= 0) & (chances <= 1), axis=-1) & (trials >= 0)
    return finished(y, allowed)


def completed(p: Any, rest: Any, off: Any) -> Any:
    """Return probabilities with `rest` in place of the last ones, where `off` is set."""
    last = np.where(off, rest, p[..., -1])
    return np.concatenate([p[..., :-1], last[..., None]], axis=-1)
