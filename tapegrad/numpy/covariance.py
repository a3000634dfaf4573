"""Covariances and correlations under NumPy's names."""

import warnings
from typing import Any

import numpy as np

from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import is_traced, plain
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.numpy.statistics import average
from tapegrad.typing import Array, ArrayLike, DTypeLike


@stands_for(np.cov)
def cov(
    m: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Array:
    """Covariance matrix.

    Args:
        m: observations, of shape ``(variables, observations)``, or ``(observations,)`` of one variable.
        y: more variables, with the same observations.
        rowvar: variables are rows; if not, columns.
        bias: divide by the number of observations, not by one less.
        ddof: divide by the number of observations less `ddof`.
        fweights: how often each observation occurs, integers of shape ``(observations,)``.
        aweights: the weight of each observation, of shape ``(observations,)``.
        dtype: dtype of the result, at least float64 by default.

    Returns:
        Matrix of shape ``(variables, variables)``; a scalar for one variable.

    Raises:
        ValueError: if an array has too many dimensions, or a weight is negative.
        RuntimeError: if the weights do not fit the observations.

    Example:
        >>> cov(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        array([[ 1., -1.],
               [-1.,  1.]])
    """
    m, y, fweights, aweights = gathered(m), gathered(y), gathered(fweights), gathered(aweights)
    if not is_traced(m, y, fweights, aweights):
        return plain(np.cov, m, y, rowvar, bias, ddof, fweights, aweights, dtype=dtype)
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    rows = [variables(part, name, rowvar) for part, name in ((m, "m"), (y, "y")) if part is not None]
    dtype = dtype or np.result_type(np.float64, *[part.dtype for part in rows])
    if rows[0].shape[0] == 0:
        return np.zeros((0, 0))
    x: Any = astype(np.concatenate(rows, 0) if len(rows) > 1 else rows[0], dtype)
    if ddof is None:
        ddof = 0 if bias else 1
    frequencies = observation_weights(fweights, "fweights", x.shape[1])
    importances = observation_weights(aweights, "aweights", x.shape[1])
    w = importances if frequencies is None else frequencies if importances is None else frequencies * importances
    centre = average(x, 1, w, keepdims=True)
    freedom: Any = x.shape[1] - ddof
    if w is not None:
        total = np.sum(w)
        freedom = total - (0 if ddof == 0 else ddof if importances is None else ddof * np.sum(w * importances) / total)
    few = np.less_equal(freedom, 0)
    if type(few) is not Var and few:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        freedom = 0.0
    x = x - centre
    weighted = x if w is None else x * w
    scale = astype(np.true_divide(1, freedom), np.finfo(x.dtype).dtype)
    c: Array = np.squeeze(np.matmul(x, np.conjugate(np.transpose(weighted))) * scale)
    return c


def variables(x: Any, name: str, rowvar: bool) -> Any:
    """Return observations as a matrix whose rows are variables."""
    x = x if type(x) is Var else np.asarray(x)
    if x.ndim > 2:
        raise ValueError(f"{name} has more than 2 dimensions")
    if x.ndim < 2:
        return np.reshape(x, (1, -1))
    return x if rowvar or (name == "y" and x.shape[0] == 1) else np.transpose(x)


def observation_weights(w: Any, name: str, length: int) -> Any:
    """Return the weights of observations as NumPy's `cov` checks them."""
    if w is None:
        return None
    w = astype(w, float) if type(w) is Var else np.asarray(w, float)
    if type(w) is not Var and name == "fweights" and not np.all(w == np.around(w)):
        raise TypeError("fweights must be integer")
    if w.ndim > 1:
        raise RuntimeError(f"cannot handle multidimensional {name}")
    if w.shape[0] != length:
        raise RuntimeError(f"incompatible numbers of samples and {name}")
    negative = np.less(w, 0)
    if type(negative) is not Var and np.any(negative):
        raise ValueError(f"{name} cannot be negative")
    return w


@stands_for(np.corrcoef)
def corrcoef(x: ArrayLike, y: ArrayLike | None = None, rowvar: bool = True, *, dtype: DTypeLike | None = None) -> Array:
    """Correlation coefficients.

    Args:
        x: observations, of shape ``(variables, observations)``, or ``(observations,)`` of one variable.
        y: more variables, with the same observations.
        rowvar: variables are rows; if not, columns.
        dtype: dtype of the result, at least float64 by default.

    Returns:
        Matrix of shape ``(variables, variables)`` of numbers from -1 to 1; a scalar for one variable.

    Example:
        >>> corrcoef(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        array([[ 1., -1.],
               [-1.,  1.]])
    """
    x, y = gathered(x), gathered(y)
    if not is_traced(x, y):
        return plain(np.corrcoef, x, y, rowvar, dtype=dtype)
    c: Any = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        correlations: Array = c / c
        return correlations
    deviations = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviations[:, None] / deviations[None, :]
    if c.dtype.kind == "c":
        correlations = np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    else:
        correlations = np.clip(c, -1, 1)
    return correlations
