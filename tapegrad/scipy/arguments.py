"""What the functions of this room do with their arguments before they record anything."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

import numpy as np

from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered
from tapegrad.numpy.shapes import plain
from tapegrad.typing import Array

ArrayFn: TypeAlias = Callable[..., Array]
"""A function of SciPy that returns one array."""


def traced(*xs: Any) -> list[Any] | None:
    """Return the arguments as arrays, traced or plain, or None; or None altogether if no argument is traced."""
    found = [gathered(x) for x in xs]
    if not any(type(x) is Var for x in found):
        return None
    return [x if type(x) is Var or x is None else np.asarray(x) for x in found]


def weak(x: Any, array: Any) -> Any:
    """Return a Python number as it was given, since it does not promote the arrays that it meets, and else the array."""
    return x if type(x) in (float, int, complex) else array


def refused(function: Callable[..., Any], *args: Any, **settings: Any) -> NoReturn:
    """Let SciPy say what is wrong with the arguments, by calling its function on plain arrays.

    Raises:
        ValueError: if SciPy has nothing to say.
    """
    function(*[plain(x) for x in args], **settings)
    told = [_described(plain(x)) for x in args] + [f"{name}={value!r}" for name, value in settings.items()]
    raise ValueError(f"{function.__name__}: no derivative for the arguments {', '.join(told)}")


def _described(x: Any) -> str:
    return f"an array of shape {x.shape}" if np.ndim(x) > 1 or np.size(x) > 4 else repr(x)
