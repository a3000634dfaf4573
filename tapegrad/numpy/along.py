"""Functions applied to slices of an array, and arrays put together from blocks."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import shape_of
from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.joins import concatenate, stack
from tapegrad.numpy.shapes import expand_dims, moveaxis, reshape
from tapegrad.typing import Array, ArrayLike


@stands_for(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: ArrayLike, *args: Any, **kwargs: Any) -> Array:
    """Apply a function to each one-dimensional slice of an array along an axis.

    It is a loop, as in NumPy: a function of whole arrays, or `vmap`, is faster.

    Args:
        func1d: a function of a vector that returns an array of a shape that is always the same.
        axis: the axis along which the slices run.
        arr: an array.
        args: further arguments of the function.
        kwargs: further keyword arguments.

    Returns:
        An array in which the axes of what the function returns stand in place of the axis.

    Raises:
        ValueError: if another axis has length 0.

    Example:
        >>> apply_along_axis(lambda row: row / row.sum(), 1, np.array([[1.0, 3.0], [2.0, 2.0]]))
        array([[0.25, 0.75],
               [0.5 , 0.5 ]])
    """
    x: Any = gathered(arr)
    if type(x) is not Var:
        applied: Array = np.apply_along_axis(func1d, axis, x, *args, **kwargs)
        return applied
    axis = normalize_axis_index(axis, x.ndim)
    rows: Any = moveaxis(x, axis, -1)
    others = rows.shape[:-1]
    if 0 in others:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [func1d(rows[index], *args, **kwargs) for index in np.ndindex(*others)]
    whole: Any = stack([result if type(result) is Var else np.asarray(result) for result in results])
    inner = whole.shape[1:]
    whole = reshape(whole, (*others, *inner))
    places = tuple(range(len(others), len(others) + len(inner)))
    return moveaxis(whole, places, tuple(range(axis, axis + len(inner))))


@stands_for(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: ArrayLike, axes: int | Sequence[int]) -> Array:
    """Apply a reduction ``func(a, axis)`` over several axes, one after the other, and keep them with length 1.

    Args:
        func: a function of an array and an axis, which removes the axis or keeps it with length 1.
        a: an array.
        axes: an axis, or several.

    Raises:
        ValueError: if the function returns an array of another rank.

    Example:
        >>> apply_over_axes(np.sum, np.ones((2, 3)), [0, 1])
        array([[6.]])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        x = np.asarray(x)
    rank = x.ndim
    for axis in np.atleast_1d(axes).tolist():
        axis = axis + rank if axis < 0 else axis
        result = func(x, axis)
        if len(shape_of(result)) != rank:
            result = expand_dims(result, axis)
            if len(shape_of(result)) != rank:
                raise ValueError("function is not returning an array of the correct shape")
        x = result
    done: Array = x
    return done


@stands_for(np.block)
def block(arrays: Any) -> Array:
    """Put an array together from nested lists of blocks.

    Args:
        arrays: nested lists, all of the same depth: the innermost are joined along the last axis, the next along the one
            before it, and so on.

    Raises:
        ValueError: if depths or shapes do not match.

    Example:
        >>> block([[np.eye(2), np.zeros((2, 1))]])
        array([[1., 0., 0.],
               [0., 1., 0.]])
    """
    depth, rank, traced = _depth(arrays), [0], [False]
    _survey(arrays, rank, traced)
    if not traced[0]:
        whole: Array = np.block(arrays)
        return whole
    joined: Array = _join(arrays, 1, depth, max(depth, rank[0]))
    return joined


def _depth(arrays: Any) -> int:
    if isinstance(arrays, tuple):
        raise TypeError("block: only lists can be used to arrange blocks, got a tuple")
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("List at arrays cannot be empty")
    depths = {_depth(part) for part in arrays}
    if len(depths) > 1:
        raise ValueError(f"List depths are mismatched: {sorted(depths)}")
    return 1 + depths.pop()


def _survey(arrays: Any, rank: list[int], traced: list[bool]) -> None:
    if isinstance(arrays, list):
        for part in arrays:
            _survey(part, rank, traced)
    else:
        rank[0] = max(rank[0], len(shape_of(arrays)))
        traced[0] = traced[0] or type(arrays) is Var


def _join(arrays: Any, level: int, depth: int, rank: int) -> Any:
    if not isinstance(arrays, list):
        x = arrays if type(arrays) is Var else np.asarray(arrays)
        return reshape(x, (1,) * (rank - x.ndim) + x.shape)
    return concatenate([_join(part, level + 1, depth, rank) for part in arrays], axis=-(depth - level + 1))
