"""Cholesky, QR and singular value decompositions, under NumPy's names."""

from typing import Any, Literal, NamedTuple, overload

import numpy as np

from tapegrad.core.var import Var, apply, unary
from tapegrad.errors import MissingRuleError
from tapegrad.numpy.door import stands_for
from tapegrad.numpy.linalg.arguments import LINALG, matrix
from tapegrad.numpy.linalg.arguments import hermitian as symmetric
from tapegrad.ops.linalg.eigen import eigh_p
from tapegrad.ops.linalg.matrices import adjoint, parts
from tapegrad.ops.linalg.svd import svd_p
from tapegrad.ops.linalg.triangular import cholesky_p, qr_p
from tapegrad.typing import Array, ArrayLike


class QRResult(NamedTuple):
    """What `qr` returns.

    Attributes:
        Q: orthonormal columns, shape ``(..., m, k)``.
        R: upper triangular, shape ``(..., k, n)``.
    """

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What `svd` returns.

    Attributes:
        U: left singular vectors as columns, shape ``(..., m, k)`` or ``(..., m, m)``.
        S: singular values, largest first, shape ``(..., k)``.
        Vh: right singular vectors, conjugated, as rows, shape ``(..., k, n)`` or ``(..., n, n)``.
    """

    U: Array
    S: Array
    Vh: Array


@stands_for(np.linalg.cholesky)
def cholesky(a: ArrayLike, /, *, upper: bool = False) -> Array:
    """Return the Cholesky factor of each matrix: lower triangular `L` with ``L @ L.conj().T = a``.

    The derivative is that of a function of Hermitian matrices: the gradient is symmetrized.

    Args:
        a: Hermitian positive definite matrices, shape ``(..., n, n)``; one triangle is read, the one that is returned.
        upper: return the upper factor `U` with ``U.conj().T @ U = a``.

    Returns:
        Triangular matrices of the same shape.

    Raises:
        LinAlgError: if a matrix is not square or not positive definite.

    Example:
        >>> cholesky(np.array([[4.0, 2.0], [2.0, 2.0]]))
        array([[2., 0.],
               [1., 1.]])

    References:
        I. Murray, "Differentiation of the Cholesky decomposition", 2016, https://arxiv.org/abs/1602.07527.
    """
    a = matrix(a, np.linalg.cholesky, square=True)
    if type(a) is not Var:
        y: Array = LINALG.cholesky(a, upper=upper)
        return y
    lower: Any = unary(cholesky_p, symmetric(a, "U" if upper else "L"))
    factor: Array = adjoint(lower) if upper else lower
    return factor


@overload
def qr(a: ArrayLike, mode: Literal["reduced", "complete"] = "reduced") -> QRResult: ...
@overload
def qr(a: ArrayLike, mode: Literal["r"]) -> Array: ...
@overload
def qr(a: ArrayLike, mode: Literal["raw"]) -> tuple[Array, Array]: ...
@stands_for(np.linalg.qr)
def qr(a: ArrayLike, mode: Literal["reduced", "complete", "r", "raw"] = "reduced") -> Any:
    """Return the QR decomposition of each matrix.

    Args:
        a: matrices, shape ``(..., m, n)``, whose first ``k = min(m, n)`` columns are independent.
        mode: 'reduced' for `Q` of shape ``(..., m, k)``; 'complete' for `Q` of shape ``(..., m, m)``, whose columns from `n` on
            are defined up to a rotation only; 'r' for `R` alone; 'raw', without derivative.

    Returns:
        ``(Q, R)``, or `R`.

    Raises:
        LinAlgError: if the columns are dependent, in the derivative.
        ValueError: for another mode.

    Example:
        >>> Q, R = qr(np.array([[3.0, 1.0], [4.0, 1.0]]))
        >>> np.allclose(Q @ R, [[3.0, 1.0], [4.0, 1.0]])
        True

    References:
        S. F. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
        experimental design", 2010, https://arxiv.org/abs/1001.1654.

        D. A. O. Roberts, L. R. Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square, wide, and deep
        matrices", 2020, https://arxiv.org/abs/2009.10071.
    """
    a = matrix(a, np.linalg.qr)
    if type(a) is not Var:
        y = LINALG.qr(a, mode)
        return QRResult(*y) if mode in ("reduced", "complete") else y
    if mode not in ("reduced", "complete", "r"):
        LINALG.qr(np.eye(1), mode)  # says what is wrong
        raise MissingRuleError(f"qr: mode {mode!r} has no derivative rule; use 'reduced', 'complete' or 'r'")
    Q, R = parts(apply(qr_p, a, mode="complete" if mode == "complete" else "reduced"))
    return R if mode == "r" else QRResult(Q, R)


@overload
def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: Literal[True] = True, hermitian: bool = False) -> SVDResult: ...
@overload
def svd(a: ArrayLike, full_matrices: bool, compute_uv: Literal[False], hermitian: bool = False) -> Array: ...
@overload
def svd(a: ArrayLike, full_matrices: bool = True, *, compute_uv: Literal[False], hermitian: bool = False) -> Array: ...
@stands_for(np.linalg.svd)
def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return the singular value decomposition of each matrix, ``U @ diag(S) @ Vh``.

    Where singular values coincide or vanish, vectors are not defined: functions that do not depend on their choice have a
    finite derivative, of others it is not defined.

    Args:
        a: matrices, shape ``(..., m, n)``.
        full_matrices: return square `U` and `Vh`; the vectors without singular value are defined up to a rotation only.
        compute_uv: return the vectors; else the singular values alone.
        hermitian: the matrices are Hermitian; their lower triangle is read.

    Returns:
        ``(U, S, Vh)`` or `S`, shape ``(..., min(m, n))``.

    Raises:
        LinAlgError: if it does not converge.

    Example:
        >>> svd(np.diag([1.0, 2.0])).S
        array([2., 1.])

    References:
        J. Townsend, "Differentiating the singular value decomposition", 2016,
        https://j-towns.github.io/papers/svd-derivative.pdf.
    """
    a = matrix(a, np.linalg.svd, square=hermitian)
    if type(a) is not Var:
        y = LINALG.svd(a, full_matrices, compute_uv, hermitian)
        return SVDResult(*y) if compute_uv else y
    if hermitian:
        return _from_eigenvalues(a, compute_uv)
    if not compute_uv:
        return parts(apply(svd_p, a, full_matrices=False))[1]
    return SVDResult(*parts(apply(svd_p, a, full_matrices=full_matrices)))


def _from_eigenvalues(a: Any, compute_uv: bool) -> Any:
    w, v = parts(unary(eigh_p, symmetric(a)))
    order = np.argsort(-np.abs(w), axis=-1)
    s = np.take_along_axis(np.abs(w), order, axis=-1)
    if not compute_uv:
        return s
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    signs = np.where(np.take_along_axis(w, order, axis=-1) < 0, -1.0, 1.0)
    return SVDResult(u, s, adjoint(u * signs[..., None, :].astype(s.dtype)))


@stands_for(np.linalg.svdvals)
def svdvals(x: ArrayLike, /) -> Array:
    """Return the singular values of each matrix, largest first.

    Args:
        x: matrices, shape ``(..., m, n)``.

    Returns:
        Shape ``(..., min(m, n))``.

    Raises:
        LinAlgError: if the decomposition does not converge.

    Example:
        >>> svdvals(np.diag([1.0, 2.0]))
        array([2., 1.])
    """
    return svd(x, compute_uv=False)
