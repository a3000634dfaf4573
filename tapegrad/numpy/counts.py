"""Counts under NumPy's names. They have no derivative: under `grad` and `jvp` they are plain arrays."""

from typing import Any

import numpy as np

from tapegrad.core.primitive import Fn, Primitive
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import axes_of, concrete, is_traced, masked, plain
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.count import all_p, any_p, bincount_p, count_nonzero_p
from tapegrad.typing import Array, ArrayLike, Axis


def counted(p: Primitive, x: Any, axis: Any, keepdims: bool) -> Array:
    """Record a count over axes of a traced value."""
    settings = {} if axis is None else {"axis": axes_of(axis, x.ndim, scalars=True)}
    y: Array = apply(p, x, keepdims=keepdims, **settings)
    return y


def truth(p: Primitive, function: Fn, a: Any, axis: Any, out: Any, keepdims: bool, where: Any, neutral: bool) -> Array:
    """Return whether all or any elements hold."""
    refuse_out(out, p.name)
    x = gathered(a)
    if not is_traced(x, where):
        return plain(function, x, axis, None, keepdims, where=where)
    x = masked(x, where, neutral)
    return counted(p, x, axis, keepdims)


@stands_for(np.all)
def all(a: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: ArrayLike = True) -> Array:
    """Tell whether all elements are true, that is not zero.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that are looked along; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        Booleans, of the shape of `a` without the axes.

    Example:
        >>> all(np.array([[1.0, 2.0], [0.0, 3.0]]), axis=1)
        array([ True, False])
    """
    return truth(all_p, np.all, a, axis, out, keepdims, where, True)


@stands_for(np.any)
def any(a: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: ArrayLike = True) -> Array:
    """Tell whether any element is true, that is not zero.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that are looked along; all by default.
        out: not supported.
        keepdims: leave the axes in the result, with length 1.
        where: a mask of a shape that broadcasts to that of `a`; other elements do not count.

    Returns:
        Booleans, of the shape of `a` without the axes.

    Example:
        >>> any(np.array([[0.0, 0.0], [0.0, 3.0]]), axis=1)
        array([False,  True])
    """
    return truth(any_p, np.any, a, axis, out, keepdims, where, False)


@stands_for(np.count_nonzero)
def count_nonzero(a: ArrayLike, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Count the elements that are not zero.

    Args:
        a: array of any shape.
        axis: the axis, or tuple of axes, that are counted along; all by default.
        keepdims: leave the axes in the result, with length 1.

    Returns:
        Integers, of the shape of `a` without the axes.

    Example:
        >>> count_nonzero(np.array([[0.0, 0.0], [0.0, 3.0]]), axis=1)
        array([0, 1])
    """
    x: Any = gathered(a)
    if type(x) is not Var:
        return plain(np.count_nonzero, x, axis, keepdims=keepdims)
    return counted(count_nonzero_p, x, axis, keepdims)


@stands_for(np.nonzero)
def nonzero(a: ArrayLike) -> tuple[Array, ...]:
    """Return where elements are not zero, as one array of positions an axis.

    Args:
        a: array of at least one dimension.

    Returns:
        For each axis integers of shape ``(count,)``.

    Raises:
        ConcretizationError: under `vmap` and `jit`, where the count is not known.

    Example:
        >>> nonzero(np.array([0.0, 3.0, 4.0]))
        (array([1, 2]),)
    """
    return np.nonzero(concrete(gathered(a), "nonzero"))


@stands_for(np.flatnonzero)
def flatnonzero(a: ArrayLike) -> Array:
    """Return where elements are not zero, counted in order through the whole array.

    Args:
        a: array of any shape.

    Returns:
        Integers of shape ``(count,)``.

    Raises:
        ConcretizationError: under `vmap` and `jit`, where the count is not known.

    Example:
        >>> flatnonzero(np.array([[0.0, 3.0], [4.0, 0.0]]))
        array([1, 2])
    """
    return np.flatnonzero(concrete(gathered(a), "flatnonzero"))


@stands_for(np.argwhere)
def argwhere(a: ArrayLike) -> Array:
    """Return where elements are not zero, one row of indices an element.

    Args:
        a: array of any shape.

    Returns:
        Integers of shape ``(count, dimensions of a)``.

    Raises:
        ConcretizationError: under `vmap` and `jit`, where the count is not known.

    Example:
        >>> argwhere(np.array([[0.0, 3.0], [4.0, 0.0]]))
        array([[0, 1],
               [1, 0]])
    """
    return np.argwhere(concrete(gathered(a), "argwhere"))


@stands_for(np.bincount)
def bincount(x: ArrayLike, /, weights: ArrayLike | None = None, minlength: int = 0) -> Array:
    """Count how often each integer occurs, or sum its weights. The derivative by the weights is exact.

    Args:
        x: non-negative integers, of shape ``(n,)``.
        weights: what each counts, of shape ``(n,)``; 1 by default.
        minlength: least number of bins.

    Returns:
        Counts or sums, of shape ``(bins,)``.

    Raises:
        ValueError: if an integer is negative, or there are not as many weights.
        ConcretizationError: under `vmap` and `jit`, if `x` depends on the example.

    Example:
        >>> bincount(np.array([0, 2, 2]), np.array([1.0, 0.5, 0.25]))
        array([1.  , 0.  , 0.75])
    """
    bins = np.asarray(concrete(gathered(x), "bincount"))
    w: Any = gathered(weights)
    if type(w) is not Var:
        return plain(np.bincount, bins, weights=w, minlength=minlength)
    if w.shape != bins.shape:
        raise ValueError("The weights and list don't have the same length.")
    length = len(np.bincount(bins, minlength=minlength))
    y: Array = apply(bincount_p, w, bins=bins, length=length)
    return y
