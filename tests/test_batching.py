"""The list of what `vmap` computes at once is true: it is made by counting, and holds what it must hold."""

import gc
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapegrad.core.primitive import PRIMITIVES
from tests.every_module import every_module

DOCS = Path(__file__).parents[1] / "docs"

AT_ONCE = """
add exp where maximum clip matmul einsum1 einsum2 outer convolve sum mean max min prod cumsum cumprod sort argsort argmax
reshape transpose concatenate stack getitem gather inv det slogdet solve cholesky eigh svd qr pinv fft affine cross_entropy
"""
"""Some of what NumPy can do in one call; the whole list is in `docs/batching.md`."""

LOOPS = 35
"""So many operations may loop at most. NumPy, and SciPy before version 1.16, take one example at a time there."""


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, Any]]:
    pytest.importorskip("scipy")
    every_module()  # each room is entered: they hold the primitives
    yield runpy.run_path(str(DOCS / "make_batching.py"))


def test_the_list_in_the_documentation_is_up_to_date(made: dict[str, Any]) -> None:
    assert (DOCS / "batching.md").read_text() == made["batching"](), "run PYTHONPATH=. python docs/make_batching.py"


def test_what_numpy_does_in_one_call_is_done_in_one_call(made: dict[str, Any]) -> None:
    unknown = [name for name in AT_ONCE.split() if name not in PRIMITIVES]
    assert unknown == []
    assert {name: how for name in AT_ONCE.split() if (how := made["how"](PRIMITIVES[name])) != "at once"} == {}


def test_what_the_garbage_collector_calls_does_not_count(made: dict[str, Any]) -> None:
    def busy(phase: str, info: Any) -> None:
        for _ in range(10):
            len(phase)

    threshold = gc.get_threshold()
    gc.callbacks.append(busy)
    gc.set_threshold(20)  # so often that it comes while a rule runs
    try:
        assert {name for name in AT_ONCE.split() if made["how"](PRIMITIVES[name]) != "at once"} == set()
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(busy)


def test_few_operations_loop() -> None:
    text = (DOCS / "batching.md").read_text()
    assert text.count("\n| `") <= LOOPS


def test_a_loop_is_found(made: dict[str, Any]) -> None:
    assert made["how"](PRIMITIVES["searchsorted"]) == "loop if input 0 is batched"
    assert sys.getprofile() is None
