"""A matrix product and a bias as one operation: half the nodes of a network, and one array less for each layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, ones, shape_of, sums_by_dot
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import binary
from tapegrad.ops.arithmetic import add_p
from tapegrad.ops.contract import LARGE, matmul_p

ndarray = np.ndarray
product = matmul_p.fn
pull_left, pull_right = matmul_p.pulls
careful_left, careful_right = matmul_p.careful or matmul_p.pulls


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    y = product(x, weight)
    if type(y) is ndarray and bias.ndim == 1 and y.dtype is bias.dtype and y.shape[-1:] == bias.shape:
        y += bias  # the product is ours alone
        return y
    return y + bias


def _pull_x(g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    return (
        g.dot(weight.T)
        if type(g) is ndarray and type(weight) is ndarray and g.ndim == 2 == x.ndim and x.size < LARGE
        else pull_left(g, None, x, weight)
    )


def _pull_weight(g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    return (
        x.T.dot(g)
        if type(g) is ndarray and type(x) is ndarray and g.ndim == 2 == x.ndim and weight.size < LARGE
        else pull_right(g, None, x, weight)
    )


def _pull_bias(g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    if type(g) is ndarray and g.ndim == 2 and bias.ndim == 1 and sums_by_dot(g, 0):
        return ones(len(g), g.dtype).dot(g) if len(bias) > 1 else g  # the shortest way to what `sum_to` would do
    return g


def _push(tangents: Sequence[Any], y: Any, x: Any, weight: Any, bias: Any) -> Any:
    t = None
    if tangents[0] is not None or tangents[1] is not None:
        t = matmul_p.push(tangents[:2], None, x, weight)
    if tangents[2] is not None:
        t = tangents[2] if t is None else t + tangents[2]
    return broadcast_to(t, shape_of(y))


def _batch(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    assert matmul_p.batch is not None
    assert add_p.batch is not None
    x, weight, bias = args
    y = matmul_p.batch(args[:2], batched[:2]) if any(batched[:2]) else binary(matmul_p, x, weight)
    return add_p.batch([y, bias], [any(batched[:2]), batched[2]])


affine_p = Primitive(
    name="affine",
    fn=_affine,
    pulls=(
        _pull_x,
        _pull_weight,
        _pull_bias,
    ),
    careful=(
        lambda g, y, x, weight, bias: careful_left(g, None, x, weight),
        lambda g, y, x, weight, bias: careful_right(g, None, x, weight),
        lambda g, y, x, weight, bias: g,
    ),
    push=_push,
    broadcasts=True,
    batch=_batch,
    expand=lambda x, weight, bias: x @ weight + bias,
    cases=(
        case((4, 3), (3, 2), (2,)),
        case((3,), (3, 2), (2,)),
        case((2, 4, 3), (3, 2), (2,)),
        case((4, 3), (3, 2), ()),
        case((4, 3), (3, 2), (4, 2)),
        case((0, 3), (3, 2), (2,)),
        case((4, 3), (3,), ()),
    ),
)
"""``x @ weight + bias``."""
