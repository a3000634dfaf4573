"""The gamma function, its logarithm and the derivatives of that, element by element."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import Var
from tapegrad.numpy.arguments import plain
from tapegrad.ops.scipy_special.beta import poch_p
from tapegrad.ops.scipy_special.gamma import digamma_p, gamma_p, gammaln_p, gammasgn_p, loggamma_p, polygamma_p, rgamma_p
from tapegrad.scipy.special.door import as_array, call
from tapegrad.typing import Array, ArrayLike


def gamma(z: ArrayLike) -> Array:
    """Return the gamma function, ``(z - 1)!`` for whole `z`.

    Example:
        >>> gamma(np.array([0.5, 5.0]))
        array([ 1.77245385, 24.        ])
    """
    return call(gamma_p, z)


def gammaln(x: ArrayLike) -> Array:
    """Return the logarithm of the absolute value of ``gamma(x)``.

    Example:
        >>> gammaln(np.array([0.5, 500.0]))
        array([5.72364943e-01, 2.60511585e+03])
    """
    return call(gammaln_p, x)


def loggamma(z: ArrayLike) -> Array:
    """Return the principal branch of the logarithm of ``gamma(z)``.

    Example:
        >>> loggamma(np.array([0.5, 500.0]))
        array([5.72364943e-01, 2.60511585e+03])
    """
    return call(loggamma_p, z)


def gammasgn(x: ArrayLike) -> Array:
    """Return the sign of ``gamma(x)``. It has no derivative.

    Example:
        >>> gammasgn(np.array([-0.5, 0.5]))
        array([-1.,  1.])
    """
    return call(gammasgn_p, x)


def rgamma(z: ArrayLike) -> Array:
    """Return ``1 / gamma(z)``, whose derivatives are exact at its zeros, the whole numbers up to 0, too.

    Example:
        >>> rgamma(np.array([-1.0, 5.0]))
        array([0.        , 0.04166667])
    """
    return call(rgamma_p, z)


def digamma(z: ArrayLike) -> Array:
    """Return the derivative of `loggamma`.

    Example:
        >>> digamma(np.array([0.5, 1.0]))
        array([-1.96351003, -0.57721566])
    """
    return call(digamma_p, z)


def psi(z: ArrayLike) -> Array:
    """Return the derivative of `loggamma`: another name of `digamma`.

    Example:
        >>> psi(np.array([0.5, 1.0]))
        array([-1.96351003, -0.57721566])
    """
    return call(digamma_p, z)


def poch(z: ArrayLike, m: ArrayLike) -> Array:
    """Return Pochhammer's symbol, ``gamma(z + m) / gamma(z)``.

    Example:
        >>> poch(3.0, np.array([0.0, 2.0]))
        array([ 1., 12.])
    """
    return call(poch_p, z, m)


def polygamma(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the derivative of order `n` of `digamma`, for whole `n`; single precision is kept, where SciPy widens it.

    Example:
        >>> polygamma(1, np.array([0.5, 1.0]))
        array([4.9348022 , 1.64493407])
    """
    return call(polygamma_p, n, x)


def multigammaln(a: ArrayLike, d: int) -> Array:
    """Return the logarithm of the multivariate gamma function.

    Args:
        a: array of any shape, greater than ``(d - 1) / 2``.
        d: the dimension, a positive integer.

    Returns:
        The logarithms, of the shape of `a`.

    Raises:
        ValueError: if an element of `a` is too small, or `d` is not a positive integer.

    Example:
        >>> multigammaln(np.array([1.5, 3.0]), 2)
        array([0.45158271, 1.55019499])
    """
    x: Any = as_array(a)
    if type(x) is not Var:
        return plain(scipy.special.multigammaln, x, d)
    if int(d) != d or d < 1:
        raise ValueError("d should be a positive integer (dimension)")
    if not x.tape.abstract and np.any(x.value <= 0.5 * (d - 1)):
        raise ValueError(f"condition a > 0.5 * (d-1) ({0.5 * (d - 1):f}) not met")
    y: Array = 0.25 * math.log(math.pi) * d * (d - 1) + gammaln(x)
    for j in range(1, int(d)):
        y = y + gammaln(x - 0.5 * j)
    return y
