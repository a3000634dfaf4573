"""Sets under NumPy's names. Their elements carry the derivatives of the elements of the array that they were found in."""

from typing import Any, Literal, overload

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import concrete, is_traced, plain
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.count import isin_p
from tapegrad.typing import Array, ArrayLike


@overload
def unique(
    ar: ArrayLike,
    return_index: Literal[False] = False,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Array: ...
@overload
def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any: ...
@stands_for(np.unique)
def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Different elements of an array, in order. The derivative goes to where each occurs first.

    Args:
        ar: array of any shape.
        return_index: return also where each occurs first.
        return_inverse: return also which of them each element of `ar` is.
        return_counts: return also how often each occurs.
        axis: compare slices along this axis, not elements.
        equal_nan: take NaNs as equal.
        sorted: have them in order (without it NumPy may be faster).

    Returns:
        The elements, of shape ``(count,)``, or a tuple of them and what else was asked for.

    Raises:
        ConcretizationError: under `vmap` and `jit`, where the count is not known.

    Example:
        >>> unique(np.array([2.0, 1.0, 2.0]))
        array([1., 2.])
    """
    x: Any = gathered(ar)
    settings: dict[str, Any] = {"equal_nan": equal_nan} if sorted else {"equal_nan": equal_nan, "sorted": False}
    if type(x) is not Var:
        return plain(np.unique, x, return_index, return_inverse, return_counts, axis, **settings)
    values = concrete(x, "unique")
    found: Any = plain(np.unique, values, True, return_inverse, return_counts, axis, **settings)
    elements = np.take(np.ravel(x), found[1]) if axis is None else np.take(x, found[1], axis)
    rest = found[1:] if return_index else found[2:]
    return (elements, *rest) if rest else elements


@stands_for(np.unique_all)
def unique_all(x: ArrayLike) -> Any:
    """Different elements of an array, where each occurs first, which of them each element is, and how often each occurs.

    Args:
        x: array of any shape.

    Returns:
        A named tuple ``(values, indices, inverse_indices, counts)``.

    Example:
        >>> unique_all(np.array([2.0, 1.0, 2.0])).counts
        array([1, 2])
    """
    array: Any = gathered(x)
    found: Any = np.unique_all(concrete(array, "unique_all"))
    return found._replace(values=np.take(np.ravel(array), found.indices)) if type(array) is Var else found


@stands_for(np.unique_counts)
def unique_counts(x: ArrayLike) -> Any:
    """Different elements of an array, and how often each occurs.

    Args:
        x: array of any shape.

    Returns:
        A named tuple ``(values, counts)``.

    Example:
        >>> unique_counts(np.array([2.0, 1.0, 2.0])).counts
        array([1, 2])
    """
    array: Any = gathered(x)
    found: Any = np.unique_counts(concrete(array, "unique_counts"))
    return found._replace(values=unique(array, equal_nan=False)) if type(array) is Var else found


@stands_for(np.unique_inverse)
def unique_inverse(x: ArrayLike) -> Any:
    """Different elements of an array, and which of them each element is.

    Args:
        x: array of any shape.

    Returns:
        A named tuple ``(values, inverse_indices)``.

    Example:
        >>> unique_inverse(np.array([2.0, 1.0, 2.0])).inverse_indices
        array([1, 0, 1])
    """
    array: Any = gathered(x)
    found: Any = np.unique_inverse(concrete(array, "unique_inverse"))
    return found._replace(values=unique(array, equal_nan=False)) if type(array) is Var else found


@stands_for(np.unique_values)
def unique_values(x: ArrayLike) -> Array:
    """Different elements of an array.

    Args:
        x: array of any shape.

    Returns:
        The elements, of shape ``(count,)``.

    Example:
        >>> np.sort(unique_values(np.array([2.0, 1.0, 2.0])))
        array([1., 2.])
    """
    array: Any = gathered(x)
    if type(array) is Var:
        concrete(array, "unique_values")
        array = unique(array, equal_nan=False)
        return array  # type: ignore[no-any-return]  # traced
    return plain(np.unique_values, array)


@stands_for(np.isin)
def isin(
    element: ArrayLike, test_elements: ArrayLike, assume_unique: bool = False, invert: bool = False, *, kind: str | None = None
) -> Array:
    """Tell for each element whether it occurs in another array.

    Args:
        element: array of any shape.
        test_elements: the other array.
        assume_unique: no element occurs twice in either.
        invert: tell the contrary.
        kind: the algorithm.

    Returns:
        Booleans, of the shape of `element`.

    Example:
        >>> isin(np.array([1.0, 2.0]), [2.0, 3.0])
        array([False,  True])
    """
    x, among = gathered(element), gathered(test_elements)
    if not is_traced(x, among):
        return plain(np.isin, x, among, assume_unique, invert, kind=kind)
    y: Array = apply(isin_p, x, among, invert=invert)
    return y


@stands_for(np.union1d)
def union1d(ar1: ArrayLike, ar2: ArrayLike) -> Array:
    """Elements that occur in one of two arrays, in order.

    Args:
        ar1: array of any shape.
        ar2: array of any shape.

    Returns:
        The elements, of shape ``(count,)``.

    Example:
        >>> union1d(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        array([1., 2., 3.])
    """
    x, y = gathered(ar1), gathered(ar2)
    if not is_traced(x, y):
        return plain(np.union1d, x, y)
    both: Array = unique(np.concatenate([np.ravel(x), np.ravel(y)]))
    return both


@overload
def intersect1d(
    ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False, return_indices: Literal[False] = False
) -> Array: ...
@overload
def intersect1d(
    ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool, return_indices: Literal[True]
) -> tuple[Array, Array, Array]: ...
@overload
def intersect1d(
    ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False, *, return_indices: Literal[True]
) -> tuple[Array, Array, Array]: ...
@stands_for(np.intersect1d)
def intersect1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """Elements that occur in both of two arrays, in order. The derivative goes to the first of them.

    Args:
        ar1: array of any shape.
        ar2: array of any shape.
        assume_unique: no element occurs twice in either.
        return_indices: return also where they occur first in both.

    Returns:
        The elements, of shape ``(count,)``.

    Example:
        >>> intersect1d(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        array([2.])
    """
    x, y = gathered(ar1), gathered(ar2)
    if not is_traced(x, y):
        return plain(np.intersect1d, x, y, assume_unique, return_indices)
    found, first, second = np.intersect1d(concrete(x, "intersect1d"), concrete(y, "intersect1d"), assume_unique, True)
    elements = astype(np.take(np.ravel(x), first), found.dtype)
    return (elements, first, second) if return_indices else elements


@stands_for(np.setdiff1d)
def setdiff1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Array:
    """Elements that occur in the first of two arrays and not in the second, in order.

    Args:
        ar1: array of any shape.
        ar2: array of any shape.
        assume_unique: no element occurs twice in either; those of `ar1` then keep their order.

    Returns:
        The elements, of shape ``(count,)``.

    Example:
        >>> setdiff1d(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        array([1.])
    """
    x, y = gathered(ar1), gathered(ar2)
    if not is_traced(x, y):
        return plain(np.setdiff1d, x, y, assume_unique)
    elements: Any = np.ravel(x) if assume_unique else unique(x)
    absent = np.isin(concrete(elements, "setdiff1d"), concrete(y, "setdiff1d"), invert=True)
    return elements[absent]  # type: ignore[no-any-return]  # traced


@stands_for(np.setxor1d)
def setxor1d(ar1: ArrayLike, ar2: ArrayLike, assume_unique: bool = False) -> Array:
    """Elements that occur in just one of two arrays, in order.

    Args:
        ar1: array of any shape.
        ar2: array of any shape.
        assume_unique: no element occurs twice in either.

    Returns:
        The elements, of shape ``(count,)``.

    Example:
        >>> setxor1d(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
        array([1., 3.])
    """
    x, y = gathered(ar1), gathered(ar2)
    if not is_traced(x, y):
        return plain(np.setxor1d, x, y, assume_unique)
    either: Array = np.sort(np.concatenate([setdiff1d(x, y), setdiff1d(y, x)]))
    return either
