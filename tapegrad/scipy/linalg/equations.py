"""Matrix equations: Sylvester's, Lyapunov's and Riccati's, under SciPy's names."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint
from tapegrad.ops.scipy_linalg.equations import discrete_lyapunov_p, sylvester_p
from tapegrad.ops.scipy_linalg.riccati import riccati_p
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import given
from tapegrad.typing import Array, ArrayLike

scipy_continuous_lyapunov: ArrayFn = scipy.linalg.solve_continuous_lyapunov
scipy_discrete_lyapunov: ArrayFn = scipy.linalg.solve_discrete_lyapunov
scipy_sylvester: ArrayFn = scipy.linalg.solve_sylvester
continuous_are: Callable[..., Array] = scipy.linalg.solve_continuous_are
discrete_are: Callable[..., Array] = scipy.linalg.solve_discrete_are


def _are_square(*matrices: Any) -> bool:
    return all(x.ndim >= 2 and x.shape[-1] == x.shape[-2] for x in matrices)


def solve_sylvester(a: ArrayLike, b: ArrayLike, q: ArrayLike) -> Array:
    """Solve ``a @ x + x @ b = q``.

    Args:
        a: square matrices, shape ``(..., m, m)``.
        b: square matrices, shape ``(..., n, n)``.
        q: the right side, shape ``(..., m, n)``.

    Returns:
        `x`, shape ``(..., m, n)``. Where some arguments are complex and others real, SciPy's own function answers wrongly; for
        traced values all are taken as complex ones.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> solve_sylvester(np.array([[1.0]]), np.array([[1.0]]), np.array([[4.0]]))
        array([[2.]])
    """
    arrays = given(a, b, q)
    if arrays is None:
        return scipy_sylvester(a, b, q)
    left, right, source = arrays
    if not _are_square(left, right) or source.ndim < 2 or source.shape[-2:] != (left.shape[-1], right.shape[-1]):
        refused(scipy_sylvester, left, right, source)
    y: Array = apply(sylvester_p, left, right, source)
    return y


def solve_continuous_lyapunov(a: ArrayLike, q: ArrayLike) -> Array:
    """Solve ``a @ x + x @ a.conj().T = q``.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        q: the right side, of the same shape.

    Returns:
        `x`, shape ``(..., n, n)``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> solve_continuous_lyapunov(np.array([[1.0]]), np.array([[4.0]]))
        array([[2.]])
    """
    arrays = given(a, q, check_finite=True)
    if arrays is None:
        return scipy_continuous_lyapunov(a, q)
    matrix, source = arrays
    if not _are_square(matrix, source) or matrix.shape[-1] != source.shape[-1]:
        refused(scipy_continuous_lyapunov, matrix, source)
    y: Array = apply(sylvester_p, matrix, adjoint(matrix), source)
    return y


solve_lyapunov = solve_continuous_lyapunov


def solve_discrete_lyapunov(a: ArrayLike, q: ArrayLike, method: Literal["direct", "bilinear"] | None = None) -> Array:
    """Solve ``a @ x @ a.conj().T - x + q = 0``.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        q: the right side, of the same shape.
        method: 'direct' for small matrices, 'bilinear' for large ones; by default SciPy chooses by the size.

    Returns:
        `x`, shape ``(..., n, n)``.

    Raises:
        ValueError: if the shapes do not fit, or there is no such method.

    Example:
        >>> solve_discrete_lyapunov(np.array([[0.5]]), np.array([[3.0]]))
        array([[4.]])
    """
    arrays = given(a, q)
    if arrays is None:
        return scipy_discrete_lyapunov(a, q, method)
    matrix, source = arrays
    fits = _are_square(matrix, source) and matrix.shape[-1] == source.shape[-1]
    if not fits or (method is not None and method.lower() not in ("direct", "bilinear")):
        refused(scipy_discrete_lyapunov, matrix, source, method)
    lead = np.broadcast_shapes(matrix.shape[:-2], source.shape[:-2])
    whole = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (matrix, source)]
    y: Array = apply(discrete_lyapunov_p, *whole, method=method)
    return y


def solve_continuous_are(
    a: ArrayLike,
    b: ArrayLike,
    q: ArrayLike,
    r: ArrayLike,
    e: ArrayLike | None = None,
    s: ArrayLike | None = None,
    balanced: bool = True,
) -> Array:
    """Solve the continuous Riccati equation ``a^H x + x a - x b r^-1 b^H x + q = 0`` for the stabilizing `x`.

    Args:
        a: square matrices, shape ``(..., m, m)``.
        b: shape ``(..., m, n)``.
        q: Hermitian, shape ``(..., m, m)``.
        r: Hermitian and not singular, shape ``(..., n, n)``.
        e: a matrix that is not singular, shape ``(..., m, m)``, of the generalized equation ``a^H x e + e^H x a - ...``.
        s: shape ``(..., m, n)``, of the generalized equation ``(e^H x b + s) r^-1 (b^H x e + s^H)``.
        balanced: scale the equation first.

    Returns:
        `x`, shape ``(..., m, m)``. The derivative is that of a function of Hermitian `q` and `r`.

    Raises:
        LinAlgError: if there is no stabilizing solution.
        ValueError: if the shapes do not fit.

    Example:
        >>> one = np.array([[1.0]])
        >>> solve_continuous_are(0 * one, one, one, one)
        array([[1.]])
    """
    return _riccati(continuous_are, (a, b, q, r, e, s), balanced, discrete=False)


def solve_discrete_are(
    a: ArrayLike,
    b: ArrayLike,
    q: ArrayLike,
    r: ArrayLike,
    e: ArrayLike | None = None,
    s: ArrayLike | None = None,
    balanced: bool = True,
) -> Array:
    """Solve the discrete Riccati equation ``a^H x a - x - a^H x b (r + b^H x b)^-1 b^H x a + q = 0`` for the stabilizing `x`.

    Args:
        a: square matrices, shape ``(..., m, m)``.
        b: shape ``(..., m, n)``.
        q: Hermitian, shape ``(..., m, m)``.
        r: Hermitian, shape ``(..., n, n)``; with `s` it must not be singular.
        e: a matrix that is not singular, shape ``(..., m, m)``, of the generalized equation ``a^H x a - e^H x e - ...``.
        s: shape ``(..., m, n)``, of the generalized equation ``(a^H x b + s) (r + b^H x b)^-1 (b^H x a + s^H)``.
        balanced: scale the equation first.

    Returns:
        `x`, shape ``(..., m, m)``. The derivative is that of a function of Hermitian `q` and `r`.

    Raises:
        LinAlgError: if there is no stabilizing solution.
        ValueError: if the shapes do not fit.

    Example:
        >>> one = np.array([[1.0]])
        >>> solve_discrete_are(0 * one, one, one, one)
        array([[1.]])
    """
    return _riccati(discrete_are, (a, b, q, r, e, s), balanced, discrete=True)


def _riccati(function: Callable[..., Array], matrices: tuple[Any, ...], balanced: bool, discrete: bool) -> Array:
    arrays = given(*matrices)
    if arrays is None:
        return function(*matrices, balanced=balanced)
    if any(x is not None and x.ndim < 2 for x in arrays):
        refused(function, *arrays, balanced)
    lead = np.broadcast_shapes(*[x.shape[:-2] for x in arrays if x is not None])
    stacks: list[Any] = [x if x is None or x.shape[:-2] == lead else np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in arrays]
    a, b, q, r, e, s = stacks
    fits = _are_square(a, q, r) and b.shape[-2:] == (a.shape[-1], r.shape[-1]) and q.shape == a.shape
    if not fits or (e is not None and e.shape != a.shape) or (s is not None and s.shape != b.shape):
        refused(function, *arrays, balanced)
    if s is not None:
        solved = np.linalg.solve(r, adjoint(s))
        a, q = a - np.matmul(b, solved), q - np.matmul(s, solved)
    if e is not None:
        inverse = np.linalg.inv(e)
        a, q = np.matmul(a, inverse), np.matmul(np.matmul(adjoint(inverse), q), inverse)
    y: Array = apply(riccati_p, a, b, q, r, discrete=discrete, balanced=balanced)
    return y
