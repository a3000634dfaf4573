"""Traces to try passes on, and what is left of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from tapegrad import tree
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups import products, sizes
from tapegrad.compiler.program import PASSES
from tapegrad.compiler.trace import Trace, alive, record

NONE: tuple[str, ...] = ()
PROGRAMS = [PASSES, *[tuple(p for p in PASSES if p != name) for name in PASSES], NONE]
"""All passes, each one left out, and none."""


def traced(f: Callable[..., Any], *args: Any, hopeful: bool = True) -> Trace:
    """Return what a function of arrays and numbers does, before any pass."""
    return record(f, args, lambda leaves: (tuple(leaves), {}), hopeful)[0]


def names(trace: Trace) -> list[str]:
    """Return the names of the operations that are computed."""
    return [trace.steps[index][0].name for index in alive(trace)]


def after(rewrite: Callable[[Trace], Trace], f: Callable[..., Any], *args: Any) -> list[str]:
    """Return the names of the operations that are left after a pass; check that it leaves shapes, dtypes and values alone."""
    before = traced(f, *args)
    changed = rewrite(before)
    assert changed.inputs == before.inputs
    for a, b in zip(results(before), results(changed), strict=True):
        assert np.shape(a) == np.shape(b) and np.result_type(a) == np.result_type(b)
        np.testing.assert_allclose(a, b, rtol=1e-12)
    return names(changed)


def results(trace: Trace) -> list[Any]:
    return [x if k is None else trace.steps[k][4] for k, x in zip(trace.outputs, trace.constants, strict=True)]


def agrees(f: Callable[..., Any], *args: Any, rtol: float = 1e-12, passes: Sequence[str] = PASSES) -> None:
    """Check that a function computes the same compiled, twice: values, shapes, dtypes, and whether they are arrays."""
    with np.errstate(all="ignore"):
        expected = f(*args)
    program = jit(f, passes=passes)
    for found in (program(*args), program(*args)):
        assert tree.structure(found) == tree.structure(expected)
        for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
            assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray), (type(a), type(b))
            assert np.result_type(a) == np.result_type(b) and np.shape(a) == np.shape(b)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@contextmanager
def small_blocks(large: int = 8, block: int = 4, spills: int = 8) -> Iterator[None]:
    """Let blocks be small, and used on small arrays, and on several threads; and products go by a few rows at a time."""
    with (
        patch.object(sizes, "SPILLS", spills),
        patch.object(sizes, "STACKS", spills),
        patch.object(products, "USEFUL", 2),
        patch.object(products, "ALONE", 40),
        patch.object(products, "ALONE_VECTOR", 16),
        patch.object(sizes, "LARGE", large),
        patch.object(sizes, "BLOCK", 8 * block),
        patch.object(sizes, "ROW", 2 * block),
        patch.object(sizes, "PAYS", 0.0),
        patch.object(sizes, "FEWEST", 2),
    ):
        yield
