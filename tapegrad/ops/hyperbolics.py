"""Hyperbolic functions and their inverses."""

from typing import Any

import numpy as np
from numpy import ndarray, square, subtract  # a rule that runs in loops of small operations looks up short names

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import elementwise
from tapegrad.ops.arithmetic import ordinary
from tapegrad.ops.trigonometry import one_less_square

sinh_p = elementwise("sinh", np.sinh, lambda g, y, x: g * np.cosh(x))
cosh_p = elementwise("cosh", np.cosh, lambda g, y, x: g * np.sinh(x))


def _tanh_slope_quickly(g: Any, y: Any, x: Any) -> Any:
    """``g - g * (y * y)`` in one new array: from 1,000 elements on 0.65 to 0.9 of the time, below as fast."""
    slope = square(y) if type(y) is ndarray else y * y
    slope *= g
    return subtract(g, slope, slope) if type(slope) is ndarray else g - slope


# Half the time of g * (1 - y * y)
tanh_p = elementwise("tanh", np.tanh, lambda g, y, x: g - g * (y * y), fast=(_tanh_slope_quickly,))


def _sinh_to_cosh(y: Any, x: Any) -> Any:
    """``cosh(y)`` where ``sinh(y) = x``: neither squares, which overflow, nor roots, which have branches."""
    return np.cosh(y) if dtype_of(x).kind == "c" else np.hypot(x, 1.0)


def _arcsinh_slope_quickly(g: Any, y: Any, x: Any) -> Any:
    square = 1.0 + x * x
    return g / (np.sqrt(square) if ordinary(square) and square.dtype.kind != "c" else _sinh_to_cosh(y, x))


arcsinh_p = elementwise("arcsinh", np.arcsinh, lambda g, y, x: g / _sinh_to_cosh(y, x), fast=(_arcsinh_slope_quickly,))
arccosh_p = elementwise("arccosh", np.arccosh, lambda g, y, x: g / np.sqrt(x - 1.0) / np.sqrt(x - (-1.0)), domain=(1.2, 3.0))
arctanh_p = elementwise("arctanh", np.arctanh, lambda g, y, x: g / one_less_square(x), domain=(-0.9, 0.9))
