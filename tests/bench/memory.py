"""Memory of the gradient of a recurrence of 10,000 steps: stored, cut into checkpointed segments, and as a scan.

Counted by tracemalloc, which sees NumPy's arrays as well as Python's objects: the figures are the same on every machine.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tapegrad as tg

STEPS = 10_000
SEGMENT = 100
SIZE = 1000


def step(a: Any, x: Any) -> Any:
    """One step of the recurrence, three operations."""
    return np.tanh(a * x + 0.1)


def stored(a: Any, x: Any, steps: int = STEPS) -> Any:
    """Return the sum of the last state; the tape keeps every value in between."""
    for _ in range(steps):
        x = step(a, x)
    return np.sum(x)


def segments(a: Any, x: Any, steps: int = STEPS, length: int = SEGMENT) -> Any:
    """The same, of which the tape keeps the state between segments of `length` steps, and runs one segment at a time again."""

    def segment(a: Any, x: Any) -> Any:
        for _ in range(length):
            x = step(a, x)
        return x

    for _ in range(steps // length):
        x = tg.checkpoint(segment)(a, x)
    return np.sum(x)


def scanned(a: Any, x: Any, steps: int = STEPS) -> Any:
    """The same as one loop on the tape, which keeps the state of each turn."""
    return np.sum(tg.scan(lambda x, _: (step(a, x), None), x, length=steps)[0])


def scanned_segments(a: Any, x: Any, steps: int = STEPS, length: int = SEGMENT) -> Any:
    """The same as a loop of checkpointed loops, which keeps the state between segments."""

    def segment(x: Any, _: Any) -> Any:
        return tg.checkpoint(lambda a, x: tg.scan(lambda x, _: (step(a, x), None), x, length=length)[0])(a, x), None

    return np.sum(tg.scan(segment, x, length=steps // length)[0])


WAYS: dict[str, Callable[..., Any]] = {
    "stored": stored,
    f"checkpointed segments of {SEGMENT}": segments,
    "scan": scanned,
    f"scan of checkpointed scans of {SEGMENT}": scanned_segments,
}


def peak(f: Callable[[], Any]) -> tuple[int, Any]:
    """Return by how many bytes the memory in use rises at most while `f` runs, and what it returns."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = f()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


def start(size: int = SIZE) -> tuple[Any, Any]:
    """Return the parameters and the first state."""
    return np.linspace(0.5, 1.5, size), np.linspace(-1.0, 1.0, size)


def report(rounds: int) -> None:
    """Print the peak memory of the gradient in each way, and its time."""
    print(f"gradient of a recurrence of {STEPS:,} steps on {SIZE} numbers ({SIZE * 8 / 1e3:.0f} kB), three operations a step\n")
    print(f"{'how':<40}{'peak memory':>14}{'time':>10}")
    a, x = start()
    for name, way in WAYS.items():
        gradient = tg.grad(way)
        begin = time.perf_counter()
        gradient(a, x)
        seconds = time.perf_counter() - begin
        memory, _ = peak(partial(gradient, a, x))
        print(f"{name:<40}{memory / 1e6:>11.1f} MB{seconds:>8.2f} s", flush=True)
