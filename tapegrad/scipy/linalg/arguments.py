"""What arguments of linear algebra must be: finite, and matrices; SciPy's own errors where they are not."""

from typing import Any

import numpy as np

from tapegrad.core.primitive import Fn
from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.var import Var, apply
from tapegrad.numpy.shapes import plain
from tapegrad.ops.linalg.eigen import hermitian_p
from tapegrad.scipy.arguments import refused, traced


def given(*xs: Any, check_finite: bool = False) -> list[Any] | None:
    """Return the arguments as arrays of inexact numbers, or None; or None altogether if no argument is traced.

    Raises:
        ValueError: if `check_finite`, and an element is infinite or NaN.
    """
    arrays = traced(*xs)
    if arrays is None:
        return None
    if check_finite:
        for x in arrays:
            if x is not None:
                np.asarray_chkfinite(plain(x))
    return [x if x is None or x.dtype.kind in "fc" else x.astype(np.float64) for x in arrays]


def square(function: Fn, a: Any, *more: Any, **settings: Any) -> Any:
    """Return `a`, checked to hold square matrices; else let SciPy say what is wrong."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        refused(function, a, *more, **settings)
    return a


def hermitian(a: Any, lower: bool) -> Any:
    """Return the Hermitian matrices of which one triangle is given."""
    return apply(hermitian_p, a, lower=bool(lower))


def constant(x: Any) -> Any:
    """Return the value of `x` without its derivative."""
    return apply(stop_gradient_p, x) if type(x) is Var else x


def rows_of(b: Any) -> int | None:
    """Return how many equations a right side is for, a vector or matrices; None for what is neither."""
    rank = np.ndim(b)
    rows: int | None = b.shape[0 if rank == 1 else -2] if rank else None
    return rows


def column(b: Any) -> tuple[Any, bool]:
    """Return a right side as matrices, and whether it was a vector."""
    return (b[:, None], True) if b.ndim == 1 else (b, False)
