"""Choices between values: where, the larger and the smaller, clip.

What was not chosen gets nothing, and on a tie each side gets half. The fast slopes multiply by masks, a third of the price of
``np.where``; an infinite cotangent makes NaN of that, and then the careful ones choose.
"""

import math
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import elementwise
from tapegrad.core.primitive import no_cotangent
from tapegrad.core.var import apply

ndarray = np.ndarray


def _is_mask(condition: Any) -> bool:
    return type(condition) is ndarray and condition.dtype == bool


BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
SIMPLE = 2**24
"""Integers up to here are floating-point numbers of either kind."""

MANY, MANY_OR_NOTHING = 8192, 2048
"""Elements above which bits are quicker, and where one of the choices is 0."""


def _where(condition: Any, a: Any, b: Any) -> Any:
    """`np.where`, which has to guess what comes next; for large arrays bit by bit, which has not: in a seventh of the time."""
    if _is_mask(condition) and condition.size > (MANY_OR_NOTHING if _is_nothing(b) else MANY):
        dtype = a.dtype if type(a) is ndarray else b.dtype if type(b) is ndarray else None
        if dtype is not None and dtype in BITS and all(_is_like(x, dtype, condition.shape) for x in (a, b)):
            return _by_bits(condition, a, b, dtype)
    return np.where(condition, a, b)


def _is_like(x: Any, dtype: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether `x` is an array of a dtype and a shape, or one of Python's numbers that takes the dtype of another."""
    if type(x) is ndarray:
        return bool(x.dtype == dtype and x.shape == shape)
    return (type(x) is float and (abs(x) <= SIMPLE or not math.isfinite(x))) or (type(x) is int and abs(x) <= SIMPLE)


def _is_nothing(x: Any) -> bool:
    """Tell whether `x` is a number all bits of which are 0, as those of -0.0 are not."""
    return type(x) in (float, int) and x == 0 and math.copysign(1.0, x) == 1.0


def _by_bits(condition: Any, a: Any, b: Any, dtype: np.dtype[Any]) -> Any:
    holds = condition.view(np.uint8) != 0  # a mask from elsewhere may have other bytes than 0 and 1
    mine, other = [x.view(BITS[dtype]) if type(x) is ndarray else dtype.type(x).view(BITS[dtype]) for x in (a, b)]
    if _is_nothing(b):
        y = mine * holds
    else:
        chosen = np.negative(holds.view(np.int8))  # all bits, or none
        y = mine ^ other
        y &= chosen
        y ^= other
    return y.view(dtype)


where_p = elementwise(
    "where",
    _where,
    no_cotangent,
    lambda g, y, condition, a, b: np.where(condition, g, 0.0),
    lambda g, y, condition, a, b: np.where(condition, 0.0, g),
    fast=(
        no_cotangent,
        lambda g, y, condition, a, b: g * condition if _is_mask(condition) else np.where(condition, g, 0.0),
        lambda g, y, condition, a, b: g * ~condition if _is_mask(condition) else np.where(condition, 0.0, g),
    ),
    bare=(
        no_cotangent,
        lambda g, y, condition, a, b: g * (condition if dtype_of(condition).kind == "b" else np.not_equal(condition, 0)),
        lambda g, y, condition, a, b: g * np.logical_not(condition),
    ),
    finite=True,
)


def _share(g: Any, y: Any, mine: Any, other: Any) -> Any:
    return np.where(mine == y, np.where(other == y, 0.5 * g, g), 0.0)


def _share_quickly(g: Any, y: Any, mine: Any, other: Any) -> Any:
    return _halved(g * np.equal(mine, y), np.equal(mine, other))


def _halved(c: Any, tie: Any) -> Any:
    return np.where(tie, 0.5 * c, c) if np.count_nonzero(tie) else c


SHARES = (lambda g, y, a, b: _share(g, y, a, b), lambda g, y, a, b: _share(g, y, b, a))
QUICK_SHARES = (lambda g, y, a, b: _share_quickly(g, y, a, b), lambda g, y, a, b: _share_quickly(g, y, b, a))


def _bare_share(g: Any, y: Any, mine: Any, other: Any) -> Any:
    c = g * np.equal(mine, y)
    return c - 0.5 * c * np.equal(mine, other)


BARE_SHARES = (_bare_share, lambda g, y, a, b: _bare_share(g, y, b, a))


def _share_of_larger(g: Any, a: Any, b: Any) -> Any:
    if type(g) is float:  # which takes the dtype of the others, but not that of a mask
        g = np.result_type(g, a, b).type(g)
    tie = np.equal(a, b)
    c = g * np.greater(a, b)
    return np.where(tie, 0.5 * g, c) if np.count_nonzero(tie) else c


share_of_larger_p = elementwise(
    "share_of_larger",
    _share_of_larger,
    lambda g, y, c, a, b: share_of_larger(g, a, b),
    no_cotangent,
    no_cotangent,
    finite=True,
)
"""What `a`, the larger of two, gets of a cotangent: half of it on a tie. In a program it looks for ties, as eager code does."""


def share_of_larger(g: Any, a: Any, b: Any) -> Any:
    """Return `g` where `a` is greater than `b`, half of it where they are equal, and 0 elsewhere."""
    return apply(share_of_larger_p, g, a, b)


LARGER = (lambda g, y, a, b: share_of_larger(g, a, b), lambda g, y, a, b: share_of_larger(g, b, a))
SMALLER = (lambda g, y, a, b: share_of_larger(g, b, a), lambda g, y, a, b: share_of_larger(g, a, b))

maximum_p = elementwise("maximum", np.maximum, *SHARES, fast=QUICK_SHARES, bare=LARGER, finite=True)
minimum_p = elementwise("minimum", np.minimum, *SHARES, fast=QUICK_SHARES, bare=SMALLER, finite=True)
fmax_p = elementwise("fmax", np.fmax, *SHARES, fast=QUICK_SHARES, bare=BARE_SHARES, finite=True)
fmin_p = elementwise("fmin", np.fmin, *SHARES, fast=QUICK_SHARES, bare=BARE_SHARES, finite=True)


def _share_above(g: Any, x: Any, bound: Any) -> Any:
    return np.where(x == bound, 0.5 * g, np.where(x > bound, g, 0.0))


def _clip(x: Any, low: Any, high: Any) -> Any:
    try:
        return np.minimum(np.maximum(x, low), high)
    except OverflowError:  # a bound that the integers of `x` do not reach
        return np.clip(x, low, high)


def _clip_by_x(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return _share_above(_share_above(g, x, low), -x, -high)


def _clip_by_x_quickly(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    inside = np.less_equal(low, x) & np.less_equal(x, high)
    return _halved(_halved(g * inside, np.equal(x, low)), np.equal(x, high))


def _clip_by_low(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return _share_above(_share_above(g, low, x), -np.maximum(x, low), -high)


def _clip_by_high(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return _share_above(g, np.maximum(x, low), high)


clip_p = elementwise(
    "clip",
    _clip,
    _clip_by_x,
    _clip_by_low,
    _clip_by_high,
    fast=(_clip_by_x_quickly, _clip_by_low, _clip_by_high),
    bare=(
        lambda g, y, x, low, high: share_of_larger(share_of_larger(g, x, low), high, x),
        lambda g, y, x, low, high: share_of_larger(share_of_larger(g, low, x), high, np.maximum(x, low)),
        lambda g, y, x, low, high: share_of_larger(g, np.maximum(x, low), high),
    ),
    expand=lambda x, low, high: np.minimum(np.maximum(x, low), high) if dtype_of(x).kind == "f" else None,
    finite=True,
    domain=((-0.9, 0.9), (-2.0, -1.0), (1.0, 2.0)),
)


def _nan_to_num_slope(g: Any, y: Any, x: Any, **settings: Any) -> Any:
    if dtype_of(x).kind != "c":
        return np.where(np.isfinite(x), g, 0.0)
    return np.where(np.isfinite(np.real(x)), np.real(g), 0.0) + 1j * np.where(np.isfinite(np.imag(x)), np.imag(g), 0.0)


nan_to_num_p = elementwise("nan_to_num", np.nan_to_num, _nan_to_num_slope, finite=True)
