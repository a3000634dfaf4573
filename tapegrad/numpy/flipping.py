"""Turning arrays over and around."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tapegrad.core.arrays import shape_of
from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.indexing import read
from tapegrad.numpy.shapes import transpose
from tapegrad.typing import Array, ArrayLike

BACKWARDS = slice(None, None, -1)


@stands_for(np.flip)
def flip(m: ArrayLike, axis: int | tuple[int, ...] | None = None) -> Array:
    """Reverse the order of the elements along one axis, several, or all of them.

    Args:
        m: an array.
        axis: the axes to turn over; None: all.

    Returns:
        The shape of `m`.

    Raises:
        AxisError: if there is no such axis.

    Example:
        >>> flip(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        array([[2., 1.],
               [4., 3.]])
    """
    x: Any = gathered(m)
    if type(x) is not Var:
        flipped: Array = np.flip(x, axis)
        return flipped
    rank = x.ndim
    turned = range(rank) if axis is None else normalize_axis_tuple(axis, rank)
    if not rank:
        alone: Array = x | x if x.dtype == bool else +x  # booleans have no sign
        return alone
    return read(x, tuple(BACKWARDS if k in turned else slice(None) for k in range(rank)))


@stands_for(np.flipud)
def flipud(m: ArrayLike) -> Array:
    """Reverse the order of the rows.

    Args:
        m: an array of one or more axes.

    Raises:
        ValueError: if it is a scalar.

    Example:
        >>> flipud(np.array([1.0, 2.0]))
        array([2., 1.])
    """
    x: Any = gathered(m)
    if len(shape_of(x)) < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(x, 0)


@stands_for(np.fliplr)
def fliplr(m: ArrayLike) -> Array:
    """Reverse the order of the columns.

    Args:
        m: an array of two or more axes.

    Raises:
        ValueError: if it has fewer.

    Example:
        >>> fliplr(np.array([[1.0, 2.0]]))
        array([[2., 1.]])
    """
    x: Any = gathered(m)
    if len(shape_of(x)) < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(x, 1)


@stands_for(np.rot90)
def rot90(m: ArrayLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """Turn an array by quarter turns in the plane of two axes, from the first towards the second.

    Args:
        m: an array of two or more axes.
        k: the number of quarter turns; negative ones turn the other way.
        axes: two different axes.

    Returns:
        The shape of `m`, with the two lengths exchanged for odd `k`.

    Raises:
        ValueError: if `axes` are not two different axes of `m`.

    Example:
        >>> rot90(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([[2., 4.],
               [1., 3.]])
    """
    x: Any = gathered(m)
    if type(x) is not Var:
        turned: Array = np.rot90(x, k, axes)
        return turned
    np.rot90(np.empty(x.shape, bool), k, axes)  # NumPy's own errors
    a, b = (i % x.ndim for i in axes)
    k %= 4
    if k == 0:
        return read(x, ...)
    if k == 2:
        return flip(x, (a, b))
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return transpose(flip(x, b), order) if k == 1 else flip(transpose(x, order), b)
