"""Evenly spaced numbers, and grids of them."""

from typing import Any, Literal

import numpy as np

from tapegrad.core.arrays import broadcast_to, shape_of
from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.shapes import moveaxis, reshape
from tapegrad.typing import Array, ArrayLike, DTypeLike


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
    device: Literal["cpu"] | None = None,
) -> Any:
    """Return evenly spaced numbers from `start` to `stop`; differentiable in both.

    Args:
        start: the first number, or an array of them.
        stop: the last one, of a shape that broadcasts with `start`.
        num: how many, 0 or more.
        endpoint: whether `stop` is the last number, or the one after it.
        retstep: whether to return the distance between them as well.
        dtype: of the result.
        axis: where the numbers run, if `start` and `stop` are arrays.
        device: None or 'cpu'.

    Returns:
        An array with an axis of length `num`; with `retstep` a pair.

    Raises:
        ValueError: if `num` is negative.

    Example:
        >>> linspace(0.0, 1.0, 3)
        array([0. , 0.5, 1. ])
    """
    first, last = gathered(start), gathered(stop)
    if type(first) is not Var and type(last) is not Var:
        spaced: Any = np.linspace
        return spaced(first, last, num, endpoint, retstep, dtype, axis)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    shape = np.broadcast_shapes(shape_of(first), shape_of(last))
    parts = num - 1 if endpoint else num
    weights = (np.arange(num) / parts if parts > 0 else np.zeros(num)).reshape(-1, *(1,) * len(shape))
    step = (last - first) / parts if parts > 0 else (last - first) * np.nan
    whole: Any = first * (1.0 - weights) + last * weights
    whole = broadcast_to(whole, (num, *shape))
    if dtype is not None:
        whole = astype(whole, dtype)
    whole = moveaxis(whole, 0, axis) if axis else whole
    return (whole, step) if retstep else whole


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
    """Return numbers from ``base**start`` to ``base**stop`` whose logarithms are evenly spaced; differentiable in all three.

    Args:
        start: logarithm of the first number.
        stop: logarithm of the last one.
        num: how many.
        endpoint: whether ``base**stop`` is among them.
        base: the base of the logarithms.
        dtype: of the result.
        axis: where the numbers run, if the others are arrays.

    Raises:
        ValueError: if `num` is negative.

    Example:
        >>> logspace(0.0, 2.0, 3)
        array([  1.,  10., 100.])
    """
    first, last, root = gathered(start), gathered(stop), gathered(base)
    if not any(type(x) is Var for x in (first, last, root)):
        spaced: Array = np.logspace(first, last, num, endpoint, root, dtype, axis)
        return spaced
    powers = linspace(first, last, num, endpoint, axis=axis)
    if len(shape_of(root)):
        root = np.expand_dims(root, axis)
    result: Array = np.power(root, powers)
    return result if dtype is None else astype(result, dtype)


@stands_for(np.geomspace)
def geomspace(
    start: ArrayLike, stop: ArrayLike, num: int = 50, endpoint: bool = True, dtype: DTypeLike | None = None, axis: int = 0
) -> Array:
    """Return numbers from `start` to `stop` with the same ratio from each to the next; differentiable in both.

    Args:
        start: the first number, not 0.
        stop: the last one, of the same sign.
        num: how many.
        endpoint: whether `stop` is among them.
        dtype: of the result.
        axis: where the numbers run, if the others are arrays.

    Raises:
        ValueError: if `num` is negative, or an end is 0.

    Example:
        >>> geomspace(1.0, 100.0, 3)
        array([  1.,  10., 100.])
    """
    first, last = gathered(start), gathered(stop)
    if type(first) is not Var and type(last) is not Var:
        spaced: Array = np.geomspace(first, last, num, endpoint, dtype, axis)
        return spaced
    if np.any(first == 0) or np.any(last == 0):
        raise ValueError("Geometric sequence cannot include zero")
    powers = linspace(0.0 * first, np.log(last / first), num, endpoint, axis=axis)
    front = np.expand_dims(first, axis) if len(shape_of(first)) else first
    result: Array = front * np.exp(powers)
    return result if dtype is None else astype(result, dtype)


@stands_for(np.meshgrid)
def meshgrid(
    *xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: Literal["xy", "ij"] = "xy"
) -> tuple[Array, ...]:
    """Return the coordinates of a grid, from the coordinates along each of its axes.

    Args:
        xi: vectors of lengths ``n1, n2, ...``.
        copy: on plain arrays, whether the results own their memory.
        sparse: whether to leave the other axes at length 1.
        indexing: 'xy' for results of shape ``(n2, n1, ...)``, 'ij' for ``(n1, n2, ...)``.

    Returns:
        One array for each vector.

    Raises:
        ValueError: if `indexing` is something else.

    Example:
        >>> x, y = meshgrid(np.array([1.0, 2.0]), np.array([5.0, 6.0, 7.0]))
        >>> x.shape, y[:, 0]
        ((3, 2), array([5., 6., 7.]))
    """
    vectors: list[Any] = [gathered(x) for x in xi]
    if not any(type(x) is Var for x in vectors):
        return tuple(np.meshgrid(*vectors, copy=copy, sparse=sparse, indexing=indexing))
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    rank = len(vectors)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    vectors = [x if type(x) is Var else np.asarray(x) for x in vectors]
    lengths = [0] * rank
    for place, x in zip(places, vectors, strict=True):
        lengths[place] = x.size
    spread = []
    for place, x in zip(places, vectors, strict=True):
        shape = [1] * rank
        shape[place] = x.size
        thin = reshape(x, tuple(shape))
        spread.append(thin if sparse else broadcast_to(thin, tuple(lengths)))
    return tuple(spread)
