"""Entropies and losses that are built of ``x log(y)``.

At ``x = 0`` they are 0 by continuity, whatever `y` is, and so are their derivatives by `y`. The quotients that say so are never
0 over 0 here: where both are 0, the divisor is 1.
"""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.var import apply
from tapegrad.ops.powers import leg
from tapegrad.ops.scipy_special.family import elementwise
from tapegrad.ops.scipy_special.precision import weak

POSITIVE = ((0.2, 3.0), (0.2, 3.0))


def _over(x: Any, y: Any) -> Any:
    """``x / y``, but 0 where both are."""
    return x / np.where((x == 0) & (y == 0), 1.0, y)


def _log_ratio(x: Any, y: Any) -> Any:
    """``log(x / y)``, but 0 where both are 0."""
    both = (x == 0) & (y == 0)
    x, y = np.where(both, 1.0, x), np.where(both, 1.0, y)
    ratio = x / y
    return np.where((ratio > 1e-30) & (ratio < 1e30), np.log(ratio), np.log(x) - np.log(y))


xlogy_p = elementwise(
    "xlogy",
    weak(scipy.special.xlogy),
    lambda g, y, a, b: g * np.log(b),
    lambda g, y, a, b: g * _over(a, b),
    domain=POSITIVE,
    stands_for=scipy.special.xlogy,
)
xlog1py_p = elementwise(
    "xlog1py",
    weak(scipy.special.xlog1py),
    lambda g, y, a, b: g * scipy.special.log1p(b),
    lambda g, y, a, b: g * _over(a, 1.0 + b),
    domain=POSITIVE,
    stands_for=scipy.special.xlog1py,
)
entr_p = elementwise(
    "entr",
    scipy.special.entr,
    lambda g, y, x: np.where(x < 0, 0.0, g * (-1.0 - np.log(x))),  # to the left of 0 it is -inf, and stays there
    domain=(0.2, 3.0),
)
rel_entr_p = elementwise(
    "rel_entr",
    scipy.special.rel_entr,
    lambda g, y, a, b: np.where((a < 0) | (b < 0), 0.0, g * (_log_ratio(a, b) + 1.0)),
    lambda g, y, a, b: np.where((a < 0) | (b < 0), 0.0, -g * _over(a, b)),
    domain=POSITIVE,
)
kl_div_p = elementwise(
    "kl_div",
    scipy.special.kl_div,
    lambda g, y, a, b: np.where((a < 0) | (b < 0), 0.0, g * _log_ratio(a, b)),
    lambda g, y, a, b: np.where((a < 0) | (b < 0), 0.0, g * (1.0 - _over(a, b))),
    domain=POSITIVE,
)


# Huber's loss, and a smooth one like it


def _huber_by_delta(g: Any, y: Any, delta: Any, r: Any) -> Any:
    return g * np.where(delta < 0, 0.0, np.maximum(np.abs(r) - delta, 0.0))


huber_p = elementwise(
    "huber",
    scipy.special.huber,
    _huber_by_delta,
    lambda g, y, delta, r: g * np.where(delta < 0, 0.0, np.maximum(np.minimum(r, delta), -delta)),
    domain=((0.3, 1.0), (1.2, 2.0)),
)


def _pseudo_huber_by_delta(g: Any, y: Any, delta: Any, r: Any) -> Any:
    radius = np.hypot(delta, r)
    rest = _over(r, radius + delta) * r  # radius - delta
    return g * np.where(delta < 0, 0.0, rest * _over(rest, radius))


pseudo_huber_slope_p = elementwise(
    "pseudo_huber_slope",
    lambda delta, r: delta * leg(r, delta),
    lambda g, y, delta, r: g * leg(r, delta) ** 3,  # that of the product is ``r/y - delta**2 * r/y**3``
    lambda g, y, delta, r: g * leg(delta, r) ** 3,
    domain=POSITIVE,
    expand=lambda delta, r: delta * leg(r, delta),
)
"""The derivative of pseudo-Huber loss by `r`: its own derivatives do not cancel, whichever of `delta` and `r` is small."""

pseudo_huber_p = elementwise(
    "pseudo_huber",
    scipy.special.pseudo_huber,
    _pseudo_huber_by_delta,
    lambda g, y, delta, r: g * np.where(delta < 0, 0.0, apply(pseudo_huber_slope_p, delta, r)),
    domain=((0.3, 2.0), (-2.0, 2.0)),
)
