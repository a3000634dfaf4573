"""Eigenvalues and eigenvectors of a Hermitian matrix, or of a pair of which the second is positive definite; all or some.

Some of the eigenvectors move among all of them, so that the rules compute the others too. Where eigenvalues coincide, terms
that are infinite are left out, and the vectors only stay normalized.

References:
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", Oxford 2008, https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf, section 3.1, here for pairs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.eigen import SYMMETRIC
from tapegrad.ops.linalg.matrices import (
    absent,
    adjoint,
    as_if_lower,
    batch_each,
    conjugate,
    from_lower,
    hermitian_part,
    inverse_gaps,
    largest,
    parts,
    real,
)
from tapegrad.ops.linalg.triangular import POSITIVE

Settings = dict[str, Any]

scipy_eigh: Fn = scipy.linalg.eigh


def _eigh(*matrices: Any, **settings: Any) -> tuple[Any, Any]:
    w, v = scipy_eigh(*matrices, **{"lower": True, "check_finite": False, **settings})
    return w, v


def _everything(y: Sequence[Any], matrices: Sequence[Any], settings: Settings) -> Sequence[Any]:
    """Return all eigenvalues and eigenvectors."""
    if "subset_by_index" in settings or "subset_by_value" in settings:
        return parts(apply(eigh_some_p, *matrices, lower=settings.get("lower", True)))
    return y


def _gaps(some: Any, every: Any, settings: Settings) -> Any:
    """Return the inverse distances of some eigenvalues from all, 0 from itself: the two may differ by rounding there."""
    gaps = inverse_gaps(some[..., None, :] - every[..., :, None], largest(every), every.shape[-1])
    if "subset_by_index" in settings:
        first = np.asarray(settings["subset_by_index"][0])
    elif "subset_by_value" in settings:
        first = np.sum(np.less_equal(every, settings["subset_by_value"][0]), axis=-1)
    else:
        return gaps
    places = first[..., None] + np.arange(some.shape[-1])
    return np.where(np.equal(np.arange(every.shape[-1])[:, None], places[..., None, :]), 0.0, gaps)


def _middle(some: Any, every: Any) -> Any:
    return 0.5 * (some[..., None, :] + every[..., :, None])


def _pulled(y: Sequence[Any], g: Sequence[Any], matrices: Sequence[Any], settings: Settings, second: bool) -> Any:
    """Return the cotangent of the first matrix or the second."""
    gw, gv = g
    w, v = y
    weighed = v * (gw * w if second else gw)[..., None, :]
    if not absent(gv):
        every, basis = _everything(y, matrices, settings)
        inner = np.matmul(adjoint(basis), conjugate(gv))
        turning = _gaps(w, every, settings) * inner
        weighed = weighed + np.matmul(basis, _middle(w, every) * turning + 0.5 * inner if second else turning)
    c = conjugate(hermitian_part(np.matmul(weighed, adjoint(v))))
    c = as_if_lower(c) if settings.get("lower", True) else as_if_lower(c.mT).mT
    return -c if second else c


def _read(t: Any, settings: Settings) -> Any:
    """Return the tangent of the Hermitian matrix of which one triangle is read."""
    return from_lower(t if settings.get("lower", True) else adjoint(t))


def _push(tangents: Sequence[Any], y: Sequence[Any], *matrices: Any, **settings: Any) -> tuple[Any, Any]:
    w, v = y
    every, basis = _everything(y, matrices, settings)
    move, value, inner = 0.0, 0.0, 0.0
    ta, tb = (*tangents, None)[:2]
    if ta is not None:
        turned = np.matmul(_read(ta, settings), v)
        inner = np.matmul(adjoint(basis), turned)
        value = real(np.sum(conjugate(v) * turned, axis=-2))
        move = _gaps(w, every, settings) * inner
    if tb is not None:
        turned = np.matmul(_read(tb, settings), v)
        inner = np.matmul(adjoint(basis), turned)
        value = value - w * real(np.sum(conjugate(v) * turned, axis=-2))
        move = move - _gaps(w, every, settings) * _middle(w, every) * inner - 0.5 * inner
    return value, np.matmul(basis, move)


eigh_some_p: Primitive = Primitive(
    name="eigh_some",
    fn=_eigh,
    pulls=(
        lambda g, y, *matrices, **settings: _pulled(y, g, matrices, settings, second=False),
        lambda g, y, *matrices, **settings: _pulled(y, g, matrices, settings, second=True),
    ),
    push=_push,
    batch=lambda args, batched, **settings: parts(apply(eigh_some_p, *batch_each(args, batched), **settings)),
    cases=(
        case(SYMMETRIC, driver="evd"),
        case(np.stack([SYMMETRIC, POSITIVE]), driver="evd"),
        case(SYMMETRIC, subset_by_index=(1, 2)),
        case(POSITIVE, subset_by_value=(1.0, 9.0)),
        case(SYMMETRIC, driver="evd", lower=False),
        case(SYMMETRIC, POSITIVE @ POSITIVE),
        case(SYMMETRIC, POSITIVE @ POSITIVE, subset_by_index=(0, 1)),
        case(np.array([[2.0]]), np.array([[3.0]])),
    ),
)
"""Eigenvalues, and eigenvectors normalized by the second matrix, of one or two Hermitian matrices.

One triangle is read, the lower one by default. The signs of the vectors are those of the driver; those of
the default one may change at any time.
"""
