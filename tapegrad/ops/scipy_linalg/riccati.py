"""Algebraic Riccati equations.

The cost of the optimal feedback `k` does not change, to first order, when `k` does. So it moves as that of a fixed feedback,
which satisfies a linear equation with the matrix of the closed loop: tangents solve that, and cotangents its transpose.

References:
    T. C. Kao, G. Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations", 2020,
    https://arxiv.org/abs/2011.11430, sections 3.3 and 3.4.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint, batch_each, conjugate, hermitian_part
from tapegrad.ops.linalg.solving import SQUARE
from tapegrad.ops.linalg.triangular import POSITIVE
from tapegrad.ops.scipy_linalg.equations import discrete_lyapunov, sylvester

continuous_are: Fn = scipy.linalg.solve_continuous_are
discrete_are: Fn = scipy.linalg.solve_discrete_are


def _solve(a: Any, b: Any, q: Any, r: Any, discrete: bool, balanced: bool = True) -> Any:
    solve = discrete_are if discrete else continuous_are
    return solve(a, b, hermitian_part(q), hermitian_part(r), balanced=balanced)


def _loop(x: Any, a: Any, b: Any, r: Any, discrete: bool) -> tuple[Any, Any, Any]:
    """Return the optimal feedback, the matrix of the closed loop, and what a change of the system is multiplied by."""
    back = np.matmul(adjoint(b), x)
    r = hermitian_part(r)
    k = np.linalg.solve(r + np.matmul(back, b), np.matmul(back, a)) if discrete else np.linalg.solve(r, back)
    closed = a - np.matmul(b, k)
    return k, closed, np.matmul(x, closed) if discrete else x


def _cost(g: Any, closed: Any, discrete: bool) -> Any:
    """Return the cotangent of the cost of the feedback, from that of the solution."""
    g = hermitian_part(g)
    return discrete_lyapunov(conjugate(closed), g, None) if discrete else -sylvester(conjugate(closed), closed.mT, g)


def _pull_a(g: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool, **more: Any) -> Any:
    _, closed, weight = _loop(y, a, b, r, discrete)
    return 2.0 * np.matmul(conjugate(weight), _cost(g, closed, discrete))


def _pull_b(g: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool, **more: Any) -> Any:
    k, closed, weight = _loop(y, a, b, r, discrete)
    return -2.0 * np.matmul(np.matmul(conjugate(weight), _cost(g, closed, discrete)), k.mT)


def _pull_q(g: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool, **more: Any) -> Any:
    return _cost(g, _loop(y, a, b, r, discrete)[1], discrete)


def _pull_r(g: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool, **more: Any) -> Any:
    k, closed, _ = _loop(y, a, b, r, discrete)
    return np.matmul(np.matmul(conjugate(k), _cost(g, closed, discrete)), k.mT)


def _push(tangents: Sequence[Any], y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool, **more: Any) -> Any:
    ta, tb, tq, tr = tangents
    k, closed, weight = _loop(y, a, b, r, discrete)
    total = np.zeros_like(y) if tq is None else hermitian_part(tq)
    if tr is not None:
        total = total + np.matmul(np.matmul(adjoint(k), hermitian_part(tr)), k)
    system = ta
    if tb is not None:
        part = np.matmul(tb, k)
        system = -part if ta is None else ta - part
    if system is not None:
        total = total + 2.0 * hermitian_part(np.matmul(adjoint(weight), system))
    return discrete_lyapunov(adjoint(closed), total, None) if discrete else -sylvester(adjoint(closed), closed, total)


B = np.array([[1.0, 0.2], [0.0, -0.5], [0.3, 1.0]])

riccati_p: Primitive = Primitive(
    name="solve_riccati",
    fn=_solve,
    pulls=(_pull_a, _pull_b, _pull_q, _pull_r),
    push=_push,
    batch=lambda args, batched, **settings: apply(riccati_p, *batch_each(args, batched), **settings),
    cases=(
        case(SQUARE, B, POSITIVE, POSITIVE[:2, :2], discrete=False),
        case(SQUARE, B, POSITIVE, POSITIVE[:2, :2], discrete=True),
    ),
)
"""The solution of a continuous or discrete Riccati equation; the Hermitian parts of `q` and `r` are read."""
