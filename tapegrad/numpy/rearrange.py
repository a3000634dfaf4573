"""The same elements in other places: rolled, repeated, left out, put in between."""

import math
from collections.abc import Sequence
from operator import index
from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tapegrad.core.arrays import broadcast_to
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import own
from tapegrad.numpy.arguments import along_one, concrete
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.indexing import read, take
from tapegrad.numpy.joins import concatenate
from tapegrad.numpy.shapes import in_shape, moveaxis, ravel
from tapegrad.ops.shape import repeat_p, roll_p
from tapegrad.typing import Array, ArrayLike, Shape


@stands_for(np.roll)
def roll(a: ArrayLike, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Array:
    """Move the elements along axes; those that leave at one end come in at the other.

    Args:
        a: an array.
        shift: by how many places, for each axis.
        axis: the axis, or several; None rolls `a` flattened.

    Returns:
        The shape of `a`.

    Raises:
        AxisError: if there is no such axis.

    Example:
        >>> roll(np.array([1.0, 2.0, 3.0]), 1)
        array([3., 1., 2.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return np.roll(x, shift, axis)
    if axis is None:
        return in_shape(roll(ravel(x), shift, 0), x.shape)
    pairs = np.broadcast(shift, normalize_axis_tuple(axis, x.ndim, allow_duplicate=True))
    if pairs.ndim > 1:
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    moves = [(int(by), int(along)) for by, along in pairs]
    shifts, axes = tuple([by for by, _ in moves]), tuple([along for _, along in moves])
    y: Array = apply(roll_p, x, shifts=shifts, axes=axes)
    return y


# Repeating


@stands_for(np.repeat)
def repeat(a: ArrayLike, repeats: int | Sequence[int] | Array, axis: int | None = None) -> Array:
    """Repeat each element, or each slice along an axis.

    Args:
        a: an array.
        repeats: how often, or how often each.
        axis: the axis; None repeats the elements of `a` flattened.

    Returns:
        The shape of `a`, longer along the axis; a vector for None.

    Raises:
        ValueError: if `repeats` has a negative number, or not one for each slice.

    Example:
        >>> repeat(np.array([1.0, 2.0]), [1, 3])
        array([1., 2., 2., 2.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return np.repeat(x, repeats, axis)
    x, axis = along_one(x, axis, scalars=True)
    counts: Any = np.asarray(repeats)
    if isinstance(repeats, (np.ndarray, np.generic)) and not np.can_cast(counts.dtype, np.intp, "safe"):
        raise TypeError(f"Cannot cast array data from {counts.dtype!r} to {np.dtype(np.intp)!r} according to the rule 'safe'")
    counts = int(counts.reshape(())) if counts.size == 1 else counts.astype(np.intp)
    y: Array = apply(repeat_p, x, counts=counts, axis=axis)
    return y


@stands_for(np.tile)
def tile(A: ArrayLike, reps: int | Sequence[int]) -> Array:
    """Put copies of an array side by side.

    Args:
        A: an array.
        reps: how many there are along each axis, the last one last; where it is longer than the array has axes, new ones come
            first.

    Returns:
        Lengths that are those of `A`, times `reps`.

    Example:
        >>> tile(np.array([1.0, 2.0]), (2, 2))
        array([[1., 2., 1., 2.],
               [1., 2., 1., 2.]])
    """
    x: Any = gathered(A)
    reps = concrete(gathered(reps), "tile")
    if type(x) is not Var:
        return np.tile(x, reps)
    counts = tuple(index(n) for n in reps) if np.iterable(reps) else (index(reps),)
    rank = max(len(counts), x.ndim)
    counts = (1,) * (rank - len(counts)) + counts
    shape = (1,) * (rank - x.ndim) + x.shape
    spread = in_shape(x, tuple([m for n in shape for m in (1, n)]))
    many = broadcast_to(spread, tuple([m for n, count in zip(shape, counts, strict=True) for m in (count, n)]))
    tiled: Array = own(in_shape(many, tuple([n * count for n, count in zip(shape, counts, strict=True)])))
    return tiled


@stands_for(np.resize)
def resize(a: ArrayLike, new_shape: Shape) -> Array:
    """Return an array of a new shape, filled with the elements of `a` in order, over and over.

    Raises:
        ValueError: if a length is negative.

    Example:
        >>> resize(np.array([1.0, 2.0, 3.0]), (2, 2))
        array([[1., 2.],
               [3., 1.]])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return np.resize(x, new_shape)
    shape = tuple(int(n) for n in new_shape) if np.iterable(new_shape) else (int(new_shape),)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    size = math.prod(shape)
    flat: Any = ravel(x)
    if not x.size or not size:
        return np.zeros(shape, x.dtype)
    if size > x.size:
        flat = tile(flat, -(-size // x.size))
    filled: Array = own(in_shape(flat[:size], shape))
    return filled


# Leaving out and putting in


@stands_for(np.trim_zeros)
def trim_zeros(filt: ArrayLike, trim: Literal["f", "b", "fb", "bf"] = "fb", axis: int | Sequence[int] | None = None) -> Array:
    """Cut off what is zero at the ends.

    Args:
        filt: an array.
        trim: which ends: 'f' the front, 'b' the back, 'fb' both.
        axis: the axis to shorten; None: all.

    Returns:
        The rank of `filt`, shortened along the axes.

    Raises:
        ConcretizationError: under `vmap` and `jit`, where the length is not known.

    Example:
        >>> trim_zeros(np.array([0.0, 1.0, 0.0, 2.0, 0.0]))
        array([1., 0., 2.])
    """
    x: Any = gathered(filt)
    if type(x) is not Var:
        return np.trim_zeros(x, trim) if axis is None else np.trim_zeros(x, trim, axis)
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    rank = x.ndim
    shortened = range(rank) if axis is None else normalize_axis_tuple(axis, rank)
    found = np.argwhere(concrete(x, "trim_zeros"))
    cuts = [slice(None)] * rank
    for k in shortened:
        first, last = (found[:, k].min(), found[:, k].max() + 1) if len(found) else (0, 0)
        front = int(first) if "f" in trim.lower() or not len(found) else None
        cuts[k] = slice(front, int(last) if "b" in trim.lower() or not len(found) else None)
    y: Array = read(x, tuple(cuts)) if rank else +x
    return y


@stands_for(np.delete)
def delete(arr: ArrayLike, obj: Any, axis: int | None = None) -> Array:
    """Leave out slices along an axis.

    Args:
        arr: an array.
        obj: which: a position, several, a slice, or a mask.
        axis: the axis; None takes `arr` flattened.

    Returns:
        The shape of `arr`, shorter along the axis; a vector for None.

    Raises:
        IndexError: if a position is out of bounds.

    Example:
        >>> delete(np.array([1.0, 2.0, 3.0]), 1)
        array([1., 3.])
    """
    x: Any = gathered(arr)
    obj = concrete(gathered(obj), "delete")
    if type(x) is not Var:
        return np.delete(x, obj, axis)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    return take(x, np.delete(np.arange(x.shape[axis]), obj), axis)


@stands_for(np.insert)
def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None) -> Array:
    """Put values before positions along an axis.

    Args:
        arr: an array.
        obj: before which positions: one, several, a slice, or a mask.
        values: what is put there, of a shape that broadcasts to that of as many slices; cast to the dtype of `arr`.
        axis: the axis; None takes `arr` flattened.

    Returns:
        The shape of `arr`, longer along the axis; a vector for None.

    Raises:
        IndexError: if a position is out of bounds.

    Example:
        >>> insert(np.array([1.0, 2.0, 3.0]), [1, 3], [10.0, 20.0])
        array([ 1., 10.,  2.,  3., 20.])
    """
    x: Any = gathered(arr)
    new: Any = gathered(values)
    obj = concrete(gathered(obj), "insert")
    if type(x) is not Var and type(new) is not Var:
        return np.insert(x, obj, new, axis)
    x, new = (part if type(part) is Var else np.asarray(part) for part in (x, new))
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    shape = x.shape
    length = shape[axis]
    new = astype(new, x.dtype)
    if new.ndim < len(shape):
        new = new.reshape((1,) * (len(shape) - new.ndim) + new.shape)
    places = np.arange(*obj.indices(length)) if isinstance(obj, slice) else np.asarray(obj)
    places = places.astype(np.intp) if not places.size and not isinstance(obj, np.ndarray) else places  # as `np.insert` does
    places = np.flatnonzero(places) if places.dtype == bool else places
    if places.size == 1:
        new = moveaxis(new, 0, axis) if places.ndim == 0 else new
        place = int(places.reshape(()))
        if not -length <= place <= length:
            raise IndexError(f"index {obj} is out of bounds for axis {axis} with size {length}")
        place += length if place < 0 else 0
        inserted = new.shape[axis]
        order = np.insert(np.arange(length), place, np.arange(length, length + inserted))
    else:
        inserted = places.size
        order = np.insert(np.arange(length), places, np.arange(length, length + inserted))
    new = broadcast_to(new, (*shape[:axis], inserted, *shape[axis + 1 :]))
    return take(concatenate([x, new], axis), order, axis)


@stands_for(np.append)
def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """Put values behind an array along an axis.

    Args:
        arr: an array.
        values: an array of its shape but for the length along the axis.
        axis: the axis; None takes both flattened.

    Returns:
        The shape of `arr`, longer along the axis; a vector for None.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> append(np.array([1.0, 2.0]), 3.0)
        array([1., 2., 3.])
    """
    return concatenate([arr, values] if axis is not None else [ravel(arr), ravel(values)], axis)
