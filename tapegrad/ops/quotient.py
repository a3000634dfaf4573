"""Division by what vanishes, and where it can be left out: a multiple of `y` needs no ``/ y``, nor does ``a / y`` times `y`.

The gradient of ``norm(x)**2`` comes to the norm as ``g = h * y``, and goes on as ``g * x / y``. Where `y` is 0 the product is
right, 0, but its own derivative is not: it is `h`, and ``0 * (x / 0)`` has lost it. As ``h * x`` it is exact to any order.
Forwards likewise: the tangent ``(x * t) / y`` of the norm is multiplied by ``2 * y``.
"""

from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, guard_p, shape_of
from tapegrad.core.families import elementwise
from tapegrad.core.primitive import UFUNCS
from tapegrad.core.var import Var, apply, handle


def _per(a: Any, y: Any) -> Any:
    if type(y) is float:
        return a / y if y else a * 0.0
    flat = y == 0
    return np.where(flat, 0.0, a / np.where(flat, 1.0, y))[()]


per_p = elementwise(
    "per",
    _per,
    lambda g, q, a, y: per(g, y),
    lambda g, q, a, y: -g * per(q, y),
    domain=((0.3, 2.0), (0.3, 2.0)),
)


def per(a: Any, y: Any) -> Any:
    """Return ``a / y``, but 0 where `y` is; as one operation where it is recorded."""
    return apply(per_p, a, y)


def times(g: Any, y: Any) -> Any:
    """Return ``g * y``; of what was recorded as ``per(a, y)``, that is `a`, which is 0 where `y` is."""
    if type(g) is Var and type(y) is Var and g.tape is y.tape:
        a = _dividend(g, y, DEPTH)
        if a is not None and shape_of(a) == g.shape:
            return a
    return g * y


def _dividend(g: Var, y: Var, depth: int) -> Any:
    primitive, inputs, _, _, _ = g.tape.steps[g.index]
    if not depth or primitive not in (per_p, UFUNCS[np.multiply], guard_p):
        return None
    a, b = sides(g)
    if primitive is per_p:
        return a if inputs[1] == y.index else None
    first = _dividend(a, y, depth - 1) if type(a) is Var else None
    if primitive is guard_p:
        return first
    if first is not None:
        return first * b
    second = _dividend(b, y, depth - 1) if type(b) is Var else None
    return None if second is None else a * second


def sides(x: Var) -> list[Any]:
    """Return the inputs of the operation that a traced value came from."""
    steps = x.tape.steps
    _, inputs, args, _, _ = steps[x.index]
    return [
        arg if source is None else handle(x.tape, source, arg, steps[source][0])
        for source, arg in zip(inputs, args, strict=True)
    ]


DEPTH = 4
"""How many operations a product is looked through."""


def quotient(g: Any, y: Any) -> Any:
    """Return `h` of the shape of `y` with ``g = h * y``, if `g` was recorded as such a product; None else."""
    if type(g) is not Var or type(y) is not Var or g.tape is not y.tape:
        return None
    h = _over(g, y, DEPTH)
    if h is None or (type(h) is Var and h.shape == shape_of(y)):
        return h
    return h * np.ones(shape_of(y), dtype_of(y))


def _over(x: Var, y: Var, depth: int) -> Any:
    if x.index == y.index:
        return 1.0
    if not depth:
        return None
    primitive, inputs, _, _, _ = x.tape.steps[x.index]
    if primitive not in (UFUNCS[np.multiply], UFUNCS[np.add], guard_p):
        return None
    a, b = sides(x)
    first = _over(a, y, depth - 1) if type(a) is Var else None
    if primitive is guard_p:
        return first
    if primitive is UFUNCS[np.add]:
        return 2.0 * first if first is not None and inputs[0] == inputs[1] else None
    if first is not None:
        return b * first
    second = _over(b, y, depth - 1) if type(b) is Var else None
    return None if second is None else a * second
