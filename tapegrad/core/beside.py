"""What stands beside traced values in an operation: arrays and numbers, and what can be made an array."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapegrad.core.complaints import no_number
from tapegrad.core.methods import Methods
from tapegrad.core.primitive import FUNCTIONS


def constant(x: Any, operation: str, position: int) -> Any:
    """Return the input of an operation as an array that can stand beside traced values, or NotImplemented where it wants to
    answer itself. A list that holds traced values becomes a traced one.
    """
    if isinstance(x, (list, tuple)):
        x = gathered(x)
        if isinstance(x, Methods):
            return x
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        if type(x) is not np.ndarray and not isinstance(x, np.memmap):
            raise no_number(operation, position, x, ". Give np.asarray of it")
        if x.dtype.kind not in "biufc":
            raise no_number(operation, position, x)
        return x
    if getattr(x, "__array_ufunc__", 0) is None:
        return NotImplemented
    if x is None or isinstance(x, (str, bytes, dict, set)) or not hasattr(x, "__array__"):
        raise no_number(operation, position, x)
    return constant(np.asarray(x), operation, position)


def gathered(x: Any) -> Any:
    """Return a list or tuple that holds traced values as one of them; anything else as it is."""
    is_list = isinstance(x, (list, tuple))
    return FUNCTIONS[np.array](x) if is_list and any(isinstance(leaf, Methods) for leaf in _flat(x)) else x


def _flat(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from _flat(item)
        else:
            yield item
