"""Grids: numbers at equal steps, coordinates of all points of a grid, and the indices of parts of arrays."""

from typing import Any, Literal, overload

import numpy as np
from numpy import arange as arange
from numpy import diag_indices as diag_indices
from numpy import eye as eye
from numpy import fromfunction as fromfunction
from numpy import identity as identity
from numpy import index_exp as index_exp
from numpy import indices as indices
from numpy import mask_indices as mask_indices
from numpy import mgrid as mgrid
from numpy import ogrid as ogrid
from numpy import s_ as s_
from numpy import tri as tri
from numpy import tril_indices as tril_indices
from numpy import triu_indices as triu_indices

from tapegrad.core.arrays import broadcast_to, dtype_of, shape_of
from tapegrad.core.origins import depends_on_abstract
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import concrete, in_common_dtype, plain
from tapegrad.numpy.broadcasting import broadcast_arrays
from tapegrad.numpy.creation import own
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.joins import concatenate
from tapegrad.numpy.shapes import in_shape, moveaxis
from tapegrad.ops.spaced import linspace_p
from tapegrad.typing import Array, ArrayLike, DTypeLike


@overload
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: Literal[False] = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Array: ...
@overload
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int,
    endpoint: bool,
    retstep: Literal[True],
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> tuple[Array, Array]: ...
@overload
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    *,
    retstep: Literal[True],
    dtype: DTypeLike | None = None,
    axis: int = 0,
    device: Any = None,
) -> tuple[Array, Array]: ...
@stands_for(np.linspace)
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Return numbers at equal steps from `start` to `stop`.

    Args:
        start: the first number, or an array of them.
        stop: the last one.
        num: how many there are.
        endpoint: `stop` is the last of them; otherwise it would be the next one.
        retstep: return the step as well.
        dtype: the dtype of the numbers.
        axis: the axis along which they stand, where `start` or `stop` is an array.
        device: "cpu" or None.

    Returns:
        The numbers, or with `retstep` the numbers and the step.

    Raises:
        ValueError: if `num` is negative.

    Example:
        >>> from tapegrad import grad
        >>> grad(lambda stop: linspace(0.0, stop, 3).sum())(2.0)
        np.float64(1.5)
    """
    first: Any = gathered(start)
    last: Any = gathered(stop)
    if type(first) is not Var and type(last) is not Var:
        return plain(np.linspace, first, last, num, endpoint, retstep, dtype, axis, device=device)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    first, last = (float(x) if type(x) is int else x for x in (first, last))  # short integers do not hold any int
    first, last = in_common_dtype((first, last))
    y: Any = apply(linspace_p, first, last, num=num, endpoint=bool(endpoint))
    y = moveaxis(y, 0, axis) if axis else y
    if dtype is not None:
        y = astype(np.floor(y) if np.dtype(dtype).kind in "iu" else y, dtype)
    if not retstep:
        return y
    parts = num - 1 if endpoint else num
    return y, (last - first) / parts if parts > 0 else np.float64(np.nan)


@stands_for(np.logspace)
def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Array:
    """Return numbers at equal ratios from ``base**start`` to ``base**stop``. Arguments as for `linspace`.

    Example:
        >>> logspace(0.0, 2.0, 3)
        array([  1.,  10., 100.])
    """
    parts: list[Any] = [gathered(start), gathered(stop), gathered(base)]
    if not any(type(x) is Var for x in parts):
        return np.logspace(parts[0], parts[1], num, endpoint, parts[2], dtype, axis)
    if shape_of(parts[2]):  # its axes take part in what `axis` means
        rank = max(len(shape_of(x)) for x in parts)
        parts = [np.expand_dims(x, tuple(range(rank - len(shape_of(x))))) for x in parts]
        parts[2] = np.expand_dims(parts[2], axis)
    y: Any = np.power(parts[2], linspace(parts[0], parts[1], num, endpoint, axis=axis))
    spaced: Array = y if dtype is None else astype(y, dtype)
    return spaced


@stands_for(np.geomspace)
def geomspace(
    start: ArrayLike, stop: ArrayLike, num: int = 50, endpoint: bool = True, dtype: DTypeLike | None = None, axis: int = 0
) -> Array:
    """Return numbers at equal ratios from `start` to `stop`, neither of which is 0. Arguments as for `linspace`.

    Raises:
        ValueError: if one of them is 0.

    Example:
        >>> geomspace(1.0, 100.0, 3)
        array([  1.,  10., 100.])
    """
    first: Any = gathered(start)
    last: Any = gathered(stop)
    if type(first) is not Var and type(last) is not Var:
        return np.geomspace(first, last, num, endpoint, dtype, axis)
    ends = [x for x in (first, last) if type(x) is not Var or not depends_on_abstract(x)]
    if any(np.any(concrete(x, "geomspace") == 0) for x in ends):
        raise ValueError("Geometric sequence cannot include zero")
    common = np.result_type(dtype_of(first), dtype_of(last), np.float64)  # as NumPy has it, also for single precision
    first, last = broadcast_arrays(astype(first, common), astype(last, common))
    sign = np.sign(first)
    y: Any = sign * logspace(np.log10(first / sign), np.log10(last / sign), num, endpoint)
    if num > 0:  # the ends are exactly those that were given
        inner = slice(1, num - 1 if endpoint else num)
        y = concatenate([first[None], y[inner], *([last[None]] if endpoint and num > 1 else [])])
    y = moveaxis(y, 0, axis) if axis else y
    spaced: Array = y if dtype is None else astype(y, dtype)
    return spaced


# Points of a grid


@stands_for(np.meshgrid)
def meshgrid(
    *xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: Literal["xy", "ij"] = "xy"
) -> tuple[Array, ...]:
    """Return the coordinates of all points of a grid, one array a coordinate.

    Args:
        xi: the coordinates along each axis.
        copy: arrays of their own rather than views.
        sparse: leave the axes along which a coordinate does not change at length 1.
        indexing: which axis is the first: that of the second coordinate ('xy') or that of the first ('ij').

    Returns:
        As many arrays as `xi`, each with one axis a coordinate.

    Raises:
        ValueError: if `indexing` is neither.

    Example:
        >>> x, y = meshgrid(np.array([1.0, 2.0]), np.array([10.0, 20.0]))
        >>> x + y
        array([[11., 12.],
               [21., 22.]])
    """
    found: list[Any] = [gathered(x) for x in xi]
    if not any(type(x) is Var for x in found):
        return np.meshgrid(*found, copy=copy, sparse=sparse, indexing=indexing)
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    flat = [x if type(x) is Var else np.asarray(x) for x in found]
    places = list(range(len(flat)))
    if indexing == "xy" and len(flat) > 1:
        places[:2] = 1, 0
    lengths = [1] * len(flat)
    for place, x in zip(places, flat, strict=True):
        lengths[place] = x.size
    grids = []
    for place, x in zip(places, flat, strict=True):
        along = tuple([-1 if k == place else 1 for k in range(len(flat))])
        y = in_shape(x, tuple([x.size if n == -1 else 1 for n in along])) if type(x) is Var else x.reshape(along)
        y = y if sparse else broadcast_to(y, tuple(lengths))
        grids.append(own(y) if copy and type(y) is Var else y.copy() if copy else y)
    return tuple(grids)


@stands_for(np.ix_)
def ix_(*args: ArrayLike) -> tuple[Array, ...]:
    """Return vectors along axes of their own, so that as an index they name all combinations; masks become positions.

    Raises:
        ValueError: if one is no vector.

    Example:
        >>> np.arange(9).reshape(3, 3)[ix_([0, 2], [True, False, True])]
        array([[0, 2],
               [6, 8]])
    """
    found: list[Any] = [gathered(x) for x in args]
    if not any(type(x) is Var for x in found):
        return np.ix_(*found)
    vectors = [x if type(x) is Var and x.dtype != bool else np.asarray(concrete(x, "ix_")) for x in found]
    if any(x.ndim != 1 for x in vectors):
        raise ValueError("Cross index must be 1 dimensional")
    vectors = [np.flatnonzero(x) if x.dtype == bool else x for x in vectors]
    rank = len(vectors)
    return tuple([x.reshape((1,) * k + (x.size,) + (1,) * (rank - k - 1)) for k, x in enumerate(vectors)])


# Positions, as one number and as one for each axis


@stands_for(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: Literal["C", "F"] = "C") -> Array:
    """Return positions in an array laid out flat, from one array of indices an axis.

    Args:
        multi_index: integers, one array an axis.
        dims: the shape of the array.
        mode: what an index out of bounds does, for all axes or for each: 'raise', 'wrap' or 'clip'. What is traced under `vmap`
            or `jit` is not checked.
        order: which axis runs fastest: the last ('C') or the first ('F').

    Returns:
        Integers, of the shape that the indices broadcast to.

    Raises:
        ValueError: if an index is out of bounds.

    Example:
        >>> ravel_multi_index(([0, 1], [2, 0]), (2, 3))
        array([2, 3])
    """
    if not any(type(gathered(x)) is Var for x in multi_index):
        return plain(np.ravel_multi_index, multi_index, dims, mode, order)
    total: Any = 0
    modes = mode if isinstance(mode, tuple) else (mode,) * len(dims)
    axes = list(zip(multi_index, dims, modes, strict=True))
    for x, n, how in axes if order == "C" else reversed(axes):
        x = x % n if how == "wrap" else np.clip(x, 0, n - 1) if how == "clip" else x
        total = total * n + x
    place: Array = total
    return place


@stands_for(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: Literal["C", "F"] = "C") -> tuple[Any, ...]:
    """Return one array of indices an axis, from positions in an array laid out flat.

    Args:
        indices: integers. What is traced under `vmap` or `jit` is not checked.
        shape: the shape of the array.
        order: which axis runs fastest: the last ('C') or the first ('F').

    Returns:
        One array an axis, each of the shape of `indices`.

    Raises:
        ValueError: if a position is out of bounds.

    Example:
        >>> unravel_index([2, 3], (2, 3))
        (array([0, 1]), array([2, 0]))
    """
    rest: Any = gathered(indices)
    lengths = tuple(shape) if np.iterable(shape) else (shape,)
    if type(rest) is not Var:
        return np.unravel_index(rest, lengths, order)
    found = []
    for n in reversed(lengths) if order == "C" else lengths:
        found.append(rest % n)
        rest = rest // n
    return tuple(reversed(found)) if order == "C" else tuple(found)
