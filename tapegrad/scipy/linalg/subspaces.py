"""Least squares, and the spaces that matrices map to and from, under SciPy's names."""

from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn
from tapegrad.core.var import Var, apply
from tapegrad.numpy.linalg.solving import lstsq as numpy_lstsq
from tapegrad.numpy.shapes import plain
from tapegrad.ops.linalg.matrices import adjoint, parts
from tapegrad.ops.linalg.svd import svd_p
from tapegrad.ops.scipy_linalg.polar import polar_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, given, rows_of
from tapegrad.typing import Array, ArrayLike

scipy_lstsq: Fn = scipy.linalg.lstsq
scipy_null_space: ArrayFn = scipy.linalg.null_space
scipy_orth: ArrayFn = scipy.linalg.orth
scipy_procrustes: Fn = scipy.linalg.orthogonal_procrustes
scipy_subspace_angles: ArrayFn = scipy.linalg.subspace_angles


def lstsq(
    a: ArrayLike,
    b: ArrayLike,
    cond: float | None = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gelsd", "gelsy", "gelss"] | None = None,
) -> tuple[Any, Any, Any, Any]:
    """Return the solution of least norm that makes ``norm(a @ x - b)`` least.

    Args:
        a: matrices, shape ``(..., m, n)``.
        b: a vector of shape ``(m,)``, or columns of shape ``(..., m, k)``.
        cond: singular values below this part of the largest one are taken for zeros; the machine precision by default.
        overwrite_a: without effect on traced values.
        overwrite_b: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        lapack_driver: LAPACK's routine; for traced values only 'gelsy' makes a difference: there are no residuals and no
            singular values then.

    Returns:
        The solution; the sums of squared residuals, empty where `a` has not more rows than columns or not full rank; the rank;
        the singular values of `a`.

    Raises:
        LinAlgError: if the decomposition does not converge.
        ValueError: if the shapes do not fit, or there is no such routine.

    Example:
        >>> lstsq(np.array([[1.0], [1.0]]), np.array([1.0, 3.0]))[0]
        array([2.])
    """
    arrays = given(a, b, check_finite=check_finite)
    if arrays is None:
        x, residuals, rank, s = scipy_lstsq(a, b, cond, overwrite_a, overwrite_b, check_finite, lapack_driver)
        return x, residuals, rank, s
    matrix, right = arrays
    known = lapack_driver in (None, "gelsd", "gelsy", "gelss")
    fits = matrix.ndim >= 2 and matrix.shape[-2] == rows_of(right)
    if not known or not fits:
        refused(scipy_lstsq, matrix, right, cond, lapack_driver=lapack_driver)
    if matrix.ndim == 2 and right.ndim <= 2:
        return _lstsq(matrix, right, cond, lapack_driver)
    vector = right.ndim == 1
    right = column(right)[0]
    lead = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrices, rights = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (matrix, right))
    found = zip(*[_lstsq(matrices[at], rights[at], cond, lapack_driver) for at in np.ndindex(lead)], strict=True)
    stacked: Any = (None if y[0] is None else np.stack(y).reshape(*lead, *np.shape(y[0])) for y in found)
    x, residuals, rank, s = stacked
    if vector:
        x, residuals = (y[..., 0] if y.shape[-1] else y for y in (x, residuals))
    return x, residuals, rank, s


def _lstsq(matrix: Any, right: Any, cond: float | None, lapack_driver: str | None) -> tuple[Any, Any, Any, Any]:
    """Return what `lstsq` does, for one matrix."""
    found = numpy_lstsq(matrix, right, float(np.finfo(matrix.dtype).eps) if cond is None else cond)
    none = np.zeros(0, plain(found.x).dtype)
    if lapack_driver == "gelsy":
        return found.x, none, found.rank, None
    over = matrix.shape[0] > matrix.shape[1] and np.size(found.residuals) > 0
    residuals = none if not over else found.residuals if right.ndim == 2 else found.residuals[0]
    return found.x, residuals, found.rank, found.s


def orth(A: ArrayLike, rcond: float | None = None) -> Array:
    """Return an orthonormal basis of the range of each matrix.

    The basis is defined up to a rotation only. What does not depend on the choice has a derivative: ``q @ q.conj().T``, say.

    Args:
        A: matrices, shape ``(..., m, n)``; under `vmap` and `jit`, which do not look at values, of full rank.
        rcond: singular values below this part of the largest one are taken for zeros; by default ``max(m, n)`` times the
            machine precision.

    Returns:
        The basis as columns, shape ``(..., m, rank)``.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if `A` has fewer than two axes.

    Example:
        >>> orth(np.array([[0.0, 0.0], [0.0, 2.0]])).shape
        (2, 1)
    """
    arrays = given(A)
    if arrays is None:
        return scipy_orth(A, rcond)
    (matrix,) = arrays
    if matrix.ndim < 2:
        refused(scipy_orth, matrix, rcond)
    u, s, _ = parts(apply(svd_p, matrix, full_matrices=False))
    basis: Array = u[..., : _rank(scipy_orth, matrix, s, rcond)]
    return basis


def null_space(
    A: ArrayLike,
    rcond: float | None = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Literal["gesdd", "gesvd"] = "gesdd",
) -> Array:
    """Return an orthonormal basis of the vectors that each matrix maps to 0.

    The basis is defined up to a rotation only. What does not depend on the choice has a derivative: ``q @ q.conj().T``, say.

    Args:
        A: matrices, shape ``(..., m, n)``; under `vmap` and `jit`, which do not look at values, of full rank.
        rcond: singular values below this part of the largest one are taken for zeros; by default ``max(m, n)`` times the
            machine precision.
        overwrite_a: without effect on traced values.
        check_finite: raise for elements that are infinite or NaN.
        lapack_driver: LAPACK's routine; without effect on traced values.

    Returns:
        The basis as columns, shape ``(..., n, n - rank)``.

    Raises:
        LinAlgError: if it does not converge.
        ValueError: if `A` has fewer than two axes.

    Example:
        >>> abs(null_space(np.array([[3.0, 4.0]]))).round(6)
        array([[0.8],
               [0.6]])
    """
    arrays = given(A, check_finite=check_finite)
    if arrays is None:
        more = {"overwrite_a": overwrite_a, "check_finite": check_finite, "lapack_driver": lapack_driver}
        return scipy_null_space(A, rcond, **more)
    (matrix,) = arrays
    if matrix.ndim < 2 or lapack_driver not in ("gesdd", "gesvd"):
        refused(scipy_null_space, matrix, rcond, lapack_driver=lapack_driver)
    _, s, vh = parts(apply(svd_p, matrix, full_matrices=True))
    basis: Array = adjoint(vh[..., _rank(scipy_null_space, matrix, s, rcond) :, :])
    return basis


def orthogonal_procrustes(A: ArrayLike, B: ArrayLike, check_finite: bool = True) -> tuple[Array, Array]:
    """Return the orthogonal matrix `R` that makes ``norm(A @ R - B)`` least.

    Args:
        A: shape ``(..., m, n)``.
        B: shape ``(..., m, n)``; ``A.conj().T @ B`` is not singular.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        `R`, shape ``(..., n, n)``, and the sum of the singular values of ``A.conj().T @ B``.

    Raises:
        ValueError: if the shapes differ, or are not those of matrices.

    Example:
        >>> R, scale = orthogonal_procrustes(np.eye(2), np.array([[0.0, 2.0], [-2.0, 0.0]]))
        >>> R
        array([[ 0.,  1.],
               [-1.,  0.]])
    """
    arrays = given(A, B, check_finite=check_finite)
    if arrays is None:
        rotation, scale = scipy_procrustes(A, B, check_finite)
        return rotation, scale
    a, b = arrays
    if a.ndim < 2 or a.shape != b.shape:
        refused(scipy_procrustes, a, b)
    u, p = parts(apply(polar_p, np.matmul(adjoint(a), b)))
    return u, np.real(np.trace(p, axis1=-2, axis2=-1))


def subspace_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Return the angles between the ranges of two matrices.

    Args:
        A: shape ``(..., m, k)``, of full rank under `vmap` and `jit`.
        B: shape ``(..., m, n)``, likewise.

    Returns:
        The angles in radians, between 0 and pi / 2, largest first.

    Raises:
        ValueError: if an argument is no matrix, or they have not as many rows.

    Example:
        >>> subspace_angles(np.array([[1.0], [0.0]]), np.array([[1.0], [1.0]])).round(6)
        array([0.785398])
    """
    arrays = given(A, B, check_finite=True)
    if arrays is None:
        return scipy_subspace_angles(A, B)
    a, b = arrays
    if a.ndim < 2 or b.ndim < 2 or a.shape[-2] != b.shape[-2]:
        refused(scipy_subspace_angles, a, b)
    one, other = orth(a), orth(b)
    if one.shape[-1] < other.shape[-1]:
        one, other = other, one
    common = np.matmul(adjoint(one), other)
    cosines = _singular_values(common)[..., ::-1]  # the least belongs to the largest angle
    sines = _singular_values(other - np.matmul(one, common))
    # of the two, each is accurate and has a derivative where it is small
    small = np.greater_equal(cosines**2, 0.5)
    angles: Array = np.where(small, np.arcsin(np.clip(sines, -1.0, 1.0)), np.arccos(np.clip(cosines, -1.0, 1.0)))
    return angles


def _singular_values(x: Any) -> Any:
    return parts(apply(svd_p, x, full_matrices=False))[1]


def _rank(function: Fn, matrix: Any, s: Any, rcond: float | None) -> int:
    """Return how many singular values count; all, where no value may be known."""
    if type(s) is Var and s.tape.abstract:
        return int(s.shape[-1])
    values = plain(s)
    cut = max(matrix.shape[-2:]) * np.finfo(values.dtype).eps if rcond is None else rcond
    ranks = np.unique(np.sum(values > cut * np.max(values, axis=-1, keepdims=True, initial=0.0), axis=-1))
    if len(ranks) > 1:
        refused(function, matrix, rcond)
    return int(ranks[0]) if len(ranks) else 0
