"""Fourier transforms: every name, lengths even and odd, padding and cropping, every normalization."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.matrices import complex_, real
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

COMPLEX = ["fft", "ifft", "irfft", "hfft"]
REAL = ["rfft", "ihfft"]
NORMS = [None, "backward", "ortho", "forward"]
SEVERAL: list[dict[str, Any]] = [
    {},
    {"axes": (0,)},
    {"axes": (-1, 0)},
    {"s": (3, 5), "axes": (0, 2)},
    {"s": (5, -1), "axes": (2, 1)},
    {"norm": "ortho"},
]


@pytest.mark.parametrize("n", [None, 1, 2, 4, 5, 6, 7])
@pytest.mark.parametrize("name", COMPLEX + REAL)
def test_every_length_even_and_odd_padded_and_cropped(name: str, n: Any) -> None:
    for length in (4, 5):
        check(f"fft.{name}", real(length), n)
        if name in COMPLEX:
            check(f"fft.{name}", complex_(length), n)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", COMPLEX + REAL)
def test_every_normalization_along_any_axis(name: str, norm: Any) -> None:
    check(f"fft.{name}", real(2, 5, 2), axis=1, norm=norm, order=1)
    check(f"fft.{name}", real(2, 5, 2), 4, 1, norm, order=1)


@pytest.mark.parametrize("settings", SEVERAL)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_several_axes(name: str, settings: dict[str, Any]) -> None:
    check(f"fft.{name}", real(2, 3, 4), order=1, **settings)
    if name != "rfftn":
        check(f"fft.{name}", complex_(2, 3, 4), order=1, **settings)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
def test_two_axes(name: str) -> None:
    check(f"fft.{name}", real(2, 3, 4))
    check(f"fft.{name}", real(2, 3, 4), (4, 3), (0, 1), "forward", order=1)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, 0, (0, 1), (-1,)])
def test_shifts(name: str, axes: Any) -> None:
    check(f"fft.{name}", real(4, 5), axes)


def test_frequencies_are_numpys() -> None:
    np.testing.assert_array_equal(tnp.fft.fftfreq(5, 0.5), np.fft.fftfreq(5, 0.5))
    np.testing.assert_array_equal(tnp.fft.rfftfreq(5, 0.5), np.fft.rfftfreq(5, 0.5))


def test_a_real_signal_has_a_real_gradient() -> None:
    """The power of a signal by Parseval: ``sum(abs(fft(x))**2) = n * sum(x**2)``."""
    x = real(6)
    c = tg.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(x)
    assert c.dtype == np.float64
    np.testing.assert_allclose(c, 12.0 * x)


def test_there_and_back_is_the_identity() -> None:
    for n in (5, 6):
        x, t = real(2, n), real(2, n)
        y, pull = tg.vjp(lambda x, n=n: np.fft.irfftn(np.fft.rfftn(x), (2, n), (0, 1)), x)
        np.testing.assert_allclose(y, x)
        np.testing.assert_allclose(pull(t)[0], t)


def test_a_batch_is_transformed_at_once() -> None:
    x = real(3, 2, 5)
    for name in COMPLEX + REAL:
        f = getattr(np.fft, name)
        np.testing.assert_allclose(tg.vmap(lambda x, f=f: f(x, axis=0))(x), f(x, axis=1))


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("fft", (0,), ValueError),
        ("irfft", (-1,), ValueError),
        ("fft", (None, 5), IndexError),
        ("fft", (None, 0, "other"), ValueError),
        ("fftn", ((3,), (0, 1)), ValueError),
        ("fftn", (None, (0, 5)), IndexError),
    ],
)
def test_bad_arguments_get_numpys_error(name: str, arguments: Any, error: type[Exception]) -> None:
    for module in (N, tnp):
        with pytest.raises(error):
            getattr(np.fft, name)(np.ones((2, 3)), *arguments)
        with pytest.raises(error):
            tg.vjp(lambda x, module=module: getattr(module.fft, name)(x, *arguments), np.ones((2, 3)))


def test_half_a_spectrum_is_of_real_numbers() -> None:
    with pytest.raises(TypeError):
        tg.vjp(np.fft.rfft, complex_(3))


def test_out_is_refused() -> None:
    with pytest.raises(TypeError, match="out="):
        tg.vjp(lambda x: N.fft.fft(x, out=np.ones(3, complex)), np.ones(3))
