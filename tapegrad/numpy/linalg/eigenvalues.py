"""Eigenvalues and eigenvectors, under NumPy's names."""

from typing import Any, Literal, NamedTuple

import numpy as np

from tapegrad.core.var import Var, apply, unary
from tapegrad.numpy.door import stands_for
from tapegrad.numpy.linalg.arguments import LINALG, hermitian, matrix
from tapegrad.ops.linalg.eigen import eig_p, eigh_p
from tapegrad.ops.linalg.matrices import parts
from tapegrad.typing import Array, ArrayLike


class EighResult(NamedTuple):
    """What `eigh` returns.

    Attributes:
        eigenvalues: real, ascending, shape ``(..., n)``.
        eigenvectors: as columns, shape ``(..., n, n)``.
    """

    eigenvalues: Array
    eigenvectors: Array


class EigResult(NamedTuple):
    """What `eig` returns.

    Attributes:
        eigenvalues: in no order, complex unless all are real, shape ``(..., n)``.
        eigenvectors: as columns of length 1, shape ``(..., n, n)``.
    """

    eigenvalues: Array
    eigenvectors: Array


def _decomposed(a: Any, uplo: str) -> Any:
    """Record the decomposition of a matrix that is given by one triangle."""
    triangle = uplo.upper()
    if triangle not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return apply(eigh_p, hermitian(a, triangle), lower=triangle == "L")


@stands_for(np.linalg.eigh)
def eigh(a: ArrayLike, UPLO: Literal["L", "U"] = "L") -> EighResult:
    """Return eigenvalues and eigenvectors of each Hermitian matrix.

    The derivative is that of a function of Hermitian matrices: the gradient is symmetrized. Where eigenvalues coincide exactly,
    functions of the space that their eigenvectors span have a finite derivative, and of the single vectors it is not defined. A
    function of the matrix that is put together of both, ``(v * g(w)) @ v.conj().T``, gets a finite one that lacks what `g`
    changes between them, as no cotangent tells it; `expm`, `sqrtm` and `logm` of `tapegrad.scipy.linalg` are right there.

    Args:
        a: Hermitian matrices, shape ``(..., n, n)``.
        UPLO: which triangle is read, the lower one or the upper one.

    Returns:
        The eigenvalues, ascending, and the eigenvectors.

    Raises:
        LinAlgError: if a matrix is not square, or it does not converge.
        ValueError: for another `UPLO`.

    Example:
        >>> eigh(np.array([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
        array([1., 3.])

    References:
        M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
        differentiation", Oxford 2008, section 3.1.
    """
    a = matrix(a, np.linalg.eigh, square=True)
    return EighResult(*(parts(_decomposed(a, UPLO)) if type(a) is Var else LINALG.eigh(a, UPLO)))


@stands_for(np.linalg.eigvalsh)
def eigvalsh(a: ArrayLike, UPLO: Literal["L", "U"] = "L") -> Array:
    """Return the eigenvalues of each Hermitian matrix.

    Args:
        a: Hermitian matrices, shape ``(..., n, n)``.
        UPLO: which triangle is read, the lower one or the upper one.

    Returns:
        The eigenvalues, ascending, shape ``(..., n)``.

    Raises:
        LinAlgError: if a matrix is not square, or it does not converge.

    Example:
        >>> eigvalsh(np.array([[2.0, 1.0], [1.0, 2.0]]))
        array([1., 3.])
    """
    a = matrix(a, np.linalg.eigh, square=True)
    y: Array = eigh(a, UPLO).eigenvalues if type(a) is Var else LINALG.eigvalsh(a, UPLO)
    return y


@stands_for(np.linalg.eig)
def eig(a: ArrayLike) -> EigResult:
    """Return eigenvalues and eigenvectors of each square matrix.

    Each eigenvector has length 1 and its largest component is real, as LAPACK makes it. Where eigenvalues coincide, functions
    that do not depend on the choice of eigenvectors have a finite derivative; of others it is not defined.

    Args:
        a: square matrices, shape ``(..., n, n)``.

    Returns:
        Eigenvalues and eigenvectors, complex unless all eigenvalues are real.

    Raises:
        LinAlgError: if a matrix is not square, it does not converge, or, in the derivative, the eigenvectors are dependent.

    Example:
        >>> eig(np.diag([1.0, 2.0])).eigenvalues
        array([1., 2.])
    """
    a = matrix(a, np.linalg.eig, square=True)
    return EigResult(*(parts(unary(eig_p, a)) if type(a) is Var else LINALG.eig(a)))


@stands_for(np.linalg.eigvals)
def eigvals(a: ArrayLike) -> Array:
    """Return the eigenvalues of each square matrix.

    Args:
        a: square matrices, shape ``(..., n, n)``.

    Returns:
        Complex numbers unless all are real, in no order, shape ``(..., n)``.

    Raises:
        LinAlgError: if a matrix is not square, it does not converge, or, in the derivative, the eigenvectors are dependent.

    Example:
        >>> eigvals(np.diag([1.0, 2.0]))
        array([1., 2.])
    """
    a = matrix(a, np.linalg.eig, square=True)
    y: Array = eig(a).eigenvalues if type(a) is Var else LINALG.eigvals(a)
    return y
