"""Products of matrices and vectors as the Array API names them, and chains of products."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.var import Var
from tapegrad.numpy import products, tensors
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.linalg.arguments import LINALG
from tapegrad.typing import Array, ArrayLike, DTypeLike


@stands_for(np.linalg.matmul)
def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Return the matrix product of two arrays, as `tapegrad.numpy.matmul`.

    Example:
        >>> matmul(np.eye(2), np.array([1.0, 2.0]))
        array([1., 2.])
    """
    return products.matmul(x1, x2)


@stands_for(np.linalg.tensordot)
def tensordot(x1: ArrayLike, x2: ArrayLike, /, *, axes: Any = 2) -> Array:
    """Return the sum of products over some axes, as `tapegrad.numpy.tensordot`.

    Example:
        >>> tensordot(np.eye(2), np.array([1.0, 2.0]), axes=1)
        array([1., 2.])
    """
    return tensors.tensordot(x1, x2, axes)


@stands_for(np.linalg.vecdot)
def vecdot(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return the dot products of vectors along an axis, the first one conjugated, as `tapegrad.numpy.vecdot`.

    Example:
        >>> vecdot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
        array([21., 43.])
    """
    return products.vecdot(x1, x2, axis=axis)


@stands_for(np.linalg.outer)
def outer(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Return the outer product of two vectors.

    Args:
        x1: shape ``(m,)``.
        x2: shape ``(n,)``.

    Returns:
        Shape ``(m, n)``.

    Raises:
        ValueError: if one is no vector.

    Example:
        >>> outer(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        array([[ 1., 10.],
               [ 2., 20.]])
    """
    x1, x2 = gathered(x1), gathered(x2)
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they are x1.ndim={np.ndim(x1)} and x2.ndim={np.ndim(x2)}.")
    return products.outer(x1, x2)


@stands_for(np.linalg.cross)
def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Return the cross products of vectors of three elements.

    Args:
        x1: vectors along `axis`.
        x2: vectors along `axis`; the other axes broadcast.
        axis: the axis of the vectors, in the result, too.

    Returns:
        Vectors along `axis`.

    Raises:
        ValueError: if they have not three elements.

    Example:
        >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
        array([0., 0., 1.])
    """
    x1, x2 = gathered(x1), gathered(x2)
    lengths = np.shape(x1)[axis], np.shape(x2)[axis]
    if lengths != (3, 3):
        found = f"{lengths[0]} and {lengths[1]} dimensional instead"
        raise ValueError(f"Both input arrays must be (arrays of) 3-dimensional vectors, but they are {found}.")
    return tensors.cross(x1, x2, axis=axis)


@stands_for(np.linalg.matrix_transpose)
def matrix_transpose(x: ArrayLike, /) -> Array:
    """Return the transpose of each matrix.

    Args:
        x: shape ``(..., m, n)``.

    Returns:
        Shape ``(..., n, m)``.

    Example:
        >>> matrix_transpose(np.array([[1.0, 2.0]]))
        array([[1.],
               [2.]])
    """
    return np.matrix_transpose(gathered(x))


@stands_for(np.linalg.diagonal)
def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """Return the diagonal of each matrix.

    Args:
        x: shape ``(..., m, n)``.
        offset: how far above the main diagonal.

    Returns:
        Shape ``(..., k)``.

    Example:
        >>> diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([1., 4.])
    """
    return np.diagonal(gathered(x), offset, -2, -1)


@stands_for(np.linalg.trace)
def trace(x: ArrayLike, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Array:
    """Return the sum along the diagonal of each matrix.

    Args:
        x: shape ``(..., m, n)``.
        offset: how far above the main diagonal.
        dtype: what to sum in.

    Returns:
        Shape ``(...)``.

    Example:
        >>> trace(np.array([[1.0, 2.0], [3.0, 4.0]]))
        np.float64(5.0)
    """
    y: Array = np.trace(gathered(x), offset, -2, -1, dtype)
    return y


@stands_for(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[ArrayLike], *, out: None = None) -> Array:
    """Return the product of two or more matrices, in the order that takes the fewest multiplications.

    Args:
        arrays: matrices; the first and the last may be vectors, a row and a column.
        out: not supported.

    Returns:
        Their product.

    Raises:
        ValueError: if there are fewer than two, or the shapes do not fit.
        LinAlgError: if one is no matrix.

    Example:
        >>> multi_dot([np.eye(2), np.eye(2), np.array([1.0, 2.0])])
        array([1., 2.])

    References:
        T. H. Cormen et al., "Introduction to Algorithms", 3rd ed., MIT Press 2009, section 15.2.
    """
    refuse_out(out, "multi_dot")
    factors: list[Any] = [gathered(x) for x in arrays]
    if not any(type(x) is Var for x in factors):
        y: Array = LINALG.multi_dot(factors)
        return y
    if len(factors) < 2:
        raise ValueError("Expecting at least two arrays.")
    first, last = np.ndim(factors[0]), np.ndim(factors[-1])
    if first == 1:
        factors[0] = np.reshape(factors[0], (1, -1))
    if last == 1:
        factors[-1] = np.reshape(factors[-1], (-1, 1))
    for x in factors:
        if np.ndim(x) != 2:
            raise np.linalg.LinAlgError(f"{np.ndim(x)}-dimensional array given. Array must be two-dimensional")
    product = _chained(factors, _splits([np.shape(factors[0])[0], *(np.shape(x)[1] for x in factors)]), 0, len(factors) - 1)
    if first == 1:
        product = product[0]
    return product[..., 0] if last == 1 else product  # type: ignore[no-any-return]  # an array


def _splits(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return for each part of a chain of matrices where to split it; matrix `i` has shape ``lengths[i : i + 2]``."""
    count = len(lengths) - 1
    costs = {(i, i): 0 for i in range(count)}
    splits = {}
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            costs[i, j], splits[i, j] = min(
                (costs[i, k] + costs[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1], k) for k in range(i, j)
            )
    return splits


def _chained(factors: Sequence[Any], splits: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return factors[i]
    k = splits[i, j]
    return np.matmul(_chained(factors, splits, i, k), _chained(factors, splits, k + 1, j))
