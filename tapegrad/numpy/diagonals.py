"""Diagonals and triangles of matrices."""

from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import broadcast_to
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.reductions import sum
from tapegrad.numpy.shapes import in_order, ravel
from tapegrad.ops.shape import diagonal_p, spread_diagonal_p, triangle
from tapegrad.typing import Array, ArrayLike, DTypeLike


@stands_for(np.diagonal)
def diagonal(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Return the elements on a diagonal of two axes, along a new last axis.

    Args:
        a: an array of at least two axes.
        offset: how far the diagonal lies above the main one; below it if negative.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Returns:
        The shape of `a` without the two axes, and with that of the diagonal at the end.

    Raises:
        ValueError: if `a` has fewer than two axes, or the two are the same.

    Example:
        >>> diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([1., 4.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return np.diagonal(x, offset, axis1, axis2)
    rank = x.ndim
    if rank < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    rows, columns = normalize_axis_index(axis1, rank), normalize_axis_index(axis2, rank)
    if rows == columns:
        raise ValueError("axis1 and axis2 cannot be the same")
    if (rows, columns) != (rank - 2, rank - 1):
        x = in_order(x, (*[k for k in range(rank) if k not in (rows, columns)], rows, columns))
    y: Array = apply(diagonal_p, x, offset=index(offset))
    return y


@stands_for(np.diag)
def diag(v: ArrayLike, k: int = 0) -> Array:
    """Return a diagonal of a matrix, or the matrix of zeros that has a vector on a diagonal.

    Args:
        v: a matrix or a vector.
        k: how far the diagonal lies above the main one; below it if negative.

    Returns:
        Shape ``(min(m, n),)`` of a matrix ``(m, n)``, for ``k=0``; shape ``(n + abs(k), n + abs(k))`` of a vector ``(n,)``.

    Raises:
        ValueError: if `v` is neither.

    Example:
        >>> diag(np.array([1.0, 2.0]))
        array([[1., 0.],
               [0., 2.]])
    """
    x: Any = gathered(v)
    if type(x) is not Var:
        return np.diag(x, k)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    k = index(k)
    n = len(x) + abs(k)
    y: Array = apply(spread_diagonal_p, x, shape=(n, n), offset=k)
    return y


@stands_for(np.diagflat)
def diagflat(v: ArrayLike, k: int = 0) -> Array:
    """Return the matrix of zeros that has the elements of `v` on a diagonal.

    Args:
        v: an array.
        k: how far the diagonal lies above the main one; below it if negative.

    Returns:
        Shape ``(v.size + abs(k), v.size + abs(k))``.

    Example:
        >>> diagflat([[1.0, 2.0]], 1)
        array([[0., 1., 0.],
               [0., 0., 2.],
               [0., 0., 0.]])
    """
    x: Any = gathered(v)
    return diag(ravel(x), k) if type(x) is Var else np.diagflat(x, k)


@stands_for(np.trace)
def trace(
    a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DTypeLike | None = None, out: None = None
) -> Array:
    """Return the sum over a diagonal of two axes.

    Args:
        a: an array of at least two axes.
        offset: how far the diagonal lies above the main one; below it if negative.
        axis1: the axis of the rows.
        axis2: the axis of the columns.
        dtype: the dtype of the sum.
        out: not supported on traced values.

    Returns:
        The sums, of the shape of `a` without the two axes.

    Raises:
        ValueError: if `a` has fewer than two axes, or the two are the same.

    Example:
        >>> trace(np.array([[1.0, 2.0], [3.0, 4.0]]))
        np.float64(5.0)
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        y: Array = np.trace(x, offset, axis1, axis2, dtype, plain_out(out, "trace"))
        return y
    refuse_out(out, "trace")
    return sum(diagonal(x, offset, axis1, axis2), -1, dtype)


@stands_for(np.tril)
def tril(m: ArrayLike, k: int = 0) -> Array:
    """Return `m` with zeros above a diagonal of its last two axes.

    Args:
        m: an array of at least two axes.
        k: how far the diagonal lies above the main one; below it if negative.

    Returns:
        The shape of `m`.

    Example:
        >>> tril(np.ones((2, 2)))
        array([[1., 0.],
               [1., 1.]])
    """
    x: Any = gathered(m)
    if type(x) is not Var:
        return np.tril(x, k)
    y: Array = triangle(broadcast_to(x, (len(x), len(x))) if x.ndim == 1 else x, int(k), True)
    return y


@stands_for(np.triu)
def triu(m: ArrayLike, k: int = 0) -> Array:
    """Return `m` with zeros below a diagonal of its last two axes.

    Args:
        m: an array of at least two axes.
        k: how far the diagonal lies above the main one; below it if negative.

    Returns:
        The shape of `m`.

    Example:
        >>> triu(np.ones((2, 2)), 1)
        array([[0., 1.],
               [0., 0.]])
    """
    x: Any = gathered(m)
    if type(x) is not Var:
        return np.triu(x, k)
    y: Array = triangle(broadcast_to(x, (len(x), len(x))) if x.ndim == 1 else x, int(k), False)
    return y


@stands_for(np.tril_indices_from)
def tril_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """Return the indices of the elements of a matrix on and below a diagonal.

    Example:
        >>> tril_indices_from(np.zeros((2, 2)))
        (array([0, 1, 1]), array([0, 0, 1]))
    """
    x: Any = gathered(arr)
    return np.tril_indices_from(np.empty(x.shape) if type(x) is Var else x, k)


@stands_for(np.triu_indices_from)
def triu_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """Return the indices of the elements of a matrix on and above a diagonal.

    Example:
        >>> triu_indices_from(np.zeros((2, 2)))
        (array([0, 0, 1]), array([0, 1, 1]))
    """
    x: Any = gathered(arr)
    return np.triu_indices_from(np.empty(x.shape) if type(x) is Var else x, k)


@stands_for(np.diag_indices_from)
def diag_indices_from(arr: ArrayLike) -> tuple[Array, ...]:
    """Return the indices of the main diagonal of an array whose axes all have one length.

    Example:
        >>> diag_indices_from(np.zeros((2, 2)))
        (array([0, 1]), array([0, 1]))
    """
    x: Any = gathered(arr)
    return np.diag_indices_from(np.empty(x.shape) if type(x) is Var else x)
