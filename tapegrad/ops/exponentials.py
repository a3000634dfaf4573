"""Exponentials and logarithms."""

import math
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.families import elementwise
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply

LN2 = math.log(2.0)
LN10 = math.log(10.0)

LARGE = 2**11
"""Elements from which on several vectorized functions are faster than one that is not: `jit` then writes `log1p` and its like
with `exp` and `log`. Their results differ in the last digit or two."""


def pays(x: Any, kinds: str) -> bool:
    """Tell whether an array is large, and of one of some dtypes."""
    return bool(math.prod(shape_of(x)) >= LARGE and dtype_of(x).char in kinds)


def _expand_log1p(x: Any) -> Any:
    w = x + 1.0
    error = ((w - 1.0) - x) / w  # what was lost in w, relative to it; NaN where nothing was, at -1 and infinity
    return np.log(w) - (np.fmin(error, 0.0) + np.fmax(error, 0.0))


def _expand_logaddexp(a: Any, b: Any) -> Any:
    if "f" not in (dtype_of(a).kind, dtype_of(b).kind):
        return None  # integers run over where they are subtracted, and booleans are not
    apart = a - b
    if not pays(apart, "fd"):
        return None
    less = np.fmin(np.exp(-np.abs(apart)), 1.0)  # NaN where both are the same infinity
    w = less + 1.0
    return np.maximum(a, b) + (np.log(w) - ((w - 1.0) - less) / w)


exp_p = elementwise("exp", np.exp, lambda g, y, x: g * y)
exp2_p = elementwise("exp2", np.exp2, lambda g, y, x: g * (LN2 * y))
expm1_p = elementwise(
    "expm1",
    np.expm1,
    lambda g, y, x: g * np.exp(x),  # y + 1 would lose the tail on the left
    expand=lambda x: np.tanh(0.5 * x) * (np.exp(x) + 1.0) if pays(x, "f") else None,
)
log_p = elementwise("log", np.log, lambda g, y, x: g / x, domain=(0.2, 3.0))
log2_p = elementwise("log2", np.log2, lambda g, y, x: g / (LN2 * x), domain=(0.2, 3.0))
log10_p = elementwise("log10", np.log10, lambda g, y, x: g / (LN10 * x), domain=(0.2, 3.0))
log1p_p = elementwise(
    "log1p",
    np.log1p,
    lambda g, y, x: g / (1.0 + x),
    domain=(-0.7, 3.0),
    expand=lambda x: _expand_log1p(x) if pays(x, "fd") else None,
)


@np.errstate(over="ignore")
def _logistic(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


logistic_slope_p = elementwise(
    "logistic_slope",
    lambda x: _logistic(x) * _logistic(-x),
    lambda g, y, x: g * (-y * np.tanh(0.5 * x)),  # that of the product is a difference, which is lost near 0
    expand=lambda x: logistic(x) * logistic(-x),
)
logistic_p: Primitive = elementwise(
    "logistic",
    _logistic,
    lambda g, y, x: g * apply(logistic_slope_p, x),
    fast=(lambda g, y, x: g * (y * _logistic(-x)),),
    expand=lambda x: 1.0 / (1.0 + np.exp(-x)),
)


def logistic(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``."""
    return apply(logistic_p, x)


def _difference(a: Any, b: Any) -> Any:
    """``a - b``, but 0 where both are the same infinity."""
    return np.where((a == b) & np.isinf(a), 0.0, a - b)


logaddexp_p = elementwise(
    "logaddexp",
    np.logaddexp,
    lambda g, y, a, b: g * logistic(_difference(a, b)),
    lambda g, y, a, b: g * logistic(_difference(b, a)),
    fast=(lambda g, y, a, b: g * _logistic(a - b), lambda g, y, a, b: g * _logistic(b - a)),
    bare=(lambda g, y, a, b: g * logistic(a - b), lambda g, y, a, b: g * logistic(b - a)),
    expand=_expand_logaddexp,
)
logaddexp2_p = elementwise(
    "logaddexp2",
    np.logaddexp2,
    lambda g, y, a, b: g * logistic(LN2 * _difference(a, b)),
    lambda g, y, a, b: g * logistic(LN2 * _difference(b, a)),
    fast=(lambda g, y, a, b: g * _logistic(LN2 * (a - b)), lambda g, y, a, b: g * _logistic(LN2 * (b - a))),
    bare=(lambda g, y, a, b: g * logistic(LN2 * (a - b)), lambda g, y, a, b: g * logistic(LN2 * (b - a))),
)
