"""Polynomials: values, powers and roots. Coefficients stand highest power first, as in NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import guard
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply


def derivative(p: Any) -> Any:
    """Return the coefficients of the derivative of a polynomial."""
    n = p.shape[-1]
    return p[..., :-1] * np.arange(n - 1, 0, -1, dtype=np.finfo(p.dtype).dtype if p.dtype.kind in "fc" else None)


# Powers


def _powers(n: int, increasing: bool, dtype: np.dtype[Any]) -> Any:
    exponents = np.arange(n, dtype=np.finfo(dtype).dtype)
    return exponents if increasing else exponents[::-1]


def _vander_slope(y: Any, columns: int, increasing: bool) -> Any:
    """Return the derivative of each power but the constant one: the powers before, times their exponents."""
    lower = y[..., :-1] if increasing else y[..., 1:]
    exponents = _powers(columns, increasing, y.dtype)
    return lower * (exponents[1:] if increasing else exponents[:-1])


def _pull_vander(g: Any, y: Any, x: Any, columns: int, increasing: bool) -> Any:
    if columns < 2:
        return np.zeros_like(x)
    return np.sum((g[..., 1:] if increasing else g[..., :-1]) * _vander_slope(y, columns, increasing), axis=-1)


def _push_vander(tangents: Sequence[Any], y: Any, x: Any, columns: int, increasing: bool) -> Any:
    if columns < 2:
        return np.zeros_like(y)
    moved = tangents[0][..., None] * _vander_slope(y, columns, increasing)
    still = np.zeros_like(y[..., :1])
    return np.concatenate([still, moved] if increasing else [moved, still], axis=-1)


def _vander(x: Any, columns: int, increasing: bool) -> Any:
    y = np.vander(x.ravel(), columns, increasing).astype(x.dtype, copy=False)
    return y if x.ndim == 1 else y.reshape(*x.shape, columns)


vander_p: Primitive = Primitive(
    name="vander",
    fn=_vander,
    pulls=(_pull_vander,),
    push=_push_vander,
    batch=lambda args, batched, columns, increasing: apply(vander_p, args[0], columns=columns, increasing=increasing),
    cases=(
        case((3,), columns=4, increasing=False),
        case((3,), columns=3, increasing=True),
        case((2,), columns=1, increasing=True),
        case((2, 2), columns=3, increasing=False),
    ),
)
"""Powers of the elements of `x`, along a last axis of its own."""


# Values


def _slope(p: Any, x: Any) -> Any:
    return np.polyval(derivative(p), x) if p.shape[0] > 1 else np.zeros_like(x)


def _pull_polyval_p(g: Any, y: Any, p: Any, x: Any) -> Any:
    flat = np.reshape(x, -1)
    return np.dot(np.reshape(g, -1), apply(vander_p, flat, columns=p.shape[0], increasing=False))


def _pull_polyval_x(g: Any, y: Any, p: Any, x: Any) -> Any:
    return g * _slope(p, x)


def _careful_polyval_x(g: Any, y: Any, p: Any, x: Any) -> Any:
    return guard(g * _slope(p, x), g)


def _push_polyval(tangents: Sequence[Any], y: Any, p: Any, x: Any) -> Any:
    tp, tx = tangents
    total = None if tp is None else apply(polyval_p, tp, x)
    if tx is not None:
        moved = guard(tx * _slope(p, x), tx)
        total = moved if total is None else total + moved
    return total


def _batch_polyval(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    p, x = args
    if not batched[0]:
        return apply(polyval_p, p, x)
    size = p.shape[0]
    flat = x.reshape(size, -1) if batched[1] else np.reshape(x, -1)
    powers = apply(vander_p, flat, columns=p.shape[1], increasing=False)
    shape = x.shape if batched[1] else (size, *np.shape(x))
    return np.matmul(powers, p[..., None])[..., 0].reshape(shape)


def _polyval(p: Any, x: Any) -> Any:
    y = np.polyval(p, x)
    return y[()] if np.ndim(x) == 0 else y


polyval_p: Primitive = Primitive(
    name="polyval",
    fn=_polyval,
    pulls=(_pull_polyval_p, _pull_polyval_x),
    push=_push_polyval,
    batch=_batch_polyval,
    cases=(case((3,), (4,)), case((4,), ()), case((1,), (2,)), case((2,), (2, 3))),
)
"""The value at each element of `x` of the polynomial with coefficients `p`."""


# Roots


def _root_slopes(y: Any, p: Any) -> Any:
    """Return the derivative of each root by each coefficient, shape ``(roots, coefficients)``."""
    powers = apply(vander_p, y, columns=p.shape[0], increasing=False)
    return -powers / np.polyval(derivative(p), y)[:, None]


roots_p: Primitive = Primitive(
    name="roots",
    fn=np.roots,
    pulls=(lambda g, y, p: np.dot(g, _root_slopes(y, p)),),
    push=lambda tangents, y, p: np.dot(_root_slopes(y, p), tangents[0]),
    cases=(case(np.array([2.0, -1.0, -3.0, 0.5])), case(np.array([1.0, 2.0, 5.0]))),
)
"""The roots of the polynomial with coefficients `p`: from ``p(root) = 0``, each moves by ``-dp(root) / p'(root)``."""
