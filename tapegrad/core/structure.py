"""Primitives that are part of the tape itself: roots, casts, outputs of several."""

from typing import Any

import numpy as np

from tapegrad.core.arrays import shape_of
from tapegrad.core.families import linear
from tapegrad.core.pending import Slots
from tapegrad.core.primitive import FUNCTIONS, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply

root_p = Primitive(
    name="root",
    fn=lambda x: x,
    pulls=(lambda g, y, x: g,),
    push=lambda tangents, y, x: tangents[0],
    batch=lambda args, batched: args[0],
    cases=(case((3,)),),
)
"""An argument of a transform: a fresh node, or inside another transform the identity of a value recorded there."""

shared_p = Primitive(
    name="shared",
    fn=lambda x: x,
    pulls=(no_cotangent,),
    push=lambda tangents, y, x: None,
    batch=lambda args, batched: args[0],
    constant=True,
    cases=(case((3,)),),
)
"""A constant on the tape: an array that `vmap` holds for all examples, so that what differs between them can index it."""

pick_p = Primitive(
    name="pick",
    fn=lambda x, which: x[which],
    pulls=(lambda g, y, x, which: Slots({which: g}),),
    push=lambda tangents, y, x, which: tangents[0][which],
    batch=lambda args, batched, which: args[0][which],
)
"""One output of an operation that has several."""


def parts(y: Any) -> tuple[Any, ...]:
    """Return the outputs of an operation that has several, each traced where the operation was."""
    return tuple([apply(pick_p, y, which=k) for k in range(len(y))]) if type(y) is Var else y


stop_gradient_p: Primitive = Primitive(
    name="stop_gradient",
    fn=lambda x: x,
    pulls=(no_cotangent,),
    push=lambda tangents, y, x: None,
    batch=lambda args, batched: apply(stop_gradient_p, args[0]),
    constant=True,
    cases=(case((3,)),),
)
"""The identity, without derivative. Recorded only where values must not be looked at; elsewhere it is the plain value."""


# Casts


def _pull_astype(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    return g if np.dtype(dtype).kind in "fc" else np.zeros(shape_of(x))


astype_p: Primitive = linear(
    "astype",
    lambda x, dtype: np.asarray(x).astype(dtype)[()],
    _pull_astype,
    batch=lambda args, batched, dtype: apply(astype_p, args[0], dtype=dtype),
    cases=(case((3,), dtype=np.dtype(np.float64)),),
)
"""A cast. The replay casts the cotangent back, as it does behind every promotion."""


def astype(x: Any, dtype: Any) -> Any:
    """Return `x` with elements of the given dtype; a cast to integers or booleans has no derivative."""
    dtype = np.dtype(dtype)
    if type(x) is not Var:
        return x.astype(dtype) if isinstance(x, np.generic) else np.asarray(x).astype(dtype)
    if x.dtype == dtype and isinstance(x.value, (np.ndarray, np.generic)) and x.link is None:  # a Python number has none yet
        return x
    if dtype.kind not in "fc":
        return apply(cast_p, x, dtype=dtype)
    return apply(astype_p, x, dtype=dtype)


cast_p: Primitive = Primitive(
    name="cast",
    fn=lambda x, dtype: np.asarray(x).astype(dtype)[()],
    pulls=(no_cotangent,),
    push=lambda tangents, y, x, dtype: None,
    batch=lambda args, batched, dtype: apply(cast_p, args[0], dtype=dtype),
    constant=True,
    cases=(case((3,), dtype=np.dtype(np.int64)),),
)
"""A cast to a dtype without derivatives."""

FUNCTIONS[np.astype] = astype
