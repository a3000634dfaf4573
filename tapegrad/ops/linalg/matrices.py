"""What rules about matrices are written in: adjoints, masks, divided differences that stay finite.

JAX's convention holds: ``Re(sum(g * t))`` pairs cotangents with tangents, without a conjugate. The literature pairs
``Re(trace(G.H @ T))``; its formulas are used on the conjugate of the cotangent, and the result is conjugated again.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to
from tapegrad.core.masked import mended
from tapegrad.core.structure import parts as parts
from tapegrad.core.var import Var


def is_complex(x: Any) -> bool:
    return bool(x.dtype.kind == "c")


def conjugate(x: Any) -> Any:
    """Return the conjugate of `x`, which is `x` itself where it is real."""
    return np.conjugate(x) if is_complex(x) else x


def adjoint(x: Any) -> Any:
    """Return the conjugate transpose of each matrix."""
    return conjugate(x).mT


def real(x: Any) -> Any:
    return np.real(x) if is_complex(x) else x


def hermitian_part(x: Any) -> Any:
    return 0.5 * (x + adjoint(x))


def diagonal(x: Any) -> Any:
    """Return the diagonal of each matrix, shape ``(..., n)``."""
    return np.einsum("...ii->...i", x)


def on_diagonal(x: Any) -> Any:
    """Return the diagonal matrices with the vectors `x`, shape ``(..., n, n)``."""
    return x[..., None] * np.eye(x.shape[-1], dtype=x.dtype)


def triangle(n: int, diagonal: float, below: float, dtype: np.dtype[Any]) -> Any:
    """Return an ``(n, n)`` mask with one number on the diagonal, another below it, and zeros above."""
    make = _kept_triangle if n <= SMALL else _triangle
    return make(n, diagonal, below, np.finfo(dtype).dtype)


SMALL = 256
"""The size up to which masks are kept: they are as much work as the arithmetic on small matrices."""


def _triangle(n: int, diagonal: float, below: float, dtype: np.dtype[Any]) -> Any:
    mask = np.tri(n, k=-1, dtype=dtype) * dtype.type(below) + np.eye(n, dtype=dtype) * dtype.type(diagonal)
    mask.flags.writeable = False
    return mask


_kept_triangle = lru_cache(16)(_triangle)


def as_if_lower(s: Any, lower: bool = True) -> Any:
    """Return the cotangent of a matrix of which one triangle was read, from that of the Hermitian matrix it stands for."""
    mask = triangle(s.shape[-1], 1.0, 2.0, s.dtype)
    return s * (mask if lower else mask.T)


def from_lower(t: Any, lower: bool = True) -> Any:
    """Return the Hermitian matrix of which one triangle is that of `t`."""
    mask = triangle(t.shape[-1], 0.5, 1.0, t.dtype)
    half = t * (mask if lower else mask.T)
    return half + adjoint(half)


def inverse_gaps(gaps: Any, scale: Any, n: int) -> Any:
    """Return ``1 / gaps``, but 0 where a gap is nothing but rounding error of numbers of size `scale`."""
    small = np.abs(gaps) <= scale * (n * float(np.finfo(gaps.dtype).eps))
    return np.where(small, 0.0, 1.0 / np.where(small, 1.0, gaps))


def largest(x: Any) -> Any:
    """Return the largest absolute value of each vector, shape ``(..., 1, 1)``; 0 for a vector without elements."""
    return np.max(np.abs(x), axis=-1, keepdims=True, initial=0.0)[..., None]


def absent(g: Any) -> bool:
    """Tell whether a cotangent is one of those zeros that stand for an output that nothing depends on."""
    return type(g) is not Var and not np.any(g)


def times(a: Any, b: Any, killer: int) -> Any:
    """Return ``a @ b``, in which zeros of factor `killer` hide what is not finite in the other."""
    return mended(np.matmul(a, b), (a, b), of="matmul", slot=None, killer=killer, given={})


def batch_each(args: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Return arguments of which all have a leading axis: NumPy's own functions on matrices take it from there."""
    size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
    return [x if is_batched else broadcast_to(x, (size, *x.shape)) for x, is_batched in zip(args, batched, strict=True)]
