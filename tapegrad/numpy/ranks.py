"""What quantiles are made of: where a quantile lies among the sorted elements, and what is read there.

A quantile is one sorted element, or lies between two neighbours. Which two, says the method; they are constants, as the
comparison of elements is. Its derivative is that of the elements and of the interpolation between them.

References:
    R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50(4), 1996, 361-365.
"""

import warnings
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from tapegrad.core.structure import astype, stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import axes_of, weights_beside
from tapegrad.ops.order import ranked_p, sort_p
from tapegrad.ops.reduce import count, held_shape
from tapegrad.ops.scan import along
from tapegrad.typing import Array

Method: TypeAlias = Literal[
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]

Place: TypeAlias = tuple[Any, Any, Any]
"""The ranks of the elements below and above, and the weight of the one above; None where they are the same one."""

FEW = 4
"""How many ranks are found by partitioning; for more, everything is sorted."""

# Where a quantile lies among n sorted elements


def between(index: Any, n: Any, fix: Callable[[Any, Any], Any] | None = None) -> Place:
    """Return the place for an index that need not be whole."""
    if index.dtype.kind in "iu":
        whole = np.clip(index, 0, n - 1)
        return whole, whole, None
    below = np.floor(index)
    weight = index - below if fix is None else fix(apply(stop_gradient_p, index - below), apply(stop_gradient_p, index))
    low, high = np.clip(below, 0, n - 1), np.clip(below + 1, 0, n - 1)
    return astype(low, np.intp), astype(high, np.intp), astype(weight, index.dtype)


def at(index: Any) -> Place:
    """Return the place for an index that is whole."""
    rank = astype(np.maximum(apply(stop_gradient_p, index), 0), np.intp)
    return rank, rank, None


def fitted(alpha: float, beta: float) -> Callable[[Any, Any], Place]:
    """Return the continuous method with these plotting positions."""
    return lambda n, q: between(n * q + (alpha + q * (1 - alpha - beta)) - 1, n)


def step(index: Any, stays: Callable[[Any, Any], Any]) -> Place:
    """Return the place below an index where the condition on its fraction and itself says so, and the next one elsewhere."""
    index = apply(stop_gradient_p, index)
    below = np.floor(index)
    return at(np.where(stays(index - below, index), below, below + 1))


METHODS: dict[str, Callable[[Any, Any], Place]] = {
    "inverted_cdf": lambda n, q: step(n * q - 1, lambda part, index: np.equal(part, 0)),
    "averaged_inverted_cdf": lambda n, q: between(n * q - 1.0, n, lambda part, index: np.where(np.equal(part, 0), 0.5, 1.0)),
    "closest_observation": lambda n, q: step(
        n * q - 1 - 0.5, lambda part, index: np.equal(part, 0) & np.equal(np.floor(index) % 2, 1)
    ),
    "interpolated_inverted_cdf": fitted(0, 1),
    "hazen": fitted(0.5, 0.5),
    "weibull": fitted(0, 0),
    "linear": lambda n, q: between((n - 1) * q, n),
    "median_unbiased": fitted(1 / 3, 1 / 3),
    "normal_unbiased": fitted(3 / 8, 3 / 8),
    "lower": lambda n, q: at(np.floor((n - 1) * q)),
    "higher": lambda n, q: at(np.ceil((n - 1) * q)),
    "midpoint": lambda n, q: between(
        0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
        n,
        lambda part, index: np.where(np.equal(index % 1, 0), 0.0, 0.5),
    ),
    "nearest": lambda n, q: at(np.rint((n - 1) * q)),
}


def weighted_rank(rows: Any, weights: Any, q: Any, valid: Any) -> Any:
    """Return the rank of the first element by which the weights, summed up in order, reach the share `q` of their total."""
    order = np.argsort(rows, -1)
    w = np.where(valid, np.broadcast_to(weights, np.shape(rows)), 0.0)
    shares = np.cumsum(np.take_along_axis(w, order, -1), -1)
    shares = shares / shares[..., -1:]
    bad = np.logical_and(np.isnan(shares[..., -1]), np.any(valid, -1))
    if type(bad) is not Var and bad.any():
        raise ValueError("Weights included NaN, inf or were all zero.")
    shares = np.where(np.equal(shares, 0), -1.0, shares)
    if q.dtype.kind == "f":
        shares = astype(shares, q.dtype)
    reached = np.sum(np.less(shares[..., None, :], np.reshape(q, (-1, 1))), -1)
    return np.minimum(reached, np.sum(valid, -1, keepdims=True) - 1)


# Reading there


def merged(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """Return `x` with the given axes as its last one, and the shape of a reduction over them that keeps its axes."""
    shape = np.shape(x)
    axes = axes_of(tuple(axis) if isinstance(axis, (list, np.ndarray)) and np.ndim(axis) else axis, len(shape))
    held = held_shape(shape, axes)
    if axes is None:
        return np.reshape(x, -1), held
    if not isinstance(axes, tuple):
        return np.moveaxis(x, axes, -1), held
    kept = [i for i in range(len(shape)) if i not in axes]
    return np.reshape(np.transpose(x, (*kept, *axes)), (*[shape[i] for i in kept], count(shape, axes))), held


def ranked(rows: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the sorted elements of the last axis at the ranks `low` and `high`: the same for each row, or one row a row."""
    axis, one = rows.ndim - 1, low is high
    if low.ndim > 1 or type(low) is Var:
        found = apply(sort_p, rows, axis=axis)
        shape = (*rows.shape[:-1], low.shape[-1])
        below = np.take_along_axis(found, np.broadcast_to(low, shape), -1)
        return below, below if one else np.take_along_axis(found, np.broadcast_to(high, shape), -1)
    wanted = np.union1d(low, high)
    if not wanted.size:
        none = rows[along(axis, slice(0, 0))]
        return none, none
    if wanted.size <= FEW:
        found = apply(ranked_p, rows, ranks=tuple(wanted.tolist()), axis=axis)
        low, high = np.searchsorted(wanted, low), np.searchsorted(wanted, high)
    else:
        found = apply(sort_p, rows, axis=axis)
    below = np.take(found, low, -1)
    return below, below if one else np.take(found, high, -1)


def mixed(below: Any, above: Any, weight: Any, weak: bool) -> Any:
    """Interpolate, from the nearer side; a weak weight does not promote."""
    apart, rest = above - below, 1 - weight
    nearer_above = np.greater_equal(weight, 0.5)
    if weak and below.dtype.kind in "fc":
        weight, rest = astype(weight, below.dtype), astype(rest, below.dtype)
    return np.where(nearer_above, above - apart * rest, below + apart * weight)


def quantiles(a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, weak: bool, skip: bool) -> Array:
    """Return quantiles where an argument is traced.

    Args:
        a: the elements.
        q: shares from 0 to 1, of at most two dimensions.
        axis: the axis, axes, or None, as users give it.
        method: the key of a method.
        keepdims: leave the axes in the result.
        weights: None, or weights as users give them.
        weak: `q` was a Python number, which does not promote.
        skip: leave NaNs out; else a row with NaN has the quantile NaN.
    """
    check(a, q, method, weights)
    rows, held = merged(a, axis)
    if rows.shape[-1] == 0:
        raise IndexError("index -1 is out of bounds for axis 0 with size 0")
    shares = np.reshape(q, -1)
    still = apply(stop_gradient_p, rows)
    bad = np.isnan(still)
    valid, number = np.logical_not(bad), rows.shape[-1]
    if skip:
        number = np.maximum(np.sum(valid, -1, keepdims=True), 1)
        number = astype(number, shares.dtype) if shares.dtype.kind == "f" else number  # counts do not promote
    if weights is None:
        low, high, weight = METHODS[method](number, shares)
    else:
        beside = np.broadcast_to(apply(stop_gradient_p, weights_beside(weights, a, axis)), np.shape(a))
        low = high = weighted_rank(still, merged(beside, axis)[0], shares, valid if skip else np.ones(np.shape(rows), bool))
        weight = None
    below, above = ranked(rows, low, high)
    y = below if weight is None else mixed(below, above, weight, weak)
    absent = np.all(bad, -1, keepdims=True) if skip else np.any(bad, -1, keepdims=True)
    if rows.dtype.kind in "fc" and (type(absent) is Var or absent.any()):
        if skip and type(absent) is not Var:
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
        y = np.where(absent, np.nan, y)
    result: Array
    if np.ndim(q) == 0 and not keepdims:
        result = first_of(y)
    else:
        result = np.reshape(np.moveaxis(y, -1, 0), (*np.shape(q), *(held if keepdims else rows.shape[:-1])))
    return result


def first_of(y: Any) -> Any:
    """Return `y` without its last axis, which has length 1."""
    return y[along(y.ndim - 1, 0)]


def check(a: Any, q: Any, method: str, weights: Any) -> None:
    """Raise for arguments that have no quantiles, as NumPy does."""
    if a.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    if q.ndim > 2:
        raise ValueError("q must be a scalar or 1d")
    outside = np.logical_not(np.logical_and(np.greater_equal(q, 0), np.less_equal(q, 1)))
    if type(outside) is not Var and np.any(outside):
        raise ValueError("Quantiles must be in the range [0, 1]")
    if method not in METHODS:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {METHODS.keys()}")
    if weights is None:
        return
    if method != "inverted_cdf":
        raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
    negative = np.less(weights, 0)
    if type(negative) is not Var and np.any(negative):
        raise ValueError("Weights must be non-negative.")
