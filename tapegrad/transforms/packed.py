"""Nodes with many inputs and many outputs, whose rule gives all cotangents at once.

A rule of a primitive speaks of one input. What a user's own rule, or a stretch of tape that is run again, gives is all of
them together. So the inputs are packed into one node whose value is a tuple, the operation has that single input, and its
outputs are picked apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, shape_of
from tapegrad.core.pending import Slots
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import Var


class EachPart(Sequence[Any]):
    """The pulls of `pack`, one for however many inputs there are: each takes its own part."""

    def __getitem__(self, k: Any) -> Any:
        return lambda g, y, *parts: g[k]

    def __len__(self) -> int:
        return 1


pack_p = Primitive(
    name="pack",
    fn=lambda *parts: tuple(parts),
    pulls=EachPart(),
    push=lambda tangents, y, *parts: tuple(tangents),
    batch=lambda args, batched: _all_batched(args, batched),
    sparse=True,  # what has no rule may be packed, as long as no cotangent comes to it
)
"""Several values as one tuple."""


def _all_batched(args: Sequence[Any], batched: Sequence[bool]) -> tuple[Any, ...]:
    size = next(x.shape[0] for x, is_batched in zip(args, batched, strict=True) if is_batched)
    return tuple(
        x if is_batched else broadcast_to(x if type(x) is Var else np.asarray(x), (size, *shape_of(x)))
        for x, is_batched in zip(args, batched, strict=True)
    )


def slots(cotangents: Sequence[Any]) -> Slots:
    """Return the cotangent of a packed value, from those of its parts (None for a part without)."""
    return Slots({k: c for k, c in enumerate(cotangents) if c is not None})
