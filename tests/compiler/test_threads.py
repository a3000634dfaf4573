"""Many threads: in one compiled function at once, and inside of it over blocks. Results do not depend on them."""

import hashlib
import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups import kernel
from tapegrad.compiler.groups.products import product_of_rows
from tapegrad.compiler.groups.threads import SHARED, Gauge, Pool, available
from tests.compiler.tracing import small_blocks


def loss(x: Any, y: Any) -> Any:
    return tnp.mean(tnp.tanh(x * y) + tnp.exp(-x * x) * tnp.sin(y)) + tnp.max(x * y)


def at_once(f: Callable[[int], Any], count: int = 8) -> list[Any]:
    """Call ``f(0)``, ``f(1)``, ... in as many threads, which begin together."""
    barrier = threading.Barrier(count)

    def work(k: int) -> Any:
        barrier.wait()
        return f(k)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


@pytest.mark.parametrize("size", [16, 1000])
def test_one_function_in_many_threads(size: int) -> None:
    g = tg.value_and_grad(loss, (0, 1))
    inputs = [np.random.default_rng(k).normal(size=(2, size)) for k in range(8)]
    expected = [g(x, y) for x, y in inputs]
    with small_blocks(large=100, block=64):
        compiled = jit(g)

        def work(k: int) -> None:
            for _ in range(50):
                tg.testing.assert_trees_close(compiled(*inputs[k]), expected[k], 1e-10, 1e-12)

        at_once(work)
    assert compiled.cache_info().misses == 1


def test_the_first_calls_may_come_together() -> None:
    for _ in range(5):
        compiled = jit(lambda x: tnp.sum(tnp.exp(x)))
        results = at_once(lambda k, compiled=compiled: compiled(np.zeros(3 + k % 2)))  # type: ignore[misc]  # of this turn
        assert results == [3.0, 4.0] * 4
        assert compiled.cache_info().misses == 2


def test_the_careful_program_in_many_threads() -> None:
    compiled = jit(tg.grad(lambda x: tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))))
    found = at_once(lambda k: [compiled(np.array([k % 2 * 1.0, 4.0])) for _ in range(20)])
    for k, results in enumerate(found):
        for result in results:
            np.testing.assert_allclose(result, [0.5 if k % 2 else 0.0, 0.25])


def test_a_program_may_call_itself_again() -> None:
    """A function of the user's own that runs inside a program may call the same program."""
    depth = 0

    def inside(x: Any) -> Any:
        nonlocal depth
        depth += 1
        return compiled(x - 1.0) if depth < 4 else x

    own = tg.primitive(inside, name="inside")
    compiled: Any = jit(lambda x: tnp.exp(own(tnp.sin(x) * 2.0)) + tnp.cos(x))

    def plain(x: Any, depth: int) -> Any:
        y = np.sin(x) * 2.0
        return np.exp(y if depth == 3 else plain(y - 1.0, depth + 1)) + np.cos(x)

    x = np.linspace(0, 1, 5)
    depth = 10
    compiled(x)
    for _ in range(2):
        depth = 0
        np.testing.assert_allclose(compiled(x), plain(x, 0))


SCRIPT = """
import hashlib, numpy as np, tapegrad as tg, tapegrad.numpy as tnp
from tests.compiler.test_threads import digest
print(tg.config.threads(), digest())
"""


def digest() -> str:
    """Return what tells results on large arrays from others, to the last bit."""
    random = np.random.default_rng(0)
    found = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        x, y = random.normal(size=(2, 700, 500)).astype(dtype)
        for result in tg.tree.leaves(jit(tg.value_and_grad(loss, (0, 1)))(x, y)):
            found.update(np.asarray(result).tobytes())
    return found.hexdigest()


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    said = set()
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "TAPEGRAD_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
        count, result = run.stdout.split()
        assert count == threads
        said.add(result)
    assert len(said) == 1


@pytest.mark.parametrize("rows", [70_001, 123_457])
@pytest.mark.parametrize("columns", [10, 17])
def test_results_do_not_depend_on_how_many_blocks_are_taken_at_a_time(
    rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def norm(gain: Any, bias: Any, x: Any) -> Any:
        apart = x - tnp.mean(x, axis=1, keepdims=True)
        y = apart / tnp.sqrt(tnp.mean(apart * apart, axis=1, keepdims=True) + 1.0) * gain + bias
        return tnp.mean(y * y * y)

    left: list[int] = []  # how many rows BLAS got that were no whole call

    def noted(x: Any, weight: Any, out: Any, rows: int) -> None:
        left.extend([len(x) % rows] if len(x) % rows else [])
        product_of_rows(x, weight, out, rows)

    monkeypatch.setattr(kernel, "product_of_rows", noted)
    random = np.random.default_rng(0)
    args = [random.normal(size=shape).astype(np.float32) for shape in ((columns,), (columns,), (rows, columns))]
    compiled = jit(tg.value_and_grad(norm, (0, 1)))
    assert "min(k + step, last)" in str(compiled.lower(*args))
    results, calls = [], []
    monkeypatch.setattr(SHARED, "pool", Pool(2))
    for several in (True, False):
        monkeypatch.setattr(Gauge, "choose", lambda self, several=several: several)
        left.clear()
        results.append([np.asarray(leaf).tobytes() for leaf in tg.tree.leaves(compiled(*args))])
        calls.append(sorted(left))
    assert results[0] == results[1]
    assert calls[0] == calls[1]


def test_the_number_of_threads_can_change_at_any_time() -> None:
    before = tg.config.threads()
    x, y = np.random.default_rng(0).normal(size=(2, 1000))
    try:
        with small_blocks(large=100, block=64):
            tg.config.set_threads(1)
            compiled = jit(tg.value_and_grad(loss, (0, 1)))
            results = [compiled(x, y)]
            for count in (4, 2, 16, 1):
                tg.config.set_threads(count)
                results.append(compiled(x, y))
    finally:
        tg.config.set_threads(before)
    for result in results[1:]:
        for a, b in zip(tg.tree.leaves(result), tg.tree.leaves(results[0]), strict=True):
            np.testing.assert_array_equal(a, b)


def in_a_child(x: np.ndarray, y: np.ndarray, queue: Any) -> None:
    with small_blocks(large=100, block=64):
        queue.put(jit(tg.value_and_grad(loss))(x, y)[0])


def fork() -> None:
    """Compile, fork, and let the child compute the same; the interpreter ends with an error if it cannot."""
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks where there are threads: the point of the test
    x, y = np.random.default_rng(0).normal(size=(2, 1000))
    tg.config.set_threads(2)
    with small_blocks(large=100, block=64):
        expected = jit(tg.value_and_grad(loss))(x, y)[0]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_a_child, args=(x, y, queue))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    # in an interpreter of its own: other libraries that tests have loaded here, such as JAX, do not want to be forked
    done = subprocess.run(
        [sys.executable, "-c", "from tests.compiler.test_threads import fork; fork()"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def fork_while_compiling() -> None:
    """Fork while another thread traces a function, and trace it in the child as well."""
    begun, forked = threading.Event(), threading.Event()

    def waiting(x: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            forked.wait()
        return x * 2.0

    compiled = jit(waiting)
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(compiled, np.ones(3))
        begun.wait()
        child = multiprocessing.get_context("fork").Process(target=compiled, args=(np.ones(4),), daemon=True)
        child.start()
        child.join(20)
        forked.set()
        np.testing.assert_array_equal(answer.result(), 2.0)
    assert child.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_compiles_what_another_thread_was_compiling() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tests.compiler.test_threads import fork_while_compiling; fork_while_compiling()"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# The pool


def note(done: list[tuple[int, int]], first: int, last: int, worker: int, step: int) -> None:
    done.extend((k, worker) for k in range(first, last))


def test_every_block_is_computed_once() -> None:
    for threads, together in itertools.product((1, 2, 3, 8), (1, 2, 5)):
        pool = Pool(threads)
        for blocks in (1, 2, 3, 7, 64, 5):
            done: list[tuple[int, int]] = []
            pool.run(partial(note, done), blocks, together)
            assert sorted(k for k, _ in done) == list(range(blocks))
            assert {worker for _, worker in done} <= set(range(min(threads, -(-blocks // together))))


def test_a_thread_that_is_alone_takes_one_block_after_the_other() -> None:
    steps: dict[int, set[int]] = {1: set(), 2: set()}

    def kernel(found: set[int], first: int, last: int, worker: int, step: int) -> None:
        found.add(step)

    for threads, found in steps.items():
        Pool(threads).run(partial(kernel, found), 8, 4)
    assert steps == {1: {1}, 2: {4}}


@pytest.mark.parametrize("threads", [2, 3])
def test_as_many_threads_as_there_are_work_at_a_time(threads: int) -> None:
    together = threading.Barrier(threads)
    workers: list[int] = []

    def kernel(first: int, last: int, worker: int, step: int) -> None:
        together.wait(60)  # nobody comes past it before all are here
        workers.append(worker)

    Pool(threads).run(kernel, threads, 1)
    assert sorted(workers) == list(range(threads))


def test_who_comes_late_finds_less() -> None:
    pool = Pool(2)
    late, done = threading.Event(), []

    def kernel(first: int, last: int, worker: int, step: int) -> None:
        if worker == 1:
            late.wait(60)
        done.append((first, worker))
        if len(done) == 63:
            late.set()

    pool.run(kernel, 64, 1)
    assert sorted(k for k, _ in done) == list(range(64))
    assert sum(worker for _, worker in done) <= 1


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_a_worker_is_raised_after_all_have_stopped(failing: int) -> None:
    pool = Pool(2)
    together, failed, finished = threading.Barrier(2), threading.Event(), []

    def kernel(first: int, last: int, worker: int, step: int) -> None:
        together.wait(60)
        if worker == failing:
            failed.set()
            raise FloatingPointError(f"worker {worker}")
        failed.wait(60)
        finished.append(worker)

    with pytest.raises(FloatingPointError, match=f"worker {failing}"):
        pool.run(kernel, 2, 1)
    assert finished == [1 - failing]
    done: list[tuple[int, int]] = []
    pool.run(partial(note, done), 6, 1)
    assert sorted(k for k, _ in done) == list(range(6))


def test_after_an_error_no_block_is_begun() -> None:
    begun: list[int] = []

    def kernel(first: int, last: int, worker: int, step: int) -> None:
        begun.append(first)
        raise FloatingPointError

    with pytest.raises(FloatingPointError):
        Pool(2).run(kernel, 1000, 1)
    assert len(begun) <= 2


def test_an_interrupt_waits_for_the_workers() -> None:
    pool = Pool(2)
    together, proceed, done = threading.Barrier(2), threading.Event(), threading.Event()

    def kernel(first: int, last: int, worker: int, step: int) -> None:
        together.wait(60)
        if worker == 0:
            threading.Timer(0.05, proceed.set).start()
            raise KeyboardInterrupt
        proceed.wait(10)
        done.set()

    with pytest.raises(KeyboardInterrupt):
        pool.run(kernel, 2, 1)
    assert done.is_set()


def test_who_finds_the_pool_busy_works_alone() -> None:
    pool = Pool(2)
    together = threading.Barrier(2)
    seen: list[int] = []

    def inner(first: int, last: int, worker: int, step: int) -> None:
        seen.extend(range(first, last))

    def outer(first: int, last: int, worker: int, step: int) -> None:
        together.wait(60)
        if worker == 0:
            pool.run(inner, 4, 1)

    pool.run(outer, 2, 1)
    assert seen == [0, 1, 2, 3]


def test_where_no_thread_can_be_started_the_caller_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    seen: list[int] = []
    Pool(4).run(lambda first, last, worker, step: seen.extend(range(first, last)), 8, 1)
    assert seen == list(range(8))


def test_the_environment_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEGRAD_THREADS", "3")
    assert available() == 3
    monkeypatch.setenv("TAPEGRAD_THREADS", "0")
    assert available() == 1
    monkeypatch.setenv("TAPEGRAD_THREADS", "many")
    with pytest.raises(ValueError, match="TAPEGRAD_THREADS must be a number of threads, got 'many'"):
        available()
    monkeypatch.delenv("TAPEGRAD_THREADS")
    assert available() >= 1
    assert SHARED.pool.threads == tg.config.threads()


@pytest.mark.parametrize("count", ["2", 2.0, True, 0, -1])
def test_a_number_of_threads_is_an_integer_of_1_or_more(count: Any) -> None:
    before = tg.config.threads()
    with pytest.raises((TypeError, ValueError), match=r"set_threads: the number of threads must be (an integer|1 or more)"):
        tg.config.set_threads(count)
    assert tg.config.threads() == before
