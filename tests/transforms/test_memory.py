"""What is kept, what is freed, what is shared: measured with tracemalloc, which counts NumPy's buffers as well."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import tree
from tests.transforms.leaks import left_behind


def peak(f: Callable[[], Any]) -> int:
    """Return by how many bytes the memory in use rises at most while `f` runs."""
    f()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        f()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


# Many operations


def test_a_hundred_thousand_scalar_operations() -> None:
    n = 100_000

    def f(x: Any) -> Any:
        y = x
        for _ in range(n):
            y = y * 0.99999
        return y

    limit = sys.getrecursionlimit()
    assert tg.grad(f)(2.0) == pytest.approx(0.99999**n, rel=1e-9)
    assert sys.getrecursionlimit() == limit


def test_a_node_costs_less_than_a_kilobyte() -> None:
    n = 10_000

    def f(x: Any) -> Any:
        y = x
        for _ in range(n // 2):
            y = y * 0.99999 + 1e-5
        return y

    assert peak(lambda: tg.grad(f)(2.0)) < 1000 * n
    assert peak(lambda: tg.grad(f)(np.float32(2.0))) < 1000 * n


def test_a_wide_sum_is_exact() -> None:
    x = np.linspace(0.0, 1.0, 2000)

    def f(x: Any) -> Any:
        total = 0.0
        for i in range(len(x)):
            total = total + x[i] * x[i]
        return total

    assert np.array_equal(tg.grad(f)(x), 2 * x)


def test_a_thousand_reads_cost_no_thousand_vectors() -> None:
    x = np.ones(20_000)

    def f(x: Any) -> Any:
        total = 0.0
        for i in range(1000):
            total = total + x[i]
        return total

    assert peak(lambda: tg.grad(f)(x)) < 10 * x.nbytes


# Nothing stays behind


WORK: dict[str, Callable[[Any], Any]] = {
    "grad": tg.grad(lambda x: np.sum(np.tanh(x * x) / (1.0 + x))),
    "value_and_grad": tg.value_and_grad(lambda x: np.sum(x[1:] * x[:-1])),
    "has_aux": tg.grad(lambda x: (np.sum(x * x), {"x": x}), has_aux=True),
    "second order": tg.grad(lambda x: np.sum(tg.grad(lambda y: np.sum(y**3))(x))),
    "vjp": lambda x: tg.vjp(np.sin, x)[1](x),
    "jvp": lambda x: tg.jvp(np.sin, (x,), (x,)),
    "linearize": lambda x: tg.linearize(np.sin, x)[1](x),
    "hessian": lambda x: tg.hessian(lambda x: np.sum(x**3))(x[:10]),
    "vmap": tg.vmap(tg.grad(lambda x: x**3)),
    "checkpoint": tg.grad(lambda x: tg.checkpoint(lambda y: np.sum(np.exp(y)))(x)),
    "record": lambda x: str(tg.record(np.sin, x)),
    "nan": tg.grad(lambda x: np.sum(np.where(x > 2.0, np.sqrt(x - x), 0.0))),
}


LITTLE = 200 * 1000
"""Bytes that Python itself may keep for later (its lists of free tuples): an eighth of one array a call."""


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_two_hundred_calls_leave_nothing_behind(work: Callable[[Any], Any]) -> None:
    kept, garbage = left_behind(lambda: work(np.linspace(0.5, 1.5, 1000)))
    assert not garbage, f"left to the garbage collector: {garbage}"
    assert kept < LITTLE, f"{kept} bytes stay after 200 calls"


def test_an_exception_leaves_nothing_behind() -> None:
    def f(x: Any) -> Any:
        y = np.sum(np.exp(x))
        raise ValueError(y.shape)

    def call() -> None:
        with suppress(ValueError):
            tg.grad(f)(np.ones(1000))

    kept, garbage = left_behind(call)
    assert not garbage and kept < LITTLE


# Big arrays

BIG = np.ones(1_000_000, np.float32)


def chain(n: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for _ in range(n):
            x = np.tanh(x)
        return np.sum(x)

    return f


def test_reverse_replay_frees_what_it_has_consumed() -> None:
    """Going forward holds one array an operation; going back must not add as many again."""
    forward = peak(lambda: tg.record(chain(24), BIG)) / BIG.nbytes
    both = peak(lambda: tg.grad(chain(24))(BIG)) / BIG.nbytes
    assert 23 < forward < 26
    assert both < forward + 6


def test_a_shallow_function_peaks_low() -> None:
    assert peak(lambda: tg.grad(lambda x: np.sum(x * x))(BIG)) / BIG.nbytes < 3.5


def test_constants_are_not_copied() -> None:
    def f(w: Any) -> Any:
        total = 0.0
        for _ in range(10):
            total = total + np.sum(BIG) * w
        return total

    assert peak(lambda: tg.grad(f)(1.0)) / BIG.nbytes < 1.5


# Sharing


def gradients(f: Callable[..., Any], *args: Any) -> list[Any]:
    """Return every array that comes out of every transform of a function."""
    argnums = tuple(range(len(args)))
    y, pull = tg.vjp(f, *args)
    g = tree.map(np.ones_like, y)
    found = [*tree.leaves(tg.grad(f, argnums)(*args)), *tree.leaves(pull(g)), *tree.leaves(pull(g))]
    tangents = tuple(np.ones_like(x) for x in args)
    _, push = tg.linearize(f, *args)
    return [*found, *tree.leaves(push(*tangents)), *tree.leaves(push(*tangents)), *tree.leaves(g), *tangents]


SHARERS: dict[str, Callable[..., Any]] = {
    "sum": lambda x, y: np.sum(x + y),
    "same": lambda x, y: np.sum(x) + np.sum(x) + np.sum(y),
    "unused": lambda x, y: np.sum(x),
    "constant": lambda x, y: 1.0,
    "reshape": lambda x, y: np.sum(x.reshape(2, 2).T.ravel() + y[::-1]),
    "broadcast": lambda x, y: np.sum(np.broadcast_to(x, (3, 4)) + y),
    "product": lambda x, y: np.sum(x * y),
    "dot": lambda x, y: np.dot(x, y),
    "slices": lambda x, y: np.sum(x[:2]) + np.sum(y[2:]) + np.sum(x[1:]),
    "maximum": lambda x, y: np.sum(np.maximum(x, y)),
    "stack": lambda x, y: np.sum(np.stack([x, y, x])),
    "mean": lambda x, y: np.mean(x - y),
}


@pytest.mark.parametrize("f", SHARERS.values(), ids=SHARERS.keys())
def test_gradients_share_memory_with_nothing_and_are_writable(f: Callable[..., Any]) -> None:
    x, y = np.arange(4.0), np.arange(4.0, 8.0)
    found = [*gradients(f, x, y), x, y]
    arrays = [a for a in found if isinstance(a, np.ndarray)]
    for i, a in enumerate(arrays):
        assert a.flags.writeable
        for b in arrays[i + 1 :]:
            assert not np.shares_memory(a, b)


def test_tangents_of_the_identity_are_copies() -> None:
    x, t = np.ones(3), np.ones(3)
    _, pushed = tg.jvp(lambda x: x, (x,), (t,))
    pushed[0] = 7.0
    assert t[0] == 1.0
    _, (a, b) = tg.jvp(lambda x: (x, x), (x,), (t,))
    assert not np.shares_memory(a, b) and not np.shares_memory(a, t)


def test_writing_to_a_gradient_changes_nothing_else() -> None:
    params = {"a": np.ones(3), "b": np.ones(3)}
    _, pull = tg.vjp(lambda p: np.sum(p["a"] + p["b"]), params)
    (first,) = pull(1.0)
    first["a"][:] = 100.0
    (second,) = pull(1.0)
    assert first["b"].tolist() == second["a"].tolist() == [1.0, 1.0, 1.0]
    assert params["a"].tolist() == [1.0, 1.0, 1.0]


def test_an_input_changed_after_recording_does_not_change_a_later_pull() -> None:
    """Values on the tape are the user's own arrays: this says what happens, and what to do (copy) to get the other thing."""
    x = np.array([1.0, 2.0])
    _, pull = tg.vjp(lambda x: x * x * x, x.copy())
    x[:] = 0.0
    assert pull(np.ones(2))[0].tolist() == [3.0, 12.0]
