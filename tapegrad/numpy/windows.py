"""Windows by which signals are tapered. Only Kaiser's has a parameter to differentiate by; the others depend on a length."""

import operator
from typing import Any

import numpy as np
from numpy import bartlett as bartlett
from numpy import blackman as blackman
from numpy import hamming as hamming
from numpy import hanning as hanning

from tapegrad.core.var import Var
from tapegrad.numpy.smooth import i0
from tapegrad.typing import Array, ArrayLike


def kaiser(M: int, beta: ArrayLike) -> Array:
    """Return the Kaiser window of `M` points, differentiable by its shape `beta`.

    Args:
        M: the number of points.
        beta: how narrow it is, a number; 0 is a rectangle.

    Returns:
        An array of shape ``(M,)``.

    Example:
        >>> kaiser(3, 2.0).round(6)
        array([0.438676, 1.      , 0.438676])
    """
    x: Any = beta
    if type(x) is not Var:
        return np.kaiser(M, x)
    count = operator.index(M)
    half = (count - 1) / 2
    arc = np.ones(1) if count == 1 else np.sqrt(1.0 - ((np.arange(count) - half) / half) ** 2)
    y: Array = i0(x * arc) / i0(x)
    return y
