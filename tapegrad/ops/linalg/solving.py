"""Inverses and linear systems.

References:
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", Oxford 2008, https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf, sections 2.2.3 and 2.3.1.

    G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate", SIAM J. Numer. Anal. 10 (1973), equation 4.12, for matrices whose rank does not change.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import sum_to
from tapegrad.core.families import align
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import absent, adjoint, conjugate, real, times

SQUARE = np.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.4], [-0.2, 0.7, 1.8]])
STACK = np.stack([SQUARE, SQUARE.T + 0.1, SQUARE @ SQUARE])


# Inverse


def lenient_inverse(a: Any) -> Any:
    """Return the inverse of each matrix, NaN for one that is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full(a.shape, np.nan, a.dtype)
        return np.stack([lenient_inverse(matrix) for matrix in a])


def _inverse_primitive(name: str, fn: Fn) -> Primitive:
    primitive: Primitive = Primitive(
        name=name,
        fn=fn,
        pulls=(lambda g, y, a: -times(times(y.mT, g, killer=1), y.mT, killer=0),),
        push=lambda tangents, y, a: -times(times(y, tangents[0], killer=1), y, killer=0),
        batch=lambda args, batched: apply(primitive, args[0]),
        cases=(case(SQUARE), case(STACK)),
    )
    return primitive


inv_p = _inverse_primitive("inv", np.linalg.inv)

inverse_p = _inverse_primitive("inverse", lenient_inverse)
"""The inverse as rules take it: NaN for a singular matrix, so that the others in a stack keep their derivatives."""


# Solve


def _solve_transposed(g: Any, a: Any, b: Any) -> Any:
    return np.linalg.solve(a.mT, g[..., None])[..., 0] if b.ndim == 1 else np.linalg.solve(a.mT, g)


def _pull_solve_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    c = _solve_transposed(g, a, b)
    product = times(c[..., None], y[..., None, :], killer=0) if b.ndim == 1 else times(c, y.mT, killer=0)
    return sum_to(-product, a.shape)


def _push_solve(tangents: Sequence[Any], y: Any, a: Any, b: Any) -> Any:
    ta, tb = tangents
    right = tb
    if ta is not None:
        moved = times(ta, y[..., None], killer=0)[..., 0] if b.ndim == 1 else times(ta, y, killer=0)
        right = -moved if tb is None else tb - moved
    if b.ndim == 1:
        return np.linalg.solve(a, right[..., None])[..., 0]
    return np.linalg.solve(a, right)


def _batch_solve(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    a, b = args
    vector = b.ndim - batched[1] == 1
    if not batched[0] and a.ndim == 2 and b.ndim <= 3:  # one factorization for all right sides
        columns = np.moveaxis(b, 0, -1)
        x = apply(solve_p, a, columns.reshape(len(columns), -1) if columns.size else columns.reshape(len(columns), 0))
        return np.moveaxis(x.reshape(columns.shape), -1, 0)
    x = apply(solve_p, *align([a, b[..., None] if vector else b], batched))
    return x[..., 0] if vector else x


solve_p: Primitive = Primitive(
    name="solve",
    fn=np.linalg.solve,
    pulls=(_pull_solve_a, lambda g, y, a, b: sum_to(_solve_transposed(g, a, b), b.shape)),
    push=_push_solve,
    batch=_batch_solve,
    cases=(case(SQUARE, (3,)), case(SQUARE, (3, 2)), case(STACK, (3,)), case(STACK, (3, 2)), case(SQUARE, (2, 3, 1))),
)


# Pseudoinverse


def _pull_pinv(g: Any, y: Any, a: Any, rcond: Any) -> Any:
    g_h, y_h = g.mT, adjoint(y)
    p = y @ y_h
    q = y_h @ y
    c = -(y_h @ adjoint(g_h) @ y_h)
    c = c + (g_h - a @ (y @ g_h)) @ p + q @ (g_h - (g_h @ y) @ a)
    return conjugate(c)


def _push_pinv(tangents: Sequence[Any], y: Any, a: Any, rcond: Any) -> Any:
    t = tangents[0]
    t_h, y_h = adjoint(t), adjoint(y)
    return -(y @ t @ y) + (y @ y_h) @ (t_h - (t_h @ a) @ y) + (t_h - y @ (a @ t_h)) @ (y_h @ y)


pinv_p: Primitive = Primitive(
    name="pinv",
    fn=lambda a, rcond: np.linalg.pinv(a, rcond),
    pulls=(_pull_pinv,),
    push=_push_pinv,
    batch=lambda args, batched, rcond: apply(pinv_p, args[0], rcond=rcond),
    cases=(case((3, 2), rcond=1e-15), case((2, 2, 4), rcond=1e-15), case(SQUARE, rcond=1e-15)),
)
"""The pseudoinverse, with singular values below ``rcond`` times the largest one taken for zeros."""


# Least squares


def _columns(b: Any) -> Any:
    return b[:, None] if b.ndim == 1 else b


def _residuals(a: Any, b: Any, x: Any) -> Any:
    return _columns(b) - a @ _columns(x)


def _values(a: Any, g: Any) -> Any:
    """Return the cotangent of `a` for a cotangent of its singular values."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return conjugate((u * g) @ vh)


def _pull_lstsq_a(g: Any, y: Any, a: Any, b: Any, rcond: float) -> Any:
    gx, g_residuals, _, gs = g
    x, r = _columns(y[0]), _residuals(a, b, y[0])
    p = np.linalg.pinv(a, rcond)
    gx_h = _columns(gx).mT
    moved = gx_h @ p
    c = -(adjoint(x @ moved)) + (r @ moved) @ adjoint(p) + (adjoint(p) @ x) @ (gx_h - moved @ a)
    if g_residuals.size and not absent(g_residuals):
        c = c - (2.0 * g_residuals * r) @ adjoint(x)
    c = conjugate(c)
    return c if absent(gs) else c + _values(a, gs)


def _pull_lstsq_b(g: Any, y: Any, a: Any, b: Any, rcond: float) -> Any:
    c = np.linalg.pinv(a, rcond).mT @ _columns(g[0])
    if g[1].size and not absent(g[1]):
        c = c + 2.0 * g[1] * conjugate(_residuals(a, b, y[0]))
    return c.reshape(b.shape)


def _push_lstsq(tangents: Sequence[Any], y: Any, a: Any, b: Any, rcond: float) -> Any:
    ta, tb = tangents
    x, r = _columns(y[0]), _residuals(a, b, y[0])
    p = np.linalg.pinv(a, rcond)
    moved = 0.0 if tb is None else _columns(tb)
    values = None
    if ta is not None:
        moved = moved - ta @ x
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        values = real(np.sum(conjugate(u) * (ta @ adjoint(vh)), axis=0))
    t = p @ moved
    if ta is not None:
        bent = adjoint(ta) @ (adjoint(p) @ x)
        t = t + p @ (adjoint(p) @ (adjoint(ta) @ r)) + bent - p @ (a @ bent)
    residuals = 2.0 * np.sum(real(conjugate(r) * moved), axis=0) if y[1].size else np.zeros_like(y[1])
    return t.reshape(y[0].shape), residuals, None, values


lstsq_p = Primitive(
    name="lstsq",
    fn=lambda a, b, rcond: tuple(np.linalg.lstsq(a, b, rcond)),
    pulls=(_pull_lstsq_a, _pull_lstsq_b),
    push=_push_lstsq,
    cases=(case((4, 2), (4,), rcond=1e-12), case((4, 2), (4, 3), rcond=1e-12), case((2, 4), (2, 2), rcond=1e-12)),
)
"""The least-squares solution of least norm, the sums of squared residuals, the rank, and the singular values."""
