"""The singular value decomposition.

Where singular values coincide or vanish, the singular vectors have no derivative; the terms that are infinite there are left
out, so that functions which do not depend on the choice of vectors keep a finite one.

References:
    J. Townsend, "Differentiating the singular value decomposition", 2016,
    https://j-towns.github.io/papers/svd-derivative.pdf, equations 18 to 20; here symmetric and antisymmetric parts are kept
    apart, which leaves only one of the two singular where singular values coincide.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import (
    absent,
    adjoint,
    conjugate,
    diagonal,
    hermitian_part,
    inverse_gaps,
    largest,
    on_diagonal,
    parts,
    real,
)


def _inverse_differences(s: Any) -> Any:
    n = s.shape[-1]
    return inverse_gaps(s[..., None, :] - s[..., :, None], largest(s), n)


def _inverse_sums(s: Any) -> Any:
    return inverse_gaps(s[..., None, :] + s[..., :, None], largest(s), s.shape[-1])


def _inverse(s: Any) -> Any:
    return inverse_gaps(s, largest(s)[..., 0], s.shape[-1])


def _thin(y: Sequence[Any]) -> tuple[Any, Any, Any, Any, Any]:
    """Return `u`, `s` and `v` without the vectors that have no singular value, and those."""
    u, s, vh = y
    k = s.shape[-1]
    v = adjoint(vh)
    return u[..., :k], s, v[..., :k], u[..., k:], v[..., k:]


def _pull_side(q: Any, rest: Any, g: Any, g_rest: Any) -> Any:
    """Return the cotangent of the part of ``da @ v`` that turns the vectors `q` out of their span."""
    if rest.shape[-1]:  # the complement is there, and turns against them
        turn = adjoint(rest) @ g
        return rest @ (turn if absent(g_rest) else turn - adjoint(g_rest) @ q)
    return g - q @ (adjoint(q) @ g)


def _pull_svd(g: Sequence[Any], y: Sequence[Any], a: Any, full_matrices: bool) -> Any:
    u, s, v, u_rest, v_rest = _thin(y)
    gu, gs, gvh = g
    p = on_diagonal(gs)
    if absent(gu) and absent(gvh):
        return conjugate(u) @ p @ v.mT
    k = s.shape[-1]
    gu, gv = conjugate(gu), gvh.mT
    mu, mv = adjoint(u) @ gu[..., :k], adjoint(v) @ gv[..., :k]
    turning = _inverse_sums(s) * (mu - mv)
    p = p + hermitian_part(_inverse_differences(s) * (mu + mv)) + 0.5 * (turning - adjoint(turning))
    c = u @ p @ adjoint(v)
    inverse = _inverse(s)[..., None, :]
    if a.shape[-2] > k:
        c = c + (_pull_side(u, u_rest, gu[..., :k], gu[..., k:]) * inverse) @ adjoint(v)
    if a.shape[-1] > k:
        c = c + u @ adjoint(_pull_side(v, v_rest, gv[..., :k], gv[..., k:]) * inverse)
    return conjugate(c)


def _push_side(q: Any, rest: Any, moved: Any) -> tuple[Any, Any]:
    """Return how `q` leaves its span when it is carried to `moved`, and how the complement follows."""
    if rest.shape[-1]:
        turn = adjoint(rest) @ moved
        return rest @ turn, -(q @ adjoint(turn))
    return moved - q @ (adjoint(q) @ moved), rest


def _push_svd(tangents: Sequence[Any], y: Sequence[Any], a: Any, full_matrices: bool) -> Any:
    t = tangents[0]
    u, s, v, u_rest, v_rest = _thin(y)
    k = s.shape[-1]
    p = adjoint(u) @ t @ v
    even = hermitian_part(p)
    stretching, turning = _inverse_differences(s) * even, _inverse_sums(s) * (p - even)
    tu, tv = u @ (stretching + turning), v @ (stretching - turning)
    tu_rest, tv_rest = u_rest, v_rest
    inverse = _inverse(s)[..., None, :]
    if a.shape[-2] > k:
        out, tu_rest = _push_side(u, u_rest, (t @ v) * inverse)
        tu = tu + out
    if a.shape[-1] > k:
        out, tv_rest = _push_side(v, v_rest, (adjoint(t) @ u) * inverse)
        tv = tv + out
    if u_rest.shape[-1]:
        tu = np.concatenate([tu, tu_rest], axis=-1)
    if v_rest.shape[-1]:
        tv = np.concatenate([tv, tv_rest], axis=-1)
    return tu, real(diagonal(p)), adjoint(tv)


svd_p: Primitive = Primitive(
    name="svd",
    fn=lambda a, full_matrices: tuple(np.linalg.svd(a, full_matrices)),
    pulls=(_pull_svd,),
    push=_push_svd,
    batch=lambda args, batched, full_matrices: parts(apply(svd_p, args[0], full_matrices=full_matrices)),
    cases=(
        case(np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.4], [-0.2, 0.7, 0.4]]), full_matrices=False),
        case(np.array([[[2.0, -1.0], [0.3, 1.5], [-0.2, 0.7]], [[0.3, 0.2], [1.0, 0.1], [0.4, -2.0]]]), full_matrices=False),
        case(np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.4]]), full_matrices=False),
        case(np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.4]]), full_matrices=True),
        case(np.array([[2.0], [0.3]]), full_matrices=True),
    ),
)
"""`u`, `s` and `vh`; of a complement of more than one vector (`full_matrices`) only the span is defined."""
