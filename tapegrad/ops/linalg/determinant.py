"""Determinants, with derivatives that are exact at singular matrices.

The derivative of a determinant is the matrix of its cofactors. For a well-conditioned matrix that is the determinant times the
transposed inverse. Otherwise it comes from the singular value decomposition, in which cofactors are products of all singular
values but one, second derivatives products of all but two, and third ones of all but three: nothing is divided. Derivatives
of the fourth order and above are written with the inverse, and say so where there is none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, guard
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint, batch_each, diagonal, is_complex, on_diagonal, parts
from tapegrad.ops.linalg.solving import SQUARE, STACK, inverse_p, lenient_inverse

LARGER = np.array([[3.0, 0.5, 0.2, 1.0], [0.1, 2.5, 0.4, 0.3], [0.6, 0.2, 2.0, 0.7], [0.8, 0.9, 0.3, 3.5]])
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


def _but_three(s: Any) -> Any:
    """Return the products of all elements but three, shape ``(..., n, n, n)``, with zeros where two of them are one."""
    own = np.eye(s.shape[-1], dtype=bool)
    pairs = _but_two(np.where(own, 1.0, s[..., None, :]).astype(s.dtype))
    return np.where(own[:, :, None] | own[:, None, :], 0.0, pairs)


def _third(a: Any, h: Any, g: Any) -> Any:
    d, x, ill = _split(a)
    y = (d * _twice(x @ h, x @ g) @ x).mT
    if np.any(ill):
        u, s, vh, unit = _singular_basis(a[ill])
        e, f = adjoint(u) @ h[ill] @ adjoint(vh), adjoint(u) @ g[ill] @ adjoint(vh)
        triples = _but_three(s)
        across = np.einsum("...iab,...ai,...ib->...ab", triples, e, f) + np.einsum("...iab,...ai,...ib->...ab", triples, f, e)
        across -= np.einsum("...iab,...ii->...ab", triples, e) * f + np.einsum("...iab,...ii->...ab", triples, f) * e
        along = np.einsum("...ija,...ii,...jj->...a", triples, e, f) - np.einsum("...ija,...ij,...ji->...a", triples, e, f)
        moved = np.where(np.eye(s.shape[-1], dtype=bool), on_diagonal(along), across.mT)
        y[ill] = unit * (np.conj(u) @ moved @ np.conj(vh))
    return y


def _twice(p: Any, q: Any) -> Any:
    """Return the second derivative of ``det(1 + ..)`` times its inverse in two directions."""
    pq = p @ q
    one = np.eye(p.shape[-1], dtype=p.dtype)
    return (trace(p) * trace(q) - trace(pq)) * one - trace(p) * q - trace(q) * p + pq + q @ p


def _fourth(a: Any, h: Any, g: Any, k: Any) -> Any:
    """Return the fourth derivative of the determinant in three directions; the matrix must not be singular."""
    try:
        x = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(
            "det: derivatives of the fourth order and above are not known at a singular matrix (up to the third they are exact)"
        ) from None
    p, q, r = x @ h, x @ g, x @ k
    moved = _twice(r @ p, q) + _twice(p, r @ q)  # the inverse moves by -r x, and p and q with it
    return (np.linalg.det(a)[..., None, None] * (trace(r) * _twice(p, q) - moved - _twice(p, q) @ r) @ x).mT


def _scaled(g: Any, slope: Any) -> Any:
    g = g[..., None, None]
    return guard(g * slope, broadcast_to(g, slope.shape))


third_p: Primitive = Primitive(
    name="det_third",
    fn=_third,
    pulls=(
        lambda g, y, a, h, k: _fourth(a, h, k, g),
        lambda g, y, a, h, k: apply(third_p, a, g, k),
        lambda g, y, a, h, k: apply(third_p, a, h, g),
    ),
    push=lambda tangents, y, a, h, k: _sum(
        None if tangents[0] is None else _fourth(a, h, k, tangents[0]),
        None if tangents[1] is None else apply(third_p, a, tangents[1], k),
        None if tangents[2] is None else apply(third_p, a, h, tangents[2]),
    ),
    batch=lambda args, batched: apply(third_p, *batch_each(args, batched)),
    cases=(case(LARGER, (4, 4), (4, 4)), case(np.stack([LARGER, 2.0 - LARGER]), (2, 4, 4), (2, 4, 4))),
)
"""The third derivative of the determinant of `a` in the directions `h` and `k`."""

second_p: Primitive = Primitive(
    name="det_second",
    fn=_second,
    pulls=(
        lambda g, y, a, h: apply(third_p, a, h, g),
        lambda g, y, a, h: apply(second_p, a, g),
    ),
    push=lambda tangents, y, a, h: _sum(
        None if tangents[0] is None else apply(third_p, a, h, tangents[0]),
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


def _sum(*parts: Any) -> Any:
    total = None
    for part in parts:
        if part is not None:
            total = part if total is None else total + part
    return total


slogdet_p: Primitive = Primitive(
    name="slogdet",
    fn=lambda a: tuple(np.linalg.slogdet(a)),
    pulls=(_pull_slogdet,),
    push=_push_slogdet,
    batch=lambda args, batched: parts(apply(slogdet_p, args[0])),
    cases=(case(SQUARE), case(STACK), case((1, 1))),
)
"""The sign of the determinant, a number of absolute value 1, and the logarithm of its absolute value."""
