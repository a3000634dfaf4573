"""The elementwise family of special functions, whose slopes are longer formulas than elsewhere.

Among the arguments of a rule may be Python numbers, which raise where NumPy's answer infinity (``1.0 / 0.0``, ``1e300 ** 2``).
Here they become NumPy's before a rule sees them, of the dtype of the output, so that nothing is widened.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.core import families
from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Fn, Missing, Primitive, no_cotangent
from tapegrad.core.structure import astype


def in_floats(x: Any, y: Any) -> Any:
    """Return integers as numbers of the dtype of the output: in few bits they run over, and have logarithms of few digits."""
    return astype(x, np.finfo(dtype_of(y)).dtype) if hasattr(x, "dtype") and x.dtype.kind in "biu" else x


def in_integers(x: Any, y: Any) -> Any:
    """Return integers as such of 64 bits: they stay integers where a function goes by recurrences for those."""
    return astype(x, np.int64) if hasattr(x, "dtype") and x.dtype.kind in "biu" else x


def elementwise(
    name: str, fn: Fn, *slopes: Fn, fast: Sequence[Fn] | None = None, integers: Fn = in_floats, **more: Any
) -> Primitive:
    """Define an elementwise primitive; the arguments are those of `tapegrad.core.families.elementwise`.

    ``integers`` says what slopes get in place of arrays of integers.
    """
    quick = None if fast is None else tuple(in_numpy(slope, integers) for slope in fast)
    return families.elementwise(name, fn, *[in_numpy(slope, integers) for slope in slopes], fast=quick, **more)


def in_numpy(slope: Fn, integers: Fn) -> Fn:
    """Return a slope that may rely on NumPy's arithmetic."""
    if slope is no_cotangent or isinstance(slope, Missing):
        return slope

    def rule(g: Any, y: Any, *args: Any, **settings: Any) -> Any:
        if float in map(type, args):
            kind = np.finfo(dtype_of(y)).dtype.type
            args = tuple([kind(x) if type(x) is float else x for x in args])
        return slope(g, y, *[integers(x, y) for x in args], **settings)

    return rule
