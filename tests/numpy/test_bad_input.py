"""A call that NumPy refuses is refused on traced values with NumPy's own words, through both doors."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp

X = np.arange(6.0).reshape(2, 3) / 7.0 + 0.1
FIVE = np.ones(5)

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "sum over no axis": lambda xp, x: xp.sum(x, axis=2),
    "sum over a named axis": lambda xp, x: xp.sum(x, axis="0"),
    "sum over an axis twice": lambda xp, x: xp.sum(x, axis=(0, 0)),
    "mean over half an axis": lambda xp, x: xp.max(x, axis=1.5),
    "an unknown dtype": lambda xp, x: xp.mean(x, dtype="nope"),
    "an unknown argument": lambda xp, x: xp.std(x, bogus=1),
    "greatest under a mask": lambda xp, x: xp.max(x, where=X > 0.3),
    "reshape to another size": lambda xp, x: xp.reshape(x, (4,)),
    "reshape to two unknowns": lambda xp, x: xp.reshape(x, (-1, -1)),
    "transpose with an axis twice": lambda xp, x: xp.transpose(x, (0, 0)),
    "squeeze of a long axis": lambda xp, x: xp.squeeze(x, 0),
    "take behind the end": lambda xp, x: xp.take(x, 10),
    "repeat less than never": lambda xp, x: xp.repeat(x, -1),
    "repeat each of too few": lambda xp, x: xp.repeat(x, [1, 2, 3, 4], 0),
    "tile half a time": lambda xp, x: xp.tile(x, 1.5),
    "roll an axis that is not": lambda xp, x: xp.roll(x, 1, 5),
    "join unlike ranks": lambda xp, x: xp.concatenate([x, np.ones(3)]),
    "stack unlike shapes": lambda xp, x: xp.stack([x, np.ones(3)]),
    "split unevenly": lambda xp, x: xp.split(x, 4)[0],
    "where with one of two": lambda xp, x: xp.where(x > 0, x),
    "choose between unlike shapes": lambda xp, x: xp.where(FIVE > 0, x, x),
    "add unlike shapes": lambda xp, x: xp.add(x, FIVE),
    "matmul of unlike shapes": lambda xp, x: xp.matmul(x, x),
    "matmul with a number": lambda xp, x: xp.matmul(x, 2.0),
    "dot of unlike matrices": lambda xp, x: xp.dot(x, x),
    "dot with an unlike vector": lambda xp, x: xp.dot(x, FIVE),
    "inner with an unlike vector": lambda xp, x: xp.inner(x, FIVE),
    "tensordot over unlike axes": lambda xp, x: xp.tensordot(x, x, 1),
    "tensordot over too many axes": lambda xp, x: xp.tensordot(x, x, 3),
    "einsum of unlike shapes": lambda xp, x: xp.einsum("ij,jk", x, x),
    "einsum with too few operands": lambda xp, x: xp.einsum("ij,jk", x),
    "einsum into an unknown axis": lambda xp, x: xp.einsum("ij->k", x),
    "cross of four": lambda xp, x: xp.cross(x, np.ones(4)),
    "trace along one axis": lambda xp, x: xp.trace(x, 0, 0, 0),
    "trace beside by a word": lambda xp, x: xp.trace(x, "a"),
    "diagonal beside by a half": lambda xp, x: xp.diag(x, 1.5),
    "diagonal matrix beside by a half": lambda xp, x: xp.diag(x[0], 1.5),
    "pad less than nothing": lambda xp, x: xp.pad(x, -1),
    "pad in an unknown way": lambda xp, x: xp.pad(x, 1, "nope"),
    "interpolate between unlike many": lambda xp, x: xp.interp(x, [1.0, 2.0], [1.0]),
    "interpolate between none": lambda xp, x: xp.interp(x, [], []),
    "interpolate at complex points": lambda xp, x: xp.interp(x + 1j, [1.0, 2.0], [1.0, 2.0]),
    "interpolate between complex points": lambda xp, x: xp.interp(0.5, x[0] + 1j, x[1]),
    "a percentile above all": lambda xp, x: xp.percentile(x, 101),
    "a quantile by an unknown method": lambda xp, x: xp.quantile(x, 0.5, method="nope"),
    "average with unlike weights": lambda xp, x: xp.average(x, weights=FIVE),
    "average with no weight": lambda xp, x: xp.average(x, 0, np.zeros(2)),
    "differences of a negative order": lambda xp, x: xp.diff(x, -1),
    "slopes of unlike spacing": lambda xp, x: xp.gradient(x, [1.0, 2.0, 3.0, 4.0]),
    "search in an unknown way": lambda xp, x: xp.searchsorted([1.0, 2.0], x, "nope"),
    "insert behind the end": lambda xp, x: xp.insert(x, 10, 1.0),
    "delete behind the end": lambda xp, x: xp.delete(x, 10),
    "solve with no square matrix": lambda xp, x: xp.linalg.solve(x, x),
    "solve with a singular matrix": lambda xp, x: xp.linalg.solve(np.zeros((2, 2)), x),
    "inverse of no square matrix": lambda xp, x: xp.linalg.inv(x),
    "root of an indefinite matrix": lambda xp, x: xp.linalg.cholesky(-x @ x.T),
    "eigenvalues of an unknown triangle": lambda xp, x: xp.linalg.eigvalsh(x @ x.T, "Q"),
    "a norm of an unknown order": lambda xp, x: xp.linalg.norm(x, "nope"),
    "a power of no square matrix": lambda xp, x: xp.linalg.matrix_power(x, 2),
    "half a power": lambda xp, x: xp.linalg.matrix_power(x @ x.T, 1.5),
    "transform to no length": lambda xp, x: xp.fft.fft(x, 0),
    "transform to half a length": lambda xp, x: xp.fft.fft(x, 1.5),
    "transform along no axis": lambda xp, x: xp.fft.rfft(x, 4, 5),
    "transform with an unknown norm": lambda xp, x: xp.fft.fft(x, 4, 0, "nope"),
}


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
def test_a_refusal_is_numpys_own(xp: Any, call: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(Exception) as expected:  # whatever NumPy raises
        call(np, X)
    with pytest.raises(expected.type) as caught:
        tg.vjp(lambda x: call(xp, x), X)
    assert str(caught.value).replace("tapegrad.numpy", "numpy") == str(expected.value)
    assert np.array_equal(tg.grad(lambda x: x.sum())(X), np.ones_like(X))  # nothing is left half-recorded


OUTPUTS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda xp, x: xp.sum(x, out=X),
    "cumsum": lambda xp, x: xp.cumsum(x, axis=0, out=X),
    "max": lambda xp, x: xp.max(x, out=X),
    "median": lambda xp, x: xp.median(x, out=X),
    "nanstd": lambda xp, x: xp.nanstd(x, out=X),
    "clip": lambda xp, x: xp.clip(x, 0.0, 1.0, out=X),
    "dot": lambda xp, x: xp.dot(x, x.T, out=X),
    "einsum": lambda xp, x: xp.einsum("ij->ji", x, out=X),
    "concatenate": lambda xp, x: xp.concatenate([x, x], out=X),
    "take": lambda xp, x: xp.take(x, [0], out=X),
    "compress": lambda xp, x: xp.compress([True], x, out=X),
    "fft": lambda xp, x: xp.fft.fft(x, out=X),
    "trace": lambda xp, x: xp.trace(x, out=X),
}


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_array_is_refused_by_the_name_of_the_function(xp: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: out= is not supported.*; use the returned array"):
        tg.vjp(lambda x: OUTPUTS[name](xp, x), X)


TRACED_OUTPUTS: dict[str, Callable[[Any, Any], Any]] = {
    "round": lambda xp, y: xp.round(X, 1, y),
    "fix": lambda xp, y: xp.fix(X, y),
    "isposinf": lambda xp, y: xp.isposinf(X, y),
    "isneginf": lambda xp, y: xp.isneginf(X, y),
    "choose": lambda xp, y: xp.choose([0, 1, 0], [X, X], y),
    "compress": lambda xp, y: xp.compress([True, True], X, 0, y),
    "concatenate": lambda xp, y: xp.concatenate([X], out=y),
    "stack": lambda xp, y: xp.stack([X], out=y[None]),
    "take": lambda xp, y: xp.take(X, [0, 1], 0, y),
    "clip": lambda xp, y: xp.clip(X, 0.0, 1.0, y),
    "trace": lambda xp, y: xp.trace(X, out=y[0, 0]),
    "sum": lambda xp, y: xp.sum(X, 0, out=y[0]),
}


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("name", TRACED_OUTPUTS)
def test_a_traced_output_of_arrays_that_are_not_traced_is_refused_likewise(xp: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: out= is not supported"):
        tg.vjp(lambda x: TRACED_OUTPUTS[name](xp, tnp.copy(x)), X)


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("name", ("median", "percentile", "quantile", "nanmedian", "nanpercentile", "nanquantile"))
@pytest.mark.parametrize("axis", ([0], [0, 1], np.array([1, 0])), ids=str)
def test_axes_of_quantiles_may_be_a_list(xp: Any, name: str, axis: Any) -> None:
    share = () if "median" in name else (0.4,)
    f = getattr(np, name)
    value, pull = tg.vjp(lambda x: getattr(xp, name)(x, *share, axis=axis), X)
    np.testing.assert_array_equal(value, f(X, *share, axis=tuple(axis)))
    expected = tg.vjp(lambda x: f(x, *share, axis=tuple(axis)), X)[1](np.ones_like(value))
    np.testing.assert_array_equal(pull(np.ones_like(value)), expected)


def test_an_einsum_of_arrays_alone_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="einsum: expected subscripts and operands"):
        tg.vjp(np.einsum, X)


REDUCTIONS = (
    "sum", "mean", "prod", "std", "var", "max", "min", "ptp", "median", "average", "cumsum", "cumprod", "nansum", "nanmean",
    "nanstd", "nanmax", "nanmedian", "argmax", "any", "sort", "diff", "trapezoid", "cov", "linalg.norm", "linalg.det",
    "linalg.inv", "fft.fft",
)  # fmt: skip


@pytest.mark.parametrize("xp", (np, tnp), ids=("numpy", "tapegrad"))
@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", ((0,), (0, 3), (3, 0), (2, 0, 0)), ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as NumPy warns
def test_empty_arrays_are_answered_or_refused_as_by_numpy(xp: Any, name: str, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    for settings in ({}, {"axis": 0}, {"axis": -1}) if "." not in name and name != "cov" else ({},):
        try:
            expected = operator.attrgetter(name)(np)(x, **settings)
        except Exception as error:
            with pytest.raises(type(error)) as caught:
                tg.vjp(lambda x, s=settings: operator.attrgetter(name)(xp)(x, **s), x)
            assert str(caught.value) == str(error)
            continue
        value, pull = tg.vjp(lambda x, s=settings: operator.attrgetter(name)(xp)(x, **s), x)
        np.testing.assert_array_equal(value, expected)
        (gradient,) = pull(np.ones_like(value))
        assert gradient.shape == shape
