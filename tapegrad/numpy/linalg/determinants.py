"""Determinants, under NumPy's names."""

from typing import NamedTuple

import numpy as np

from tapegrad.core.var import Var, unary
from tapegrad.numpy.door import stands_for
from tapegrad.numpy.linalg.arguments import LINALG, matrix
from tapegrad.ops.linalg.determinant import det_p, slogdet_p
from tapegrad.ops.linalg.matrices import parts
from tapegrad.typing import Array, ArrayLike


class SlogdetResult(NamedTuple):
    """What `slogdet` returns.

    Attributes:
        sign: the determinant divided by its absolute value, shape ``(...)``; 0 for a singular matrix.
        logabsdet: the logarithm of the absolute value of the determinant, shape ``(...)``.
    """

    sign: Array
    logabsdet: Array


@stands_for(np.linalg.det)
def det(a: ArrayLike) -> Array:
    """Return the determinant of each matrix; its first and second derivatives are exact at singular matrices, too.

    Args:
        a: square matrices, shape ``(..., n, n)``.

    Returns:
        Shape ``(...)``.

    Raises:
        LinAlgError: if a matrix is not square.

    Example:
        >>> det(np.array([[0.0, 2.0], [1.0, 0.0]]))
        np.float64(-2.0)

    References:
        M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
        differentiation", Oxford 2008, section 2.2.4, where the matrix is not singular.
    """
    y: Array = unary(det_p, matrix(a, np.linalg.det, square=True))
    return y


@stands_for(np.linalg.slogdet)
def slogdet(a: ArrayLike) -> SlogdetResult:
    """Return the sign of the determinant of each matrix and the logarithm of its absolute value.

    Args:
        a: square matrices, shape ``(..., n, n)``.

    Returns:
        Sign and logarithm, shapes ``(...)``.

    Raises:
        LinAlgError: if a matrix is not square.

    Example:
        >>> slogdet(np.diag([1.0, -1.0]))
        SlogdetResult(sign=np.float64(-1.0), logabsdet=np.float64(0.0))
    """
    a = matrix(a, np.linalg.slogdet, square=True)
    return SlogdetResult(*(parts(unary(slogdet_p, a)) if type(a) is Var else LINALG.slogdet(a)))
