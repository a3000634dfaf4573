"""The standard normal distribution: its distribution function, the logarithm of that, and their inverses."""

from tapegrad.ops.scipy_special.normal import log_ndtr_p, ndtr_p, ndtri_exp_p, ndtri_p, owens_t_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def ndtr(x: ArrayLike) -> Array:
    """Return the probability that a standard normal variable is at most `x`.

    Example:
        >>> ndtr(np.array([0.0, 1.96]))
        array([0.5      , 0.9750021])
    """
    return call(ndtr_p, x)


def log_ndtr(x: ArrayLike) -> Array:
    """Return the logarithm of ``ndtr(x)``. It and its derivatives are accurate far in the left tail too.

    Example:
        >>> log_ndtr(np.array([-1e5, 0.0]))
        array([-5.00000001e+09, -6.93147181e-01])
    """
    return call(log_ndtr_p, x)


def ndtri(y: ArrayLike) -> Array:
    """Return the inverse of `ndtr`, for `y` between 0 and 1.

    Example:
        >>> ndtri(np.array([0.5, 0.975]))
        array([0.        , 1.95996398])
    """
    return call(ndtri_p, y)


def ndtri_exp(y: ArrayLike) -> Array:
    """Return the inverse of `log_ndtr`, for negative `y`.

    Example:
        >>> ndtri_exp(np.array([-50.0, -0.5]))
        array([-9.67482528,  0.27028802])
    """
    return call(ndtri_exp_p, y)


def owens_t(h: ArrayLike, a: ArrayLike) -> Array:
    """Return Owen's T function: the probability that ``X > h`` and ``0 < Y < a * X`` for standard normal variables X and Y.

    Example:
        >>> owens_t(np.array([0.0, 1.0]), 1.0)
        array([0.125     , 0.06674188])
    """
    return call(owens_t_p, h, a)
