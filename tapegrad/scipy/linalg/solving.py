"""Linear systems, inverses and determinants, under SciPy's names."""

from typing import Any, Literal, TypeAlias, overload

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.structure import astype
from tapegrad.core.var import apply
from tapegrad.numpy.shapes import plain
from tapegrad.ops.linalg.determinant import det_p
from tapegrad.ops.linalg.matrices import conjugate
from tapegrad.ops.linalg.solving import inv_p, pinv_p
from tapegrad.ops.scipy_linalg.solving import inv_as_p, solve_as_p, solve_triangular_p
from tapegrad.ops.scipy_linalg.structure import GENERAL, HERMITIAN, SYMMETRIC, TRANSPOSED
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, given, hermitian, square
from tapegrad.typing import Array, ArrayLike

scipy_solve: ArrayFn = scipy.linalg.solve
scipy_solve_triangular: ArrayFn = scipy.linalg.solve_triangular
scipy_inv: ArrayFn = scipy.linalg.inv
scipy_det: ArrayFn = scipy.linalg.det
scipy_pinv: Fn = scipy.linalg.pinv
scipy_pinvh: Fn = scipy.linalg.pinvh

Trans: TypeAlias = Literal[0, 1, 2, "N", "T", "C"]


def mirrored(a: Any, structure: str | None, lower: bool) -> Any:
    """Return matrices of a symmetric structure with both triangles, and others as they are."""
    if structure in HERMITIAN or (structure in SYMMETRIC and a.dtype.kind != "c"):
        return hermitian(a, lower)
    return 0.5 * (a + a.mT) if structure in SYMMETRIC else a


def solve(
    a: ArrayLike,
    b: ArrayLike,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Array:
    """Solve ``a @ x = b``.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        lower: for symmetric structures, whether the lower triangle is read, or the upper one.
        overwrite_a: without effect on traced values.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        assume_a: the structure of `a`, such as 'diagonal', 'upper triangular', 'sym', 'her' or 'pos'; by default it is looked
            for. The derivative is that of a function of such matrices: the gradient of a symmetric one is symmetrized.
        transposed: solve ``a.T @ x = b``, for real `a`.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a matrix is singular, or not positive definite though assumed to be.
        ValueError: if the shapes do not fit, or there is no such structure.

    Example:
        >>> solve(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([3.0, 3.0]), assume_a="pos").round(6)
        array([1., 1.])
    """
    more: dict[str, Any] = {"lower": lower, "check_finite": check_finite, "transposed": transposed}
    if assume_a is not None:
        more["assume_a"] = assume_a
    arrays = given(a, b, check_finite=check_finite)
    if arrays is None:
        return scipy_solve(a, b, overwrite_a=overwrite_a, overwrite_b=overwrite_b, **more)
    matrix, right = arrays
    known = assume_a in (*GENERAL, *HERMITIAN, *SYMMETRIC, *TRANSPOSED, "diagonal", "tridiagonal")
    square(scipy_solve, matrix, right, **more)
    if not known or not np.ndim(right) or (transposed and matrix.dtype.kind == "c"):
        refused(scipy_solve, matrix, right, **more)
    right, vector = column(right)
    n = matrix.shape[-1]
    if n != 1 and right.shape[-2] != n:
        refused(scipy_solve, matrix, right, **more)
    matrix = mirrored(matrix, assume_a, lower)
    structure = assume_a
    if transposed:
        matrix, structure = matrix.mT, TRANSPOSED.get(assume_a or "", assume_a)
    if n == 1 and right.shape[-2] != 1:  # SciPy divides by a matrix of one element, whatever the length of the right side
        if np.any(plain(matrix) == 0):
            refused(scipy_solve, matrix, right, **more)
        quotient: Array = right / matrix
        return quotient[..., 0] if vector else quotient
    y: Array = apply(solve_as_p, matrix, right, structure=structure, lower=True)
    return y[..., 0] if vector else y


def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    trans: Trans = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve ``a @ x = b`` for triangular `a`.

    Args:
        a: square matrices, shape ``(..., n, n)``, of which one triangle is read.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        trans: 0 or 'N'; 1 or 'T' for the transposed system, 2 or 'C' for the conjugate transposed one.
        lower: whether the lower triangle is read, or the upper one.
        unit_diagonal: take the diagonal for ones, and do not read it.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, shape ``(..., n)`` or ``(..., n, k)``.

    Raises:
        LinAlgError: if a matrix is singular.
        ValueError: if the shapes do not fit.

    Example:
        >>> solve_triangular(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0]), lower=True)
        array([1., 2.])
    """
    arrays = given(a, b, check_finite=check_finite)
    if arrays is None:
        return scipy_solve_triangular(a, b, trans, lower, unit_diagonal, overwrite_b, check_finite)
    matrix, right = arrays
    if trans not in (0, 1, 2, "N", "T", "C") or not np.ndim(right):
        refused(scipy_solve_triangular, matrix, right, trans=trans)
    square(scipy_solve_triangular, matrix, right)
    right, vector = column(right)
    if right.shape[-2] != matrix.shape[-1]:
        refused(scipy_solve_triangular, matrix, right)
    if trans in (2, "C"):
        matrix = conjugate(matrix)
    y: Array = apply(
        solve_triangular_p,
        matrix,
        right,
        lower=bool(lower),
        transposed=trans not in (0, "N"),
        unit_diagonal=bool(unit_diagonal),
    )
    return y[..., 0] if vector else y


def inv(
    a: ArrayLike,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: str | None = None,
    lower: bool = False,
) -> Array:
    """Return the inverse of each matrix.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        assume_a: the structure of `a`, as for `solve`.
        lower: for symmetric structures, whether the lower triangle is read, or the upper one.

    Returns:
        Their inverses, of the same shape.

    Raises:
        LinAlgError: if a matrix is singular.
        ValueError: if it is not square.

    Example:
        >>> inv(np.array([[2.0, 0.0], [0.0, 4.0]]))
        array([[0.5 , 0.  ],
               [0.  , 0.25]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        more = {} if assume_a is None else {"assume_a": assume_a, "lower": lower}
        return scipy_inv(a, overwrite_a, check_finite, **more)
    matrix = square(scipy_inv, arrays[0])
    if assume_a in (*GENERAL, "diagonal"):
        y: Array = apply(inv_p, matrix)
        return y
    if assume_a not in ("pos", "sym", "her", *TRANSPOSED):
        refused(scipy_inv, matrix, assume_a=assume_a)
    y = apply(inv_as_p, mirrored(matrix, assume_a, lower), structure=assume_a)
    return y


def det(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """Return the determinant of each matrix, in double precision as SciPy has it; exact derivatives at singular matrices.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        Shape ``(...)``.

    Raises:
        ValueError: if a matrix is not square.

    Example:
        >>> tg.grad(det)(np.array([[1.0, 2.0], [2.0, 4.0]]))
        array([[ 4., -2.],
               [-2.,  1.]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        return scipy_det(a, overwrite_a, check_finite)
    matrix = square(scipy_det, arrays[0])
    y: Array = apply(det_p, astype(matrix, np.result_type(matrix.dtype, np.float64)))
    return y


@overload
def pinv(
    a: ArrayLike,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: Literal[False] = False,
    check_finite: bool = True,
) -> Array: ...
@overload
def pinv(
    a: ArrayLike,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: Literal[True],
    check_finite: bool = True,
) -> tuple[Array, int]: ...
def pinv(
    a: ArrayLike,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """Return the pseudoinverse of each matrix.

    Args:
        a: matrices, shape ``(..., m, n)``.
        atol: singular values below ``atol + rtol * s[0]`` are taken for zeros; 0 by default.
        rtol: the relative part, ``max(m, n)`` times the precision by default.
        return_rank: return the rank too.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        Shape ``(..., n, m)``, and the rank if asked for.

    Raises:
        ValueError: if a tolerance is negative.

    Example:
        >>> pinv(np.array([[2.0], [0.0]]))
        array([[0.5, 0. ]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        return scipy_pinv(a, atol=atol, rtol=rtol, return_rank=return_rank, check_finite=check_finite)
    (matrix,) = arrays
    return _pseudoinverse(scipy_pinv, matrix, matrix, {"atol": atol, "rtol": rtol}, return_rank)


@overload
def pinvh(
    a: ArrayLike,
    atol: float | None = None,
    rtol: float | None = None,
    lower: bool = True,
    return_rank: Literal[False] = False,
    check_finite: bool = True,
) -> Array: ...
@overload
def pinvh(
    a: ArrayLike,
    atol: float | None,
    rtol: float | None,
    lower: bool,
    return_rank: Literal[True],
    check_finite: bool = True,
) -> tuple[Array, int]: ...
@overload
def pinvh(
    a: ArrayLike,
    atol: float | None = None,
    rtol: float | None = None,
    lower: bool = True,
    *,
    return_rank: Literal[True],
    check_finite: bool = True,
) -> tuple[Array, int]: ...
def pinvh(
    a: ArrayLike,
    atol: float | None = None,
    rtol: float | None = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """Return the pseudoinverse of each Hermitian matrix.

    Args:
        a: Hermitian matrices, shape ``(..., n, n)``.
        atol: eigenvalues smaller than ``atol + rtol * max(abs(w))`` are taken for zeros; 0 by default.
        rtol: the relative part, `n` times the precision by default.
        lower: whether the lower triangle is read, or the upper one.
        return_rank: return the rank too.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        Shape ``(..., n, n)``, and the rank if asked for.

    Raises:
        ValueError: if a tolerance is negative.

    Example:
        >>> pinvh(np.diag([2.0, 0.0]))
        array([[0.5, 0. ],
               [0. , 0. ]])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        return scipy_pinvh(a, atol, rtol, lower, return_rank, check_finite)
    matrix = square(scipy_pinvh, arrays[0])
    return _pseudoinverse(
        scipy_pinvh, matrix, hermitian(matrix, lower), {"atol": atol, "rtol": rtol, "lower": lower}, return_rank
    )


def _pseudoinverse(function: Fn, a: Any, whole: Any, settings: dict[str, Any], return_rank: bool) -> Any:
    if a.ndim < 2 or any(settings[name] is not None and settings[name] < 0 for name in ("atol", "rtol")):
        refused(function, a, **settings)
    rtol = settings["rtol"]
    cut: Any = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps) if rtol is None else rtol
    if settings["atol"]:
        largest = np.max(np.linalg.svd(plain(whole), compute_uv=False), axis=-1, initial=0.0)
        cut = cut + settings["atol"] / np.where(largest == 0, 1.0, largest)
    y = apply(pinv_p, whole, rcond=cut)
    if not return_rank:
        return y
    return y, function(plain(a), **settings, return_rank=True)[1]
