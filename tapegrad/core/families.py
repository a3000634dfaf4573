"""Families of primitives: what most rules have in common, so that each derivative is written once.

* `elementwise`: one slope per input, ``(g, y, *args) -> g * d``. A diagonal Jacobian is its own transpose, so the slope
  serves both directions; broadcasting, and zero cotangents that meet infinite slopes, are seen to here.
* `linear`: linear in its first input; the transpose is written down, the tangent is the operation itself.
* `multilinear`: linear in each input; a transpose per input, the tangent is the operation with one input replaced.
* `constant`: the output has no derivative.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import broadcast_to, dtype_of, guard, shape_of
from tapegrad.core.doubt import are_hopeful
from tapegrad.core.masked import may_have_nan
from tapegrad.core.masked import multilinear as multilinear
from tapegrad.core.primitive import PRIMITIVES, UFUNCS, Case, Fn, Missing, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply

Domain = tuple[float, float]


def elementwise(
    name: str,
    fn: Fn,
    *slopes: Fn,
    domain: Domain | tuple[Domain, ...] = (-2.0, 2.0),
    finite: bool = False,
    fast: Sequence[Fn] | None = None,
    bare: Sequence[Fn] | None = None,
    stands_for: np.ufunc | None = None,
    cases: tuple[Case, ...] = (),
    **more: Any,
) -> Primitive:
    """Define an elementwise primitive.

    Args:
        name: its name on the tape.
        fn: the function on arrays.
        slopes: per input ``(g, y, *args, **settings) -> g * d``, where `d` is the derivative of `y` by that input;
            `no_cotangent` for an input without derivative, `missing` for one whose derivative is not known here.
        domain: where it is smooth, for one input or for each.
        finite: the slopes are finite whatever the inputs, so that no product needs a guard.
        fast: the same slopes in quicker words, for plain arrays only; they may answer NaN where a cotangent is infinite.
        bare: the same, recorded where a tape is hopeful: they may answer NaN likewise, but must be NumPy code as `slopes` are.
        stands_for: the NumPy ufunc it is recorded for; `fn` itself where that is one.
        cases: inputs for the contract tests, where random ones from the domain do not do.
        more: the other fields of a `Primitive`.
    """
    if bare is not None:
        slopes = tuple(_hopeful(slope, other) for slope, other in zip(slopes, bare, strict=True))
    domains = domain if isinstance(domain[0], tuple) else (domain,) * len(slopes)
    primitive = Primitive(
        name=name,
        fn=fn,
        pulls=fast or slopes,
        careful=slopes if finite else tuple(_careful(slope) for slope in slopes),
        broadcasts=True,
        elementwise=True,
        push=_push(slopes, finite),
        batch=batch_elementwise(name),
        domain=domains,
        cases=cases,
        **more,
    )
    if isinstance(stands_for or fn, np.ufunc):
        UFUNCS[stands_for or fn] = primitive  # type: ignore[index]  # a ufunc, by the line above
    return primitive


def _hopeful(slope: Fn, bare: Fn) -> Fn:
    if slope is no_cotangent:
        return slope

    def chosen(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
        return (bare if are_hopeful(g, y, *args) else slope)(g, y, *args, **settings)

    return chosen


def _careful(slope: Fn) -> Fn:
    if slope is no_cotangent or isinstance(slope, Missing):
        return slope

    def pull(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
        c = slope(g, y, *args, **settings)
        return c if c is g else _defined(c, g, slope, y, args, settings)

    return pull


def _defined(c: Any, g: Any, slope: Fn, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Return `c`, the product of `g` and a slope, with 0 where one of the two is 0, whatever the other is.

    So both directions agree: what a zero slope keeps from going forwards does not come back either, and ``sqrt(sum(x * x))``
    has derivative 0 at 0.
    """
    if not may_have_nan(c):
        return c
    if type(c) is not Var or not c.tape.abstract:
        y, args = plain(y), [plain(x) for x in args]
    unit = np.ones(shape_of(c), dtype_of(g))
    return guard(guard(c, g), slope(unit, y, *args, **settings))


def plain(x: Any) -> Any:
    """Return the value of a traced value, and anything else as it is."""
    return x.value if type(x) is Var else x


def _push(slopes: Sequence[Fn], finite: bool) -> Fn:
    def push(tangents: Sequence[Any], y: Any, *args: Any, **settings: Any) -> Any:
        total = None
        for slope, t in zip(slopes, tangents, strict=True):
            if t is None or slope is no_cotangent:
                continue
            part = slope(t, y, *args, **settings)
            if not finite and part is not t:
                part = _defined(part, broadcast_to(t, shape_of(part)), slope, y, args, settings)
            total = part if total is None else total + part
        return None if total is None else broadcast_to(total, shape_of(y))

    return push


def batch_elementwise(name: str) -> Fn:
    """Return the batching rule of the elementwise primitive `name`: itself, on arguments whose leading axes meet."""

    def batch(args: Sequence[Any], batched: Sequence[bool], **settings: Any) -> Any:
        return apply(PRIMITIVES[name], *align(args, batched), **settings)

    return batch


def align(args: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Give batched arguments of an elementwise operation the same rank, so that their leading axes meet."""
    ranks = [len(shape_of(x)) - is_batched for x, is_batched in zip(args, batched, strict=True)]
    rank = max(ranks)
    return [
        x.reshape(x.shape[:1] + (1,) * (rank - own) + x.shape[1:]) if is_batched and own < rank else x
        for x, is_batched, own in zip(args, batched, ranks, strict=True)
    ]


def linear(name: str, fn: Fn, transpose: Fn, batch: Fn | None = None, cases: tuple[Case, ...] = (), **more: Any) -> Primitive:
    """Define a primitive that is linear in its first input, the only one that has a derivative.

    ``transpose(g, y, x, *others, **settings)`` is the cotangent of `x`; it may look at the shape of `x` only. ``more`` are the
    other fields of a `Primitive`.
    """

    def push(tangents: Sequence[Any], y: Any, x: Any, *others: Any, **settings: Any) -> Any:
        return apply(PRIMITIVES[name], tangents[0], *others, **settings)

    return Primitive(name=name, fn=fn, pulls=(transpose,), push=push, batch=batch, cases=cases, **more)


def constant(
    name: str,
    fn: Fn,
    arity: int = 1,
    batch: Fn | None = None,
    stands_for: np.ufunc | None = None,
    cases: tuple[Case, ...] = (),
) -> Primitive:
    """Define a primitive whose output has no derivative: a comparison, a rounding, an index.

    A ufunc, be it `fn` or what it stands for, brings its arity and its batching rule with it.
    """
    ufunc = stands_for or fn
    if isinstance(ufunc, np.ufunc):
        arity, batch = ufunc.nin, batch or batch_elementwise(name)
        cases = cases or (case(*[(3,)] * arity),)
    primitive = Primitive(
        name=name,
        fn=fn,
        pulls=(no_cotangent,) * arity,
        push=lambda tangents, y, *args, **settings: None,
        batch=batch,
        constant=True,
        cases=cases,
    )
    if isinstance(ufunc, np.ufunc):
        UFUNCS[ufunc] = primitive
    return primitive
