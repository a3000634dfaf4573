"""Block diagonal matrices: linear in all blocks at once, of which there may be any number."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.var import apply
from tapegrad.ops.join import EachPart
from tapegrad.ops.linalg.matrices import batch_each

Ends = tuple[int, ...]


def _block_diagonal(*parts: Any, rows: Ends, columns: Ends) -> Any:
    y = np.zeros((*parts[0].shape[:-2], rows[-1], columns[-1]), np.result_type(*parts))
    for k, part in enumerate(parts):
        y[..., rows[k] : rows[k + 1], columns[k] : columns[k + 1]] = part
    return y


def _push(tangents: Sequence[Any], y: Any, *parts: Any, rows: Ends, columns: Ends) -> Any:
    moving = [np.zeros(shape_of(x), dtype_of(x)) if t is None else t for t, x in zip(tangents, parts, strict=True)]
    return apply(block_diagonal_p, *moving, rows=rows, columns=columns)


block_diagonal_p: Primitive = Primitive(
    name="block_diagonal",
    fn=_block_diagonal,
    pulls=EachPart(lambda g, k, rows, columns: g[..., rows[k] : rows[k + 1], columns[k] : columns[k + 1]]),
    push=_push,
    batch=lambda args, batched, rows, columns: apply(block_diagonal_p, *batch_each(args, batched), rows=rows, columns=columns),
    cases=(
        case((2, 1), (1, 3), rows=(0, 2, 3), columns=(0, 1, 4)),
        case((2, 2, 2), (2, 1, 1), (2, 0, 1), rows=(0, 2, 3, 3), columns=(0, 2, 3, 4)),
    ),
)
"""Matrices of equal leading axes along the diagonal; block `k` lies between ``rows[k]`` and ``rows[k + 1]``."""
