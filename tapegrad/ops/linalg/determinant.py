"""Determinants, with derivatives that are exact at singular matrices.

The derivative of a determinant is the matrix of its cofactors. For a well-conditioned matrix that is the determinant times the
transposed inverse. Otherwise it comes from the singular value decomposition, in which cofactors are products of all singular
values but one, and second derivatives products of all but two: nothing is divided.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, guard
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint, batch_each, diagonal, is_complex, on_diagonal, parts
from tapegrad.ops.linalg.solving import SQUARE, STACK, inverse_p, lenient_inverse

SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])


def trace(x: Any) -> Any:
    """Return the trace of each matrix, shape ``(..., 1, 1)``."""
    return np.sum(diagonal(x), axis=-1)[..., None, None]


def _split(a: Any) -> tuple[Any, Any, Any]:
    """Return the determinant and the inverse of each matrix, and which are so ill-conditioned that the inverse says little."""
    x = lenient_inverse(a)
    limit = np.finfo(a.dtype).eps ** (-1 / 3)
    norms = np.sum(np.abs(a) ** 2, axis=(-2, -1)) * np.sum(np.abs(x) ** 2, axis=(-2, -1))
    ill = ~(norms < limit**2) & np.all(np.isfinite(a), axis=(-2, -1))
    return np.linalg.det(a)[..., None, None], x, ill


def _singular_basis(a: Any) -> tuple[Any, Any, Any, Any]:
    """Return `u`, `s`, `vh` and the determinant of ``u @ vh``, which is a sign for a real matrix."""
    u, s, vh = np.linalg.svd(a)
    unit = np.linalg.det(u) * np.linalg.det(vh)
    return u, s, vh, unit[..., None, None] if is_complex(a) else np.sign(unit)[..., None, None]


def _but_one(s: Any) -> tuple[Any, Any]:
    """Return the products of the elements before each one, and of those after it."""
    ones = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before, after


def _but_two(s: Any) -> Any:
    """Return the products of all elements but a pair, shape ``(..., n, n)``, with zeros on the diagonal."""
    n = s.shape[-1]
    before, after = _but_one(s)
    later = np.where(np.tri(n, dtype=bool), 1.0, s[..., None, :]).astype(s.dtype)
    between = np.concatenate([np.ones_like(later[..., :1]), np.cumprod(later, axis=-1)[..., :-1]], axis=-1)
    upper = np.where(np.tri(n, dtype=bool), 0.0, before[..., :, None] * between * after[..., None, :]).astype(s.dtype)
    return upper + upper.mT


def _cofactor(a: Any) -> Any:
    d, x, ill = _split(a)
    y = d * x.mT
    if np.any(ill):
        u, s, vh, unit = _singular_basis(a[ill])
        before, after = _but_one(s)
        y[ill] = unit * np.matmul(np.conj(u) * (before * after)[..., None, :], np.conj(vh))
    return y


def _second(a: Any, h: Any) -> Any:
    d, x, ill = _split(a)
    p = np.matmul(x, h)
    y = d * (trace(p) * x - np.matmul(p, x)).mT
    if np.any(ill):
        u, s, vh, unit = _singular_basis(a[ill])
        e = adjoint(u) @ h[ill] @ adjoint(vh)
        pairs = _but_two(s)
        moved = on_diagonal((pairs @ diagonal(e)[..., None])[..., 0]) - pairs * e.mT
        y[ill] = unit * (np.conj(u) @ moved @ np.conj(vh))
    return y


def _third(a: Any, h: Any, g: Any) -> Any:
    """Return the third derivative of the determinant in the directions `h` and `g`; the matrix must not be singular."""
    x = np.linalg.inv(a)
    p, q = x @ h, x @ g
    pq = p @ q
    inner = (trace(p) * trace(q) - trace(pq)) * x - trace(p) * (q @ x) - trace(q) * (p @ x) + (pq + q @ p) @ x
    return (np.linalg.det(a)[..., None, None] * inner).mT


def _scaled(g: Any, slope: Any) -> Any:
    g = g[..., None, None]
    return guard(g * slope, broadcast_to(g, slope.shape))


second_p: Primitive = Primitive(
    name="det_second",
    fn=_second,
    pulls=(
        lambda g, y, a, h: _third(a, h, g),
        lambda g, y, a, h: apply(second_p, a, g),
    ),
    push=lambda tangents, y, a, h: _sum(
        None if tangents[0] is None else _third(a, h, tangents[0]),
        None if tangents[1] is None else apply(second_p, a, tangents[1]),
    ),
    batch=lambda args, batched: apply(second_p, *batch_each(args, batched)),
    cases=(case(SQUARE, (3, 3)), case(STACK, (3, 3, 3)), case((1, 1), (1, 1))),
)
"""The second derivative of the determinant of `a` in the direction `h`: the derivative of its cofactors along `h`."""

cofactor_p: Primitive = Primitive(
    name="cofactor",
    fn=_cofactor,
    pulls=(lambda g, y, a: apply(second_p, a, g),),
    push=lambda tangents, y, a: apply(second_p, a, tangents[0]),
    batch=lambda args, batched: apply(cofactor_p, args[0]),
    cases=(case(SQUARE), case(STACK), case((1, 1))),
)
"""The cofactors of each matrix: the gradient of its determinant."""

det_p: Primitive = Primitive(
    name="det",
    fn=np.linalg.det,
    pulls=(lambda g, y, a: g[..., None, None] * apply(cofactor_p, a),),
    careful=(lambda g, y, a: _scaled(g, apply(cofactor_p, a)),),
    push=lambda tangents, y, a: np.sum(_guarded(tangents[0], apply(cofactor_p, a)), axis=(-2, -1)),
    batch=lambda args, batched: apply(det_p, args[0]),
    cases=(case(SQUARE), case(STACK), case((1, 1)), case(SINGULAR), case(np.diag([0.0, 0.0, 2.0]))),
)


# The logarithm of the determinant


def _pull_slogdet(g: Sequence[Any], y: Any, a: Any) -> Any:
    g_sign, g_log = g
    slope = apply(inverse_p, a).mT
    c = _scaled(g_log, slope)
    return c + _scaled(np.imag(g_sign * y[0]) * 1j, slope) if is_complex(a) else c


def _push_slogdet(tangents: Sequence[Any], y: Any, a: Any) -> Any:
    t = np.sum(_guarded(tangents[0], apply(inverse_p, a).mT), axis=(-2, -1))
    return (y[0] * (np.imag(t) * 1j), np.real(t)) if is_complex(a) else (None, t)


def _guarded(t: Any, slope: Any) -> Any:
    return guard(t * slope, t)


def _sum(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


slogdet_p: Primitive = Primitive(
    name="slogdet",
    fn=lambda a: tuple(np.linalg.slogdet(a)),
    pulls=(_pull_slogdet,),
    push=_push_slogdet,
    batch=lambda args, batched: parts(apply(slogdet_p, args[0])),
    cases=(case(SQUARE), case(STACK), case((1, 1))),
)
"""The sign of the determinant, a number of absolute value 1, and the logarithm of its absolute value."""
