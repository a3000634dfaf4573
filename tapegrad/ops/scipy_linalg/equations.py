"""Linear matrix equations: Sylvester's and Lyapunov's, and Riccati's, whose derivatives solve linear ones.

A tangent satisfies the equation made linear, with the same coefficients; a cotangent the transposed one.

References:
    T. C. Kao, G. Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations", 2020,
    https://arxiv.org/abs/2011.11430.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.arrays import sum_to
from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint, batch_each, conjugate
from tapegrad.ops.linalg.solving import SQUARE
from tapegrad.ops.linalg.triangular import POSITIVE
from tapegrad.ops.scipy_linalg.structure import batch_aligned

scipy_sylvester: Fn = scipy.linalg.solve_sylvester
scipy_discrete_lyapunov: Fn = scipy.linalg.solve_discrete_lyapunov


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b


def _together(*matrices: Any) -> list[Any]:
    """Return all as complex matrices if one is: SciPy takes real and complex ones together, and answers wrongly.

    It brings real matrices to a form with blocks on the diagonal, which LAPACK's complex solver takes for a triangle.
    """
    if any(x.dtype.kind == "c" for x in matrices):
        return [x.astype(np.result_type(x, np.complex64), copy=False) for x in matrices]
    return list(matrices)


# Sylvester


def sylvester(a: Any, b: Any, q: Any) -> Any:
    """Return the solution `x` of ``a @ x + x @ b = q``."""
    return apply(sylvester_p, a, b, q)


def _push_sylvester(tangents: Sequence[Any], y: Any, a: Any, b: Any, q: Any) -> Any:
    ta, tb, right = tangents
    if ta is not None:
        right = _plus(right, -np.matmul(ta, y))
    if tb is not None:
        right = _plus(right, -np.matmul(y, tb))
    return sylvester(a, b, right)


sylvester_p: Primitive = Primitive(
    name="solve_sylvester",
    fn=lambda a, b, q: scipy_sylvester(*_together(a, b, q)),
    pulls=(
        lambda g, y, a, b, q: sum_to(-np.matmul(sylvester(a.mT, b.mT, g), y.mT), a.shape),
        lambda g, y, a, b, q: sum_to(-np.matmul(y.mT, sylvester(a.mT, b.mT, g)), b.shape),
        lambda g, y, a, b, q: sum_to(sylvester(a.mT, b.mT, g), q.shape),
    ),
    push=_push_sylvester,
    batch=batch_aligned("solve_sylvester"),
    cases=(
        case(SQUARE, POSITIVE[:2, :2], (3, 2)),
        case(SQUARE, SQUARE, (3, 3)),
        case(np.stack([SQUARE, POSITIVE]), np.array([[1.0]]), (3, 1)),
    ),
)


# Discrete Lyapunov


def discrete_lyapunov(a: Any, q: Any, method: str | None) -> Any:
    """Return the solution `x` of ``x - a @ x @ a.conj().T = q``."""
    return apply(discrete_lyapunov_p, a, q, method=method)


def _pull_discrete(g: Any, y: Any, a: Any, q: Any, method: str | None) -> Any:
    c = discrete_lyapunov(a.mT, g, method)
    return np.matmul(c, np.matmul(conjugate(a), y.mT)) + conjugate(np.matmul(c.mT, np.matmul(a, y)))


def _push_discrete(tangents: Sequence[Any], y: Any, a: Any, q: Any, method: str | None) -> Any:
    ta, right = tangents
    if ta is not None:
        moved = np.matmul(ta, np.matmul(y, adjoint(a))) + np.matmul(np.matmul(a, y), adjoint(ta))
        right = _plus(right, moved)
    return discrete_lyapunov(a, right, method)


def _batch_discrete(args: Sequence[Any], batched: Sequence[bool], method: str | None) -> Any:
    a, q = batch_each(args, batched)
    return discrete_lyapunov(a, q, method)


discrete_lyapunov_p: Primitive = Primitive(
    name="solve_discrete_lyapunov",
    fn=lambda a, q, method: scipy_discrete_lyapunov(*_together(a, q), method),
    pulls=(_pull_discrete, lambda g, y, a, q, method: discrete_lyapunov(a.mT, g, method)),
    push=_push_discrete,
    batch=_batch_discrete,
    cases=(
        case(0.3 * SQUARE, (3, 3), method=None),
        case(0.3 * SQUARE, (3, 3), method="bilinear"),
        case(np.stack([0.3 * SQUARE, 0.2 * POSITIVE]), (2, 3, 3), method="direct"),
    ),
)
