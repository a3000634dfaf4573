"""Windows, and arrays that are known to be finite."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError
from tapegrad.testing import check_grads
from tapegrad.typing import Array


@pytest.mark.parametrize("count", (0, 1, 2, 5, 8))
def test_the_kaiser_window_is_differentiable_by_its_shape(count: int) -> None:
    np.testing.assert_array_equal(tnp.kaiser(count, 3.0), np.kaiser(count, 3.0))
    np.testing.assert_allclose(tg.vjp(lambda beta: tnp.kaiser(count, beta), 3.0)[0], np.kaiser(count, 3.0), rtol=1e-15)
    check_grads(lambda beta: tnp.kaiser(count, beta), (3.0,), rtol=1e-4)
    assert tg.grad(lambda beta: tnp.kaiser(count, beta).sum())(0.0) == 0.0


def test_windows_of_a_length_are_numpys() -> None:
    assert (tnp.bartlett, tnp.blackman, tnp.hamming, tnp.hanning) == (np.bartlett, np.blackman, np.hamming, np.hanning)


def test_a_finite_array_keeps_its_derivative_and_another_is_refused() -> None:
    def f(x: Array) -> Array:
        y: Array = (tnp.asarray_chkfinite(x) ** 2).sum()
        return y

    np.testing.assert_array_equal(tg.grad(f)(np.array([1.0, 2.0])), [2.0, 4.0])
    with pytest.raises(ValueError, match="must not contain infs or NaNs"):
        tg.grad(f)(np.array([1.0, np.nan]))
    with pytest.raises(ConcretizationError, match="asarray_chkfinite"):
        tg.vmap(f)(np.ones((2, 2)))
