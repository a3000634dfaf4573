"""Polynomials: values, roots, arithmetic, calculus and fits."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.numpy.matrices import complex_, real
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""


@pytest.mark.parametrize("shape", [(3,), (2, 2), ()])
@pytest.mark.parametrize("kind", [real, complex_])
def test_values_by_coefficients_and_points(shape: tuple[int, ...], kind: Any) -> None:
    check("polyval", kind(4), np.asarray(kind(*shape)), by=(0, 1))
    check("polyval", np.array([2.0]), np.asarray(kind(*shape)), by=(0, 1))


def test_values_at_numbers_and_of_several_polynomials() -> None:
    assert tg.grad(lambda x: np.polyval(np.array([1.0, 2.0, 3.0]), x))(2.0) == 6.0
    assert tg.grad(lambda p: np.polyval(p, 2.0))(np.array([1.0, 2.0, 3.0])).tolist() == [4.0, 2.0, 1.0]
    check("polyval", real(3, 2), real(2), by=(0, 1))


def test_slopes_are_exact_at_0() -> None:
    p = np.array([5.0, 3.0, 2.0, 1.0])
    assert tg.grad(lambda x: np.polyval(p, x))(0.0) == 2.0
    assert tg.grad(tg.grad(lambda x: np.polyval(p, x)))(0.0) == 6.0


@pytest.mark.parametrize("settings", [{}, {"N": 2}, {"N": 1}, {"N": 4, "increasing": True}])
def test_powers_as_columns(settings: dict[str, Any]) -> None:
    check("vander", real(3), **settings)
    check("vander", complex_(3), **settings)


def test_roots_by_coefficients() -> None:
    check("roots", np.array([1.0, -6.0, 11.0, -6.0]))
    check("roots", np.array([2.0, 1.0, 3.0, -1.0]))
    check("roots", complex_(4))
    c = tg.grad(lambda p: np.roots(p)[0])(np.array([1.0, -3.0, 2.0]))
    np.testing.assert_allclose(c, [-4.0, -2.0, -1.0])


def test_polynomials_by_roots_and_of_matrices() -> None:
    check("poly", real(3))
    check("poly", complex_(3))
    check("poly", real(3, 3))
    roots = np.array([1.0 + 2.0j, 1.0 - 2.0j])
    assert tg.vjp(np.poly, roots)[0].dtype == np.poly(roots).dtype == np.float64


@pytest.mark.parametrize(("n", "m"), [(3, 3), (2, 4), (4, 1)])
def test_arithmetic(n: int, m: int) -> None:
    for name in ("polyadd", "polysub", "polymul"):
        check(name, real(n), real(m), by=(0, 1))


@pytest.mark.parametrize(("n", "m"), [(5, 3), (3, 3), (2, 3), (4, 1)])
def test_division_with_remainder(n: int, m: int) -> None:
    u, v = real(n), real(m) + 2.0
    for module in (N, tnp):
        for part, expected in zip(tg.vjp(module.polydiv, u, v)[0], N.polydiv(u, v), strict=True):
            np.testing.assert_allclose(part, expected, atol=1e-15)
    check_grads(lambda u, v: N.polydiv(u, v), (u, v))


def test_calculus() -> None:
    for m in (0, 1, 2, 5):
        check("polyder", real(4), m)
        check("polyint", real(4), m)
    check("polyint", real(3), 2, real(2), by=(0, 2))
    check("polyint", real(3), 2, np.array(1.5), by=(0, 2))


@pytest.mark.parametrize("columns", [(), (2,)])
def test_fits(columns: tuple[int, ...]) -> None:
    x, y = real(7), real(7, *columns)
    w = np.linspace(1.0, 2.0, 7)
    check_grads(lambda x, y, w: N.polyfit(x, y, 2, w=w), (x, y, w))
    for cov in (True, "unscaled"):
        check_grads(lambda x, y, w, cov=cov: N.polyfit(x, y, 2, w=w, cov=cov), (x, y, w))
        for part, expected in zip(
            tg.vjp(lambda x, cov=cov: N.polyfit(x, y, 2, cov=cov), x)[0], N.polyfit(x, y, 2, cov=cov), strict=True
        ):
            np.testing.assert_allclose(part, expected)
    found = tg.vjp(lambda x: N.polyfit(x, y, 2, full=True)[:2], x)[0]
    for part, expected in zip(found, N.polyfit(x, y, 2, full=True)[:2], strict=True):
        np.testing.assert_allclose(part, expected)
    np.testing.assert_array_equal(tnp.polyfit(x, y, 2, w=w), np.polyfit(x, y, 2, w=w))


def test_a_poor_fit_warns_as_numpy_does() -> None:
    with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned"):
        tg.vjp(lambda y: np.polyfit(np.ones(3), y, 1), real(3))


def test_bad_arguments_get_numpys_error() -> None:
    cases: list[tuple[Any, type[Exception]]] = [
        (lambda x: N.polyfit(x, np.ones(2), 1), TypeError),
        (lambda x: N.polyfit(x, np.ones(3), -1), ValueError),
        (lambda x: N.polyfit(x, np.ones(3), 1, w=np.ones(2)), TypeError),
        (lambda x: N.polyfit(x, np.ones(3), 2, cov=True), ValueError),
        (lambda x: N.polyder(x, -1), ValueError),
        (lambda x: N.polyint(x, -1), ValueError),
        (lambda x: N.polyint(x, 3, np.ones(2)), ValueError),
        (lambda x: N.vander(x.reshape(3, 1)), ValueError),
        (lambda x: N.poly(x.reshape(3, 1)), ValueError),
        (lambda x: N.roots(x.reshape(3, 1)), ValueError),
    ]
    for f, error in cases:
        with pytest.raises(error):
            f(np.array([1.0, 2.0, 4.0]))
        with pytest.raises(error):
            tg.vjp(f, np.array([1.0, 2.0, 4.0]))


def test_a_polynomial_with_integers_as_zeros_has_coefficients_of_floats() -> None:
    found = tg.jit(lambda zeros: np.poly(zeros))(np.array([2, 1]))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1.0, -3.0, 2.0])


def test_a_product_with_no_coefficients_is_zero() -> None:
    calls: list[Any] = [lambda x: np.polymul(x, []), lambda x: np.polymul([], x)]
    for f in calls:
        y, pull = tg.vjp(f, np.array([1.0, 2.0]))
        np.testing.assert_array_equal(y, f(np.array([1.0, 2.0])))
        assert pull(np.ones_like(y))[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("shape", "m"), [((3, 1), 1), ((3, 2), 1), ((4, 1), 0), ((0,), 1), ((1,), 1)])
def test_derivatives_of_arrays_of_coefficients_are_numpys(shape: tuple[int, ...], m: int) -> None:
    check("polyder", np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), m)
