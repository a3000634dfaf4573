"""Analytic functions of matrices, and their derivatives of any order.

The derivative of ``f(a)`` in the direction `e` stands in the upper right block of `f` of ``[[a, e], [0, a]]``. The derivative
of that is the same block once more, so one operation, which is linear in `e`, serves every order; and since
``f(a.T) = f(a).T``, its transpose is the derivative at ``a.T``.

References:
    N. J. Higham, "Functions of Matrices: Theory and Computation", SIAM 2008, https://doi.org/10.1137/1.9780898717778,
    theorem 3.6 (equation 3.16).

    A. H. Al-Mohy, N. J. Higham, "Computing the Frechet derivative of the matrix exponential, with an application to condition
    number estimation", SIAM J. Matrix Anal. Appl. 30 (2009), https://doi.org/10.1137/080716426, which SciPy uses for large
    matrices.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.core.arrays import shape_of
from tapegrad.core.primitive import PRIMITIVES, Case, Fn, Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.linalg.matrices import batch_each
from tapegrad.ops.linalg.solving import SQUARE, STACK
from tapegrad.ops.linalg.triangular import POSITIVE
from tapegrad.ops.scipy_linalg.equations import sylvester
from tapegrad.ops.scipy_linalg.logarithm import each_pair, in_schur_basis, log_derivative, triangular_log

LARGE = 32
"""From this size on, SciPy's own algorithm for the derivative of the exponential is faster than blocks, for a single matrix."""

scipy_expm: Fn = scipy.linalg.expm
scipy_expm_frechet: Fn = scipy.linalg.expm_frechet
scipy_logm: Fn = scipy.linalg.logm
scipy_sqrtm: Fn = scipy.linalg.sqrtm
scipy_power: Fn = scipy.linalg.fractional_matrix_power


def blocks(a: Any, e: Any) -> Any:
    """Return ``[[a, e], [0, a]]``."""
    return np.concatenate(
        [np.concatenate([a, e], axis=-1), np.concatenate([np.zeros_like(a), a], axis=-1)],
        axis=-2,
    )


def upper_right(x: Any) -> Any:
    n = shape_of(x)[-1] // 2
    return x[..., :n, n:]


def _twice(e: Any) -> Any:
    """Return ``[[e, 0], [0, e]]``."""
    zero = np.zeros_like(e)
    return np.concatenate([np.concatenate([e, zero], axis=-1), np.concatenate([zero, e], axis=-1)], axis=-2)


def matrix_function(name: str, fn: Fn, frechet: Fn, cases: tuple[Case, ...]) -> Primitive:
    """Define an analytic function of matrices, and its derivative.

    Args:
        name: its name on the tape; the derivative is called ``name_frechet``.
        fn: the function, of matrices ``(..., n, n)``.
        frechet: ``frechet(a, e, **settings)``, its derivative at `a` in the direction `e`.
        cases: what to try it on.
    """

    def derivative(a: Any, e: Any, **settings: Any) -> Any:
        return apply(PRIMITIVES[f"{name}_frechet"], a, e, **settings)

    def second(a: Any, e: Any, h: Any, settings: dict[str, Any]) -> Any:
        return upper_right(derivative(blocks(a, e), _twice(h), **settings))

    def push_derivative(tangents: Sequence[Any], y: Any, a: Any, e: Any, **settings: Any) -> Any:
        ta, te = tangents
        total = None if ta is None else second(a, e, ta, settings)
        if te is not None:
            part = derivative(a, te, **settings)
            total = part if total is None else total + part
        return total

    Primitive(
        name=f"{name}_frechet",
        fn=frechet,
        pulls=(
            lambda g, y, a, e, **settings: second(a.mT, e.mT, g, settings),
            lambda g, y, a, e, **settings: derivative(a.mT, g, **settings),
        ),
        push=push_derivative,
        batch=lambda args, batched, **settings: derivative(*batch_each(args, batched), **settings),
        cases=tuple([Case((one.inputs[0], one.inputs[0].shape), one.settings) for one in cases]),
    )
    return Primitive(
        name=name,
        fn=fn,
        pulls=(lambda g, y, a, **settings: derivative(a.mT, g, **settings),),
        push=lambda tangents, y, a, **settings: derivative(a, tangents[0], **settings),
        batch=lambda args, batched, **settings: apply(PRIMITIVES[name], args[0], **settings),
        cases=cases,
    )


# The exponential


def _expm_frechet(a: Any, e: Any) -> Any:
    if a.ndim == 2 and len(a) >= LARGE and not (a.dtype.kind == "f" and e.dtype.kind == "c"):
        return scipy_expm_frechet(a, e, compute_expm=False, check_finite=False).astype(np.result_type(a, e))
    return upper_right(scipy_expm(blocks(a, e)))


expm_p = matrix_function("expm", scipy_expm, _expm_frechet, cases=(case(SQUARE), case(STACK), case(np.array([[0.5]]))))
expm_frechet_p = PRIMITIVES["expm_frechet"]

# Logarithm and powers


def _logm(a: Any) -> Any:
    if a.dtype.char not in "fF":
        return scipy_logm(a)
    with warnings.catch_warnings():  # SciPy measures the error of single precision by the standards of double
        warnings.simplefilter("ignore", RuntimeWarning)
        return scipy_logm(a)


def _quietly(derivative: Fn) -> Fn:
    """Return a derivative without warnings: what there is to say about `a` was said when the function was computed."""

    def quiet(a: Any, e: Any, **settings: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return derivative(a, e, **settings)

    return quiet


logm_p = matrix_function("logm", _logm, _quietly(log_derivative), cases=(case(SQUARE), case(np.stack([SQUARE, POSITIVE]))))
"""The principal logarithm; complex where a real matrix has negative eigenvalues."""


@each_pair
def _power_derivative(a: Any, e: Any, t: float) -> Any:
    """Return the derivative of the exponential of `t` times the logarithm."""

    def triangular(upper: Any, inner: Any) -> Any:
        log, moved = triangular_log(upper, inner)
        return upper_right(scipy_expm(blocks(t * log, t * moved)))

    return in_schur_basis(a, e, triangular)


power_p = matrix_function(
    "fractional_matrix_power",
    lambda a, t: scipy_power(a, t),
    _quietly(_power_derivative),
    cases=(case(SQUARE, t=0.5), case(np.stack([SQUARE, POSITIVE]), t=-1.3)),
)
"""The principal power with exponent `t`, a number."""


# The square root


def _root_derivative(y: Any, e: Any) -> Any:
    """Return the solution of ``y @ x + x @ y = e``, by which the square root `y` moves."""
    return sylvester(y, y, e)


sqrtm_p: Primitive = Primitive(
    name="sqrtm",
    fn=scipy_sqrtm,
    pulls=(lambda g, y, a: _root_derivative(y.mT, g),),
    push=lambda tangents, y, a: _root_derivative(y, tangents[0]),
    batch=lambda args, batched: apply(sqrtm_p, args[0]),
    cases=(case(SQUARE), case(np.stack([SQUARE, POSITIVE])), case(np.array([[2.0]]))),
)
"""The principal square root; complex where a real matrix has negative eigenvalues."""
