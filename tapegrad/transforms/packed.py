"""Nodes with many inputs and many outputs, whose rule gives all cotangents at once.

A rule of a primitive speaks of one input. What a user's own rule, or a stretch of tape that is run again, gives is all of
them together. So the inputs are packed into one node whose value is a tuple, the operation has that single input, and its
outputs are picked apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

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
    batch=lambda args, batched: tuple([x if is_batched else Same(x) for x, is_batched in zip(args, batched, strict=True)]),
    sparse=True,  # what has no rule may be packed, as long as no cotangent comes to it
)
"""Several values as one tuple."""


# Batches of packed values


@frozen(eq=False)
class Same:
    """A part that is the same for all examples of a batch, so that a matrix is one matrix, and a Python number has no dtype."""

    value: Any


def shared(parts: Sequence[Any]) -> list[Any]:
    """Return the parts of a batch as they are: those that are the same for all examples once."""
    return [x.value if type(x) is Same else x for x in parts]


def axes_of(parts: Sequence[Any]) -> tuple[int | None, ...]:
    """Return for each part of a batch the axis to map over, None where it is the same for all examples."""
    return tuple([None if type(x) is Same else 0 for x in parts])


def size_of(parts: Sequence[Any]) -> int:
    """Return the number of examples."""
    return next(int(x.shape[0]) for x in parts if type(x) is not Same)


def spread(parts: Sequence[Any], size: int) -> list[Any]:
    """Return parts of a batch of so many examples, each with a leading axis."""
    return [
        broadcast_to(x.value if type(x.value) is Var else np.asarray(x.value), (size, *shape_of(x.value)))
        if type(x) is Same
        else x
        for x in parts
    ]


# Cotangents


def slots(cotangents: Sequence[Any]) -> Slots:
    """Return the cotangent of a packed value, from those of its parts (None for a part without)."""
    return Slots({k: c for k, c in enumerate(cotangents) if c is not None})
