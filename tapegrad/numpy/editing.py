"""Taking elements out of an array, putting others in, and filling a shape with what there is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tapegrad.core.arrays import broadcast_to, shape_of
from tapegrad.core.complaints import lost
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, depends_on_abstract
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.indexing import read, take
from tapegrad.numpy.joins import concatenate
from tapegrad.numpy.shapes import moveaxis, ravel, reshape
from tapegrad.typing import Array, ArrayLike, Shape


@stands_for(np.append)
def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """Return `values` behind `arr`.

    Args:
        arr: an array.
        values: another, of the same shape but for the axis.
        axis: the axis to lengthen; None: both are flattened.

    Raises:
        ValueError: if the other axes differ.

    Example:
        >>> append(np.array([1.0, 2.0]), 3.0)
        array([1., 2., 3.])
    """
    first, second = gathered(arr), gathered(values)
    if axis is None:
        return concatenate([ravel(first), ravel(second)])
    return concatenate([first, second], axis)


@stands_for(np.insert)
def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None) -> Array:
    """Return an array with elements put in before given positions.

    Args:
        arr: an array.
        obj: positions along the axis: an int, a slice, or several ints (constants).
        values: what to put in, broadcast to the slices at those positions.
        axis: the axis to lengthen; None: `arr` is flattened first.

    Raises:
        IndexError: if a position is out of bounds.
        ValueError: if the values do not broadcast.

    Example:
        >>> insert(np.array([1.0, 2.0]), 1, 5.0)
        array([1., 5., 2.])
    """
    x: Any = gathered(arr)
    new: Any = gathered(values)
    if type(x) is not Var and type(new) is not Var:
        inserted: Array = np.insert(x, obj, new, axis)
        return inserted
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, len(shape_of(x)))
    new = np.asarray(new) if type(new) is not Var else new
    new = reshape(new, (1,) * (len(shape_of(x)) - new.ndim) + new.shape)
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        new = moveaxis(new, 0, axis)
    shape = shape_of(x)
    length = shape[axis]
    count = len(np.insert(np.arange(length), obj, np.zeros(new.shape[axis], int))) - length
    new = broadcast_to(new, (*shape[:axis], count, *shape[axis + 1 :]))
    order = np.insert(np.arange(length), obj, np.arange(length, length + count))
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return take(concatenate([x, astype(new, dtype)], axis), order, axis)


@stands_for(np.delete)
def delete(arr: ArrayLike, obj: Any, axis: int | None = None) -> Array:
    """Return an array without the slices at given positions.

    Args:
        arr: an array.
        obj: positions along the axis: an int, a slice, several ints, or a mask (constants).
        axis: the axis to shorten; None: `arr` is flattened first.

    Raises:
        IndexError: if a position is out of bounds.

    Example:
        >>> delete(np.array([1.0, 2.0, 3.0]), 1)
        array([1., 3.])
    """
    x: Any = gathered(arr)
    if type(x) is not Var:
        kept: Array = np.delete(x, obj, axis)
        return kept
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    return take(x, np.delete(np.arange(x.shape[axis]), obj), axis)


@stands_for(np.resize)
def resize(a: ArrayLike, new_shape: Shape) -> Array:
    """Return an array of another shape and size, filled with the elements of `a` again and again.

    Args:
        a: an array.
        new_shape: the shape of the result.

    Raises:
        ValueError: if a length is negative.

    Example:
        >>> resize(np.array([1.0, 2.0]), (2, 3))
        array([[1., 2., 1.],
               [2., 1., 2.]])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        resized: Array = np.resize(x, new_shape)
        return resized
    where = np.resize(np.arange(x.size), new_shape)
    if x.size == 0:
        return np.zeros(where.shape, x.dtype)
    return take(ravel(x), where)


@stands_for(np.trim_zeros)
def trim_zeros(filt: ArrayLike, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Array:
    """Return an array without the zeros at its ends. Which elements are zero is a constant.

    Args:
        filt: an array.
        trim: 'f' for the front, 'b' for the back, 'fb' for both.
        axis: the axes to shorten; None: all.

    Raises:
        ValueError: if `trim` is something else.
        ConcretizationError: where values must not be looked at, because the shape depends on them.

    Example:
        >>> trim_zeros(np.array([0.0, 1.0, 0.0, 2.0, 0.0]))
        array([1., 0., 2.])
    """
    x: Any = gathered(filt)
    if type(x) is Var and depends_on_abstract(x):
        lost(x, "the shape of trim_zeros", "depends on values that differ between examples")
    value = np.asarray(x.value if type(x) is Var else x)
    where = trim.lower()
    if where not in ("f", "b", "fb", "bf"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    axes = range(value.ndim) if axis is None else normalize_axis_tuple(axis, value.ndim)
    found = np.argwhere(value)
    cut = []
    for k, length in enumerate(value.shape):
        if k not in axes:
            cut.append(slice(None))
        elif not len(found):
            cut.append(slice(0, 0))
        else:
            first = int(found[:, k].min()) if "f" in where else 0
            last = int(found[:, k].max()) + 1 if "b" in where else length
            cut.append(slice(first, last))
    return read(x if type(x) is Var else value, tuple(cut))
