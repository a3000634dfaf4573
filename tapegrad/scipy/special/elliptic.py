"""Complete elliptic integrals, element by element."""

from tapegrad.ops.scipy_special.elliptic import ellipe_p, ellipk_p, ellipkm1_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def ellipk(m: ArrayLike) -> Array:
    """Return the complete elliptic integral of the first kind, of the parameter `m`.

    Example:
        >>> ellipk(np.array([0.0, 0.5]))
        array([1.57079633, 1.85407468])
    """
    return call(ellipk_p, m)


def ellipkm1(p: ArrayLike) -> Array:
    """Return ``ellipk(1 - p)``, accurate for small `p` too.

    Example:
        >>> ellipkm1(np.array([1e-20, 0.5]))
        array([24.41214529,  1.85407468])
    """
    return call(ellipkm1_p, p)


def ellipe(m: ArrayLike) -> Array:
    """Return the complete elliptic integral of the second kind, of the parameter `m`.

    Example:
        >>> ellipe(np.array([0.0, 0.5]))
        array([1.57079633, 1.35064388])
    """
    return call(ellipe_p, m)
