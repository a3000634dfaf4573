"""The beta function and what is made of it, element by element."""

from tapegrad.ops.scipy_special.beta import beta_p, betaln_p, binom_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def beta(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the beta function, ``gamma(a) * gamma(b) / gamma(a + b)``.

    Example:
        >>> beta(np.array([1.0, 2.0]), 3.0)
        array([0.33333333, 0.08333333])
    """
    return call(beta_p, a, b)


def betaln(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the logarithm of the absolute value of ``beta(a, b)``.

    Example:
        >>> betaln(np.array([1.0, 200.0]), 300.0)
        array([  -5.70378247, -337.98011307])
    """
    return call(betaln_p, a, b)


def binom(x: ArrayLike, y: ArrayLike) -> Array:
    """Return the binomial coefficient, "`x` choose `y`", as a smooth function of both.

    Example:
        >>> binom(np.array([5.0, 5.5]), 2.0)
        array([10.   , 12.375])
    """
    return call(binom_p, x, y)
