"""Products of tall matrices with small ones, row by row inside of groups."""

from functools import partial
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups import sizes
from tapegrad.compiler.groups.products import across_rows, at_a_time, product_of_rows, sum_of_products
from tapegrad.compiler.groups.units import Group, units
from tapegrad.compiler.program import improved
from tapegrad.compiler.trace import alive
from tapegrad.ops.contract import across_p
from tests.compiler.tracing import agrees, names, small_blocks, traced

random = np.random.default_rng(0)


def drawn(*shape: int, dtype: Any = np.float64) -> Any:
    return random.normal(size=shape).astype(dtype)


def layers(*sizes: int, dtype: Any = np.float64) -> Any:
    return [(drawn(m, n, dtype=dtype), drawn(n, dtype=dtype)) for m, n in pairwise(sizes)]


def network(params: Any, x: Any, y: Any) -> Any:
    for weight, bias in params[:-1]:
        x = tnp.tanh(x @ weight + bias)
    weight, bias = params[-1]
    return tnp.mean((x @ weight + bias - y) ** 2)


def logistic(weight: Any, x: Any, y: Any) -> Any:
    score = x @ weight
    return tnp.mean(tnp.logaddexp(0.0, score) - y * score)


def classes(weight: Any, x: Any, y: Any) -> Any:
    score = x @ weight
    return tnp.mean(tnp.log(tnp.sum(tnp.exp(score), axis=1)) - tnp.sum(y * score, axis=1))


def units_of(f: Any, *args: Any) -> tuple[Any, list[Any]]:
    trace = across_rows(improved(traced(f, *args), ("expand", "fold", "merge", "simplify")))
    return trace, units(trace, alive(trace), fuse=True)


# What kernels call


@pytest.mark.parametrize("rows", [1, 2, 4, 8])
def test_products_some_rows_at_a_time_are_products(rows: int) -> None:
    for n in (1, 4, 7, 8, 19):
        x, weight, g = drawn(n, 3), drawn(3, 2), drawn(n, 2)
        for left, right in ((x, weight), (np.asfortranarray(x), weight.T.copy().T), (x, weight[:, 0])):
            out = np.full((n, *right.shape[1:]), np.nan)
            product_of_rows(left, right, out, rows)
            np.testing.assert_allclose(out, x @ right, rtol=1e-13, atol=1e-14)
        for right in (g, g[:, 0], np.asfortranarray(g)):
            np.testing.assert_allclose(sum_of_products(x, right, rows), x.T @ right, rtol=1e-13, atol=1e-14)


def test_blas_gets_as_many_rows_as_it_computes_alone() -> None:
    assert at_a_time(64, 64) == 64
    assert at_a_time(50, 10) == 512
    assert at_a_time(20) == 256
    assert at_a_time(64, 1) == 128
    assert all(at_a_time(m, n) * m * n <= 2**18 for m in range(1, 90, 7) for n in range(1, 90, 11))


# Programs


PROGRAMS: dict[str, tuple[Any, Any]] = {
    "network": (network, lambda n, d: (layers(3, 5, 4, 1, dtype=d), drawn(n, 3, dtype=d), drawn(n, 1, dtype=d))),
    "logistic": (logistic, lambda n, d: (drawn(3, dtype=d), drawn(n, 3, dtype=d), drawn(n, dtype=d))),
    "classes": (classes, lambda n, d: (drawn(3, 4, dtype=d), drawn(n, 3, dtype=d), drawn(n, 4, dtype=d))),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_and_backward_pass_are_one_group(name: str, dtype: Any) -> None:
    f, make = PROGRAMS[name]
    gradient = tg.value_and_grad(f)
    with small_blocks(block=24):
        for n in (8, 16, 19, 33, 64):
            args = make(n, dtype)
            agrees(gradient, *args, rtol=2e-5 if dtype is np.float32 else 1e-12)
        leaves, structure = tg.tree.flatten(args[0])

        def of_leaves(*leaves: Any) -> Any:
            return gradient(tg.tree.unflatten(structure, leaves), *args[1:])

        trace, found = units_of(of_leaves, *leaves)
    (group,) = [unit for unit in found if isinstance(unit, Group)]
    assert "matmul" in [trace.steps[index][0].name for index in group.members]
    assert any(trace.steps[index][0] is across_p for index in group.ends)


def test_second_derivatives_and_batches_of_tall_products() -> None:
    x, y = drawn(24, 3), drawn(24)
    with small_blocks(block=24):
        agrees(tg.hessian(partial(logistic, x=x, y=y)), drawn(3))
        agrees(lambda w: tg.jvp(logistic, (w, x, y), (w + 1.0, x * 0.5, y)), drawn(3))
        agrees(tg.vmap(tg.grad(logistic), in_axes=(0, None, None)), drawn(2, 3), x, y)


def test_only_tall_matrices_go_by_rows() -> None:
    def f(x: Any, g: Any) -> Any:
        return x.T @ g

    enough = -(-sizes.SPILLS // 100)
    for rows, columns, goes in ((enough, 4, True), (enough - 1, 4, False), (enough, 41, False)):
        assert ("across" in names(across_rows(traced(f, drawn(rows, columns), drawn(rows, 100))))) is goes
    for rows, goes in ((enough // 2 + 1, True), (enough // 2 - 1, False)):
        assert ("across" in names(across_rows(traced(lambda g, x: g @ x, drawn(rows), drawn(rows, 100))))) is goes
    still = traced(lambda x: np.transpose(x, (0, 1)) @ drawn(sizes.SPILLS, 1), drawn(2, sizes.SPILLS))
    assert names(across_rows(still)) == ["transpose", "matmul"]  # where no pass has taken it away
    whole = traced(lambda x: tnp.stack([x]) @ np.ones((3, 3)), drawn(3, 3))
    assert names(across_rows(whole)) == names(whole)


def test_a_product_that_has_no_company_is_left_to_blas() -> None:
    with small_blocks():
        _, found = units_of(lambda x, w: x @ w, drawn(16, 3), drawn(3, 2))
    assert not any(isinstance(unit, Group) for unit in found)


def test_a_weight_that_depends_on_all_rows_is_known_before_they_are_multiplied_by_it() -> None:
    def f(x: Any) -> Any:
        weight = tnp.tanh(x).T @ tnp.sin(x)
        return tnp.cos(x @ weight) + x, weight

    with small_blocks():
        for n in (8, 9, 16):
            agrees(f, drawn(n, 3))
            agrees(lambda x: tg.vjp(f, x)[1](f(x)), drawn(n, 3))


def test_infinite_rows_are_mended_as_ever() -> None:
    x = drawn(16, 3)
    x[3] = np.inf

    def loss(w: Any) -> Any:
        return tnp.sum(tnp.where(np.arange(16) == 3, 0.0, tnp.tanh(x @ w)))

    with small_blocks(), np.errstate(all="ignore"):
        agrees(tg.grad(loss), drawn(3))


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    args = (layers(8, 16, 1), drawn(5000, 8), drawn(5000, 1))
    with patch.object(sizes, "SPILLS", 2**12):
        gradient = jit(tg.grad(network))
        first = tg.tree.leaves(gradient(*args))
        assert "sum_of_products" in gradient.lower(*args).source
    for _ in range(8):  # with one and with several threads in turn
        assert all(np.array_equal(a, b) for a, b in zip(first, tg.tree.leaves(gradient(*args)), strict=True))
