"""Norms of vectors: Euclidean and of any other order, with slope 0 where they vanish."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, guard
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import conjugate, is_complex, real
from tapegrad.ops.quotient import per, quotient
from tapegrad.ops.reduce import add_up

Axes = tuple[int, ...]


def _euclidean(x: Any, axes: Axes, keepdims: bool = False) -> Any:
    if len(axes) == x.ndim and not keepdims:
        flat = x.ravel("K")
        return np.sqrt(flat.real.dot(flat.real) + flat.imag.dot(flat.imag) if is_complex(x) else flat.dot(flat))
    return np.sqrt(add_up((x.conj() * x).real if is_complex(x) else x * x, axes, keepdims=keepdims))


def wide(y: Any, x: Any, axes: Axes) -> Any:
    """Return a norm with the axes that it was taken over, of length 1."""
    return y.reshape([1 if axis in axes else n for axis, n in enumerate(x.shape)])


def _pull_euclidean(g: Any, y: Any, x: Any, axes: Axes, keepdims: bool = False) -> Any:
    h = quotient(g, y)
    return wide(per(g, y) if h is None else h, x, axes) * conjugate(x)


def _careful_euclidean(g: Any, y: Any, x: Any, axes: Axes, keepdims: bool = False) -> Any:
    return guard(_pull_euclidean(g, y, x, axes), broadcast_to(wide(g, x, axes), x.shape))


def _push_euclidean(tangents: Sequence[Any], y: Any, x: Any, axes: Axes, keepdims: bool = False) -> Any:
    t = tangents[0]
    return per(real(np.sum(guard(conjugate(x) * t, t), axis=axes, keepdims=keepdims)), y)


def _later(axes: Axes) -> Axes:
    return tuple([axis + 1 for axis in axes])


euclidean_p: Primitive = Primitive(
    name="norm",
    fn=_euclidean,
    pulls=(_pull_euclidean,),
    careful=(_careful_euclidean,),
    push=_push_euclidean,
    batch=lambda args, batched, axes, **settings: apply(euclidean_p, args[0], axes=_later(axes), **settings),
    cases=(
        case((3,), axes=(0,)),
        case((2, 3), axes=(0, 1)),
        case((2, 3), axes=(1,), keepdims=True),
        case((4, 2, 3), axes=(0, 2)),
    ),
)
"""The root of the sum of squared absolute values over some axes."""


# Other orders


def _power(x: Any, order: float, axes: Axes, keepdims: bool = False) -> Any:
    y = add_up(np.abs(x) ** order, axes, keepdims=keepdims)
    return y ** (1.0 / order)


def _slope(y: Any, x: Any, order: float, axes: Axes) -> Any:
    size = np.abs(x)
    flat = y == 0
    zero = (size == 0) | wide(flat, x, axes)  # of a negative order, one zero makes the norm vanish
    safe = np.where(zero, 1.0, size)
    per = wide(np.where(flat, 1.0, y), x, axes)
    return np.where(zero, 0.0, conjugate(x) / safe * (safe / per) ** (order - 1.0))


def _pull_power(g: Any, y: Any, x: Any, order: float, axes: Axes, keepdims: bool = False) -> Any:
    g = wide(g, x, axes)
    return guard(g * _slope(y, x, order, axes), broadcast_to(g, x.shape))


def _push_power(tangents: Sequence[Any], y: Any, x: Any, order: float, axes: Axes, keepdims: bool = False) -> Any:
    t = tangents[0]
    return real(np.sum(guard(_slope(y, x, order, axes) * t, t), axis=axes, keepdims=keepdims))


power_norm_p: Primitive = Primitive(
    name="power_norm",
    fn=_power,
    pulls=(_pull_power,),
    push=_push_power,
    batch=lambda args, batched, axes, **settings: apply(power_norm_p, args[0], axes=_later(axes), **settings),
    cases=(
        case((3,), order=3.0, axes=(0,)),
        case((2, 3), order=2.5, axes=(1,), keepdims=True),
        case((2, 3), order=-1.5, axes=(0, 1)),
        case((4,), order=0.5, axes=(0,)),
    ),
)
"""The norm of a real order that is neither 0 nor infinite."""
