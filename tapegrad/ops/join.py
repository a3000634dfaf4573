"""Operations that put arrays together: linear in all their inputs at once, of which there may be any number."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, shape_of
from tapegrad.core.primitive import OUT, PRIMITIVES, Fn, Into, Primitive, Slot, case
from tapegrad.core.var import apply


class EachPart(Sequence[Any]):
    """The pulls of an operation with any number of inputs: ``cut(g, k, **settings)`` is the cotangent of input `k`."""

    def __init__(self, cut: Fn) -> None:
        self.cut = cut

    def __getitem__(self, k: Any) -> Any:
        cut = self.cut
        return lambda g, y, *parts, **settings: cut(g, k, **settings)

    def __len__(self) -> int:
        return 1


def _push_joined(name: str) -> Callable[..., Any]:
    def push(tangents: Sequence[Any], y: Any, *parts: Any, **settings: Any) -> Any:
        moving = [np.zeros(shape_of(x), dtype_of(x)) if t is None else t for t, x in zip(tangents, parts, strict=True)]
        return apply(PRIMITIVES[name], *moving, **settings)

    return push


def _all_batched(args: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Give each input a leading axis of the common length."""
    size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
    return [x if is_batched else broadcast_to(x, (size, *shape_of(x))) for x, is_batched in zip(args, batched, strict=True)]


def _concatenated(count: int, axis: int, *parts: Any) -> Any:
    """Concatenate `count` parts, into an array if there is one behind them."""
    return np.concatenate(parts[:count], axis, out=parts[count] if len(parts) > count else None)


concatenate_p: Primitive = Primitive(
    name="concatenate",
    fn=lambda *parts, axis, ends: np.concatenate(parts, axis),
    pulls=EachPart(lambda g, k, axis, ends: g[(slice(None),) * axis + (slice(ends[k], ends[k + 1]),)]),
    push=_push_joined("concatenate"),
    batch=lambda args, batched, axis, ends: apply(concatenate_p, *_all_batched(args, batched), axis=axis + 1, ends=ends),
    into=lambda args, settings: Into(
        partial(_concatenated, len(args), settings["axis"]), (*[Slot(k) for k in range(len(args))], OUT)
    ),
    cases=(
        case((2,), (3,), axis=0, ends=(0, 2, 5)),
        case((2, 1), (2, 2), (2, 0), axis=1, ends=(0, 1, 3, 3)),
    ),
)
"""Arrays one after the other along an axis (a non-negative number); part `k` lies between ``ends[k]`` and ``ends[k + 1]``."""

stack_p: Primitive = Primitive(
    name="stack",
    fn=lambda *parts, axis: np.stack(parts, axis),
    pulls=EachPart(lambda g, k, axis: g[k] if axis == 0 else g[(slice(None),) * axis + (k,)]),
    push=_push_joined("stack"),
    batch=lambda args, batched, axis: apply(stack_p, *_all_batched(args, batched), axis=axis + 1),
    cases=(case((), (), (), axis=0), case((2, 3), (2, 3), axis=1), case((2,), (2,), axis=1)),
)
"""Arrays of one shape along a new axis (a non-negative number)."""
