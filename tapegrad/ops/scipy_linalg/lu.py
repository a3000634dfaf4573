"""LU decomposition with pivots. Which rows are exchanged does not change when a matrix moves a little: only the factors move.

References:
    S. F. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum experimental
    design", 2010, https://arxiv.org/abs/1001.1654; matrices that are not square are completed by the identity, as JAX does it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import constant
from tapegrad.core.primitive import Fn, Primitive, case, no_cotangent
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import batch_each, parts
from tapegrad.ops.linalg.solving import SQUARE, STACK
from tapegrad.ops.scipy_linalg.solving import solve_triangle
from tapegrad.ops.scipy_linalg.structure import band

scipy_lu_factor: Fn = scipy.linalg.lu_factor


# Permutations


def permutation(pivots: Any, rows: int) -> Any:
    """Return the order of rows, shape ``(..., rows)``, that the exchanges `pivots` lead to."""
    found = []
    for exchanges in pivots.reshape(-1, pivots.shape[-1]).tolist():
        order = list(range(rows))
        for k, other in enumerate(exchanges):
            order[k], order[other] = order[other], order[k]
        found.append(order)
    return np.array(found, np.intp).reshape(*pivots.shape[:-1], rows)


permutation_p: Primitive = constant(
    "permutation",
    permutation,
    batch=lambda args, batched, rows: apply(permutation_p, args[0], rows=rows),
    cases=(case(np.array([2, 2, 2]), rows=3), case(np.array([[1, 1], [2, 2]]), rows=4)),
)


def order_of(pivots: Any, rows: int) -> Any:
    """Return the order of rows that the exchanges `pivots` lead to, recorded where no value may be known."""
    return apply(permutation_p, pivots, rows=rows)


def _reordered(x: Any, order: Any, back: bool) -> Any:
    return np.take_along_axis(x, (np.argsort(order, -1) if back else order)[..., None], -2)


def _batch_reorder(args: Sequence[Any], batched: Sequence[bool], back: bool) -> Any:
    return apply(reorder_p, *batch_each(args, batched), back=back)


reorder_p: Primitive = Primitive(
    name="reorder_rows",
    fn=_reordered,
    pulls=(lambda g, y, x, order, back: apply(reorder_p, g, order, back=not back), no_cotangent),
    push=lambda tangents, y, x, order, back: None if tangents[0] is None else apply(reorder_p, tangents[0], order, back=back),
    batch=_batch_reorder,
    cases=(
        case((3, 2), np.array([2, 0, 1]), back=False),
        case((2, 3, 1), np.array([[2, 0, 1], [0, 2, 1]]), back=True),
    ),
)
"""The rows of each matrix in another order, or brought `back` from it."""


def reorder(x: Any, order: Any, back: bool = False) -> Any:
    """Return ``x[order]`` for the rows of each matrix, or `back`, the matrix of which that would be `x`."""
    return apply(reorder_p, x, order, back=back)


# Factors


def _factor(a: Any, check_finite: bool = False) -> tuple[Any, Any, Any]:
    lu, pivots = scipy_lu_factor(a, check_finite=check_finite)
    return lu, pivots, permutation(pivots, a.shape[-2])


def _completed(lu: Any, m: int, n: int) -> tuple[Any, Any]:
    """Return a square matrix whose unit lower triangle is L completed by the identity, and one whose upper triangle is U so."""
    if m == n:
        return lu, lu
    lead = shape_of(lu)[:-2]
    if m > n:
        return np.concatenate([lu, np.zeros((*lead, m, m - n), lu.dtype)], -1), lu[..., :n, :]
    rest = np.broadcast_to(np.eye(n - m, n, m, dtype=lu.dtype), (*lead, n - m, n))
    return lu[..., :m], np.concatenate([lu, rest], -2)


def _times_lower(lower: Any, x: Any, transposed: bool = False) -> Any:
    """Return ``L @ x`` or its transpose, where the lower triangle is that of `lower`, with 1 on the diagonal."""
    strict = band(lower, None, -1)
    return x + np.matmul(strict.mT if transposed else strict, x)


def _pull_lu(g: Any, y: Any, a: Any, check_finite: bool = False) -> Any:
    m, n = shape_of(a)[-2:]
    lower, upper = _completed(y[0], m, n)
    inner = band(_times_lower(lower, g[0], transposed=True), None, -1) + band(np.matmul(g[0], band(upper, 0, None).mT), 0, None)
    left = solve_triangle(lower, inner, lower=True, transposed=True, unit_diagonal=True)
    return reorder(solve_triangle(upper, left.mT, lower=False).mT, y[2], back=True)


def _push_lu(tangents: Sequence[Any], y: Any, a: Any, check_finite: bool = False) -> tuple[Any, None, None]:
    m, n = shape_of(a)[-2:]
    lower, upper = _completed(y[0], m, n)
    left = solve_triangle(lower, reorder(tangents[0], y[2]), lower=True, unit_diagonal=True)
    inner = solve_triangle(upper, left.mT, lower=False, transposed=True).mT
    return _times_lower(lower, band(inner, None, -1)) + np.matmul(band(inner, 0, None), band(upper, 0, None)), None, None


lu_p: Primitive = Primitive(
    name="lu",
    fn=_factor,
    pulls=(_pull_lu,),
    push=_push_lu,
    batch=lambda args, batched, check_finite=False: parts(apply(lu_p, args[0], check_finite=check_finite)),
    cases=(case(SQUARE), case(STACK), case((4, 2)), case((2, 4)), case(np.array([[2.0]]))),
)
"""L below the diagonal (its own is 1) and U above it in one matrix; the exchanges of rows; and the order that they lead to."""
