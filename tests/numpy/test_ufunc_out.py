"""``out=`` of a ufunc: arrays that were made to be written take the result, others refuse it."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

X = np.array([0.3, -0.7])


def test_a_result_is_written_over_the_argument() -> None:
    def f(x: Any) -> Any:
        y = tnp.copy(x)
        assert np.tanh(y, out=y) is y
        np.add(y, x, out=y)
        return y * y

    np.testing.assert_allclose(tg.vjp(f, X)[0], (np.tanh(X) + X) ** 2)
    check_grads(f, (X,))


def test_a_result_is_written_into_a_view() -> None:
    def f(x: Any) -> Any:
        y = tnp.zeros((2, 2))
        np.exp(x, out=y[0])
        return y

    np.testing.assert_allclose(tg.vjp(f, X)[0], [np.exp(X), [0.0, 0.0]])
    check_grads(f, (X,))


def test_only_what_the_mask_keeps_is_written() -> None:
    def f(x: Any) -> Any:
        y = 1.0 * tnp.copy(x)
        y = tnp.copy(y)
        np.square(x, out=y, where=np.array([True, False]))
        return y

    np.testing.assert_allclose(tg.vjp(f, X)[0], [0.09, -0.7])
    check_grads(f, (X,))


def test_a_result_is_cast_to_the_dtype_of_the_array_where_numpy_does() -> None:
    def f(x: Any) -> Any:
        y = tnp.zeros(2, np.float32)
        np.add(x, 1.0, out=y)
        return y

    y, pull = tg.vjp(f, X)
    assert y.dtype == np.float32 and pull(np.ones(2, np.float32))[0].dtype == np.float64
    with pytest.raises(TypeError, match="cannot cast"):
        tg.grad(lambda x: np.multiply(x, 1j, out=tnp.zeros(2)).sum())(X)


def test_an_array_that_was_not_made_to_be_written_refuses_the_result() -> None:
    for out in (np.zeros(2), None):
        with pytest.raises(TypeError, match=r"numpy\.exp"):
            tg.grad(lambda x, out=out: np.exp(x, out=2.0 * x if out is None else out).sum())(X)


@pytest.mark.parametrize("casting", ["unsafe", "same_kind", "safe", "equiv", "no"])
def test_casting_may_be_given_alone(casting: Any) -> None:
    assert tg.grad(lambda x: np.log(x, casting=casting))(2.0) == 0.5
    np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.add(x, 1.0, casting=casting)))(np.ones(2)), np.ones(2))


def test_casts_that_are_not_allowed_raise_numpys_error() -> None:
    barred: Any = ((2, None), (2.0, np.float32), (2, np.float16))
    for number, dtype in barred:  # at which `resolve_dtypes` would end the process
        with pytest.raises(TypeError, match="cannot cast Python"):
            tg.grad(lambda x, n=number, dtype=dtype: np.sum(np.add(x, n, casting="equiv", dtype=dtype)))(np.ones(2))
    casts: Any = ((np.float32, "safe"), (np.int64, "same_kind"))
    for dtype, casting in casts:
        with pytest.raises(TypeError, match="Cannot cast"):
            tg.grad(lambda x, dtype=dtype, casting=casting: np.sum(x.astype(dtype, casting=casting)))(np.ones(2))
    assert tg.grad(lambda x: x.astype(np.float32, "C", "same_kind").sum())(np.ones(2)).tolist() == [1.0, 1.0]
