"""Zeta functions, element by element."""

from tapegrad.ops.scipy_special.zeta import riemann_zeta_p, zeta_p, zetac_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def zeta(x: ArrayLike, q: ArrayLike | None = None) -> Array:
    """Return Riemann's zeta function of `x`, or Hurwitz's with `q`: the sum of ``(k + q)**-x`` over whole `k` from 0.

    Both are differentiable by `x`, Hurwitz's by `q` as well.

    Args:
        x: array of any shape; greater than 1 where `q` is given.
        q: array of a shape that broadcasts with that of `x`.

    Returns:
        The values, of the shape that the arguments broadcast to.

    Example:
        >>> zeta(np.array([2.0, -1.0]))
        array([ 1.64493407, -0.08333333])
        >>> zeta(2.0, np.array([1.0, 2.0]))
        array([1.64493407, 0.64493407])
    """
    return call(riemann_zeta_p, x) if q is None else call(zeta_p, x, q)


def zetac(x: ArrayLike) -> Array:
    """Return ``zeta(x) - 1``, accurate for large `x` too.

    Example:
        >>> zetac(np.array([2.0, 60.0]))
        array([6.44934067e-01, 8.67361738e-19])
    """
    return call(zetac_p, x)
