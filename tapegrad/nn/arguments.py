"""What the functions of this room take for an array, and what they say about anything else."""

from typing import Any

import numpy as np

from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered

HALF = "e"
"""The character of float16, whose sums overflow at 65,504 and are off by one from 2,048 on."""


def numbers(name: str, x: Any, what: str = "x") -> Any:
    """Return `x` as an array, or as it is if it is traced.

    Args:
        name: the function that asks.
        x: a number, or nested lists of numbers, of which some may be traced.
        what: the argument's name.

    Raises:
        TypeError: if `x` is anything else.
    """
    if type(x) is Var or (type(x) is np.ndarray and x.dtype.kind in "biufc"):
        return x
    found = gathered(x)
    if type(found) is Var:
        return found
    found = np.asarray(found)
    if found.dtype.kind not in "biufc":
        got = f"a {type(x).__name__}" + (f" of dtype {found.dtype}" if isinstance(x, (list, tuple, np.ndarray)) else "")
        raise TypeError(f"{name}: {what} must be an array of numbers, got {got}")
    return found
