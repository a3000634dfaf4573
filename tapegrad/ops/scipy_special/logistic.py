"""The logistic function, its inverse and its logarithm."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise


def _expit_slope(x: Any) -> Any:
    return scipy.special.expit(x) * scipy.special.expit(-x)  # y * (1 - y) would lose the tail on the right


expit_slope_p = elementwise(
    "expit_slope",
    _expit_slope,
    lambda g, y, x: g * (-y * np.tanh(0.5 * x)),  # that of the product is a difference, which is lost near 0
    expand=lambda x: apply(expit_p, x) * apply(expit_p, -x),
)
expit_p: Primitive = elementwise(
    "expit",
    scipy.special.expit,
    lambda g, y, x: g * expit_slope(x),
    fast=(lambda g, y, x: g * (y * scipy.special.expit(-x)),),
)
logit_p = elementwise("logit", scipy.special.logit, lambda g, y, x: g / (x * (1.0 - x)), domain=(0.1, 0.9))
log_expit_p = elementwise("log_expit", scipy.special.log_expit, lambda g, y, x: g * scipy.special.expit(-x))
log_expit_slope_p = elementwise(
    "log_expit_slope",
    lambda x: scipy.special.log_expit(x) + scipy.special.log_expit(-x),
    lambda g, y, x: g * -np.tanh(0.5 * x),  # that of the sum is a difference, which is lost near 0
    expand=lambda x: apply(log_expit_p, x) + apply(log_expit_p, -x),
)
"""The logarithm of the slope of expit: that of the density of the logistic distribution."""


def expit_slope(x: Any) -> Any:
    """Return the derivative of expit, with a derivative that is exact near 0."""
    return apply(expit_slope_p, x)


def log_expit_slope(x: Any) -> Any:
    """Return the logarithm of the derivative of expit, likewise."""
    return apply(log_expit_slope_p, x)
