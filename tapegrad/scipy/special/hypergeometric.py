"""Hypergeometric functions and their relatives, element by element. They are differentiable by their last argument."""

from tapegrad.ops.scipy_special.hypergeometric import hyp0f1_p, hyp1f1_p, hyp2f1_p, hyperu_p, spence_p
from tapegrad.ops.scipy_special.lambert import lambertw_p, wrightomega_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def hyp0f1(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the confluent hypergeometric limit function 0F1.

    Example:
        >>> hyp0f1(np.array([0.5, 2.0]), 1.0)
        array([3.76219569, 1.59063685])
    """
    return call(hyp0f1_p, v, z)


def hyp1f1(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """Return Kummer's confluent hypergeometric function 1F1.

    Example:
        >>> hyp1f1(np.array([0.5, 2.0]), 3.0, 1.0)
        array([1.20399467, 2.        ])
    """
    return call(hyp1f1_p, a, b, x)


def hyp2f1(a: ArrayLike, b: ArrayLike, c: ArrayLike, z: ArrayLike) -> Array:
    """Return Gauss's hypergeometric function 2F1.

    Example:
        >>> hyp2f1(np.array([0.5, 2.0]), 3.0, 1.5, 0.2)
        array([1.26288338, 2.3998099 ])
    """
    return call(hyp2f1_p, a, b, c, z)


def hyperu(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """Return Tricomi's confluent hypergeometric function U.

    Example:
        >>> hyperu(np.array([0.5, 2.0]), 3.0, 1.0)
        array([1.97075055, 1.        ])
    """
    return call(hyperu_p, a, b, x)


def spence(z: ArrayLike) -> Array:
    """Return Spence's function, the integral of ``log(t) / (1 - t)`` from 1 to `z`.

    Example:
        >>> spence(np.array([0.5, 1.0]))
        array([0.58224053, 0.        ])
    """
    return call(spence_p, z)


def wrightomega(z: ArrayLike) -> Array:
    """Return Wright's omega function, the `w` with ``w + log(w) = z``.

    Example:
        >>> wrightomega(np.array([0.0, 1.0]))
        array([0.56714329, 1.        ])
    """
    return call(wrightomega_p, z)


def lambertw(z: ArrayLike, k: ArrayLike = 0, tol: float = 1e-8) -> Array:
    """Return Lambert's W function, the `w` with ``w * exp(w) = z``, as a complex number.

    Args:
        z: array of any shape, real or complex.
        k: the branch, an integer, or integers of a shape that broadcasts with that of `z`.
        tol: how close the iteration comes.

    Returns:
        Complex numbers, of the shape that `z` and `k` broadcast to. On branch 0 they are real from -1/e on.

    Example:
        >>> lambertw(np.array([0.0, np.e])).real
        array([0., 1.])
    """
    return call(lambertw_p, z, k, tol)
