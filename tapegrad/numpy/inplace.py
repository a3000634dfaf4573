"""NumPy's functions that write into an array.

They work on plain arrays, and on arrays that were made to be written while the tape records (`zeros`, `copy`, ...). To write a
traced value into a plain array would lose its derivative, so that is an error.
"""

from typing import Any, Literal

import numpy as np

from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import concrete, is_traced
from tapegrad.numpy.choice import where as choose
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.rearrange import resize
from tapegrad.numpy.update import changed
from tapegrad.ops.index import along
from tapegrad.typing import Array, ArrayLike


def check_writable(x: Any, name: str) -> Any:
    """Return the array that is to be written, if it is one that can be.

    Raises:
        TypeError: if it cannot.
    """
    if type(x) is Var and x.link is not None:
        return x
    what = "is an argument of the transform, or was computed" if type(x) is Var else "is an array of NumPy"
    way = "tapegrad.numpy.copy(x)" if type(x) is Var else "tapegrad.numpy.zeros (or array, or copy) while the tape records"
    raise TypeError(
        f"numpy.{name} writes a traced value into an array, but that {what}, which would lose the derivative: make the array "
        f"with {way}, or use tapegrad.numpy.at(x)[index].set(v)"
    )


@stands_for(np.copyto)
def copyto(
    dst: Array,
    src: ArrayLike,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    where: ArrayLike = True,
) -> None:
    """Copy values into an array.

    Args:
        dst: the array that is written.
        src: the values, which broadcast to its shape.
        casting: which casts are allowed.
        where: a mask, which broadcasts to the shape of `dst`; elsewhere it is left as it is.

    Raises:
        TypeError: if the cast is not allowed, or `dst` cannot be written.

    Example:
        >>> x = np.zeros(2)
        >>> copyto(x, 3.0)
        >>> x
        array([3., 3.])
    """
    v: Any = gathered(src)
    mask: Any = gathered(where)
    if not is_traced(dst, v, mask):
        np.copyto(dst, v, casting, mask)
        return
    x: Any = check_writable(dst, "copyto")
    v = v if type(v) is Var else np.asarray(v)
    if not np.can_cast(v.dtype, x.dtype, casting):
        raise TypeError(f"Cannot cast scalar from {v.dtype!r} to {x.dtype!r} according to the rule '{casting}'")
    x[...] = v if mask is True else choose(mask, v, x)


@stands_for(np.put)
def put(a: Array, ind: ArrayLike, v: ArrayLike, mode: Literal["raise", "wrap", "clip"] = "raise") -> None:
    """Set elements of an array, counted in order through the whole array.

    Args:
        a: the array that is written.
        ind: which elements.
        v: the values; if there are too few, they are repeated.
        mode: what an index out of bounds does: raise, wrap around, or clip to the bounds.

    Raises:
        TypeError: if `a` cannot be written.
        IndexError: if an index is out of bounds and `mode` is 'raise'.

    Example:
        >>> x = np.zeros(3)
        >>> put(x, [0, 2], 5.0)
        >>> x
        array([5., 0., 5.])
    """
    values: Any = gathered(v)
    if not is_traced(a, values):
        np.put(a, np.asarray(ind), values, mode)
        return
    x: Any = check_writable(a, "put")
    numbers = np.arange(x.size)
    places = np.take(numbers, np.asarray(ind).reshape(-1), mode=mode)
    if places.size and np.size(values):
        x[np.unravel_index(places, x.shape)] = resize(values, places.size)


@stands_for(np.place)
def place(arr: Array, mask: ArrayLike, vals: ArrayLike) -> None:
    """Set the elements under a mask to values, one after the other; if there are too few, they are repeated.

    Args:
        arr: the array that is written.
        mask: booleans, as many as `arr` has elements.
        vals: the values.

    Raises:
        TypeError: if `arr` cannot be written.
        ValueError: if there are no values, but elements under the mask.

    Example:
        >>> x = np.zeros(3)
        >>> place(x, [True, False, True], [1.0, 2.0])
        >>> x
        array([1., 0., 2.])
    """
    values: Any = gathered(vals)
    chosen: Any = gathered(mask)
    if not is_traced(arr, values, chosen):
        np.place(arr, chosen, values)
        return
    x: Any = check_writable(arr, "place")
    chosen = np.asarray(concrete(chosen, "place"), bool).reshape(x.shape)
    count = int(chosen.sum())
    if count and not np.size(values):
        raise ValueError("Cannot insert from an empty array!")
    if count:
        x[chosen] = resize(values, count)


@stands_for(np.putmask)
def putmask(a: Array, /, mask: ArrayLike, values: ArrayLike) -> None:
    """Set each element under a mask to the value at the same place; if there are fewer values, they are repeated.

    Args:
        a: the array that is written.
        mask: booleans, of the shape of `a`.
        values: the values, of the shape of `a`, or fewer.

    Raises:
        TypeError: if `a` cannot be written.

    Example:
        >>> x = np.zeros(3)
        >>> putmask(x, [True, False, True], [1.0, 2.0, 3.0])
        >>> x
        array([1., 0., 3.])
    """
    given: Any = gathered(values)
    chosen: Any = gathered(mask)
    if not is_traced(a, given, chosen):
        np.putmask(a, chosen, given)
        return
    x: Any = check_writable(a, "putmask")
    x[...] = choose(chosen, resize(given, x.shape), x)


@stands_for(np.put_along_axis)
def put_along_axis(arr: Array, indices: ArrayLike, values: ArrayLike, axis: int | None) -> None:
    """Set, for each place of `indices`, the element of the same vector along an axis that it names.

    Args:
        arr: the array that is written.
        indices: integers, as for `take_along_axis`.
        values: the values, which broadcast to the shape of `indices`.
        axis: the axis; None counts through the whole array.

    Raises:
        TypeError: if `arr` cannot be written.

    Example:
        >>> x = np.zeros((2, 2))
        >>> put_along_axis(x, np.array([[1], [0]]), 5.0, axis=1)
        >>> x
        array([[0., 5.],
               [5., 0.]])
    """
    v: Any = gathered(values)
    numbers: Any = gathered(indices)
    if not is_traced(arr, v, numbers):
        np.put_along_axis(arr, numbers, v, axis)
        return
    x: Any = check_writable(arr, "put_along_axis")
    if axis is None:
        x, axis = x.reshape(-1), 0
    if numbers.ndim != x.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    x[along(numbers, x.shape, axis % x.ndim)] = v


@stands_for(np.fill_diagonal)
def fill_diagonal(a: Array, val: ArrayLike, wrap: bool = False) -> None:
    """Set the main diagonal of an array.

    Args:
        a: the array that is written: a matrix, or an array whose axes all have one length.
        val: the values; if there are too few, they are repeated.
        wrap: in a tall matrix, begin again below.

    Raises:
        TypeError: if `a` cannot be written.
        ValueError: if it has fewer than two axes, or more of different lengths.

    Example:
        >>> x = np.zeros((2, 2))
        >>> fill_diagonal(x, 3.0)
        >>> x
        array([[3., 0.],
               [0., 3.]])
    """
    v: Any = gathered(val)
    if not is_traced(a, v):
        np.fill_diagonal(a, v, wrap)
        return
    x: Any = check_writable(a, "fill_diagonal")
    marked = np.zeros(x.shape, bool)
    np.fill_diagonal(marked, True, wrap)
    places = np.nonzero(marked)
    x[places] = resize(v, len(places[0]))


def ufunc_at(function: np.ufunc, a: Any, indices: Any, b: Any = None) -> None:
    """Do ``a[indices] = function(a[indices], b)``, where indices that occur twice count twice: ``np.add.at`` and its kind."""
    x: Any = check_writable(a, f"{function.__name__}.at")
    x.link.replace(x, changed(x, indices, (lambda part, v: function(part)) if b is None else function, 0.0 if b is None else b))


FUNCTIONS["at"] = ufunc_at
