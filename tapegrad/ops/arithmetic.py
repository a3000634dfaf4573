"""Arithmetic: sums, products, quotients and remainders.

Python's operators, not the ufuncs, compute where there are both: on NumPy scalars they are ten times as fast. A Python number
stays one, so that its dtype stays weak; but where Python would raise, NumPy's answer is taken.
"""

import operator
from typing import Any

import numpy as np

from tapegrad.core.families import constant, elementwise
from tapegrad.core.primitive import Fn

PYTHON = frozenset({float, int, complex, bool})


def weak(function: np.ufunc) -> Fn:
    """Return `function`, but with a Python number as the answer to Python numbers."""

    def compute(a: Any, b: Any) -> Any:
        y = function(a, b)
        return y.item() if type(a) in PYTHON and type(b) in PYTHON else y

    return compute


def ordinary(x: Any) -> bool:
    """Tell whether `x` is an array so large that a look at it pays, of numbers that can be divided by without a care."""
    if type(x) is not np.ndarray or x.size < 256:
        return False
    info = np.finfo(x.dtype)
    size = np.abs(x)
    return bool(info.tiny / info.eps < size.min() and size.max() < np.inf)


def _divide(a: Any, b: Any) -> Any:
    if type(a) is float and type(b) is float and b:
        return a / b
    return np.divide(a, b).item() if type(a) in PYTHON and type(b) in PYTHON else a / b


add_p = elementwise("add", operator.add, lambda g, y, a, b: g, lambda g, y, a, b: g, finite=True, stands_for=np.add)
subtract_p = elementwise(
    "subtract", operator.sub, lambda g, y, a, b: g, lambda g, y, a, b: -g, finite=True, stands_for=np.subtract
)
multiply_p = elementwise("multiply", operator.mul, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, stands_for=np.multiply)
divide_p = elementwise(
    "divide",
    _divide,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -(g * y) / b,  # not y / b: two Python numbers raise where NumPy does not
    domain=((-2.0, 2.0), (0.5, 2.0)),
    stands_for=np.divide,
)
negative_p = elementwise("negative", operator.neg, lambda g, y, x: -g, finite=True, stands_for=np.negative)
positive_p = elementwise("positive", operator.pos, lambda g, y, x: g, finite=True, stands_for=np.positive)
reciprocal_p = elementwise("reciprocal", np.reciprocal, lambda g, y, x: -g * (y * y), domain=(0.5, 2.0))

# Remainders. By the divisor the derivative is minus the whole part of the quotient, the very one that the remainder belongs to.


def _remainder_slope(g: Any, y: Any, a: Any, b: Any) -> Any:
    return -g * np.rint(np.divide(a - y, b))  # not an operator: Python numbers raise where they divide by 0


remainder_p = elementwise(
    "remainder",
    weak(np.remainder),
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * np.floor_divide(a, b),
    fast=(lambda g, y, a, b: g, _remainder_slope),
    domain=((0.1, 0.9), (1.0, 2.0)),
    stands_for=np.remainder,
)
fmod_p = elementwise(
    "fmod",
    np.fmod,
    lambda g, y, a, b: g,
    _remainder_slope,
    domain=((0.1, 0.9), (1.0, 2.0)),
)
floor_divide_p = constant("floor_divide", weak(np.floor_divide), stands_for=np.floor_divide)
