"""NumPy's ufuncs as traced values meet them: called with settings, reduced, accumulated, outer.

The functions of this room that are ufuncs in NumPy come by here too. Without a traced argument the ufunc itself answers, so
that values, dtypes and errors are NumPy's own.
"""

from typing import Any, TypedDict

import numpy as np

from tapegrad.core.primitive import FUNCTIONS, Fn, Primitive
from tapegrad.core.var import Var, apply, binary, unary
from tapegrad.numpy.door import gathered
from tapegrad.typing import Array, DTypeLike


class Settings(TypedDict, total=False):
    """Keyword arguments of NumPy's ufuncs.

    Attributes:
        out: where to write the result; not supported on traced values.
        where: a mask that broadcasts with the arguments. Elsewhere the result is undefined; on traced values it is 0.
        casting: which casts of the arguments are allowed, as for ``np.can_cast``.
        order: memory order of the result.
        dtype: dtype to compute in.
        subok: whether subclasses of arrays pass through.
        signature: dtypes of arguments and results.
    """

    out: Any
    where: Any
    casting: Any
    order: Any
    dtype: DTypeLike
    subok: bool
    signature: Any


def of_one(primitive: Primitive, function: np.ufunc, x: Any, settings: Settings) -> Array:
    """Return a ufunc of one argument."""
    y: Array
    if type(x) is Var and not settings:
        y = unary(primitive, x)
    else:
        y = function(gathered(x), **settings)
    return y


def of_two(primitive: Primitive, function: np.ufunc, x1: Any, x2: Any, settings: Settings) -> Array:
    """Return a ufunc of two arguments."""
    y: Array
    if (type(x1) is Var or type(x2) is Var) and not settings:
        y = binary(primitive, x1, x2)
    else:
        y = function(gathered(x1), gathered(x2), **settings)
    return y


def constant_of(primitive: Primitive, function: np.ufunc, settings: Settings, *args: Any) -> Array:
    """Return a ufunc whose result has no derivative."""
    y: Array
    if not settings and any(type(x) is Var for x in args):
        y = apply(primitive, *args)
    else:
        y = function(*[gathered(x) for x in args], **settings)
    return y


# Methods


REDUCTIONS: dict[np.ufunc, Fn] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}


def reduce(function: np.ufunc, array: Any, axis: Any = 0, **settings: Any) -> Any:
    """Return ``function.reduce(array, axis, ...)``."""
    whole = REDUCTIONS.get(function)
    if whole is not None:
        return FUNCTIONS[whole](array, axis=axis, **settings)
    raise NotImplementedError


FUNCTIONS["reduce"] = reduce
