"""The logistic function, its inverse, its logarithm and its integral, element by element."""

from tapegrad.numpy.exponentials import logaddexp
from tapegrad.ops.scipy_special.logistic import expit_p, log_expit_p, logit_p
from tapegrad.scipy.special.door import as_array, call
from tapegrad.typing import Array, ArrayLike


def expit(x: ArrayLike) -> Array:
    """Return the logistic function, ``1 / (1 + exp(-x))``.

    Example:
        >>> expit(np.array([-1.0, 0.0]))
        array([0.26894142, 0.5       ])
    """
    return call(expit_p, x)


def logit(p: ArrayLike) -> Array:
    """Return ``log(p / (1 - p))``, the inverse of `expit`.

    Example:
        >>> logit(np.array([0.5, 0.9]))
        array([0.        , 2.19722458])
    """
    return call(logit_p, p)


def log_expit(x: ArrayLike) -> Array:
    """Return the logarithm of ``expit(x)``, also where that underflows.

    Example:
        >>> log_expit(np.array([-1000.0, 0.0]))
        array([-1.00000000e+03, -6.93147181e-01])
    """
    return call(log_expit_p, x)


def softplus(x: ArrayLike) -> Array:
    """Return ``log(1 + exp(x))``, the integral of `expit`, also where ``exp(x)`` overflows.

    Example:
        >>> softplus(np.array([0.0, 1000.0]))
        array([6.93147181e-01, 1.00000000e+03])
    """
    return logaddexp(0.0, as_array(x))
