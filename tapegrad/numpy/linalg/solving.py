"""Linear systems, inverses and least squares, under NumPy's names."""

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad.core.families import constant
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import Var, apply, binary, unary
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.linalg.arguments import LINALG, matrix
from tapegrad.numpy.linalg.arguments import hermitian as symmetric
from tapegrad.ops.linalg.matrices import parts
from tapegrad.ops.linalg.solving import inv_p, lstsq_p, pinv_p, solve_p
from tapegrad.typing import Array, ArrayLike

matrix_rank_p: Primitive = constant(
    "matrix_rank",
    lambda a, **settings: np.linalg.matrix_rank(a, **settings),
    batch=lambda args, batched, **settings: apply(matrix_rank_p, args[0], **settings),
    cases=(case((3, 3)),),
)


class LstsqResult(NamedTuple):
    """What `lstsq` returns.

    Attributes:
        x: the solution, shape ``(n,)`` or ``(n, k)``.
        residuals: the sums of squared residuals, shape ``(1,)`` or ``(k,)``; ``(0,)`` unless ``m > n`` and the rank is `n`.
        rank: the rank of the matrix.
        s: its singular values, shape ``(min(m, n),)``.
    """

    x: Array
    residuals: Array
    rank: int
    s: Array


@stands_for(np.linalg.solve)
def solve(a: ArrayLike, b: ArrayLike) -> Array:
    """Solve ``a @ x = b``.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a matrix is singular.
        ValueError: if the shapes do not fit.

    Example:
        >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0]))
        array([1. , 0.5])

    References:
        M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
        differentiation", Oxford 2008, section 2.3.1.
    """
    y: Array = binary(solve_p, matrix(a, np.linalg.inv, square=True), gathered(b))
    return y


@stands_for(np.linalg.inv)
def inv(a: ArrayLike) -> Array:
    """Return the inverse of each matrix.

    Args:
        a: square matrices, shape ``(..., n, n)``.

    Returns:
        Their inverses, of the same shape.

    Raises:
        LinAlgError: if a matrix is singular or not square.

    Example:
        >>> inv(np.array([[2.0, 0.0], [0.0, 4.0]]))
        array([[0.5 , 0.  ],
               [0.  , 0.25]])

    References:
        M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
        differentiation", Oxford 2008, section 2.2.3.
    """
    y: Array = unary(inv_p, matrix(a, np.linalg.inv, square=True))
    return y


@stands_for(np.linalg.pinv)
def pinv(a: ArrayLike, rcond: Any = None, hermitian: bool = False, **settings: Any) -> Array:
    """Return the Moore-Penrose pseudoinverse of each matrix.

    Its derivative is that of a function of matrices of one rank.

    Args:
        a: matrices, shape ``(..., m, n)``.
        rcond: singular values below this part of the largest one are taken for zeros (by default 1e-15).
        hermitian: the matrices are Hermitian; only the lower triangle is read.
        settings: ``rtol``, another name for `rcond`; None is the machine precision times ``max(m, n)``.

    Returns:
        Shape ``(..., n, m)``.

    Raises:
        LinAlgError: if `a` is no matrix, or its decomposition does not converge.

    Example:
        >>> pinv(np.array([[2.0, 0.0], [0.0, 0.0]]))
        array([[0.5, 0. ],
               [0. , 0. ]])

    References:
        G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
        separate", SIAM J. Numer. Anal. 10 (1973), equation 4.12.
    """
    a = matrix(a, np.linalg.pinv)
    if type(a) is not Var:
        y: Array = LINALG.pinv(a, rcond, hermitian, **settings)
        return y
    if set(settings) - {"rtol"} or (settings and rcond is not None):
        LINALG.pinv(np.eye(1), rcond, **settings)  # says what is wrong
    if hermitian and a.shape[-1] != a.shape[-2]:
        LINALG.pinv(np.zeros(a.shape), hermitian=True)  # raises NumPy's error, but not for an empty matrix
        hermitian = False
    if rcond is None:
        rcond = settings.get("rtol", 1e-15)
        rcond = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps) if rcond is None else rcond
    result: Array = apply(pinv_p, symmetric(a) if hermitian else a, rcond=rcond)
    return result


@stands_for(np.linalg.lstsq)
def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> LstsqResult:
    """Return the solution of least norm that makes ``norm(a @ x - b)`` least.

    Args:
        a: a matrix, shape ``(m, n)``.
        b: a vector of shape ``(m,)``, or columns of shape ``(m, k)``.
        rcond: singular values below this part of the largest one are taken for zeros (by default the machine precision times
            ``max(m, n)``; -1: the machine precision).

    Returns:
        The solution, the sums of squared residuals, the rank and the singular values of `a`.

    Raises:
        LinAlgError: if the decomposition does not converge, or the shapes do not fit.

    Example:
        >>> lstsq(np.array([[1.0], [1.0]]), np.array([1.0, 3.0])).x
        array([2.])

    References:
        G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
        separate", SIAM J. Numer. Anal. 10 (1973).
    """
    a, b = gathered(a), gathered(b)
    if type(a) is not Var and type(b) is not Var:
        return LstsqResult(*LINALG.lstsq(a, b, rcond))
    eps = float(np.finfo(np.result_type(a.dtype if type(a) is Var else np.asarray(a), np.float32)).eps)
    if rcond is None:
        rcond = eps * max(np.shape(a), default=0)
    y = apply(lstsq_p, a, b, rcond=eps if rcond == -1 else rcond)
    x, residuals, rank, s = parts(y)
    return LstsqResult(x, residuals, rank if y.tape.abstract else y.value[2], s)


@stands_for(np.linalg.tensorsolve)
def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Sequence[int] | None = None) -> Array:
    """Solve ``tensordot(a, x, x.ndim) = b`` for `x`.

    Args:
        a: shape ``b.shape + x.shape``; the products of the two parts are equal.
        b: an array of any shape.
        axes: axes of `a` to move to the right end first.

    Returns:
        `x`, of the shape of the last axes of `a`.

    Raises:
        LinAlgError: if `a` is singular, or not square in this sense.

    Example:
        >>> tensorsolve(2.0 * np.eye(4).reshape(2, 2, 2, 2), np.ones((2, 2)))
        array([[0.5, 0.5],
               [0.5, 0.5]])
    """
    a, b = gathered(a), gathered(b)
    if type(a) is not Var and type(b) is not Var:
        y: Array = LINALG.tensorsolve(a, b, axes)
        return y
    order = list(range(np.ndim(a)))
    for axis in axes or ():
        order.remove(axis)
        order.append(axis)
    moved = np.transpose(a, order)
    shape = moved.shape[np.ndim(b) :]
    size = math.prod(shape)
    if np.size(a) != size**2:
        raise np.linalg.LinAlgError(
            f"Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim]), got {np.shape(a)}"
        )
    return solve(np.reshape(moved, (size, size)), np.ravel(b)).reshape(shape)


@stands_for(np.linalg.tensorinv)
def tensorinv(a: ArrayLike, ind: int = 2) -> Array:
    """Return the inverse of `a` as a map of tensors: ``tensordot(tensorinv(a), a, ind)`` is the identity.

    Args:
        a: an array; the products of its first `ind` lengths and of the others are equal.
        ind: how many axes belong to the output of the map.

    Returns:
        Shape ``a.shape[ind:] + a.shape[:ind]``.

    Raises:
        LinAlgError: if `a` is singular, or not square in this sense.
        ValueError: if `ind` is not positive.

    Example:
        >>> tensorinv(2.0 * np.eye(2).reshape(2, 1, 2), ind=1)
        array([[[0.5, 0. ],
                [0. , 0.5]]])
    """
    a = gathered(a)
    if type(a) is not Var:
        y: Array = LINALG.tensorinv(a, ind)
        return y
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows = math.prod(a.shape[ind:])
    flat: Any = np.reshape(a, (rows, a.size // rows if rows else 0))
    return inv(flat).reshape(a.shape[ind:] + a.shape[:ind])


@stands_for(np.linalg.matrix_power)
def matrix_power(a: ArrayLike, n: int) -> Array:
    """Return the matrices `a` to an integer power.

    Args:
        a: square matrices, shape ``(..., k, k)``.
        n: the power; a negative one is a power of the inverse, 0 gives the identity.

    Returns:
        Matrices of the same shape.

    Raises:
        TypeError: if `n` is no integer.
        LinAlgError: if a matrix is not square, or is singular and `n` negative.

    Example:
        >>> matrix_power(np.array([[1.0, 1.0], [0.0, 1.0]]), 3)
        array([[1., 3.],
               [0., 1.]])
    """
    a = matrix(a, np.linalg.inv, square=True)
    if type(a) is not Var:
        y: Array = LINALG.matrix_power(a, n)
        return y
    try:
        n = operator.index(n)
    except TypeError as error:
        raise TypeError("exponent must be an integer") from error
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    square = inv(a) if n < 0 else a
    power: Any = None
    for bit in reversed(format(abs(n), "b")):
        if bit == "1":
            power = square if power is None else np.matmul(power, square)
        n = abs(n) >> 1
        if n:
            square = np.matmul(square, square)
    result: Array = power
    return result


@stands_for(np.linalg.matrix_rank)
def matrix_rank(A: ArrayLike, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """Return the rank of each matrix: how many singular values exceed a tolerance. It has no derivative.

    Args:
        A: matrices, shape ``(..., m, n)``.
        tol: the tolerance; by default `rtol` times the largest singular value.
        hermitian: the matrices are Hermitian.
        rtol: the relative tolerance, by default the machine precision times ``max(m, n)``.

    Returns:
        Integers, shape ``(...)``.

    Example:
        >>> int(matrix_rank(np.eye(3)))
        3
    """
    rank: Array = apply(matrix_rank_p, gathered(A), tol=tol, hermitian=hermitian, rtol=rtol)
    return rank
