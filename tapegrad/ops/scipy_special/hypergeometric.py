"""Hypergeometric functions by their argument, whose slopes are the same with each parameter one higher."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import missing
from tapegrad.ops.scipy_special.exponential import log1p_over
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import weak

PARAMETER = (0.6, 2.4)


def _times(factor: Any, f: Any) -> Any:
    """Return a product that is 0 where its factor is: the series ends there, though that of `f` may not converge."""
    return np.where(factor == 0, 0.0, factor * f)


hyp0f1_p = elementwise(
    "hyp0f1",
    weak(scipy.special.hyp0f1),
    missing("hyp0f1", 0),
    lambda g, y, v, z: g * (scipy.special.hyp0f1(v + 1, z) / v),
    domain=(PARAMETER, (-2.0, 2.0)),
    stands_for=scipy.special.hyp0f1,
)
hyp1f1_p = elementwise(
    "hyp1f1",
    weak(scipy.special.hyp1f1),
    missing("hyp1f1", 0),
    missing("hyp1f1", 1),
    lambda g, y, a, b, x: g * _times(a / b, scipy.special.hyp1f1(a + 1, b + 1, x)),
    domain=(PARAMETER, PARAMETER, (-2.0, 2.0)),
    stands_for=scipy.special.hyp1f1,
)
hyp2f1_p = elementwise(
    "hyp2f1",
    weak(scipy.special.hyp2f1),
    missing("hyp2f1", 0),
    missing("hyp2f1", 1),
    missing("hyp2f1", 2),
    lambda g, y, a, b, c, z: g * _times(a * b / c, scipy.special.hyp2f1(a + 1, b + 1, c + 1, z)),
    domain=(PARAMETER, PARAMETER, PARAMETER, (-0.9, 0.9)),
    stands_for=scipy.special.hyp2f1,
)
hyperu_p = elementwise(
    "hyperu",
    weak(scipy.special.hyperu),
    missing("hyperu", 0),
    missing("hyperu", 1),
    lambda g, y, a, b, x: -g * _times(a, scipy.special.hyperu(a + 1, b + 1, x)),
    domain=(PARAMETER, PARAMETER, (0.3, 3.0)),
    stands_for=scipy.special.hyperu,
)


# Relatives with names of their own


def _spence_slope(z: Any) -> Any:
    return np.where(np.abs(z - 1.0) < 0.5, -log1p_over(z - 1.0), np.log(z) / (1.0 - z))


spence_p = elementwise("spence", scipy.special.spence, lambda g, y, z: g * _spence_slope(z), domain=(0.2, 3.0))
