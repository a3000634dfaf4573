"""The types of the public face.

`Array` is NumPy's own ``ndarray``: models are annotated with it, and to a type checker traced values are arrays as well.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike as ArrayLike
from numpy.typing import DTypeLike as DTypeLike
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any shape and dtype."""

Scalar: TypeAlias = Array | np.floating[Any] | float
"""What a loss may return: a real number, as a Python float, a NumPy scalar or an array of shape ``()``."""

Axis: TypeAlias = int | Sequence[int] | None
"""One axis, several, or all of them."""

Shape: TypeAlias = int | Sequence[int]
"""A shape, or the length of a one-dimensional one."""
