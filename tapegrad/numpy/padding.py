"""`pad`: an array with something around it, in every mode of NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.core.writing import own
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.flipping import flip
from tapegrad.numpy.grids import linspace
from tapegrad.numpy.indexing import read, take
from tapegrad.numpy.joins import concatenate
from tapegrad.numpy.quantiles import median
from tapegrad.numpy.reductions import max, mean, min
from tapegrad.ops.pad import Widths, pad_p
from tapegrad.typing import Array, ArrayLike

COPIES = frozenset({"edge", "reflect", "symmetric", "wrap"})
STATISTICS: dict[str, Callable[..., Array]] = {"maximum": max, "minimum": min, "mean": mean, "median": median}
SETTINGS = {
    "constant": {"constant_values"},
    "linear_ramp": {"end_values"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    **{name: {"stat_length"} for name in STATISTICS},
}
MODES = frozenset({*SETTINGS, *COPIES, "empty"})


@stands_for(np.pad)
def pad(array: ArrayLike, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    """Return an array with elements around it.

    Args:
        array: an array.
        pad_width: how many elements to put before and after: an int, one pair ``(before, after)`` for all axes, a pair for
            each, or a dict from axes to either.
        mode: 'constant', 'edge', 'linear_ramp', 'maximum', 'mean', 'median', 'minimum', 'reflect', 'symmetric', 'wrap' or
            'empty' (zeros here).
        kwargs: NumPy's: `constant_values`, `end_values`, `stat_length`, `reflect_type`. Constant and end values may be traced.

    Returns:
        An array of the lengths of `array` plus those of the padding.

    Raises:
        ValueError: if the widths do not fit, or the mode is unknown or knows no such keyword.
        TypeError: on a traced value, if `mode` is a function, which would write to its argument.

    Example:
        >>> pad(np.array([1.0, 2.0]), 1, mode="edge")
        array([1., 1., 2., 2.])
    """
    x: Any = gathered(array)
    if type(x) is not Var and not any(type(gathered(value)) is Var for value in kwargs.values()):
        padded: Array = np.pad(x, pad_width, mode, **kwargs)
        return padded
    if callable(mode):
        raise TypeError("pad: a function as mode writes to its argument, which a traced value does not allow; use a named mode")
    if type(x) is not Var:
        x = np.asarray(x)
    named = _named(pad_width, x.ndim)
    if named is None or mode not in MODES:
        example = np.empty(np.shape(x.value if type(x) is Var else x), bool)
        check: Any = mode if mode not in MODES else "edge" if example.size else "constant"
        np.pad(example, pad_width, check)  # NumPy's own errors for the widths and the mode
    unknown = set(kwargs) - SETTINGS.get(mode, set())
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    widths = _pairs(pad_width, x.ndim, int) if named is None else named
    if mode == "empty" or (mode == "constant" and "constant_values" not in kwargs):
        whole: Array = apply(pad_p, x, widths=widths)
        return whole
    if mode == "constant":
        x = _with_constants(x, widths, _pairs(kwargs["constant_values"], x.ndim, None))
        widths = ()
    for axis, (before, after) in enumerate(widths):
        if mode in COPIES:
            x = _copied(x, axis, before, after, mode, kwargs)
        elif mode == "linear_ramp":
            x = _ramped(x, axis, before, after, _pairs(kwargs.get("end_values", 0), x.ndim, None)[axis])
        else:
            x = _summarised(x, axis, before, after, STATISTICS[mode], kwargs.get("stat_length"))
    done: Array = own(x)
    return done


def _named(pad_width: Any, rank: int) -> Widths | None:
    """Return a pair for each axis if the widths are given in one of the usual ways, with nothing wrong; else None."""
    one = pad_width if type(pad_width) is tuple else (pad_width, pad_width)
    pairs = (one,) * rank if len(one) == 2 and type(one[0]) is int else one
    if len(pairs) != rank:
        return None
    for pair in pairs:
        if type(pair) is not tuple or len(pair) != 2 or type(pair[0]) is not int or type(pair[1]) is not int:
            return None
        if pair[0] < 0 or pair[1] < 0:
            return None
    return pairs


def _pairs(value: Any, rank: int, kind: Any) -> Any:
    """Return a pair for each axis from all that NumPy takes for one."""
    if isinstance(value, dict):
        pairs: list[Any] = [(0, 0)] * rank
        for axis, width in value.items():
            pairs[axis] = tuple(width) if isinstance(width, (tuple, list)) else (width, width)
        return tuple((int(a), int(b)) for a, b in pairs)
    if kind is int:
        broadcast = np.broadcast_to(np.asarray(value), (rank, 2))
        return tuple((int(a), int(b)) for a, b in broadcast)
    value = gathered(value)
    if np.ndim(value) == 0:
        return ((value, value),) * rank
    if np.ndim(value) == 1:
        return ((value[0], value[len(value) - 1]),) * rank
    rows = [value[k if len(value) > 1 else 0] for k in range(rank)]
    return tuple((row[0], row[len(row) - 1]) for row in rows)


def _with_constants(x: Any, widths: Widths, constants: Any) -> Any:
    for axis, (before, after) in enumerate(widths):
        shape = list(np.shape(x))
        parts = []
        for count, value in zip((before, after), constants[axis], strict=True):
            shape[axis] = count
            parts.append(np.broadcast_to(value, tuple(shape)).astype(x.dtype))
        x = concatenate([parts[0], x, parts[1]], axis)
    return x


def _copied(x: Any, axis: int, before: int, after: int, mode: str, settings: dict[str, Any]) -> Any:
    """Pad one axis with elements of the array; an odd reflection adds twice the edge."""
    if not before and not after:
        return x
    if settings.get("reflect_type") == "odd":
        return _odd(x, axis, before, after, mode)
    length = x.shape[axis]
    where: Any = np.pad(np.arange(length), (before, after), mode)  # type: ignore[call-overload]  # a mode by name
    return take(x, where, axis)


def _odd(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Pad one axis by odd reflection: as a linear map of the array, which NumPy gives for unit vectors."""
    length = x.shape[axis]
    units: Any = np.pad(np.eye(length), ((before, after), (0, 0)), mode, reflect_type="odd")  # type: ignore[call-overload]  # by name
    moved = np.moveaxis(x, axis, -1) @ units.astype(x.dtype).T
    return np.moveaxis(moved, -1, axis)


def _edge(x: Any, axis: int, at: slice) -> Any:
    return read(x, (slice(None),) * axis + (at,))


def _ramped(x: Any, axis: int, before: int, after: int, ends: Any) -> Any:
    """Pad one axis with straight lines from the end values to the edges; whole ones are rounded as `linspace` rounds them."""
    parts = [x]
    if before:
        parts.insert(0, _line(ends[0], x, 0, before, axis))
    if after:
        parts.append(flip(_line(ends[1], x, -1, after, axis), axis))
    return concatenate(parts, axis) if len(parts) > 1 else x


def _line(end: Any, x: Any, edge: int, count: int, axis: int) -> Any:
    return linspace(end, take(x, edge, axis), count, False, dtype=x.dtype, axis=axis)


def _summarised(x: Any, axis: int, before: int, after: int, statistic: Callable[..., Any], lengths: Any) -> Any:
    """Pad one axis with a statistic of the elements near each edge."""
    if not before and not after:
        return x
    length = x.shape[axis]
    near = (None, None) if lengths is None else _pairs(lengths, x.ndim, int)[axis]
    left = _edge(x, axis, slice(0, length if near[0] is None else sorted((near[0], length))[0]))
    right = _edge(x, axis, slice(0 if near[1] is None else sorted((length - near[1], 0))[1], length))
    shape = list(x.shape)
    parts = [x]
    for count, part, at in ((before, left, 0), (after, right, 1)):
        if count:
            shape[axis] = count
            value = statistic(part, axis=axis, keepdims=True)
            if value.dtype != x.dtype and x.dtype.kind in "biu":  # as NumPy: whole numbers, and True for what is not 0
                value = astype(np.rint(value) if x.dtype.kind != "b" else value, x.dtype)
            parts.insert(0 if at == 0 else len(parts), np.broadcast_to(value, tuple(shape)))
    return concatenate(parts, axis)
