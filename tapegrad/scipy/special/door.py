"""How the functions of this room call their primitives."""

from typing import Any

import numpy as np

from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered
from tapegrad.typing import Array


def call(primitive: Primitive, *args: Any) -> Array:
    """Return what a primitive computes of arguments as users give them: traced, arrays, numbers, or nested lists of those."""
    y: Array = apply(primitive, *[as_array(x) if isinstance(x, (list, tuple)) else x for x in args])
    return y


def as_array(x: Any) -> Any:
    """Return `x` as a traced value if it is one or holds one, and as an array otherwise."""
    x = gathered(x)
    return x if type(x) is Var else np.asarray(x)
