"""Reading at integer positions along an axis: the index that says it to NumPy."""

from typing import Any

import numpy as np


def along(indices: Any, shape: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    """Return the index with which ``x[index]`` is ``np.take_along_axis(x, indices, axis)`` for `x` of the given shape."""
    rank = len(shape)
    return tuple([indices if k == axis else np.arange(n).reshape(-1, *(1,) * (rank - k - 1)) for k, n in enumerate(shape)])
