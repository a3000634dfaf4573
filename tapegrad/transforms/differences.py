"""Finite differences as rules: the declared fallback of a user's own primitive that is foreign code."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.transforms.batch import vmap

Call = Callable[..., Any]
"""The primitive as a function of its arguments, which returns an array or a tuple of arrays, and is recorded."""


def along(call: Call, args: Sequence[Any], k: int, t: Any, step: float | None) -> list[Any]:
    """Return the derivative of each output as argument `k` moves along `t`: half the difference of two calls.

    What is done here is recorded where the arguments are traced, so that the differences themselves are differentiated (by
    differences) in higher orders.
    """
    x = args[k]
    h = width(x, t, step)
    after, before = (several(call(*args[:k], moved, *args[k + 1 :])) for moved in (x + h * t, x - h * t))
    return [(a - b) / (2.0 * h) if floating(a) else None for a, b in zip(after, before, strict=True)]


def against(call: Call, args: Sequence[Any], k: int, g: Sequence[Any], step: float | None) -> Any:
    """Return the cotangent of argument `k` from those of the outputs: one difference for each of its elements."""
    x = args[k]
    shape, dtype = shape_of(x), dtype_of(x)
    count = int(np.prod(shape))
    units: Any = np.eye(count, dtype=dtype).reshape(count, *shape)

    def product(t: Any) -> Any:
        return total([np.sum(np.real(c * d)) for c, d in zip(g, along(call, args, k, t, step), strict=True) if d is not None])

    def each(t: Any) -> Any:
        return product(t) if dtype.kind != "c" else product(t) - 1j * product(1j * t)

    found = each(units[0]) if count == 1 else vmap(each)(units)
    return found.reshape(shape)


def slope(call: Call, args: Sequence[Any], k: int, g: Sequence[Any], step: float | None) -> Any:
    """Return the cotangent of argument `k` of an elementwise operation: one difference for all elements together."""
    x = args[k]
    (c,) = g
    one: Any = np.ones(shape_of(x), dtype_of(x))
    (d,) = along(call, args, k, one, step)
    if dtype_of(x).kind != "c":
        return np.real(c * d)
    (e,) = along(call, args, k, 1j * one, step)
    return np.real(c * d) - 1j * np.real(c * e)


def width(x: Any, t: Any, step: float | None) -> Any:
    """Return what `t` is to be multiplied with, so that `x` moves by a small part of itself, or of 1 where it is smaller.

    By default the part is the third root of the rounding error, where a first derivative is the most exact; the fourth root
    where this is recorded, for differences of differences.
    """
    recorded = type(x) is Var or type(t) is Var
    part = float(np.finfo(dtype_of(x)).eps) ** (1 / 4 if recorded else 1 / 3) if step is None else step
    if np.size(plain(t)) == 0:
        return part
    x, t = held(x), held(t)
    longest = np.max(np.abs(t))
    longest = np.where(longest > 0, longest, 1.0).astype(longest.dtype)
    return part * np.maximum(1.0, np.max(np.abs(x * t)) / longest) / longest


def held(x: Any) -> Any:
    return apply(stop_gradient_p, x) if type(x) is Var else x


def plain(x: Any) -> Any:
    return x.value if type(x) is Var else x


def several(y: Any) -> tuple[Any, ...]:
    return y if type(y) is tuple else (y,)


def floating(x: Any) -> bool:
    return dtype_of(x).kind in "fc"


def total(terms: Sequence[Any]) -> Any:
    found: Any = np.zeros(())
    for k, term in enumerate(terms):
        found = found + term if k else term
    return found
