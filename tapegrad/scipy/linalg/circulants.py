"""Products and systems with circulant and Toeplitz matrices by Fourier transforms, under SciPy's names."""

from typing import Any, Literal

import numpy as np
import scipy.linalg

from tapegrad.core.var import Var
from tapegrad.numpy.shapes import plain
from tapegrad.scipy.arguments import ArrayFn, refused
from tapegrad.scipy.linalg.arguments import column, given, rows_of
from tapegrad.scipy.linalg.structured import vectors
from tapegrad.typing import Array, ArrayLike

scipy_solve_circulant: ArrayFn = scipy.linalg.solve_circulant
scipy_matmul_toeplitz: ArrayFn = scipy.linalg.matmul_toeplitz


def solve_circulant(
    c: ArrayLike,
    b: ArrayLike,
    singular: Literal["raise", "lstsq"] = "raise",
    tol: float | None = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Array:
    """Solve ``circulant(c) @ x = b``.

    Args:
        c: the first column of the matrix, along `caxis`; the other axes broadcast against those of `b`.
        b: the right side, along `baxis`.
        singular: what to do where an eigenvalue of the matrix nearly vanishes: 'raise', or solve for the others ('lstsq').
        tol: eigenvalues of at most this size are taken for zeros; by default the largest one times the length times the
            machine precision.
        caxis: the axis of `c`.
        baxis: the axis of `b`.
        outaxis: the axis of the result that holds `x`.

    Returns:
        The solution.

    Raises:
        LinAlgError: if the matrix is nearly singular, for 'raise'. Under `vmap` and `jit`, which do not look at values, it is
            taken not to be.
        ValueError: if the lengths differ.

    Example:
        >>> solve_circulant(np.array([2.0, 1.0]), np.array([3.0, 3.0]))
        array([1., 1.])
    """
    arrays = given(c, b)
    if arrays is None:
        return scipy_solve_circulant(c, b, singular, tol, caxis, baxis, outaxis)
    first, right = [np.atleast_1d(x) for x in arrays]
    fits = -first.ndim <= caxis < first.ndim and -right.ndim <= baxis < right.ndim
    if not fits or first.shape[caxis] != right.shape[baxis] or not right.size:
        refused(scipy_solve_circulant, first, right, singular, tol, caxis, baxis, outaxis)
    values: Any = np.fft.fft(np.moveaxis(first, caxis, -1))
    if not (type(values) is Var and values.tape.abstract):
        sizes = np.abs(plain(values))
        n, eps = first.shape[caxis], float(np.finfo(np.float64).eps)
        vanish = sizes <= (np.max(sizes, axis=-1, keepdims=True) * n * eps if tol is None else tol)
        if np.any(vanish):
            if singular == "raise":
                raise np.linalg.LinAlgError("near singular circulant matrix.")
            values = np.where(vanish, np.inf, values)
    x = np.fft.ifft(np.fft.fft(np.moveaxis(right, baxis, -1)) / values)
    x = x if "c" in (first.dtype.kind, right.dtype.kind) else np.real(x)
    return np.moveaxis(x, -1, outaxis)


def matmul_toeplitz(
    c_or_cr: ArrayLike | tuple[ArrayLike, ArrayLike], x: ArrayLike, check_finite: bool = False, workers: int | None = None
) -> Array:
    """Return ``toeplitz(c, r) @ x``, without making the matrix.

    Args:
        c_or_cr: the first column of the matrix, shape ``(..., m)``, or a tuple of that and the first row, which by default is
            ``conj(c)``.
        x: a vector of shape ``(n,)``, or matrices of shape ``(..., n, k)``.
        check_finite: raise for elements that are infinite or NaN.
        workers: how many threads SciPy's transforms use; without effect on traced values.

    Returns:
        Shape ``(..., m)`` or ``(..., m, k)``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> matmul_toeplitz((np.array([2.0, 0.0]), np.array([2.0, 1.0])), np.array([1.0, 1.0])).round(6)
        array([3., 2.])
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    arrays = given(c, r, x, check_finite=check_finite)
    if arrays is None:
        return scipy_matmul_toeplitz(c_or_cr, x, check_finite, workers)
    first, top = vectors(arrays[:2])
    right = arrays[2]
    if rows_of(right) != top.shape[-1]:
        refused(lambda c, r, x: scipy_matmul_toeplitz((c, r), x), first, top, right)
    right, vector = column(right)
    n = first.shape[-1] + top.shape[-1] - 1
    around = np.concatenate([first, top[..., :0:-1]], axis=-1)[..., None]
    product: Any
    if "c" in (around.dtype.kind, right.dtype.kind):
        product = np.fft.ifft(np.fft.fft(around, axis=-2) * np.fft.fft(right, n, axis=-2), axis=-2)
    else:
        product = np.fft.irfft(np.fft.rfft(around, axis=-2) * np.fft.rfft(right, n, axis=-2), n, axis=-2)
    y: Array = product[..., : first.shape[-1], :]
    return y[..., 0] if vector else y
