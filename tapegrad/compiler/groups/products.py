"""Products of tall matrices with small ones, by rows, and of stacks: what comes before and after them stays in the same block.

A network on many examples is such products, with elementwise steps in between. Its forward and backward pass can go through
the examples block by block: each row of ``x @ weight`` needs one row of `x`, and ``x.T @ g`` is a sum over rows. BLAS is called
with so few rows at a time that it does not start threads of its own: the blocks have threads already.

The matrices of a stack are multiplied each by itself, so that attention goes through its examples block by block.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.compiler.groups import sizes
from tapegrad.compiler.passes.rewriting import argument, producer, replayed
from tapegrad.compiler.trace import Trace
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var, binary
from tapegrad.ops.contract import across_p, matmul_p
from tapegrad.ops.shape import transpose_p

ALONE = 2**18
"""Multiplications up to which OpenBLAS computes a product of matrices on the thread that calls it."""

ALONE_VECTOR = 2**13
"""The same, for a product of a matrix and a vector."""

SMALL = 2**12
"""Elements up to which the small matrix is small: a call for fewer than 64 rows does not use the processor well."""


USEFUL = 64
"""Rows from which on one call for a part of a matrix uses the processor well."""


def is_tall(rows: int, inner: int, columns: int = 1) -> bool:
    """Tell whether a product of so many rows with a matrix of shape ``(inner, columns)`` can go by rows.

    With a vector it does earlier: that is as fast as the matrix is read.
    """
    much = rows * max(inner, columns) if columns > 1 else 2 * rows * inner
    return much >= sizes.SPILLS and rows > inner and 0 < inner * columns <= SMALL


def begins(rows: int, inner: int, columns: int = 1) -> bool:
    """Tell whether such a product can be the first step of a group: what it writes should not be read from memory again."""
    return columns == 1 or rows * columns >= sizes.SPILLS


def stack_rows(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Return how many rows of each matrix BLAS gets in one call, for stacks of these shapes; 0 if that would be too few."""
    rows, inner, columns = a[-2], a[-1], b[-1]
    at_once = rows
    while at_once * inner * columns > ALONE and at_once % 2 == 0:
        at_once //= 2
    return at_once if at_once * inner * columns <= ALONE and (at_once == rows or at_once >= USEFUL) else 0


def at_a_time(*lengths: int) -> int:
    """Return how many rows BLAS gets in one call, for a small matrix with these axes."""
    most = (ALONE if min(lengths) > 1 and len(lengths) == 2 else ALONE_VECTOR) // math.prod(lengths)
    return 1 << max(0, most.bit_length() - 1)


def is_ones(x: Any) -> bool:
    """Tell whether `x` is a constant vector of ones, with which products are sums."""
    return type(x) is np.ndarray and x.ndim == 1 and x.dtype.kind == "f" and x.size > 0 and bool((x == 1).all())


def across_rows(trace: Trace) -> Trace:
    """Find products over rows, which are recorded as products with a transposed matrix."""

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        if primitive is not matmul_p or np.result_type(value).char not in "fd" or not isinstance(value, np.ndarray):
            return None
        a, b = args
        if a.dtype != b.dtype or b.ndim > 2 or is_ones(a):
            return None
        if a.ndim == 1 and b.ndim == 2:
            return binary(across_p, b, a) if is_tall(*b.shape) else None
        if a.ndim != 2 or not is_tall(len(b), len(a), *b.shape[1:]):
            return None
        step = producer(a)
        if step is not None and (step[0] is not transpose_p or step[3]["axes"] != (1, 0)):
            return None
        rows = a.T if step is None else argument(a, 0)
        computed = type(rows) is Var and rows.index >= trace.inputs  # and perhaps in the same group
        return binary(across_p, rows, b) if computed or begins(len(b), len(a), *b.shape[1:]) else None

    return replayed(trace, rewrite) if any(step[0] is matmul_p for step in trace.steps) else trace


# What kernels call


def product_of_rows(x: Any, weight: Any, out: Any, rows: int) -> None:
    """Write ``x @ weight`` into `out`, which is laid out in C's order, some rows at a time."""
    whole = len(x) - len(x) % rows
    if whole:
        np.matmul(pieces(x[:whole], rows), weight, pieces(out[:whole], rows))
    if whole < len(x):
        np.matmul(x[whole:], weight, out[whole:])


def product_of_stacks(a: Any, b: Any, out: Any, rows: int) -> None:
    """Write the product of each two matrices of two stacks into `out`, some rows at a time."""
    if rows == a.shape[-2]:
        np.matmul(a, b, out)
    else:
        np.matmul(stack_pieces(a, rows), b[..., None, :, :], stack_pieces(out, rows))


def stack_pieces(x: Any, rows: int) -> Any:
    """Return each matrix of a stack as a stack of so many rows at a time."""
    return x.reshape(*x.shape[:-2], -1, rows, x.shape[-1])


def sum_of_products(a: Any, b: Any, rows: int) -> Any:
    """Return ``a.T @ b``, some rows at a time."""
    whole = len(a) - len(a) % rows
    if whole <= rows:
        return np.dot(a.T, b)
    right = pieces(b[:whole], rows)
    products = np.matmul(pieces(a[:whole], rows).mT, right if b.ndim == 2 else right[..., None])
    total = np.add.reduce(products, 0).reshape(a.shape[1:] + b.shape[1:])
    return total + np.dot(a[whole:].T, b[whole:]) if whole < len(a) else total


def pieces(x: Any, rows: int) -> Any:
    """Return an array of so many rows at a time."""
    return x.reshape(-1, rows, *x.shape[1:])
