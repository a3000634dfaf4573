"""Products of tensors: sums over any axes, Kronecker and cross products, under NumPy's names."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tapegrad.core.var import Var, binary
from tapegrad.numpy.contractions import einsum
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.contract import cross_p
from tapegrad.ops.einsum import LETTERS
from tapegrad.typing import Array, ArrayLike

NUMPY: Any = np
"""NumPy's own functions, called with whatever was given."""


@stands_for(np.tensordot)
def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Array:
    """Return the sum of products over some axes of both.

    Args:
        a: an array of any rank.
        b: an array of any rank.
        axes: how many of the last axes of `a` and the first of `b`; or the axes of each: two ints or two sequences of as many.

    Returns:
        The other axes of `a`, followed by the other axes of `b`.

    Raises:
        ValueError: if the lengths of the axes differ.

    Example:
        >>> tensordot(np.ones((2, 3)), np.ones((3, 2)), axes=([0, 1], [1, 0]))
        array(6.)
    """
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        result: Array = NUMPY.tensordot(x, y, axes)
        return result
    try:
        own, other = axes
    except TypeError:
        own, other = range(-axes, 0), range(axes)
    both: Any = [[k] if isinstance(k, (int, np.integer)) else list(k) for k in (own, other)]
    own, other = both
    shape, shape_y = np.shape(x), np.shape(y)
    if len(own) != len(other) or len(own) > min(len(shape), len(shape_y)):
        np.tensordot(np.broadcast_to(0.0, shape), np.broadcast_to(0.0, shape_y), axes)  # says what is wrong
        raise ValueError("shape-mismatch for sum")
    pairs = list(zip(normalize_axis_tuple(own, len(shape)), normalize_axis_tuple(other, len(shape_y)), strict=True))
    if any(shape[i] != shape_y[j] for i, j in pairs):
        raise ValueError("shape-mismatch for sum")
    left = LETTERS[: len(shape)]
    right = list(LETTERS[len(shape) : len(shape) + len(shape_y)])
    for i, j in pairs:
        right[j] = left[i]
    out = "".join(c for c in left if c not in right) + "".join(c for c in right if c not in left)
    return einsum(f"{left},{''.join(right)}->{out}", x, y)


@stands_for(np.kron)
def kron(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the Kronecker product: `a` with each element replaced by that element times `b`.

    Args:
        a: an array of any rank.
        b: an array of any rank; the shorter shape is filled up with ones in front.

    Returns:
        Along each axis the product of the lengths.

    Example:
        >>> kron(np.array([1.0, 10.0]), np.array([1.0, 2.0]))
        array([ 1.,  2., 10., 20.])
    """
    x, y = gathered(a), gathered(b)
    if type(x) is not Var and type(y) is not Var:
        result: Array = NUMPY.kron(x, y)
        return result
    rank = max(np.ndim(x), np.ndim(y))
    left, right = ((1,) * (rank - np.ndim(x)) + np.shape(x) for x in (x, y))
    blocks = np.multiply(np.reshape(x, [k for n in left for k in (n, 1)]), np.reshape(y, [k for n in right for k in (1, n)]))
    return np.reshape(blocks, [n * m for n, m in zip(left, right, strict=True)])


@stands_for(np.cross)
def cross(a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """Return the cross products of vectors.

    Args:
        a: vectors of 3 (or 2, deprecated by NumPy) elements along an axis.
        b: vectors likewise; the other axes broadcast.
        axisa: the axis of `a` that holds the vectors.
        axisb: that of `b`.
        axisc: that of the result.
        axis: all three.

    Returns:
        Vectors of 3 elements; of two vectors of 2 elements, the third component only.

    Raises:
        ValueError: if the vectors have other lengths.

    Example:
        >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
        array([0., 0., 1.])
    """
    vectors = [gathered(a), gathered(b)]
    if not any(type(x) is Var for x in vectors):
        plain: Array = NUMPY.cross(*vectors, axisa, axisb, axisc, axis)
        return plain
    if axis is not None:
        axisa = axisb = axisc = axis
    shapes = [np.shape(x) for x in vectors]
    vectors = [np.moveaxis(x, own, -1) for x, own in zip(vectors, (axisa, axisb), strict=True)]
    if any(x.shape[-1] != 3 for x in vectors):  # NumPy warns, or says what is wrong
        np.cross(np.zeros(shapes[0]), np.zeros(shapes[1]), axisa, axisb, axisc)
    flat = [x.shape[-1] == 2 for x in vectors]
    whole = [
        np.concatenate([x, np.zeros_like(x[..., :1])], -1) if is_flat else x for x, is_flat in zip(vectors, flat, strict=True)
    ]
    product = binary(cross_p, *whole)
    result: Array = product[..., 2] if all(flat) else product if axisc == -1 else np.moveaxis(product, -1, axisc)
    return result
