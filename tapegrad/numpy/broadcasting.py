"""Broadcasting: arrays repeated along new axes, and arrays of at least so many axes."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from tapegrad.core import arrays
from tapegrad.core.var import Var
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.shapes import in_shape, lengths, reshape
from tapegrad.typing import Array, ArrayLike, Shape

# Broadcasting


@stands_for(np.broadcast_to)
def broadcast_to(array: ArrayLike, shape: Shape, subok: bool = False) -> Array:
    """Return `array` repeated along new axes and along those of length 1, so that it has the given shape.

    Args:
        array: an array.
        shape: the new shape; its last axes are those of `array`, or have length 1 there.
        subok: keep a subclass of ndarray.

    Raises:
        ValueError: if it does not broadcast to that shape.

    Example:
        >>> broadcast_to(np.array([1.0, 2.0]), (2, 2))
        array([[1., 2.],
               [1., 2.]])
    """
    array = gathered(array)
    if type(array) is not Var:
        return np.broadcast_to(array, shape, subok)
    wanted = lengths(shape)
    if array.shape == wanted:
        return in_shape(array, wanted)
    if np.broadcast_shapes(array.shape, wanted) != wanted:
        np.broadcast_to(np.empty(array.shape), wanted)  # raises NumPy's error
    y: Array = arrays.broadcast_to(array, wanted)
    return y


@stands_for(np.broadcast_arrays)
def broadcast_arrays(*args: ArrayLike, subok: bool = False) -> tuple[Array, ...]:
    """Return the arrays, each broadcast to the shape that they have together.

    Raises:
        ValueError: if they do not broadcast.

    Example:
        >>> [x.tolist() for x in broadcast_arrays(np.array([1.0, 2.0]), 3.0)]
        [[1.0, 2.0], [3.0, 3.0]]
    """
    found = [gathered(x) for x in args]
    if not any(type(x) is Var for x in found):
        return np.broadcast_arrays(*found, subok=subok)
    together = np.broadcast_shapes(*[arrays.shape_of(x) if type(x) is Var else np.shape(x) for x in found])
    return tuple([broadcast_to(x, together) for x in found])


# At least so many axes


@overload
def atleast_1d(ary: ArrayLike, /) -> Array: ...
@overload
def atleast_1d(ary: ArrayLike, other: ArrayLike, /, *arys: ArrayLike) -> tuple[Array, ...]: ...
@stands_for(np.atleast_1d)
def atleast_1d(*arys: ArrayLike) -> Any:
    """Return each argument with at least one axis: an array for one argument, a tuple for several.

    Example:
        >>> atleast_1d(3.0)
        array([3.])
    """
    return _each_with(arys, np.atleast_1d, lambda x: reshape(x, (1,)) if x.ndim == 0 else x)


@overload
def atleast_2d(ary: ArrayLike, /) -> Array: ...
@overload
def atleast_2d(ary: ArrayLike, other: ArrayLike, /, *arys: ArrayLike) -> tuple[Array, ...]: ...
@stands_for(np.atleast_2d)
def atleast_2d(*arys: ArrayLike) -> Any:
    """Return each argument with at least two axes, new ones first: an array for one argument, a tuple for several.

    Example:
        >>> atleast_2d(np.array([3.0, 4.0]))
        array([[3., 4.]])
    """
    return _each_with(arys, np.atleast_2d, lambda x: reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


@overload
def atleast_3d(ary: ArrayLike, /) -> Array: ...
@overload
def atleast_3d(ary: ArrayLike, other: ArrayLike, /, *arys: ArrayLike) -> tuple[Array, ...]: ...
@stands_for(np.atleast_3d)
def atleast_3d(*arys: ArrayLike) -> Any:
    """Return each argument with at least three axes: an array for one argument, a tuple for several.

    A vector of length n gets shape ``(1, n, 1)``, a matrix of shape ``(m, n)`` gets ``(m, n, 1)``.

    Example:
        >>> atleast_3d(np.zeros((2, 3))).shape
        (2, 3, 1)
    """

    def deepen(x: Any) -> Any:
        if x.ndim >= 3:
            return x
        return reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, *x.shape, 1) if x.ndim == 1 else (1, 1, 1))

    return _each_with(arys, np.atleast_3d, deepen)


def _each_with(arys: Sequence[Any], plain: Any, traced: Any) -> Any:
    found = [traced(x) if type(x) is Var else plain(x) for x in map(gathered, arys)]
    return found[0] if len(found) == 1 else tuple(found)
