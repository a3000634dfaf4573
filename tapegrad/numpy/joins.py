"""Joins: several arrays put together into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.complaints import check_numbers, no_number
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import own
from tapegrad.numpy.arguments import in_common_dtype
from tapegrad.numpy.broadcasting import atleast_1d, atleast_2d, atleast_3d
from tapegrad.numpy.door import gathered, plain_out, refuse_out, stands_for
from tapegrad.numpy.shapes import expand_dims, plain, ravel, reshape
from tapegrad.ops.join import concatenate_p, stack_p
from tapegrad.typing import Array, ArrayLike, DTypeLike

MANY = 64
"""So many inputs a node has at most; a longer list is joined piece by piece, since a rule is called with all inputs."""


def parts_of(arrays: Any, name: str) -> tuple[list[Any], bool]:
    """Return the arrays to join, each an array or traced, and whether one is traced."""
    if type(arrays) is Var:
        return list(arrays), True
    if not isinstance(arrays, (list, tuple, np.ndarray)):
        raise TypeError('arrays to stack must be passed as a "sequence" type such as list or tuple.')
    parts = [gathered(x) for x in arrays]
    traced = any(type(x) is Var for x in parts)
    return ([x if type(x) is Var else numbers(x, name, k) for k, x in enumerate(parts)] if traced else parts), traced


def numbers(x: Any, name: str, position: int) -> Any:
    """Return `x` as an array, which is to be joined with a traced one."""
    y = np.asarray(x)
    if y.dtype.kind not in "biufc":
        raise no_number(name, position, x)
    return y


@stands_for(np.concatenate)
def concatenate(
    arrays: Sequence[ArrayLike] | Array,
    /,
    axis: int | None = 0,
    out: None = None,
    *,
    dtype: DTypeLike | None = None,
    casting: Any = "same_kind",
) -> Array:
    """Return the arrays one after the other along an axis that they have.

    Args:
        arrays: arrays of shapes that differ at most along `axis`.
        axis: the axis; None joins them flattened.
        out: not supported on traced values.
        dtype: the dtype of the result; the common one by default.
        casting: which casts to it are allowed.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> concatenate([np.array([1.0, 2.0]), np.array([3.0])])
        array([1., 2., 3.])
    """
    parts, traced = parts_of(arrays, "concatenate")
    if not traced:
        return np.concatenate(parts, axis, plain_out(out, "concatenate"), dtype=dtype, casting=casting)
    refuse_out(out, "concatenate")
    if not parts:
        return np.concatenate(parts)  # raises NumPy's error
    if axis is None:
        given = arrays if isinstance(arrays, (list, tuple)) else parts
        weak = [x if type(x) in (bool, int, float, complex) else part for x, part in zip(given, parts, strict=True)]
        parts, axis = [ravel(x) for x in in_common_dtype(weak)], 0
    return _cast(_concatenate(parts, axis), parts, dtype, casting)


def _concatenate(parts: Sequence[Any], axis: int) -> Array:
    count = parts[0].ndim
    if any(x.ndim != count for x in parts) or not count:
        np.concatenate([plain(x) for x in parts], axis)  # raises NumPy's error
    axis = normalize_axis_index(axis, count)
    while len(parts) > MANY:
        parts = [_concatenate(parts[k : k + MANY], axis) for k in range(0, len(parts), MANY)]
    ends = [0]
    for x in parts:
        ends.append(ends[-1] + x.shape[axis])
    y: Array = apply(concatenate_p, *parts, axis=axis, ends=tuple(ends))
    return y


def _cast(y: Any, parts: Sequence[Any], dtype: DTypeLike | None, casting: Any) -> Array:
    """Return the joined array in the dtype that was asked for, if the parts may be cast to it."""
    if dtype is not None:
        np.concatenate([np.empty(0, x.dtype) for x in parts], dtype=dtype, casting=casting)  # raises NumPy's error
        y = astype(y, dtype)
    joined: Array = y
    return joined


concat = concatenate


@stands_for(np.stack)
def stack(
    arrays: Sequence[ArrayLike] | Array,
    axis: int = 0,
    out: None = None,
    *,
    dtype: DTypeLike | None = None,
    casting: Any = "same_kind",
) -> Array:
    """Return the arrays, all of one shape, along a new axis.

    Args:
        arrays: arrays of one shape.
        axis: the place of the new axis in the result.
        out: not supported on traced values.
        dtype: the dtype of the result; the common one by default.
        casting: which casts to it are allowed.

    Returns:
        The shape of the arrays, with one axis more, as long as there are arrays.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])], axis=1)
        array([[1., 3.],
               [2., 4.]])
    """
    parts, traced = parts_of(arrays, "stack")
    if not traced:
        return np.stack(parts, axis, plain_out(out, "stack"), dtype=dtype, casting=casting)
    refuse_out(out, "stack")
    if not parts:
        return np.stack(parts)  # raises NumPy's error
    shape = parts[0].shape
    if any(x.shape != shape for x in parts):
        raise ValueError("all input arrays must have the same shape")
    axis = normalize_axis_index(axis, len(shape) + 1)
    if len(parts) <= MANY:
        return _cast(apply(stack_p, *parts, axis=axis), parts, dtype, casting)
    pieces = [apply(stack_p, *parts[k : k + MANY], axis=axis) for k in range(0, len(parts), MANY)]
    return _cast(_concatenate(pieces, axis), parts, dtype, casting)


@stands_for(np.vstack)
def vstack(tup: Sequence[ArrayLike] | Array, *, dtype: DTypeLike | None = None, casting: Any = "same_kind") -> Array:
    """Return the arrays below each other: along the first axis, vectors as rows.

    Args:
        tup: arrays of one shape but for the length along the first axis; vectors of one length count as rows.
        dtype: the dtype of the result; the common one by default.
        casting: which casts to it are allowed.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> vstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
        array([[1., 2.],
               [3., 4.]])
    """
    parts, traced = parts_of(tup, "vstack")
    if not traced:
        return np.vstack(parts, dtype=dtype, casting=casting)
    return concatenate([atleast_2d(x) for x in parts], 0, dtype=dtype, casting=casting)


@stands_for(np.hstack)
def hstack(tup: Sequence[ArrayLike] | Array, *, dtype: DTypeLike | None = None, casting: Any = "same_kind") -> Array:
    """Return the arrays side by side: along the second axis, vectors end to end.

    Args:
        tup: arrays of one shape but for the length along that axis; numbers count as vectors.
        dtype: the dtype of the result; the common one by default.
        casting: which casts to it are allowed.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> hstack([np.array([1.0, 2.0]), 3.0])
        array([1., 2., 3.])
    """
    parts, traced = parts_of(tup, "hstack")
    if not traced:
        return np.hstack(parts, dtype=dtype, casting=casting)
    parts = [atleast_1d(x) for x in parts]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@stands_for(np.dstack)
def dstack(tup: Sequence[ArrayLike] | Array) -> Array:
    """Return the arrays behind each other: along the third axis.

    Example:
        >>> dstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
        array([[[1., 3.],
                [2., 4.]]])
    """
    parts, traced = parts_of(tup, "dstack")
    return concatenate([atleast_3d(x) for x in parts], 2) if traced else np.dstack(parts)


@stands_for(np.column_stack)
def column_stack(tup: Sequence[ArrayLike] | Array) -> Array:
    """Return the arrays side by side, vectors as columns.

    Example:
        >>> column_stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
        array([[1., 3.],
               [2., 4.]])
    """
    parts, traced = parts_of(tup, "column_stack")
    if not traced:
        return np.column_stack(parts)
    columns: list[Any] = [expand_dims(atleast_1d(x), 1) if x.ndim < 2 else x for x in parts]
    return concatenate(columns, 1)


def pack(items: Any) -> Any:
    """Return nested lists with traced values in them as one traced array, as ``np.array`` would.

    Raises:
        ValueError: if the lists are ragged.
    """
    if not isinstance(items, (list, tuple)):
        return items if type(items) is Var else np.asarray(items)
    parts = [pack(item) for item in items]
    if not any(type(x) is Var for x in parts):
        return np.asarray(items)
    if any(x.shape != parts[0].shape for x in parts):
        check_numbers("array", parts)
        raise ValueError("setting an array element with a sequence. The requested array has an inhomogeneous shape")
    return stack(parts)


# Blocks


@stands_for(np.block)
def block(arrays: Any) -> Array:
    """Put an array together from nested lists of blocks: the innermost along the last axis, the next along the one before.

    Args:
        arrays: an array, or lists of them, nested to one depth.

    Returns:
        The whole, with at least as many axes as the lists are deep.

    Raises:
        ValueError: if the lists are nested to different depths, one is empty, or the blocks do not fit.

    Example:
        >>> block([[np.ones((1, 1)), np.zeros((1, 2))], [np.zeros((1, 3))]])
        array([[1., 0., 0.],
               [0., 0., 0.]])
    """
    leaves: list[Any] = []
    depth = _gather_blocks(arrays, "arrays", leaves)
    if not any(type(x) is Var for x in leaves):
        return np.block(arrays)
    rank = max(depth, *[x.ndim if type(x) is Var else np.ndim(x) for x in leaves])
    joined: Array = own(_block(arrays, depth, rank))
    return joined


def _gather_blocks(arrays: Any, path: str, leaves: list[Any]) -> int:
    """Append the blocks to `leaves`, and return how deep they are nested."""
    if isinstance(arrays, tuple):
        raise TypeError(
            f"{path} is a tuple. Only lists can be used to arrange blocks, and np.block does not allow implicit conversion."
        )
    if not isinstance(arrays, list):
        leaves.append(arrays)
        return 0
    if not arrays:
        raise ValueError(f"List at {path} cannot be empty")
    depths = [_gather_blocks(part, f"{path}[{k}]", leaves) for k, part in enumerate(arrays)]
    if len(set(depths)) > 1:
        raise ValueError(
            f"List depths are mismatched. First element was at depth {depths[0] + 1}, but there is an element at depth "
            f"{next(d for d in depths if d != depths[0]) + 1} ({path})"
        )
    return depths[0] + 1


def _block(arrays: Any, depth: int, rank: int) -> Array:
    if depth:
        return concatenate([_block(part, depth - 1, rank) for part in arrays], -depth)
    x: Any = arrays if type(arrays) is Var else numbers(arrays, "block", 0)
    return reshape(x, (1,) * (rank - x.ndim) + x.shape)


class Concatenator:
    """What `r_` and `c_` are."""

    def __init__(self, axis: int, ndmin: int, trans1d: int, plain: Any) -> None:
        self.axis, self.ndmin, self.trans1d, self.plain = axis, ndmin, trans1d, plain

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if not any(type(gathered(item)) is Var for item in items):
            return self.plain[key]
        axis, ndmin, trans1d = self.axis, self.ndmin, self.trans1d
        if isinstance(items[0], str):
            numbers = items[0].split(",")
            if not all(number.strip().lstrip("-").isdigit() for number in numbers) or len(numbers) > 3:
                raise ValueError(f"unknown special directive {items[0]!r}")
            given = [int(number) for number in numbers]
            axis, ndmin, trans1d = (*given, *(axis, ndmin, trans1d)[len(given) :])
            items = items[1:]
        return concatenate([self._deepened(item, ndmin, trans1d) for item in items], axis)

    def _deepened(self, item: Any, ndmin: int, trans1d: int) -> Any:
        """Return an item with at least `ndmin` axes, its own standing from `trans1d` on."""
        x = gathered(item)
        x = x if type(x) is Var else np.r_[x] if isinstance(x, slice) else np.asarray(x)
        missing = ndmin - x.ndim
        if missing <= 0:
            return x
        deep: Any = reshape(x, (1,) * missing + x.shape)
        if trans1d == -1 or not x.ndim:
            return deep
        first = trans1d + missing + 1 if trans1d < 0 else trans1d
        axes = list(range(ndmin))
        return deep.transpose(axes[:first] + axes[missing:] + axes[first:missing])


r_ = Concatenator(0, 1, -1, np.r_)
"""Arrays, numbers and slices put behind each other: ``r_[x, 0.0, 1:4]``, as in NumPy."""

c_ = Concatenator(-1, 2, 0, np.c_)
"""Arrays put side by side as columns: ``c_[x, y]``, as in NumPy."""
