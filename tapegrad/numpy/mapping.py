"""Functions of the user's own, applied along axes or to every element."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.node import CURRENT
from tapegrad.core.var import Var
from tapegrad.numpy.broadcasting import broadcast_arrays
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.joins import stack
from tapegrad.numpy.shapes import expand_dims, moveaxis, reshape
from tapegrad.typing import Array, ArrayLike


@stands_for(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: ArrayLike, *args: Any, **kwargs: Any) -> Array:
    """Apply a function of vectors to all vectors along an axis.

    The function is called for one vector after the other; `tapegrad.vmap` calls it once.

    Args:
        func1d: a function of a vector, which returns an array.
        axis: the axis.
        arr: an array.
        args: further arguments of the function.
        kwargs: further keyword arguments of the function.

    Returns:
        An array in which the axes of what the function returns stand in place of the axis.

    Raises:
        ValueError: if there are no vectors to apply it to.

    Example:
        >>> apply_along_axis(lambda v: v[::-1] * 2, 1, np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([[4., 2.],
               [8., 6.]])
    """
    x: Any = gathered(arr)
    if CURRENT.get() is None:
        return np.apply_along_axis(func1d, axis, x, *args, **kwargs)
    x = x if type(x) is Var else np.asarray(x)
    axis = normalize_axis_index(axis, x.ndim)
    vectors: Any = moveaxis(x, axis, -1)
    lead = vectors.shape[:-1]
    if 0 in lead:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [func1d(vectors[place], *args, **kwargs) for place in np.ndindex(lead)]
    together: Any = stack([gathered(y) if type(gathered(y)) is Var else np.asarray(y) for y in results])
    own = together.shape[1:]
    y = reshape(together, lead + own)
    return moveaxis(y, tuple(range(len(lead), len(lead) + len(own))), tuple(range(axis, axis + len(own))))


@stands_for(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: ArrayLike, axes: int | Iterable[int]) -> Array:
    """Apply a reduction along one axis after the other, which all stay with length 1.

    Args:
        func: ``func(a, axis)``, which returns an array with that axis or without it.
        a: an array.
        axes: the axes.

    Returns:
        The shape of `a`, with length 1 along the axes.

    Raises:
        ValueError: if the function returns an array of other rank.

    Example:
        >>> apply_over_axes(np.sum, np.ones((2, 3)), (0, 1))
        array([[6.]])
    """
    y: Any = gathered(a)
    if type(y) is not Var:
        return np.apply_over_axes(func, y, axes)  # type: ignore[arg-type]  # any axes
    rank = y.ndim
    for axis in axes if isinstance(axes, Iterable) else (axes,):
        axis = axis + rank if axis < 0 else axis
        result = func(y, axis)
        if result.ndim != rank:
            result = expand_dims(result, axis)
            if result.ndim != rank:
                raise ValueError("function is not returning an array of the correct shape")
        y = result
    reduced: Array = y
    return reduced


class vectorize:  # NumPy's name: it is used as a decorator
    """A function of numbers as a function of arrays, element by element: a loop, as in NumPy. `tapegrad.vmap` is faster.

    Args:
        pyfunc: a function of numbers, which returns a number or a tuple of them.
        otypes: the dtypes of the outputs, which plain arrays are cast to.
        doc: the docstring.
        excluded: positions and names of arguments that are passed on as they are.
        cache: not used on traced values.
        signature: not supported on traced values: use `tapegrad.vmap`.

    Example:
        >>> vectorize(lambda a, b: a * b if a > 0 else b)(np.array([1.0, -1.0]), 3.0)
        array([3., 3.])
    """

    def __init__(
        self,
        pyfunc: Any = None,
        otypes: Any = None,
        doc: str | None = None,
        excluded: Any = None,
        cache: bool = False,
        signature: str | None = None,
    ) -> None:
        self.pyfunc = pyfunc
        self.excluded = set(excluded or ())
        self.signature = signature
        self.settings = {"otypes": otypes, "doc": doc, "excluded": excluded, "cache": cache, "signature": signature}
        self.__doc__ = doc or getattr(pyfunc, "__doc__", None)
        self.__name__ = getattr(pyfunc, "__name__", "vectorize")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.pyfunc is None:  # used as a decorator with settings
            return vectorize(args[0], **self.settings)
        if CURRENT.get() is None:
            return np.vectorize(self.pyfunc, **self.settings)(*args, **kwargs)
        if self.signature is not None:
            raise TypeError("vectorize with a signature is not supported while a tape records; use tapegrad.vmap")
        names = [k for k in range(len(args)) if k not in self.excluded] + [k for k in kwargs if k not in self.excluded]
        given: list[Any] = [gathered(args[k] if isinstance(k, int) else kwargs[k]) for k in names]
        spread: Any = broadcast_arrays(*given)
        shape = spread[0].shape
        results = []
        for place in np.ndindex(shape):
            now = dict(zip(names, [x[place] for x in spread], strict=True))
            results.append(
                self.pyfunc(*[now.get(k, x) for k, x in enumerate(args)], **{k: now.get(k, x) for k, x in kwargs.items()})
            )
        if not results:
            raise ValueError("cannot call `vectorize` on size 0 inputs while a tape records")
        if isinstance(results[0], tuple):
            return tuple([reshape(stack(list(column)), shape) for column in zip(*results, strict=True)])
        return reshape(stack(results), shape)
