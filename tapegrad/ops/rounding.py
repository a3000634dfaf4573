"""Rounding: constants to derivatives, and what is left over."""

import numpy as np

from tapegrad.core.families import batch_elementwise, constant, elementwise
from tapegrad.core.primitive import case, no_cotangent

floor_p = constant("floor", np.floor)
ceil_p = constant("ceil", np.ceil)
trunc_p = constant("trunc", np.trunc)
rint_p = constant("rint", np.rint)
round_p = constant("round", np.round, batch=batch_elementwise("round"), cases=(case((3,)), case((3,), decimals=1)))
spacing_p = constant("spacing", np.spacing)
exponent_p = constant("exponent", lambda x: np.frexp(x)[1], batch=batch_elementwise("exponent"), cases=(case((3,)),))
"""The second output of `frexp`."""

fraction_p = elementwise("fraction", lambda x: np.modf(x)[0], lambda g, y, x: g, finite=True, domain=(0.1, 0.9))
"""The first output of `modf`."""

ldexp_p = elementwise(
    "ldexp", np.ldexp, lambda g, y, x, n: np.ldexp(g, n), no_cotangent, cases=(case((3,), np.array([-1, 0, 4])),)
)
mantissa_p = elementwise("mantissa", lambda x: np.frexp(x)[0], lambda g, y, x: np.ldexp(g, -np.frexp(x)[1]), domain=(0.6, 0.9))
"""The first output of `frexp`."""

nextafter_p = elementwise("nextafter", np.nextafter, lambda g, y, a, b: g, no_cotangent, finite=True)
