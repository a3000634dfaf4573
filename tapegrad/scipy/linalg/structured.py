"""Matrices built of vectors and blocks, and norms, under SciPy's names."""

from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.var import apply
from tapegrad.numpy.linalg.norms import norm as numpy_norm
from tapegrad.numpy.shapes import plain
from tapegrad.ops.linalg.matrices import conjugate
from tapegrad.ops.scipy_linalg import toeplitz as ops
from tapegrad.ops.scipy_linalg.blocks import block_diagonal_p
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.scipy.linalg.arguments import given
from tapegrad.typing import Array, ArrayLike, Axis

scipy_block_diag: ArrayFn = scipy.linalg.block_diag
scipy_toeplitz: ArrayFn = scipy.linalg.toeplitz
scipy_circulant: ArrayFn = scipy.linalg.circulant
scipy_hankel: ArrayFn = scipy.linalg.hankel
scipy_companion: ArrayFn = scipy.linalg.companion
scipy_convolution_matrix: ArrayFn = scipy.linalg.convolution_matrix
scipy_khatri_rao: ArrayFn = scipy.linalg.khatri_rao
scipy_norm: ArrayFn = scipy.linalg.norm


def block_diag(*arrs: ArrayLike) -> Array:
    """Return the matrices with the given blocks along the diagonal, and zeros elsewhere.

    Args:
        arrs: matrices, shapes ``(..., m, n)``, whose leading axes broadcast; vectors are rows.

    Returns:
        Shape ``(..., m, n)``, whose last lengths are the sums of those of the blocks.

    Example:
        >>> block_diag(np.array([[1.0, 2.0]]), np.array([[3.0]]))
        array([[1., 2., 0.],
               [0., 0., 3.]])
    """
    arrays = traced(*arrs)
    if arrays is None:
        return scipy_block_diag(*arrs)
    blocks = [np.atleast_2d(x) for x in arrays]
    lead = np.broadcast_shapes(*[x.shape[:-2] for x in blocks])
    blocks = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in blocks]
    rows, columns = ((0, *np.cumsum([x.shape[axis] for x in blocks]).tolist()) for axis in (-2, -1))
    y: Array = apply(block_diagonal_p, *blocks, rows=rows, columns=columns)
    return y


def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> Array:
    """Return the matrices that are constant along their diagonals, with the given first column and row.

    Args:
        c: the first column, shape ``(..., m)``.
        r: the first row, shape ``(..., n)``, whose first element is not read; ``conj(c)`` by default.

    Returns:
        Shape ``(..., m, n)``.

    Example:
        >>> toeplitz(np.array([1.0, 2.0]), np.array([1.0, 3.0, 4.0]))
        array([[1., 3., 4.],
               [2., 1., 3.]])
    """
    arrays = traced(c, r)
    if arrays is None:
        return scipy_toeplitz(c, r)
    first, top = vectors(arrays)
    return constant_diagonals(diagonals(first, top), first.shape[-1], top.shape[-1])


def circulant(c: ArrayLike) -> Array:
    """Return the matrices whose columns are `c`, each turned by one place against the one before it.

    Args:
        c: the first column, shape ``(..., n)``.

    Returns:
        Shape ``(..., n, n)``.

    Example:
        >>> circulant(np.array([1.0, 2.0, 3.0]))
        array([[1., 3., 2.],
               [2., 1., 3.],
               [3., 2., 1.]])
    """
    arrays = traced(c)
    if arrays is None:
        return scipy_circulant(c)
    first = np.atleast_1d(arrays[0])
    return constant_diagonals(np.concatenate([first[..., 1:], first], axis=-1), first.shape[-1], first.shape[-1])


def hankel(c: ArrayLike, r: ArrayLike | None = None) -> Array:
    """Return the matrix that is constant along its antidiagonals, with the given first column and last row.

    Args:
        c: the first column, of any shape; read as one vector of length `m`.
        r: the last row, likewise of length `n`, whose first element is not read; zeros by default.

    Returns:
        Shape ``(m, n)``.

    Example:
        >>> hankel(np.array([1.0, 2.0]), np.array([2.0, 3.0, 4.0]))
        array([[1., 2., 3.],
               [2., 3., 4.]])
    """
    arrays = traced(c, r)
    if arrays is None:
        return scipy_hankel(c) if r is None else scipy_hankel(c, r)
    first = np.ravel(arrays[0])
    last = np.zeros_like(first) if arrays[1] is None else np.ravel(arrays[1])
    return constant_diagonals(np.concatenate([first, last[1:]]), len(first), len(last))[:, ::-1]


def companion(a: ArrayLike) -> Array:
    """Return the companion matrices of polynomials, whose eigenvalues are their roots.

    Args:
        a: coefficients, highest first, shape ``(..., n)``; the first is not 0.

    Returns:
        Shape ``(..., n - 1, n - 1)``.

    Raises:
        ValueError: if there are fewer than two coefficients, or the first is 0.

    Example:
        >>> companion(np.array([2.0, -6.0, 4.0]))
        array([[ 3., -2.],
               [ 1.,  0.]])
    """
    arrays = given(a)
    if arrays is None:
        return scipy_companion(a)
    coefficients = np.atleast_1d(arrays[0])
    n = coefficients.shape[-1]
    if n < 2 or np.any(plain(coefficients)[..., 0] == 0):
        refused(scipy_companion, coefficients)
    first = -coefficients[..., 1:] / coefficients[..., :1]
    rest = np.broadcast_to(np.eye(n - 2, n - 1, dtype=first.dtype), (*first.shape[:-1], n - 2, n - 1))
    return np.concatenate([first[..., None, :], rest], axis=-2)


def convolution_matrix(a: ArrayLike, n: int, mode: Literal["full", "valid", "same"] = "full") -> Array:
    """Return the matrix by which a vector of length `n` is multiplied to convolve it with `a`.

    Args:
        a: vectors, shape ``(..., m)``.
        n: the length of what they are multiplied by.
        mode: which part of the convolution, as for ``numpy.convolve``.

    Returns:
        Shape ``(..., k, n)``, where `k` is the length of the convolution.

    Raises:
        ValueError: if `a` is empty, `n` not positive, or there is no such mode.

    Example:
        >>> convolution_matrix(np.array([1.0, 2.0]), 2)
        array([[1., 0.],
               [2., 1.],
               [0., 2.]])
    """
    arrays = traced(a)
    if arrays is None:
        return scipy_convolution_matrix(a, n, mode)
    (kernel,) = arrays
    m = kernel.shape[-1] if kernel.ndim else 0
    if not m or n <= 0 or mode not in ("full", "valid", "same"):
        refused(scipy_convolution_matrix, kernel, n, mode)
    gap = np.zeros((*kernel.shape[:-1], n - 1), kernel.dtype)
    y: Array = ops.toeplitz(np.concatenate([gap, kernel, gap], axis=-1), n)
    trim = 0 if mode == "full" else min(n, m) - 1
    before = trim // 2 if mode == "same" else trim
    return y[..., before : n + m - 1 - (trim - before if mode == "same" else trim), :]


def khatri_rao(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the matrix whose columns are the Kronecker products of the columns of two matrices.

    Args:
        a: shape ``(..., m, k)``.
        b: shape ``(..., n, k)``.

    Returns:
        Shape ``(..., m * n, k)``.

    Raises:
        ValueError: if an argument is no matrix, or they have not as many columns.

    Example:
        >>> khatri_rao(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]))
        array([[ 3.,  8.],
               [ 5., 12.]])
    """
    arrays = traced(a, b)
    if arrays is None:
        return scipy_khatri_rao(a, b)
    x, y = arrays
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        refused(scipy_khatri_rao, x, y)
    products = x[..., :, None, :] * y[..., None, :, :]
    *lead, m, n, k = products.shape
    together: Array = products.reshape(*lead, m * n, k)
    return together


def norm(a: ArrayLike, ord: Any = None, axis: Axis = None, keepdims: bool = False, check_finite: bool = True) -> Array:
    """Return a norm of vectors or of matrices: that of ``numpy.linalg``, after a look for what is not finite.

    Args:
        a: an array of any shape.
        ord: which norm, as for `tapegrad.numpy.linalg.norm`.
        axis: the axis that holds vectors, or the two axes that hold matrices; None for all axes.
        keepdims: leave those axes in the result, with length 1.
        check_finite: raise for elements that are infinite or NaN.

    Returns:
        The norms, of the shape of `a` without those axes.

    Raises:
        ValueError: if there is no such order, or an element is not finite.

    Example:
        >>> float(norm(np.array([3.0, 4.0])))
        5.0
    """
    arrays = given(a, check_finite=check_finite)
    return scipy_norm(a, ord, axis, keepdims, check_finite) if arrays is None else numpy_norm(arrays[0], ord, axis, keepdims)


def vectors(arrays: list[Any]) -> tuple[Any, Any]:
    """Return the first column and the first row of Toeplitz matrices."""
    first = np.atleast_1d(arrays[0])
    top = conjugate(first) if arrays[1] is None else np.atleast_1d(arrays[1])
    if first.ndim == top.ndim == 1:
        return first, top
    lead = np.broadcast_shapes(first.shape[:-1], top.shape[:-1])
    one, other = (np.broadcast_to(x, (*lead, x.shape[-1])) for x in (first, top))
    return one, other


def constant_diagonals(v: Any, rows: int, columns: int) -> Array:
    """Return the matrices whose diagonals hold `v`, from the upper right corner to the lower left one; empty ones need none."""
    y: Array = ops.toeplitz(v, columns) if rows and columns else np.zeros((*v.shape[:-1], rows, columns), v.dtype)
    return y


def diagonals(first: Any, top: Any) -> Any:
    return np.concatenate([top[..., :0:-1], first], axis=-1)
