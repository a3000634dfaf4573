"""The second door: which function of this room stands in for which function of NumPy on traced values."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var

F = TypeVar("F", bound=Callable[..., Any])


def stands_for(*numpy_functions: Callable[..., Any]) -> Callable[[F], F]:
    """Mark a function as what NumPy's functions record when they meet a traced value."""

    def register(function: F) -> F:
        for numpy_function in numpy_functions:
            FUNCTIONS[numpy_function] = function
        return function

    return register


def refuse_out(out: Any, name: str) -> None:
    """Raise for an ``out=`` argument: values on the tape do not change.

    Raises:
        TypeError: if `out` is given.
    """
    if out is not None:
        raise TypeError(f"{name}: out= is not supported, because values on the tape do not change; use the returned array")


def gathered(x: Any) -> Any:
    """Return a list or tuple with traced values in it as one traced array, and anything else as it is."""
    if isinstance(x, (list, tuple)) and any(type(leaf) is Var for leaf in _leaves(x)):
        return FUNCTIONS[np.array](x)
    return x


def _leaves(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from _leaves(item)
        else:
            yield item
