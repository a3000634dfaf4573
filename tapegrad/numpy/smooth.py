"""The cardinal sine and the modified Bessel function of order 0."""

import numpy as np

from tapegrad.core.var import Var, unary
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.smooth import i0_p, sinc_p
from tapegrad.typing import Array, ArrayLike


@stands_for(np.sinc)
def sinc(x: ArrayLike) -> Array:
    """Return ``sin(pi x) / (pi x)``, and 1 at 0. Its derivatives of every order are accurate near 0 too.

    Args:
        x: array of any shape.

    Returns:
        An array of the shape of `x`.

    Example:
        >>> sinc(np.array([0.0, 0.5, 1.0])).round(6)
        array([1.     , 0.63662, 0.     ])
    """
    given = gathered(x)
    y: Array = unary(sinc_p, given) if type(given) is Var else np.sinc(given)
    return y


@stands_for(np.i0)
def i0(x: ArrayLike) -> Array:
    """Return the modified Bessel function of the first kind, order 0. Its derivatives of every order are accurate.

    Args:
        x: real array of any shape.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: if `x` is complex.

    Example:
        >>> i0(np.array([0.0, 1.0]))
        array([1.        , 1.26606588])
    """
    given = gathered(x)
    return unary(i0_p, given) if type(given) is Var else np.i0(given)
