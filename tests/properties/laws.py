"""What holds for every function and every argument."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import assert_trees_close, check_grads

Function = Callable[..., Any]


def check(f: Function, args: Sequence[Any], order: int = 1) -> None:
    """Check a function ``f(xp, *args)`` at arguments of double precision.

    The value is NumPy's; both doors give the same cotangents, of the shape and dtype of the arguments; forward mode is the
    transpose of reverse mode; both agree with finite differences, to the given order; single precision stays single.
    """

    def ours(*xs: Any) -> Any:
        return f(tnp, *xs)

    def plain(*xs: Any) -> Any:
        return f(np, *xs)

    expected = f(np, *args)
    assert_identical(f(tnp, *args), expected)
    random = np.random.default_rng(0)
    g = like(random, expected)
    ts = [like(random, x) for x in args]
    y, pull = tg.vjp(ours, *args)
    cotangents = pull(g)
    assert_identical(y, expected)
    y, pull = tg.vjp(plain, *args)
    assert_identical(y, expected)
    assert_trees_close(pull(g), cotangents, 1e-13, 1e-13)
    for c, x in zip(cotangents, args, strict=True):
        assert np.shape(c) == np.shape(x) and np.asarray(c).dtype == np.asarray(x).dtype
    _, t = tg.jvp(ours, tuple(args), tuple(ts))
    assert np.shape(t) == np.shape(expected) and np.asarray(t).dtype == np.asarray(expected).dtype
    across = sum(np.sum(c * s) for c, s in zip(cotangents, ts, strict=True))
    np.testing.assert_allclose(np.sum(g * t), across, rtol=1e-9, atol=1e-9)
    check_grads(ours, args, order)
    single = [np.asarray(x, np.float32) for x in args]
    y, pull = tg.vjp(ours, *single)
    assert np.asarray(y).dtype == np.asarray(f(np, *single)).dtype
    for c, x in zip(pull(np.asarray(g, np.asarray(y).dtype)), cotangents, strict=True):
        assert c.dtype == np.float32
        np.testing.assert_allclose(c, x, rtol=2e-3, atol=2e-3 * max(1.0, float(np.max(np.abs(x), initial=0.0))))


def assert_identical(found: Any, expected: Any) -> None:
    """Assert that NumPy's own value, shape and dtype came out."""
    assert np.shape(found) == np.shape(expected) and np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def like(random: np.random.Generator, x: Any) -> Any:
    """Return random numbers of the shape and dtype of an array."""
    return np.asarray(random.normal(size=np.shape(x)), np.asarray(x).dtype)[()]
