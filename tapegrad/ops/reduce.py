"""Reductions over axes: sums, means, products, extremes and spreads.

Every primitive here takes ``axis`` (None, an int or a tuple, never negative) and ``keepdims``. A rule brings what has the
shape of the output back to that of the input with `hold` (axes of length 1, which broadcast) or `spread` (written out).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, filled, guard, ones, shape_of, sums_by_dot
from tapegrad.core.doubt import are_hopeful
from tapegrad.core.families import elementwise, linear
from tapegrad.core.primitive import OUT, PRIMITIVES, Fn, Into, Primitive, Slot, case
from tapegrad.core.var import Var, apply
from tapegrad.ops.quotient import per, quotient
from tapegrad.ops.scan import ahead, backwards, cumprod_p

Axes = int | tuple[int, ...] | None

add_up: Fn = np.add.reduce
multiply_up: Fn = np.multiply.reduce

SHAPES = (
    case((3, 2)),
    case((3, 2), axis=1),
    case((3, 2), axis=0, keepdims=True),
    case((2, 3, 2), axis=(0, 2)),
    case((2, 3), keepdims=True),
)

# Between the shape of the output and that of the input


def held_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """Return `shape` with 1 for the length of each reduced axis."""
    if isinstance(axis, int):
        return (*shape[:axis], 1, *shape[axis + 1 :])
    return tuple([1 if axis is None or i in axis else n for i, n in enumerate(shape)])


def hold(g: Any, shape: tuple[int, ...], axis: Axes, keepdims: bool) -> Any:
    """Bring `g`, of the shape of an output, to one that broadcasts against an input of the given shape."""
    return g if keepdims or axis is None else g.reshape(held_shape(shape, axis))


def spread(g: Any, shape: tuple[int, ...], axis: Axes, keepdims: bool) -> Any:
    """Repeat `g`, of the shape of an output, along the reduced axes."""
    if axis is None and not keepdims:
        return filled(g, shape)
    if type(g) is np.ndarray and type(axis) is int and g.flags.c_contiguous and g.size:
        steps = (*g.strides[:axis], 0, *g.strides[axis + keepdims :])
        view: Any = np.ndarray(shape, g.dtype, g, 0, steps)  # a third of the time of np.broadcast_to
        view.flags.writeable = False
        return view
    return broadcast_to(hold(g, shape, axis, keepdims), shape)


def count(shape: tuple[int, ...], axis: Axes) -> int:
    """Return how many elements of an array of the given shape go into one element of the output."""
    if isinstance(axis, int):
        return shape[axis]
    n = 1
    for i in range(len(shape)) if axis is None else axis:
        n *= shape[i]
    return n


def guarded(pull: Fn) -> Fn:
    """Return the pull in which a zero cotangent contributes nothing, whatever the slope."""

    def careful(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, **settings: Any) -> Any:
        c = pull(g, y, x, axis=axis, keepdims=keepdims, **settings)
        return guard(c, spread(g, shape_of(x), axis, keepdims))

    return careful


def shifted(axis: Axes, rank: int) -> Axes:
    """Return the axes of an input of the given rank, of which a leading axis is the batch's."""
    if axis is None:
        return tuple(range(1, rank))
    return axis + 1 if isinstance(axis, int) else tuple([i + 1 for i in axis])


def batch_reduction(primitive: str) -> Fn:
    """Return the batch rule of a reduction of one input: the same, one axis further."""

    def batch(args: Sequence[Any], batched: Sequence[bool], axis: Axes = None, **settings: Any) -> Any:
        return apply(PRIMITIVES[primitive], args[0], axis=shifted(axis, args[0].ndim), **settings)

    return batch


# Sums and means


def _sum(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return add_up(x, axis, dtype, None, keepdims)


def _pull_sum(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return filled(g, shape_of(x)) if axis is None and not keepdims else spread(g, shape_of(x), axis, keepdims)


HALVES = 2**16
"""The number that half precision does not hold any more."""

EXTREMES: tuple[Fn, ...] = (np.maximum.reduce, np.minimum.reduce)


def short_rows(function: Fn, x: Any, keepdims: bool, out: Any = None) -> Any:
    """Reduce the last axis, a short one, at the speed of long ones: along the columns of a copy."""
    columns = x.reshape(-1, x.shape[-1]).T.copy()
    if out is None:
        return function(columns, 0).reshape((*x.shape[:-1], 1) if keepdims else x.shape[:-1])
    function(columns, 0, None, out.reshape(-1))
    return out


def _into(function: Fn) -> Fn:
    """Return how a reduction by a ufunc is written into an array."""

    def into(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
        axis, keepdims, dtype = settings.get("axis"), settings.get("keepdims", False), settings.get("dtype")
        x = args[0]
        if function is add_up and axis in (0, 1) and dtype is None and not keepdims and x.ndim == 2 and sums_by_dot(x, axis):
            column = ones(x.shape[axis], x.dtype)
            return Into(np.dot, (column, Slot(0), OUT) if axis == 0 else (Slot(0), column, OUT))
        if function in EXTREMES and axis == x.ndim - 1 and 0 < x.shape[-1] <= 16 and x.size >= 1024:
            return Into(short_rows, (function, Slot(0), keepdims, OUT))
        return Into(function, (Slot(0), axis, dtype, OUT, keepdims))

    return into


sum_p = linear("sum", _sum, _pull_sum, batch=batch_reduction("sum"), cases=SHAPES, into=_into(add_up))


def _mean(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    if type(x) is np.ndarray and dtype is None and x.dtype.char in "dfDF" and 0 < x.size < 2**24:
        return add_up(x, axis, None, None, keepdims) / count(x.shape, axis)  # as np.mean does, in half the time
    return np.mean(x, axis, dtype, None, keepdims)


def _pull_mean(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    shape = shape_of(x)
    n = count(shape, axis) or 1
    held = n < HALVES or dtype_of(g).char != "e"
    return spread(g / n if held else g * (1.0 / n), shape, axis, keepdims)


def _expand_mean(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    kind = np.dtype(dtype or x.dtype)
    if kind.char not in "dfDF" or x.dtype != kind or not x.size:
        return None
    return apply(sum_p, x, axis=axis, keepdims=keepdims) * (1.0 / count(x.shape, axis))


mean_p = linear("mean", _mean, _pull_mean, batch=batch_reduction("mean"), cases=SHAPES, expand=_expand_mean)

# The greatest and the least: the cotangent is split evenly among those that attain it


def _chosen(y: Any, x: Any, axis: Axes, keepdims: bool, nan_wins: bool) -> tuple[Any, Any]:
    """Return a mask of the elements that the output may have been taken from, and how many each output has."""
    mask = np.equal(x, hold(y, shape_of(x), axis, keepdims))
    if nan_wins and (type(x) is Var or not (y == y if type(y) is not np.ndarray else (y == y).all())):
        mask = mask | np.not_equal(x, x)  # NaN equals nothing
    if type(mask) is np.ndarray:
        ties = int(np.count_nonzero(mask))  # a NumPy integer would promote float32
        if ties == np.size(y) or (axis is None and not keepdims):
            return mask, ties // (np.size(y) or 1)
    return mask, add_up(mask, axis, np.real(y).dtype, None, True)


def _extreme(name: str, reduce: Fn, nan_wins: bool = True) -> Primitive:
    def pull(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        if are_hopeful(g, y, x):  # where nothing equals the output, as with NaN, the cotangent is divided by 0
            mask = np.equal(x, hold(y, shape_of(x), axis, keepdims))
            ties = add_up(mask, axis, np.real(y).dtype, None, keepdims)
            return hold(g / ties, shape_of(x), axis, keepdims) * mask
        mask, ties = _chosen(y, x, axis, keepdims, nan_wins)
        return np.where(mask, hold(g, shape_of(x), axis, keepdims) / ties, 0.0)

    def push(tangents: Sequence[Any], y: Any, x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        mask, ties = _chosen(y, x, axis, keepdims, nan_wins)
        return add_up(np.where(mask, tangents[0] / ties, 0.0), axis, None, None, keepdims)

    return Primitive(
        name=name,
        fn=lambda x, axis=None, keepdims=False: reduce(x, axis, None, None, keepdims),
        pulls=(pull,),
        push=push,
        batch=batch_reduction(name),
        into=_into(reduce),
        cases=SHAPES,
    )


max_p = _extreme("max", np.maximum.reduce)
min_p = _extreme("min", np.minimum.reduce)
nanmax_p = _extreme("nanmax", np.fmax.reduce, nan_wins=False)
nanmin_p = _extreme("nanmin", np.fmin.reduce, nan_wins=False)

# Sums without NaN


def _nansum(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    bad = np.not_equal(x, x)
    if bad.any():
        x = np.where(bad, 0.0, x)
    return add_up(x, axis, dtype, None, keepdims)


def _pull_nansum(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return hold(g, shape_of(x), axis, keepdims) * np.equal(x, x)


def _careful_pull_nansum(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return np.where(np.equal(x, x), hold(g, shape_of(x), axis, keepdims), 0.0)


def _push_nansum(tangents: Sequence[Any], y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return add_up(np.where(np.equal(x, x), tangents[0], 0.0), axis, dtype, None, keepdims)


nansum_p = Primitive(
    name="nansum",
    fn=_nansum,
    pulls=(_pull_nansum,),
    careful=(_careful_pull_nansum,),
    push=_push_nansum,
    batch=batch_reduction("nansum"),
    expand=lambda x, axis=None, keepdims=False, dtype=None: add_up(
        np.where(np.equal(x, x), x, 0.0), axis, dtype, None, keepdims
    ),
    cases=SHAPES,
)

# Products


def _prod(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    return multiply_up(x, axis, dtype, None, keepdims)


def _divides(y: Any) -> bool:
    """Tell whether the products of all but one are those of all, divided: plain ones, none of them near 0 or infinity."""
    if type(y) is Var or y.dtype.kind not in "fc" or not y.size:
        return False
    size, limits = np.abs(y), np.finfo(y.dtype)
    return bool(np.minimum.reduce(size, None) > 1e6 * limits.tiny and np.maximum.reduce(size, None) < limits.max)


def _others(y: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
    """Return, for each element of `x`, the product of the others.

    On plain arrays by division, where that is safe: not by zeros, and without overflow. Else from both ends, and written in
    operations that have exact derivatives themselves.
    """
    shape = shape_of(x)
    if _divides(y):
        return hold(y, shape, axis, keepdims) / x
    if type(x) is np.ndarray:
        zero = np.equal(x, 0)
        some = np.where(zero, 1.0, x)
        product = multiply_up(some, axis, None, None, True)
        if _divides(product):
            number = add_up(zero, axis, None, None, True)
            alone = np.where(zero, number == 1, number == 0)  # no zero among the others
            return np.where(alone, product, 0.0) / some
    if not shape:
        return np.ones_like(x)
    if isinstance(axis, int):
        return exclusive_product(x, axis)
    rank = len(shape)
    reduced = tuple(range(rank)) if axis is None else axis
    order = [i for i in range(rank) if i not in reduced] + list(reduced)
    across = [shape[i] for i in order]
    kept = across[: rank - len(reduced)]
    rows = np.transpose(x, order).reshape((*kept, count(shape, axis)))
    return np.transpose(exclusive_product(rows, len(kept)).reshape(across), [order.index(i) for i in range(rank)])


def exclusive_product(x: Any, axis: int) -> Any:
    """Return, for each element of `x`, the product of the others along an axis, without dividing."""
    shape = shape_of(x)
    if shape[axis] == 0:
        return np.ones_like(x)
    before = apply(cumprod_p, ahead(1, x, axis), axis=axis)
    after = apply(cumprod_p, ahead(1, backwards(x, axis), axis), axis=axis)
    return before * backwards(after, axis)


def _pull_prod(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    if type(g) is not Var and _divides(y):
        return hold(g * y, shape_of(x), axis, keepdims) / x
    return hold(g, shape_of(x), axis, keepdims) * _others(y, x, axis, keepdims)


def _push_prod(tangents: Sequence[Any], y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    t = tangents[0]
    return add_up(guard(t * _others(y, x, axis, keepdims), t), axis, dtype, None, keepdims)


prod_p = Primitive(
    name="prod",
    fn=_prod,
    pulls=(_pull_prod,),
    careful=(guarded(_pull_prod),),
    push=_push_prod,
    batch=batch_reduction("prod"),
    into=_into(multiply_up),
    cases=(*SHAPES, case(np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 1.5]]), axis=1)),
)

# Spreads: variance and standard deviation


def _centred(x: Any, axis: Axes, dtype: Any = None) -> Any:
    """Return `x` less its mean: less the real part of that where the dtype is real, as NumPy computes it."""
    if dtype_of(x).char == "e":  # sums run over
        return x - apply(mean_p, x, axis=axis, keepdims=True)
    n = count(shape_of(x), axis) or 1
    mean = add_up(x, axis, None, None, True) / n
    return x - (np.real(mean) if dtype is not None and dtype.kind == "f" and mean.dtype.kind == "c" else mean)


def _freedom(x: Any, axis: Axes, ddof: float) -> Any:
    """Return the divisor of the variance, as NumPy has it: never below 0, where it divides and warns."""
    n = max(count(shape_of(x), axis) - ddof, 0)
    return n if n else np.nan


def _var(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None, ddof: float = 0) -> Any:
    if type(x) is np.ndarray and dtype is None and x.dtype.char in "df" and 0 < x.size < 2**24:
        freedom = count(x.shape, axis) - ddof
        if freedom > 0:
            apart = _centred(x, axis)  # as np.var does, in half the time
            apart *= apart
            return add_up(apart, axis, None, None, keepdims) / freedom
    return np.var(x, axis, dtype, None, ddof, keepdims)


def _expand_var(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None, ddof: float = 0) -> Any:
    shape = shape_of(x)
    if dtype is not None or x.dtype.char not in "df" or not 0 < math.prod(shape) < 2**24 or count(shape, axis) <= ddof:
        return None
    return add_up(np.square(_centred(x, axis)), axis, None, None, keepdims) / (count(shape, axis) - ddof)


def _pull_var(g: Any, y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None, ddof: float = 0) -> Any:
    scale = hold(g, shape_of(x), axis, keepdims) * (2.0 / _freedom(x, axis, ddof))
    apart = _centred(x, axis, dtype)
    if apart.dtype.kind != "c":
        return scale * apart
    return (scale if dtype is None else np.real(scale)) * np.conjugate(apart)  # of a dtype that is complex, the output is real


def _push_var(
    tangents: Sequence[Any], y: Any, x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None, ddof: float = 0
) -> Any:
    t, apart = tangents[0], _centred(x, axis, dtype)
    part = t * apart if apart.dtype.kind != "c" else np.real(t * np.conjugate(apart))
    return add_up(guard(part, t), axis, None, None, keepdims) * (2.0 / _freedom(x, axis, ddof))


var_p = Primitive(
    name="var",
    fn=_var,
    pulls=(_pull_var,),
    careful=(guarded(_pull_var),),
    push=_push_var,
    batch=batch_reduction("var"),
    expand=_expand_var,
    cases=(*SHAPES, case((3, 2), axis=0, ddof=1)),
)


def _halved(g: Any, y: Any, x: Any) -> Any:
    h = quotient(g, y)
    return per(0.5 * g, y) if h is None else 0.5 * h


deviation_p = elementwise("deviation", lambda x: np.sqrt(x), _halved, domain=(0.2, 3.0))
"""The square root of a variance; where that vanishes, so does the derivative."""
