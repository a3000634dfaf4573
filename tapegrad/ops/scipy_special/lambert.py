"""Functions that solve ``w exp(w) = z`` and ``w + log(w) = z``."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import case, no_cotangent
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import private


def _lambertw(z: Any, k: Any, tol: Any) -> Any:
    return scipy.special.lambertw(z, k, tol)


lambertw_p = elementwise(
    "lambertw",
    _lambertw,
    lambda g, w, z, k, tol: g / (np.exp(w) * (1.0 + w)),  # z in the denominator would be 0 over 0 at 0
    no_cotangent,
    no_cotangent,
    domain=((0.2, 3.0), (0.0, 1.0), (1e-8, 2e-8)),
    stands_for=private("_lambertw"),
    cases=(
        case(np.array([0.0, 0.5, 3.0, -0.2]), 0, 1e-8),
        case(np.array([-0.1 + 0.1j, -0.2 - 0.3j]), -1, 1e-8),
    ),
)


def _share(w: Any) -> Any:
    return w / (1.0 + w)


share_p = elementwise(
    "share",
    _share,
    lambda g, y, w: g / ((1.0 + w) * (1.0 + w)),  # that of the quotient is a difference, which is lost where `w` is large
    domain=(0.2, 3.0),
    expand=_share,
)
wrightomega_p = elementwise("wrightomega", scipy.special.wrightomega, lambda g, w, z: g * apply(share_p, w))
