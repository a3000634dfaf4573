"""QR and polar decompositions, under SciPy's names."""

from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.var import apply
from tapegrad.errors import MissingRuleError
from tapegrad.numpy.shapes import plain
from tapegrad.ops.linalg.matrices import adjoint, parts
from tapegrad.ops.linalg.triangular import qr_p
from tapegrad.ops.scipy_linalg.lu import reorder
from tapegrad.ops.scipy_linalg.polar import polar_p
from tapegrad.scipy.arguments import refused
from tapegrad.scipy.linalg.arguments import given
from tapegrad.typing import Array, ArrayLike

scipy_qr: Fn = scipy.linalg.qr
scipy_rq: Fn = scipy.linalg.rq
scipy_polar: Fn = scipy.linalg.polar


def qr(
    a: ArrayLike,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: Literal["full", "r", "economic", "raw"] = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Any, ...]:
    """Return the QR decomposition of each matrix.

    Args:
        a: matrices, shape ``(..., m, n)``, whose first ``min(m, n)`` columns are independent.
        overwrite_a: without effect on traced values.
        lwork: size of LAPACK's work array; without effect on traced values.
        mode: 'full' for square `Q`, whose columns from `n` on are defined up to a rotation only; 'economic'; 'r' for `R` alone.
        pivoting: exchange columns so that the diagonal of `R` does not increase; which ones has no derivative.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        ``(Q, R)`` or ``(R,)``; with `pivoting` also the order of the columns.

    Raises:
        LinAlgError: if columns are dependent, in the derivative.
        MissingRuleError: for mode 'raw' on traced values.
        ValueError: for another mode.

    Example:
        >>> Q, R = qr(np.array([[3.0, 1.0], [4.0, 1.0]]))
        >>> np.allclose(Q @ R, [[3.0, 1.0], [4.0, 1.0]])
        True
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        found = scipy_qr(a, overwrite_a, lwork, mode, pivoting, check_finite)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)  # of a stack SciPy returns `R` itself
    (matrix,) = arrays
    if mode == "raw":
        raise MissingRuleError("qr: mode 'raw' has no derivative rule; use 'full', 'economic' or 'r'")
    if matrix.ndim < 2 or mode not in ("full", "qr", "r", "economic"):
        refused(scipy_qr, matrix, mode=mode)
    order: tuple[Any, ...] = ()
    if pivoting:
        columns = scipy_qr(plain(matrix), mode="r", pivoting=True, check_finite=False)[1]
        matrix = reorder(matrix.mT, columns).mT
        order = (columns,)
    q, r = parts(apply(qr_p, matrix, mode="reduced" if mode == "economic" else "complete"))
    return (r, *order) if mode == "r" else (q, r, *order)


def rq(
    a: ArrayLike,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: Literal["full", "r", "economic"] = "full",
    check_finite: bool = True,
) -> Any:
    """Return the RQ decomposition of each matrix, upper triangular `R` times orthonormal rows `Q`.

    Args:
        a: matrices, shape ``(..., m, n)``, whose last ``min(m, n)`` rows are independent.
        overwrite_a: without effect on traced values.
        lwork: size of LAPACK's work array; without effect on traced values.
        mode: 'full' for square `Q`, whose first ``n - m`` rows are defined up to a rotation only; 'economic'; 'r' for `R`
            alone.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        ``(R, Q)``, or `R`.

    Raises:
        LinAlgError: if rows are dependent, in the derivative.
        ValueError: for another mode.

    Example:
        >>> R, Q = rq(np.array([[3.0, 4.0], [1.0, 1.0]]))
        >>> np.allclose(R @ Q, [[3.0, 4.0], [1.0, 1.0]])
        True
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        found = scipy_rq(a, overwrite_a, lwork, mode, check_finite)
        return found if mode == "r" else tuple(found)
    (matrix,) = arrays
    if matrix.ndim < 2 or mode not in ("full", "r", "economic"):
        refused(scipy_rq, matrix, mode=mode)
    # with its rows and columns backwards, the conjugate transposed matrix has the decomposition ``Q^H R^H``
    q, r = parts(apply(qr_p, adjoint(matrix[..., ::-1, ::-1]), mode="reduced" if mode == "economic" else "complete"))
    triangular, rows = (adjoint(x)[..., ::-1, ::-1] for x in (r, q))
    return triangular if mode == "r" else (triangular, rows)


def polar(a: ArrayLike, side: Literal["right", "left"] = "right") -> tuple[Array, Array]:
    """Return the polar decomposition of each matrix, ``u @ p`` or ``p @ u``.

    Args:
        a: matrices of full rank, shape ``(..., m, n)``.
        side: 'right' for ``a = u @ p``, 'left' for ``a = p @ u``.

    Returns:
        `u`, with orthonormal columns or rows, in the shape of `a`; and `p`, Hermitian and not negative, of shape
        ``(..., n, n)`` or ``(..., m, m)``.

    Raises:
        ValueError: for another side, or fewer than two axes.

    Example:
        >>> u, p = polar(np.array([[0.0, -2.0], [2.0, 0.0]]))
        >>> p
        array([[2., 0.],
               [0., 2.]])
    """
    arrays = given(a)
    if arrays is None:
        u, p = scipy_polar(a, side)
        return u, p
    (matrix,) = arrays
    if matrix.ndim < 2 or side not in ("right", "left"):
        refused(scipy_polar, matrix, side)
    if matrix.shape[-2] >= matrix.shape[-1]:
        u, p = parts(apply(polar_p, matrix))
        return (u, p) if side == "right" else (u, np.matmul(np.matmul(u, p), adjoint(u)))
    w, p = parts(apply(polar_p, adjoint(matrix)))
    u = adjoint(w)
    return (u, p) if side == "left" else (u, np.matmul(np.matmul(w, p), u))
