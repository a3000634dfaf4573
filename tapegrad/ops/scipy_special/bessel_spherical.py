"""Spherical Bessel functions by their argument: their slopes are spherical Bessel functions of the neighbouring orders."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import elementwise  # not the family's own, in which orders would be floating-point numbers
from tapegrad.core.primitive import Fn, Primitive, case, missing
from tapegrad.core.structure import astype
from tapegrad.core.var import apply

POSITIVE = (0.3, 3.0)
WHOLE = (case(np.array([[0], [1], [3]]), np.array([0.7, 2.5])), case(2, np.array([0.7, 2.5])))


FACTORS: dict[str, tuple[float, float]] = {}
"""For each function the factors of its neighbours in its derivative."""


def derivative_of(primitive: Primitive, n: Any, z: Any) -> Any:
    """Return the derivative by `z` of a spherical Bessel function."""
    below, above = FACTORS[primitive.name]
    if dtype_of(n) != np.int64:  # unsigned ones have no 0 - 1
        n = astype(n, np.int64)
    lower, upper = apply(primitive, abs(n - 1), z), apply(primitive, n + 1, z)  # where n is 0, nothing is made of the lower
    if not isinstance(n, int):
        n = n.astype(np.finfo(dtype_of(upper)).dtype)
    return (below * n * lower + above * (n + 1) * upper) / (2 * n + 1)


def _spherical(name: str, function: Fn, below: float, above: float) -> Primitive:
    """Define a function f with ``(2 n + 1) f'(n, z) = below * n * f(n - 1, z) + above * (n + 1) * f(n + 1, z)``.

    References:
        DLMF, https://dlmf.nist.gov/10.51.E2 and https://dlmf.nist.gov/10.51.E5
    """

    def compute(n: Any, z: Any) -> Any:
        if dtype_of(n).kind not in "iu":
            raise TypeError(f"{name}: expected integers as orders, got {dtype_of(n)}")
        y = function(n, z)
        dtype = np.result_type(z)
        return np.asarray(y, dtype)[()] if dtype.kind in "fc" else y

    FACTORS[name] = (below, above)
    primitive = elementwise(
        name,
        compute,
        missing(name, 0),
        lambda g, y, n, z: g * derivative_of(primitive, n, z),
        domain=((0.0, 1.0), POSITIVE),
        cases=WHOLE,
    )
    return primitive


spherical_jn_p = _spherical("spherical_jn", scipy.special.spherical_jn, 1.0, -1.0)
spherical_yn_p = _spherical("spherical_yn", scipy.special.spherical_yn, 1.0, -1.0)
spherical_in_p = _spherical("spherical_in", scipy.special.spherical_in, 1.0, 1.0)
spherical_kn_p = _spherical("spherical_kn", scipy.special.spherical_kn, -1.0, -1.0)
