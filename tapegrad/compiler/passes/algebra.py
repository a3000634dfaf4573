"""Algebra: steps that come to less, or to something cheaper, because of what their arguments are.

Each rule looks at one step, and at those that made its arguments. So it works across forward and backward pass alike: what a
derivative rule broadcasts and the next one sums, or transposes and multiplies, meets here.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tapegrad.compiler.groups import sizes
from tapegrad.compiler.passes.alike import slices_in_a_row
from tapegrad.compiler.passes.pieces import one_by_one, side_by_side
from tapegrad.compiler.passes.rewriting import argument, producer, replayed
from tapegrad.compiler.passes.sums import sum_by_product
from tapegrad.compiler.trace import Trace
from tapegrad.core.arrays import broadcast_to_p, dtype_of, shape_of, sum_to_p
from tapegrad.core.primitive import Primitive
from tapegrad.core.reading import scatter_p
from tapegrad.core.structure import astype_p, root_p, stop_gradient_p
from tapegrad.core.var import Var, apply, binary, unary
from tapegrad.ops.affine import affine_p
from tapegrad.ops.arithmetic import add_p, divide_p, multiply_p, negative_p, positive_p, reciprocal_p, subtract_p
from tapegrad.ops.contract import matmul_p
from tapegrad.ops.join import concatenate_p
from tapegrad.ops.powers import power_p, sqrt_p, square_p
from tapegrad.ops.reduce import sum_p
from tapegrad.ops.shape import reshape_p, transpose_p

Rule: TypeAlias = Callable[[Sequence[Any], dict[str, Any], Any], Any]
"""``rule(args, settings, value)``: the output in other words, or None."""


def simplify(trace: Trace) -> Trace:
    """Rewrite steps by the table of this file until nothing changes."""
    while True:
        changed = False

        def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
            nonlocal changed
            for rule in RULES.get(primitive, ()):
                y = rule(args, settings, value)
                if y is not None and like(y, value):
                    changed = True
                    return y
            if primitive.broadcasts:
                bare = without_broadcasts(primitive, args, settings, value)
                if bare is not None:
                    changed = True
                    return bare
            return None

        trace = replayed(trace, rewrite)
        if not changed:
            return trace


def like(y: Any, value: Any) -> bool:
    """Tell whether `y` has the shape and dtype of the value that it stands for, and is as weak, and as little of an array."""
    plain = y.value if type(y) is Var else y
    if shape_of(plain) != shape_of(value) or dtype_of(plain) != dtype_of(value) or is_python(plain) != is_python(value):
        return False
    return isinstance(plain, np.ndarray) == isinstance(value, np.ndarray)


def is_python(x: Any) -> bool:
    return type(x) in (float, int, bool, complex)


def is_number(x: Any, *numbers: float) -> bool:
    """Tell whether `x` is a constant number, one of the given ones if there are any."""
    return type(x) in (float, int) and (not numbers or x in numbers)


def made_by(x: Any, *primitives: Primitive) -> bool:
    step = producer(x)
    return step is not None and step[0] in primitives


# The identity, in its many forms


def _first(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    return args[0]


def _neutral(*numbers: float, right_only: bool = False) -> Rule:
    def rule(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        a, b = args
        if is_number(b, *numbers) or _all_are(b, numbers[0]):
            return a
        if not right_only and (is_number(a, *numbers) or _all_are(a, numbers[0])):
            return b
        return None

    return rule


def _zero(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """Complex numbers are added to zero: it decides the sign of a zero, and that on which side of a branch cut they are."""
    return None if dtype_of(value).kind == "c" else _neutral(0)(args, settings, value)


def _all_are(x: Any, number: float) -> bool:
    """Tell whether `x` is a constant array of one number all through, or spreads one."""
    if type(x) is Var:
        return made_by(x, broadcast_to_p) and _all_are(argument(x, 0), number)
    x = one_number(x)
    return isinstance(x, np.generic) and x.dtype.kind in "fc" and bool(x == number)


def _twice(same: Primitive, kinds: str) -> Rule:
    """Return the rule of an operation that undoes itself, for numbers of some kinds."""

    def rule(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        return argument(args[0], 0) if dtype_of(value).kind in kinds and made_by(args[0], same) else None

    return rule


# Signs and scales: not of complex numbers, where the sign of a zero would become another, nor of integers, which run over


def _minus_times(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    for x, number in (args, args[::-1]):
        if is_number(number, -1) and type(x) is Var and dtype_of(x) == dtype_of(value) and x.dtype.kind == "f":
            return unary(negative_p, x)
    return None


MODERATE = (1e-9, 1e9)
"""Between which numbers can be multiplied with each other first, without great or small ones in between."""

MODERATE_HALVES = (1e-4, 1e4)
"""The same, in half precision, which holds few numbers beyond."""


def are_moderate(dtype: np.dtype[Any], *scales: float) -> bool:
    """Tell whether numbers are neither great nor small in a dtype."""
    least, most = MODERATE_HALVES if dtype.char == "e" else MODERATE
    return all(least < abs(scale) < most for scale in scales)


def _times_times(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """``(x * 2) * 3`` is ``x * 6``, for floating-point numbers, where nothing overflows that would not without."""
    for x, scale in (args, args[::-1]):
        if is_number(scale) and made_by(x, multiply_p) and dtype_of(x).kind == "f":
            for k in (0, 1):
                inner = argument(x, k)
                if is_number(inner) and are_moderate(dtype_of(x), inner, scale, inner * scale):
                    return binary(multiply_p, argument(x, 1 - k), float(inner) * float(scale))
    return None


def _times_itself(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    a, b = args
    return unary(square_p, a) if type(a) is Var and type(b) is Var and a.index == b.index else None


def negated(x: Any, value: Any, kinds: str = "f") -> Any:
    """Return what `x` is the negative of; None where that is nothing, or of other numbers than the output.

    Integers run over: ``-x`` of the type of `x` is not ``-x`` of a wider one, or of a floating-point one.
    """
    if not made_by(x, negative_p):
        return None
    dtype = dtype_of(value)
    return argument(x, 0) if dtype.kind in kinds and (dtype_of(x).kind in "fc" or dtype_of(x) == dtype) else None


def _add_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    for a, b in (args, args[::-1]):
        inner = negated(b, value, "fciu")
        if inner is not None:
            return binary(subtract_p, a, inner)
    return None


def _add_itself(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    a, b = args
    if type(a) is Var and type(b) is Var and a.index == b.index and dtype_of(value).kind == "f":
        return binary(multiply_p, a, 2.0)
    return None


def _subtract_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    a, b = args
    inner = negated(b, value, "fciu")
    if inner is not None:
        return binary(add_p, a, inner)
    inner = negated(a, value)
    return None if inner is None else unary(negative_p, binary(add_p, inner, b))


def _times_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """A number takes the sign, ``-x * 2`` is ``x * -2``; or the product does, so that equal products meet."""
    for x, other in (args, args[::-1]):
        inner = negated(x, value)
        if inner is not None:
            if is_number(other):
                return binary(multiply_p, inner, -float(other))
            return unary(negative_p, binary(multiply_p, inner, other))
    return None


def _negative_times(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    x = args[0]
    if made_by(x, multiply_p) and dtype_of(value).kind == "f":
        for k in (0, 1):
            if is_number(argument(x, k)):
                return binary(multiply_p, argument(x, 1 - k), -float(argument(x, k)))
    return None


def _divide_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    a, b = args
    inner = negated(a, value)
    return None if inner is None else unary(negative_p, binary(divide_p, inner, b))


def _reshape_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    inner = negated(args[0], value)
    return None if inner is None else unary(negative_p, apply(reshape_p, inner, **settings))


def _sum_of_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """The sum is smaller than what it is of, and takes the sign more cheaply."""
    inner = negated(args[0], value)
    if inner is None or np.size(value) >= np.size(args[0].value):
        return None
    return unary(negative_p, apply(sum_p, inner, **settings))


def _product_of_negative(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """So is a product of matrices smaller than its factors, sometimes."""
    for k, x in enumerate(args):
        inner = negated(x, value)
        if inner is not None and np.size(value) < np.size(x.value):
            return unary(negative_p, binary(matmul_p, *((inner, args[1]) if k == 0 else (args[0], inner))))
    return None


def _divide_by_number(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """To divide by a power of two is to multiply, exactly; by another number, where the dividend is a multiple as it is."""
    a, b = args
    if not is_number(b) or dtype_of(value).kind != "f" or type(a) is not Var or not are_moderate(dtype_of(value), b):
        return None
    multiple = made_by(a, multiply_p) and any(is_number(argument(a, k)) for k in (0, 1))
    return binary(multiply_p, a, 1.0 / b) if math.frexp(b)[0] in (0.5, -0.5) or multiple else None


# Powers


def _power(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    x, exponent = args
    if type(x) is not Var or not is_number(exponent) or is_python(x.value):
        return None
    kind = x.dtype.kind
    if exponent == 1:
        return x
    if exponent == 2:
        return unary(square_p, x)
    if kind == "f" and exponent == 3:
        return x * unary(square_p, x)
    if kind == "f" and exponent == 0.5:
        return unary(sqrt_p, x)
    if kind in "fc" and exponent == -1:
        return unary(reciprocal_p, x)
    return None


# Shapes


def _stack_times_matrix(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """A stack of matrices times one matrix is one product, of all rows."""
    a, b = args
    if type(a) is not Var or len(shape_of(a)) < 3 or len(shape_of(b)) != 2 or made_by(a, transpose_p, broadcast_to_p):
        return None
    rows = np.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))
    return np.reshape(np.dot(rows, b), shape_of(value))


def _same_shape(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    return args[0] if shape_of(args[0]) == shape_of(value) else None


def _reshape_twice(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    x = args[0]
    inner = producer(x)
    if inner is None or inner[0] is not reshape_p or not settings.get("order", "C") == inner[3].get("order", "C") == "C":
        return None
    return np.reshape(argument(x, 0), shape_of(value))


def _transpose_twice(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    x, axes = args[0], settings["axes"]
    if tuple(axes) == tuple(range(len(axes))):
        return x
    if not made_by(x, transpose_p):
        return None
    inner = producer(x)
    assert inner is not None
    return np.transpose(argument(x, 0), [inner[3]["axes"][axis] for axis in axes])


def _spread_again(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    x = args[0]
    return np.broadcast_to(argument(x, 0), shape_of(value)) if made_by(x, broadcast_to_p) else None


def _sum_of_spread(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """The sum of what was one number everywhere is that number, times how often it was there."""
    x = args[0]
    if not made_by(x, broadcast_to_p) or dtype_of(value).kind not in "fc":
        return None
    origin = argument(x, 0)
    size = math.prod(shape_of(value))
    if np.size(origin.value if type(origin) is Var else origin) != 1 or not size:
        return None
    count = math.prod(shape_of(x)) // size
    if not 0 < count <= np.finfo(dtype_of(value)).max:
        return None
    return np.broadcast_to(np.reshape(origin, ()) * float(count), shape_of(value))


def weak(x: Any) -> Any:
    """Return a constant number as Python's, with which sums and products of constants are simple."""
    return float(x) if isinstance(x, np.floating) and x.dtype.char in "fd" else x


def one_number(x: Any) -> Any:
    """Return the one number that a constant array consists of, or what was given."""
    if type(x) is not np.ndarray or not x.size or not x.ndim:
        return x
    first = x[(0,) * x.ndim]
    if x[(-1,) * x.ndim] != first or first != first:
        return x
    if not any(x.strides):
        return first
    return first if np.all(x == first) and (first != 0 or x.dtype.kind not in "fc" or same_zeros(x, first)) else x


def same_zeros(x: Any, zero: Any) -> bool:
    """Tell whether zeros have the sign of a given one."""
    pairs = [(x.real, zero.real), (x.imag, zero.imag)]
    return all(bool(np.all(np.signbit(part) == np.signbit(one))) for part, one in pairs)


def _sum_of_squares(args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """The sum of all squares is a product of a vector with itself."""
    x = args[0]
    if shape_of(value) or not made_by(x, square_p) or dtype_of(value).char not in "fd" or dtype_of(x) != dtype_of(value):
        return None
    flat = np.reshape(argument(x, 0), (-1,))
    return np.dot(flat, flat) if 0 < flat.size < sizes.LARGE else None


def without_broadcasts(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
    """Return an elementwise step on what its arguments were before they were spread, where another one spreads it anyway."""
    if primitive is affine_p:  # of which only the last argument is spread
        return None
    bare = [argument(x, 0) if made_by(x, broadcast_to_p) else one_number(x) for x in args]
    strong = [x for x in args if not is_python(x.value if type(x) is Var else x)]
    if {dtype for x in strong if (dtype := dtype_of(x)).kind in "fc"} == {dtype_of(value)}:
        bare = [weak(x) for x in bare]  # else one that takes the dtype of the others would be compared with them in theirs
    shape = shape_of(value)
    chosen = list(args)
    for k, x in enumerate(bare):
        if x is not args[k]:
            shapes = [shape_of(y) for y in (*chosen[:k], x, *chosen[k + 1 :])]
            if np.broadcast_shapes(*shapes) == shape:
                chosen[k] = x
    if all(x is y for x, y in zip(chosen, args, strict=True)):
        return None
    if not any(type(x) is Var for x in chosen):
        return None
    y = apply(primitive, *chosen, **settings)
    return y if like(y, value) else None


RULES: dict[Primitive, tuple[Rule, ...]] = {
    root_p: (_first,),
    stop_gradient_p: (_first,),
    positive_p: (_first,),
    astype_p: (_first,),
    negative_p: (_twice(negative_p, "fciu"), _negative_times),
    reciprocal_p: (_twice(reciprocal_p, "fc"),),
    add_p: (_zero, _add_negative, _add_itself),
    subtract_p: (_neutral(0, right_only=True), _subtract_negative),
    multiply_p: (_neutral(1), _minus_times, _times_times, _times_itself, _times_negative),
    divide_p: (_neutral(1, right_only=True), _divide_by_number, _divide_negative),
    power_p: (_power,),
    matmul_p: (_stack_times_matrix, _product_of_negative),
    concatenate_p: (slices_in_a_row,),
    scatter_p: (side_by_side, one_by_one),
    reshape_p: (_same_shape, _reshape_twice, _reshape_negative),
    transpose_p: (_transpose_twice,),
    broadcast_to_p: (_same_shape, _spread_again),
    sum_p: (_sum_of_spread, _sum_of_squares, _sum_of_negative, sum_by_product),
    sum_to_p: (_same_shape, _sum_of_spread, sum_by_product),
}
"""For each primitive what may be said of it, tried in order. Only what has the shape and dtype of the original is taken."""
