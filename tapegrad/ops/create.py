"""Arrays made while a tape records: copies, and arrays filled with one value."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, shape_of, sum_to
from tapegrad.core.families import linear
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply

copy_p: Primitive = linear(
    "copy",
    lambda x, order="K": np.array(x, order=order),
    lambda g, y, x, order="K": g,
    batch=lambda args, batched, order="K": apply(copy_p, args[0], order="K"),
    cases=(case((2, 3)), case((2, 3), order="F"), case(())),
)
"""An array of its own with the same elements."""


def _batch_full(args: Sequence[Any], batched: Sequence[bool], shape: tuple[int, ...], dtype: Any, order: str = "C") -> Any:
    (x,) = args
    return broadcast_to(x.reshape(-1, *(1,) * (len(shape) - x.ndim + 1), *x.shape[1:]), (len(x), *shape)).astype(dtype)


full_p: Primitive = linear(
    "full",
    lambda x, shape, dtype, order="C": np.full(shape, x, dtype, order),
    lambda g, y, x, shape, dtype, order="C": sum_to(g, shape_of(x)),
    batch=_batch_full,
    cases=(
        case((), shape=(2, 3), dtype=np.dtype(float)),
        case((3,), shape=(2, 3), dtype=np.dtype(float), order="F"),
        case((), shape=(), dtype=np.dtype(float)),
    ),
)
"""An array of the given shape and dtype filled with a value that broadcasts to it."""
