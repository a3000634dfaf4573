"""The logistic function, its inverse and its logarithm."""

from typing import Any

import scipy.special

from tapegrad.ops.scipy_special.family import elementwise


def _expit_slope(g: Any, y: Any, x: Any) -> Any:
    return g * (y * scipy.special.expit(-x))  # 1 - y would lose the tail on the right


expit_p = elementwise("expit", scipy.special.expit, _expit_slope)
logit_p = elementwise("logit", scipy.special.logit, lambda g, y, x: g / (x * (1.0 - x)), domain=(0.1, 0.9))
log_expit_p = elementwise("log_expit", scipy.special.log_expit, lambda g, y, x: g * scipy.special.expit(-x))
