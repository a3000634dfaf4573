"""The two doors, and the ways to a first and a second derivative, which have to agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp

both_doors = pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
"""Runs a test with plain NumPy's functions, then with those of this library, as `xp`."""


def slopes(f: Callable[[Any], Any], x: float, compiled: bool = True) -> tuple[float, float]:
    """Return first and second derivative of a function of one number, having compared every way to them; some `compiled`."""
    first = tg.grad(f)
    firsts = [first(x), tg.jvp(f, (x,), (1.0,))[1]]
    seconds = [tg.grad(first)(x), tg.jvp(first, (x,), (1.0,))[1], tg.grad(lambda x: tg.jvp(f, (x,), (1.0,))[1])(x)]
    seconds.append(tg.jvp(lambda x: tg.jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1])
    if compiled:
        firsts.append(tg.jit(first)(x))
        seconds += [tg.jit(tg.grad(first))(x), tg.jit(lambda x: tg.jvp(first, (x,), (1.0,))[1])(x)]
    for found in (firsts, seconds):
        np.testing.assert_allclose(found, np.full(len(found), found[0]), rtol=1e-9, atol=1e-12)
    return float(firsts[0]), float(seconds[0])


def derivatives(f: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """Return gradient and Hessian of a function of one array, having compared every way to them."""
    first = tg.grad(f)
    gradient = first(x)
    np.testing.assert_allclose(tg.jacfwd(f)(x), gradient, rtol=1e-9, atol=1e-11)
    hessian = tg.jacfwd(first)(x)
    np.testing.assert_allclose(tg.jit(first)(x), gradient, rtol=1e-9, atol=1e-11)
    for second in (tg.jacrev(first), tg.jacrev(tg.jacfwd(f)), tg.jacfwd(tg.jacfwd(f)), tg.jit(tg.hessian(f))):
        np.testing.assert_allclose(second(x), hessian, rtol=1e-9, atol=1e-11)
    return gradient, hessian
