"""Numbers at equal steps, linear in both ends."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, shape_of, sum_to
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply


def _weigh(g: Any, x: Any, num: int, endpoint: bool, is_stop: bool) -> Any:
    """Return the cotangent of one of the ends."""
    shape = shape_of(x)
    if not num:
        return np.zeros(shape, dtype_of(g))
    parts = max(num - 1 if endpoint else num, 1)
    ramp = np.arange(num, dtype=dtype_of(g)) / parts
    weighted = (ramp if is_stop else 1 - ramp) @ g.reshape(num, -1)
    return sum_to(weighted.reshape(shape_of(g)[1:]), shape)


def _push(tangents: Sequence[Any], y: Any, start: Any, stop: Any, num: int, endpoint: bool) -> Any:
    first, last = (np.zeros(shape_of(x), dtype_of(y)) if t is None else t for t, x in zip(tangents, (start, stop), strict=True))
    return apply(linspace_p, first, last, num=num, endpoint=endpoint)


def _batch(args: Sequence[Any], batched: Sequence[bool], num: int, endpoint: bool) -> Any:
    size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
    rank = max(len(shape_of(x)) - is_batched for x, is_batched in zip(args, batched, strict=True))
    ends = []
    for x, is_batched in zip(args, batched, strict=True):
        own = shape_of(x)[1:] if is_batched else shape_of(x)
        x = x if is_batched else broadcast_to(x, (size, *own))
        ends.append(x.reshape(size, *(1,) * (rank - len(own)), *own))
    return np.moveaxis(apply(linspace_p, *ends, num=num, endpoint=endpoint), 1, 0)


linspace_p: Primitive = Primitive(
    name="linspace",
    fn=lambda start, stop, num, endpoint: np.linspace(start, stop, num, endpoint),
    pulls=(
        lambda g, y, start, stop, num, endpoint: _weigh(g, start, num, endpoint, False),
        lambda g, y, start, stop, num, endpoint: _weigh(g, stop, num, endpoint, True),
    ),
    push=_push,
    batch=_batch,
    cases=(
        case((), (), num=4, endpoint=True),
        case((3,), (), num=4, endpoint=False),
        case((2, 1), (3,), num=3, endpoint=True),
        case((), (2,), num=1, endpoint=True),
        case((2,), (), num=0, endpoint=True),
    ),
)
"""`num` numbers from one end to the other, along a new first axis."""
