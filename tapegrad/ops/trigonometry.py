"""Trigonometric functions and their inverses."""

import math
from typing import Any

import numpy as np

from tapegrad.core.arrays import dtype_of
from tapegrad.core.families import elementwise
from tapegrad.core.var import Var, apply
from tapegrad.ops.arithmetic import ordinary

sin_p = elementwise("sin", np.sin, lambda g, y, x: g * np.cos(x))
cos_p = elementwise("cos", np.cos, lambda g, y, x: -g * np.sin(x))
tan_p = elementwise("tan", np.tan, lambda g, y, x: g * (1.0 + y * y), domain=(-1.2, 1.2))


def _one_less_square(x: Any) -> Any:
    """``1 - x*x`` to full accuracy near ±1, and on the side of the branch cut where the sign of zero puts it."""
    if dtype_of(x).kind == "c":
        return (x - (-1.0)) * -(x - 1.0)  # 1 + x would lose the sign of a zero
    return (1.0 + x) * (1.0 - x)


one_less_square_p = elementwise(
    "one_less_square",
    _one_less_square,
    lambda g, y, x: g * (-2.0 * x),  # that of the product is ``(1 - x) - (1 + x)``, which is lost near 0
    expand=_one_less_square,
)


def one_less_square(x: Any) -> Any:
    """Return ``1 - x*x``, exact near 1 and with a derivative that is exact near 0."""
    return apply(one_less_square_p, x) if type(x) is Var else _one_less_square(x)


arcsin_p = elementwise("arcsin", np.arcsin, lambda g, y, x: g / np.sqrt(one_less_square(x)), domain=(-0.9, 0.9))
arccos_p = elementwise("arccos", np.arccos, lambda g, y, x: -g / np.sqrt(one_less_square(x)), domain=(-0.9, 0.9))
arctan_p = elementwise("arctan", np.arctan, lambda g, y, x: g / (1.0 + x * x))


def _arctan2_slope(g: Any, leg: Any, other: Any) -> Any:
    radius = np.hypot(leg, other)  # not squares, which overflow
    return np.where((radius == 0) | np.isinf(radius), 0.0, g * (leg / radius / radius))


def _arctan2_slope_quickly(g: Any, leg: Any, other: Any) -> Any:
    square = leg * leg + other * other
    return g * (leg / square) if ordinary(square) else _arctan2_slope(g, leg, other)


arctan2_p = elementwise(
    "arctan2",
    np.arctan2,
    lambda g, y, a, b: _arctan2_slope(g, b, a),
    lambda g, y, a, b: -_arctan2_slope(g, a, b),
    fast=(
        lambda g, y, a, b: _arctan2_slope_quickly(g, b, a),
        lambda g, y, a, b: -_arctan2_slope_quickly(g, a, b),
    ),
    domain=((0.3, 2.0), (0.3, 2.0)),
)

RADIANS = math.pi / 180.0

deg2rad_p = elementwise("deg2rad", np.deg2rad, lambda g, y, x: g * RADIANS, finite=True)
radians_p = elementwise("radians", np.radians, lambda g, y, x: g * RADIANS, finite=True)
rad2deg_p = elementwise("rad2deg", np.rad2deg, lambda g, y, x: g / RADIANS, finite=True)
degrees_p = elementwise("degrees", np.degrees, lambda g, y, x: g / RADIANS, finite=True)
