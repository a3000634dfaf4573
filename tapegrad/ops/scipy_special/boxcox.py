"""Box and Cox's transformations: ``(x**lmbda - 1) / lmbda``, which is smooth where `lmbda` passes 0, and its inverse."""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.ops.scipy_special.exponential import exprel_derivative, log1p_over
from tapegrad.ops.scipy_special.family import elementwise

# With u = lmbda * log(x), boxcox is log(x) exprel(u)


def _by_lmbda(y: Any, log: Any, lmbda: Any) -> Any:
    u = lmbda * log
    low = (u * np.exp(u) - lmbda * y) / (lmbda * lmbda)
    smooth = np.where(u < -1.0, low, log * log * exprel_derivative(u))
    return np.where(np.isinf(log), 1.0 / (lmbda * lmbda), smooth)  # at x = 0 it is -1 / lmbda


boxcox_p = elementwise(
    "boxcox",
    scipy.special.boxcox,
    lambda g, y, x, lmbda: g * np.power(x, lmbda - 1.0),
    lambda g, y, x, lmbda: g * _by_lmbda(y, np.log(x), lmbda),
    domain=((0.3, 2.0), (-2.0, 2.0)),
)
boxcox1p_p = elementwise(
    "boxcox1p",
    scipy.special.boxcox1p,
    lambda g, y, x, lmbda: g * np.power(1.0 + x, lmbda - 1.0),
    lambda g, y, x, lmbda: g * _by_lmbda(y, scipy.special.log1p(x), lmbda),
    domain=((-0.7, 1.0), (-2.0, 2.0)),
)


# The inverse is exp(y log1p(lmbda y) / (lmbda y))


def _inverse_by_y(out: Any, y: Any, lmbda: Any) -> Any:
    base = 1.0 + lmbda * y
    return np.where(base == 0, np.power(base, 1.0 / lmbda - 1.0), out / base)


def _inverse_by_lmbda(out: Any, y: Any, lmbda: Any) -> Any:
    return np.where(out == 0, 0.0, out * (y * y * log1p_over(lmbda * y, 1)))


inv_boxcox_p = elementwise(
    "inv_boxcox",
    scipy.special.inv_boxcox,
    lambda g, out, y, lmbda: g * _inverse_by_y(out, y, lmbda),
    lambda g, out, y, lmbda: g * _inverse_by_lmbda(out, y, lmbda),
    domain=((-0.4, 0.9), (-1.0, 1.5)),
)
inv_boxcox1p_p = elementwise(
    "inv_boxcox1p",
    scipy.special.inv_boxcox1p,
    lambda g, out, y, lmbda: g * _inverse_by_y(out + 1.0, y, lmbda),
    lambda g, out, y, lmbda: g * _inverse_by_lmbda(out + 1.0, y, lmbda),
    domain=((-0.4, 0.9), (-1.0, 1.5)),
)
