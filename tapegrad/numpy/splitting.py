"""Splitting an array into parts along an axis."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import shape_of
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import concrete
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.indexing import read
from tapegrad.numpy.shapes import moveaxis
from tapegrad.typing import Array, ArrayLike

Sections = int | Sequence[int] | Array
"""The number of parts, or the positions at which to cut."""


@stands_for(np.array_split)
def array_split(ary: ArrayLike, indices_or_sections: Sections, axis: int = 0) -> list[Array]:
    """Split an array into parts along an axis; they need not be of the same length.

    Args:
        ary: an array.
        indices_or_sections: the number of parts, of which the first are longer by one where it does not divide the axis; or
            the positions at which to cut.
        axis: the axis to cut.

    Returns:
        The parts, in order.

    Raises:
        ValueError: if the number of parts is not positive.

    Example:
        >>> array_split(np.arange(5.0), 2)
        [array([0., 1., 2.]), array([3., 4.])]
    """
    x: Any = gathered(ary)
    indices_or_sections = _known(indices_or_sections)
    if type(x) is not Var:
        return np.array_split(x, indices_or_sections, axis)
    axis = normalize_axis_index(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        parts = np.array_split(np.arange(length), indices_or_sections)  # NumPy says how many each, and what is wrong
        bounds = np.cumsum([0, *[len(part) for part in parts]]).tolist()
    else:
        bounds = [0, *[int(i) for i in indices_or_sections], length]
    return [read(x, (slice(None),) * axis + (slice(a, b),)) for a, b in pairwise(bounds)]


@stands_for(np.split)
def split(ary: ArrayLike, indices_or_sections: Sections, axis: int = 0) -> list[Array]:
    """Split an array into parts of the same length along an axis, or at given positions.

    Args:
        ary: an array.
        indices_or_sections: the number of parts, or the positions at which to cut.
        axis: the axis to cut.

    Returns:
        The parts, in order.

    Raises:
        ValueError: if the number of parts does not divide the length of the axis.

    Example:
        >>> split(np.arange(4.0), 2)
        [array([0., 1.]), array([2., 3.])]
    """
    length = shape_of(gathered(ary))[axis]
    indices_or_sections = _known(indices_or_sections)
    if isinstance(indices_or_sections, (int, np.integer)) and length % int(indices_or_sections):
        raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


@stands_for(np.vsplit)
def vsplit(ary: ArrayLike, indices_or_sections: Sections) -> list[Array]:
    """Split an array along its first axis; see `split`.

    Raises:
        ValueError: if the array has fewer than 2 axes, or the parts would differ in length.

    Example:
        >>> [part.shape for part in vsplit(np.ones((4, 3)), 2)]
        [(2, 3), (2, 3)]
    """
    return split(_at_least(ary, 2, "vsplit"), indices_or_sections, 0)


@stands_for(np.hsplit)
def hsplit(ary: ArrayLike, indices_or_sections: Sections) -> list[Array]:
    """Split an array along its second axis, a vector along its only one; see `split`.

    Raises:
        ValueError: if the array is a scalar, or the parts would differ in length.

    Example:
        >>> [part.shape for part in hsplit(np.ones((4, 3)), 3)]
        [(4, 1), (4, 1), (4, 1)]
    """
    x = _at_least(ary, 1, "hsplit")
    return split(x, indices_or_sections, 1 if len(shape_of(x)) > 1 else 0)


@stands_for(np.dsplit)
def dsplit(ary: ArrayLike, indices_or_sections: Sections) -> list[Array]:
    """Split an array along its third axis; see `split`.

    Raises:
        ValueError: if the array has fewer than 3 axes, or the parts would differ in length.

    Example:
        >>> [part.shape for part in dsplit(np.ones((2, 2, 4)), 2)]
        [(2, 2, 2), (2, 2, 2)]
    """
    return split(_at_least(ary, 3, "dsplit"), indices_or_sections, 2)


def _known(indices_or_sections: Any) -> Any:
    """Return where to split; it decides how many parts there are, and must be known."""
    found = concrete(gathered(indices_or_sections), "split")
    return found.item() if isinstance(found, np.ndarray) and found.ndim == 0 else found


def _at_least(ary: ArrayLike, rank: int, name: str) -> Any:
    x = gathered(ary)
    if len(shape_of(x)) < rank:
        raise ValueError(f"{name} only works on arrays of {rank} or more dimensions")
    return x


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Return the slices of an array along an axis, which they do not have any more.

    Args:
        x: an array of one or more axes.
        axis: the axis to take apart.

    Returns:
        As many arrays as the axis is long, of the shape of `x` without it.

    Raises:
        ValueError: if `x` is a scalar.

    Example:
        >>> unstack(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        (array([1., 3.]), array([2., 4.]))
    """
    whole: Any = gathered(x)
    if len(shape_of(whole)) == 0:
        raise ValueError("Input array must be at least 1-d.")
    front: Any = moveaxis(whole, axis, 0)
    return tuple(front[i] for i in range(shape_of(front)[0]))


if hasattr(np, "unstack"):  # NumPy 2.1
    stands_for(np.unstack)(unstack)
