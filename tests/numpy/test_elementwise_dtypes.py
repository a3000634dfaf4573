"""Elementwise functions keep the dtype of what they are given: values, gradients, second derivatives and tangents."""

import warnings
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tests.numpy.test_elementwise import SMOOTH

DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128, np.clongdouble]
NAMES = [*sorted({*SMOOTH} - {"ldexp", "modf", "frexp", "divmod"}), "sinc", "i0", "real", "imag", "angle", "nan_to_num"]


def call(name: str, x: Any) -> Any:
    f = getattr(tnp, name)
    return f(x, 0.5 * x) if getattr(getattr(np, name), "nin", 1) == 2 else f(x)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("shape", [(2,), (), (0, 3)], ids=str)
def test_dtype_and_shape_are_kept(dtype: Any, shape: tuple[int, ...]) -> None:
    x = np.full(shape, 0.7, dtype)
    for name in NAMES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value = call(name, x + 1 if name in ("arccosh", "acosh") else x)
            except TypeError:
                assert np.dtype(dtype).kind == "c", name
                continue

        def f(x: Any, name: str = name, value: Any = value) -> Any:
            y = call(name, x + 1 if name in ("arccosh", "acosh") else x)
            assert y.dtype == value.dtype, name
            return tnp.real(y)

        gradient = tg.grad(lambda x, f=f: f(x).sum())
        assert gradient(x).dtype == dtype, name
        assert gradient(x).shape == shape, name
        second = tg.grad(lambda x, gradient=gradient: tnp.real(gradient(x)).sum())(x)
        assert second.dtype == dtype, name
        assert second.shape == shape, name
        assert tg.jvp(f, (x,), (np.ones(shape, dtype),))[1].dtype == value.real.dtype, name


@pytest.mark.parametrize("name", [name for name in SMOOTH if getattr(np, name).nin == 2 and name != "ldexp"])
def test_promotion_ends_at_the_argument(name: str) -> None:
    f = getattr(np, name)
    single, double = np.full(3, 0.7, np.float32), np.full((2, 1), 0.4)
    others: list[Any] = [double, 0.4, np.float64(0.4), 2, np.array([1, 2, 3]), np.array([1, 2, 3], np.int8)]
    for other in others:
        for order in (1, -1):

            def loss(x: Any, other: Any = other, order: int = order) -> Any:
                y = f(*(x, other)[::order])
                y = y[1] if isinstance(y, tuple) else y
                expected = f(*(single, other)[::order])
                assert y.dtype == (expected[1] if isinstance(expected, tuple) else expected).dtype
                return y.sum()

            gradient = tg.grad(loss)(single)
            assert gradient.dtype == np.float32
            assert gradient.shape == (3,)


@pytest.mark.parametrize("dtype", [np.bool, np.int8, np.int64, np.float32])
def test_both_parts_of_a_number_have_the_dtype_that_they_have_off_the_tape(dtype: Any) -> None:
    x = np.array([1, 0, 1]).astype(dtype)
    taken: Any = tg.jit(lambda x: np.modf(x))
    for part, expected in zip(taken(x), np.modf(x), strict=True):
        assert part.dtype == expected.dtype
        np.testing.assert_array_equal(part, expected)
