"""Convolutions, filters and smoothing: SciPy's values and errors, derivatives by every input."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.scipy import signal
from tapegrad.testing import check_grads

MODES = ("full", "same", "valid")
SHAPES = [((5,), (3,)), ((3,), (5,)), ((4,), (2,)), ((4, 5), (3, 2)), ((2, 3), (4, 5)), ((3, 2, 3), (2, 2, 1))]


def random(shape: tuple[int, ...], seed: int = 0, complex_: bool = False) -> Any:
    draw = np.random.default_rng(seed)
    return draw.normal(size=shape) + (1j * draw.normal(size=shape) if complex_ else 0.0)


def agrees(f: Callable[..., Any], *args: Any, order: int = 1) -> None:
    """Check values under a transform and derivatives; `check_grads` compares both with what SciPy computes."""
    check_grads(f, args, order)


# Convolution


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shapes", SHAPES)
def test_convolutions_and_correlations(shapes: Any, mode: Any) -> None:
    x, k = random(shapes[0]), random(shapes[1], 1)
    for method in ("auto", "direct", "fft"):
        agrees(lambda x, k, method=method: signal.convolve(x, k, mode, method), x, k)
        agrees(lambda x, k, method=method: signal.correlate(x, k, mode, method), x, k)
    agrees(lambda x, k: signal.fftconvolve(x, k, mode), x, k)
    agrees(lambda x, k: signal.oaconvolve(x, k, mode), x, k)


def test_second_order_and_complex_numbers() -> None:
    agrees(lambda x, k: signal.convolve(x, k, "same", "direct"), random((5,)), random((3,), 1), order=2)
    x, k = random((4,), 0, True), random((3,), 1, True)
    agrees(signal.correlate, x, k, order=2)
    agrees(lambda x, k: signal.fftconvolve(x, k, "valid"), x, k)
    agrees(lambda x, k: signal.correlate2d(x[None], k[None], "same"), x, k)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
def test_convolution_of_matrices_with_boundaries(mode: Any, boundary: Any) -> None:
    x, k = random((4, 5)), random((3, 2), 1)
    for fill in (0, 1.5):
        agrees(lambda x, k, fill=fill: signal.convolve2d(x, k, mode, boundary, fill), x, k)
        agrees(lambda x, k, fill=fill: signal.correlate2d(x, k, mode, boundary, fill), x, k)


@pytest.mark.parametrize("mode", MODES)
def test_convolution_over_some_axes_broadcasts_over_the_others(mode: Any) -> None:
    for (one, other), axes in [(((3, 5), (1, 3)), 1), (((1, 4), (3, 2)), 1), (((2, 4, 3), (2, 2, 2)), (2, 1))]:
        for f, (x, k) in itertools.product((signal.fftconvolve, signal.oaconvolve), [(random(one), random(other, 1))]):
            agrees(lambda x, k, f=f, axes=axes: f(x, k, mode, axes), x, k)


def test_a_long_signal_in_single_precision() -> None:
    x, k = random((500,)).astype(np.float32), random((20,), 1).astype(np.float32)
    for f in (signal.convolve, signal.fftconvolve, signal.oaconvolve):
        y, pull = tg.vjp(f, x, k)
        assert y.dtype == np.float32 and [c.dtype for c in pull(y)] == [np.float32] * 2
        assert np.allclose(pull(y)[1], np.correlate(y.astype(float), x.astype(float), "valid"), rtol=1e-3, atol=1e-2)


# Filters


@pytest.mark.parametrize("b", [[0.5], [0.5, -0.3], [0.2, 0.4, 0.1, 0.3]])
@pytest.mark.parametrize("a", [[2.0], [1.0, -0.5], [1.5, -0.5, 0.2]])
def test_lfilter_by_coefficients_signal_and_state(b: Any, a: Any) -> None:
    b, a, x = np.array(b), np.array(a), random((6,))
    agrees(signal.lfilter, b, a, x, order=2)
    agrees(lambda b, a, x: signal.lfilter(b, a, x, 0), b, a, random((4, 2)))
    n = max(len(a), len(b)) - 1
    agrees(lambda b, a, x, z: signal.lfilter(b, a, x, zi=z), b, a, x, random((n,), 1))
    agrees(lambda b, a, x, z: signal.lfilter(b, a, x, zi=z), b, a, random((2, 2)), random((2, n), 1))


def test_filters_made_of_lfilter() -> None:
    b, a, x = np.array([0.3, 0.2]), np.array([1.5, -0.4, 0.1]), random((12,))
    agrees(signal.lfilter_zi, b, a, order=2)
    for padtype in ("odd", "even", "constant", None):
        agrees(lambda b, a, x, padtype=padtype: signal.filtfilt(b, a, x, padtype=padtype), b, a, x)
    rest = np.array([[0.2, 0.4, 0.2, -0.3, 0.1], [1.0, 0.5, 0.1, 0.2, -0.2]])

    def sections(c: Any) -> Any:
        return np.stack([c[:, 0], c[:, 1], c[:, 2], np.ones(2), c[:, 3], c[:, 4]], -1)

    agrees(lambda c, x: signal.sosfilt(sections(c), x), rest, x)
    agrees(lambda c, x, z: signal.sosfilt(sections(c), x, zi=z), rest, x, random((2, 2), 1))


# Smoothing and spectra


@pytest.mark.parametrize("mode", ["mirror", "constant", "nearest", "wrap", "interp"])
@pytest.mark.parametrize(("window", "degree", "deriv"), [(5, 2, 0), (4, 2, 1), (3, 2, 3)])
def test_savgol_filter(mode: Any, window: int, degree: int, deriv: int) -> None:
    for shape, axis in (((7,), -1), ((6, 2), 0)):
        agrees(lambda x, axis=axis: signal.savgol_filter(x, window, degree, deriv, 0.5, axis, mode, 1.5), random(shape))


def test_detrend_hilbert_resample() -> None:
    x = random((2, 7))
    for settings in ({}, {"type": "constant"}, {"bp": [2, 4]}, {"axis": 0}):
        agrees(lambda x, settings=settings: signal.detrend(x, **settings), x)
    agrees(lambda x: signal.hilbert(x), x)
    agrees(lambda x: signal.hilbert(x, 4, 0), x)
    for num in (3, 6, 7, 12):
        agrees(lambda x, num=num: signal.resample(x, num, axis=1), x)
        agrees(lambda x, num=num: signal.resample(x, num, axis=1), random((2, 6), 1, True))


# Batches and bad input


def test_batches_are_what_a_loop_computes() -> None:
    xs, ks = random((3, 6)), random((3, 2), 1) + 2.0

    def f(x: Any, k: Any) -> Any:
        return np.sum(signal.convolve(x, k, "same") * signal.lfilter(k, np.array([1.0, 0.3]), x))

    gradients = tg.vmap(tg.grad(f, (0, 1)))(xs, ks)
    for i in range(3):
        assert all(np.allclose(g[i], one) for g, one in zip(gradients, tg.grad(f, (0, 1))(xs[i], ks[i]), strict=True))


WRONG: Any = "wrong"  # by the types as well

ERRORS: list[Callable[[Any], Any]] = [
    lambda x: signal.convolve(x, x[None]),
    lambda x: signal.convolve(x, x, WRONG),
    lambda x: signal.correlate(x, x, method=WRONG),
    lambda x: signal.fftconvolve(x[None] + np.zeros((3, 1)), x[None] + np.zeros((2, 1)), axes=1),
    lambda x: signal.convolve2d(x, x),
    lambda x: signal.lfilter(x, np.array([0.0, 1.0]), x),
    lambda x: signal.lfilter(x, x, x, zi=np.zeros(2)),
    lambda x: signal.filtfilt(x, x, x),
    lambda x: signal.savgol_filter(x, 9, 2),
    lambda x: signal.detrend(x, type=WRONG),
    lambda x: signal.hilbert(x, 0),
]


@pytest.mark.parametrize("f", ERRORS)
def test_bad_input_gets_scipys_error(f: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError) as plain:
        f(random((5,)))
    with pytest.raises(ValueError) as under:
        tg.vjp(f, random((5,)))
    assert str(under.value) == str(plain.value)
