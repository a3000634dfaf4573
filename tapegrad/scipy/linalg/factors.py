"""Cholesky and LU factors, and solving with them, under SciPy's names."""

from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.var import Var, apply
from tapegrad.ops.linalg.matrices import adjoint, conjugate, parts
from tapegrad.ops.linalg.triangular import cholesky_p
from tapegrad.ops.scipy_linalg.lu import lu_p, order_of, reorder
from tapegrad.ops.scipy_linalg.solving import solve_triangle
from tapegrad.ops.scipy_linalg.structure import band
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, constant, given, hermitian, rows_of, square
from tapegrad.typing import Array, ArrayLike

scipy_cholesky: ArrayFn = scipy.linalg.cholesky
scipy_cho_factor: Fn = scipy.linalg.cho_factor
scipy_cho_solve: ArrayFn = scipy.linalg.cho_solve
scipy_lu: Fn = scipy.linalg.lu
scipy_lu_factor: Fn = scipy.linalg.lu_factor
scipy_lu_solve: ArrayFn = scipy.linalg.lu_solve


# Cholesky


def _factor(a: Any, lower: bool) -> Any:
    y = apply(cholesky_p, hermitian(a, lower))
    return y if lower else adjoint(y)


def cholesky(a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """Return the Cholesky factor of each matrix: upper triangular `U` with ``U.conj().T @ U = a``.

    Args:
        a: Hermitian positive definite matrices, shape ``(..., n, n)``; the triangle that is returned is read.
        lower: return the lower triangular `L` with ``L @ L.conj().T = a``.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        Triangular matrices of the same shape. The derivative is that of a function of Hermitian matrices.

    Raises:
        LinAlgError: if a matrix is not positive definite.
        ValueError: if it is not square.

    Example:
        >>> cholesky(np.array([[4.0, 2.0], [2.0, 2.0]]))
        array([[2., 1.],
               [0., 1.]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        return scipy_cholesky(a, lower, overwrite_a, check_finite)
    y: Array = _factor(square(scipy_cholesky, arrays[0]), lower)
    return y


def cho_factor(a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Array, bool]:
    """Return the Cholesky factor of each matrix as `cho_solve` takes it: with what `a` holds in the other triangle.

    Args:
        a: Hermitian positive definite matrices, shape ``(..., n, n)``, of which one triangle is read.
        lower: which triangle.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        The factor, and `lower`.

    Raises:
        LinAlgError: if a matrix is not positive definite.
        ValueError: if it is not square.

    Example:
        >>> factor = cho_factor(np.array([[4.0, 2.0], [2.0, 2.0]]))
        >>> cho_solve(factor, np.array([6.0, 4.0]))
        array([1., 1.])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        c, _ = scipy_cho_factor(a, lower, overwrite_a, check_finite)
        return c, lower
    matrix = square(scipy_cho_factor, arrays[0])
    return _factor(matrix, lower) + (band(matrix, -1, None) if lower else band(matrix, None, -1)), lower


def cho_solve(c_and_lower: tuple[ArrayLike, bool], b: ArrayLike, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """Solve ``a @ x = b``, given the Cholesky factor of `a`.

    Args:
        c_and_lower: what `cho_factor` returns.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> cho_solve((np.array([[2.0]]), False), np.array([8.0]))
        array([2.])
    """
    c, lower = c_and_lower
    arrays = given(c, b, check_finite=check_finite)
    if arrays is None:
        return scipy_cho_solve((c, lower), b, overwrite_b, check_finite)
    factor, right = arrays
    if factor.ndim < 2 or factor.shape[-1] != factor.shape[-2] or rows_of(right) != factor.shape[-1]:
        refused(lambda c, x: scipy_cho_solve((c, lower), x), factor, right)
    right, vector = column(right)
    other = conjugate(factor)
    if lower:
        half = solve_triangle(factor, right, lower=True)
        y = solve_triangle(other, half, lower=True, transposed=True)
    else:
        half = solve_triangle(other, right, lower=False, transposed=True)
        y = solve_triangle(factor, half, lower=False)
    solution: Array = y[..., 0] if vector else y
    return solution


# LU


def lu(
    a: ArrayLike,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> tuple[Array, ...]:
    """Return the LU decomposition of each matrix with exchanges of rows, ``p @ l @ u``.

    Args:
        a: matrices, shape ``(..., m, n)``; ``k = min(m, n)``.
        permute_l: return ``p @ l`` in place of `p` and `l`.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        p_indices: return `p` as indices, so that ``a = l[p] @ u``.

    Returns:
        ``(p, l, u)`` or ``(p @ l, u)``: `p`, which has no derivative, `l` of shape ``(..., m, k)`` with 1 on its diagonal, and
        `u` of shape ``(..., k, n)``.

    Raises:
        LinAlgError: if the matrix is singular, in the derivative.
        ValueError: if `a` has fewer than two axes.

    Example:
        >>> p, l, u = lu(np.array([[1.0, 2.0], [4.0, 4.0]]))
        >>> u
        array([[4., 4.],
               [0., 1.]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        return tuple(scipy_lu(a, permute_l, overwrite_a, check_finite, p_indices))
    (matrix,) = arrays
    if matrix.ndim < 2 or 0 in matrix.shape:
        refused(scipy_lu, matrix, permute_l)
    m, n = matrix.shape[-2:]
    k = min(m, n)
    both, _, order = parts(apply(lu_p, matrix))
    order = constant(order)
    left = band(both[..., :k], None, -1) + np.eye(m, k, dtype=both.dtype)
    right = band(both[..., :k, :], 0, None)
    if permute_l:
        return reorder(left, order, back=True), right
    indices = np.argsort(order, axis=-1)
    if p_indices:
        return indices.astype(np.int32), left, right
    one_hot = np.equal(indices[..., None], np.arange(m))
    return one_hot.astype(np.finfo(matrix.dtype).dtype), left, right


def lu_factor(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Array, Array]:
    """Return the LU decomposition of each matrix as `lu_solve` takes it.

    Args:
        a: matrices, shape ``(..., m, n)``.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        Both factors in one matrix, without the ones on the diagonal of the lower one, and the exchanges of rows, which have no
        derivative.

    Raises:
        LinAlgError: if the matrix is singular, in the derivative.
        ValueError: if an element is not finite.

    Example:
        >>> lu_solve(lu_factor(np.array([[1.0, 2.0], [4.0, 4.0]])), np.array([3.0, 8.0]))
        array([1., 1.])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        both, pivots = scipy_lu_factor(a, overwrite_a, check_finite)
        return both, pivots
    (matrix,) = arrays
    if matrix.ndim < 2 or 0 in matrix.shape:
        refused(scipy_lu_factor, matrix)
    both, pivots, _ = parts(apply(lu_p, matrix))
    return both, constant(pivots)


def lu_solve(
    lu_and_piv: tuple[ArrayLike, ArrayLike],
    b: ArrayLike,
    trans: Literal[0, 1, 2] = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve ``a @ x = b``, given the LU decomposition of `a`.

    Args:
        lu_and_piv: what `lu_factor` returns, for square matrices.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        trans: 1 for the transposed system, 2 for the conjugate transposed one.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a matrix is singular.
        ValueError: if the shapes do not fit.

    Example:
        >>> lu_solve((np.array([[2.0]]), np.array([0])), np.array([8.0]))
        array([4.])
    """
    both, pivots = lu_and_piv
    arrays = given(both, b, check_finite=check_finite)
    if arrays is None:
        return scipy_lu_solve((both, pivots), b, trans, overwrite_b, check_finite)
    factors, right = arrays
    where = pivots if type(pivots) is Var else np.asarray(pivots)
    if rows_of(right) != factors.shape[-1] or trans not in (0, 1, 2):
        refused(lambda c, p, x: scipy_lu_solve((c, p), x, trans), factors, where, right)
    right, vector = column(right)
    order = order_of(where, factors.shape[-1])
    lead = np.broadcast_shapes(factors.shape[:-2], right.shape[:-2])
    right = np.broadcast_to(right, (*lead, *right.shape[-2:]))
    order = np.broadcast_to(order, (*lead, order.shape[-1]))
    if trans == 0:
        half = solve_triangle(factors, reorder(right, order), lower=True, unit_diagonal=True)
        y = solve_triangle(factors, half, lower=False)
    else:
        factors = conjugate(factors) if trans == 2 else factors
        half = solve_triangle(factors, right, lower=False, transposed=True)
        y = reorder(solve_triangle(factors, half, lower=True, transposed=True, unit_diagonal=True), order, back=True)
    x: Array = y[..., 0] if vector else y
    return x
