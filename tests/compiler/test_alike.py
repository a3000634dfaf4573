"""Steps of one kind on many small arrays are one step, and what is concatenated is computed in its place."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tapegrad.compiler.passes.alike import compute_together, computed_together, rows_of
from tapegrad.compiler.plan import Plan, plan
from tapegrad.compiler.program import PASSES, improved
from tapegrad.compiler.trace import alive
from tests.compiler.tracing import after, agrees, traced

random = np.random.default_rng(0)
w, xs = random.normal(size=(3, 3)), random.normal(size=(8, 2, 3))


def recurrence(w: Any, xs: Any) -> Any:
    h = np.zeros((2, 3))
    for x in xs:
        h = tnp.tanh(h @ w + x)
    return tnp.sum(h * h)


def planned(f: Any, *args: Any, reuse: bool = True) -> Plan:
    trace = improved(traced(f, *args), PASSES)
    return plan(trace, alive(trace), reuse=reuse)


# One step in place of many


def test_products_of_slices_with_one_matrix_are_one_product() -> None:
    for f in (
        lambda w, xs: [tnp.sin(x @ w + 1.0) for x in xs],
        lambda w, xs: [tnp.sin(xs[k] @ w + 1.0) for k in range(1, 7)],
    ):
        names = after(compute_together, f, w, xs)
        assert names.count("matmul") == names.count("add") == 1
        agrees(f, w, xs)


def test_slices_of_rows_and_of_the_first_axis() -> None:
    x = random.normal(size=(12, 3))
    agrees(lambda x: [tnp.sin(x[k : k + 2]) * 2.0 for k in range(0, 12, 2)], x)
    agrees(lambda x: [tnp.sin(x[k : k + 4]) * 2.0 for k in range(6)], x)  # which overlap
    agrees(lambda x: [tnp.sin(x[-k]) * 2.0 for k in range(1, 6)], x[None].repeat(8, 0))
    agrees(lambda x: [tnp.sin(x[k::2]) * 2.0 for k in range(6)], x)
    assert rows_of(-1, np.ones((4, 2, 3)), np.ones((2, 3))) == (6, 2)
    assert rows_of(slice(1, None), np.ones((4, 2)), np.ones((3, 2))) == (1, 3)
    assert rows_of(slice(None, None, 2), np.ones((4, 2)), np.ones((2, 2))) is None
    assert rows_of(slice(2, 2), np.ones((4, 2)), np.ones((0, 2))) is None


def test_slopes_of_a_recurrence_are_one_step() -> None:
    trace = improved(traced(tg.grad(recurrence), w, xs), PASSES)
    names = [trace.steps[index][0].name for index in alive(trace)]
    assert names.count("tanh") == 8
    assert names.count("square") <= 2
    agrees(tg.value_and_grad(recurrence), w, xs)
    agrees(tg.hessian(recurrence), w, xs, rtol=1e-10)


def test_what_is_needed_in_between_is_computed_in_time() -> None:
    def f(x: Any) -> Any:
        y = x
        for _ in range(8):
            y = tnp.sin(y) * x  # each sine needs the one before
        return y

    agrees(f, xs[0])
    assert after(compute_together, f, xs[0]).count("sin") == 8


def test_as_many_as_are_known_in_time_are_computed_together() -> None:
    def f(x: Any, y: Any) -> Any:
        rows = [tnp.cos(x * k) for k in (0.1, 0.2, 0.3, 0.4, 0.5)]
        total = sum(tnp.exp(row) for row in rows)
        return tnp.exp(total @ y), total

    agrees(f, w, w.T)
    assert after(compute_together, f, w, w.T).count("exp") == 2


def test_results_and_large_steps_stay() -> None:
    big = random.normal(size=(8, 100, 100))
    agrees(lambda x: [tnp.sin(part) for part in x], xs)
    assert after(compute_together, lambda x: [tnp.sin(part) for part in x], xs).count("sin") == 8
    assert after(compute_together, lambda x: [tnp.sin(part) + 1.0 for part in x], big).count("sin") == 8


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64])
def test_of_all_dtypes(dtype: Any) -> None:
    def f(w: Any, xs: Any) -> Any:
        rows = [x @ w * 2 + w[0] for x in xs]
        return [tnp.square(row) - 1 for row in rows], sum(rows)

    given = [(4 * x).astype(dtype) for x in (w, xs)]
    agrees(f, *given, rtol=1e-5 if dtype is np.float32 else 1e-12)


def test_vectors_and_stacks() -> None:
    agrees(lambda x: [tnp.sin(row) * 2.0 for row in x], xs[:, 0])
    agrees(lambda x: [tnp.sin(x[k]) * x[0] for k in range(8)], xs)
    agrees(lambda x: [tnp.sin(x[k][None]) * 2.0 + x[k][0] for k in range(8)], xs)
    agrees(lambda x: tg.vmap(lambda x: [tnp.sin(row) * 2.0 for row in x])(x), xs)


# In its place


def test_what_is_concatenated_is_computed_there() -> None:
    def f(x: Any) -> Any:
        parts = [tnp.sin(x), tnp.exp(x) * 2.0, tnp.tanh(x)]
        return tnp.concatenate(parts) @ x, parts[1] @ parts[1].T

    made = planned(f, w)
    assert len(made.joined) == 1
    assert 27 * 8 in made.sizes
    agrees(f, w)


def test_what_cannot_be_computed_there_is_copied() -> None:
    constant = np.ones((1, 3))

    def f(x: Any) -> Any:
        a, b = tnp.sin(x), tnp.cos(x)
        return tnp.cumsum(tnp.concatenate([a, constant, x, b, a, b + 1.0, a.T]), axis=0), a + b

    for args in (w, w.astype(np.float32)):
        agrees(f, args, rtol=1e-6)
    agrees(lambda x: tg.vjp(f, x)[1](f(x)), w)


def test_concatenations_of_concatenations() -> None:
    def f(x: Any) -> Any:
        inner = tnp.concatenate([tnp.sin(x), tnp.cos(x)])
        other = tnp.concatenate([tnp.exp(x), inner, x * 3.0])
        return tnp.cumsum(tnp.concatenate([other, tnp.tanh(x)]), axis=0), tnp.sum(inner), other @ x

    agrees(f, w)
    assert len(planned(f, w).joined) >= 2


def test_what_leaves_the_program_is_nobody_elses_memory() -> None:
    def f(x: Any) -> Any:
        parts = [tnp.sin(x), tnp.cos(x)]
        joined = tnp.concatenate(parts)
        return joined, parts[0], tnp.concatenate([tnp.exp(x), tnp.tanh(x)]) @ x

    compiled = jit(f)
    first = compiled(w)
    kept = [y.copy() for y in first]
    assert not np.shares_memory(first[0], first[1])
    compiled(w * 2.0)
    for y, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(y, copy)
    agrees(f, w)


def test_donated_arrays_are_read_before_they_are_written_to() -> None:
    def step(w: Any, xs: Any) -> Any:
        value, slope = tg.value_and_grad(recurrence)(w, xs)
        return value, w - 0.1 * slope

    compiled = jit(step, donate_argnames="w")
    expected = step(w, xs)
    found = compiled(w.copy(), xs)
    np.testing.assert_allclose(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1])


KINDS = ("float64", "float32", "float16", "complex64", "int8", "int64", "uint8", "bool")


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_only_arrays_of_one_dtype_are_computed_together(dtype: str, other: str) -> None:
    parts = [np.arange(4).reshape(2, 2).astype(dtype if k < 4 else other) for k in range(8)]
    weight = np.array([[0.5, 1.0], [-1.0, 2.0]], np.float16)

    def separate(*parts: Any) -> Any:
        squares = [part * part for part in parts]
        return [y.T for y in [square + np.float16(1.0) for square in squares]]

    def products(*parts: Any) -> Any:
        squares = [part * part for part in parts]
        return [y.T for y in [square @ weight for square in squares]]

    def joined(*parts: Any) -> Any:
        squares = [part * part for part in parts]
        return tnp.concatenate(squares), [y.T for y in [square + np.float16(1.0) for square in squares]]

    for f in (separate, products, joined):
        agrees(f, *parts, rtol=1e-3)


@pytest.mark.parametrize("shape", [(6, 0, 3), (6, 2, 0), (6, 0, 0), (0, 2, 3)])
def test_empty_rows_are_put_in_a_row_too(shape: tuple[int, ...]) -> None:
    x, weight = np.zeros(shape), np.ones((shape[2], 2))
    agrees(lambda x: [tnp.sum(tnp.sin(part) * 2.0) for part in x], x)
    agrees(lambda x, weight: [(part @ weight).T for part in x], x, weight)
    agrees(lambda x: tnp.concatenate([x[k] for k in range(len(x))] or [x]), x)

    def total(weight: Any) -> Any:
        return sum((tnp.sum(tnp.sin(part @ weight)) for part in x), 0.0 * tnp.sum(weight))

    agrees(tg.grad(total), weight)
    rows = x.reshape((shape[0] * shape[1], shape[2]))
    agrees(lambda rows: [tnp.sum(tnp.sin(rows[k:k]) * 2.0) for k in range(6)], rows)


def test_what_is_put_into_an_array_is_not_computed_from_that_array() -> None:
    """There the pass found the same steps again and again, for ever."""

    def f(z: Any) -> Any:
        parts = [z[k] * (k + 1.0) for k in range(4)]
        return tnp.sum(tnp.cos(tnp.concatenate([y for part in parts for y in (part, tnp.sin(part))])))

    z = random.normal(size=(4, 2, 3))
    trace = traced(f, z)
    assert computed_together(trace) is trace
    agrees(f, z)
    agrees(tg.grad(f), z)
