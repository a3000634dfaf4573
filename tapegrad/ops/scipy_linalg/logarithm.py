"""The derivative of the logarithm of a matrix.

In the basis of Schur all matrices are triangular. Square roots bring the matrix near the identity, and the direction with it,
by one Sylvester equation a root; there the derivative is an integral, which a few points give to the last digit. Nothing in it
is a difference of nearly equal numbers.

References:
    A. H. Al-Mohy, N. J. Higham, S. D. Relton, "Computing the Frechet derivative of the matrix logarithm and estimating the
    condition number", SIAM J. Sci. Comput. 35 (2013), https://doi.org/10.1137/120885991.
"""

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(8)
POINTS, WEIGHTS = (POINTS + 1.0) / 2.0, WEIGHTS / 2.0

NEAR = 0.2
"""How near to the identity a root must come: eight points are exact there."""

MOST = 100
"""So many roots are taken at most: a singular matrix comes no nearer."""

sqrtm: Fn = scipy.linalg.sqrtm
schur: Fn = scipy.linalg.schur
trsyl: Any = scipy.linalg.get_lapack_funcs("trsyl", dtype=np.complex128)


def triangular_log(t: Any, e: Any) -> tuple[Any, Any]:
    """Return the logarithm of an upper triangular matrix, and its derivative in the direction `e`."""
    one = np.eye(len(t))
    scale = 1.0
    root = t
    for _ in range(MOST):
        if not np.linalg.norm(root - one, 1) > NEAR:
            break
        root = np.triu(sqrtm(root))
        e, shrunk, _ = trsyl(root, root, e)
        e = e * shrunk
        scale *= 2.0
    steps = (1.0 - POINTS)[:, None, None] * one + POINTS[:, None, None] * root
    inverses = np.linalg.inv(steps)
    log = scale * np.tensordot(WEIGHTS, inverses @ (root - one), 1)
    np.fill_diagonal(log, np.log(np.diagonal(t)))
    return log, scale * np.tensordot(WEIGHTS, inverses @ e @ inverses, 1)


def each_pair(compute: Fn) -> Fn:
    """Return a function of two matrices as one of stacks of matrices, which must have the same leading axes."""

    def whole(a: Any, e: Any, **settings: Any) -> Any:
        if a.ndim == 2:
            return compute(a, e, **settings)
        return np.stack([whole(*pair, **settings) for pair in zip(a, e, strict=True)])

    return whole


def in_schur_basis(a: Any, e: Any, compute: Fn) -> Any:
    """Return a derivative at `a` in the direction `e`, computed where `a` is triangular; real if it is."""
    dtype = np.result_type(a, e)
    t, u = schur(a.astype(np.complex128), output="complex", check_finite=False)
    y = u @ compute(t, u.conj().T @ e @ u) @ u.conj().T
    values = np.diagonal(t)
    cut = (values.real < 0) & (np.abs(values.imag) <= 1e-12 * np.abs(values))
    single = dtype.char in "fF"
    if dtype.kind == "c" or np.any(cut):
        return y.astype(np.complex64) if single else y
    return y.real.astype(dtype)


@each_pair
def log_derivative(a: Any, e: Any) -> Any:
    """Return the derivative of the logarithm of `a` in the direction `e`."""
    return in_schur_basis(a, e, lambda t, inner: triangular_log(t, inner)[1])
