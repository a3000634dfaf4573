"""Matrices with a few elements of their own, of populations, polynomials and distances, under SciPy's names."""

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.numpy.shapes import plain
from tapegrad.scipy.arguments import ArrayFn, refused, traced
from tapegrad.scipy.linalg.arguments import given
from tapegrad.typing import Array, ArrayLike

scipy_diagsvd: ArrayFn = scipy.linalg.diagsvd
scipy_fiedler: ArrayFn = scipy.linalg.fiedler
scipy_fiedler_companion: ArrayFn = scipy.linalg.fiedler_companion
scipy_leslie: ArrayFn = scipy.linalg.leslie


def diagsvd(s: ArrayLike, M: int, N: int) -> Array:
    """Return the matrices of shape ``(..., M, N)`` with `s` on its diagonal and zeros elsewhere.

    Args:
        s: singular values, shape ``(..., k)``, as many as the smaller of `M` and `N`.
        M: how many rows.
        N: how many columns.

    Returns:
        Shape ``(..., M, N)``.

    Raises:
        ValueError: if `s` has neither `M` nor `N` elements.

    Example:
        >>> diagsvd(np.array([2.0, 1.0]), 2, 3)
        array([[2., 0., 0.],
               [0., 1., 0.]])
    """
    arrays = traced(s)
    if arrays is None:
        return scipy_diagsvd(s, M, N)
    (values,) = arrays
    k = values.shape[-1] if values.ndim else -1
    if k != min(M, N):
        refused(scipy_diagsvd, values, M, N)
    rows = values[..., :, None] * np.eye(k, N, dtype=values.dtype)
    return np.concatenate([rows, np.zeros((*values.shape[:-1], M - k, N), rows.dtype)], axis=-2)


def leslie(f: ArrayLike, s: ArrayLike) -> Array:
    """Return the Leslie matrices of populations by age.

    Args:
        f: fecundities, shape ``(..., n)``: the first row.
        s: survival rates, shape ``(..., n - 1)``: below the diagonal.

    Returns:
        Shape ``(..., n, n)``.

    Raises:
        ValueError: if the lengths do not fit.

    Example:
        >>> leslie(np.array([0.1, 2.0]), np.array([0.5]))
        array([[0.1, 2. ],
               [0.5, 0. ]])
    """
    arrays = traced(f, s)
    if arrays is None:
        return scipy_leslie(f, s)
    first, rates = [np.atleast_1d(x) for x in arrays]
    n = first.shape[-1]
    if rates.shape[-1] != n - 1 or n < 2:
        refused(scipy_leslie, first, rates)
    below = rates[..., :, None] * np.eye(n - 1, n, dtype=rates.dtype)
    lead = np.broadcast_shapes(first.shape[:-1], below.shape[:-2])
    top = np.broadcast_to(first[..., None, :], (*lead, 1, n))
    return np.concatenate([top, np.broadcast_to(below, (*lead, n - 1, n))], axis=-2)


def fiedler(a: ArrayLike) -> Array:
    """Return the matrices of distances ``abs(a[i] - a[j])``.

    Args:
        a: shape ``(..., n)``.

    Returns:
        Shape ``(..., n, n)``.

    Example:
        >>> fiedler(np.array([1.0, 4.0]))
        array([[0., 3.],
               [3., 0.]])
    """
    arrays = traced(a)
    if arrays is None:
        return scipy_fiedler(a)
    places = np.atleast_1d(arrays[0])
    distances: Array = np.abs(places[..., :, None] - places[..., None, :])
    return distances


def fiedler_companion(a: ArrayLike) -> Array:
    """Return the matrices with five diagonals whose eigenvalues are the roots of polynomials.

    Args:
        a: coefficients, highest first, shape ``(..., n)``; the first is not 0.

    Returns:
        Shape ``(..., n - 1, n - 1)``.

    Raises:
        ValueError: if the first coefficient is 0.

    Example:
        >>> fiedler_companion(np.array([2.0, -6.0, 4.0]))
        array([[ 3., -2.],
               [ 1.,  0.]])
    """
    arrays = given(a)
    if arrays is None:
        return scipy_fiedler_companion(a)
    coefficients = np.atleast_1d(arrays[0])
    n = coefficients.shape[-1] - 1
    if n < 1 or np.any(plain(coefficients)[..., 0] == 0):
        refused(scipy_fiedler_companion, coefficients)
    rest = -coefficients[..., 1:] / coefficients[..., :1]
    ends: Any = np.broadcast_to(np.array([0.0, 1.0], rest.dtype), (*rest.shape[:-1], 2))
    y: Array = np.concatenate([ends, rest], axis=-1)[..., _places(n)]
    return y


@lru_cache(16)
def _places(n: int) -> Any:
    """Return where each element of a Fiedler companion matrix stands in ``[0, 1, -a[1], -a[2], ...]``."""
    if n == 1:
        return np.array([[2]])
    marks: Any = scipy_fiedler_companion(np.concatenate([[1.0], -np.arange(2.0, n + 2.0)]))
    places = marks.astype(np.intp)
    places.flags.writeable = False
    return places
