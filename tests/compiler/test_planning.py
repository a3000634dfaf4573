"""Where a program computes: groups and blocks, buffers that are used again, views that are made once, results of their own."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler import calls
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups.units import Group, units
from tapegrad.compiler.joining import find_places
from tapegrad.compiler.plan import Plan, plan
from tapegrad.compiler.program import improved
from tapegrad.compiler.trace import Trace, alive
from tests.compiler.tracing import PROGRAMS, agrees, small_blocks, traced

x = np.linspace(0.1, 2.0, 40)


def grouped(f: Any, *args: Any) -> tuple[Trace, list[Group]]:
    """Return the trace of a function after the passes, and the groups in it."""
    trace = improved(traced(f, *args), ("expand", "fold", "merge", "simplify"))
    return trace, [unit for unit in units(trace, alive(trace), fuse=True) if isinstance(unit, Group)]


def members(trace: Trace, group: Group) -> list[str]:
    return [trace.steps[index][0].name for index in (*group.members, *group.ends)]


def planned(f: Any, *args: Any, reuse: bool = True) -> Plan:
    trace = traced(f, *args)
    return plan(trace, alive(trace), reuse=reuse)


# Groups


def test_a_chain_of_elementwise_steps_is_one_group_with_its_reduction() -> None:
    with small_blocks():
        trace, groups = grouped(lambda x: tnp.sum(tnp.sin(x) * tnp.exp(-x)), x)
    assert [members(trace, group) for group in groups] == [["sin", "negative", "exp", "multiply", "sum"]]
    assert groups[0].inputs == (0,)
    assert groups[0].outputs == ()


def test_small_arrays_are_not_cut() -> None:
    assert grouped(lambda x: tnp.sin(x) * tnp.exp(x), x)[1] == []


def test_a_single_quick_step_is_not_worth_a_group() -> None:
    with small_blocks():
        assert grouped(lambda x: x + 1.0, x)[1] == []
        assert len(grouped(lambda x: tnp.sin(x), x)[1]) == 1


def test_what_waits_for_a_reduction_is_another_group() -> None:
    def f(x: Any) -> Any:
        y = tnp.exp(x)
        return tnp.sin(y / tnp.sum(y)) + 1.0

    with small_blocks():
        trace, groups = grouped(f, x)
        assert [members(trace, group) for group in groups] == [["exp", "sum"], ["divide", "sin", "add"]]
        agrees(f, x)


def test_groups_that_would_need_each_other_stay_apart() -> None:
    def f(x: Any, y: Any) -> Any:
        a = tnp.exp(x)
        b = tnp.sin(y) * tnp.sum(a)
        return a * tnp.sum(b) + tnp.cos(x), b * tnp.max(a)

    with small_blocks():
        agrees(f, x, x[::-1])
        agrees(lambda x, y: tg.vjp(f, x, y)[1]((x, y)), x, x[::-1])


SHAPES: list[tuple[tuple[int, ...], ...]] = [
    ((40,), (40,)),
    ((41,), ()),
    ((1, 41), (1, 41)),
    ((2, 20), (1, 1)),
    ((2, 20), (20,)),
    ((20, 2), (2,)),
    ((20, 2), (20, 1)),
    ((21, 2), (1, 2)),
    ((8, 8), (8,)),
    ((8, 1, 3), (4, 1)),
    ((16, 1), (1, 1, 1)),
]


def drawn(random: np.random.Generator, shape: tuple[int, ...], dtype: type) -> Any:
    return np.asarray(random.uniform(1, 3, shape)).astype(dtype)


def test_groups_that_have_come_to_need_each_other_stay_apart() -> None:
    """The first group comes to need the third when the second depends on it already: the third may not need the second."""

    def f(x: Any) -> Any:
        first, second, third = tnp.exp(x), tnp.exp(x[:10]), tnp.exp(x[:8])
        of_first, of_second = tnp.cumsum(first, 0)[:10], tnp.cumsum(second, 0)[:8]
        first = tnp.sin(tnp.pad(tnp.cumsum(third, 0), ((0, 4), (0, 0)))) * first
        second = tnp.sin(of_first) * second
        third = tnp.sin(of_second) * third
        return tnp.cumsum(first, 0), tnp.cumsum(second, 0), tnp.cumsum(third, 0)

    with small_blocks():
        agrees(f, np.linspace(-1.0, 1.0, 36).reshape(12, 3))


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64])
def test_blocks_of_all_shapes(shapes: tuple[tuple[int, ...], ...], dtype: type) -> None:
    random = np.random.default_rng(0)
    a, b = drawn(random, shapes[0], dtype), drawn(random, shapes[1], dtype)
    constant = drawn(random, shapes[1], dtype)

    def f(a: Any, b: Any) -> Any:
        y = np.square(a * b + constant) - b
        return y, y.sum(), (y * a).max() if dtype != np.complex128 else y.prod(), y * 2

    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    with small_blocks():
        agrees(f, a, b, rtol=tolerance)
        agrees(f, np.asfortranarray(a), b, rtol=tolerance)
        agrees(f, np.repeat(a, 2, -1)[..., ::2], b, rtol=tolerance)
        if dtype != np.int64:
            agrees(lambda a, b: tg.vjp(f, a, b)[1](f(a, b)), a, b, rtol=tolerance)


@pytest.mark.parametrize("dtype", [np.bool, np.uint8, np.float16, np.float32])
@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
def test_reductions_of_blocks_have_the_dtype_of_the_whole(dtype: type, name: str) -> None:
    y: Any = np.arange(40).astype(dtype)

    def f(y: Any) -> Any:
        return getattr(np, name)(np.maximum(y, y[::-1]))

    with small_blocks():
        agrees(f, y, rtol=1e-3)


def test_a_nan_is_found_in_every_block() -> None:
    def root(x: Any) -> Any:
        return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))

    with small_blocks():
        compiled = jit(tg.grad(root))
        for k in range(40):
            y = x.copy()
            y[k] = 0.0
            np.testing.assert_allclose(compiled(y), tg.grad(root)(y))


# Buffers


def test_a_chain_needs_one_buffer() -> None:
    def f(x: Any) -> Any:
        return tnp.sum(tnp.cos(tnp.exp(tnp.sin(x))))

    assert planned(f, x).sizes == [x.nbytes]
    assert planned(f, x, reuse=False).sizes == [x.nbytes] * 3


def test_a_value_that_is_still_needed_keeps_its_buffer() -> None:
    assert len(planned(lambda x: tnp.sum(tnp.sin(x) * tnp.exp(tnp.sin(x))), x).sizes) >= 2


def test_buffers_serve_values_of_other_dtypes_and_shapes() -> None:
    def f(x: Any) -> Any:
        y = tnp.reshape(tnp.sin(x), (4, 10))
        z = tnp.sum(y, axis=0)
        return tnp.sum(tnp.exp(x)) + tnp.sum(z) + tnp.sum(tnp.greater(x, 1.0))

    assert sum(planned(f, x).sizes) <= 2 * x.nbytes
    agrees(f, x)


def test_views_of_buffers_are_made_once() -> None:
    made = planned(lambda x: tnp.sum(tnp.exp(tnp.transpose(tnp.reshape(tnp.sin(x), (4, 10))[1:]))), x)
    assert len(made.still) == 3


@pytest.mark.parametrize("passes", PROGRAMS, ids="-".join)
def test_a_view_keeps_its_buffer(passes: tuple[str, ...]) -> None:
    def of_rank_0(x: Any) -> Any:
        number = tnp.reshape(tnp.sum(x * 2.0, keepdims=True), ())
        other = tnp.sin(tnp.exp(x[:1, :1]))
        return number + other * 3.0

    def of_a_row(x: Any) -> Any:
        row = (x * 2.0)[0]
        other = tnp.sin(x) + 1.0
        return row + tnp.cos(other)

    def of_an_element(x: Any) -> Any:
        number = (x * 2.0)[0, 0, ...]
        return number + tnp.sum(tnp.sin(tnp.exp(x)))

    for f in (of_rank_0, of_a_row, of_an_element):
        agrees(f, x.reshape(4, 10), passes=passes)


def test_an_output_is_written_over_an_input_only_elementwise() -> None:
    def f(x: Any) -> Any:
        y = tnp.exp(x)
        y = y + tnp.transpose(y)
        z = tnp.sin(y)
        return tnp.cos(z @ z)

    agrees(f, x[:36].reshape(6, 6))


def test_memory_of_programs_is_counted() -> None:
    compiled = jit(lambda x: tnp.sum(tnp.exp(x)))
    assert compiled.cache_info().nbytes == 0
    compiled(x)
    assert compiled.cache_info().nbytes == x.nbytes


# Results


@pytest.mark.parametrize("passes", PROGRAMS, ids="-".join)
def test_a_reduction_in_another_dtype_keeps_nothing_of_its_group(passes: tuple[str, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    with small_blocks():
        agrees(lambda x: np.tanh(np.ones(6) @ np.tanh(x)), x, passes=passes, rtol=1e-6)
        agrees(lambda x: np.tanh(np.tanh(x) @ np.ones(4)), x, passes=passes, rtol=1e-6)


@pytest.mark.parametrize("passes", PROGRAMS, ids="-".join)
def test_results_are_nobody_elses(passes: tuple[str, ...]) -> None:
    constant = np.ones(40)

    def f(x: Any) -> Any:
        y = tnp.exp(x)
        return x, x, x[::2], y, y, y[1:], tnp.reshape(y, (4, 10)), tnp.broadcast_to(y[0], (3,)), constant, constant[:3], y[0]

    compiled = jit(f, passes=passes)
    found = [compiled(x), compiled(x)]
    arrays = [y for results in found for y in results if isinstance(y, np.ndarray)]
    for k, y in enumerate(arrays):
        assert y.flags.writeable
        assert not any(np.shares_memory(y, other) for other in (*arrays[k + 1 :], x, constant))
    for y in arrays:
        y[...] = 0.0
    tg.testing.assert_trees_close(compiled(x), f(x))


def test_loops_and_branches_that_hand_on_their_argument() -> None:
    def loop(x: Any) -> Any:
        return tg.while_loop(lambda c: c[0] > 100.0, lambda c: c * 2.0, x)

    def scan(x: Any) -> Any:
        return tg.scan(lambda c, _: (c * 2.0, None), x, None, length=0)[0]

    def branch(x: Any) -> Any:
        return tg.cond(x[0] > 100.0, lambda c: c * 2.0, lambda c: c, x)

    for f in (loop, scan, branch):
        y = jit(f)(x)
        np.testing.assert_array_equal(y, x)
        assert not np.shares_memory(y, x)


def test_what_a_ufunc_is_called_with() -> None:
    trace = traced(lambda x: tnp.exp(x), x)
    assert calls.is_elementwise(trace.steps[1])
    assert calls.into(trace.steps[1]) is not None
    assert calls.into(traced(lambda x: tnp.exp(x), 1.0).steps[1]) is None


@pytest.mark.parametrize("passes", PROGRAMS, ids="-".join)
def test_gradients_that_are_one_array_are_returned_as_two(passes: tuple[str, ...]) -> None:
    def f(x: Any, y: Any) -> Any:
        return tnp.sum(tnp.tanh(x + y))

    first, second = jit(tg.grad(f, (0, 1)), passes=passes)(x, x)
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, second)


# Long programs


def test_where_joins_of_joins_lie_is_known_at_once() -> None:
    """Each has a place in the outermost one, which is not looked for from the inside."""

    def f(x: Any) -> Any:
        joined = tnp.sin(x)
        for _ in range(20):
            joined = tnp.concatenate([joined, tnp.cos(x)])
        return tnp.cumsum(joined) * 2.0

    trace = traced(f, x)
    places = find_places(trace, alive(trace), frozenset())
    (root,) = {place.root for place in places.values()}
    assert sorted(place.offset // x.nbytes for place in places.values()) == [*([0] * 20), *range(1, 21)]
    assert trace.steps[root][4].shape == (21 * len(x),)
    agrees(f, x)


def test_a_program_of_many_names_binds_them_in_a_block_of_its_own() -> None:
    """CPython moves the first block of a function once for each of its variables that an inner function has."""
    x0 = x.copy()

    def f(x: Any, n: int) -> Any:
        return tnp.sum(tnp.stack([tnp.sin(x) @ np.cos(k * x0) for k in range(n)]))

    for n, inside in ((3, False), (250, True)):
        source = jit(f, static_argnames="n").lower(x, n).source
        assert ("    while True:\n" in source) is inside
        agrees(partial(lambda n, x: (f(x, n), tg.grad(f)(x, n)), n), x)
