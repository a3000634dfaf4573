"""Complex numbers and their parts.

Cotangents follow JAX's convention: that of ``z = x + iy`` for a real output `f` is ``df/dx - i df/dy``, so that a rule of a
holomorphic function is its plain derivative. The output of a part is real, and replays take the real part of what comes for
a real value: one slope serves both directions here as well.
"""

from typing import Any

import numpy as np

from tapegrad.core.families import elementwise

conjugate_p = elementwise("conjugate", np.conjugate, lambda g, y, z: np.conjugate(g), finite=True)
real_p = elementwise("real", np.real, lambda g, y, z: g, finite=True)
imag_p = elementwise("imag", np.imag, lambda g, y, z: -1j * g, finite=True)


def _angle_slope(g: Any, y: Any, z: Any) -> Any:
    return np.where(z == 0, 0.0, -1j * (g / z))


angle_p = elementwise("angle", np.angle, _angle_slope, domain=(0.3, 2.0))
