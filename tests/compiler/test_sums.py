"""Sums that are matrix products: of many products, and over stretches of axes."""

import itertools
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.passes.gather import gather_products
from tapegrad.compiler.program import PASSES, improved
from tests.compiler.tracing import after, agrees, names, traced

random = np.random.default_rng(0)


def recurrence(w: Any, xs: Any) -> Any:
    h = tnp.zeros((2, 3))
    for x in xs:
        h = tnp.tanh(h @ w + x)
    return tnp.sum(h * h)


# Products of many steps


def test_the_gradient_of_a_weight_used_again_and_again_is_one_product() -> None:
    w, xs = random.normal(size=(3, 3)), random.normal(size=(8, 2, 3))
    trace = traced(tg.grad(recurrence), w, xs)
    before = names(improved(trace, [name for name in PASSES if name != "gather"])).count("matmul")
    assert names(improved(trace, PASSES)).count("matmul") <= before - 5
    agrees(tg.value_and_grad(recurrence), w, xs)
    agrees(tg.value_and_grad(recurrence), w.astype(np.float32), xs.astype(np.float32), rtol=1e-4)
    agrees(tg.hessian(recurrence), w, xs, rtol=1e-10)


def test_sums_of_products_keep_what_else_they_add_up() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a @ b + c + b @ a + a @ a + c * 2.0 + b @ b + a.T @ b

    a, b, c = random.normal(size=(3, 4, 4))
    left = after(gather_products, f, a, b, c)
    assert left.count("matmul") == 2  # (a + b + a.T) @ b and (a + b) @ a
    agrees(f, a, b, c)


def test_products_with_a_common_factor_are_one() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a @ c + b @ c, c @ a + (c + c @ b)

    a, b, c = random.normal(size=(3, 4, 4))
    assert after(gather_products, f, a, b, c).count("matmul") == 2
    agrees(f, a, b, c)


def test_products_that_are_needed_elsewhere_are_not_computed_twice() -> None:
    def f(a: Any, b: Any) -> Any:
        products = [a @ b, b @ a, a @ a, b @ b, a.T @ b]
        return sum(products), [tnp.sin(x) for x in products]

    a, b = random.normal(size=(2, 4, 4))
    assert after(gather_products, f, a, b).count("matmul") == 5
    agrees(f, a, b)


def test_products_whose_sum_is_needed_on_the_way_stay() -> None:
    def f(a: Any, b: Any) -> Any:
        y = a @ b + b @ a
        z = y + a @ a
        return z + b @ b + a @ a.T, y, tnp.sum(z)

    agrees(f, *random.normal(size=(2, 4, 4)))


def test_products_that_are_broadcast_or_of_other_ranks_stay() -> None:
    def f(a: Any, v: Any) -> Any:
        return a @ v + v + v @ a + a[:1] @ a + a @ a + a @ a.T + a.T @ a

    agrees(f, random.normal(size=(4, 4)), random.normal(size=4))


def test_few_products_are_not_worth_it() -> None:
    a, b = random.normal(size=(2, 4, 4))
    assert after(gather_products, lambda a, b: a @ b + b @ a, a, b).count("matmul") == 2


# Sums over axes

AXES = [axes for n in (1, 2, 3) for axes in itertools.combinations(range(4), n)]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_over_any_axes(axes: tuple[int, ...], keepdims: bool) -> None:
    x = random.normal(size=(3, 1, 4, 5))
    for y in (x, np.asfortranarray(x), x.astype(np.float32), x[:, :, :0], x + 1j, x > 0):
        agrees(lambda y: np.sum(np.multiply(y, 2), axis=axes, keepdims=keepdims), y, rtol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (4, 5), (4, 1), (1, 5), (1, 4, 5), (3, 4, 1), (3, 1, 5), (1, 1, 1), ()])
def test_sums_back_to_what_was_broadcast(shape: tuple[int, ...]) -> None:
    def f(b: Any) -> Any:
        return tnp.sum(tnp.sin(x * b))

    x = random.normal(size=(3, 4, 5))
    agrees(tg.grad(f), random.normal(size=shape))


def test_sums_of_what_is_not_finite() -> None:
    x = np.array([[1.0, np.inf, 2.0], [np.nan, 1.0, -np.inf], [np.inf, -np.inf, 0.0]])
    for axis in (None, 0, 1):
        agrees(lambda x, axis=axis: np.sum(x * 1.5, axis=axis), x)
        agrees(lambda x, axis=axis: np.sum(np.square(x), axis=axis), x)
    huge = np.full(1000, 1e-4, np.float32)
    agrees(lambda x: tnp.sum(x * x), huge, rtol=1e-5)
