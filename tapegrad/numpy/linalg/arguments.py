"""What arguments of linear algebra must be: matrices, square ones; NumPy's own errors where they are not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered
from tapegrad.ops.linalg.eigen import hermitian_p

LINALG: Any = np.linalg
"""NumPy's own functions, called with whatever was given."""


def matrix(a: Any, function: Callable[..., Any], square: bool = False) -> Any:
    """Return a traced value, checked to be a matrix or a stack of matrices; anything else as it is.

    Raises:
        LinAlgError: if it is none, as `function` says it.
    """
    a = gathered(a)
    if type(a) is Var and (a.ndim < 2 or (square and a.shape[-1] != a.shape[-2])):
        function(np.zeros(a.shape))
        raise np.linalg.LinAlgError(f"expected matrices, got an array of shape {a.shape}")
    return a


def hermitian(a: Any, triangle: str = "L") -> Any:
    """Return the Hermitian matrix of which one triangle is given, 'L' or 'U'."""
    return apply(hermitian_p, a, lower=triangle == "L")


def constant(x: Any) -> Any:
    """Return the value of `x` without its derivative."""
    return apply(stop_gradient_p, x)


def holds(condition: Any) -> bool:
    """Tell whether a condition may hold for an element; one of which no value may be known may."""
    return type(condition) is Var or bool(np.any(condition))
