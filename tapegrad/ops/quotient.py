"""Division by what vanishes, and where it can be left out: a multiple of `y` needs no ``/ y``, nor does ``a / y`` times `y`.

The gradient of ``norm(x)**2`` comes to the norm as ``g = h * y``, and goes on as ``g * x / y``. Where `y` is 0 the product is
right, 0, but its own derivative is not: it is `h`, and ``0 * (x / 0)`` has lost it. As ``h * x`` it is exact to any order.
Forwards likewise: the tangent ``(x * t) / y`` of the norm is multiplied by ``2 * y``.

Both are seen through what picks elements and leaves them as they are, an index or a reshape: the gradient of
``norm(x, axis=1)[0]**2`` comes to the norm as ``put(h * y[0])``, which is ``put(h) * y``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, guard_p, shape_of
from tapegrad.core.families import elementwise
from tapegrad.core.node import Step
from tapegrad.core.primitive import PRIMITIVES, UFUNCS
from tapegrad.core.reading import getitem_p, scatter_p
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
    """Return ``g * y`` without the division by `y` that `g` was recorded with; None where there is none."""
    primitive, inputs, _, _, _ = g.tape.steps[g.index]
    if not depth or primitive.name not in LOOKED_THROUGH:
        return None
    if primitive is per_p:
        return sides(g)[0] if inputs[1] == y.index else None
    if primitive.name == "leg":
        made, whose, args, _, _ = y.tape.steps[y.index]
        return sides(g)[0] if made.name == "hypot" and _same_legs(g, whose, args) else None
    if primitive.name == "signum":
        made, whose, _, _, _ = y.tape.steps[y.index]
        return sides(g)[0] if made.name in ("absolute", "fabs") and whose == inputs else None
    if primitive.name in SELECTIONS:
        return _selected_dividend(g, y, depth)
    a, b = sides(g)[-2:]  # of a choice, which is between values, the condition is left out
    first = _dividend(a, y, depth - 1) if type(a) is Var else None
    if primitive is guard_p:
        return first
    second = _dividend(b, y, depth - 1) if type(b) is Var and (first is None or primitive is not UFUNCS[np.multiply]) else None
    if primitive is UFUNCS[np.multiply]:
        return first * b if first is not None else None if second is None else a * second
    if primitive is UFUNCS[np.add]:
        return None if first is None or second is None else first + second
    if first is None and second is None:
        return None
    condition = sides(g)[0]
    return np.where(condition, a * y if first is None else first, b * y if second is None else second)


def _same_legs(g: Var, whose: Sequence[int | None], args: Sequence[Any]) -> bool:
    """Tell whether `g`, of two legs, is of the same two values, in either order."""
    _, inputs, own, _, _ = g.tape.steps[g.index]
    return any(
        all(inputs[k] == whose[j] and (inputs[k] is not None or own[k] is args[j]) for k, j in enumerate(order))
        for order in ((0, 1), (1, 0))
    )


def _selected_dividend(g: Var, y: Var, depth: int) -> Any:
    step, other = g.tape.steps[g.index], y.tape.steps[y.index]
    if other[0] is not step[0] or not _same_settings(step, other):
        return None
    (whole,), (y_whole,) = sides(g), sides(y)
    if type(whole) is not Var or type(y_whole) is not Var:
        return None
    a = _dividend(whole, y_whole, depth - 1)
    return None if a is None or shape_of(a) != whole.shape else apply(step[0], a, **step[3])


def sides(x: Var) -> list[Any]:
    """Return the inputs of the operation that a traced value came from."""
    steps = x.tape.steps
    _, inputs, args, _, _ = steps[x.index]
    return [
        arg if source is None else handle(x.tape, source, arg, steps[source][0])
        for source, arg in zip(inputs, args, strict=True)
    ]


DEPTH = 6
"""How many operations a product is looked through."""

SELECTIONS = ("getitem", "reshape")
LOOKED_THROUGH = frozenset({"per", "multiply", "add", "guard", "where", "signum", "leg", *SELECTIONS})


def quotient(g: Any, y: Any) -> Any:
    """Return `h` of the shape of `y` with ``g = h * y``, if `g` was recorded as such a product; None else."""
    if type(g) is not Var or type(y) is not Var or g.tape is not y.tape:
        return None
    steps = y.tape.steps
    own = steps[y.index]

    def is_y(index: int) -> bool:
        if index == y.index:
            return True
        step = steps[index]
        return step[0] is own[0] and step[1] == own[1] and None not in own[1] and _same_settings(step, own)

    h = _over(g, is_y, DEPTH)
    return None if h is None else _filling(h, shape_of(y), dtype_of(y))


def _over(x: Var, is_y: Callable[[int], bool], depth: int) -> Any:
    if is_y(x.index):
        return 1.0
    primitive, inputs, _, settings, _ = x.tape.steps[x.index]
    if not depth or primitive.name not in PRODUCTS:
        return None
    if primitive is scatter_p:
        return _scattered(x, is_y, depth)
    if primitive.name == "reshape":
        h = _over_selected(sides(x)[0], is_y, depth, PRIMITIVES["reshape"], None)
        return h if h is None or "order" in settings else apply(primitive, h, **settings)
    a, b = sides(x)
    first = _over(a, is_y, depth - 1) if type(a) is Var else None
    if primitive is guard_p:
        return first
    if primitive is UFUNCS[np.add]:
        return 2.0 * first if first is not None and inputs[0] == inputs[1] else None
    if first is not None:
        return b * first
    second = _over(b, is_y, depth - 1) if type(b) is Var else None
    return None if second is None else a * second


def _scattered(x: Var, is_y: Callable[[int], bool], depth: int) -> Any:
    """Return the quotient of pieces that each are a multiple of `y` at their index: the scattered quotients."""
    settings = x.tape.steps[x.index][3]
    found = [
        _over_selected(piece, is_y, depth, getitem_p, index) for piece, index in zip(sides(x), settings["indices"], strict=True)
    ]
    return None if any(h is None for h in found) else apply(scatter_p, *found, **settings)


def _over_selected(piece: Any, is_y: Callable[[int], bool], depth: int, primitive: Any, index: Any) -> Any:
    """Return the quotient of `piece` and of what a selection has taken of `y`, in the shape of the piece."""
    if type(piece) is not Var:
        return None
    steps = piece.tape.steps

    def is_selected(k: int) -> bool:
        made, inputs, _, settings, _ = steps[k]
        if made is not primitive or inputs[0] is None or not is_y(inputs[0]):
            return False
        return _same(settings["index"], index) if primitive is getitem_p else "order" not in settings

    h = _over(piece, is_selected, depth - 1)
    return None if h is None else _filling(h, piece.shape, piece.dtype)


def _filling(h: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return h if type(h) is Var and h.shape == shape else h * np.ones(shape, dtype)


def _same_settings(a: Step, b: Step) -> bool:
    return a[3].keys() == b[3].keys() and all(_same(x, b[3][name]) for name, x in a[3].items())


def _same(a: Any, b: Any) -> bool:
    """Tell whether two settings are certainly the same; of arrays only one and the same is."""
    if a is b:
        return True
    if type(a) is tuple and type(b) is tuple:
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and type(a) in (int, bool, slice, str) and a == b


PRODUCTS = frozenset({"multiply", "add", "guard", "scatter", "reshape"})
