"""Linear systems whose matrices have a structure that the solver makes use of.

Right sides are matrices here, ``(..., n, k)``, and leading axes broadcast. The cotangent of the right side solves the
transposed system, with the transposed structure.

References:
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", Oxford 2008, https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf, section 2.3.1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.arrays import sum_to
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.solving import SQUARE, STACK
from tapegrad.ops.linalg.triangular import POSITIVE
from tapegrad.ops.scipy_linalg.structure import (
    BANDS,
    GENERAL,
    TRANSPOSED,
    band,
    batch_aligned,
    cotangent_of_read,
    tangent_of_read,
)

scipy_solve: Fn = scipy.linalg.solve
scipy_inv: Fn = scipy.linalg.inv
scipy_solve_triangular: Fn = scipy.linalg.solve_triangular


# Any structure


def _solve(a: Any, b: Any, structure: str | None, lower: bool = False, check_finite: bool = False) -> Any:
    if a.shape[-2:] == (1, 1):  # SciPy stumbles over stacks of these
        if np.any(a == 0):
            raise np.linalg.LinAlgError("A singular matrix detected.")
        return b / a
    settings = {} if structure is None else {"assume_a": structure, "lower": lower}
    return scipy_solve(a, b, check_finite=check_finite, **settings)


def _again(a: Any, b: Any, structure: str | None, lower: bool) -> Any:
    return np.linalg.solve(a, b) if structure in GENERAL else apply(solve_as_p, a, b, structure=structure, lower=lower)


def _pull_solve_b(
    g: Any, y: Any, a: Any, b: Any, structure: str | None, lower: bool = False, check_finite: bool = False
) -> Any:
    return sum_to(_again(a.mT, g, TRANSPOSED.get(structure or "", structure), lower), b.shape)


def _pull_solve_a(
    g: Any, y: Any, a: Any, b: Any, structure: str | None, lower: bool = False, check_finite: bool = False
) -> Any:
    c = _again(a.mT, g, TRANSPOSED.get(structure or "", structure), lower)
    return cotangent_of_read(sum_to(-np.matmul(c, y.mT), a.shape), structure)


def _push_solve(
    tangents: Sequence[Any], y: Any, a: Any, b: Any, structure: str | None, lower: bool = False, check_finite: bool = False
) -> Any:
    ta, tb = tangents
    right = tb
    if ta is not None:
        moved = np.matmul(tangent_of_read(ta, structure), y)
        right = -moved if tb is None else tb - moved
    return _again(a, right, structure, lower)


solve_as_p: Primitive = Primitive(
    name="solve_as",
    fn=_solve,
    pulls=(_pull_solve_a, _pull_solve_b),
    push=_push_solve,
    batch=batch_aligned("solve_as"),
    cases=(
        case(SQUARE, (3, 2), structure=None),
        case(STACK, (3, 2), structure="general"),
        case(POSITIVE, (3, 2), structure="positive definite", lower=True),
        case(POSITIVE - 2.0 * np.eye(3), (3, 1), structure="symmetric", lower=True),
        case(np.array([[2.0]]), (2, 1, 3), structure="hermitian", lower=True),
        case(SQUARE, (3, 1), structure="upper triangular"),
        case(SQUARE, (3, 2), structure="lower triangular"),
        case(SQUARE, (3, 2), structure="tridiagonal"),
        case(SQUARE, (3, 2), structure="diagonal"),
    ),
)
"""The solution of ``a @ x = b``, by LAPACK's solver for a structure; of symmetric matrices it reads the lower triangle."""


# Inverses


def _pull_inv(g: Any, y: Any, a: Any, structure: str) -> Any:
    return cotangent_of_read(-np.matmul(np.matmul(y.mT, g), y.mT), structure)


inv_as_p: Primitive = Primitive(
    name="inv_as",
    fn=lambda a, structure: scipy_inv(a, check_finite=False, assume_a=structure, lower=True),
    pulls=(_pull_inv,),
    push=lambda tangents, y, a, structure: -np.matmul(np.matmul(y, tangent_of_read(tangents[0], structure)), y),
    batch=lambda args, batched, structure: apply(inv_as_p, args[0], structure=structure),
    cases=(
        case(POSITIVE, structure="pos"),
        case(np.stack([POSITIVE, 2.0 * POSITIVE]), structure="sym"),
        case(SQUARE, structure="upper triangular"),
    ),
)
"""The inverse, by LAPACK's routine for a structure; of symmetric matrices it reads the lower triangle."""


# Triangles


def _triangle(a: Any, lower: bool, unit_diagonal: bool) -> Any:
    """Return what is read of `a`."""
    below, above = BANDS["lower triangular" if lower else "upper triangular"]
    if not unit_diagonal:
        return band(a, below, above)
    return band(a, below, -1) if lower else band(a, -1, above)


def solve_triangle(a: Any, b: Any, lower: bool, transposed: bool = False, unit_diagonal: bool = False) -> Any:
    """Return the solution of ``a @ x = b`` where one triangle of `a` is read, or of the transposed system."""
    return apply(solve_triangular_p, a, b, lower=lower, transposed=transposed, unit_diagonal=unit_diagonal)


def _solve_triangular(
    a: Any, b: Any, lower: bool, transposed: bool = False, unit_diagonal: bool = False, check_finite: bool = False
) -> Any:
    return scipy_solve_triangular(a, b, int(transposed), lower, unit_diagonal, check_finite=check_finite)


def _pull_triangular_a(
    g: Any, y: Any, a: Any, b: Any, lower: bool, transposed: bool = False, unit_diagonal: bool = False, **more: Any
) -> Any:
    c = solve_triangle(a, g, lower, not transposed, unit_diagonal)
    product = np.matmul(y, c.mT) if transposed else np.matmul(c, y.mT)
    return _triangle(sum_to(-product, a.shape), lower, unit_diagonal)


def _pull_triangular_b(
    g: Any, y: Any, a: Any, b: Any, lower: bool, transposed: bool = False, unit_diagonal: bool = False, **more: Any
) -> Any:
    return sum_to(solve_triangle(a, g, lower, not transposed, unit_diagonal), b.shape)


def _push_triangular(
    tangents: Sequence[Any],
    y: Any,
    a: Any,
    b: Any,
    lower: bool,
    transposed: bool = False,
    unit_diagonal: bool = False,
    **more: Any,
) -> Any:
    ta, tb = tangents
    right = tb
    if ta is not None:
        moved = _triangle(ta, lower, unit_diagonal)
        moved = np.matmul(moved.mT if transposed else moved, y)
        right = -moved if tb is None else tb - moved
    return solve_triangle(a, right, lower, transposed, unit_diagonal)


solve_triangular_p: Primitive = Primitive(
    name="solve_triangular",
    fn=_solve_triangular,
    pulls=(_pull_triangular_a, _pull_triangular_b),
    push=_push_triangular,
    batch=batch_aligned("solve_triangular"),
    cases=(
        case(SQUARE, (3, 2), lower=True),
        case(SQUARE, (3, 1), lower=False, transposed=True),
        case(SQUARE, (3, 2), lower=True, transposed=True, unit_diagonal=True),
        case(SQUARE, (2, 3, 2), lower=False, unit_diagonal=True),
        case(STACK, (3, 2), lower=False),
    ),
)
