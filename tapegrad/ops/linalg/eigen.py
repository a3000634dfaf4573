"""Eigenvalues and eigenvectors.

Where eigenvalues coincide, the eigenvectors have no derivative; the terms that are infinite there are left out, so that
functions which do not depend on the choice of vectors keep a finite one.

References:
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", Oxford 2008, https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf, section 3.1, for the eigenvectors
    before their normalization.
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
    diagonal,
    from_lower,
    hermitian_part,
    inverse_gaps,
    is_complex,
    largest,
    on_diagonal,
    parts,
    real,
    triangle,
)
from tapegrad.ops.linalg.solving import SQUARE

SYMMETRIC = np.array([[2.0, 0.5, -0.3], [0.5, -1.5, 0.2], [-0.3, 0.2, 1.0]])


def _mirrored(a: Any, lower: bool) -> Any:
    if not is_complex(a):
        mask = triangle(a.shape[-1], 1.0, 1.0, a.dtype) != 0
        return np.where(mask if lower else mask.T, a, a.mT)
    kept = np.tril(a, -1) if lower else np.triu(a, 1)
    return kept + adjoint(kept) + on_diagonal(real(diagonal(a)))


hermitian_p: Primitive = Primitive(
    name="hermitian",
    fn=_mirrored,
    pulls=(lambda g, y, a, lower: hermitian_part(g),),
    push=lambda tangents, y, a, lower: hermitian_part(tangents[0]),
    batch=lambda args, batched, lower: apply(hermitian_p, args[0], lower=lower),
    cases=(case((1, 1), lower=True), case((2, 1, 1), lower=False), case((0, 0), lower=True)),
)
"""The Hermitian matrix that LAPACK sees, which reads one triangle only. Its derivative is that of a function of Hermitian
matrices:
the cotangent is symmetrized, whichever triangle was read."""


def _inverse_differences(w: Any) -> Any:
    return inverse_gaps(w[..., None, :] - w[..., :, None], largest(w), w.shape[-1])


# Hermitian matrices


def _pull_eigh(g: Sequence[Any], y: Sequence[Any], a: Any, lower: bool = True) -> Any:
    gw, gv = g
    w, v = y
    inner = on_diagonal(gw)
    if not absent(gv):
        inner = inner + hermitian_part(_inverse_differences(w) * (adjoint(v) @ conjugate(gv)))
    return as_if_lower(conjugate(v @ inner @ adjoint(v)), lower)


def _push_eigh(tangents: Sequence[Any], y: Sequence[Any], a: Any, lower: bool = True) -> Any:
    w, v = y
    p = adjoint(v) @ from_lower(tangents[0], lower) @ v
    return real(diagonal(p)), v @ (_inverse_differences(w) * p)


eigh_p: Primitive = Primitive(
    name="eigh",
    fn=lambda a, lower=True: tuple(np.linalg.eigh(a, "L" if lower else "U")),
    pulls=(_pull_eigh,),
    push=_push_eigh,
    batch=lambda args, batched, **settings: parts(apply(eigh_p, args[0], **settings)),
    cases=(case(SYMMETRIC), case(np.stack([SYMMETRIC, SYMMETRIC @ SYMMETRIC])), case(SYMMETRIC, lower=False)),
)
"""Eigenvalues and eigenvectors of a Hermitian matrix, of which one triangle is read."""


# General matrices


def _largest_component(v: Any) -> Any:
    """Return a mask of the component of each eigenvector that LAPACK makes real: the largest."""
    size = np.abs(v)
    return np.arange(v.shape[-1])[:, None] == np.argmax(size, axis=-2)[..., None, :]


def _pull_eig(g: Sequence[Any], y: Sequence[Any], a: Any) -> Any:
    gw, gv = g
    w, v = y
    inner = on_diagonal(conjugate(gw))
    if not absent(gv):
        gv = conjugate(gv)
        q = np.sum(np.conjugate(v) * gv, axis=-2, keepdims=True)
        gv = gv - np.real(q) * v  # lengths stay 1
        if v.dtype.kind == "c":  # and the largest component of each stays real
            chosen = _largest_component(v)
            gv = gv - np.where(chosen, 1j * np.imag(q) / np.conjugate(np.where(chosen, v, 1.0)), 0.0)
        inner = inner + conjugate(_inverse_differences(w)) * (adjoint(v) @ gv)
    return conjugate(np.linalg.solve(adjoint(v), inner @ adjoint(v)))


def _push_eig(tangents: Sequence[Any], y: Sequence[Any], a: Any) -> Any:
    w, v = y
    p = np.linalg.solve(v, tangents[0] @ v)
    t = v @ (_inverse_differences(w) * p)
    scale = np.real(np.sum(np.conjugate(v) * t, axis=-2, keepdims=True))
    if v.dtype.kind == "c":
        chosen = _largest_component(v)
        scale = scale + 1j * np.imag(np.sum(np.where(chosen, t / np.where(chosen, v, 1.0), 0.0), axis=-2, keepdims=True))
    return diagonal(p), t - v * scale


eig_p: Primitive = Primitive(
    name="eig",
    fn=lambda a: tuple(np.linalg.eig(a)),
    pulls=(_pull_eig,),
    push=_push_eig,
    batch=lambda args, batched: parts(apply(eig_p, args[0])),
    cases=(case(SQUARE), case(SQUARE + 2.0 * np.diag([0.0, 1.0, 3.0])), case(np.array([[2.0]]))),
)
"""Eigenvalues and eigenvectors of any square matrix; vectors of length 1, their largest component real, as LAPACK has them."""
