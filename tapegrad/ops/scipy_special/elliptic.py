"""Complete elliptic integrals, whose slopes are Carlson's symmetric integrals.

In terms of ``p = 1 - m``, which is known exactly where `m` is nearly 1, ``K' = D(p)`` and ``E' = -B(p)``, where
``D(p) = R_D(0, 1, p) / 6`` and ``B(p) = R_D(0, p, 1) / 6`` (DLMF 19.25.1).
"""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.hypergeometric import hyp2f1_p
from tapegrad.ops.scipy_special.precision import in_double

BELOW_1 = (-1.0, 0.8)
AROUND_1 = (0.2, 2.0)

# The slopes of D and B have m below the line; around m = 0 they are taken from the hypergeometric series instead


def _slope_of_d(d: Any, p: Any) -> Any:
    m = 1.0 - p
    near = 9.0 * math.pi / 64.0 * apply(hyp2f1_p, 2.5, 2.5, 3.0, m)
    far = (scipy.special.ellipkm1(p) - elliptic_b(p) - d * (3.0 * p - 2.0 * m)) / (2.0 * m * p)
    return -np.where(np.abs(m) < 0.3, near, far)


def _slope_of_b(b: Any, p: Any) -> Any:
    m = 1.0 - p
    near = 3.0 * math.pi / 64.0 * apply(hyp2f1_p, 1.5, 2.5, 3.0, m)
    return -np.where(np.abs(m) < 0.3, near, (elliptic_d(p) - b) / (2.0 * m))


elliptic_d_p = elementwise(
    "elliptic_d",
    in_double(lambda p: scipy.special.elliprd(0.0, 1.0, p) / 6.0),
    lambda g, y, p: g * _slope_of_d(y, p),
    domain=AROUND_1,
)
elliptic_b_p = elementwise(
    "elliptic_b",
    in_double(lambda p: scipy.special.elliprd(0.0, p, 1.0) / 6.0),
    lambda g, y, p: g * _slope_of_b(y, p),
    domain=AROUND_1,
)


def elliptic_d(p: Any) -> Any:
    """Return the slope of `ellipk` at ``m = 1 - p``."""
    return apply(elliptic_d_p, p)


def elliptic_b(p: Any) -> Any:
    """Return minus the slope of `ellipe` at ``m = 1 - p``."""
    return apply(elliptic_b_p, p)


ellipk_p = elementwise("ellipk", scipy.special.ellipk, lambda g, y, m: g * elliptic_d(1.0 - m), domain=BELOW_1)
ellipe_p = elementwise("ellipe", scipy.special.ellipe, lambda g, y, m: -g * elliptic_b(1.0 - m), domain=BELOW_1)
ellipkm1_p = elementwise("ellipkm1", scipy.special.ellipkm1, lambda g, y, p: -g * elliptic_d(p), domain=AROUND_1)
