"""Products in which nothing times infinity is nothing.

A padded row of a batch has a zero cotangent. Where the data in that row are NaN or infinite, the product that carries the
cotangent on would answer NaN. Here a zero in one chosen factor (the cotangent, the tangent) takes the place of whatever it
meets, as it does in elementwise rules.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.primitive import PRIMITIVES, Fn, Primitive, no_cotangent
from tapegrad.core.var import Var, apply


def careful_pull(name: str, slot: int, transpose: Fn) -> Fn:
    """Return the careful rule for input `slot` of the multilinear primitive `name`: its transpose, masked."""

    def pull(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
        return defined(transpose(g, y, *args, **settings), (g, *args), of=name, slot=slot, killer=0, given=settings)

    return pull


def defined(c: Any, factors: tuple[Any, ...], **which: Any) -> Any:
    """Return `c`, a product of `factors` as `masked_p` takes them, without what zeros of the chosen factor should hide."""
    if type(c) is Var:
        if c.tape.abstract or not has_nan(c.value):
            return c
    elif not has_nan(c):
        return c
    return apply(masked_p, *factors, **which)


def has_nan(c: Any) -> bool:
    """Tell whether `c` may have a NaN, at the price of one pass."""
    if type(c) is np.ndarray:
        flat = c.ravel("K")
        c = flat.dot(flat)
    return bool(c != c)


def _masked(*factors: Any, of: str, slot: int | None, killer: int, given: dict[str, Any]) -> Any:
    plain = _product(factors, of, slot, given)
    others = [k for k in range(len(factors)) if k != killer and (slot is None or k != slot + 1)]
    bad = {k: ~np.isfinite(factors[k]) for k in others}
    if not has_nan(plain) or not any(np.any(mask) for mask in bad.values()):
        return plain
    clean = [np.where(bad[k], np.zeros((), x.dtype), x) if k in bad else x for k, x in enumerate(factors)]
    kind = np.real(plain).dtype
    conflict = np.zeros((), bool)
    for k in others:
        ones = [np.ones(np.shape(x), kind) if i in bad else x for i, x in enumerate(factors)]
        ones[killer] = np.asarray(factors[killer] != 0).astype(kind)
        ones[k] = np.asarray(bad[k]).astype(kind)
        conflict = conflict | (_product(ones, of, slot, given) != 0)
    return np.where(conflict, plain, _product(clean, of, slot, given))[()]


def _product(factors: Sequence[Any], of: str, slot: int | None, given: dict[str, Any]) -> Any:
    primitive = PRIMITIVES[of]
    if slot is None:
        return primitive.fn(*factors, **given)
    return primitive.pulls[slot](factors[0], None, *factors[1:], **given)


def _pull_masked(k: int) -> Fn:
    """Each derivative of a masked product is one, in which the cotangent has the place of the factor that it belongs to."""

    def pull(g: Any, y: Any, *factors: Any, of: str, slot: int | None, killer: int, given: dict[str, Any]) -> Any:
        if slot is None:
            return apply(masked_p, g, *factors, of=of, slot=k, killer=0, given=given)
        if k == slot + 1:
            return None
        moved = (*factors[: slot + 1], g, *factors[slot + 2 :])
        if k == 0:
            return apply(masked_p, *moved[1:], of=of, slot=None, killer=slot, given=given)
        return apply(masked_p, *moved, of=of, slot=k - 1, killer=slot + 1, given=given)

    return pull


def _push_masked(
    tangents: Sequence[Any], y: Any, *factors: Any, of: str, slot: int | None, killer: int, given: dict[str, Any]
) -> Any:
    total = None
    for k, t in enumerate(tangents):
        if t is not None and (slot is None or k != slot + 1):
            part = apply(masked_p, *factors[:k], t, *factors[k + 1 :], of=of, slot=slot, killer=k, given=given)
            total = part if total is None else total + part
    return total


masked_p = Primitive(
    name="masked",
    fn=_masked,
    pulls=tuple(_pull_masked(k) for k in range(8)),
    push=_push_masked,
)
"""A product of factors in which zeros of factor `killer` hide what is not finite in the others.

For ``slot=None`` the factors are the inputs of the primitive `of`; else they are a cotangent and its inputs, and the product
is the transpose for input `slot` (whose own factor is there for its shape only). ``given`` holds the settings of `of`.
"""


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
                part = defined(part, factors, of=name, slot=None, killer=k, given=settings)
                total = part if total is None else total + part
        return total

    careful = tuple(
        transpose if transpose is no_cotangent else careful_pull(name, k, transpose) for k, transpose in enumerate(transposes)
    )
    return Primitive(name=name, fn=fn, pulls=transposes, careful=careful, push=push, **more)
