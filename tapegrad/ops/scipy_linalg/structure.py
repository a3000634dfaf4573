"""Which elements of a matrix a solver reads: one triangle, a diagonal, all of them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.families import align
from tapegrad.core.primitive import PRIMITIVES, Fn
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import as_if_lower, from_lower, hermitian_part, triangle

GENERAL = (None, "general", "gen", "banded")
HERMITIAN = ("positive definite", "pos", "hermitian", "her")
SYMMETRIC = ("symmetric", "sym")
TRANSPOSED = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}
BANDS = {
    "upper triangular": (0, None),
    "lower triangular": (None, 0),
    "diagonal": (0, 0),
    "tridiagonal": (1, 1),
}
"""How many diagonals below and above the main one are read; None for all."""


def band(x: Any, below: int | None, above: int | None) -> Any:
    """Return each matrix with zeros outside of a band."""
    return np.where(_inside(*x.shape[-2:], below, above), x, 0.0)


@lru_cache(64)
def _inside(rows: int, columns: int, below: int | None, above: int | None) -> Any:
    distance = np.arange(rows)[:, None] - np.arange(columns)
    inside = np.ones((rows, columns), bool)
    if below is not None:
        inside &= distance <= below
    if above is not None:
        inside &= -distance <= above
    inside.flags.writeable = False
    return inside


def cotangent_of_read(c: Any, structure: str | None) -> Any:
    """Return the cotangent of the elements that are read, from that of the matrix that they stand for.

    Of a symmetric matrix it is the lower triangle; the mirror image behind it puts the halves together.
    """
    if structure in HERMITIAN:
        return as_if_lower(hermitian_part(c))
    if structure in SYMMETRIC:
        return as_if_lower(0.5 * (c + c.mT))
    return c if structure in GENERAL else band(c, *BANDS[structure or ""])


def tangent_of_read(t: Any, structure: str | None) -> Any:
    """Return the tangent of the matrix that the elements which are read stand for."""
    if structure in HERMITIAN:
        return from_lower(t)
    if structure in SYMMETRIC:
        lower = t * triangle(t.shape[-1], 0.5, 1.0, t.dtype)
        return lower + lower.mT
    return t if structure in GENERAL else band(t, *BANDS[structure or ""])


def batch_aligned(name: str) -> Fn:
    """Return the batch rule of an operation on matrices whose leading axes broadcast."""

    def batch(args: Sequence[Any], batched: Sequence[bool], **settings: Any) -> Any:
        return apply(PRIMITIVES[name], *align(args, batched), **settings)

    return batch
