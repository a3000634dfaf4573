"""Norms and condition numbers, under NumPy's names."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import kept
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.linalg.arguments import LINALG, constant, holds, matrix
from tapegrad.numpy.linalg.decompositions import svdvals
from tapegrad.ops.linalg.matrices import largest
from tapegrad.ops.linalg.norms import euclidean_p, power_norm_p
from tapegrad.ops.linalg.solving import inverse_p
from tapegrad.typing import Array, ArrayLike, Axis

Order: TypeAlias = float | Literal["fro", "nuc"] | None


@stands_for(np.linalg.norm)
def norm(x: ArrayLike, ord: Order = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Return a norm of vectors or of matrices.

    Where a norm has a kink its derivative is what the rules of absolute value and maximum make of it: 0 where it vanishes, an
    even split between largest elements.

    Args:
        x: an array of any shape.
        ord: for vectors any number, also infinite (0 counts the elements that are not 0); for matrices 'fro', 'nuc' (the sum of
            singular values), 1 and -1 (the largest and smallest column sum), `inf` and `-inf` (likewise rows), 2 and -2 (the
            largest and smallest singular value). None is the root of the sum of squares of all elements.
        axis: the axis that holds vectors, or the two axes that hold matrices; None for all axes.
        keepdims: leave those axes in the result, with length 1.

    Returns:
        The norms, in the shape of the other axes.

    Raises:
        ValueError: if there is no such order, or too many axes.

    Example:
        >>> norm(np.array([3.0, 4.0]))
        np.float64(5.0)
        >>> tg.grad(norm)(np.zeros(2))
        array([0., 0.])
    """
    array = gathered(x)
    if type(array) is not Var:
        y: Array = LINALG.norm(array, ord, axis, keepdims)
        return y
    array = _inexact(array)
    if axis is None:
        axes = tuple(range(array.ndim))
        if ord is None or (ord in ("f", "fro") and array.ndim == 2) or (ord == 2 and array.ndim == 1):
            return _euclidean(array, axes, bool(keepdims))
    else:
        axes = normalize_axis_tuple(axis, array.ndim)
    if len(axes) == 1 and not isinstance(ord, str):
        return _of_vectors(array, 2 if ord is None else ord, axes, kept(keepdims))
    if len(axes) == 2 and (ord in ORDERS):
        return _of_matrices(array, ord, axes, bool(keepdims))
    LINALG.norm(np.zeros(array.shape), ord, axis)  # says what is wrong
    raise ValueError(f"norm: there is no order {ord!r} for {len(axes)} axes")


@stands_for(np.linalg.vector_norm)
def vector_norm(x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """Return a norm of vectors.

    Args:
        x: an array of any shape.
        axis: the axis that holds vectors; several, or None for all, count as one.
        keepdims: leave those axes in the result, with length 1.
        ord: any number, also infinite (0 counts the elements that are not 0).

    Returns:
        The norms, in the shape of the other axes.

    Example:
        >>> vector_norm(np.array([3.0, -4.0]), ord=1)
        np.float64(7.0)
    """
    array = gathered(x)
    if type(array) is not Var:
        y: Array = LINALG.vector_norm(array, axis=axis, keepdims=keepdims, ord=ord)
        return y
    array = _inexact(array)
    axes = tuple(range(array.ndim)) if axis is None else normalize_axis_tuple(axis, array.ndim)
    return _of_vectors(array, 2 if ord is None else ord, axes, bool(keepdims))


@stands_for(np.linalg.matrix_norm)
def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: Order = "fro") -> Array:
    """Return a norm of matrices.

    Args:
        x: matrices, shape ``(..., m, n)``.
        keepdims: leave the axes of the matrices in the result, with length 1.
        ord: as for matrices in `norm`.

    Returns:
        The norms, shape ``(...)``.

    Raises:
        ValueError: if there is no such order.

    Example:
        >>> matrix_norm(np.diag([3.0, 4.0]))
        np.float64(5.0)
    """
    return norm(x, ord, (-2, -1), keepdims)


@stands_for(np.linalg.cond)
def cond(x: ArrayLike, p: Order = None) -> Array:
    """Return the condition number of each matrix: its norm times that of its inverse.

    Args:
        x: matrices, shape ``(..., m, n)``; square unless `p` is None, 2 or -2.
        p: the order of the norm, as in `norm`; None is 2.

    Returns:
        Shape ``(...)``; infinite for singular matrices.

    Raises:
        LinAlgError: if the matrices are empty, or not square where they must be.

    Example:
        >>> cond(np.diag([1.0, 2.0]))
        np.float64(2.0)
    """
    by_values = p is None or (not isinstance(p, str) and p in (2, -2))
    array = matrix(x, np.linalg.cond if by_values else np.linalg.inv, square=not by_values)
    if type(array) is not Var:
        y: Array = LINALG.cond(array, p)
        return y
    if 0 in array.shape[-2:]:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    with np.errstate(all="ignore"):
        if by_values:
            s: Any = svdvals(array)
            first, last = (-1, 0) if p == -2 else (0, -1)
            r: Any = s[..., first] / s[..., last]
        else:
            r = norm(array, p, (-2, -1)) * norm(apply(inverse_p, array), p, (-2, -1))
    undefined = np.isnan(r)
    if holds(undefined):
        r = np.where(undefined & ~np.any(np.isnan(array), axis=(-2, -1)), np.inf, r)
    return r  # type: ignore[no-any-return]  # an array


# How they are computed

ORDERS = (None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


def _inexact(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else astype(x, np.float64)


def _euclidean(x: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    if x.ndim == 0:
        return np.abs(x)  # type: ignore[no-any-return]  # an array
    y: Array = apply(euclidean_p, x, axes=axes, keepdims=True) if keepdims else apply(euclidean_p, x, axes=axes)
    return y


def _maximum(x: Any, axes: Any, keepdims: bool = False) -> Any:
    """Return the largest of numbers that are not negative; 0 of none."""
    return (np.max if x.size else np.sum)(x, axis=axes, keepdims=keepdims)


def _of_vectors(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    y: Any
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    if ord == 2:
        y = _euclidean(x, axes, keepdims)
    elif ord == np.inf:
        y = _maximum(np.abs(x), axes, keepdims)
    elif ord == -np.inf:
        y = np.min(np.abs(x), axis=axes, keepdims=keepdims)
    elif ord == 0:
        y = np.sum(astype(x != 0, np.finfo(x.dtype).dtype), axis=axes, keepdims=keepdims)
    elif ord == 1:
        y = np.sum(np.abs(x), axis=axes, keepdims=keepdims)
    else:
        y = apply(power_norm_p, x, order=float(ord), axes=axes, keepdims=keepdims)
    return y  # type: ignore[no-any-return]  # an array


def _of_matrices(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    if ord in (None, "fro", "f"):
        return _euclidean(x, axes, keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        summed, compared = axes if ord in (1, -1) else axes[::-1]
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        if ord > 0:
            y = _maximum(sums, compared, keepdims=True)
        else:
            y = np.min(sums, axis=compared, keepdims=True)
        return y if keepdims else np.squeeze(y, axes)  # type: ignore[no-any-return]  # an array
    s = _not_vanishing(svdvals(np.moveaxis(x, axes, (-2, -1))))
    y = np.sum(s, axis=-1) if ord == "nuc" else _maximum(s, -1) if ord == 2 else np.min(s, axis=-1)
    if keepdims:
        y = np.reshape(y, [1 if axis in axes else n for axis, n in enumerate(x.shape)])
    return y  # type: ignore[no-any-return]  # an array


def _not_vanishing(s: Any) -> Any:
    """Return singular values such that those which are nothing but rounding error have no derivative."""
    limit = largest(s)[..., 0] * (s.shape[-1] * float(np.finfo(s.dtype).eps))
    small = s <= limit
    return np.where(small, constant(s), s) if holds(small) else s
