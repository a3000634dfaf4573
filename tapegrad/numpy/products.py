"""Products of vectors, matrices and tensors, under NumPy's names."""

from functools import partial
from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.primitive import Fn
from tapegrad.core.var import Var, apply, binary
from tapegrad.numpy.contractions import einsum
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.numpy.tensors import tensordot
from tapegrad.ops.contract import matmul_p, outer_p
from tapegrad.typing import Array, ArrayLike

NUMPY: Any = np
"""NumPy's own functions, called with whatever was given."""

MATVEC: Any = getattr(np, "matvec", partial(np.einsum, "...mn,...n->...m"))
VECMAT: Any = getattr(np, "vecmat", lambda x1, x2: np.einsum("...n,...nm->...m", np.conjugate(x1), x2))
"""New in NumPy 2.2."""


@stands_for(np.matmul)
def matmul(x1: ArrayLike, x2: ArrayLike, /, out: None = None, **settings: Any) -> Array:
    """Return the matrix product of two arrays.

    Args:
        x1: shape ``(..., n, k)``, or ``(k,)``.
        x2: shape ``(..., k, m)``, or ``(k,)``.
        out: not supported.
        settings: NumPy's own; of them, traced values support ``axes``, where the matrices of `x1`, `x2` and the result are.

    Returns:
        The product of the matrices in the last two axes, shape ``(..., n, m)``, where the leading axes broadcast; a vector
        leaves out its axis.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> matmul(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
        array([21., 43.])
    """
    if out is not None:
        refuse_out(out, "matmul")
    if not settings:
        y: Array = binary(matmul_p, gathered(x1), gathered(x2))
        return y
    return _general(NUMPY.matmul, matmul, gathered(x1), gathered(x2), settings)


@stands_for(np.dot)
def dot(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """Return the dot product: the sum over the last axis of `a` and the last but one of `b`.

    Args:
        a: an array of any rank.
        b: an array of any rank.
        out: not supported.

    Returns:
        Shape ``a.shape[:-1] + b.shape[:-2] + b.shape[-1:]``; if `a` or `b` is a scalar, their product.

    Raises:
        ValueError: if the lengths of the axes differ.

    Example:
        >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        np.float64(11.0)
    """
    if out is not None:
        refuse_out(out, "dot")
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        product: Array = NUMPY.dot(x, y)
        return product
    left, right = len(shape_of(x)), len(shape_of(y))
    if 0 < left <= 2 >= right > 0 or (left > 2 and 0 < right <= 2):
        try:
            result: Array = binary(matmul_p, x, y)
        except ValueError:
            NUMPY.dot(np.broadcast_to(0.0, shape_of(x)), np.broadcast_to(0.0, shape_of(y)))  # says what is wrong
            raise
        return result
    if left == 0 or right == 0:
        scaled: Array = np.multiply(x, y)
        return scaled
    return tensordot(x, y, axes=(-1, -2))


@stands_for(np.inner)
def inner(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the inner product: the sum over the last axes of both.

    Args:
        a: shape ``(..., n)``, or a scalar.
        b: shape ``(..., n)``, or a scalar.

    Returns:
        Shape ``a.shape[:-1] + b.shape[:-1]``; if `a` or `b` is a scalar, their product.

    Raises:
        ValueError: if the last axes differ in length.

    Example:
        >>> inner(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        np.float64(11.0)
    """
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        result: Array = NUMPY.inner(x, y)
        return result
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        scaled: Array = np.multiply(x, y)
        return scaled
    if shape_of(x)[-1] != shape_of(y)[-1]:
        NUMPY.inner(np.broadcast_to(0.0, shape_of(x)), np.broadcast_to(0.0, shape_of(y)))  # says what is wrong
    return tensordot(x, y, axes=(-1, -1))


@stands_for(np.outer)
def outer(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """Return the products of all pairs of elements.

    Args:
        a: any shape; read as one vector.
        b: any shape; read as one vector.
        out: not supported.

    Returns:
        Shape ``(a.size, b.size)``.

    Example:
        >>> outer(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        array([[ 1., 10.],
               [ 2., 20.]])
    """
    refuse_out(out, "outer")
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        result: Array = NUMPY.outer(x, y)
        return result
    products: Array = apply(outer_p, *[z if np.ndim(z) == 1 else np.ravel(z) for z in (x, y)])
    return products


@stands_for(np.vdot)
def vdot(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the dot product of two arrays, read as vectors, the first one conjugated.

    Args:
        a: any shape.
        b: as many elements.

    Returns:
        A scalar.

    Raises:
        ValueError: if the sizes differ.

    Example:
        >>> vdot(np.array([1j, 2.0]), np.array([1j, 3.0]))
        np.complex128(7+0j)
    """
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        result: Array = NUMPY.vdot(x, y)
        return result
    return dot(np.ravel(_conjugate(x)), np.ravel(y))


def _conjugate(x: Any) -> Any:
    return np.conjugate(x) if np.iscomplexobj(x.value if type(x) is Var else x) else x


@stands_for(np.vecdot)
def vecdot(x1: ArrayLike, x2: ArrayLike, /, out: None = None, **settings: Any) -> Array:
    """Return the dot products of vectors along an axis, the first one conjugated.

    Args:
        x1: vectors, shape ``(..., n)``.
        x2: vectors, shape ``(..., n)``; the other axes broadcast.
        out: not supported.
        settings: NumPy's own; of them, traced values support ``axis``, the axis of the vectors, and ``axes``, one each.

    Returns:
        The broadcast shape without the axis of the vectors.

    Raises:
        ValueError: if the vectors differ in length.

    Example:
        >>> vecdot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
        array([21., 43.])
    """
    refuse_out(out, "vecdot")
    x, y = gathered(x1), gathered(x2)
    if settings or (type(x) is not Var and type(y) is not Var):
        return _general(NUMPY.vecdot, vecdot, x, y, settings)
    _check_core(np.vecdot, x, y, "n", "n")
    return einsum("...n,...n->...", _conjugate(x), y)


@stands_for(MATVEC)
def matvec(x1: ArrayLike, x2: ArrayLike, /, out: None = None, **settings: Any) -> Array:
    """Return the products of matrices and vectors.

    Args:
        x1: matrices, shape ``(..., m, n)``.
        x2: vectors, shape ``(..., n)``; the leading axes broadcast.
        out: not supported.
        settings: NumPy's own; of them, traced values support ``axes``, the axes of `x1`, `x2` and the result.

    Returns:
        Shape ``(..., m)``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> matvec(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
        array([21., 43.])
    """
    refuse_out(out, "matvec")
    x, y = gathered(x1), gathered(x2)
    if settings or (type(x) is not Var and type(y) is not Var):
        return _general(MATVEC, matvec, x, y, settings)
    _check_core(MATVEC, x, y, "mn", "n")
    return einsum("...mn,...n->...m", x, y)


@stands_for(VECMAT)
def vecmat(x1: ArrayLike, x2: ArrayLike, /, out: None = None, **settings: Any) -> Array:
    """Return the products of vectors, conjugated, and matrices.

    Args:
        x1: vectors, shape ``(..., n)``.
        x2: matrices, shape ``(..., n, m)``; the leading axes broadcast.
        out: not supported.
        settings: NumPy's own; of them, traced values support ``axes``, the axes of `x1`, `x2` and the result.

    Returns:
        Shape ``(..., m)``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> vecmat(np.array([1.0, 10.0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([31., 42.])
    """
    refuse_out(out, "vecmat")
    x, y = gathered(x1), gathered(x2)
    if settings or (type(x) is not Var and type(y) is not Var):
        return _general(VECMAT, vecmat, x, y, settings)
    _check_core(VECMAT, x, y, "n", "nm")
    return einsum("...n,...nm->...m", _conjugate(x), y)


def _general(function: Any, face: Fn, x: Any, y: Any, settings: dict[str, Any]) -> Array:
    """Compute a product of plain arrays, or one with matrices and vectors along other axes than the last."""
    result: Array
    if type(x) is not Var and type(y) is not Var:
        result = function(x, y, **settings)
        return result
    axes = settings.pop("axes", None)
    if "axis" in settings:
        axes = [settings.pop("axis")] * 2
    if settings:
        raise TypeError(f"{function.__name__}: {', '.join(settings)}= is not supported for traced values")
    if axes is None:
        result = face(x, y)
        return result
    core = [axis if isinstance(axis, tuple) else (axis,) for axis in axes]
    moved = [np.moveaxis(z, own, range(-len(own), 0)) for z, own in zip((x, y), core, strict=False)]
    result = face(*moved)
    return result if len(core) < 3 else np.moveaxis(result, range(-len(core[2]), 0), core[2])


def _check_core(function: Any, x1: Any, x2: Any, left: str, right: str) -> None:
    """Raise NumPy's own error if the axes that vectors and matrices have do not fit: those do not broadcast."""
    shapes = np.shape(x1), np.shape(x2)
    sizes: dict[str, int] = {}
    for shape, labels in zip(shapes, (left, right), strict=True):
        core = shape[len(shape) - len(labels) :]
        if len(shape) < len(labels) or any(sizes.setdefault(c, n) != n for c, n in zip(labels, core, strict=True)):
            function(*(np.broadcast_to(0.0, shape) for shape in shapes))
