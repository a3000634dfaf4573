"""Terms of entropies and of robust losses, element by element; 0 by continuity where a logarithm of 0 meets a factor 0."""

from tapegrad.ops.scipy_special.entropy import entr_p, huber_p, kl_div_p, pseudo_huber_p, rel_entr_p, xlog1py_p, xlogy_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def xlogy(x: ArrayLike, y: ArrayLike) -> Array:
    """Return ``x * log(y)``, and 0 where `x` is 0.

    Example:
        >>> xlogy(np.array([0.0, 2.0]), np.array([0.0, 3.0]))
        array([0.        , 2.19722458])
    """
    return call(xlogy_p, x, y)


def xlog1py(x: ArrayLike, y: ArrayLike) -> Array:
    """Return ``x * log1p(y)``, and 0 where `x` is 0.

    Example:
        >>> xlog1py(np.array([0.0, 2.0]), np.array([-1.0, 1e-12]))
        array([0.e+00, 2.e-12])
    """
    return call(xlog1py_p, x, y)


def entr(x: ArrayLike) -> Array:
    """Return ``-x * log(x)``, 0 at 0, and ``-inf`` for negative `x`.

    Example:
        >>> entr(np.array([0.0, 0.5]))
        array([0.        , 0.34657359])
    """
    return call(entr_p, x)


def rel_entr(x: ArrayLike, y: ArrayLike) -> Array:
    """Return ``x * log(x / y)``, and 0 where `x` is 0 and `y` is not negative.

    Example:
        >>> rel_entr(np.array([0.0, 0.5]), np.array([0.5, 0.25]))
        array([0.        , 0.34657359])
    """
    return call(rel_entr_p, x, y)


def kl_div(x: ArrayLike, y: ArrayLike) -> Array:
    """Return ``x * log(x / y) - x + y``, a term of the Kullback-Leibler divergence.

    Example:
        >>> kl_div(np.array([0.0, 0.5]), np.array([0.5, 0.25]))
        array([0.5       , 0.09657359])
    """
    return call(kl_div_p, x, y)


def huber(delta: ArrayLike, r: ArrayLike) -> Array:
    """Return Huber's loss: ``r**2 / 2`` up to ``|r| = delta``, and linear from there.

    Example:
        >>> huber(1.0, np.array([0.5, 3.0]))
        array([0.125, 2.5  ])
    """
    return call(huber_p, delta, r)


def pseudo_huber(delta: ArrayLike, r: ArrayLike) -> Array:
    """Return ``delta**2 * (sqrt(1 + (r / delta)**2) - 1)``, a smooth version of `huber`.

    Example:
        >>> pseudo_huber(1.0, np.array([0.5, 3.0]))
        array([0.11803399, 2.16227766])
    """
    return call(pseudo_huber_p, delta, r)
