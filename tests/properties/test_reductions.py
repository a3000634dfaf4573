"""Reductions and scans over any axes of any shape."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties import laws
from tests.properties.strategies import arrays, axes_of

REDUCTIONS = ("sum", "mean", "prod", "max", "min", "var", "std", "nansum", "nanmean", "nanmax", "median", "ptp")


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=8)
@given(x=arrays(max_side=3), keepdims=st.booleans(), data=st.data())
def test_reductions(name: str, x: Any, keepdims: bool, data: st.DataObject) -> None:
    axis = data.draw(axes_of(x.ndim))
    if name in ("std", "var") and (axis == () or x.size == 1):
        axis = None  # nothing varies
    count = x.size if axis is None else int(np.prod([x.shape[i] for i in np.atleast_1d(axis)]))
    if name == "std" and count < 2:
        return  # a corner at every point
    if name == "median" and axis == ():
        return  # NumPy itself refuses

    def f(xp: Any, x: Any) -> Any:
        return getattr(xp, name)(x, axis=axis, keepdims=keepdims)

    laws.check(f, (x,))


@pytest.mark.parametrize("name", ("sum", "mean", "prod", "var", "max"))
@settings(max_examples=8)
@given(x=arrays(min_dims=1, max_dims=2), data=st.data())
def test_reductions_of_what_a_mask_keeps(name: str, x: Any, data: st.DataObject) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=x.size, max_size=x.size))).reshape(x.shape)
    keep.flat[0] = True

    def f(xp: Any, x: Any) -> Any:
        return getattr(xp, name)(x, where=keep, **({"initial": 0.0} if name == "max" else {}))

    laws.check(f, (x,))


@pytest.mark.parametrize("name", ("cumsum", "cumprod", "sort", "nancumsum", "flip", "diff"))
@settings(max_examples=8)
@given(x=arrays(min_dims=1), data=st.data())
def test_scans(name: str, x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    laws.check(lambda xp, x: getattr(xp, name)(x, axis=axis), (x,), order=2)


@settings(max_examples=12)
@given(x=arrays(min_dims=1), q=st.floats(0.01, 0.99), data=st.data())
def test_quantiles(x: Any, q: float, data: st.DataObject) -> None:
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)))
    method = data.draw(st.sampled_from(("linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull")))
    laws.check(lambda xp, x: xp.quantile(x, q, axis=axis, method=method), (x,))
