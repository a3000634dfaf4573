"""Matrices that are constant along their diagonals.

The elements of such a matrix of shape ``(m, n)`` are ``v[i - j + n - 1]``, where `v` holds the first row backwards and then
the rest of the first column. The transpose sums the diagonals.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg
from numpy.lib.stride_tricks import sliding_window_view

from tapegrad.core.arrays import sum_to
from tapegrad.core.families import align, linear
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply

scipy_solve_toeplitz: Fn = scipy.linalg.solve_toeplitz


def toeplitz(v: Any, columns: int) -> Any:
    """Return the matrices whose diagonals hold `v`, from the upper right corner to the lower left one."""
    return apply(toeplitz_p, v, columns=columns)


def diagonal_sums(x: Any) -> Any:
    """Return the sums of the diagonals of each matrix, from the upper right corner to the lower left one."""
    return apply(diagonal_sums_p, x)


def _diagonal_sums(x: Any) -> Any:
    """Shear the matrix, so that diagonals become columns."""
    *lead, m, n = x.shape
    if not m or not n:
        raise ValueError(f"a matrix of shape {(m, n)} has no diagonals")
    wide = np.zeros((*lead, m, m + n), x.dtype)
    wide[..., :n] = x[..., ::-1]
    sheared = wide.reshape(*lead, m * (m + n))[..., : m * (m + n - 1)].reshape(*lead, m, m + n - 1)
    return np.add.reduce(sheared, -2)


toeplitz_p: Primitive = linear(
    "toeplitz",
    lambda v, columns: np.array(sliding_window_view(v, columns, -1)[..., ::-1]),
    lambda g, y, v, columns: diagonal_sums(g),
    batch=lambda args, batched, columns: toeplitz(args[0], columns),
    cases=(case((5,), columns=3), case((2, 4), columns=1), case((3,), columns=3)),
)

diagonal_sums_p: Primitive = linear(
    "diagonal_sums",
    _diagonal_sums,
    lambda g, y, x: toeplitz(g, x.shape[-1]),
    batch=lambda args, batched: diagonal_sums(args[0]),
    cases=(case((3, 3)), case((2, 4, 3)), case((2, 5)), case((1, 3)), case((3, 1))),
)


# Systems


def _split(v: Any) -> tuple[Any, Any]:
    """Return the first column and the first row of a square matrix."""
    n = (v.shape[-1] + 1) // 2
    return v[..., n - 1 :], v[..., n - 1 :: -1]


def _solve(v: Any, b: Any, check_finite: bool = False) -> Any:
    return scipy_solve_toeplitz(_split(v), b, check_finite)


def solve_toeplitz(v: Any, b: Any) -> Any:
    return apply(solve_toeplitz_p, v, b)


def _pull_v(g: Any, y: Any, v: Any, b: Any, check_finite: bool = False) -> Any:
    c = solve_toeplitz(v[..., ::-1], g)
    return sum_to(-diagonal_sums(np.matmul(c, y.mT)), v.shape)


def _push_solve(tangents: Sequence[Any], y: Any, v: Any, b: Any, check_finite: bool = False) -> Any:
    tv, right = tangents
    if tv is not None:
        moved = np.matmul(toeplitz(tv, b.shape[-2]), y)
        right = -moved if right is None else right - moved
    return solve_toeplitz(v, right)


def _batch_solve(args: Sequence[Any], batched: Sequence[bool], check_finite: bool = False) -> Any:
    v, b = args
    v, b = align([v[..., None, :], b], batched)
    return apply(solve_toeplitz_p, v[..., 0, :], b, check_finite=check_finite)


solve_toeplitz_p: Primitive = Primitive(
    name="solve_toeplitz",
    fn=_solve,
    pulls=(
        _pull_v,
        lambda g, y, v, b, check_finite=False: sum_to(solve_toeplitz(v[..., ::-1], g), b.shape),
    ),
    push=_push_solve,
    batch=_batch_solve,
    cases=(
        case(np.array([0.3, -0.4, 2.0, 0.5, 0.1]), (3, 2)),
        case(np.array([[0.3, -0.4, 2.0, 0.5, 0.1], [0.1, 0.2, -1.0, 0.2, 0.3]]), (3, 1)),
        case(np.array([2.0]), (1, 2)),
    ),
)
"""The solution for a square matrix with the diagonals `v`, and right sides ``(..., n, k)``, by Levinson's recursion."""
