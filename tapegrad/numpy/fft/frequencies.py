"""The order of frequencies, and which they are."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tapegrad.numpy.door import gathered, stands_for
from tapegrad.typing import Array, ArrayLike, Axis


@stands_for(np.fft.fftshift)
def fftshift(x: ArrayLike, axes: Axis = None) -> Array:
    """Move the frequency 0 to the middle.

    Args:
        x: any shape.
        axes: the axes to shift; by default all.

    Returns:
        The same elements, rolled by half of each axis.

    Example:
        >>> fftshift(fftfreq(4, 0.25))
        array([-2., -1.,  0.,  1.])
    """
    return _rolled(x, axes, lambda n: n // 2)


@stands_for(np.fft.ifftshift)
def ifftshift(x: ArrayLike, axes: Axis = None) -> Array:
    """Move the frequency 0 from the middle back to the front: undo `fftshift`.

    Args:
        x: any shape.
        axes: the axes to shift; by default all.

    Returns:
        The same elements, rolled back.

    Example:
        >>> ifftshift(np.array([-2.0, -1.0, 0.0, 1.0]))
        array([ 0.,  1., -2., -1.])
    """
    return _rolled(x, axes, lambda n: -(n // 2))


def _rolled(x: Any, axes: Any, shift: Callable[[int], int]) -> Array:
    array = gathered(x)
    shape = np.shape(array)
    chosen = range(len(shape)) if axes is None else (axes,) if isinstance(axes, (int, np.integer)) else axes
    rolled: Array = np.roll(array, [shift(shape[axis]) for axis in chosen], tuple(chosen))
    return rolled


def fftfreq(n: int, d: float = 1.0, device: Literal["cpu"] | None = None) -> Array:
    """Return the frequencies that the elements of an `fft` stand for, in cycles per unit of `d`.

    Args:
        n: the length of the transform.
        d: the distance between samples.
        device: for compatibility; 'cpu'.

    Returns:
        Shape ``(n,)``.

    Example:
        >>> fftfreq(4, 0.25)
        array([ 0.,  1., -2., -1.])
    """
    return np.fft.fftfreq(n, d, device)


def rfftfreq(n: int, d: float = 1.0, device: Literal["cpu"] | None = None) -> Array:
    """Return the frequencies that the elements of an `rfft` stand for, in cycles per unit of `d`.

    Args:
        n: the length of the signal.
        d: the distance between samples.
        device: for compatibility; 'cpu'.

    Returns:
        Shape ``(n // 2 + 1,)``.

    Example:
        >>> rfftfreq(4, 0.25)
        array([0., 1., 2.])
    """
    return np.fft.rfftfreq(n, d, device)
