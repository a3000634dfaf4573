"""Elementwise functions: both doors record them, and without a traced value NumPy answers."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.core.primitive import FUNCTIONS, UFUNCS
from tapegrad.typing import Array

UFUNC_NAMES = sorted(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc) and name != "isnat")
CONTRACTIONS = {"matmul", "matvec", "vecmat", "vecdot"}
ELEMENTWISE = [name for name in UFUNC_NAMES if name not in CONTRACTIONS]
REAL = [name for name in ELEMENTWISE if "d" in "".join(kind.split("->")[0] for kind in getattr(np, name).types)]
CONSTANT = [
    "ceil", "equal", "floor", "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "not_equal", "rint", "sign", "signbit",
    "spacing", "trunc",
]  # fmt: skip
SMOOTH = [name for name in REAL if name not in CONSTANT]


def arguments(name: str, rng: np.random.Generator) -> list[Any]:
    """Return arguments on which a real ufunc is defined."""
    if name == "ldexp":
        return [rng.uniform(1.1, 1.9, (2, 3)), np.array([1, 0, -2])]
    shift = 0.0 if name not in ("arccosh", "acosh") else 1.0
    top = 0.9 if name in ("arcsin", "arccos", "arctanh", "asin", "acos", "atanh") else 1.9
    return [rng.uniform(0.1, top, shape) + shift for shape in ((2, 3), (3,))[: getattr(np, name).nin]]


def parts(y: Any) -> tuple[Any, ...]:
    return y if isinstance(y, tuple) else (y,)


@pytest.mark.parametrize("name", UFUNC_NAMES)
def test_every_ufunc_has_a_face_and_a_rule(name: str) -> None:
    function = getattr(np, name)
    assert callable(getattr(tnp, name))
    assert function in UFUNCS or function in FUNCTIONS


@pytest.mark.parametrize("name", REAL)
def test_without_a_traced_value_numpy_answers(name: str) -> None:
    args = arguments(name, np.random.default_rng(0))
    for given in (args, [a[0] for a in args], [a.tolist() for a in args], [a.item(0) for a in args]):
        for got, want in zip(parts(getattr(tnp, name)(*given)), parts(getattr(np, name)(*given)), strict=True):
            assert type(got) is type(want)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", SMOOTH)
def test_both_doors_give_the_values_of_numpy_and_the_same_derivatives(name: str) -> None:
    args = arguments(name, np.random.default_rng(1))
    moving = tuple(k for k, x in enumerate(args) if x.dtype.kind == "f")
    seen: list[Any] = []

    def loss(*xs: Any, door: Any) -> Any:
        ys = [y * 1.0 for y in parts(getattr(door, name)(*xs))]
        seen.append([tg.stop_gradient(y) for y in ys])
        return sum((y * np.cos(y)).sum() for y in ys)

    by_numpy = tg.grad(lambda *xs: loss(*xs, door=np), moving)(*args)
    by_face = tg.grad(lambda *xs: loss(*xs, door=tnp), moving)(*args)
    for values in seen:
        for got, want in zip(values, parts(getattr(np, name)(*args)), strict=True):
            np.testing.assert_array_equal(got, want)
    for got, want, x in zip(by_face, by_numpy, [args[k] for k in moving], strict=True):
        assert got.shape == x.shape
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", CONSTANT)
def test_what_has_no_derivative_is_a_plain_array(name: str) -> None:
    args = arguments(name, np.random.default_rng(2))
    for door in (np, tnp):

        def look(x: Any, door: Any = door) -> Any:
            y = getattr(door, name)(x, *args[1:])
            assert isinstance(y, np.ndarray)
            np.testing.assert_array_equal(y, getattr(np, name)(*args))
            return (x * y).sum()

        np.testing.assert_array_equal(tg.grad(look)(args[0]), np.broadcast_to(getattr(np, name)(*args), (2, 3)) * 1.0)


def test_other_functions_without_derivative_are_plain_too() -> None:
    x = np.array([1.25, -2.5, np.inf])

    def look(x: Any) -> Any:
        for door in (np, tnp):
            for f in (door.round, door.around, door.fix, door.isposinf, door.isneginf, door.isreal, door.iscomplex):
                np.testing.assert_array_equal(f(x), f(tg.stop_gradient(x)))
                assert isinstance(f(x), np.ndarray)
            np.testing.assert_array_equal(door.round(x, 1), np.round(tg.stop_gradient(x), 1))
            np.testing.assert_array_equal(door.isclose(x, 1.25), [True, False, False])
            assert door.allclose(x, x) is True
            assert door.array_equal(x, [1.25, -2.5, np.inf]) is True
            assert door.array_equal(x, x[:2]) is False
            assert door.array_equal(x * np.nan, x * np.nan, equal_nan=True) is True
            assert door.array_equiv(x, x[None]) is True
            assert door.array_equiv(x, x[:2]) is False
            assert door.isrealobj(x) and not door.iscomplexobj(x)
        return x[0]

    with np.errstate(invalid="ignore"):
        tg.grad(look)(x)


def test_a_list_of_traced_values_is_an_array() -> None:
    functions: tuple[Callable[..., Array], ...] = (
        lambda x, y: tnp.exp([x, y]),
        lambda x, y: tnp.add([x, y], 1.0),
        lambda x, y: tnp.where([True, False], [x, y], 0.0),
    )
    for f in functions:
        gx, gy = tg.grad(lambda x, y, f=f: f(x, y).sum(), (0, 1))(1.0, 2.0)
        h = 1e-6
        np.testing.assert_allclose(gx, (f(1.0 + h, 2.0).sum() - f(1.0 - h, 2.0).sum()) / (2 * h), rtol=1e-8)
        np.testing.assert_allclose(gy, (f(1.0, 2.0 + h).sum() - f(1.0, 2.0 - h).sum()) / (2 * h), rtol=1e-8)


@pytest.mark.parametrize("door", [np, tnp], ids=["numpy", "tapegrad"])
def test_clip_takes_bounds_under_every_name(door: Any) -> None:
    x = np.array([-2.0, 0.5, 2.0])
    low = np.array([-1.0, 0.0, 1.0])
    calls: list[Callable[[Any], Any]] = [
        lambda x: door.clip(x, -1.0, 1.0),
        lambda x: door.clip(x, None, 1.0),
        lambda x: door.clip(x, -1.0, None),
        lambda x: door.clip(x, a_min=low, a_max=1.5),
        lambda x: door.clip(x, min=-1.0, max=1.0),
        lambda x: door.clip(x, max=1.0),
        lambda x: door.clip(x),
        lambda x: tnp.clip([[x[0]], [x[1]]], low, 2.0),
        lambda x: x.clip(-1.0, 1.0),
        lambda x: x.clip(min=0.0),
    ]
    for call in calls:
        y, pull = tg.vjp(call, x)
        np.testing.assert_array_equal(y, call(x))
        h = 1e-6
        g = np.cos(np.arange(y.size)).reshape(y.shape)
        slope = [((call(x + h * e) - call(x - h * e)) * g).sum() / (2 * h) for e in np.eye(3)]
        np.testing.assert_allclose(pull(g)[0], slope, atol=1e-8)


def test_clip_takes_bounds_that_integers_do_not_reach() -> None:
    for x, low, high in ((np.array([1, 2, -3], np.int8), 0, 1000), (np.array([1, 2], np.uint8), -1000, 300)):
        f: Callable[[Any], Any] = partial(tnp.clip, min=low, max=high)
        for call in (f, tg.vmap(f), tg.jit(f), tg.jit(tg.vmap(f))):
            np.testing.assert_array_equal(call(x), np.clip(x, low, high))


def test_clip_refuses_bounds_that_it_does_not_understand() -> None:
    x = np.ones(2)
    for door in (np, tnp):
        with pytest.raises(ValueError, match="a_min"):
            tg.grad(lambda x, door=door: door.clip(x, 0.0, 1.0, max=2.0).sum())(x)
        with pytest.raises(TypeError, match="a_max"):
            tg.grad(lambda x, door=door: door.clip(x, 0.0).sum())(x)
        with pytest.raises(TypeError, match="out="):
            tg.grad(lambda x, door=door: door.clip(x, 0.0, 1.0, out=np.zeros(2)).sum())(x)


@pytest.mark.parametrize("door", [np, tnp], ids=["numpy", "tapegrad"])
def test_where_chooses_values_or_indices(door: Any) -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([[10.0], [20.0]])
    mask = np.array([True, False, True])
    gx, gy = tg.grad(lambda x, y: door.where(mask, x, y).sum(), (0, 1))(x, y)
    np.testing.assert_array_equal(gx, [2.0, 0.0, 2.0])
    np.testing.assert_array_equal(gy, [[1.0], [1.0]])
    gx, gy = tg.grad(lambda x, y: door.where(x > 1.5, x * y, 0.0).sum(), (0, 1))(x, y)
    np.testing.assert_array_equal(gx, [0.0, 30.0, 30.0])
    np.testing.assert_array_equal(tg.grad(lambda x: x[door.where(x > 1.5)].sum())(x), [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(tg.grad(lambda x: door.where(x - 2.0, x, 0.0).sum())(x), [1.0, 0.0, 1.0])


def test_numbers_are_taken_apart() -> None:
    x = np.array([5.5, -0.25, 12.0])
    for door in (np, tnp):
        fraction, whole = door.modf(x)
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: (door.modf(x)[0] * door.modf(x)[1]).sum())(x), whole)
        exponent = door.frexp(x)[1]
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.frexp(x)[0].sum())(x), 0.5**exponent)
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.ldexp(*door.frexp(x)).sum())(x), np.ones(3))
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: (door.divmod(x, 2.0)[1]).sum())(x), np.ones(3))
        np.testing.assert_array_equal(tg.grad(lambda x, door=door: door.nextafter(x, 0.0).sum())(x), np.ones(3))
        assert fraction.shape == (3,)


def test_operators_of_python() -> None:
    def f(x: Any) -> Any:
        assert round(x) == 7 and isinstance(round(x), int)
        assert (math.floor(x), math.ceil(x), math.trunc(x)) == (7, 8, 7)
        assert round(x, 1) == 7.2
        quotient, rest = divmod(x, 2.0)
        left_quotient, left_rest = divmod(20.0, x)
        return x // 2.0 + x % 2.0 + rest * quotient + left_rest * left_quotient + (20.0 % x) + 20.0 // x

    assert tg.grad(f)(7.25) == 1.0 + 3.0 - 2.0 * 2.0 - 2.0
    counts = np.array([1, 2])
    np.testing.assert_array_equal(
        tg.vmap(lambda n: (n << 1) + (8 >> n) + (n >> 1) + (1 << n))(counts), [2 + 4 + 0 + 2, 4 + 2 + 1 + 4]
    )


@pytest.mark.parametrize(
    ("f", "x", "y", "slope"),
    [
        (lambda x: x / 0, 2.0, np.inf, np.inf),
        (lambda x: 1 / x, 0.0, np.inf, -np.inf),
        (lambda x: x**-1, 0.0, np.inf, -np.inf),
        (lambda x: x ** (1 / 3), -8.0, np.nan, np.nan),
        (lambda x: x**5000, 2.0, np.inf, np.inf),
        (lambda x: 0.0**x, 2.0, 0.0, 0.0),
        (lambda x: x % 0, 2.0, np.nan, 1.0),
        (lambda x: 1e308 * x, 1e3, np.inf, 1e308),
    ],
)
def test_python_numbers_neither_raise_nor_turn_complex(f: Any, x: float, y: float, slope: float) -> None:
    with np.errstate(all="ignore"):
        value, gradient = tg.value_and_grad(f)(x)
    np.testing.assert_array_equal(value, y)
    np.testing.assert_array_equal(gradient, slope)


def test_python_numbers_stay_weak() -> None:
    ones = np.ones(2, np.float32)
    operators: list[Callable[[Any], Any]] = [
        lambda x: x + 1,
        lambda x: x / 2,
        lambda x: x**2,
        lambda x: 2**x,
        lambda x: x % 2,
        lambda x: x // 2 + x,
        lambda x: divmod(x, 2)[1],
        abs,
        lambda x: -x,
        lambda x: x * x,
    ]
    for f in operators:
        seen: list[Any] = []

        def loss(x: Any, f: Any = f, seen: Any = seen) -> Any:
            y = f(x) * ones
            seen.append(y.dtype)
            return y.sum()

        assert tg.grad(loss)(3.0).dtype == np.float64
        assert seen == [np.float32]


def test_an_input_without_derivative_does_not_disturb_one_that_has() -> None:
    x = np.array([0.3, -0.5, 0.0])
    slope = tg.grad(lambda x: (np.heaviside(x, 0.5) + np.sin(x)).sum())(x)
    np.testing.assert_array_equal(slope, np.cos(x))
    np.testing.assert_array_equal(tg.grad(lambda x: tg.grad(lambda x: (np.copysign(x, x) * x).sum())(x).sum())(x), [2, 2, 0])


def test_casts_keep_the_gradient_in_the_dtype_of_the_argument() -> None:
    x = np.ones(2, np.float32)
    for door in (np, tnp):
        assert tg.grad(lambda x, door=door: door.astype(x, np.float64).sum())(x).dtype == np.float32
        assert tg.grad(lambda x, door=door: (x * door.astype(x, int)).sum())(x).dtype == np.float32
    assert tnp.astype(x, "float64").dtype == np.float64


def test_bad_input_gets_the_error_of_numpy() -> None:
    x = np.ones(2)
    with pytest.raises(TypeError, match="bitwise_and"):
        tg.grad(lambda x: (x & 1).sum())(x)
    with pytest.raises(ValueError, match="broadcast"):
        tg.grad(lambda x: (x + np.ones(3)).sum())(x)
    with pytest.raises(TypeError, match="i0"):
        tg.grad(lambda z: np.abs(np.i0(z)).sum())(x + 0j)
    with pytest.raises(TypeError, match="object"):
        tg.grad(lambda x: np.add(x, np.array([1, 2], object)).sum())(x)
    with pytest.raises(TypeError, match="object"):
        tg.jvp(lambda x: np.add(x, np.array([1, 2], object)), (x,), (x,))
    with pytest.raises(ValueError, match="copy=False"):
        tg.grad(lambda x: np.nan_to_num(x, copy=False).sum())(x)
    with pytest.raises(TypeError, match="out="):
        tg.grad(lambda x: np.round(x, 1, out=np.zeros(2)).sum())(x)


def test_clip_of_plain_lists_writes_to_an_array() -> None:
    clip: Any = tnp.clip
    out = np.zeros(2)
    assert clip([1, 2], [0, 0], 1.5, out=out) is out
    np.testing.assert_array_equal(out, [1.0, 1.5])
    found = clip([1, 200], 0, 100, dtype=np.int16)
    assert found.dtype == np.int16
