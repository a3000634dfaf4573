"""Padding with a constant, and its transpose: cropping is reading, and padding is what a crop came from."""

from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply

Widths = tuple[tuple[int, int], ...]


def _pad(x: Any, widths: Widths) -> Any:
    """Write zeros around `x` only: what it covers is written once."""
    x = np.asarray(x)
    y: Any = np.empty([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], x.dtype)
    inside: list[slice] = []
    for n, (a, b) in zip(x.shape, widths, strict=True):
        if a:
            y[(*inside, slice(a))] = 0
        if b:
            y[(*inside, slice(a + n, None))] = 0
        inside.append(slice(a, a + n))
    y[tuple(inside)] = x
    return y


pad_p: Primitive = linear(
    "pad",
    _pad,
    lambda g, y, x, widths: g[tuple(slice(a, a + n) for n, (a, _) in zip(shape_of(x), widths, strict=True))],
    batch=lambda args, batched, widths: apply(pad_p, args[0], widths=((0, 0), *widths)),
    cases=(
        case((3,), widths=((1, 2),)),
        case((2, 3), widths=((0, 1), (2, 0))),
        case((0,), widths=((1, 1),)),
        case((), widths=()),
    ),
)
"""`x` with zeros around it: per axis so many before and after."""
