"""Groups that cut rows: what passes through blocks besides elementwise steps, and how it is cut."""

import re
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import nn
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups.parts import behind, lead, part_of, rest, split
from tapegrad.compiler.groups.threads import LATE, PRICE, SOON, TRIES, Gauge
from tapegrad.compiler.trace import alive
from tests.compiler.test_planning import grouped, members
from tests.compiler.tracing import agrees, small_blocks, traced

random = np.random.default_rng(0)


def drawn(*shape: int, dtype: Any = np.float64) -> Any:
    return random.normal(size=shape).astype(dtype)


# Rows


@pytest.mark.parametrize(
    ("shape", "rows", "answer"),
    [
        ((12,), 12, (1, 1)),
        ((12,), 4, (1, 3)),
        ((12,), 5, None),
        ((3, 4), 3, (1, 1)),
        ((3, 4), 12, (2, 1)),
        ((3, 4), 6, (2, 2)),
        ((3, 4), 2, None),
        ((3, 4), 24, None),
        ((1, 3, 1), 3, (2, 1)),
        ((), 2, None),
    ],
)
def test_axes_are_split_into_rows(shape: tuple[int, ...], rows: int, answer: tuple[int, int] | None) -> None:
    assert split(shape, rows) == answer


def test_a_block_sees_what_is_left_of_an_axis_and_the_axes_behind() -> None:
    assert rest((3, 4, 5), 3) == (4, 5)
    assert rest((3, 4, 5), 6) == (2, 5)
    assert rest((3, 4, 5), 60) == ()
    assert behind((1, 2), (3, 4, 5), 3) == (1, 2)
    assert behind((2,), (3, 4, 5), 6) == (2,)
    with pytest.raises(AssertionError, match="has not 7 rows"):
        lead((3, 4), 7)


def kind(f: Any, *args: Any) -> str | None:
    """Return what the last step of a function is to a group."""
    trace = traced(f, *args)
    part = part_of(trace.steps[alive(trace)[-1]])
    return None if part is None else part.kind


def test_what_a_step_can_be_to_a_group() -> None:
    x, row = drawn(16, 6), drawn(6)
    assert kind(tnp.sin, x) == "each"
    assert kind(lambda x: tnp.where(x > 0, x, 0.0), x) == "call"
    assert kind(lambda x: x + row, x) == "each"
    assert kind(lambda x: tnp.sum(x, axis=1), x) == "fold"
    assert kind(lambda x: tnp.max(x, axis=1, keepdims=True), x) == "fold"
    assert kind(lambda x: x @ np.ones(6), x) == "fold"
    assert kind(lambda x: tnp.sum(x, axis=0), x) == "end"
    assert kind(lambda x: tnp.min(x), x) == "end"
    assert kind(lambda x: np.ones(16) @ x, x) == "end"
    assert kind(lambda x: tnp.reshape(x, (8, 12)), x) == "view"
    assert kind(lambda x: x[:, None], x) == "view"
    for f in (lambda x: x.T, lambda x: x @ drawn(6, 2), lambda x: x[2:], lambda x: tnp.cumsum(x, axis=1), lambda x: x @ row):
        assert kind(f, x) is None
    assert kind(lambda x: x + 1.0, drawn(0, 6)) is None


def test_an_operation_of_the_users_own_sees_whole_arrays() -> None:
    seen = []

    def shifted(x: Any) -> Any:
        seen.append(np.shape(x))
        return x - np.size(x)

    shift = tg.primitive(shifted, vjp=lambda g, y, x: g, elementwise=True)
    with small_blocks():
        agrees(lambda x: tnp.exp(tnp.sin(shift(tnp.cos(x) * x))), drawn(16, 6))
    assert set(seen) == {(16, 6)}


# Programs of one group


def softmax(x: Any) -> Any:
    return tg.value_and_grad(lambda x: tnp.sum(nn.softmax(x) ** 2))(x)


def normalized(x: Any) -> Any:
    scale, offset = np.linspace(0.5, 1.5, np.shape(x)[-1]), np.linspace(-1.0, 1.0, np.shape(x)[-1])

    def loss(x: Any, scale: Any, offset: Any) -> Any:
        centre, spread = tnp.mean(x, axis=-1, keepdims=True), tnp.var(x, axis=-1, keepdims=True)
        return tnp.sum(tnp.tanh((x - centre) / tnp.sqrt(spread + 1e-5) * scale + offset))

    return tg.value_and_grad(loss, argnums=(0, 1, 2))(x, scale, offset)


def likelihood(x: Any) -> Any:
    def loss(x: Any) -> Any:
        top = tnp.max(x, axis=-1)
        return tnp.sum(top + tnp.log(tnp.sum(tnp.exp(x - top[..., None]), axis=-1)))

    return tg.value_and_grad(loss)(x)


def distances(x: Any) -> Any:
    def energy(x: Any) -> Any:
        apart = x[:, None] - x[None, :]
        return tnp.sum(1.0 / tnp.sqrt(tnp.sum(apart * apart, axis=-1) + 0.1))

    return tg.value_and_grad(energy)(tnp.reshape(x, (-1, np.shape(x)[-1])))


PROGRAMS = (softmax, normalized, likelihood, distances)
SHAPES = [(16, 6), (9, 6), (11, 33), (5, 3), (4, 6, 5), (2, 3, 4, 5), (64, 1)]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("block", [4, 12, 64])
def test_sums_of_rows_and_columns_in_blocks(program: Any, shape: tuple[int, ...], block: int) -> None:
    x = drawn(*shape)
    with small_blocks(block=block):
        agrees(program, x)
        agrees(program, np.asfortranarray(x))


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_arrays_in_blocks(program: Any, dtype: Any) -> None:
    x = drawn(240, 3, dtype=dtype) if program is distances else drawn(700, 65, dtype=dtype)
    agrees(program, x, rtol=1e-4 if dtype is np.float32 else 1e-10)


def test_a_softmax_with_its_gradient_is_one_group() -> None:
    with small_blocks():
        trace, groups = grouped(softmax, drawn(16, 6))
    assert len(groups) == 1
    assert groups[0].rows == 16
    assert [name for name in members(trace, groups[0]) if name in ("max", "exp", "divide")] == ["max", "exp", "divide"]


def test_sums_over_merged_axes_stay_in_the_group() -> None:
    with small_blocks():
        _, groups = grouped(distances, drawn(16, 3))
    assert len(groups) == 1


@pytest.mark.parametrize("axis", [0, 1, (0, 1), (1, 2), (0, 2), None])
@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_folds_along_any_axes(axis: Any, name: str, keepdims: bool) -> None:
    def f(x: Any) -> Any:
        y = tnp.sin(x)
        total = getattr(tnp, name)(y, axis=axis, keepdims=keepdims)
        return total, tnp.exp(total), tnp.cos(y)

    with small_blocks():
        for shape in ((10, 3, 5), (4, 17, 2), (8, 8, 8)):
            agrees(f, drawn(*shape))
            agrees(f, (4 * drawn(*shape)).astype(int))
            agrees(f, drawn(*shape, dtype=np.complex128)) if name in ("sum", "prod") else None


@pytest.mark.parametrize("dtype", [np.bool, np.int8, np.uint8, np.int64, np.float16, np.float32])
@pytest.mark.parametrize("name", ["sum", "max", "prod"])
def test_folds_of_small_numbers(dtype: Any, name: str) -> None:
    def f(x: Any) -> Any:
        y = tnp.maximum(x, x[::-1])
        total = getattr(tnp, name)(y, axis=1)
        return total, getattr(tnp, name)(y, axis=0), tnp.square(total * 2), tnp.sin(tnp.astype(y, np.float64))

    tolerance = {np.float16: 1e-2, np.float32: 1e-5}.get(dtype, 1e-12)
    with small_blocks():
        for shape in ((16, 3), (9, 5), (10, 40)):
            x = random.random(size=shape) * 12
            agrees(f, x > 5 if dtype is np.bool else x.astype(dtype), rtol=tolerance)


def test_classes_of_rows_are_one_group() -> None:
    """A step on rows joins the group that reduces them first; ties are counted in numbers."""
    labels = np.arange(12) % 5

    def loss(x: Any) -> Any:
        below = x - tnp.max(x, axis=1, keepdims=True)
        return -tnp.sum((below - tnp.log(tnp.sum(tnp.exp(below), axis=1, keepdims=True)))[np.arange(12), labels])

    ties = np.round(drawn(12, 5))
    with small_blocks():
        for x in (drawn(12, 5), ties, ties.astype(np.float32)):
            agrees(lambda x: tg.value_and_grad(loss)(x), x, rtol=1e-5 if x.dtype == np.float32 else 1e-12)
        _, groups = grouped(lambda x: tg.grad(loss)(x), ties)
    assert len(groups) == 1


def test_what_is_added_up_in_another_dtype_is_not_added_up_in_blocks_before() -> None:
    x = np.full((8, 3), 1e5, np.float32)
    with small_blocks():
        agrees(lambda x: tnp.sum(tnp.sin(x) + 1e5, axis=0, dtype=np.float64), x)
        agrees(lambda x: tnp.sum(tnp.sin(x) + 1e5, dtype=np.float64), x)
        agrees(lambda x: tnp.sum(tnp.sin(x) > 0, axis=1, dtype=np.float32) * tnp.sum(x > 1, dtype=np.float32), x)


def test_an_array_that_is_read_both_in_rows_and_as_a_whole() -> None:
    def f(x: Any) -> Any:
        y = tnp.exp(x) * 2.0
        return tnp.sin(y * x[:, None] + x) * y, y  # (n, n) of rows, columns and one that is both

    for n in (8, 9, 16):
        with small_blocks():
            agrees(f, drawn(n))
            agrees(lambda x: tg.vjp(f, x)[1](f(x)), drawn(n))
            donated = jit(lambda x: f(x)[0][0] + x, donate_argnames="x")
            x = drawn(n)
            expected = f(x)[0][0] + x
            np.testing.assert_allclose(donated(x), expected)


def test_a_view_that_leaves_a_group_is_written_out() -> None:
    def f(x: Any) -> Any:
        flat = tnp.reshape(tnp.sin(x) * x, (-1, 2))
        return flat, tnp.exp(flat), flat @ np.ones((2, 3))

    with small_blocks():
        for shape in ((8, 4), (3, 8), (16, 2), (6, 2, 2)):
            agrees(f, drawn(*shape))


# Late computation


def test_a_cheap_step_is_computed_where_it_is_needed() -> None:
    weights = drawn(6, 6)

    def f(x: Any) -> Any:
        h = tnp.tanh(x + 1.0)
        square = h * h
        return tnp.exp((h @ weights) * square)

    with small_blocks(spills=1000):
        trace, groups = grouped(f, drawn(8, 6))
        agrees(f, drawn(8, 6))
    assert [members(trace, group) for group in groups] == [["add", "tanh"], ["square", "multiply", "exp"]]


def test_a_step_stays_where_its_arguments_are_not_written_out_for_others() -> None:
    weights = drawn(6, 6)

    def f(x: Any) -> Any:
        inner = tnp.exp(x) + 1.0
        square = inner * inner
        return tnp.exp(((square + 2.0) @ weights) * square)

    with small_blocks(spills=1000):
        trace, groups = grouped(f, drawn(8, 6))
        agrees(f, drawn(8, 6))
    assert members(trace, groups[0]) == ["exp", "add", "square", "add"]


# Whether threads pay


def choices(gauge: Gauge, calls: int, together: float, alone: float) -> list[bool]:
    """Return what a gauge chooses, call by call, where the two ways take so long."""
    chosen = []
    for _ in range(calls):
        chosen.append(gauge.choose())
        gauge.note(chosen[-1], together if chosen[-1] else alone)
    return chosen


def test_a_gauge_tries_both_ways_and_takes_the_quicker_one() -> None:
    gauge = Gauge()
    chosen = choices(gauge, 200, 1.0, 2.0)
    assert set(chosen[:TRIES]) == {True, False}
    assert chosen[TRIES:].count(False) == 3  # once in a while it tries again
    choices(gauge, 1000, 4.0, 2.0)  # somebody else has come
    assert choices(gauge, 50, 4.0, 2.0).count(True) <= 1


@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.5, 3.0, 100.0])
def test_a_gauge_tries_the_slower_way_as_often_as_it_is_cheap(ratio: float) -> None:
    gauge, calls = Gauge(), 5000
    choices(gauge, TRIES, 1.0, ratio)
    tries = choices(gauge, calls, 1.0, ratio).count(False)
    assert calls // (LATE + 1) <= tries <= calls // SOON
    assert tries * (ratio - 1.0) <= 1.1 * max(PRICE * calls, calls / LATE * (ratio - 1.0))


def test_a_gauge_of_calls_that_failed_still_chooses() -> None:
    gauge = Gauge()
    assert {gauge.choose() for _ in range(3 * SOON)} == {True, False}


def test_one_slow_call_does_not_change_the_choice() -> None:
    gauge = Gauge()
    for _ in range(TRIES):
        several = gauge.choose()
        gauge.note(several, 1.0 if several else 2.0)
    gauge.note(True, 5.0)
    assert gauge.choose()


def test_the_slope_of_an_absolute_value_is_computed_with_it() -> None:
    x = np.linspace(-1.0, 1.0, 200_000)
    both = tg.jit(tg.value_and_grad(lambda x: np.abs(x).sum()))
    source = both.lower(x).source
    assert source.count("def blocks") == 1
    assert re.search(r"sign_\d+\(s0, s1\)", source)
    value, gradient = both(x)
    assert value == pytest.approx(np.abs(x).sum(), rel=1e-12)
    assert (gradient == np.sign(x)).all()


def test_clip_is_two_ufuncs_in_a_program() -> None:
    x = np.linspace(-1.0, 1.0, 200_000)
    source = tg.jit(lambda x: np.clip(x, -0.5, 0.5) * x).lower(x).source
    assert re.search(r"maximum_\d+\(", source)
    assert re.search(r"minimum_\d+\(", source)
    assert "clip" not in source
