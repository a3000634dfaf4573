"""Indexing: elements, slices and selections of an array, by position or by mask."""

from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.reading import getitem
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import own
from tapegrad.numpy.arguments import along_one
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.shapes import ravel
from tapegrad.ops.create import copy_p
from tapegrad.ops.index import along
from tapegrad.typing import Array, ArrayLike


def read(x: Any, index: Any) -> Array:
    """Return ``x[index]``."""
    y: Array = getitem(x, index)
    return y


@stands_for(np.take)
def take(
    a: ArrayLike,
    indices: ArrayLike,
    axis: int | None = None,
    out: None = None,
    mode: Literal["raise", "wrap", "clip"] = "raise",
) -> Array:
    """Return the slices of `a` at integer positions along an axis.

    Args:
        a: an array.
        indices: integers, of any shape, which stands in the result in place of the axis.
        axis: the axis; None reads from `a` flattened.
        out: not supported on traced values.
        mode: what an index out of bounds does: raise, wrap around, or clip to the bounds.

    Returns:
        The shape of `a`, with that of `indices` in place of the axis; the shape of `indices` for None.

    Raises:
        IndexError: if an index is out of bounds and `mode` is 'raise'.

    Example:
        >>> take(np.array([10.0, 20.0, 30.0]), [2, 0, 2])
        array([30., 10., 30.])
    """
    x: Any = gathered(a)
    where: Any = gathered(indices)
    if type(x) is not Var and type(where) is not Var:
        plain: Array = np.take(x, where, axis, plain_out(out, "take"), mode)
        return plain
    refuse_out(out, "take")
    if axis is None:
        x, axis = (x if np.ndim(x) == 1 else ravel(x)), 0
    x, axis = along_one(x, axis, scalars=True)
    if type(where) is not Var:
        where = np.asarray(where)
        if not where.size or where.dtype == bool:  # to NumPy booleans are 0 and 1 here, no mask
            where = where.astype(np.intp)
    n = x.shape[axis]
    if mode == "wrap":
        where = where % n
    elif mode == "clip":
        where = np.clip(where, 0, n - 1)
    y: Any = read(x, (slice(None),) * axis + (where,) if axis else where)
    laid_out = not axis or not isinstance(y.value, np.ndarray) or y.value.flags.c_contiguous
    taken: Array = (
        own(y) if laid_out else apply(copy_p, y, order="C")
    )  # as `np.take` does: whoever reshapes in order 'K' sees it
    return taken


@stands_for(np.take_along_axis)
def take_along_axis(arr: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Array:
    """Return, for each place of `indices`, the element of the same vector along an axis that it names.

    Args:
        arr: an array.
        indices: integers, of the shape of `arr` but for the length along `axis`; the others may be 1.
        axis: the axis; None reads from `arr` flattened.

    Returns:
        The elements, of the shape that `indices` and `arr` broadcast to apart from the axis.

    Raises:
        IndexError: if `indices` are no integers, or one is out of bounds.
        ValueError: if the ranks differ.

    Example:
        >>> x = np.array([[3.0, 1.0], [2.0, 4.0]])
        >>> take_along_axis(x, np.argsort(x, axis=1), axis=1)
        array([[1., 3.],
               [2., 4.]])
    """
    x: Any = gathered(arr)
    where: Any = gathered(indices)
    if type(x) is not Var and type(where) is not Var:
        return np.take_along_axis(x, where, axis)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    where = where if type(where) is Var else np.asarray(where)
    if where.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if where.ndim != x.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    return read(x, along(where, x.shape, axis))
