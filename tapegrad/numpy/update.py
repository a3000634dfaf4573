"""Functional update: a new array with other values at an index, differentiable in the array and in the values."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from attrs import frozen

from tapegrad.core.adding import positions
from tapegrad.core.arrays import shape_of
from tapegrad.core.indexing import is_unique, normal
from tapegrad.core.origins import depends_on_abstract
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.putting import add, choose, put, put_where, whole
from tapegrad.core.reading import getitem
from tapegrad.core.var import Var
from tapegrad.errors import ConcretizationError, users_line
from tapegrad.numpy.door import gathered
from tapegrad.typing import Array, ArrayLike


@frozen(eq=False, repr=False)
class At:
    """``at(x)``; see `at`."""

    x: Any

    def __getitem__(self, index: Any) -> "Place":
        return Place(self.x, index)

    if not TYPE_CHECKING:  # to which it would mean that there is every attribute

        def __getattr__(self, name: str) -> NoReturn:
            way = f"; give an index first, as in at(x)[index].{name}(...)" if name in METHODS else ""
            raise AttributeError(f"at(x) has no attribute '{name}'{way}")

        def __setitem__(self, index: Any, v: Any) -> NoReturn:
            raise TypeError(f"at(x)[index] = v at {users_line()}: write y = at(x)[index].set(v), which leaves x as it is")


def _refused(sign: str, way: str) -> Callable[[Any, Any], NoReturn]:
    """Return a method for an assignment to a place, which says what to write."""

    def refuse(place: Any, v: Any) -> NoReturn:
        raise TypeError(f"at(x)[index] {sign} v at {users_line()}: write y = at(x)[index].{way}, which leaves x as it is")

    return refuse


@frozen(eq=False, repr=False)
class Place:
    """``at(x)[index]``: its methods return a copy of `x` that is changed there; `x` stays as it is.

    The index may have every form that NumPy knows. What it names twice, `set` gives the last value, and the others change
    twice. The values broadcast to the shape of ``x[index]``, and the result has the dtype of `x`.
    """

    x: Any
    index: Any

    def set(self, v: ArrayLike) -> Array:
        """Return a copy of `x` after ``x[index] = v``.

        Raises:
            ValueError: if `v` does not broadcast to the shape of ``x[index]``.

        Example:
            >>> at(np.array([1.0, 2.0, 3.0]))[1:].set(0.0)
            array([1., 0., 0.])
        """
        return self._changed(None, v)

    def add(self, v: ArrayLike) -> Array:
        """Return a copy of `x` after ``x[index] += v``, where indices that occur twice receive twice.

        Example:
            >>> at(np.zeros(3))[[0, 0, 2]].add(1.0)
            array([2., 0., 1.])
        """
        return self._changed(np.add, v)

    def multiply(self, v: ArrayLike) -> Array:
        """Return a copy of `x` after ``x[index] *= v``, where indices that occur twice are multiplied twice.

        Example:
            >>> at(np.array([1.0, 2.0]))[0].multiply(5.0)
            array([5., 2.])
        """
        return self._changed(np.multiply, v)

    def divide(self, v: ArrayLike) -> Array:
        """Return a copy of `x` after ``x[index] /= v``, where indices that occur twice are divided twice.

        Example:
            >>> at(np.array([1.0, 2.0]))[1].divide(4.0)
            array([1. , 0.5])
        """
        return self._changed(np.divide, v)

    def power(self, v: ArrayLike) -> Array:
        """Return a copy of `x` after ``x[index] **= v``.

        Example:
            >>> at(np.array([1.0, 2.0]))[1].power(3.0)
            array([1., 8.])
        """
        return self._changed(np.power, v)

    def min(self, v: ArrayLike) -> Array:
        """Return a copy of `x` with the smaller of ``x[index]`` and `v` at the index; between equal ones the slope is split.

        Example:
            >>> at(np.array([1.0, 2.0]))[:].min(1.5)
            array([1. , 1.5])
        """
        return self._changed(np.minimum, v)

    def max(self, v: ArrayLike) -> Array:
        """Return a copy of `x` with the larger of ``x[index]`` and `v` at the index; between equal ones the slope is split.

        Example:
            >>> at(np.array([1.0, 2.0]))[:].max(1.5)
            array([1.5, 2. ])
        """
        return self._changed(np.maximum, v)

    def apply(self, f: Callable[[Array], ArrayLike]) -> Array:
        """Return a copy of `x` after ``x[index] = f(x[index])``, where `f` works element by element.

        Example:
            >>> at(np.array([1.0, 4.0]))[1].apply(np.sqrt)
            array([1., 2.])
        """
        if not callable(f):
            raise TypeError(f"at(x)[...].apply: expected a function of the elements, got {f!r}")
        return self._changed(lambda part, v: f(part), 0.0)

    def _changed(self, op: Callable[..., Any] | None, v: Any) -> Array:
        v = gathered(v)
        x = self.x if type(self.x) is Var else np.asarray(self.x)
        if x.dtype.kind not in "fc" and type(v) is Var and v.dtype.kind in "fc":
            raise TypeError(
                f"at(x)[...]: x has dtype {x.dtype} and cannot hold a traced value without loss; give x.astype(float) instead"
            )
        y: Array = changed(x, self.index, op, v)
        return y

    if not TYPE_CHECKING:  # as above

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"at(x)[index] has no attribute '{name}'; what it has is {', '.join(METHODS)}")

        __iadd__ = _refused("+=", "add(v)")
        __isub__ = _refused("-=", "add(-v)")
        __imul__ = _refused("*=", "multiply(v)")
        __itruediv__ = _refused("/=", "divide(v)")
        __ipow__ = _refused("**=", "power(v)")


METHODS = ("set", "add", "multiply", "divide", "power", "min", "max", "apply")
"""What can be done at an index."""


def at(x: ArrayLike) -> At:
    """Return what makes changed copies of `x`: ``at(x)[index].set(v)`` and its siblings, see `Place`.

    A traced value `x` has it as ``x.at[index].set(v)`` too.

    Args:
        x: an array.

    Raises:
        TypeError: if `x` is no array of numbers.

    Example:
        >>> from tapegrad import grad
        >>> x = np.array([1.0, 2.0, 3.0])
        >>> grad(lambda x, v: (at(x)[0].set(v) ** 2).sum(), argnums=(0, 1))(x, 5.0)
        (array([0., 4., 6.]), np.float64(10.0))
    """
    array = gathered(x)
    if not isinstance(array, (Var, np.ndarray)) and np.asarray(array).dtype.kind not in "biufc":
        raise TypeError(
            f"at(x)[index]: x is to be an array of numbers, and is of type '{type(x).__name__}'; "
            f"an array in a tree is changed leaf by leaf"
        )
    return At(array)


FUNCTIONS["x.at"] = at


def changed(x: Any, index: Any, op: Callable[..., Any] | None, v: Any) -> Any:
    """Return a copy of `x` with ``op(x[index], v)``, or `v` where there is no operation, at an index.

    Raises:
        ConcretizationError: if repeated positions cannot be told from others, since they are traced and must not be looked at.
    """
    if type(index) is Var and index.dtype.kind == "b" and depends_on_abstract(index):
        return put_where(x, index, v) if op is None else choose(x, index, op(x, v))
    index, arrays = normal(index)
    if op is None:
        return put(x, index, v, *arrays)
    if op is np.add:
        return add(x, index, v, *arrays)
    if arrays:
        if any(a.size > 1 for a in arrays):
            raise ConcretizationError(
                f"at(x)[index] was to be changed at {users_line()} at positions that are traced under vmap or jit: whether one "
                f"occurs twice cannot be known there. Use set or add, or positions that are not traced."
            )
        return put(x, index, op(getitem(x, whole(index, arrays)), v), *arrays)
    for once, part in rounds(index, shape_of(x), v):
        x = put(x, once, op(x[once], part))
    return x


def rounds(index: Any, shape: tuple[int, ...], v: Any) -> Iterator[tuple[Any, Any]]:
    """Split an index that names elements twice, with the values for it, into several that do not, in order."""
    if is_unique(index):
        yield index, v
        return
    where = positions(shape, index)
    flat = where.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    if is_first.all():
        yield index, v
        return
    starts = np.flatnonzero(is_first)
    turn = np.empty_like(flat)
    turn[order] = np.arange(len(flat)) - np.repeat(starts, np.diff(starts, append=len(flat)))
    values = np.broadcast_to(v, where.shape).reshape(-1) if shape_of(v) else None  # a number of Python's stays one
    for k in range(int(turn.max()) + 1):
        chosen = np.flatnonzero(turn == k)
        yield np.unravel_index(flat[chosen], shape), v if values is None else values[chosen]
