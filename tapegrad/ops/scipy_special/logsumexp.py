"""The logarithm of a sum of exponentials, with and without weights.

The derivative by an element is its share of the sum. Where the sum is infinite, or of nothing but ``exp(-inf)``, those elements
that make it so share evenly.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, guard, shape_of
from tapegrad.core.doubt import are_hopeful
from tapegrad.core.primitive import Primitive, case, no_cotangent
from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import apply
from tapegrad.ops.reduce import Axes, add_up, batch_reduction, guarded, hold, shifted, spread

ndarray = np.ndarray


def _top(a: Any, axis: Axes) -> Any:
    """Return the greatest elements, 0 in place of infinite ones."""
    top = np.maximum.reduce(a, axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, np.zeros((), a.dtype))


def _wrapped(y: Any) -> Any:
    """Bring the imaginary part of a logarithm between -pi and pi."""
    if dtype_of(y).kind != "c":
        return y
    turn = 2.0 * math.pi
    return np.real(y) + 1j * (np.imag(y) - turn * np.ceil((np.imag(y) - math.pi) / turn))


def _log_total(first: Any, rest: Any) -> Any:
    """Return ``log(first + rest)``, accurate also where `first`, from the greatest elements, is nearly all there is."""
    small = np.abs(rest) < 0.5 * np.abs(first)
    share = rest / np.where(small, first, 1.0)
    return np.where(small, np.log1p(np.where(small, share, 0.0)) + np.log(first), np.log(first + rest))


def _parts(a: Any, b: Any, axis: Axes, keepdims: bool) -> tuple[Any, Any, Any]:
    """Return the sum of ``b * exp(a - top)`` in two parts, and `top`."""
    if b is not None:
        a = np.where(b == 0, np.asarray(-np.inf, a.dtype), a)
    top = _top(a, axis)
    below = np.exp(a - top)
    terms = below if b is None else b * below
    greatest = a == top
    first = add_up(np.where(greatest, terms, 0.0), axis, a.dtype, None, keepdims)
    rest = add_up(np.where(greatest, 0.0, terms), axis, a.dtype, None, keepdims)
    return first, rest, top if keepdims else top.reshape(np.shape(first))


def _logsumexp(a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    a = np.asarray(a)
    with np.errstate(all="ignore"):
        if a.dtype.kind == "f" and a.size:
            y = _of_reals(a, axis, keepdims)
        else:
            first, rest, top = _parts(a, None, axis, keepdims)
            y = _wrapped(_log_total(first, rest) + top)
    return np.asarray(y, a.dtype)[()]


@lru_cache
def _largest(dtype: np.dtype[Any]) -> Any:
    return np.finfo(dtype).max


def _finite_top(a: Any, axis: Axes) -> Any:
    """Return the greatest elements of an array that may be traced, and is not empty, brought to finite numbers."""
    largest = _largest(dtype_of(a))
    return np.minimum(np.maximum(np.max(a, axis=axis, keepdims=True), -largest), largest)


def _of_reals(a: Any, axis: Axes, keepdims: bool) -> Any:
    """Return the logarithm of a sum of exponentials of an array of floats that may be traced, and is not empty.

    Of the greatest elements, each of them ``exp(0)``, one is left out of the sum. So ``log1p`` gets what there is beside it,
    and where that is next to nothing, it is not lost.
    """
    top = _finite_top(a, axis)
    greatest = np.equal(a, top) * np.ones((), dtype_of(a))
    count = add_up(greatest, axis, None, None, keepdims)
    rest = add_up(np.exp(a - top) - greatest, axis, None, None, keepdims)
    return np.log1p(rest + (count - 1.0)) + (top if keepdims else np.reshape(top, shape_of(rest)))


def _expanded(a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    if dtype_of(a).kind != "f" or not shape_of(a) or 0 in shape_of(a):
        return None
    return _of_reals(a, axis, keepdims)


def _shares(a: Any, b: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    """Return ``exp(a)`` over the sum of ``b * exp(a)``."""
    y = hold(y, shape_of(a), axis, keepdims)
    tied = np.equal(a, y) & np.isinf(a)
    if b is not None:
        a = np.where((b == 0) & np.isinf(a), -np.inf, a)
    below = np.exp(np.where(tied, 0.0, a - y))
    return below / add_up(below if b is None else _weigh(b, below), axis, None, None, axis is not None or keepdims)


def _weigh(b: Any, x: Any) -> Any:
    """Return ``b * x``, and 0 for what is left out by its weight, however large it is."""
    return np.where((b == 0) & np.isinf(x), 0.0, b * x)


def _share(a: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    if are_hopeful(a) and 0 not in shape_of(a):
        # which subtrahend does not matter: with this one a program has the exponentials already
        below = np.exp(a - _finite_top(apply(stop_gradient_p, a), axis))
    elif type(a) is ndarray and np.all(np.isfinite(y)):
        below = np.exp(a - hold(y, shape_of(a), axis, keepdims))
    else:
        return _shares(a, None, y, axis, keepdims)
    return below / add_up(below, axis, None, None, axis is not None or keepdims)  # y is rounded, the more the larger it is


def _pull(g: Any, y: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    return hold(g, shape_of(a), axis, keepdims) * _share(a, y, axis, keepdims)


def _push(tangents: Sequence[Any], y: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    (t,) = tangents
    return add_up(guard(t * _share(a, y, axis, keepdims), t), axis, None, None, keepdims)


AXES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((3, 2), {}),
    ((3, 2), {"axis": 1}),
    ((3, 2), {"axis": 0, "keepdims": True}),
    ((2, 3, 2), {"axis": (0, 2)}),
    ((2, 3), {"keepdims": True}),
]

logsumexp_p = Primitive(
    name="logsumexp",
    fn=_logsumexp,
    pulls=(_pull,),
    careful=(guarded(_pull),),
    push=_push,
    batch=batch_reduction("logsumexp"),
    expand=_expanded,
    cases=tuple(
        case(np.linspace(-2.0, 3.0, math.prod(shape)).reshape(shape) ** 3 / 9.0, **settings) for shape, settings in AXES
    ),
)


# With weights of the same shape. `signed` asks for the logarithm of the size of the sum


def _weighted(a: Any, b: Any, axis: Axes = None, keepdims: bool = False, signed: bool = False) -> Any:
    a, b = np.asarray(a), np.asarray(b)
    dtype = np.result_type(a, b)
    with np.errstate(all="ignore"):
        first, rest, top = _parts(a.astype(dtype), b.astype(dtype), axis, keepdims)
        if signed:
            positive = np.sign(first)
            first, rest = np.abs(first), np.where(positive == 0, np.abs(rest), positive * rest)
            rest = np.where(first + rest < 0, -2.0 * first - rest, rest)
        y = _wrapped(_log_total(first, rest) + top)
    return np.asarray(y, dtype)[()]


def _by_a(a: Any, b: Any, y: Any, axis: Axes, keepdims: bool) -> Any:
    return _weigh(b, _shares(a, b, y, axis, keepdims))


def _pull_a(g: Any, y: Any, a: Any, b: Any, axis: Axes = None, keepdims: bool = False, signed: bool = False) -> Any:
    return hold(g, shape_of(a), axis, keepdims) * _by_a(a, b, y, axis, keepdims)


def _pull_b(g: Any, y: Any, a: Any, b: Any, axis: Axes = None, keepdims: bool = False, signed: bool = False) -> Any:
    return hold(g, shape_of(a), axis, keepdims) * _shares(a, b, y, axis, keepdims)


def _careful(pull: Any) -> Any:
    def careful(g: Any, y: Any, a: Any, b: Any, axis: Axes = None, keepdims: bool = False, signed: bool = False) -> Any:
        return guard(pull(g, y, a, b, axis, keepdims), spread(g, shape_of(a), axis, keepdims))

    return careful


def _push_weighted(
    tangents: Sequence[Any], y: Any, a: Any, b: Any, axis: Axes = None, keepdims: bool = False, signed: bool = False
) -> Any:
    total = None
    for t, share in zip(tangents, (_by_a, _shares), strict=True):
        if t is not None:
            part = guard(t * share(a, b, y, axis, keepdims), t)
            total = part if total is None else total + part
    return add_up(total, axis, None, None, keepdims)


def _batch_weighted(args: Sequence[Any], batched: Sequence[bool], axis: Axes = None, **settings: Any) -> Any:
    shape = shape_of(args[0] if batched[0] else args[1])
    a, b = [x if is_batched else broadcast_to(x, shape) for x, is_batched in zip(args, batched, strict=True)]
    return apply(weighted_logsumexp_p, a, b, axis=shifted(axis, len(shape)), **settings)


WEIGHTS = np.array([[1.0, 0.5, 2.0], [0.0, 3.0, -1.0]])

weighted_logsumexp_p: Primitive = Primitive(
    name="weighted_logsumexp",
    fn=_weighted,
    pulls=(_pull_a, _pull_b),
    careful=(_careful(_pull_a), _careful(_pull_b)),
    push=_push_weighted,
    batch=_batch_weighted,
    cases=(
        case((2, 3), np.array([[1.0, 0.5, 2.0], [0.0, 3.0, 1.0]])),
        case((2, 3), np.array([[1.0, 0.5, 2.0], [-1.0, 0.0, -1.0]]), axis=1, signed=True),
        case((2, 3), np.array([[1.0, 0.5, 2.0], [0.3, 1.0, 1.0]]), axis=(0,), keepdims=True),
    ),
)

weighted_sign_p: Primitive = Primitive(
    name="weighted_sign",
    fn=lambda a, b, axis=None, keepdims=False: np.sign(sum(_parts(np.asarray(a), np.asarray(b), axis, keepdims)[:2])),
    pulls=(no_cotangent, no_cotangent),
    push=lambda tangents, y, a, b, **settings: None,
    constant=True,
    cases=(case((2, 3), WEIGHTS, axis=1),),
)
"""The sign of the sum of ``b * exp(a)``."""
