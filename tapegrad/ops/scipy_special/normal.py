"""The normal distribution: its integral, the logarithm of that, and their inverses."""

import math
from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.erf import erfcx_derivative
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import in_double_or_complex

ROOT_2 = math.sqrt(2.0)
ROOT_2PI = math.sqrt(2.0 * math.pi)


def _density(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / ROOT_2PI


ndtr_p = elementwise("ndtr", scipy.special.ndtr, lambda g, y, x: g * _density(x))
ndtri_p = elementwise("ndtri", scipy.special.ndtri, lambda g, y, p: g * (ROOT_2PI * np.exp(0.5 * y * y)), domain=(0.1, 0.9))

# The slope of log_ndtr is the density over the integral. Far to the left that is -x and a little more, and its own slope is
# made of that little, which a difference would lose


def _hazard_slope(y: Any, x: Any) -> Any:
    z = x / -ROOT_2
    excess = np.where(np.real(x) < 0, erfcx_derivative(z) / (-ROOT_2 * scipy.special.erfcx(z)), x + y)
    return np.where(y == 0, 0.0, -y * excess)


normal_hazard_p = elementwise(
    "normal_hazard",
    in_double_or_complex(lambda x: math.sqrt(2.0 / math.pi) / scipy.special.erfcx(x / -ROOT_2)),
    lambda g, y, x: g * _hazard_slope(y, x),
)
"""The density of the normal distribution over its integral up to there: the slope of `log_ndtr`."""


def normal_hazard(x: Any) -> Any:
    """Return the density of the normal distribution over its integral up to `x`."""
    return apply(normal_hazard_p, x)


log_ndtr_p = elementwise("log_ndtr", scipy.special.log_ndtr, lambda g, y, x: g * normal_hazard(x))
ndtri_exp_p = elementwise("ndtri_exp", scipy.special.ndtri_exp, lambda g, y, x: g / normal_hazard(y), domain=(-3.0, -0.2))

# Owen's T function


def _owens_t_by_h(g: Any, y: Any, h: Any, a: Any) -> Any:
    return g * (scipy.special.erf(a * h / ROOT_2) * np.exp(-0.5 * h * h) / (-2.0 * ROOT_2PI))


def _owens_t_by_a(g: Any, y: Any, h: Any, a: Any) -> Any:
    scale = 1.0 + a * a
    return g * (np.exp(-0.5 * h * h * scale) / (2.0 * math.pi * scale))


owens_t_p = elementwise("owens_t", scipy.special.owens_t, _owens_t_by_h, _owens_t_by_a)
