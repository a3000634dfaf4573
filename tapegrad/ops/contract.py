"""Products of matrices and vectors: `matmul` of every pair of ranks.

Two matrices meet BLAS through ``dot``, which costs less than ``matmul`` per call and, like it, takes transposed operands
without copying; where the product is large through ``matmul``, which does not fill it with zeros first. Stacks of matrices
against one matrix are one product of that matrix, not one for each of the stack.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of, sum_to
from tapegrad.core.families import align, multilinear
from tapegrad.core.primitive import OUT, UFUNCS, Into, Primitive, Slot, case
from tapegrad.core.var import Var, apply

ndarray = np.ndarray

LARGE = 2**14
"""Elements of a product from which on ``matmul`` is faster than ``dot``: the zeros that ``dot`` writes first are then in the
way of the threads of BLAS (with them products of 64 to 784 rows and columns take 1.0 to 1.3 times as long)."""


def product(a: Any, b: Any, out: Any = None) -> Any:
    """Return the product of two matrices, which may be traced; of plain ones written into `out`, if it is given."""
    if type(a) is not ndarray or type(b) is not ndarray:
        return np.dot(a, b)
    if len(a) * b.shape[1] >= LARGE and a.dtype is b.dtype and a.dtype.char in "fdFD" and a.flags.forc and b.flags.forc:
        return np.matmul(a, b, out)  # BLAS gets both as they are; `dot` copies what is laid out otherwise
    return a.dot(b, out)


def _matmul(a: Any, b: Any) -> Any:
    try:
        if a.ndim == 2 == b.ndim:
            return a.dot(b) if len(a) * b.shape[1] < LARGE else product(a, b)
        if b.ndim == 1 and 0 < a.ndim <= 2:
            return a.dot(b)
        if b.ndim == 2 and a.ndim > 2 and a.flags.c_contiguous:
            return product(_rows(a), b).reshape(*a.shape[:-1], b.shape[1])
    except (AttributeError, ValueError):  # a number, or shapes that do not fit: NumPy says so
        pass
    return np.matmul(a, b)


def _rows(x: Any) -> Any:
    """Return a stack of matrices as one tall matrix."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _pull_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 == b.ndim:
        return g.dot(b.T) if type(g) is ndarray and type(b) is ndarray and a.size < LARGE else product(g, b.T)
    if b.ndim == 1:
        return g * b if a.ndim == 1 else _outer(g, b) if a.ndim == 2 else g[..., None] * b
    if a.ndim == 1:
        return sum_to(np.dot(b, g) if b.ndim == 2 else np.matmul(b, g[..., None])[..., 0], a.shape)
    if b.ndim == 2:
        return product(_rows(g), b.T).reshape(a.shape)
    return sum_to(np.matmul(g, b.mT), a.shape)


def _pull_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 == b.ndim:
        return a.T.dot(g) if type(g) is ndarray and type(a) is ndarray and b.size < LARGE else product(a.T, g)
    if a.ndim == 1:
        return g * a if b.ndim == 1 else _outer(a, g) if b.ndim == 2 else a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return np.dot(g.reshape(g.size), _rows(a))
    if b.ndim == 2:
        return product(_rows(a).T, _rows(g))
    return sum_to(np.matmul(a.mT, g), b.shape)


def _outer(a: Any, b: Any) -> Any:
    """Return the outer product of two vectors, as one operation where it is recorded."""
    return apply(outer_p, a, b) if type(a) is Var or type(b) is Var else a[:, None] * b


def _batch_matmul(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    a, b = args
    rank_a, rank_b = len(shape_of(a)) - batched[0], len(shape_of(b)) - batched[1]
    if rank_a == 1 and not batched[1]:  # rows of a matrix
        return np.matmul(a, b) if rank_b <= 2 else np.matmul(a[:, *(None,) * (rank_b - 1), :], b)[..., 0, :]
    if rank_b == 1 and not batched[0]:
        return (
            np.matmul(b, np.matrix_transpose(a))
            if rank_a == 2
            else np.matmul(a, b[:, *(None,) * (rank_a - 2), :, None])[..., 0]
        )
    row, column = rank_a == 1, rank_b == 1
    a, b = align([a[..., None, :] if row else a, b[..., None] if column else b], batched)
    y = np.matmul(a, b)
    if row and column:
        return y[..., 0, 0]
    return y[..., 0, :] if row else y[..., 0] if column else y


def _into_matmul(args: Sequence[Any], settings: dict[str, Any]) -> Into | None:
    a, b = args
    if type(a) is not ndarray or type(b) is not ndarray or a.dtype != b.dtype or a.dtype.char not in "fdFD":
        return None
    if a.ndim == 2 == b.ndim and len(a) * b.shape[1] >= LARGE:
        return Into(product, (Slot(0), Slot(1), OUT))
    if a.ndim <= 2 == b.ndim or (a.ndim == 2 and b.ndim == 1):
        return Into(np.dot, (Slot(0), Slot(1), OUT))
    if a.ndim + b.ndim > 2:
        return Into(np.matmul, (Slot(0), Slot(1), OUT))
    return Into(np.dot, (Slot(0), Slot(1))) if a.ndim == 1 == b.ndim else None


matmul_p = multilinear(
    "matmul",
    _matmul,
    _pull_left,
    _pull_right,
    batch=_batch_matmul,
    into=_into_matmul,
    cases=(
        case((3, 4), (4, 2)),
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 2)),
        case((3,), (2, 3, 4)),
        case((2, 4, 3), (3,)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((2, 1, 2, 3), (5, 3, 2)),
        case((0, 3), (3, 2)),
        case((2, 0), (0, 3)),
    ),
)
UFUNCS[np.matmul] = matmul_p


# Products over rows: of a matrix, transposed, with another one or a vector. Programs take them to pieces, block by block


def _across(a: Any, b: Any, out: Any = None) -> Any:
    return np.dot(a.T, b, out) if type(a) is ndarray else np.dot(np.transpose(a), b)


across_p = multilinear(
    "across",
    _across,
    lambda g, y, a, b: np.dot(b, g.T) if b.ndim == 2 else _outer(b, g),
    lambda g, y, a, b: np.dot(a, g),
    batch=lambda args, batched: _batch_matmul((np.swapaxes(args[0], -1, -2), args[1]), batched),
    into=lambda args, settings: Into(_across, (Slot(0), Slot(1), OUT)),
    cases=(case((3, 2), (3, 4)), case((3, 2), (3,)), case((1, 2), (1, 2)), case((0, 3), (0, 2))),
)
"""``a.T @ b``."""


# The outer product


def _batch_outer(args: Sequence[Any], batched: Sequence[bool]) -> Any:
    a, b = args
    rows, columns = ("ei" if batched[0] else "i"), ("ej" if batched[1] else "j")
    if shape_of(a)[-1] <= shape_of(b)[-1]:
        return np.einsum(f"{rows},{columns}->eij", a, b)
    return np.einsum(f"{rows},{columns}->eji", a, b).swapaxes(1, 2)  # written along the longer axis


outer_p: Primitive = multilinear(
    "outer",
    lambda a, b: np.outer(a, b),
    lambda g, y, a, b: np.dot(g, b),
    lambda g, y, a, b: np.dot(a, g),
    batch=_batch_outer,
    cases=(case((3,), (4,)), case((1,), (3,)), case((0,), (3,)), case((3,), (0,))),
)
"""The products of all pairs of elements of two vectors. Its transposes are products with the vectors: nothing of the size of
the output is made."""


# The cross product


cross_p: Primitive = multilinear(
    "cross",
    lambda a, b: np.cross(a, b),
    lambda g, y, a, b: sum_to(apply(cross_p, b, g), a.shape),
    lambda g, y, a, b: sum_to(apply(cross_p, g, a), b.shape),
    batch=lambda args, batched: apply(cross_p, *align(args, batched)),
    cases=(case((3,), (3,)), case((2, 3), (3,)), case((2, 1, 3), (4, 3))),
)
"""The cross product of vectors of three elements, along the last axis."""
