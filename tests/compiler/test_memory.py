"""The memory of programs that `cache_info` tells: buffers, scratch arrays, partial results and constants."""

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tests.compiler.tracing import small_blocks

x = np.linspace(0.1, 2.0, 40)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Let blocks be computed by one thread, so that there is one set of scratch arrays."""
    tg.config.set_threads(1)
    yield
    tg.config.set_threads(None)


def held(f: Any, *args: Any) -> int:
    """Return the bytes that the program of a function holds once it was called."""
    compiled = jit(f)
    compiled(*args)
    first = compiled.cache_info().nbytes
    compiled(*args)
    assert compiled.cache_info().nbytes == first
    return first


def test_buffers_are_counted() -> None:
    assert held(lambda x: x * x, x) == 0  # what leaves the program is not its memory
    assert held(lambda x: tnp.sum(tnp.sin(x)), x) == 320
    assert held(lambda x: tnp.sum(tnp.sin(x) * tnp.cos(x)), x) == 640


def test_constants_are_counted_once() -> None:
    constant = np.linspace(1.0, 2.0, 40)
    assert held(lambda x: tnp.hypot(x, constant), x) == 320
    assert held(lambda x: (tnp.hypot(x, constant), tnp.arctan2(x, constant)), x) == 320
    assert held(lambda x: (x * x, constant), x) == 320
    assert held(lambda x: (x * 2.0, x - 2.0), x) == 320  # a number, written out once
    assert held(lambda x: tnp.hypot(x[:, None], np.broadcast_to(constant[:1], (40, 40))), x) == 8
    assert held(lambda x: x[np.array([0, 2])], x) == 16


def test_what_blocks_are_computed_in_is_counted() -> None:
    with small_blocks():  # blocks of 32 bytes
        assert held(lambda x: tnp.sum(tnp.sin(x) * tnp.exp(x)), x) == 8 * (2 * 4 + 10)  # two scratch arrays, ten partial sums
        y = x.astype(np.float32)
        assert held(lambda x: tnp.exp(tnp.sin(x)), y) == 4 * 8
        assert held(lambda x: tnp.sin(tnp.maximum(x, 0.5)), x) == 8 * (4 + 4)  # and the number 0.5, written out


def test_each_thread_has_scratch_arrays() -> None:
    tg.config.set_threads(2)
    with small_blocks():
        compiled = jit(lambda x: tnp.exp(tnp.sin(x)))
        for _ in range(20):
            compiled(x)
        assert compiled.cache_info().nbytes in (8 * 4, 8 * 8)


def test_the_careful_program_is_counted() -> None:
    def root(x: Any) -> Any:
        return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))

    compiled = jit(tg.grad(root))
    compiled(x)
    before = compiled.cache_info().nbytes
    compiled(np.zeros(40))
    after = compiled.cache_info().nbytes
    (program,) = compiled.__dict__["_cache"].programs.values()
    assert after > before
    constants = {id(c): c.nbytes for c in program.careful.source.bound.values() if isinstance(c, np.ndarray)}
    assert after == before + sum(program.careful.source.plan.sizes) + sum(constants.values())


def test_programs_of_loops_are_counted() -> None:
    constant = np.linspace(1.0, 2.0, 40)

    def f(x: Any) -> Any:
        return tg.scan(lambda c, _: (tnp.hypot(tnp.sin(c) * tnp.cos(c), constant), None), x, None, length=3)[0]

    assert held(f, x) == 2 * 320 + 640  # the constant as it was recorded and as it is compiled; two buffers of the body


def test_programs_add_up_and_are_forgotten() -> None:
    compiled = jit(lambda x: tnp.sum(tnp.sin(x)))
    for n in (10, 20, 30):
        compiled(np.ones(n))
    assert compiled.cache_info().nbytes == 8 * 60
    compiled.clear_cache()
    assert compiled.cache_info() == (0, 0, 0, 0)


def test_what_is_told_is_what_is_allocated() -> None:
    constant = np.linspace(1.0, 2.0, 20_000)

    def f(x: Any) -> Any:
        y = tnp.hypot(tnp.sin(x), constant)
        return tnp.sum(tg.scan(lambda c, _: (tnp.hypot(tnp.sin(c) * y, constant), None), x, None, length=3)[0] * y)

    for make_small in (False, True):
        compiled: Any = jit(f)
        args = np.ones(20_000)
        jit(f)(args)  # what is allocated once for all programs
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            if make_small:
                with small_blocks(1000, 500):
                    compiled(args)
            else:
                compiled(args)
            gc.collect()
            allocated = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        told = compiled.cache_info().nbytes
        assert abs(allocated - told) < 120_000 < told, (allocated, told)  # an array of the function takes 160,000
