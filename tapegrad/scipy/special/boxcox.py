"""Box and Cox's transformations and their inverses, element by element. They are smooth where `lmbda` passes 0."""

from tapegrad.ops.scipy_special.boxcox import boxcox1p_p, boxcox_p, inv_boxcox1p_p, inv_boxcox_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def boxcox(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """Return ``(x**lmbda - 1) / lmbda``, and ``log(x)`` where `lmbda` is 0.

    Example:
        >>> boxcox(2.0, np.array([0.0, 2.0]))
        array([0.69314718, 1.5       ])
    """
    return call(boxcox_p, x, lmbda)


def boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """Return ``((1 + x)**lmbda - 1) / lmbda``, and ``log1p(x)`` where `lmbda` is 0.

    Example:
        >>> boxcox1p(1e-12, np.array([0.0, 2.0]))
        array([1.e-12, 1.e-12])
    """
    return call(boxcox1p_p, x, lmbda)


def inv_boxcox(y: ArrayLike, lmbda: ArrayLike) -> Array:
    """Return the `x` at which ``boxcox(x, lmbda)`` is `y`.

    Example:
        >>> inv_boxcox(1.5, np.array([0.0, 2.0]))
        array([4.48168907, 2.        ])
    """
    return call(inv_boxcox_p, y, lmbda)


def inv_boxcox1p(y: ArrayLike, lmbda: ArrayLike) -> Array:
    """Return the `x` at which ``boxcox1p(x, lmbda)`` is `y`.

    Example:
        >>> inv_boxcox1p(1e-12, np.array([0.0, 2.0]))
        array([1.e-12, 1.e-12])
    """
    return call(inv_boxcox1p_p, y, lmbda)
