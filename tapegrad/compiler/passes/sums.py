"""Sums over some axes as products with ones: BLAS adds up rows several times as fast as NumPy's reductions do."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to_p, dtype_of, ones, shape_of
from tapegrad.core.var import Var
from tapegrad.ops.shape import transpose_p

LONGEST = 2**16
"""Numbers in a sum up to which its rounding errors may grow with their number."""


def sum_by_product(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """Rewrite a sum over one stretch of neighbouring axes: rows, columns, or something in between."""
    x = args[0]
    if type(x) is not Var or not shape_of(value) or dtype_of(x).char not in "fd" or dtype_of(value) != dtype_of(x):
        return None
    if x.tape.steps[x.index][0] in (transpose_p, broadcast_to_p):  # to bring it in order takes longer
        return None
    shape = x.shape
    reduced = reduced_axes(shape, settings)
    if not reduced or list(reduced) != list(range(reduced[0], reduced[-1] + 1)):
        return None
    before, count, after = shape[: reduced[0]], math.prod(shape[i] for i in reduced), shape[reduced[-1] + 1 :]
    if not 1 < count <= LONGEST or x.size == 0:
        return None
    column = ones(count, x.dtype)
    rows, columns = math.prod(before), math.prod(after)
    if columns == 1:
        total = np.dot(np.reshape(x, (rows, count)), column)
    elif rows == 1:
        total = np.dot(column, np.reshape(x, (count, columns)))
    else:
        total = np.matmul(column, np.reshape(x, (rows, count, columns)))
    return np.reshape(total, shape_of(value))


def reduced_axes(shape: tuple[int, ...], settings: dict[str, Any]) -> tuple[int, ...]:
    """Return the axes that `sum` or `sum_to` adds up; none for a kind of sum that is left as it is."""
    if "shape" in settings:
        target = settings["shape"]
        lead = len(shape) - len(target)
        return (*range(lead), *[i for i in range(lead, len(shape)) if target[i - lead] == 1 != shape[i]])
    axis = settings.get("axis")
    if axis is None or settings.get("dtype") is not None:
        return ()
    return (axis,) if isinstance(axis, int) else tuple(sorted(axis))
