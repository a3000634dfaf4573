"""Eigenvalues and Cholesky factors of Hermitian band matrices, under SciPy's names.

Traced values are decomposed as full matrices: LAPACK's routines for bands have no derivatives that would be bands.
"""

from typing import Any, Literal, overload

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import conjugate, parts
from tapegrad.ops.linalg.triangular import cholesky_p
from tapegrad.ops.scipy_linalg.banded import full, halves, solve_banded_p, transposed, whole
from tapegrad.ops.scipy_linalg.eigen import eigh_some_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, given, rows_of
from tapegrad.typing import Array, ArrayLike

scipy_eig_banded: Fn = scipy.linalg.eig_banded
scipy_eigh_tridiagonal: Fn = scipy.linalg.eigh_tridiagonal
scipy_cholesky_banded: ArrayFn = scipy.linalg.cholesky_banded
scipy_cho_solve_banded: ArrayFn = scipy.linalg.cho_solve_banded

Select = Literal["a", "v", "i"]
SUBSETS = {"v": "subset_by_value", "value": "subset_by_value", "i": "subset_by_index", "index": "subset_by_index"}
KNOWN = (0, 1, 2, "a", "all", *SUBSETS)


def eig_banded(
    a_band: ArrayLike,
    lower: bool = False,
    eigvals_only: bool = False,
    overwrite_a_band: bool = False,
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    max_ev: int = 0,
    check_finite: bool = True,
) -> Any:
    """Return eigenvalues and eigenvectors of a Hermitian band matrix.

    Args:
        a_band: the diagonals of one half as rows, shape ``(..., u + 1, n)``: of the upper half with ``a_band[u + i - j, j] ==
            a[i, j]``, or of the lower one with ``a_band[i - j, j] == a[i, j]``.
        lower: whether it holds the lower half, or the upper one.
        eigvals_only: return the eigenvalues alone.
        overwrite_a_band: without effect on traced values.
        select: 'a' for all eigenvalues; 'v' for those in the interval `select_range`, open on the left; 'i' for those from the
            first to the last index in `select_range`, counted from the smallest.
        select_range: see `select`.
        max_ev: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        The eigenvalues, ascending, and the vectors as columns, whose signs need not be those of plain arrays.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if `a_band` is no matrix, or `select` not known.

    Example:
        >>> eig_banded(np.array([[0.0, 1.0], [2.0, 2.0]]), eigvals_only=True).round(6)
        array([1., 3.])
    """
    arrays = given(a_band, check_finite=check_finite)
    if arrays is None:
        y = scipy_eig_banded(a_band, lower, eigvals_only, overwrite_a_band, select, select_range, max_ev, check_finite)
        return y if eigvals_only else tuple(y)
    (half,) = arrays
    if half.ndim < 2 or select not in KNOWN:
        refused(scipy_eig_banded, half, lower, select=select, select_range=select_range)
    w, v = _pairs(half, bool(lower), select, select_range)
    return w if eigvals_only else (w, v)


def eigvals_banded(
    a_band: ArrayLike,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    check_finite: bool = True,
) -> Array:
    """Return the eigenvalues of a Hermitian band matrix, ascending; the arguments are those of `eig_banded`.

    Raises:
        LinAlgError: if it does not converge.

    Example:
        >>> eigvals_banded(np.array([[2.0, 2.0], [1.0, 0.0]]), lower=True).round(6)
        array([1., 3.])
    """
    w: Array = eig_banded(a_band, lower, True, overwrite_a_band, select, select_range, 0, check_finite)
    return w


@overload
def eigh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    eigvals_only: Literal[False] = False,
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> tuple[Array, Array]: ...
@overload
def eigh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    eigvals_only: Literal[True],
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Array: ...
def eigh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    eigvals_only: bool = False,
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    """Return eigenvalues and eigenvectors of a real symmetric tridiagonal matrix.

    Args:
        d: its diagonal, shape ``(..., n)``.
        e: the diagonals beside it, shape ``(..., n - 1)``.
        eigvals_only: return the eigenvalues alone.
        select: as for `eig_banded`.
        select_range: as for `eig_banded`.
        check_finite: raise for elements that are infinite or NaN.
        tol: the tolerance of LAPACK's 'stebz'; without effect on traced values.
        lapack_driver: LAPACK's routine; without effect on traced values.

    Returns:
        The eigenvalues, ascending, and the vectors as columns, whose signs need not be those of plain arrays.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if the shapes do not fit.
        TypeError: if an argument is complex.

    Example:
        >>> eigh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0]), eigvals_only=True).round(6)
        array([1., 3.])
    """
    arrays = given(d, e, check_finite=check_finite)
    if arrays is None:
        y = scipy_eigh_tridiagonal(d, e, eigvals_only, select, select_range, check_finite, tol, lapack_driver)
        return y if eigvals_only else tuple(y)
    main, beside = arrays
    fits = main.ndim > 0 and main.shape == (*beside.shape[:-1], beside.shape[-1] + 1) if beside.ndim else False
    if not fits or select not in KNOWN or "c" in (main.dtype.kind, beside.dtype.kind):
        refused(scipy_eigh_tridiagonal, main, beside, eigvals_only, select, select_range)
    gap = np.zeros((*beside.shape[:-1], 1), beside.dtype)
    half = np.stack([main, np.concatenate([beside, gap], axis=-1)], axis=-2)
    w, v = _pairs(half, True, select, select_range)
    return w if eigvals_only else (w, v)


def eigvalsh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    select: Select = "a",
    select_range: tuple[float, float] | None = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Array:
    """Return the eigenvalues of a real symmetric tridiagonal matrix; the arguments are those of `eigh_tridiagonal`.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if the shapes do not fit.

    Example:
        >>> eigvalsh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0])).round(6)
        array([1., 3.])
    """
    w: Array = eigh_tridiagonal(d, e, True, select, select_range, check_finite, tol, lapack_driver)
    return w


def cholesky_banded(ab: ArrayLike, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True) -> Array:
    """Return the Cholesky factor of a Hermitian positive definite band matrix, which is a band too.

    Args:
        ab: the diagonals of one half as rows, shape ``(..., u + 1, n)``, as for `solveh_banded`.
        overwrite_ab: without effect on traced values.
        lower: whether `ab` holds the lower half, or the upper one.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        The diagonals of the factor, stored as those of `ab`, with what `ab` holds in the corners.

    Raises:
        LinAlgError: if the matrix is not positive definite.

    Example:
        >>> cholesky_banded(np.array([[4.0, 2.0], [2.0, 0.0]]), lower=True)
        array([[2., 1.],
               [1., 0.]])
    """
    arrays = given(ab, check_finite=check_finite)
    if arrays is None:
        return scipy_cholesky_banded(ab, overwrite_ab, lower, check_finite)
    (half,) = arrays
    if half.ndim < 2:
        refused(scipy_cholesky_banded, half, lower=lower)
    u = half.shape[-2] - 1
    factor = halves(apply(cholesky_p, full(whole(half, lower), u, u)), u)
    stored = factor if lower else transposed(conjugate(factor), u, 0)
    filled: Array = np.where(_in_matrix(u, half.shape[-1], lower), stored, half)
    return filled


def cho_solve_banded(
    cb_and_lower: tuple[ArrayLike, bool], b: ArrayLike, overwrite_b: bool = False, check_finite: bool = True
) -> Array:
    """Solve ``a @ x = b``, given the Cholesky factor of a band matrix `a`.

    Args:
        cb_and_lower: what `cholesky_banded` returns, and `lower`.
        b: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `x`, in the shape of `b`.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> cho_solve_banded((np.array([[2.0, 1.0], [1.0, 0.0]]), True), np.array([6.0, 4.0]))
        array([1., 1.])
    """
    cb, lower = cb_and_lower
    arrays = given(cb, b, check_finite=check_finite)
    if arrays is None:
        return scipy_cho_solve_banded((cb, lower), b, overwrite_b, check_finite)
    factor, right = arrays
    if factor.ndim < 2 or rows_of(right) != factor.shape[-1]:
        refused(lambda c, x: scipy_cho_solve_banded((c, lower), x), factor, right)
    right, vector = column(right)
    u = factor.shape[-2] - 1
    below = factor if lower else transposed(conjugate(factor), 0, u)
    above = transposed(conjugate(below), u, 0)
    half = apply(solve_banded_p, below, right, lower=u, upper=0)
    y: Array = apply(solve_banded_p, above, half, lower=0, upper=u)
    return y[..., 0] if vector else y


def _in_matrix(u: int, n: int, lower: bool) -> Any:
    """Tell which elements of the storage of one half belong to the matrix."""
    distance, column = np.arange(u + 1)[:, None], np.arange(n)
    return column < n - distance if lower else column >= u - distance


def _pairs(half: Any, lower: bool, select: Any, select_range: Any) -> Any:
    """Return eigenvalues and eigenvectors of the Hermitian matrices of which one half is given as diagonals."""
    u = half.shape[-2] - 1
    settings: dict[str, Any] = {"lower": lower}
    named: dict[Any, str] = {**SUBSETS, 1: SUBSETS["v"], 2: SUBSETS["i"]}
    subset = named.get(select)
    if subset is None:
        settings["driver"] = "evd"
    else:
        settings[subset] = tuple(select_range)
    return parts(apply(eigh_some_p, full(half, u, 0) if lower else full(half, 0, u), **settings))
