"""The Dirichlet distribution on points with positive coordinates that sum to 1, with concentrations `alpha`.

Every function is differentiable by `x` and by the concentrations.
"""

from typing import Any

import numpy as np

from tapegrad.core.quiet import quietly
from tapegrad.core.var import Var
from tapegrad.scipy import special
from tapegrad.scipy.stats.support import given, power_products
from tapegrad.typing import Array, ArrayLike


def logpdf(x: ArrayLike, alpha: ArrayLike) -> Array:
    """Return the logarithm of the density at `x`.

    Args:
        x: points, with their coordinates along the **first** axis: of shape ``(k, ...)``, or ``(k - 1, ...)`` without the last
            coordinates, which are then what is missing to 1.
        alpha: concentrations, positive numbers of shape ``(k,)``.

    Returns:
        The logarithms, of shape ``(...)``.

    Raises:
        ValueError: if the shapes do not fit, or points or concentrations are not allowed.

    Example:
        >>> logpdf(np.array([0.2, 0.3, 0.5]), np.array([1.0, 2.0, 3.0]))
        np.float64(1.504077...)
    """
    with quietly():
        points, weights, constant = terms(x, alpha)
        y: Array = special.xlogy(weights, points).sum(axis=0) + constant
        return y


def pdf(x: ArrayLike, alpha: ArrayLike) -> Array:
    """Return the density at `x`; the arguments are those of `logpdf`.

    Example:
        >>> pdf(np.array([0.2, 0.3, 0.5]), np.array([1.0, 2.0, 3.0]))
        np.float64(4.4999...)
    """
    with quietly():
        y: Array = power_products(*terms(x, alpha), axis=0)
        return y


def terms(x: ArrayLike, alpha: ArrayLike) -> tuple[Any, Any, Any]:
    """Return points, the exponents of their coordinates, and the logarithm of what is constant.

    Raises:
        ValueError: if the shapes do not fit, or points or concentrations are not allowed.
    """
    points, concentrations = checked(*given(x, alpha))
    weights = concentrations.reshape((-1,) + (1,) * (points.ndim - 1)) - 1.0
    return points, weights, special.gammaln(concentrations.sum()) - special.gammaln(concentrations).sum()


def checked(x: Any, alpha: Any) -> tuple[Any, Any]:
    """Return points with all their coordinates, and concentrations, both as SciPy demands them.

    Raises:
        ValueError: if they are not.
    """
    if np.ndim(alpha) != 1:
        raise ValueError(f"Parameter vector 'a' must be one dimensional, but a.shape = {np.shape(alpha)}.")
    k = np.shape(alpha)[0]
    if np.ndim(x) == 0 or np.shape(x)[0] not in (k, k - 1):
        raise ValueError(
            "Vector 'x' must have either the same number of entries as, or one entry fewer than, parameter vector 'a', "
            f"but alpha.shape = {np.shape(alpha)} and x.shape = {np.shape(x)}."
        )
    if np.shape(x)[0] == k - 1:
        x = np.concatenate([x, 1.0 - x.sum(axis=0, keepdims=True)])
    if any(type(z) is Var and z.tape.abstract for z in (x, alpha)):
        return x, alpha  # no values to look at
    points, concentrations = [z.value if type(z) is Var else z for z in (x, alpha)]
    slack = 1e-9 if np.asarray(points).dtype == np.float64 else 1e-5
    if not np.all(concentrations > 0):
        raise ValueError("All parameters must be greater than 0")
    if np.min(points, initial=0.0) < 0 or np.max(points, initial=1.0) > 1:
        raise ValueError("Each entry in 'x' must be between zero and one.")
    if np.any((points == 0) & (concentrations.reshape((-1,) + (1,) * (np.ndim(points) - 1)) < 1)):
        raise ValueError("Each entry in 'x' must be greater than zero if its alpha is less than one.")
    if np.any(np.abs(points.sum(axis=0) - 1.0) > slack):
        raise ValueError(f"The input vector 'x' must lie within the normal simplex. but np.sum(x, 0) = {points.sum(axis=0)}.")
    return x, alpha
