"""Inverses of triangular matrices, Cholesky and QR decompositions.

References:
    I. Murray, "Differentiation of the Cholesky decomposition", 2016, https://arxiv.org/abs/1602.07527, equations 8 and 10.

    S. F. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum experimental
    design", 2010, https://arxiv.org/abs/1001.1654, section 2.1, for the QR decomposition of tall matrices.

    D. A. O. Roberts, L. R. Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square, wide, and deep
    matrices", 2020, https://arxiv.org/abs/2009.10071.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import (
    absent,
    adjoint,
    as_if_lower,
    conjugate,
    from_lower,
    hermitian_part,
    is_complex,
    parts,
    times,
    triangle,
)

POSITIVE = np.array([[2.0, 0.5, -0.3], [0.5, 1.5, 0.2], [-0.3, 0.2, 1.0]])


def _half(x: Any) -> Any:
    """Return the lower triangle of `x`, with half its diagonal."""
    return x * triangle(x.shape[-1], 0.5, 1.0, x.dtype)


# The inverse of a lower triangular matrix


LEAF = 48
"""Rows up to which LAPACK inverts faster than products of halves."""


def _below(x: Any) -> Any:
    """Return the lower triangle of `x`."""
    return x * triangle(x.shape[-1], 1.0, 1.0, x.dtype)


def _lower_inverse(a: Any) -> Any:
    if a.shape[-1] <= LEAF:
        return np.linalg.inv(_below(a))
    inverse = np.zeros_like(a)
    _invert(a, inverse)
    return inverse


def _invert(a: Any, inverse: Any) -> None:
    """Write the inverse of `a`: those of its two halves on the diagonal, and between them a product of three."""
    n = a.shape[-1]
    if n <= LEAF:
        inverse[...] = np.linalg.inv(_below(a))
        return
    upper, lower = np.s_[..., : n // 2, : n // 2], np.s_[..., n // 2 :, n // 2 :]
    _invert(a[upper], inverse[upper])
    _invert(a[lower], inverse[lower])
    inverse[..., n // 2 :, : n // 2] = -(inverse[lower] @ a[..., n // 2 :, : n // 2]) @ inverse[upper]


lower_inverse_p: Primitive = Primitive(
    name="lower_inverse",
    fn=_lower_inverse,
    pulls=(lambda g, y, a: _below(-times(times(y.mT, g, killer=1), y.mT, killer=0)),),
    push=lambda tangents, y, a: -times(times(y, _below(tangents[0]), killer=1), y, killer=0),
    batch=lambda args, batched: apply(lower_inverse_p, args[0]),
    cases=(case(POSITIVE), case(np.stack([POSITIVE, 2 * POSITIVE + np.eye(3)]))),
)
"""The inverse of the lower triangle of a matrix, in half the time of ``inv`` or less where it is large."""


# Cholesky


def _pull_cholesky(g: Any, y: Any, a: Any) -> Any:
    inverse = apply(lower_inverse_p, y)
    inner = _half(adjoint(y) @ conjugate(g))
    return as_if_lower(conjugate(hermitian_part(adjoint(inverse) @ inner @ inverse)))


def _push_cholesky(tangents: Sequence[Any], y: Any, a: Any) -> Any:
    inverse = apply(lower_inverse_p, y)
    return y @ _half(inverse @ from_lower(tangents[0]) @ adjoint(inverse))


cholesky_p: Primitive = Primitive(
    name="cholesky",
    fn=np.linalg.cholesky,
    pulls=(_pull_cholesky,),
    push=_push_cholesky,
    batch=lambda args, batched: apply(cholesky_p, args[0]),
    cases=(case(POSITIVE), case(np.stack([POSITIVE, 2 * POSITIVE + np.eye(3)])), case(np.array([[2.0]]))),
)
"""The lower triangular factor; as LAPACK, it reads the lower triangle of the matrix only."""


# QR of a matrix that is square or tall


def _pull_tall(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """Return the cotangent of ``q @ r`` from those of `q` and of the upper triangle of `r`, as the literature pairs them."""
    n = r.shape[-1]
    k = adjoint(q) @ gq - (gr * triangle(n, 1.0, 1.0, r.dtype).T) @ adjoint(r)
    b = (k - adjoint(k)) * triangle(n, 0.0, 1.0, r.dtype) - k
    if is_complex(r):
        b = b + 1j * np.imag(k) * np.eye(n, dtype=np.finfo(r.dtype).dtype)
    return adjoint(np.linalg.solve(r, adjoint(gq + q @ b)))


def _push_tall(t: Any, q: Any, r: Any) -> tuple[Any, Any, Any]:
    """Return the tangents of `q` and `r`, and how the columns of `t` leave the span of `q`."""
    w = np.linalg.solve(r.mT, t.mT).mT
    b = adjoint(q) @ w
    lower = b * triangle(r.shape[-1], 0.0, 1.0, r.dtype)
    turn = lower - adjoint(lower)
    if is_complex(r):
        turn = turn + 1j * np.imag(b) * np.eye(r.shape[-1], dtype=np.finfo(r.dtype).dtype)
    out = w - q @ b
    return q @ turn + out, (b - turn) @ r, out


# QR of any


def _pull_qr(g: Sequence[Any], y: Sequence[Any], a: Any, mode: str) -> Any:
    q, r = y
    gq, gr = (conjugate(part) for part in g)
    m, n = a.shape[-2:]
    k = min(m, n)
    q, rest, gq, g_rest = q[..., :k], q[..., k:], gq[..., :k], gq[..., k:]
    r, gr = r[..., :k, :], gr[..., :k, :]
    if rest.shape[-1] and not absent(g_rest):  # the complement turns against q
        gq = gq - rest @ (adjoint(g_rest) @ q)
    if n <= m:
        return conjugate(_pull_tall(gq, gr, q, r))
    gq = gq + a[..., k:] @ adjoint(gr[..., k:])
    square = _pull_tall(gq, gr[..., :k], q, r[..., :k])
    return conjugate(np.concatenate([square, q @ gr[..., k:]], axis=-1))


def _push_qr(tangents: Sequence[Any], y: Sequence[Any], a: Any, mode: str) -> Any:
    t = tangents[0]
    q, r = y
    m, n = a.shape[-2:]
    k = min(m, n)
    q, rest = q[..., :k], q[..., k:]
    tq, tr, out = _push_tall(t[..., :k], q, r[..., :k, :k])
    if n > m:
        tr = np.concatenate([tr, adjoint(tq) @ a[..., k:] + adjoint(q) @ t[..., k:]], axis=-1)
    if rest.shape[-1]:
        tq = np.concatenate([tq, -(q @ (adjoint(out) @ rest))], axis=-1)
        tr = np.concatenate([tr, np.zeros_like(r[..., k:, :])], axis=-2)
    return tq, tr


TALL = np.array([[2.0, -1.0], [0.3, 1.5], [-0.2, 0.7]])

qr_p: Primitive = Primitive(
    name="qr",
    fn=lambda a, mode: tuple(np.linalg.qr(a, mode)),
    pulls=(_pull_qr,),
    push=_push_qr,
    batch=lambda args, batched, mode: parts(apply(qr_p, args[0], mode=mode)),
    cases=(
        case(POSITIVE, mode="reduced"),
        case(TALL, mode="reduced"),
        case(TALL, mode="complete"),
        case(TALL.T.copy(), mode="reduced"),
        case(np.stack([TALL, 3.0 + TALL]), mode="reduced"),
    ),
)
"""`q` and `r`, for the modes 'reduced' and 'complete'; of a complement of more than one vector only the span is defined."""
