"""Products in which nothing times infinity is nothing.

A padded row of a batch has a zero cotangent. Where the data in that row are NaN or infinite, the product that carries the
cotangent on would answer NaN. Here a zero in one chosen factor, the cotangent or the tangent, hides whatever it meets, as it
does in elementwise rules. And a zero in another factor hides an infinity in the chosen one, which an infinite slope has left
there: what such a zero keeps from going forwards does not come back either. A NaN in the chosen factor stays.

The plain product is computed first, and only where it has a NaN another one. Where values must not be looked at (`vmap`,
`jit`) that decision is a node of its own, `mended_p`.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tapegrad.core.doubt import has_nan, is_finite
from tapegrad.core.primitive import PRIMITIVES, Fn, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply

Factors: TypeAlias = tuple[Any, ...]
Lead: TypeAlias = tuple[tuple[bool, ...], ...]
"""For each leading axis that `vmap` has added, which factors have it."""


def multilinear(name: str, fn: Fn, *transposes: Fn, **more: Any) -> Primitive:
    """Define a primitive that is linear in each of its inputs.

    Args:
        name: its name on the tape.
        fn: the function on arrays.
        transposes: per input ``(g, y, *args, **settings)``, the cotangent of that input. It may look at the shape only of that
            input, and not at `y`; `no_cotangent` for an input without derivative.
        more: the other fields of a `Primitive`.
    """

    def push(tangents: Sequence[Any], y: Any, *args: Any, **settings: Any) -> Any:
        total = None
        for k, t in enumerate(tangents):
            if t is not None and transposes[k] is not no_cotangent:
                factors = (*args[:k], t, *args[k + 1 :])
                part = apply(PRIMITIVES[name], *factors, **settings)
                part = mended(part, factors, of=name, slot=None, killer=k, given=settings)
                total = part if total is None else total + part
        return total

    careful = tuple(
        transpose if transpose is no_cotangent else careful_pull(name, k, transpose) for k, transpose in enumerate(transposes)
    )
    return Primitive(name=name, fn=fn, pulls=transposes, careful=careful, push=push, bilinear=len(transposes) == 2, **more)


def careful_pull(name: str, slot: int, transpose: Fn) -> Fn:
    """Return the careful rule for input `slot` of the multilinear primitive `name`: its transpose, mended."""

    def pull(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
        return mended(transpose(g, y, *args, **settings), (g, *args), of=name, slot=slot, killer=0, given=settings)

    return pull


def mended(c: Any, factors: Factors, **which: Any) -> Any:
    """Return `c`, a product of `factors` as `masked_p` takes them, without what zeros of the chosen factor should hide."""
    if type(c) is Var and c.tape.abstract:
        return c if c.tape.hopeful else apply(mended_p, c, *factors, **which)
    return apply(masked_p, *factors, **which) if may_have_nan(c) else c


def may_have_nan(c: Any) -> bool:
    """Tell whether there is a NaN in `c`, at the price of one pass; values of which none may be known may have one."""
    if type(c) is Var:
        if c.tape.abstract:
            return not c.tape.hopeful
        c = c.value
    return has_nan(c)


# The masked product


def _masked(*factors: Any, of: str, slot: int | None, killer: int, given: dict[str, Any], lead: Lead = ()) -> Any:
    if lead:
        size = next(len(x) for x, has_axis in zip(factors, lead[0], strict=True) if has_axis)
        return np.stack(
            [
                _masked(*_example(factors, lead[0], i), of=of, slot=slot, killer=killer, given=given, lead=lead[1:])
                for i in range(size)
            ]
        )
    plain = _product(factors, of, slot, given)
    others = [k for k in range(len(factors)) if k != killer and (slot is None or k != slot + 1)]
    bad = {k: ~np.isfinite(factors[k]) for k in others}
    bad[killer] = np.isinf(factors[killer])
    if not may_have_nan(plain) or not any(np.any(mask) for mask in bad.values()):
        return plain
    clean = [np.where(bad[k], np.zeros((), x.dtype), x) if k in bad else x for k, x in enumerate(factors)]
    kind = np.real(plain).dtype
    conflict: Any = False
    for k in bad:
        met = [np.ones(np.shape(x), kind) if i in bad else x for i, x in enumerate(factors)]
        for i in others if k == killer else (killer,):
            met[i] = np.asarray(factors[i] != 0).astype(kind)
        met[k] = np.asarray(bad[k]).astype(kind)
        conflict = conflict | (_product(met, of, slot, given) != 0)
    return np.where(conflict, plain, _product(clean, of, slot, given))[()]


def _example(factors: Sequence[Any], has_axis: Sequence[bool], i: int) -> list[Any]:
    return [x[i] if is_batched else x for x, is_batched in zip(factors, has_axis, strict=True)]


def _product(factors: Sequence[Any], of: str, slot: int | None, given: dict[str, Any]) -> Any:
    primitive = PRIMITIVES[of]
    if slot is None:
        return primitive.fn(*factors, **given)
    return primitive.pulls[slot](factors[0], None, *factors[1:], **given)


def _pull_masked(k: int) -> Fn:
    """Each derivative of a masked product is one, in which the cotangent has the place of the factor that it belongs to."""

    def pull(
        g: Any, y: Any, *factors: Any, of: str, slot: int | None, killer: int, given: dict[str, Any], lead: Lead = ()
    ) -> Any:
        if slot is None:
            factors, new_slot, new_killer = (g, *factors), k, 0
            flags = [(True, *level) for level in lead]
        elif k == slot + 1:
            return None
        else:
            factors = (*factors[: slot + 1], g, *factors[slot + 2 :])
            flags = [(*level[: slot + 1], True, *level[slot + 2 :]) for level in lead]
            new_slot, new_killer = k - 1, slot + 1
            if k == 0:
                factors, flags = factors[1:], [level[1:] for level in flags]
                new_slot, new_killer = None, slot
        c = apply(masked_p, *factors, of=of, slot=new_slot, killer=new_killer, given=given, **_leading(tuple(flags)))
        axes = tuple(axis for axis, level in enumerate(lead) if not level[k])
        return np.sum(c, axes) if axes else c

    return pull


def _leading(lead: Lead) -> dict[str, Lead]:
    return {"lead": lead} if lead else {}


def _push_masked(tangents: Sequence[Any], y: Any, *factors: Any, slot: int | None, killer: int, **which: Any) -> Any:
    total = None
    for k, t in enumerate(tangents):
        if t is not None and (slot is None or k != slot + 1):
            part = apply(masked_p, *factors[:k], t, *factors[k + 1 :], slot=slot, killer=k, **which)
            total = part if total is None else total + part
    return total


PRODUCTS: tuple[dict[str, Any], ...] = (
    {"of": "matmul", "slot": None, "killer": 0, "given": {}},
    {"of": "matmul", "slot": 0, "killer": 0, "given": {}},
)

masked_p: Primitive = Primitive(
    name="masked",
    fn=_masked,
    pulls=tuple(_pull_masked(k) for k in range(8)),
    push=_push_masked,
    batch=lambda args, batched, lead=(), **which: apply(masked_p, *args, lead=(tuple(batched), *lead), **which),
    cases=(case((2, 3), (3, 2), **PRODUCTS[0]), case((2, 2), (2, 3), (3, 2), **PRODUCTS[1])),
)
"""A product of factors in which zeros of factor `killer` hide what is not finite in the others.

For ``slot=None`` the factors are the inputs of the primitive `of`; else they are a cotangent and its inputs, and the product
is the transpose for input `slot` (whose own factor is there for its shape only). ``given`` holds the settings of `of`.
"""


# The decision


def _mended(c: Any, *factors: Any, slot: int | None, killer: int, **which: Any) -> Any:
    known = [x for k, x in enumerate(factors) if slot is None or k != slot + 1]  # the killer may be infinite itself
    if sum(np.size(x) for x in known) < np.size(c) and all(is_finite(x) for x in known):
        return c  # an outer product is larger than what could make it NaN
    return _masked(*factors, slot=slot, killer=killer, **which) if may_have_nan(c) else c


def _was_mended(y: Any, c: Any) -> Any:
    return np.isnan(c) & ~np.isnan(y)


def _pull_mended(g: Any, y: Any, c: Any, *factors: Any, **which: Any) -> Any:
    return np.where(_was_mended(y, c), 0.0, g) if may_have_nan(c) else g


def _pull_factor(k: int) -> Fn:
    masked_rule = _pull_masked(k)

    def pull(g: Any, y: Any, c: Any, *factors: Any, **which: Any) -> Any:
        if not may_have_nan(c):
            return None
        return masked_rule(np.where(_was_mended(y, c), g, 0.0), y, *factors, **which)

    return pull


def _push_mended(tangents: Sequence[Any], y: Any, c: Any, *factors: Any, **which: Any) -> Any:
    t = tangents[0]
    if not may_have_nan(c):
        return t
    moved = _push_masked(tangents[1:], y, *factors, **which)
    return np.where(_was_mended(y, c), 0.0 if moved is None else moved, 0.0 if t is None else t)


def _batch_mended(args: Sequence[Any], batched: Sequence[bool], lead: Lead = (), **which: Any) -> Any:
    c, *factors = args
    if not batched[0]:
        size = next(len(x) for x, is_batched in zip(args, batched, strict=True) if is_batched)
        c = np.broadcast_to(c, (size, *c.shape))
    return apply(mended_p, c, *factors, lead=(tuple(batched[1:]), *lead), **which)


mended_p: Primitive = Primitive(
    name="mended",
    fn=_mended,
    pulls=(_pull_mended, *(_pull_factor(k) for k in range(8))),
    push=_push_mended,
    batch=_batch_mended,
    cases=(case((2, 2), (2, 3), (3, 2), **PRODUCTS[0]), case((2, 3), (2, 2), (2, 3), (3, 2), **PRODUCTS[1])),
)
"""The product `c` of the factors, or if it has a NaN the masked one: what `masked_p` is where values must not be looked at."""
