"""What a derivative is where textbooks differ: elementwise functions at their edges, by both doors, in every mode, twice."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.typing import Array
from tests.numpy.derivatives import first, second

doors = pytest.mark.parametrize("door", [np, tnp], ids=["numpy", "tapegrad"])


def only(pairs: tuple[Any, ...]) -> Any:
    return pairs[0]


@doors
def test_absolute_value_is_flat_at_zero(door: Any) -> None:
    x = np.array([-2.0, 0.0, -0.0, 3.0])
    for f in (door.absolute, door.fabs, abs):
        np.testing.assert_array_equal(only(first(f, x)), [-1.0, 0.0, 0.0, 1.0])
        np.testing.assert_array_equal(only(second(lambda x, f=f: f(x) * x, x))[0], [-2.0, 0.0, 0.0, 2.0])


@doors
@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_ties_are_split_evenly(door: Any, name: str) -> None:
    f = getattr(door, name)
    a, b = np.array([1.0, 2.0, 0.0, np.inf]), np.array([1.0, 2.0, -0.0, np.inf])
    for g in first(f, a, b):
        np.testing.assert_array_equal(g, [0.5] * 4)
    np.testing.assert_array_equal(only(first(lambda x: f(x, x), a)), [1.0] * 4)
    for row in second(f, a, b):
        for entry in row:
            np.testing.assert_array_equal(entry, [0.0] * 4)


def test_the_number_wins_over_nan_in_fmax() -> None:
    a, b = np.array([np.nan, 1.0]), np.array([1.0, np.nan])
    ga, gb = first(np.fmax, a, b)
    np.testing.assert_array_equal(ga, [0.0, 1.0])
    np.testing.assert_array_equal(gb, [1.0, 0.0])


@doors
def test_clip_is_a_minimum_of_a_maximum(door: Any) -> None:
    x, low, high = (np.ravel(a) for a in np.meshgrid(*[np.array([-1.0, 0.0, 0.5, 1.0])] * 3))
    expected = first(lambda x, low, high: np.minimum(np.maximum(x, low), high), x, low, high)
    for got, want in zip(first(door.clip, x, low, high), expected, strict=True):
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(
        only(first(lambda x: door.clip(x, 0.0, 1.0), np.array([0.0, 0.5, 1.0, 2.0]))), [0.5, 1, 0.5, 0]
    )
    for row in second(door.clip, x, low, high):
        for entry in row:
            np.testing.assert_array_equal(entry, np.zeros_like(x))


BASES = np.array([-2.0, -1.0, 0.0, 0.5, 3.0])


@doors
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 0.0, 1.0, 2.0, 3.0, np.float64(2.0), np.int64(3), True])
def test_powers_with_whole_exponents_are_exact_at_zero_and_below(door: Any, exponent: Any) -> None:
    n = float(exponent)
    slope = n * BASES ** (n - 1) if n else 0.0 * BASES
    bend = n * (n - 1) * BASES ** (n - 2) if n > 1 else 0.0 * BASES
    for f in (lambda x: door.power(x, exponent), lambda x: door.float_power(x, exponent), lambda x: x**exponent):
        np.testing.assert_allclose(only(first(f, BASES)), slope, rtol=1e-15)
        np.testing.assert_allclose(only(second(f, BASES))[0], bend, rtol=1e-15)


@doors
@pytest.mark.parametrize("dtype", [float, int, np.int8, np.uint8, np.float32])
def test_powers_with_arrays_of_exponents_are_exact_at_zero(door: Any, dtype: Any) -> None:
    exponents = np.arange(5).astype(dtype)
    n = exponents.astype(float)
    x = np.zeros(5)
    np.testing.assert_array_equal(only(first(lambda x: door.power(x, exponents), x)), [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(only(second(lambda x: door.power(x, exponents), x))[0], [0, 0, 2, 0, 0])
    x = np.full(5, -2.0)
    np.testing.assert_array_equal(only(first(lambda x: door.power(x, exponents), x)), [0, 1, -4, 12, -32])
    np.testing.assert_array_equal(only(second(lambda x: door.power(x, exponents), x))[0], n * (n - 1) * (-2.0) ** (n - 2))


def test_traced_exponents_are_exact_at_zero_bases() -> None:
    base, exponent = np.zeros(4), np.array([0.0, 1.0, 2.0, 3.0])
    by_base, by_exponent = first(np.power, base, exponent)
    np.testing.assert_array_equal(by_base, [0, 1, 0, 0])
    np.testing.assert_array_equal(by_exponent, [0, 0, 0, 0])
    hessian = tg.grad(lambda a, b: tg.grad(lambda a, b: (a**b).sum())(a, b).sum(), (0, 1))(base[2:], exponent[2:])
    np.testing.assert_array_equal(hessian[0], [2, 0])
    np.testing.assert_array_equal(hessian[1], [0, 0])


def test_the_mixed_derivative_of_a_power_at_exponent_zero_is_one_over_the_base() -> None:
    base, exponent = np.array([0.5, 2.0]), np.zeros(2)
    np.testing.assert_allclose(second(np.power, base, exponent)[0][1], 1.0 / base)
    np.testing.assert_allclose(second(np.power, base, exponent)[1][0], 1.0 / base)


def test_large_arrays_have_the_same_powers_as_small_ones() -> None:
    rng = np.random.default_rng(0)
    base = rng.uniform(0.1, 3.0, 1000)
    exponent = rng.uniform(-2.0, 3.0, 1000)
    for disturb in (1.0, 0.0, 1e-300, np.inf):
        base[7], exponent[7] = disturb, 2.0
        whole = tg.grad(lambda a, b: (a**b).sum(), (0, 1))(base, exponent)
        parts = [tg.grad(lambda a, b: (a**b).sum(), (0, 1))(base[i : i + 10], exponent[i : i + 10]) for i in range(0, 1000, 10)]
        for k in range(2):
            np.testing.assert_allclose(whole[k], np.concatenate([part[k] for part in parts]), rtol=1e-14)


MASKED: list[tuple[str, Callable[[Any, Any], Any], Array]] = [
    ("sqrt", lambda m, x: m.where(x > 0, m.sqrt(m.where(x > -1, x, 0.0)), 0.0), np.array([0.0, 4.0])),
    ("log", lambda m, x: m.where(x > 0, m.log(m.absolute(x)), 0.0), np.array([0.0, 4.0])),
    ("log1p", lambda m, x: m.where(x > -1, m.log1p(m.maximum(x, -1.0)), 0.0), np.array([-1.0, 4.0])),
    ("cbrt", lambda m, x: m.where(x > 0, m.cbrt(x), 0.0), np.array([0.0, 8.0])),
    ("power", lambda m, x: m.where(x > 0, m.power(x, 0.5), 0.0), np.array([0.0, 4.0])),
    ("reciprocal", lambda m, x: m.where(x != 0, m.reciprocal(x), 0.0), np.array([0.0, 4.0])),
    ("divide", lambda m, x: m.where(x != 0, x / m.sin(x), 1.0), np.array([0.0, 1.0])),
    ("arcsin", lambda m, x: m.where(x < 1, m.arcsin(x), 0.0), np.array([1.0, 0.5])),
    ("arccos", lambda m, x: m.where(m.absolute(x) < 1, m.arccos(m.clip(x, -1.0, 1.0)), 0.0), np.array([1.0, 0.5])),
    ("arctanh", lambda m, x: m.where(x < 1, m.arctanh(x), 0.0), np.array([1.0, 0.5])),
    ("arccosh", lambda m, x: m.where(x > 1, m.arccosh(x), 0.0), np.array([1.0, 2.0])),
]


@doors
@pytest.mark.parametrize(("f", "x"), [row[1:] for row in MASKED], ids=[row[0] for row in MASKED])
def test_a_branch_not_taken_contributes_nothing(door: Any, f: Callable[[Any, Any], Any], x: Array) -> None:
    def masked(x: Any) -> Any:
        return f(door, x)

    with np.errstate(all="ignore"):
        assert only(first(masked, x))[0] == 0.0
        assert only(second(masked, x))[0][0] == 0.0
        assert np.isfinite(only(first(masked, x))[1])
        h = 1e-4
        slope = (masked(x[1] + h) - masked(x[1] - h)) / (2 * h)
        bend = (masked(x[1] + h) - 2 * masked(x[1]) + masked(x[1] - h)) / h**2
    np.testing.assert_allclose(only(first(masked, x[1:]))[0], slope, rtol=1e-6)
    np.testing.assert_allclose(only(second(masked, x[1:]))[0][0], bend, rtol=1e-5)


def test_an_infinite_cotangent_does_not_reach_what_was_not_chosen() -> None:
    x = np.array([-1.0, 4.0])
    for f in (
        lambda x: np.sqrt(np.maximum(x, 0.0)),
        lambda x: np.sqrt(np.clip(x, 0.0, 9.0)),
        lambda x: np.sqrt(np.where(x > 0, x, 0.0)),
    ):
        np.testing.assert_array_equal(only(first(f, x)), [0.0, 0.25])


@doors
def test_hypot_is_flat_at_the_origin(door: Any) -> None:
    a, b = np.array([0.0, 3.0]), np.array([0.0, 4.0])
    ga, gb = first(door.hypot, a, b)
    np.testing.assert_allclose(ga, [0.0, 0.6])
    np.testing.assert_allclose(gb, [0.0, 0.8])
    np.testing.assert_allclose(second(door.hypot, a, b)[0][0], [0.0, 16 / 125])
    np.testing.assert_allclose(tg.grad(lambda a: (door.hypot(a, 0.0) ** 2).sum())(np.zeros(1)), [0.0])


@doors
def test_arctan2_and_angle_are_flat_at_the_origin(door: Any) -> None:
    a, b = np.array([0.0, 3.0]), np.array([0.0, 4.0])
    ga, gb = first(door.arctan2, a, b)
    np.testing.assert_allclose(ga, [0.0, 4 / 25])
    np.testing.assert_allclose(gb, [0.0, -3 / 25])
    np.testing.assert_allclose(second(door.arctan2, a, b)[0][0], [0.0, -2 * 12 / 625])
    np.testing.assert_array_equal(tg.grad(lambda z: door.angle(z).sum())(np.zeros(2, complex)), [0.0, 0.0])


def test_large_and_small_numbers_neither_overflow_nor_vanish() -> None:
    big, small = np.array([3e200]), np.array([3e-200])
    np.testing.assert_allclose(first(np.arctan2, big, big * 4 / 3)[0], 4e200 / 25e200 / 1e200, rtol=1e-15)
    np.testing.assert_allclose(first(np.arctan2, small, small * 4 / 3)[0], 4 / 25 / 1e-200, rtol=1e-15)
    np.testing.assert_allclose(first(np.hypot, big, big * 4 / 3)[0], 0.6)
    np.testing.assert_allclose(only(first(np.arcsinh, big)), 1 / 3e200)
    np.testing.assert_allclose(only(first(np.arccosh, big)), 1 / 3e200)
    np.testing.assert_allclose(only(first(np.arcsinh, np.full(500, 3e200))), 1 / 3e200)
    np.testing.assert_allclose(first(np.arctan2, np.full(500, 3e200), np.full(500, 4e200))[0], 4 / 25e200)
    for f in (np.tanh, np.arctan, np.exp, np.expm1, np.exp2):
        x = np.array([-1e4, -800.0])
        assert np.isfinite(only(first(f, x))).all()
        assert np.isfinite(only(second(f, x))[0]).all()


@doors
@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_logaddexp_is_exact_with_infinities_and_on_ties(door: Any, name: str) -> None:
    f = getattr(door, name)
    inf = np.inf
    a = np.array([-inf, 1.0, -inf, inf, inf, 1000.0, 2.0])
    b = np.array([1.0, -inf, -inf, inf, 1.0, -1000.0, 2.0])
    ga, gb = first(f, a, b)
    np.testing.assert_array_equal(ga, [0, 1, 0.5, 0.5, 1, 1, 0.5])
    np.testing.assert_array_equal(gb, [1, 0, 0.5, 0.5, 0, 0, 0.5])
    bend = np.log(2.0) / 4 if name == "logaddexp2" else 0.25
    for i, row in enumerate(second(f, a, b)):
        for j, entry in enumerate(row):
            np.testing.assert_allclose(entry, [0, 0, 0, 0, 0, 0, bend if i == j else -bend], rtol=1e-15)


def test_logaddexp_keeps_the_small_slope() -> None:
    slope, _ = first(np.logaddexp, np.array([-50.0]), np.array([0.0]))
    np.testing.assert_allclose(slope, np.exp(-50.0), rtol=1e-14)
    np.testing.assert_allclose(second(np.logaddexp, np.array([-50.0]), np.array([0.0]))[0][0], np.exp(-50.0), rtol=1e-14)


@doors
def test_expm1_and_log1p_are_exact_near_zero(door: Any) -> None:
    x = np.array([0.0, 1e-12, -1e-12])
    np.testing.assert_allclose(only(first(door.expm1, x)), np.exp(x), rtol=1e-15)
    np.testing.assert_allclose(only(second(door.expm1, x))[0], np.exp(x), rtol=1e-15)
    np.testing.assert_allclose(only(first(door.log1p, x)), 1 / (1 + x), rtol=1e-15)
    np.testing.assert_allclose(only(second(door.log1p, x))[0], -1 / (1 + x) ** 2, rtol=1e-15)
    np.testing.assert_allclose(only(first(door.expm1, np.array([-50.0]))), np.exp(-50.0), rtol=1e-15)


@doors
def test_sinc_is_exact_at_and_near_its_removable_point(door: Any) -> None:
    pi = np.pi
    x = np.array([0.0, 1e-300, 1e-9, -1e-9, 1e-4])
    np.testing.assert_allclose(only(first(door.sinc, x)), -(pi**2) * x / 3 + pi**4 * x**3 / 30, rtol=1e-14)
    np.testing.assert_allclose(only(second(door.sinc, x))[0], -(pi**2) / 3 + pi**4 * x**2 / 10, rtol=1e-14)
    u = np.array([0.2, 0.31, 0.32, 0.5, 1.0, -1.7, 6.4])
    s, c = np.sin(pi * u), np.cos(pi * u)
    np.testing.assert_allclose(only(first(door.sinc, u)), (pi * u * c - s) / (pi * u**2), rtol=1e-12)
    np.testing.assert_allclose(
        only(second(door.sinc, u))[0], ((2 - (pi * u) ** 2) * s - 2 * pi * u * c) / (pi * u**3), rtol=1e-11
    )


@doors
def test_i0_is_exact_at_and_near_zero_and_far_away(door: Any) -> None:
    x = np.array([0.0, 1e-9, -1e-9, 1e-4])
    np.testing.assert_allclose(only(first(door.i0, x)), x / 2 + x**3 / 16, rtol=1e-14)
    np.testing.assert_allclose(only(second(door.i0, x))[0], 0.5 + 3 * x**2 / 16, rtol=1e-14)
    far = np.array([1.0, -2.0, 7.9, 8.1, 30.0])
    i1 = [0.5651591039924850, -1.5906368546373291, 364.6716437554147, 439.4838, 768532038938.957]
    np.testing.assert_allclose(only(first(door.i0, far))[[0, 1, 4]], np.array(i1)[[0, 1, 4]], rtol=1e-13)
    np.testing.assert_allclose(only(second(door.i0, far))[0], np.i0(far) - only(first(door.i0, far)) / far, rtol=1e-12)


def test_third_derivatives_of_sinc_and_i0_are_exact_at_zero() -> None:
    def third(f: Callable[[Any], Any]) -> Any:
        return tg.grad(lambda x: tg.grad(tg.grad(f))(x))

    assert third(np.sinc)(0.0) == 0.0
    np.testing.assert_allclose(tg.grad(third(np.sinc))(0.0), np.pi**4 / 5, rtol=1e-14)
    np.testing.assert_allclose(tg.grad(third(np.i0))(0.0), 3 / 8, rtol=1e-14)


@doors
def test_remainders_have_minus_the_quotient_as_slope_by_the_divisor(door: Any) -> None:
    a, b = np.array([5.5, -5.5, 5.5, 1.0]), np.array([2.0, 2.0, -2.0, 0.1])
    np.testing.assert_array_equal(first(door.remainder, a, b)[1], [-2.0, 3.0, 3.0, -9.0])
    np.testing.assert_array_equal(first(door.fmod, a, b)[1], [-2.0, 2.0, 2.0, -9.0])
    np.testing.assert_array_equal(first(lambda a, b: divmod(a, b)[1], a, b)[1], [-2.0, 3.0, 3.0, -9.0])
    np.testing.assert_array_equal(first(door.remainder, a, b)[0], [1.0] * 4)
    for row in second(door.remainder, a, b):
        for entry in row:
            np.testing.assert_array_equal(entry, [0.0] * 4)


def test_a_logistic_written_by_hand_survives_large_arguments() -> None:
    x = np.array([-1000.0, -800.0, 0.0, 800.0])
    with np.errstate(over="ignore"):
        (slope,) = first(lambda x: 1.0 / (1.0 + np.exp(-x)), x)
        (bend,) = second(lambda x: 1.0 / (1.0 + np.exp(-x)), x)[0]
    np.testing.assert_array_equal(slope, [0.0, 0.0, 0.25, 0.0])
    np.testing.assert_array_equal(bend, [0.0, 0.0, 0.0, 0.0])


def test_heaviside_and_copysign_have_the_slopes_that_are_left() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    at_zero = np.full(3, 0.5)
    by_x, by_value = first(np.heaviside, x, at_zero)
    np.testing.assert_array_equal(by_x, [0, 0, 0])
    np.testing.assert_array_equal(by_value, [0, 1, 0])
    by_size, by_sign = first(np.copysign, x, np.array([2.0, -1.0, -0.0]))
    np.testing.assert_array_equal(by_size, [-1, 0, -1])
    np.testing.assert_array_equal(by_sign, [0, 0, 0])


def test_the_cube_root_has_an_infinite_slope_at_zero() -> None:
    np.testing.assert_allclose(only(first(np.cbrt, np.array([0.0, -8.0]))), [np.inf, 1 / 12])


def test_nan_to_num_passes_on_what_it_left_alone() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 2.0])
    np.testing.assert_array_equal(only(first(lambda x: np.nan_to_num(x, posinf=1.0, neginf=-1.0), x)), [0, 0, 0, 1])
    with np.errstate(divide="ignore"):
        (slope,) = first(lambda x: np.nan_to_num(np.log(x), neginf=0.0), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(slope, [0.0, 0.5])


@doors
def test_a_zero_slope_hides_an_infinite_one_on_either_side(door: Any) -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    by_hand = tg.grad(lambda x: door.sqrt((x * x).sum(axis=1)).sum())(x)
    np.testing.assert_allclose(by_hand, [[0.0, 0.0], [0.6, 0.8]])
    mask = np.array([0.0, 1.0])
    with np.errstate(all="ignore"):
        for f in (lambda x: mask * door.log(x), lambda x: door.sqrt(mask * x), lambda x: door.sqrt(x) * mask * x):
            assert only(first(f, np.array([0.0, 4.0])))[0] == 0.0
            assert only(second(f, np.array([0.0, 4.0])))[0][0] == 0.0


def rows(f: Any, n: int) -> list[Any]:
    """Return derivatives of order `n` of a function of a number, by every mix of the two directions."""
    found = [f]
    for _ in range(n):
        found = [h for g in found for h in (tg.grad(g), lambda x, g=g: tg.jvp(g, (x,), (1.0,))[1])]
    return found


@doors
@pytest.mark.parametrize(
    ("name", "x", "signs"),
    [
        ("sqrt", 0.0, (1, -1, 1)),
        ("log", 0.0, (1, -1, 1)),
        ("log1p", -1.0, (1, -1, 1)),
        ("arcsin", 1.0, (1, 1, 1)),
        ("arcsin", -1.0, (1, -1, 1)),
        ("arccos", 1.0, (-1, -1, -1)),
        ("arccos", -1.0, (-1, 1, -1)),
        ("arccosh", 1.0, (1, -1, 1)),
        ("arctanh", 1.0, (1, 1, 1)),
        ("arctanh", -1.0, (1, -1, 1)),
    ],
)
def test_where_a_slope_is_infinite_so_are_the_derivatives_above_it(
    door: Any, name: str, x: float, signs: tuple[int, ...]
) -> None:
    with np.errstate(all="ignore"):
        for n, sign in enumerate(signs, 1):
            assert [g(x) for g in rows(getattr(door, name), n)] == [sign * np.inf] * 2**n


@doors
@pytest.mark.parametrize("name", ["remainder", "mod", "fmod"])
def test_a_remainder_of_a_division_by_zero_has_no_finite_slope_by_the_divisor(door: Any, name: str) -> None:
    f = getattr(door, name)
    for number in (float, np.float64, np.float32):
        with np.errstate(all="ignore"):
            slope, none = tg.grad(f, (0, 1))(number(1.0), number(0.0))
        assert slope == 1.0 and not np.isfinite(none)


@doors
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_remainders_at_zeros_of_both_signs(door: Any, zero: float) -> None:
    for name in ("remainder", "fmod"):
        for divisor in (1.0, -1.0):
            assert tg.grad(getattr(door, name), (0, 1))(zero, divisor) == (1.0, 0.0)
    assert tg.grad(door.copysign, (0, 1))(zero, 1.0) == (0.0, 0.0)
    assert tg.grad(door.copysign, (0, 1))(1.0, zero) == (np.copysign(1.0, zero), 0.0)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "uint64", "int8", "int64"])
@pytest.mark.parametrize("given", ["float32", "float64", "complex128"])
def test_powers_with_traced_exponents_of_integers_have_derivatives(dtype: str, given: str) -> None:
    x, n = np.array([-1.5, 0.5, 2.0, 0.0, 3.0, 0.0]).astype(given), np.array([0, 1, 2, 0, 1, 2]).astype(dtype)

    def slope(x: Any, n: Any) -> Any:
        return tg.grad(lambda x: tnp.sum(tnp.real(tnp.power(x, n))))(x)

    def bend(x: Any, n: Any) -> Any:
        return tg.grad(lambda x: tnp.sum(tnp.real(slope(x, n))))(x)

    for f in (slope, bend):
        expected = f(x, n.astype(np.float64))
        for found in (
            f(x, n),
            tg.jit(f)(x, n),
            tg.vmap(f)(x[None], n[None])[0],
            np.stack([tg.jit(f)(*one) for one in zip(x, n, strict=True)]),
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int64"])
@pytest.mark.parametrize("given", ["float32", "float64", "complex128"])
def test_derivatives_by_exponents_of_integers_have_the_digits_of_the_exponent(dtype: str, given: str) -> None:
    n, x = np.array([0, 1, 2, 3]).astype(dtype), np.array([0.3, 0.5, 2.0, 1.2]).astype(given)

    def slope(x: Any, n: Any) -> Any:
        return tg.grad(lambda x: tnp.sum(tnp.real(tnp.power(n, x))))(x)

    expected = slope(x, n.astype(np.float64))
    for found in (slope(x, n), tg.jit(slope)(x, n), tg.vmap(slope)(x[None], n[None])[0]):
        assert found.dtype == given
        np.testing.assert_allclose(found, expected, rtol=8 * float(np.finfo(given).eps))
