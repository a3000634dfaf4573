"""What calls leave behind."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any


def left_behind(work: Callable[[], Any], times: int = 200) -> tuple[int, list[str]]:
    """Return how many bytes many calls leave behind, and what only the garbage collector can free of it."""
    for _ in range(20):
        work()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            work()
        kept = tracemalloc.get_traced_memory()[0] - before
        gc.set_debug(gc.DEBUG_SAVEALL)  # what is found is kept, so that it can be named
        gc.collect()
        return kept, [f"{type(x).__name__} {str(x)[:80]}" for x in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        tracemalloc.stop()
        gc.enable()
