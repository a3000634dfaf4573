"""Functions of matrices, under SciPy's names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.var import Var, apply
from tapegrad.numpy.linalg.solving import matrix_power
from tapegrad.numpy.linalg.solving import solve as numpy_solve
from tapegrad.ops.scipy_linalg.functions import expm_frechet_p, expm_p, logm_p, power_p, sqrtm_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import given, square
from tapegrad.typing import Array, ArrayLike

scipy_expm: ArrayFn = scipy.linalg.expm
scipy_expm_frechet: Callable[..., Any] = scipy.linalg.expm_frechet
scipy_logm: ArrayFn = scipy.linalg.logm
scipy_sqrtm: ArrayFn = scipy.linalg.sqrtm
scipy_power: ArrayFn = scipy.linalg.fractional_matrix_power
scipy_signm: ArrayFn = scipy.linalg.signm
scipy_cosm: ArrayFn = scipy.linalg.cosm
scipy_sinm: ArrayFn = scipy.linalg.sinm
scipy_tanm: ArrayFn = scipy.linalg.tanm
scipy_coshm: ArrayFn = scipy.linalg.coshm
scipy_sinhm: ArrayFn = scipy.linalg.sinhm
scipy_tanhm: ArrayFn = scipy.linalg.tanhm


def expm(A: ArrayLike) -> Array:
    """Return the exponential of each square matrix, shape ``(..., n, n)``.

    Raises:
        LinAlgError: if a matrix is not square.

    Example:
        >>> expm(np.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    arrays = given(A)
    if arrays is None:
        return scipy_expm(A)
    y: Array = apply(expm_p, square(scipy_expm, arrays[0]))
    return y


def expm_frechet(
    A: ArrayLike, E: ArrayLike, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """Return the exponential of `A` and its derivative in the direction `E`.

    Args:
        A: square matrices, shape ``(..., n, n)``.
        E: the direction, of the same shape.
        method: how SciPy computes it: 'SPS' or 'blockEnlarge'; without effect on traced values.
        compute_expm: return the exponential too.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        ``(expm(A), derivative)``, or the derivative.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> expm_frechet(np.zeros((2, 2)), np.array([[0.0, 1.0], [0.0, 0.0]]), compute_expm=False)
        array([[0., 1.],
               [0., 0.]])
    """
    arrays = given(A, E, check_finite=check_finite)
    if arrays is None:
        return scipy_expm_frechet(A, E, method, compute_expm, check_finite)
    a, e = arrays
    if a.ndim < 2 or a.shape != e.shape or a.shape[-1] != a.shape[-2] or method not in (None, "SPS", "blockEnlarge"):
        refused(scipy_expm_frechet, a, e, method)
    y = apply(expm_frechet_p, a, e)
    return (apply(expm_p, a), y) if compute_expm else y


def logm(A: ArrayLike) -> Array:
    """Return the principal logarithm of each square matrix, shape ``(..., n, n)``; complex where eigenvalues are negative.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> logm(np.eye(2))
        array([[0., 0.],
               [0., 0.]])
    """
    arrays = given(A)
    if arrays is None:
        return scipy_logm(A)
    y: Array = apply(logm_p, square(scipy_logm, arrays[0]))
    return y


def sqrtm(A: ArrayLike) -> Array:
    """Return the principal square root of each square matrix, shape ``(..., n, n)``; complex where eigenvalues are negative.

    Raises:
        LinAlgError: if a matrix is not square.

    Example:
        >>> sqrtm(np.diag([4.0, 9.0]))
        array([[2., 0.],
               [0., 3.]])
    """
    arrays = given(A)
    if arrays is None:
        return scipy_sqrtm(A)
    y: Array = apply(sqrtm_p, square(scipy_sqrtm, arrays[0]))
    return y


def fractional_matrix_power(A: ArrayLike, t: ArrayLike) -> Array:
    """Return the principal power of each square matrix.

    Args:
        A: square matrices, shape ``(..., n, n)``.
        t: the exponent, a number.

    Returns:
        Shape ``(..., n, n)``; complex where eigenvalues are negative and `t` is no integer.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> fractional_matrix_power(np.diag([4.0, 9.0]), 0.5)
        array([[2., 0.],
               [0., 3.]])
    """
    arrays = given(A, t)
    if arrays is None:
        return scipy_power(A, t)
    a, exponent = arrays
    if a.ndim < 2 or a.shape[-1] != a.shape[-2] or exponent.ndim:
        refused(scipy_power, a, exponent)
    if type(exponent) is Var:
        y: Array = apply(expm_p, exponent * apply(logm_p, a))
        return y
    power = float(exponent)
    y = matrix_power(a, int(power)) if power == int(power) else apply(power_p, a, t=power)
    return y


def signm(A: ArrayLike) -> Array:
    """Return the sign of each square matrix, shape ``(..., n, n)``: with 1 and -1 in place of its eigenvalues.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> signm(np.diag([4.0, -9.0]))
        array([[ 1.,  0.],
               [ 0., -1.]])
    """
    a = _only(scipy_signm, A)
    return scipy_signm(A) if a is None else numpy_solve(apply(sqrtm_p, np.matmul(a, a)), a)


def cosm(A: ArrayLike) -> Array:
    """Return the cosine of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> cosm(np.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    a = _only(scipy_cosm, A)
    return scipy_cosm(A) if a is None else _cosine(a)


def sinm(A: ArrayLike) -> Array:
    """Return the sine of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> sinm(np.zeros((2, 2)))
        array([[0., 0.],
               [0., 0.]])
    """
    a = _only(scipy_sinm, A)
    return scipy_sinm(A) if a is None else _sine(a)


def tanm(A: ArrayLike) -> Array:
    """Return the tangent of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> tanm(np.zeros((2, 2)))
        array([[0., 0.],
               [0., 0.]])
    """
    a = _only(scipy_tanm, A)
    return scipy_tanm(A) if a is None else numpy_solve(_cosine(a), _sine(a))


def coshm(A: ArrayLike) -> Array:
    """Return the hyperbolic cosine of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> coshm(np.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    a = _only(scipy_coshm, A)
    return scipy_coshm(A) if a is None else _even(a)


def sinhm(A: ArrayLike) -> Array:
    """Return the hyperbolic sine of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> sinhm(np.zeros((2, 2)))
        array([[0., 0.],
               [0., 0.]])
    """
    a = _only(scipy_sinhm, A)
    return scipy_sinhm(A) if a is None else _odd(a)


def tanhm(A: ArrayLike) -> Array:
    """Return the hyperbolic tangent of each square matrix, shape ``(..., n, n)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> tanhm(np.zeros((2, 2)))
        array([[0., 0.],
               [0., 0.]])
    """
    a = _only(scipy_tanhm, A)
    return scipy_tanhm(A) if a is None else numpy_solve(_even(a), _odd(a))


# Helpers


def _only(function: ArrayFn, A: Any) -> Any:
    """Return the traced argument, checked to be square matrices; None if it is not traced."""
    arrays = given(A)
    return None if arrays is None else square(function, arrays[0])


def _exponential(a: Any) -> Any:
    return apply(expm_p, a)


def _cosine(a: Any) -> Any:
    if a.dtype.kind != "c":
        return np.real(_exponential(1j * a))
    return 0.5 * (_exponential(1j * a) + _exponential(-1j * a))


def _sine(a: Any) -> Any:
    if a.dtype.kind != "c":
        return np.imag(_exponential(1j * a))
    return -0.5j * (_exponential(1j * a) - _exponential(-1j * a))


def _even(a: Any) -> Any:
    return 0.5 * (_exponential(a) + _exponential(-a))


def _odd(a: Any) -> Any:
    return 0.5 * (_exponential(a) - _exponential(-a))
