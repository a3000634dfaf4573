"""A branch that was not taken contributes nothing, whatever its slope: in both orders, with no second `where`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tests.edge_cases.doors import both_doors, derivatives, slopes

BRANCHES: dict[str, tuple[Callable[[Any, Any], Any], float, tuple[float, float], float, tuple[float, float]]] = {
    # name: the function, a point where the branch is not taken, the slopes there, one where it is taken, the slopes there
    "sqrt": (lambda xp, x: xp.where(x > 0, xp.sqrt(x), 0.0), 0.0, (0.0, 0.0), 4.0, (0.25, -1 / 32)),
    "sqrt of a negative": (lambda xp, x: xp.where(x > 0, xp.sqrt(x), 0.0), -1.0, (0.0, 0.0), 4.0, (0.25, -1 / 32)),
    "log": (lambda xp, x: xp.where(x > 0, xp.log(x), x), 0.0, (1.0, 0.0), 2.0, (0.5, -0.25)),
    "log of a negative": (lambda xp, x: xp.where(x > 0, xp.log(x), x), -2.0, (1.0, 0.0), 2.0, (0.5, -0.25)),
    "x log x": (lambda xp, x: xp.where(x > 0, x * xp.log(x), 0.0), 0.0, (0.0, 0.0), 1.0, (1.0, 1.0)),
    "reciprocal": (lambda xp, x: xp.where(x != 0, 1.0 / x, 0.0), 0.0, (0.0, 0.0), 2.0, (-0.25, 0.25)),
    "sin(x) / x": (lambda xp, x: xp.where(x != 0, xp.sin(x) / x, 1.0), 0.0, (0.0, 0.0), np.pi, (-1 / np.pi, 2 / np.pi**2)),
    "power": (lambda xp, x: xp.where(x > 0, x**0.5, 0.0), 0.0, (0.0, 0.0), 4.0, (0.25, -1 / 32)),
    "cbrt": (lambda xp, x: xp.where(x > 0, xp.cbrt(x), 0.0), 0.0, (0.0, 0.0), 1.0, (1 / 3, -2 / 9)),
    "exp": (lambda xp, x: xp.where(x < 100, xp.exp(xp.minimum(x, 1e3) * 1.0), x), 1000.5, (1.0, 0.0), 0.0, (1.0, 1.0)),
    "exp squared": (lambda xp, x: xp.where(x < 100, xp.exp(x) ** 2, x), 1000.0, (1.0, 0.0), 0.0, (2.0, 4.0)),
    "arctanh": (lambda xp, x: xp.where(xp.abs(x) < 1, xp.arctanh(x), x), 1.0, (1.0, 0.0), 0.0, (1.0, 0.0)),
    "NaN": (lambda xp, x: xp.where(x > 0, x * x, xp.sqrt(x) * np.nan), 3.0, (6.0, 2.0), 1.0, (2.0, 2.0)),
}


@both_doors
@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_not_taken_contributes_nothing(xp: Any, name: str) -> None:
    f, outside, there, inside, here = BRANCHES[name]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(slopes(lambda x: f(xp, x), outside), there, atol=1e-15)
        np.testing.assert_allclose(slopes(lambda x: f(xp, x), inside), here, rtol=1e-12, atol=1e-15)
        both = np.array([outside, inside])
        gradient, hessian = derivatives(lambda x: f(xp, x).sum(), both)
    np.testing.assert_allclose(gradient, [there[0], here[0]], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(hessian, np.diag([there[1], here[1]]), rtol=1e-12, atol=1e-15)


@both_doors
def test_an_inverse_of_what_was_clipped_is_flat(xp: Any) -> None:
    for name in ("arccos", "arcsin", "arctanh"):
        inverse = getattr(xp, name)

        def clipped(x: Any, inverse: Any = inverse) -> Any:
            return inverse(xp.clip(x, -1.0, 1.0))

        with np.errstate(all="ignore"):
            assert slopes(clipped, 2.0) == (0.0, 0.0)


@both_doors
def test_a_nan_that_is_not_read_contributes_nothing(xp: Any) -> None:
    x = np.array([1.0, np.nan, -1.0])
    with np.errstate(all="ignore"):
        gradient = tg.grad(lambda x: xp.where(np.isnan(x), 0.0, x * xp.sqrt(x * x)).sum())(x)
        np.testing.assert_allclose(gradient, [2.0, 0.0, 2.0])
        np.testing.assert_allclose(tg.grad(lambda x: xp.sqrt(x)[:1].sum())(x), [0.5, 0.0, 0.0])
        np.testing.assert_allclose(tg.grad(lambda x: xp.nansum(xp.sqrt(x * x) * x))(x), [2.0, 0.0, 2.0])


@both_doors
def test_nan_sums_and_means_leave_nan_out(xp: Any) -> None:
    x = np.array([1.0, np.nan, 3.0])
    np.testing.assert_allclose(tg.grad(lambda x: xp.nansum(x**2))(x), [2.0, 0.0, 6.0])
    np.testing.assert_allclose(tg.grad(lambda x: xp.nanmean(x**2))(x), [1.0, 0.0, 3.0])
    np.testing.assert_allclose(tg.grad(lambda x: xp.nanvar(x))(x), [-1.0, 0.0, 1.0])
    np.testing.assert_allclose(tg.jacfwd(lambda x: xp.nansum(x**2))(x), [2.0, 0.0, 6.0])


@both_doors
def test_a_reduction_with_a_mask_reads_only_what_the_mask_keeps(xp: Any) -> None:
    x = np.array([1.0, np.nan, 3.0])
    keep = np.array([True, False, True])
    for name in ("sum", "mean", "var", "prod"):
        f = getattr(xp, name)
        gradient = tg.grad(lambda x, f=f: f(x * x, where=keep))(x)
        expected = tg.grad(lambda x, f=f: f(x * x))(x[keep])
        np.testing.assert_allclose(gradient[keep], expected)
        assert gradient[1] == 0.0
    assert tg.grad(lambda x: xp.max(x * x, where=keep, initial=0.0))(x)[1] == 0.0


@both_doors
def test_padded_rows_contribute_nothing_through_matmul(xp: Any) -> None:
    x = np.array([[1.0, 2.0], [np.nan, np.inf], [3.0, 4.0]])
    w = np.array([[0.5], [-1.0]])
    real = np.array([True, False, True])

    def loss(w: Any, x: Any) -> Any:
        return xp.where(real[:, None], (x @ w) ** 2, 0.0).sum()

    with np.errstate(all="ignore"):
        found = tg.grad(loss, (0, 1))(w, x)
        hessian = tg.hessian(loss)(w, x)
    kept = x[real]
    np.testing.assert_allclose(found[0], 2.0 * kept.T @ (kept @ w))
    np.testing.assert_allclose(found[1][real], 2.0 * (kept @ w) @ w.T)
    np.testing.assert_array_equal(found[1][1], [0.0, 0.0])
    np.testing.assert_allclose(hessian.reshape(2, 2), 2.0 * kept.T @ kept)


@both_doors
@pytest.mark.parametrize("spec", ("ij,jk->ik", "ij,jk"))
def test_padded_rows_contribute_nothing_through_einsum(xp: Any, spec: str) -> None:
    x = np.array([[1.0, 2.0], [np.nan, np.nan]])
    w = np.array([[0.5], [-1.0]])
    gradient = tg.grad(lambda w: xp.where(np.array([[True], [False]]), xp.einsum(spec, x, w), 0.0).sum())(w)
    np.testing.assert_allclose(gradient, [[1.0], [2.0]])


@both_doors
def test_python_branches_are_followed(xp: Any) -> None:
    def f(x: Any) -> Any:
        return xp.sqrt(x) if x > 0 else 0.0 * x

    assert slopes(f, 0.0, compiled=False) == (0.0, 0.0)
    assert slopes(f, 4.0, compiled=False) == (0.25, -1 / 32)


@both_doors
@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_not_taken_contributes_nothing_for_any_example(xp: Any, name: str) -> None:
    f, apart, at_apart, taken, at_taken = BRANCHES[name]
    x = np.array([[apart], [taken]])
    expected = np.array([at_apart, at_taken])

    def total(x: Any) -> Any:
        return f(xp, x).sum()

    with np.errstate(all="ignore"):  # what the user writes may warn
        gradients, hessians = tg.vmap(tg.grad(total))(x), tg.vmap(tg.hessian(total))(x)
        again = tg.vmap(tg.jacrev(tg.jacfwd(total)))(x)
    np.testing.assert_allclose(gradients[:, 0], expected[:, 0], atol=1e-15)
    np.testing.assert_allclose(hessians[:, 0, 0], expected[:, 1], atol=1e-15)
    np.testing.assert_allclose(again[:, 0, 0], expected[:, 1], atol=1e-15)
