"""Matrices that the tests of linear algebra share."""

from typing import Any

import numpy as np

RANDOM = np.random.default_rng(0)


def real(*shape: int) -> Any:
    return RANDOM.normal(size=shape)


def complex_(*shape: int) -> Any:
    return RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)


def regular(*shape: int) -> Any:
    """Return matrices that are far from singular."""
    return real(*shape) + 3.0 * np.eye(shape[-1])


def positive(n: int, kind: Any = real) -> Any:
    """Return a Hermitian positive definite matrix."""
    x = kind(n, n)
    return x @ x.conj().T + np.eye(n)


def hermitian_part(x: Any) -> Any:
    """Return the Hermitian part, written so that it differentiates: finite differences leave the Hermitian matrices."""
    return 0.5 * (x + np.conj(np.swapaxes(x, -1, -2)))
