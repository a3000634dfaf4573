"""Windows that move over an array."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

X = np.random.default_rng(0).normal(size=(4, 5, 6))
SETTINGS: list[tuple[Any, Any]] = [
    (2, 0),
    ((2, 3), (1, 2)),
    ((3, 2), (-1, 0)),
    ((1, 2, 3), None),
    ([np.int64(2), 2], [1, 1]),
    ((), ()),
    (0, 1),
    (5, 1),
]


@pytest.mark.parametrize("f", (sliding_window_view, tnp.sliding_window_view))
@pytest.mark.parametrize(("window", "axis"), SETTINGS)
def test_windows_are_numpys(f: Any, window: Any, axis: Any) -> None:
    expected = sliding_window_view(X, window, axis)
    np.testing.assert_array_equal(f(X, window, axis), expected)
    for way in (tg.jit, lambda g: lambda x: tg.vjp(g, x)[0], lambda g: lambda x: tg.vmap(g)(np.stack([x, x]))[1]):
        np.testing.assert_array_equal(way(lambda x: f(x, window, axis))(X), expected)
    weight = np.cos(np.arange(expected.size)).reshape(expected.shape)
    check_grads(lambda x: np.sum(weight * f(np.sin(x), window, axis) ** 2), (X,), order=2)


def test_a_convolution_of_images_by_windows_is_that_of_slices() -> None:
    kernel = np.random.default_rng(1).normal(size=(2, 3))

    def by_windows(x: Any, k: Any) -> Any:
        return np.sum(np.tanh(np.einsum("nhwij,ij->nhw", sliding_window_view(x, k.shape, axis=(1, 2)), k)))

    def by_slices(x: Any, k: Any) -> Any:
        return np.sum(np.tanh(sum(k[i, j] * x[:, i : i + 4, j : j + 4] for i in range(2) for j in range(3))))

    for way in (lambda g: g, tg.jit):
        found = way(tg.grad(by_windows, (0, 1)))(X, kernel)
        for g, expected in zip(found, tg.grad(by_slices, (0, 1))(X, kernel), strict=True):
            np.testing.assert_allclose(g, expected)
    x32, k32 = X.astype(np.float32), kernel.astype(np.float32)
    assert [g.dtype for g in tg.jit(tg.grad(by_windows, (0, 1)))(x32, k32)] == [np.float32, np.float32]


@pytest.mark.parametrize(
    ("args", "settings"), [((7, 0), {}), ((2,), {}), ((-1, 0), {}), ((2, 3), {}), ((2, 0), {"writeable": True})]
)
def test_mistakes_are_told(args: Any, settings: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        tg.grad(lambda x: np.sum(sliding_window_view(x, *args, **settings)))(X)
    if not settings:
        with pytest.raises(type(caught.value), match=re.escape(str(caught.value))):
            sliding_window_view(X, *args)
