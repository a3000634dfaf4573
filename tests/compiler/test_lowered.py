"""What `lower` shows: the stages of a program, and estimates that come out as when counted by hand."""

import sys
from types import FrameType
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.costs import cost
from tapegrad.compiler.function import jit
from tapegrad.compiler.passes.gather import gather_products
from tapegrad.compiler.trace import alive
from tests.compiler.tracing import small_blocks, traced

a, b = np.ones((4, 5)), np.ones((5, 6))
x = np.linspace(0.1, 2.0, 40)
square = 0.1 * np.eye(3)
index = np.array([0, 2])


def costs(f: Any, *args: Any) -> tuple[int, int]:
    """Return the estimates of what is left of a function: floating-point operations, and bytes."""
    program = jit(f).lower(*args)
    return program.flops, program.nbytes


def sum_of_sines(x: Any) -> Any:
    return tnp.sum(tnp.sin(x))


COUNTED: dict[str, tuple[Any, int, int]] = {
    "a product of matrices": (lambda: costs(lambda a, b: a @ b, a, b), 2 * 4 * 5 * 6, 20 + 30 + 24),
    "of vectors": (lambda: costs(lambda a: tnp.dot(a, a), x), 2 * 40, 40 + 40),
    "of stacks": (lambda: costs(lambda a: a @ a, np.ones((7, 3, 3))), 7 * 2 * 27, 3 * 63),
    "a matrix and a vector": (lambda: costs(lambda a, v: a @ v, a, a[0]), 2 * 4 * 5, 20 + 5 + 4),
    "an einsum": (lambda: costs(lambda a, b: tnp.einsum("ij,jk->ki", a, b), a, b), 2 * 4 * 5 * 6, 20 + 30 + 24),
    "an einsum without sum": (lambda: costs(lambda a, b: tnp.einsum("i,j->ij", a, b), a[0], b[0]), 30, 5 + 6 + 30),
    "a convolution": (lambda: costs(lambda v: tnp.convolve(v, np.ones(3)), x), 2 * 40 * 3, 40 + 3 + 42),
    "elementwise": (lambda: costs(lambda x: tnp.sin(x), x), 40, 40 + 40),
    "with a number": (lambda: costs(lambda x: 2.0 * x, x), 40, 40 + 40),
    "with broadcasting": (lambda: costs(lambda a, v: a + v, a, a[0]), 20, 20 + 5 + 20),
    "a sum of everything": (lambda: costs(lambda a: tnp.sum(a), a), 20, 20),
    "a maximum over an axis": (lambda: costs(lambda a: tnp.max(a, axis=0), a), 20, 20 + 5),
    "a view": (lambda: costs(lambda a: tnp.transpose(a)[1:], a), 0, 0),
    "a reshape that must copy": (lambda: costs(lambda a: tnp.reshape(tnp.transpose(a), (20,)), a), 0, 2 * 20),
    "rows that are picked": (lambda: costs(lambda a: a[index], a), 0, 2 * 10),
    "what is joined": (lambda: costs(lambda a: tnp.concatenate([a, a]), a), 0, 20 + 20 + 40),
    "several outputs": (lambda: costs(lambda a: tnp.linalg.qr(a), np.eye(3)), 9 + 9, 9 + 9 + 9),
    "nothing": (lambda: costs(lambda a: a, a), 0, 0),
    "what nobody needs": (lambda: costs(lambda a: [tnp.sin(a), tnp.cos(a)][0], a), 20, 40),
    "a gradient, looked at": (lambda: costs(tg.grad(sum_of_sines), x), 2 * 40, 40 + 40 + 40),
    "a loop": (
        lambda: costs(lambda c: tg.scan(lambda c, _: (tnp.tanh(c @ c), c.sum()), c, None, length=10), square),
        10 * (2 * 27 + 9 + 2 * 9),  # all turns are added up at a time, as a product with ones
        10 * (27 + 18 + 9 + 1) + 9,
    ),
    "a loop in a loop": (
        lambda: costs(lambda c: tg.fori_loop(0, 5, lambda i, c: tg.fori_loop(0, 4, lambda j, c: tnp.sin(c), c), c), x),
        5 * 4 * 40,
        5 * 4 * 80,
    ),
    "a loop of unknown length": (
        lambda: costs(lambda c: tg.while_loop(lambda c: c.sum() < 100.0, lambda c: c * 2.0, c), x),
        40 + 1 + 40,
        40 + 80,
    ),
    "a branch": (
        lambda: costs(lambda x: tg.cond(x[0] > 0.0, lambda x: tnp.sin(tnp.exp(x)), lambda x: x, x)[0], x),
        1 + 1 + 2 * 40,
        2 * 80,
    ),
    "what is computed anew": (lambda: costs(lambda x: tg.checkpoint(tnp.sin)(x), x), 40, 80),
}


@pytest.mark.parametrize("what", COUNTED)
def test_estimates_are_those_of_hand(what: str) -> None:
    run, flops, numbers = COUNTED[what]
    found = run()
    assert found[0] == flops
    assert found[1] == 8 * numbers


def test_smaller_numbers_are_fewer_bytes() -> None:
    assert costs(lambda x: tnp.sin(x), x.astype(np.float32)) == (40, 320)
    assert costs(lambda x: x > 1.0, x) == (40, 320 + 40)


def test_a_group_reads_and_writes_once() -> None:
    factor = np.linspace(1.0, 2.0, 40)

    def f(x: Any) -> Any:
        y = tnp.sin(x) * factor
        return y, tnp.sum(tnp.exp(y) * factor)

    assert costs(f, x) == (5 * 40, 8 * (40 + 80 + 80 + 80 + 80 + 40 + 40))
    with small_blocks():
        program = jit(f).lower(x)
    assert program.flops == 5 * 40
    assert program.nbytes == 8 * (40 + 40 + 40)  # the input, the factor, the output
    assert program.groups == ((1, 2, 3, 4, 5),)
    assert "blocks: %1, %2, %3, %4, %5" in str(program)


def test_the_stages_are_shown() -> None:
    def f(x: Any, scale: Any) -> Any:
        return tnp.sum(tnp.negative(-x) * (scale * 1.0))

    program = jit(f).lower(x, 2.0)
    assert program.before.split("\n") == [
        "%0 = x                 float64[40]",
        "%1 = scale             float[]",
        "%2 = negative(%0)      float64[40]",
        "%3 = negative(%2)      float64[40]",
        "%4 = multiply(%1, 1.0) float[]",
        "%5 = multiply(%3, %4)  float64[40]",
        "%6 = sum(%5)           float64[]",
        "return %6",
    ]
    assert program.after.split("\n") == [
        "%0 = x                float64[40]",
        "%1 = scale            float[]",
        "%2 = multiply(%0, %1) float64[40]",
        "%3 = sum(%2)          float64[]",
        "return %3",
    ]
    assert program.buffers == (320,)
    for part in (program.before, program.after, program.source, "buffers, in bytes: 320", "80 floating-point operations"):
        assert part in str(program)


def test_the_source_is_the_program() -> None:
    compiled: Any = jit(lambda x: tnp.sum(tnp.sin(x)))
    shown = compiled.lower(x)
    assert compiled.cache_info() == (0, 0, 0, 0)  # nothing is kept
    compiled(x)
    (program,) = compiled._cache.programs.values()
    assert program.source.text == shown.source
    compile(shown.source, "<shown>", "exec")


def test_buffers_are_those_that_are_allocated() -> None:
    def f(a: Any) -> Any:
        return tnp.sum(tnp.exp(tnp.sin(a)) @ tnp.cos(tnp.transpose(a)))

    program = jit(f).lower(a)
    assert sorted(program.buffers) == [128, 160, 160]  # the factors, and their product
    assert jit(f, passes=("expand",)).lower(a).buffers == (160, 160, 160, 128)


def test_settings_and_static_arguments_are_lowered_as_in_a_call() -> None:
    def power(x: Any, n: int, *, name: str = "sin") -> Any:
        return getattr(tnp, name)(x) ** n

    compiled = jit(power, static_argnames=("n", "name"))
    assert "cos" in compiled.lower(x, n=3, name="cos").before
    with pytest.raises(TypeError, match="the leaf x has type str"):
        compiled.lower("x", 3)


# How long the passes take


def calls(run: Any) -> int:
    """Return how many calls of Python functions something takes."""
    count = 0

    def counted(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def products(n: int) -> Any:
    """Return a function that adds up `n` products of matrices, with other terms among them."""

    def f(a: Any, b: Any) -> Any:
        total = a
        for k in range(n):
            total = total + (a * (k + 0.5)) @ b
            total = total + a * (k + 1.5)
        return total

    return f


def test_to_gather_products_takes_time_in_proportion() -> None:
    counts = []
    for n in (500, 1000, 2000):
        trace = traced(products(n), np.eye(2), np.eye(2))
        assert len(alive(trace)) > 4 * n
        counts.append(calls(lambda trace=trace: gather_products(trace)))
    assert counts[1] <= 2.05 * counts[0]
    assert counts[2] <= 2.05 * counts[1]


def test_costs_of_every_kind_of_step_are_whole_numbers() -> None:
    trace = traced(lambda x: (tnp.sort(x), tnp.cumsum(x), x[::2], tnp.where(x > 1, x, 0.0), tnp.take(x, index)), x)
    for k in alive(trace):
        assert all(type(n) is int and n >= 0 for n in cost(trace.steps[k]))
