"""The logistic function, its inverse and its logarithm, element by element."""

from tapegrad.ops.scipy_special.logistic import expit_p, log_expit_p, logit_p
from tapegrad.scipy.special.door import call
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
