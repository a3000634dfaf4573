"""Sorting under NumPy's names. Positions have no derivative: under `grad` and `jvp` they are plain arrays."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import along_one, is_traced, plain
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.order import (
    argpartition_p,
    argsort_p,
    lexsort_p,
    partition_p,
    sort_p,
)
from tapegrad.typing import Array, ArrayLike

Kind: TypeAlias = Literal["quicksort", "mergesort", "heapsort", "stable"] | None

# Sorted values


@stands_for(np.sort)
def sort(a: ArrayLike, axis: int | None = -1, kind: Kind = None, order: None = None, *, stable: bool | None = None) -> Array:
    """Sorted copy of an array.

    The derivative moves with the elements; among equal ones it is split evenly.

    Args:
        a: array of any shape.
        axis: the axis to sort along; None for all elements in one dimension.
        kind: the algorithm.
        order: for structured arrays, which have no derivatives.
        stable: keep the order of equal elements.

    Returns:
        Array of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> sort(np.array([3.0, 1.0, 2.0]))
        array([1., 2., 3.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.sort, x, axis, kind, order, stable=stable)
    check_ordering(kind, order, stable)
    x, axis = along_one(x, axis)
    y: Array = apply(sort_p, x, axis=axis)
    return y


@stands_for(np.sort_complex)
def sort_complex(a: ArrayLike) -> Array:
    """Copy of an array sorted along its last axis, as complex numbers: by real part first.

    Args:
        a: array of at least one dimension.

    Returns:
        Complex array of the shape of `a`.

    Example:
        >>> sort_complex(np.array([2.0 + 1.0j, 1.0, 2.0]))
        array([1.+0.j, 2.+0.j, 2.+1.j])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.sort_complex, x)
    y: Array = sort(x)
    return y if y.dtype.kind == "c" else astype(y, np.clongdouble if y.dtype == np.longdouble else np.complex128)


@stands_for(np.partition)
def partition(
    a: ArrayLike,
    kth: int | Sequence[int],
    axis: int | None = -1,
    kind: Literal["introselect"] = "introselect",
    order: None = None,
) -> Array:
    """Copy of an array in which some elements stand where sorting would put them, smaller ones before, greater ones behind.

    The derivative moves with the elements; among equal ones it is split evenly.

    Args:
        a: array of any shape.
        kth: the place that is put right, or several.
        axis: the axis to partition along; None for all elements in one dimension.
        kind: the algorithm.
        order: for structured arrays, which have no derivatives.

    Returns:
        Array of the shape of `a`; one-dimensional if `axis` is None.

    Raises:
        ValueError: if there is no such place.

    Example:
        >>> partition(np.array([3.0, 1.0, 2.0]), 1)
        array([1., 2., 3.])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.partition, x, kth, axis, kind, order)
    check_ordering(None, order, None)
    x, axis = along_one(x, axis)
    y: Array = apply(partition_p, x, kth=places(kth), axis=axis)
    return y


def places(kth: Any) -> Any:
    """Return the places of a partition as they are recorded: an int or a tuple of ints."""
    return int(kth) if np.ndim(kth) == 0 else tuple([int(k) for k in kth])


def check_ordering(kind: Any, order: Any, stable: Any) -> None:
    """Have NumPy refuse arguments of sorting that it does not know."""
    if kind is not None or order is not None or stable is not None:
        np.sort(np.empty(0), kind=kind, order=order, stable=stable)


# Sorted positions


@stands_for(np.argsort)
def argsort(a: ArrayLike, axis: int | None = -1, kind: Kind = None, order: None = None, *, stable: bool | None = None) -> Array:
    """Positions of the elements in sorted order.

    Args:
        a: array of any shape.
        axis: the axis to sort along; None for all elements in one dimension.
        kind: the algorithm.
        order: for structured arrays.
        stable: keep the order of equal elements.

    Returns:
        Integers, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> argsort(np.array([3.0, 1.0, 2.0]))
        array([1, 2, 0])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.argsort, x, axis, kind, order, stable=stable)
    check_ordering(kind, order, stable)
    x, axis = along_one(x, axis, scalars=True)
    given = {"kind": kind, "stable": stable}
    y: Array = apply(argsort_p, x, axis=axis, **{name: value for name, value in given.items() if value is not None})
    return y


@stands_for(np.argpartition)
def argpartition(
    a: ArrayLike,
    kth: int | Sequence[int],
    axis: int | None = -1,
    kind: Literal["introselect"] = "introselect",
    order: None = None,
) -> Array:
    """Positions of the elements in the order of `partition`.

    Args:
        a: array of any shape.
        kth: the place that is put right, or several.
        axis: the axis to partition along; None for all elements in one dimension.
        kind: the algorithm.
        order: for structured arrays.

    Returns:
        Integers, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> argpartition(np.array([3.0, 1.0, 2.0]), 0)[0]
        np.int64(1)
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.argpartition, x, kth, axis, kind, order)
    check_ordering(None, order, None)
    x, axis = along_one(x, axis, scalars=True)
    y: Array = apply(argpartition_p, x, kth=places(kth), axis=axis)
    return y


@stands_for(np.lexsort)
def lexsort(keys: ArrayLike, axis: int = -1) -> Array:
    """Positions in the order of several keys, the last of which counts first.

    Args:
        keys: a sequence of arrays of one shape, or an array whose rows they are.
        axis: the axis to sort along.

    Returns:
        Integers, of the shape of a key.

    Example:
        >>> lexsort((np.array([1.0, 0.0, 2.0]), np.array([1.0, 1.0, 0.0])))
        array([2, 1, 0])
    """
    x: Any = keys
    rows = tuple(x)
    if not is_traced(*rows):
        return plain(np.lexsort, x, axis)
    y: Array = apply(lexsort_p, *rows, axis=along_one(rows[0], axis)[1])
    return y
