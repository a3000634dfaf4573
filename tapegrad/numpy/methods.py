"""The methods of NumPy's ufuncs on traced values: reduce, accumulate, outer, reduceat.

Sums and products, running or not, and extremes have operations of their own. Any other ufunc of two arguments is folded: in
halves, or in steps that double, where grouping does not matter; else one element after the other.
"""

import functools
import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import FUNCTIONS, UFUNCS, Fn
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply, ufunc
from tapegrad.numpy.arguments import kept
from tapegrad.numpy.door import gathered
from tapegrad.numpy.ufuncs import refuse_writing
from tapegrad.ops.segments import segment_sum_p, stretches

REDUCTIONS: dict[np.ufunc, Fn] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
SCANS: dict[np.ufunc, Fn] = {np.add: np.cumsum, np.multiply: np.cumprod}
LOGICAL = frozenset({np.logical_and, np.logical_or, np.logical_xor})
BITS = frozenset({np.bitwise_and, np.bitwise_or, np.bitwise_xor})
ASSOCIATIVE = frozenset({np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot}) | LOGICAL | BITS


def reduce(function: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, **settings: Any) -> Any:
    """Return ``function.reduce(array, axis, ...)``: the elements along an axis, or several, put together by `function`.

    Raises:
        ValueError: if `function` does not have two arguments, or has no start value where one is needed.
        TypeError: if `out` is given, or `function` does not compute in `dtype` (NumPy's own error).
    """
    if function in SCANS:
        return FUNCTIONS[REDUCTIONS[function]](array, axis=axis, dtype=dtype, **settings)
    if dtype is not None:
        function.reduce(np.ones(1, dtype_of(array)), dtype=dtype)  # raises NumPy's error
        array = astype(array, dtype)
    whole = REDUCTIONS.get(function)
    if whole is not None and (function not in LOGICAL or settings.get("initial") is None):
        return FUNCTIONS[whole](array, axis=axis, **settings)
    refuse_writing(function, (), settings.pop("out", None))
    plain = constant_values(function, array)
    return _fold(function, array, axis, **settings) if plain is None else function.reduce(plain, axis=axis, **settings)


def _fold(function: np.ufunc, array: Any, axis: Any, keepdims: bool = False, initial: Any = None, where: Any = True) -> Any:
    check_binary(function, "reduce")
    axes = tuple(range(array.ndim)) if axis is None else axis if type(axis) is tuple else (axis,)
    axes = tuple(sorted(normalize_axis_index(i, array.ndim) for i in axes))
    if len(axes) > 1:
        function.reduce(np.ones((1, 1), array.dtype), axis=(0, 1))  # raises NumPy's error where the order of axes matters
    x = _in_front(array, axes)
    start = function.identity if initial is None and (where is not True or not len(x)) else initial
    if function in LOGICAL:
        x = np.not_equal(x, 0)  # whose first element is none of these operations' results
    if start is None and (where is not True or not len(x)):
        raise ValueError(f"reduction operation '{function.__name__}' has no identity: 'initial' must be given")
    if where is not True:
        mask = _in_front(np.broadcast_to(where, array.shape), axes)
        y = _spread(function, start, x)
        for chosen, part in zip(mask, x, strict=True):
            y = np.where(chosen, ufunc(function, y, part), y)
    else:
        parts = _halves(function, x) if function in ASSOCIATIVE else x
        begin = [] if start is None else [_spread(function, start, x)]
        y = functools.reduce(lambda a, b: ufunc(function, a, b), parts, *begin)
    return np.expand_dims(y, axes) if kept(keepdims) else y


def _in_front(x: Any, axes: tuple[int, ...]) -> Any:
    """Return `x` with the given axes as one, in front of the others."""
    others = tuple(i for i in range(x.ndim) if i not in axes)
    shape = (math.prod(x.shape[i] for i in axes), *[x.shape[i] for i in others])
    return np.reshape(np.transpose(x, axes + others), shape)


def _spread(function: np.ufunc, start: Any, x: Any) -> Any:
    """Repeat a start value to the shape of one element of `x`, of the dtype in which `function` computes."""
    return np.broadcast_to(astype(start, function.resolve_dtypes((x.dtype, x.dtype, None))[0]), x.shape[1:])


def _halves(function: np.ufunc, x: Any) -> list[Any]:
    """Combine one half of `x` with the other until one element is left, and return it with those that had no partner."""
    odd = []
    while len(x) > 1:
        half = len(x) // 2
        if len(x) % 2:
            odd.append(x[-1])
        x = ufunc(function, x[:half], x[half : 2 * half])
    return [*x, *odd]


def accumulate(function: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return ``function.accumulate(array, axis, ...)``: what `reduce` makes of the first, the first two, ... elements.

    Raises:
        ValueError: if `function` does not have two arguments.
        TypeError: if `out` is given.
    """
    refuse_writing(function, (), out)
    if function in SCANS:
        return FUNCTIONS[SCANS[function]](array, axis=axis, dtype=dtype)
    plain = constant_values(function, array)
    if plain is not None:
        return function.accumulate(plain, axis=axis, dtype=dtype)
    check_binary(function, "accumulate")
    axis = normalize_axis_index(axis, array.ndim)
    x = np.moveaxis(array if dtype is None else astype(array, dtype), axis, 0)
    if function in LOGICAL:
        x = np.not_equal(x, 0)
    if function in ASSOCIATIVE:
        step = 1
        while step < len(x):
            x = np.concatenate([x[:step], ufunc(function, x[:-step], x[step:])])
            step *= 2
    elif len(x):
        rows = [x[0]]
        for i in range(1, len(x)):
            rows.append(ufunc(function, rows[-1], x[i]))
        x = np.stack(rows)
    return np.moveaxis(x, 0, axis)


def outer(function: np.ufunc, a: Any, b: Any, /, **settings: Any) -> Any:
    """Return ``function.outer(a, b)``: each element of `a` with each of `b`, of shape ``a.shape + b.shape``.

    Raises:
        ValueError: if `function` does not have two arguments.
        TypeError: if `out` is given.
    """
    check_binary(function, "outer")
    a, b = gathered(a), gathered(b)
    return function(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **settings)


def reduceat(function: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return ``function.reduceat(array, indices, axis, ...)``: what `reduce` makes of the stretches that begin at the indices.

    Raises:
        ValueError: if `function` does not have two arguments.
        IndexError: if an index is out of bounds.
        TypeError: if `out` is given.
    """
    refuse_writing(function, (), out)
    plain = constant_values(function, array)
    if plain is not None:
        return function.reduceat(plain, indices, axis=axis, dtype=dtype)
    check_binary(function, "reduceat")
    axis = normalize_axis_index(axis, array.ndim)
    x = array if dtype is None else astype(array, dtype)
    if function is np.add:
        y = apply(segment_sum_p, x, indices=np.array(indices, np.intp), axis=axis)
        return y if dtype is None else astype(y, dtype)  # integers of few bits have sums, and products, of more
    length = x.shape[axis]
    for i in indices:
        if not 0 <= i < length:
            raise IndexError(f"index {i} out-of-bounds in {function.__name__}.reduceat [0, {length})")
    before = (slice(None),) * axis
    y = np.stack([reduce(function, x[(*before, slice(i, j))], axis) for i, j in stretches(indices, length)], axis)
    return y if dtype is None else astype(y, dtype)


def check_binary(function: np.ufunc, method: str) -> None:
    """Raise NumPy's error for a method that needs a ufunc of two arguments.

    Raises:
        ValueError: if `function` has another number of them.
    """
    if function.nin != 2 or function.nout != 1:
        raise ValueError(f"{method} only supported for binary functions: numpy.{function.__name__} is not one")


def constant_values(function: np.ufunc, x: Any) -> Any:
    """Return the plain values of `x` for a ufunc without derivative, None for others and where values must not be looked at."""
    primitive = UFUNCS.get(function)
    constant = primitive is not None and primitive.constant
    return x.value if constant and type(x) is Var and not x.tape.abstract else None


FUNCTIONS.update({"reduce": reduce, "accumulate": accumulate, "outer": outer, "reduceat": reduceat})
