"""Convolution and correlation of sequences, under NumPy's names."""

from typing import Any, Literal

import numpy as np

from tapegrad.core.var import Var, apply
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.ops.window import OFFSET, convolve_p
from tapegrad.typing import Array, ArrayLike

Mode = Literal["full", "same", "valid"]

NUMPY: Any = np
"""NumPy's own functions, called with whatever was given."""


@stands_for(np.convolve)
def convolve(a: ArrayLike, v: ArrayLike, mode: Mode = "full") -> Array:
    """Return the convolution of two sequences: ``sum(a[i] * v[k - i])`` for each `k`.

    Args:
        a: shape ``(n,)``.
        v: shape ``(m,)``.
        mode: 'full' for all `k`, 'same' for the middle ``max(n, m)`` of them, 'valid' for those at which the shorter sequence
            lies within the longer one.

    Returns:
        Shape ``(n + m - 1,)``, ``(max(n, m),)`` or ``(max(n, m) - min(n, m) + 1,)``.

    Raises:
        ValueError: if a sequence is empty or no sequence, or there is no such mode.

    Example:
        >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5]))
        array([0. , 1. , 2.5, 4. , 1.5])
    """
    x, w = gathered(a), gathered(v)
    if type(x) is not Var and type(w) is not Var:
        y: Array = NUMPY.convolve(x, w, mode)
        return y
    x, w = _sequence(x), _sequence(w)
    if mode not in OFFSET or min(np.size(x), np.size(w)) == 0 or max(np.ndim(x), np.ndim(w)) > 1:
        NUMPY.convolve(np.zeros(np.shape(x)), np.zeros(np.shape(w)), mode)  # says what is wrong
    result: Array = apply(convolve_p, x, w, mode=mode)
    return result


@stands_for(np.correlate)
def correlate(a: ArrayLike, v: ArrayLike, mode: Mode = "valid") -> Array:
    """Return the correlation of two sequences: ``sum(a[i + k] * conj(v[i]))`` for each `k`.

    Args:
        a: shape ``(n,)``.
        v: shape ``(m,)``.
        mode: as of `convolve`.

    Returns:
        A sequence as `convolve` returns it.

    Raises:
        ValueError: if a sequence is empty or no sequence, or there is no such mode.

    Example:
        >>> correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5]))
        array([3.5])
    """
    x, w = gathered(a), gathered(v)
    if type(x) is not Var and type(w) is not Var:
        y: Array = NUMPY.correlate(x, w, mode)
        return y
    x, w = (z if type(z) is Var else np.asarray(z) for z in (x, w))
    if mode not in OFFSET or min(np.size(x), np.size(w)) == 0 or np.ndim(x) != 1 or np.ndim(w) != 1:
        NUMPY.correlate(np.zeros(np.shape(x)), np.zeros(np.shape(w)), mode)  # says what is wrong
    flipped = (np.conjugate(w) if w.dtype.kind == "c" else w)[::-1]
    if mode == "same" and np.size(x) < np.size(w) and np.size(x) % 2 == 0:  # NumPy's middle lies one further here
        full = apply(convolve_p, x, flipped, mode="full")
        start = np.size(x) // 2
        result: Array = full[start : start + np.size(w)]
        return result
    result = apply(convolve_p, x, flipped, mode=mode)
    return result


def _sequence(x: Any) -> Any:
    """Return a scalar as a sequence of one element, as NumPy does."""
    return np.reshape(x, (1,)) if np.ndim(x) == 0 else x if type(x) is Var else np.asarray(x)
