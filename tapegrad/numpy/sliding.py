"""Windows that move over an array, under the name that they have in ``numpy.lib.stride_tricks``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.sliding import sliding_p
from tapegrad.typing import Array, ArrayLike

NUMPY: Any = np.lib.stride_tricks.sliding_window_view
"""NumPy's own function, called with whatever was given."""


@stands_for(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: ArrayLike,
    window_shape: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    *,
    subok: bool = False,
    writeable: bool = False,
) -> Array:
    """Return all places at which a window fits into an array: pooling and convolution are sums over the last axes.

    Args:
        x: an array.
        window_shape: the length of the window along each axis of `axis`.
        axis: the axes along which it moves; all of them unless given.
        subok: as in NumPy; of a traced value there is no subclass.
        writeable: as in NumPy, for plain arrays only.

    Returns:
        The windows behind what is left of the axes of `x`: shape ``(3, 4, 2)`` has windows of length 3 along axis 1 in an
        array of shape ``(3, 2, 2, 3)``. Of a traced value it is no view, but an array of its own.

    Raises:
        ValueError: if a window does not fit, or there are more lengths than axes or fewer.
        TypeError: if it is to be written to, and is traced.

    Example:
        >>> sliding_window_view(np.array([1.0, 2.0, 4.0]), 2)
        array([[1., 2.],
               [2., 4.]])
    """
    x = gathered(x)
    if type(x) is not Var:
        plain: Array = NUMPY(x, window_shape, axis, subok=subok, writeable=writeable)
        return plain
    if writeable:
        raise TypeError("sliding_window_view: writeable=True is not supported, because values on the tape do not change")
    NUMPY(np.broadcast_to(0.0, x.shape), window_shape, axis)  # says what is wrong
    window = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    windows: Array = apply(sliding_p, x, window=tuple(int(n) for n in window), axes=tuple(a - x.ndim for a in axes))
    return windows
