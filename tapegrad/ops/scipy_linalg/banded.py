"""Systems with band matrices, in LAPACK's storage: ``ab[u + i - j, j] == a[i, j]``, one row for each diagonal."""

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.arrays import sum_to
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import conjugate
from tapegrad.ops.scipy_linalg.structure import batch_aligned

scipy_solve_banded: Fn = scipy.linalg.solve_banded
scipy_solveh_banded: Fn = scipy.linalg.solveh_banded


def shifted(x: Any, steps: int) -> Any:
    """Return `x` with its last axis moved to the left, or by a negative number to the right, and zeros where it came from."""
    n = x.shape[-1]
    gap = np.zeros((*x.shape[:-1], min(abs(steps), n)), x.dtype)
    if steps == 0:
        return x
    return np.concatenate([x[..., steps:], gap] if steps > 0 else [gap, x[..., : n - gap.shape[-1]]], axis=-1)


def transposed(ab: Any, lower: int, upper: int) -> Any:
    """Return the storage of the transposed band matrices, which have `upper` diagonals below and `lower` above."""
    return np.stack([shifted(ab[..., upper + d, :], -d) for d in range(lower, -upper - 1, -1)], axis=-2)


def outer(x: Any, y: Any, lower: int, upper: int) -> Any:
    """Return the storage of the band of ``x @ y.mT``."""
    rows = [np.sum(shifted(x.mT, d) * y.mT, axis=-2) for d in range(-upper, lower + 1)]
    return np.stack(rows, axis=-2)


def times(ab: Any, x: Any, lower: int, upper: int) -> Any:
    """Return the products of band matrices with ``x``, of shape ``(..., n, k)``."""
    parts = [shifted(ab[..., upper + d, None, :] * x.mT, -d) for d in range(-upper, lower + 1)]
    return reduce(operator.add, parts).mT


def full(ab: Any, lower: int, upper: int) -> Any:
    """Return band matrices with their zeros, shape ``(..., n, n)``: rows of diagonals, each moved by one against the last."""
    n, width = ab.shape[-1], lower + upper + 1
    rows = np.stack([shifted(ab[..., width - 1 - k, :], k - lower) for k in range(width)], axis=-1)
    *lead, _, _ = rows.shape
    wide = np.concatenate([rows, np.zeros((*lead, n, n), ab.dtype)], axis=-1)
    sheared = wide.reshape(*lead, n * (n + width))[..., : n * (n + width - 1)].reshape(*lead, n, n + width - 1)
    return sheared[..., lower : lower + n]


def halves(x: Any, lower: int) -> Any:
    """Return the storage of the lower half of matrices, of which it is a band."""
    n = x.shape[-1]
    rows = [np.diagonal(x, -d, -2, -1) for d in range(min(lower, n - 1) + 1)]
    gaps = [np.zeros((*x.shape[:-2], n - row.shape[-1]), x.dtype) for row in rows]
    rows = [np.concatenate([row, gap], axis=-1) for row, gap in zip(rows, gaps, strict=True)]
    rows += [np.zeros((*x.shape[:-2], n), x.dtype)] * (lower + 1 - len(rows))
    return np.stack(rows, axis=-2)


def whole(ab: Any, lower: bool) -> Any:
    """Return the storage of Hermitian band matrices with both halves, from that of one."""
    u = ab.shape[-2] - 1
    if lower:
        upper_half = [shifted(conjugate(ab[..., d, :]), -d) for d in range(u, 0, -1)]
        return np.concatenate([np.stack([*upper_half, ab[..., 0, :]], axis=-2), ab[..., 1:, :]], axis=-2)
    lower_half = [shifted(conjugate(ab[..., u - d, :]), d) for d in range(u + 1)]
    return np.concatenate([ab[..., :u, :], np.stack(lower_half, axis=-2)], axis=-2)


def _solve(ab: Any, b: Any, lower: int, upper: int, positive: bool = False, check_finite: bool = False) -> Any:
    if positive:
        return scipy_solveh_banded(ab[..., upper:, :], b, lower=True, check_finite=check_finite)
    return scipy_solve_banded((lower, upper), ab, b, check_finite=check_finite)


def _pull_ab(
    g: Any, y: Any, ab: Any, b: Any, lower: int, upper: int, positive: bool = False, check_finite: bool = False
) -> Any:
    c = apply(solve_banded_p, transposed(ab, lower, upper), g, lower=upper, upper=lower, positive=positive)
    return sum_to(-outer(c, y, lower, upper), ab.shape)


def _pull_b(g: Any, y: Any, ab: Any, b: Any, lower: int, upper: int, positive: bool = False, check_finite: bool = False) -> Any:
    c = apply(solve_banded_p, transposed(ab, lower, upper), g, lower=upper, upper=lower, positive=positive)
    return sum_to(c, b.shape)


def _push(
    tangents: Sequence[Any], y: Any, ab: Any, b: Any, lower: int, upper: int, positive: bool = False, check_finite: bool = False
) -> Any:
    ta, right = tangents
    if ta is not None:
        moved = times(ta, y, lower, upper)
        right = -moved if right is None else right - moved
    return apply(solve_banded_p, ab, right, lower=lower, upper=upper, positive=positive)


BAND = np.array([[0.0, 0.5, -0.3, 0.2], [2.0, 1.5, 1.8, -2.0], [0.4, -0.2, 0.3, 0.0]])

solve_banded_p: Primitive = Primitive(
    name="solve_banded",
    fn=_solve,
    pulls=(_pull_ab, _pull_b),
    push=_push,
    batch=batch_aligned("solve_banded"),
    cases=(
        case(BAND, (4, 2), lower=1, upper=1),
        case(BAND[[0, 0, 1]], (4, 1), lower=0, upper=2),
        case(BAND[[1, 2, 2]], (2, 4, 2), lower=2, upper=0),
        case(BAND[1:2], (4, 1), lower=0, upper=0),
    ),
)
"""The solution for band matrices and right sides ``(..., n, k)``.

If `positive`, they are Hermitian and positive definite, and LAPACK's solver for those is used; `ab` holds both halves of the
band all the same, and the derivative is by both.
"""
