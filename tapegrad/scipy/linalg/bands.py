"""Systems with band and Toeplitz matrices, under SciPy's names."""

from typing import Any

import scipy.linalg

from tapegrad.core.var import apply
from tapegrad.ops.scipy_linalg.banded import solve_banded_p, whole
from tapegrad.ops.scipy_linalg.toeplitz import solve_toeplitz_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, given, rows_of
from tapegrad.scipy.linalg.structured import diagonals, vectors
from tapegrad.typing import Array, ArrayLike

scipy_solve_banded: ArrayFn = scipy.linalg.solve_banded
scipy_solveh_banded: ArrayFn = scipy.linalg.solveh_banded
scipy_solve_toeplitz: ArrayFn = scipy.linalg.solve_toeplitz


def solve_banded(
    l_and_u: tuple[int, int],
    ab: ArrayLike,
    b: ArrayLike,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve ``a @ x = b`` for a band matrix.

    Args:
        l_and_u: how many diagonals below and above the main one `a` has.
        ab: its diagonals as rows, from the uppermost one on: ``ab[u + i - j, j] == a[i, j]``, shape ``(..., l + u + 1, n)``.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        overwrite_ab: without effect on traced values.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a matrix is singular.
        ValueError: if the shapes do not fit.

    Example:
        >>> solve_banded((0, 1), np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([3.0, 2.0]))
        array([1., 1.])
    """
    arrays = given(ab, b, check_finite=check_finite)
    if arrays is None:
        return scipy_solve_banded(l_and_u, ab, b, overwrite_ab, overwrite_b, check_finite)
    rows, right = arrays
    low, high = (int(k) for k in l_and_u)
    if rows.ndim < 2 or rows.shape[-2] != low + high + 1 or rows_of(right) != rows.shape[-1]:
        refused(lambda d, x: scipy_solve_banded(l_and_u, d, x), rows, right)
    return _banded(rows, right, low, high)


def solveh_banded(
    ab: ArrayLike,
    b: ArrayLike,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve ``a @ x = b`` for a Hermitian positive definite band matrix.

    Args:
        ab: the diagonals of one half as rows, shape ``(..., u + 1, n)``: of the upper half with ``ab[u + i - j, j] ==
            a[i, j]``, or of the lower one with ``ab[i - j, j] == a[i, j]``.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        overwrite_ab: without effect on traced values.
        overwrite_b: without effect on traced values.
        lower: whether `ab` holds the lower half, or the upper one.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if the matrix is not positive definite.
        ValueError: if the shapes do not fit.

    Example:
        >>> solveh_banded(np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([3.0, 3.0])).round(6)
        array([1., 1.])
    """
    arrays = given(ab, b, check_finite=check_finite)
    if arrays is None:
        return scipy_solveh_banded(ab, b, overwrite_ab, overwrite_b, lower, check_finite)
    half, right = arrays
    if half.ndim < 2 or rows_of(right) != half.shape[-1]:
        refused(scipy_solveh_banded, half, right, lower=lower)
    u = half.shape[-2] - 1
    return _banded(whole(half, lower), right, u, u, positive=True)


def _banded(ab: Any, b: Any, lower: int, upper: int, positive: bool = False) -> Array:
    right, vector = column(b)
    y: Array = apply(solve_banded_p, ab, right, lower=lower, upper=upper, positive=positive)
    return y[..., 0] if vector else y


def solve_toeplitz(c_or_cr: ArrayLike | tuple[ArrayLike, ArrayLike], b: ArrayLike, check_finite: bool = True) -> Array:
    """Solve ``toeplitz(c, r) @ x = b`` by Levinson's recursion.

    Args:
        c_or_cr: the first column of the matrix, shape ``(..., n)``, or a tuple of that and the first row, which by default is
            ``conj(c)``.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a leading part of the matrix is singular.
        ValueError: if the shapes do not fit.

    Example:
        >>> solve_toeplitz((np.array([2.0, 0.0]), np.array([2.0, 1.0])), np.array([3.0, 2.0]))
        array([1., 1.])
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    arrays = given(c, r, b, check_finite=check_finite)
    if arrays is None:
        return scipy_solve_toeplitz(c_or_cr, b, check_finite)
    first, top = vectors(arrays[:2])
    right, n = arrays[2], first.shape[-1]
    if first.shape != top.shape or rows_of(right) != n:
        refused(lambda x, y, z: scipy_solve_toeplitz((x, y), z), first, top, right)
    right, vector = column(right)
    y: Array = apply(solve_toeplitz_p, diagonals(first, top), right)
    return y[..., 0] if vector else y
