"""Sums of products over named axes, under NumPy's names."""

from typing import Any

import numpy as np

from tapegrad.core.beside import constant
from tapegrad.core.primitive import Fn
from tapegrad.core.structure import astype
from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, refuse_out, stands_for
from tapegrad.ops.einsum import einsum1_p, einsum2_p, plan
from tapegrad.typing import Array, DTypeLike

numpy_einsum: Fn = np.einsum

numpy_einsum_path: Fn = np.einsum_path


@stands_for(np.einsum)
def einsum(
    *operands: Any,
    out: None = None,
    optimize: Any = False,
    dtype: DTypeLike | None = None,
    order: str = "K",
    casting: str = "safe",
) -> Array:
    """Return the sum of products of the operands over named axes.

    Traced operands are contracted two at a time, in the order that `optimize` says (greedily, for False), and large
    contractions go to BLAS.

    Args:
        operands: subscripts, such as ``"ij,jk->ik"``, and arrays; or arrays, each followed by the list of its labels, and the
            list of the output's labels. Ellipses stand for axes that broadcast; a label repeated within an operand takes a
            diagonal.
        out: not supported.
        optimize: the order of contraction: a bool, 'greedy', 'optimal', or a path from `einsum_path`.
        dtype: what to compute in.
        order: memory order of the result; traced values have none.
        casting: what casts to `dtype` are allowed.

    Returns:
        An array with the axes of the output.

    Raises:
        ValueError: if subscripts and operands do not fit.

    Example:
        >>> einsum("ij,j->i", np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
        array([21., 43.])
    """
    if out is not None:
        refuse_out(out, "einsum")
    subscripts, given = _split(operands)
    arrays: list[Any] = [x if type(x) is Var else gathered(x) for x in given]
    if not any(type(x) is Var for x in arrays):
        y: Array = numpy_einsum(*operands, optimize=optimize, dtype=dtype, order=order, casting=casting)
        return y
    arrays = [
        x if type(x) is Var or isinstance(x, (np.ndarray, float)) else constant(np.asarray(x), "einsum", position)
        for position, x in enumerate(arrays)
    ]
    if dtype is not None:
        for x in arrays:
            if not np.can_cast(x.dtype, dtype, casting):  # type: ignore[arg-type]  # NumPy says which there are
                raise TypeError(
                    f"einsum: cannot cast an operand from {x.dtype} to {np.dtype(dtype)} according to the rule '{casting}'"
                )
        arrays = [astype(x, dtype) for x in arrays]
    shapes = tuple([x.shape if type(x) is not float else () for x in arrays])
    try:
        todo = plan(subscripts, shapes, tuple(optimize) if isinstance(optimize, list) else optimize)
    except (ValueError, StopIteration):
        np.einsum(subscripts, *[np.broadcast_to(0.0, shape) for shape in shapes])  # says what is wrong
        raise
    for k, (shape, reduced) in enumerate(zip(todo.squeezed, todo.reduced, strict=True)):
        if shape is not None:
            arrays[k] = np.reshape(arrays[k], shape)
        if reduced is not None:
            arrays[k] = apply(einsum1_p, arrays[k], subscripts=reduced)
    for i, j, pair in todo.steps:
        product = apply(einsum2_p, arrays[i], arrays[j], subscripts=pair)
        del arrays[j], arrays[i]
        arrays.append(product)
    result: Array = arrays[0]
    return result


@stands_for(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", **settings: Any) -> tuple[list[Any], str]:
    """Return the order in which to contract the operands of an einsum, and a report on what it costs.

    Args:
        operands: as for `einsum`; only their shapes matter.
        optimize: a bool, 'greedy', 'optimal', or a tuple of one of these and the largest size of an intermediate result.
        settings: NumPy's own.

    Returns:
        The path, for `einsum`, and the report.

    Raises:
        ValueError: if subscripts and operands do not fit.

    Example:
        >>> einsum_path("ij,jk->ik", np.ones((2, 3)), np.ones((3, 4)))[0]
        ['einsum_path', (0, 1)]
    """
    shapes = [np.broadcast_to(0.0, x.shape) if type(x) is Var else x for x in operands]
    path: tuple[list[Any], str] = numpy_einsum_path(*shapes, optimize=optimize, **settings)
    return path


def _split(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Return subscripts and operands of any form of einsum."""
    if len(operands) < 2 and not (operands and isinstance(operands[0], str)):
        raise ValueError("einsum: expected subscripts and operands, or operands each with the list of its labels")
    if isinstance(operands[0], str):
        return operands[0], list(operands[1:])
    arrays, lists = list(operands[: len(operands) // 2 * 2 : 2]), list(operands[1::2])
    text = ",".join(_written(labels) for labels in lists)
    return (text + "->" + _written(operands[-1]) if len(operands) % 2 else text), arrays


def _written(labels: Any) -> str:
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join("..." if c is Ellipsis else names[int(c)] for c in labels)
