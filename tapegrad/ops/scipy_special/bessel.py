"""Bessel functions by their argument. Their slopes are Bessel functions of the neighbouring orders.

By the order there is no derivative here: asked for it, a rule says so.
"""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import Primitive, case, missing
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import weak

POSITIVE = (0.3, 3.0)
ORDERS = (0.6, 2.4)
WHOLE = (case(np.array([[0], [1], [3]]), np.array([0.7, 2.5])), case(2, np.array([0.7, 2.5])))

# The orders 0 and 1, with polynomials of their own in SciPy. As long as nothing is recorded, slopes are made of these. At 0 the
# quotient is right but its own derivative is not, so that on traced values the neighbouring orders are taken


def _quotient(y: Any, x: Any, at_zero: float) -> Any:
    return np.where(x == 0, at_zero, y / x)


j0_p = elementwise("j0", scipy.special.j0, lambda g, y, x: -g * scipy.special.j1(x))
j1_p = elementwise(
    "j1",
    scipy.special.j1,
    lambda g, y, x: g * (0.5 * (scipy.special.j0(x) - scipy.special.jv(2, x))),
    fast=(lambda g, y, x: g * (scipy.special.j0(x) - _quotient(y, x, 0.5)),),
)
y0_p = elementwise("y0", scipy.special.y0, lambda g, y, x: -g * scipy.special.y1(x), domain=POSITIVE)
y1_p = elementwise("y1", scipy.special.y1, lambda g, y, x: g * (scipy.special.y0(x) - y / x), domain=POSITIVE)
i0_p = elementwise("bessel_i0", scipy.special.i0, lambda g, y, x: g * scipy.special.i1(x))
i1_p = elementwise(
    "i1",
    scipy.special.i1,
    lambda g, y, x: g * (0.5 * (scipy.special.i0(x) + scipy.special.iv(2, x))),
    fast=(lambda g, y, x: g * (scipy.special.i0(x) - _quotient(y, x, 0.5)),),
)
k0_p = elementwise("k0", scipy.special.k0, lambda g, y, x: -g * scipy.special.k1(x), domain=POSITIVE)
k1_p = elementwise("k1", scipy.special.k1, lambda g, y, x: -g * (scipy.special.k0(x) + y / x), domain=POSITIVE)


# Of any order


def _cylinder(name: str, function: np.ufunc, below: float, above: float, **more: Any) -> Primitive:
    """Define a Bessel function f with ``f'(v, x) = below * f(v - 1, x) + above * f(v + 1, x)``."""

    def slope(g: Any, y: Any, v: Any, x: Any) -> Any:
        return g * (below * apply(primitive, v - 1, x) + above * apply(primitive, v + 1, x))

    primitive = elementwise(
        name, weak(function), missing(name, 0), slope, domain=(ORDERS, POSITIVE), stands_for=function, **more
    )
    return primitive


jv_p = _cylinder("jv", scipy.special.jv, 0.5, -0.5, cases=WHOLE)
yv_p = _cylinder("yv", scipy.special.yv, 0.5, -0.5)
iv_p = _cylinder("iv", scipy.special.iv, 0.5, 0.5, cases=WHOLE)
kv_p = _cylinder("kv", scipy.special.kv, -0.5, -0.5)
yn_p = _cylinder("yn", scipy.special.yn, 0.5, -0.5, cases=WHOLE)
kn_p = _cylinder("kn", scipy.special.kn, -0.5, -0.5, cases=WHOLE)
hankel1_p = _cylinder("hankel1", scipy.special.hankel1, 0.5, -0.5)
hankel2_p = _cylinder("hankel2", scipy.special.hankel2, 0.5, -0.5)
