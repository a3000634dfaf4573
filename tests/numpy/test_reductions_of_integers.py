"""Integers and booleans are traced under vmap and jit only: there, too, values and dtypes of reductions are those of NumPy."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

N: Any = np
"""NumPy without its types, for what they refuse."""

X = np.array([[3, 0, 2, 7], [1, 5, 2, 2], [4, 4, 0, 1]])
MASK = X > 1

OF_INTEGERS: dict[str, Callable[[Any], Any]] = {
    "sum from a number": lambda x: N.sum(x, axis=0, initial=1.7),
    "prod from a number": lambda x: N.prod(x, axis=0, initial=2.7),
    "max from a number": lambda x: N.max(x, axis=0, initial=1.7),
    "min from a number": lambda x: N.min(x, axis=0, initial=1.7),
    "max under a mask": lambda x: N.max(x, axis=0, initial=0, where=MASK),
    "min under a mask": lambda x: N.min(x, axis=0, initial=1, where=MASK),
    "sum under a mask": lambda x: N.sum(x, axis=0, where=MASK),
    "mean under a mask": lambda x: N.mean(x, axis=0, where=MASK),
    "var under a mask": lambda x: N.var(x, axis=1, where=MASK),
    "std under a mask": lambda x: N.std(x, axis=1, where=MASK),
    **{name: partial(getattr(np, name), axis=1) for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd")},
    **{name: partial(getattr(np, name), axis=1) for name in ("nanmax", "nanmin", "nancumsum", "nancumprod")},
    "nanmax from a number": lambda x: N.nanmax(x, axis=1, initial=1),
    "nanmean of all": N.nanmean,
    "padded with means": lambda x: N.pad(x, 1, mode="mean"),
    "padded with ramps": lambda x: N.pad(3 - x, 3, mode="linear_ramp", end_values=((1, -2), (-3, 4))),
    "padded with ramps from beyond": lambda x: N.pad(x.astype(np.uint8), 3, mode="linear_ramp", end_values=(-3, 300)),
    "numbers from beyond": lambda x: N.linspace(-3, x.astype(np.uint8), 4),
}
OF_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "a quantile": lambda x: N.quantile(x, 0.3, axis=0),
    "quantiles": lambda x: N.quantile(x, np.array([0.1, 0.5]), axis=0),
    "a percentile": lambda x: N.percentile(x, 30, axis=0, method="midpoint"),
    "a lower quantile": lambda x: N.quantile(x, 0.3, axis=0, method="lower"),
    "a nanquantile": lambda x: N.nanquantile(x, 0.3, axis=0),
    "median": lambda x: N.median(x, axis=1),
    "nanmedian": lambda x: N.nanmedian(x, axis=1),
}


def check(f: Callable[[Any], Any], x: Any) -> None:
    wanted = f(x)
    for found in (tg.jit(f)(x), tg.vmap(f)(np.stack([x[::-1], x]))[1]):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)
        assert found.dtype == wanted.dtype


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.bool])
@pytest.mark.parametrize("name", OF_INTEGERS)
def test_reductions_of_integers_are_those_of_numpy(name: str, dtype: Any) -> None:
    check(OF_INTEGERS[name], X.astype(dtype))


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_quantiles_of_integers_are_those_of_numpy(name: str, dtype: Any) -> None:
    check(OF_NUMBERS[name], X.astype(dtype))


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("dtype", [np.bool, np.int8, np.uint8])
def test_medians_lie_between_two_that_together_run_over(name: str, dtype: Any) -> None:
    x = np.array([[100, 120, 110, 90], [0, 0, 1, 1]]).astype(dtype)
    check(lambda x: getattr(N, name)(x, axis=1), x)
    check(lambda x: getattr(N, name)(x, axis=(0, 1)), x[:1])


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "nansum", "nanprod", "cumsum", "cumprod", "nancumsum", "nancumprod"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint32"])
@pytest.mark.parametrize("given", ["bool", "uint8", "int64", "float16", "float64", "complex64"])
def test_sums_and_products_of_traced_values_in_few_bits_have_the_dtype_that_was_asked_for(
    name: str, dtype: str, given: str
) -> None:
    x = (np.arange(12) * 9 % 100).reshape(4, 3).astype(given)

    def f(x: Any) -> Any:
        return getattr(N, name)(x, axis=0, dtype=dtype)

    expected = f(x)
    for found in (tg.jit(f)(x), tg.vmap(f)(x[None])[0], tg.jit(tg.vmap(f))(x[None])[0]):
        assert found.dtype == expected.dtype == dtype
        np.testing.assert_array_equal(found, expected)
