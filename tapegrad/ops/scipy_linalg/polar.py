"""The polar decomposition of a matrix that is square or tall, and of full rank.

Its derivative divides by sums of singular values only. That of the singular value decomposition, through which it is computed,
divides by their differences too: here nothing happens where singular values coincide.

References:
    N. J. Higham, "Functions of Matrices: Theory and Computation", SIAM 2008, https://doi.org/10.1137/1.9780898717778,
    chapter 8.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.primitive import Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import adjoint, conjugate, parts
from tapegrad.ops.linalg.solving import SQUARE
from tapegrad.ops.linalg.triangular import TALL
from tapegrad.ops.scipy_linalg.equations import sylvester

scipy_polar: Fn = scipy.linalg.polar


def _outside(u: Any, x: Any, p: Any) -> Any:
    """Return the part of `x` outside of the span of `u`, divided by `p` from the right."""
    rest = x - np.matmul(u, np.matmul(adjoint(u), x))
    return adjoint(np.linalg.solve(p, adjoint(rest)))


def _pull(g: Sequence[Any], y: Sequence[Any], a: Any) -> Any:
    gu, gp = (conjugate(part) for part in g)
    u, p = y
    turn = sylvester(p, p, np.matmul(adjoint(u), gu) - np.matmul(gp, p))
    c = np.matmul(u, gp + turn - adjoint(turn))
    return conjugate(c if a.shape[-1] == a.shape[-2] else c + _outside(u, gu, p))


def _push(tangents: Sequence[Any], y: Sequence[Any], a: Any) -> tuple[Any, Any]:
    t = tangents[0]
    u, p = y
    inside = np.matmul(adjoint(u), t)
    turn = sylvester(p, p, inside - adjoint(inside))
    tu = np.matmul(u, turn)
    return tu if a.shape[-1] == a.shape[-2] else tu + _outside(u, t, p), inside - np.matmul(turn, p)


polar_p: Primitive = Primitive(
    name="polar",
    fn=lambda a: tuple(scipy_polar(a)),
    pulls=(_pull,),
    push=_push,
    batch=lambda args, batched: parts(apply(polar_p, args[0])),
    cases=(case(SQUARE), case(TALL), case(np.stack([SQUARE, np.eye(3)])), case(np.array([[-2.0]]))),
)
"""The unitary factor `u` and the positive one `p` of ``a = u @ p``."""
