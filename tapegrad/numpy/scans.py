"""Scans under NumPy's names: running sums and products, differences of neighbours."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.arguments import along_one, in_dtype, is_traced, plain
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.scan import cumprod_p, cumsum_p, diff_p
from tapegrad.typing import Array, ArrayLike, DTypeLike


def scan(p: Primitive, x: Any, axis: Any, dtype: Any) -> Array:
    """Record a scan of a traced value along one axis, or of all its elements in order."""
    x, axis = along_one(x, axis, scalars=True)
    settings: dict[str, Any] = {"axis": axis}
    if dtype is not None:
        dtype = np.dtype(dtype)
        if dtype.kind in "fc":
            settings["dtype"] = dtype
        else:
            x = astype(x, dtype)
            settings["dtype"] = dtype  # sums of few bits would go on in more
    y: Array = apply(p, x, **settings)
    return y


@stands_for(np.cumsum)
def cumsum(a: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Array:
    """Running sum along an axis.

    Args:
        a: array of any shape.
        axis: the axis; by default that of all elements in order.
        dtype: dtype of the sums.
        out: not supported.

    Returns:
        The sum up to and with each element, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> cumsum(np.array([1.0, 2.0, 3.0]))
        array([1., 3., 6.])
    """
    refuse_out(out, "cumsum")
    a = gathered(a)
    return scan(cumsum_p, a, axis, dtype) if type(a) is Var else plain(np.cumsum, a, axis, dtype)


@stands_for(np.cumprod)
def cumprod(a: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None, out: None = None) -> Array:
    """Running product along an axis. Its derivative is exact also where elements are zero.

    Args:
        a: array of any shape.
        axis: the axis; by default that of all elements in order.
        dtype: dtype of the products.
        out: not supported.

    Returns:
        The product up to and with each element, of the shape of `a`; one-dimensional if `axis` is None.

    Example:
        >>> cumprod(np.array([1.0, 2.0, 3.0]))
        array([1., 2., 6.])
    """
    refuse_out(out, "cumprod")
    a = gathered(a)
    return scan(cumprod_p, in_dtype(a, dtype), axis, dtype) if type(a) is Var else plain(np.cumprod, a, axis, dtype)


@stands_for(np.cumulative_sum)
def cumulative_sum(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    include_initial: bool = False,
) -> Array:
    """Running sum along an axis, under its name in the array API standard.

    Args:
        x: array of at least one dimension.
        axis: the axis; it may be left out for one dimension.
        dtype: dtype of the sums.
        out: not supported.
        include_initial: begin with the empty sum, 0, so that the result is longer by one.

    Returns:
        The sums, of the shape of `x`.

    Raises:
        ValueError: if `x` has more dimensions, and `axis` is None.

    Example:
        >>> cumulative_sum(np.array([1.0, 2.0, 3.0]), include_initial=True)
        array([0., 1., 3., 6.])
    """
    refuse_out(out, "cumulative_sum")
    x = gathered(x)
    if type(x) is not Var:
        return plain(np.cumulative_sum, x, axis=axis, dtype=dtype, include_initial=include_initial)
    return standard(cumsum_p, x, axis, dtype, 0 if include_initial else None)


@stands_for(np.cumulative_prod)
def cumulative_prod(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    include_initial: bool = False,
) -> Array:
    """Running product along an axis, under its name in the array API standard.

    Args:
        x: array of at least one dimension.
        axis: the axis; it may be left out for one dimension.
        dtype: dtype of the products.
        out: not supported.
        include_initial: begin with the empty product, 1, so that the result is longer by one.

    Returns:
        The products, of the shape of `x`.

    Raises:
        ValueError: if `x` has more dimensions, and `axis` is None.

    Example:
        >>> cumulative_prod(np.array([1.0, 2.0, 3.0]), include_initial=True)
        array([1., 1., 2., 6.])
    """
    refuse_out(out, "cumulative_prod")
    x = gathered(x)
    if type(x) is not Var:
        return plain(np.cumulative_prod, x, axis=axis, dtype=dtype, include_initial=include_initial)
    return standard(cumprod_p, in_dtype(x, dtype), axis, dtype, 1 if include_initial else None)


def standard(p: Primitive, x: Any, axis: Any, dtype: Any, initial: float | None) -> Array:
    """Record a scan of a traced value as the array API standard has it."""
    x = x if x.ndim else np.reshape(x, (1,))
    if axis is None:
        if x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    y = scan(p, x, axis, dtype)
    return y if initial is None else np.concatenate([edge(y.dtype.type(initial), y, axis), y], axis)


def edge(value: Any, x: Any, axis: int) -> Any:
    """Return what is put before or behind `x` along an axis: an array as it is, a number repeated along the other axes."""
    if np.ndim(value) != 0:
        return value
    shape = list(np.shape(x))
    shape[axis] = 1
    return np.broadcast_to(value, tuple(shape))


@stands_for(np.diff)
def diff(a: ArrayLike, n: int = 1, axis: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None) -> Array:
    """Differences of neighbours along an axis, `n` times over.

    Args:
        a: array of at least one dimension.
        n: how many times neighbours are subtracted.
        axis: the axis.
        prepend: a number, or an array of the shape of `a` but for the axis, that is put before `a` first.
        append: likewise, put behind it.

    Returns:
        The differences, of the shape of `a` but shorter by `n` along the axis.

    Raises:
        ValueError: if `n` is negative, or `a` a scalar.

    Example:
        >>> diff(np.array([1.0, 4.0, 9.0]))
        array([3., 5.])
    """
    x: Any = gathered(a)
    prepend, append = gathered(prepend), gathered(append)
    if n == 0 or not is_traced(x, prepend, append):
        return x if n == 0 else plain(np.diff, x, n, axis, prepend=prepend, append=append)
    if n < 0:
        raise ValueError("order must be non-negative but got " + repr(n))
    if np.ndim(x) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis_index(axis, np.ndim(x))
    parts = [edge(prepend, x, axis), x, edge(append, x, axis)]
    joined = [part for part, given in zip(parts, (prepend, x, append), strict=True) if given is not None]
    y: Array = apply(diff_p, np.concatenate(joined, axis) if len(joined) > 1 else x, n=n, axis=axis)
    return y


@stands_for(np.ediff1d)
def ediff1d(ary: ArrayLike, to_end: ArrayLike | None = None, to_begin: ArrayLike | None = None) -> Array:
    """Differences of neighbours among all elements in order.

    Args:
        ary: array of any shape.
        to_end: numbers to put behind the differences.
        to_begin: numbers to put before them.

    Returns:
        The differences, in one dimension.

    Raises:
        TypeError: if numbers to put around would lose something in the dtype of `ary`.

    Example:
        >>> ediff1d(np.array([1.0, 4.0, 9.0]), to_begin=0.0)
        array([0., 3., 5.])
    """
    ary, to_end, to_begin = gathered(ary), gathered(to_end), gathered(to_begin)
    if not is_traced(ary, to_end, to_begin):
        return plain(np.ediff1d, ary, to_end=to_end, to_begin=to_begin)
    row = np.ravel(ary)
    for given, name in ((to_begin, "to_begin"), (to_end, "to_end")):
        if given is not None and not np.can_cast(dtype_of(given), row.dtype, casting="same_kind"):
            raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
    middle = diff(row)
    parts = [None if given is None else astype(np.ravel(given), row.dtype) for given in (to_begin, to_end)]
    joined = [part for part in (parts[0], middle, parts[1]) if part is not None]
    y: Array = np.concatenate(joined)
    return y
