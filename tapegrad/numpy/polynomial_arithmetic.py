"""Arithmetic and calculus of polynomials given by their coefficients, highest power first, under NumPy's names."""

from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Fn
from tapegrad.core.var import Var
from tapegrad.numpy.convolution import NUMPY, convolve
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.typing import Array, ArrayLike

# Arithmetic


def _padded(a1: Any, a2: Any, combine: Fn) -> Any:
    x, y = np.atleast_1d(a1), np.atleast_1d(a2)
    short = x.shape[0] - y.shape[0]
    if short > 0:
        y = np.concatenate([np.zeros(short, y.dtype), y])
    elif short < 0:
        x = np.concatenate([np.zeros(-short, x.dtype), x])
    return combine(x, y)


@stands_for(np.polyadd)
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the sum of two polynomials.

    Args:
        a1: coefficients, highest power first, shape ``(n,)``.
        a2: coefficients, shape ``(m,)``.

    Returns:
        Coefficients, shape ``(max(n, m),)``.

    Example:
        >>> polyadd(np.array([1.0, 2.0]), np.array([1.0, 0.0, 0.0]))
        array([1., 1., 2.])
    """
    x, y = gathered(a1), gathered(a2)
    traced = type(x) is Var or type(y) is Var
    total: Array = _padded(x, y, np.add) if traced else NUMPY.polyadd(x, y)
    return total


@stands_for(np.polysub)
def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the difference of two polynomials.

    Args:
        a1: coefficients, highest power first, shape ``(n,)``.
        a2: coefficients, shape ``(m,)``.

    Returns:
        Coefficients, shape ``(max(n, m),)``.

    Example:
        >>> polysub(np.array([1.0, 2.0]), np.array([1.0, 0.0, 0.0]))
        array([-1.,  1.,  2.])
    """
    x, y = gathered(a1), gathered(a2)
    traced = type(x) is Var or type(y) is Var
    difference: Array = _padded(x, y, np.subtract) if traced else NUMPY.polysub(x, y)
    return difference


@stands_for(np.polymul)
def polymul(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Return the product of two polynomials.

    Args:
        a1: coefficients, highest power first, shape ``(n,)``.
        a2: coefficients, shape ``(m,)``.

    Returns:
        Coefficients, shape ``(n + m - 1,)``; for plain arrays without leading zeros of the factors, as NumPy has it.

    Example:
        >>> polymul(np.array([1.0, 2.0]), np.array([1.0, -2.0]))
        array([ 1.,  0., -4.])
    """
    x, y = gathered(a1), gathered(a2)
    if type(x) is not Var and type(y) is not Var:
        product: Array = NUMPY.polymul(x, y)
        return product
    first, second = (z if np.size(z) else np.zeros(1, dtype_of(z)) for z in (x, y))  # without coefficients it is 0
    return convolve(first, second)


@stands_for(np.polydiv)
def polydiv(u: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    """Return quotient and remainder of two polynomials.

    Args:
        u: coefficients of the dividend, highest power first, shape ``(n,)``.
        v: coefficients of the divisor, shape ``(m,)``.

    Returns:
        Coefficients of the quotient, shape ``(max(n - m + 1, 1),)``, and of the remainder without leading zeros.

    Example:
        >>> polydiv(np.array([3.0, 5.0, 2.0]), np.array([2.0, 1.0]))
        (array([1.5 , 1.75]), array([0.25]))
    """
    x, y = gathered(u), gathered(v)
    if type(x) is not Var and type(y) is not Var:
        plain: tuple[Array, Array] = NUMPY.polydiv(x, y)
        return plain
    rest: Any = np.atleast_1d(x) + 0.0
    divisor: Any = np.atleast_1d(y) + 0.0
    steps, n = rest.shape[0] - divisor.shape[0] + 1, divisor.shape[0]
    if steps < 1:
        return np.zeros(1, rest.dtype), rest
    quotient = []
    scale = 1.0 / divisor[:1]
    for k in range(steps):
        d = scale * rest[k : k + 1]
        quotient.append(d)
        rest = np.concatenate([rest[:k], rest[k : k + n] - d * divisor, rest[k + n :]])
    while rest.shape[0] > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return np.concatenate(quotient), rest


# Calculus


@stands_for(np.polyder)
def polyder(p: ArrayLike, m: int = 1) -> Array:
    """Return a derivative of a polynomial.

    Args:
        p: coefficients, highest power first, shape ``(n,)``.
        m: how often to differentiate.

    Returns:
        Coefficients, shape ``(n - m,)``.

    Raises:
        ValueError: if `m` is negative.

    Example:
        >>> polyder(np.array([1.0, 2.0, 3.0]))
        array([2., 2.])
    """
    c = gathered(p)
    if type(c) is not Var or c.ndim == 0:
        plain: Array = NUMPY.polyder(np.zeros(c.shape) if type(c) is Var else c, m)
        return plain
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(int(m)):
        c = c[:-1] * np.arange(c.shape[0] - 1, 0, -1)
    return c  # type: ignore[no-any-return]  # an array


@stands_for(np.polyint)
def polyint(p: ArrayLike, m: int = 1, k: ArrayLike | None = None) -> Array:
    """Return an antiderivative of a polynomial.

    Args:
        p: coefficients, highest power first, shape ``(n,)``.
        m: how often to integrate.
        k: the constants of integration, shape ``(m,)`` in the order of the integrations, or one for all; by default zeros.

    Returns:
        Coefficients, shape ``(n + m,)``.

    Raises:
        ValueError: if `m` is negative, or there are too few constants.

    Example:
        >>> polyint(np.array([2.0, 2.0]), k=3.0)
        array([1., 2., 3.])
    """
    c, constants = gathered(p), gathered(k)
    if type(c) is not Var and type(constants) is not Var:
        plain: Array = NUMPY.polyint(c, m, constants)
        return plain
    m = int(m)
    if np.ndim(c) == 0:
        NUMPY.polyint(0.0)  # says what is wrong
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if constants is None else np.atleast_1d(constants)
    if constants.shape[0] == 1 and m > 1:
        constants = constants[0] * np.ones(m)
    if constants.shape[0] < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        c = np.concatenate([c / np.arange(np.shape(c)[0], 0, -1), constants[i : i + 1]])
    return c  # type: ignore[no-any-return]  # an array
