"""Creation: arrays from numbers, shapes and nested lists."""

from typing import Any

import numpy as np

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.joins import pack
from tapegrad.typing import Array, ArrayLike, DTypeLike, Shape

FUNCTIONS[np.array] = pack


@stands_for(np.zeros_like)
def zeros_like(
    a: ArrayLike, dtype: DTypeLike | None = None, order: Any = "K", subok: bool = True, shape: Shape | None = None
) -> Array:
    """Return zeros of the shape and dtype of `a`, where no others are given."""
    a = gathered(a)
    return np.zeros_like(a.value if type(a) is Var else a, dtype, order, subok, shape)


@stands_for(np.ones_like)
def ones_like(
    a: ArrayLike, dtype: DTypeLike | None = None, order: Any = "K", subok: bool = True, shape: Shape | None = None
) -> Array:
    """Return ones of the shape and dtype of `a`, where no others are given."""
    a = gathered(a)
    return np.ones_like(a.value if type(a) is Var else a, dtype, order, subok, shape)


@stands_for(np.copy)
def copy(a: ArrayLike, order: Any = "K", subok: bool = False) -> Array:
    """Return a copy of `a`."""
    x: Any = gathered(a)
    y: Array = +x if type(x) is Var else np.copy(x, order, subok)  # type: ignore[call-overload]  # one flag, two overloads
    return y
