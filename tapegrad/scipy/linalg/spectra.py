"""Eigenvalues and singular values, under SciPy's names."""

from typing import Any, Literal, overload

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.structure import astype
from tapegrad.core.var import apply
from tapegrad.errors import MissingRuleError
from tapegrad.ops.linalg.eigen import eig_p
from tapegrad.ops.linalg.matrices import adjoint, parts
from tapegrad.ops.linalg.svd import svd_p
from tapegrad.ops.linalg.triangular import cholesky_p
from tapegrad.ops.scipy_linalg.eigen import eigh_some_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import given, hermitian, square
from tapegrad.typing import Array, ArrayLike

scipy_svd: Fn = scipy.linalg.svd
scipy_svdvals: ArrayFn = scipy.linalg.svdvals
scipy_eigh: Fn = scipy.linalg.eigh
scipy_eig: Fn = scipy.linalg.eig
scipy_eigvals: ArrayFn = scipy.linalg.eigvals


@overload
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: Literal[True] = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gesdd", "gesvd"] = "gesdd",
) -> tuple[Array, Array, Array]: ...
@overload
def svd(
    a: ArrayLike,
    full_matrices: bool,
    compute_uv: Literal[False],
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gesdd", "gesvd"] = "gesdd",
) -> Array: ...
@overload
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    *,
    compute_uv: Literal[False],
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gesdd", "gesvd"] = "gesdd",
) -> Array: ...
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gesdd", "gesvd"] = "gesdd",
) -> Any:
    """Return the singular value decomposition of each matrix, ``U @ diag(s) @ Vh``.

    Args:
        a: matrices, shape ``(..., m, n)``.
        full_matrices: return square `U` and `Vh`; vectors without singular value are defined up to a rotation only.
        compute_uv: return the vectors; else the singular values alone.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        lapack_driver: LAPACK's routine; without effect on traced values.

    Returns:
        ``(U, s, Vh)``, or `s`, largest first, shape ``(..., min(m, n))``.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if `a` has fewer than two axes.

    Example:
        >>> svd(np.diag([1.0, 2.0]), compute_uv=False)
        array([2., 1.])
    """
    arrays = given(a, check_finite=check_finite)
    if arrays is None:
        y = scipy_svd(a, full_matrices, compute_uv, overwrite_a, check_finite, lapack_driver)
        return tuple(y) if compute_uv else y
    (matrix,) = arrays
    if matrix.ndim < 2 or lapack_driver not in ("gesdd", "gesvd"):
        refused(scipy_svd, matrix, lapack_driver=lapack_driver)
    found = parts(apply(svd_p, matrix, full_matrices=bool(full_matrices and compute_uv)))
    return found if compute_uv else found[1]


def svdvals(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """Return the singular values of each matrix, largest first.

    Args:
        a: matrices, shape ``(..., m, n)``.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        The singular values, shape ``(..., min(m, n))``.

    Raises:
        LinAlgError: if it does not converge.

    Example:
        >>> svdvals(np.diag([1.0, 2.0]))
        array([2., 1.])
    """
    s: Array = svd(a, compute_uv=False, overwrite_a=overwrite_a, check_finite=check_finite)
    return s


@overload
def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    eigvals_only: Literal[False] = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Literal[1, 2, 3] = 1,
    check_finite: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    subset_by_value: tuple[float, float] | None = None,
    driver: str | None = None,
) -> tuple[Array, Array]: ...
@overload
def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    eigvals_only: Literal[True],
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Literal[1, 2, 3] = 1,
    check_finite: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    subset_by_value: tuple[float, float] | None = None,
    driver: str | None = None,
) -> Array: ...
def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Literal[1, 2, 3] = 1,
    check_finite: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    subset_by_value: tuple[float, float] | None = None,
    driver: str | None = None,
) -> Any:
    """Return eigenvalues and eigenvectors of each Hermitian matrix, or pair of matrices, ``a @ v = b @ v @ diag(w)``.

    Where eigenvalues coincide, functions that do not depend on the choice of eigenvectors have a finite derivative; of others
    it is not defined. The gradient is symmetrized.

    Args:
        a: Hermitian matrices, shape ``(..., n, n)``.
        b: Hermitian positive definite matrices of the same shape; the identity by default.
        lower: whether lower triangles are read, or upper ones.
        eigvals_only: return the eigenvalues alone.
        overwrite_a: without effect on traced values.
        overwrite_b: without effect on traced values.
        type: for pairs, 1 as above, 2 for ``a @ b @ v = v @ diag(w)``, 3 for ``b @ a @ v = v @ diag(w)``.
        check_finite: raise for elements that are infinite or NaN.
        subset_by_index: the first and the last eigenvalue that is wanted, counted from the smallest.
        subset_by_value: the interval, open on the left, in which eigenvalues are wanted.
        driver: LAPACK's routine; SciPy's default, 'evr', may change the sign of a vector at any time.

    Returns:
        The eigenvalues, ascending, and the vectors as columns, normalized by ``v^H @ b @ v = 1``.

    Raises:
        LinAlgError: if it does not converge, or `b` is not positive definite.
        ValueError: if the shapes do not fit.

    Example:
        >>> eigh(np.array([[2.0, 1.0], [1.0, 2.0]]), eigvals_only=True).round(6)
        array([1., 3.])
    """
    arrays = given(a, b, check_finite=check_finite)
    settings: dict[str, Any] = {
        "driver": driver,
        "subset_by_index": subset_by_index,
        "subset_by_value": subset_by_value,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    if arrays is None:
        more = {"lower": lower, "type": type, "eigvals_only": eigvals_only, "check_finite": check_finite}
        y = scipy_eigh(a, b, overwrite_a=overwrite_a, overwrite_b=overwrite_b, **more, **settings)
        return y if eigvals_only else tuple(y)
    matrix, other = arrays
    square(scipy_eigh, matrix)
    if other is not None and (square(scipy_eigh, other).shape[-1] != matrix.shape[-1] or type not in (1, 2, 3)):
        refused(scipy_eigh, matrix, other, type=type)
    if "subset_by_index" in settings:
        settings["subset_by_index"] = tuple(int(k) for k in settings["subset_by_index"])
    settings["lower"] = bool(lower)
    first = hermitian(matrix, lower)
    if other is None:
        w, v = parts(apply(eigh_some_p, first, **settings))
    elif type == 1:
        lead = np.broadcast_shapes(first.shape[:-2], other.shape[:-2])
        second = hermitian(other, lower)
        w, v = parts(apply(eigh_some_p, *[np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (first, second)], **settings))
    else:
        settings.pop("driver", None)
        if len(settings) == 1:
            settings["driver"] = "evd"  # what LAPACK's routine for pairs goes on with
        root = apply(cholesky_p, hermitian(other, lower))
        w, v = parts(apply(eigh_some_p, np.matmul(np.matmul(adjoint(root), first), root), **settings))
        v = np.linalg.solve(adjoint(root), v) if type == 2 else np.matmul(root, v)
    return w if eigvals_only else (w, v)


def eigvalsh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Literal[1, 2, 3] = 1,
    check_finite: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    subset_by_value: tuple[float, float] | None = None,
    driver: str | None = None,
) -> Array:
    """Return the eigenvalues of each Hermitian matrix, or pair of matrices, ascending; the arguments are those of `eigh`.

    Raises:
        LinAlgError: if it does not converge, or `b` is not positive definite.
        ValueError: if the shapes do not fit.

    Example:
        >>> eigvalsh(np.array([[2.0, 1.0], [1.0, 2.0]])).round(6)
        array([1., 3.])
    """
    w: Array = eigh(
        a,
        b,
        lower=lower,
        eigvals_only=True,
        overwrite_a=overwrite_a,
        overwrite_b=overwrite_b,
        type=type,
        check_finite=check_finite,
        subset_by_index=subset_by_index,
        subset_by_value=subset_by_value,
        driver=driver,
    )
    return w


def eig(
    a: ArrayLike,
    b: ArrayLike | None = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """Return eigenvalues and eigenvectors of each square matrix.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        b: the second matrix of a pair; for plain arrays only.
        left: return left eigenvectors; for plain arrays only.
        right: return right eigenvectors, of length 1.
        overwrite_a: without effect on traced values.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        homogeneous_eigvals: return eigenvalues as pairs; for plain arrays only.

    Returns:
        The eigenvalues, complex, and the vectors that were asked for.

    Raises:
        LinAlgError: if it does not converge.
        MissingRuleError: on traced values, for what is for plain arrays only.
        ValueError: if a matrix is not square.

    Example:
        >>> eig(np.diag([1.0, 2.0]), right=False)
        array([1.+0.j, 2.+0.j])
    """
    arrays = given(a, b, check_finite=check_finite)
    if arrays is None:
        y = scipy_eig(a, b, left, right, overwrite_a, overwrite_b, check_finite, homogeneous_eigvals)
        return tuple(y) if left or right else y
    if arrays[1] is not None or left or homogeneous_eigvals:
        raise MissingRuleError(
            "eig: pairs of matrices, left eigenvectors and homogeneous eigenvalues have no derivative rule. Use "
            "eig(solve(b, a)), and for left eigenvectors eig(a.conj().T)"
        )
    w, v = parts(apply(eig_p, square(scipy_eig, arrays[0])))
    w = astype(w, np.result_type(w.dtype, np.complex64))
    return (w, v) if right else w


def eigvals(
    a: ArrayLike,
    b: ArrayLike | None = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Array:
    """Return the eigenvalues of each square matrix, complex; the arguments are those of `eig`.

    Raises:
        LinAlgError: if it does not converge.
        MissingRuleError: on traced values, for what is for plain arrays only.

    Example:
        >>> eigvals(np.diag([1.0, 2.0]))
        array([1.+0.j, 2.+0.j])
    """
    w: Array = eig(a, b, False, False, overwrite_a, False, check_finite, homogeneous_eigvals)
    return w
