"""What looks at, or sets, the sign of numbers."""

import operator
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import batch_elementwise, constant, elementwise
from tapegrad.core.primitive import FUNCTIONS, Primitive, case, no_cotangent
from tapegrad.core.var import Var, apply, unary
from tapegrad.ops.quotient import per, quotient


def sign(x: Any) -> Any:
    """Return the sign of a real number, a constant; of a complex one ``x / |x|``, which is none."""
    return apply(direction_p if dtype_of(x).kind == "c" else sign_p, x)


FUNCTIONS[np.sign] = sign

sign_p = constant("sign", lambda x: np.sign(x), batch=batch_elementwise("sign"), cases=(case((3,)),))


def _pull_direction(g: Any, y: Any, x: Any) -> Any:
    return np.where(x == 0, 0.0, 1j * np.imag(g * y) * np.conjugate(y) / np.absolute(x))


def _push_direction(tangents: Any, y: Any, x: Any) -> Any:
    return np.where(x == 0, 0.0, 1j * np.imag(np.conjugate(y) * tangents[0]) * y / np.absolute(x))


direction_p = Primitive(
    name="direction",
    fn=np.sign,
    pulls=(_pull_direction,),
    push=_push_direction,
    batch=batch_elementwise("direction"),
    cases=(case(np.array([1.0 + 2.0j, -0.5j, 3.0 - 1.0j])),),
)
"""The sign of complex numbers: a direction in the plane, at 0 none."""


signum_p = elementwise(
    "signum",
    lambda x: np.sign(x),
    no_cotangent,
    finite=True,
    domain=(0.3, 2.0),
)
"""The sign as rules record it: what a square makes of it must be seen, and a constant is not on the tape."""


def _absolute_slope(g: Any, y: Any, x: Any) -> Any:
    h = quotient(g, y)
    if h is not None:
        return h * np.conjugate(x)
    if dtype_of(x).kind != "c":
        return g * unary(signum_p, x)
    c = g * np.conjugate(np.sign(x))
    if dtype_of(g).kind == "c" and (type(x) is Var or type(y) is Var):  # a tangent; `times` sees what a square makes of it
        return np.where(np.isinf(y), np.real(c), per(np.real(g * np.conjugate(x)), y))
    return c


absolute_p = elementwise(
    "absolute",
    operator.abs,
    _absolute_slope,
    fast=(lambda g, y, x: g * np.conjugate(np.sign(x)) if dtype_of(x).kind == "c" else g * np.sign(x),),
    domain=(0.3, 2.0),
    stands_for=np.absolute,
)
fabs_p = elementwise("fabs", np.fabs, _absolute_slope, fast=(lambda g, y, x: g * np.sign(x),), domain=(0.3, 2.0))
copysign_p = elementwise(
    "copysign", np.copysign, lambda g, y, a, b: g * (np.sign(a) * np.sign(y)), no_cotangent, domain=((0.3, 2.0), (0.3, 2.0))
)
heaviside_p = elementwise(
    "heaviside", np.heaviside, no_cotangent, lambda g, y, x, at_zero: np.where(x == 0, g, 0.0), finite=True, domain=(0.3, 2.0)
)
