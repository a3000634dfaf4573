"""Counting and belonging: how many elements are true, which bin or set they are in. Only weights have derivatives."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import constant, linear
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.reduce import batch_reduction


def _count(name: str, fn: Fn) -> Primitive:
    return constant(
        name,
        lambda x, axis=None, keepdims=False: fn(x, axis, keepdims=keepdims),
        batch=batch_reduction(name),
        cases=(case((3, 2)), case((3, 2), axis=1), case((2, 3, 2), axis=(0, 2), keepdims=True)),
    )


all_p = _count("all", np.all)
any_p = _count("any", np.any)
count_nonzero_p = _count("count_nonzero", np.count_nonzero)


def _batch_bincount(args: Sequence[Any], batched: Sequence[bool], bins: Any, length: int) -> Any:
    """Give each example bins of its own, behind those of the example before it."""
    size = shape_of(args[0])[0]
    shifted = (np.arange(size)[:, None] * length + bins).ravel()
    return apply(bincount_p, args[0].reshape(-1), bins=shifted, length=size * length).reshape((size, length))


bincount_p: Primitive = linear(
    "bincount",
    lambda weights, bins, length: np.bincount(bins, weights, length) if bins.size else np.zeros(length),
    lambda g, y, weights, bins, length: g[bins],
    batch=_batch_bincount,
    cases=(case((4,), bins=np.array([0, 2, 2, 1]), length=4), case((0,), bins=np.zeros(0, int), length=2)),
)
"""The sums of the weights of each bin."""


def _batch_isin(args: Sequence[Any], batched: Sequence[bool], **settings: Any) -> Any:
    x, among = args
    if not batched[1]:
        return apply(isin_p, x, among, **settings)
    if len(among) == 0:
        return np.zeros((0, *shape_of(x)[int(batched[0]) :]), bool)
    return np.stack([apply(isin_p, x[i] if batched[0] else x, among[i], **settings) for i in range(len(among))])


isin_p: Primitive = constant(
    "isin",
    lambda x, among, invert: np.isin(x, among, invert=invert),
    arity=2,
    batch=_batch_isin,
    cases=(case((3,), (2,), invert=False),),
)
