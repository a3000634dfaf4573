"""Random programs compute the same compiled, with all passes, with one of them left out, and with none."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import tree
from tapegrad.compiler.function import jit
from tapegrad.compiler.program import PASSES
from tests.compiler.programs import Function, arguments, is_float, one_of, program, scalar
from tests.compiler.tracing import small_blocks

TRIALS = 6
SEEDS = [range(start, start + TRIALS) for start in range(0, 240, TRIALS)]


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: str(seeds.start))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs(seeds: range) -> None:
    with small_blocks(), np.errstate(all="ignore"):
        for seed in seeds:
            random = np.random.default_rng(seed)
            args = arguments(random, one_of(random, ("float64", "float64", "float32", "complex128")))
            f = program(seed, args, int(random.integers(3, 14)))
            left_out = one_of(random, PASSES)
            choices = [PASSES, tuple(p for p in PASSES if p != left_out), *([()] if seed % 3 == 0 else [])]
            for name, transformed in transforms(f, args):
                check(f"{name} of program {seed}", transformed, args, choices)


def transforms(f: Function, args: tuple[Any, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what is tried of a program, with its name."""
    yield "value", f
    moving = tuple(k for k, x in enumerate(args) if is_float(x))
    total = scalar(f)
    if moving:
        yield "gradient", tg.grad(total, moving)
        yield "value and gradient", tg.value_and_grad(total, moving)
        yield "derivative", lambda *xs: pushed(total, moving, xs)
        if sum(np.size(args[k]) for k in moving) < 15:
            yield "Hessian", tg.hessian(total, moving)
    if np.ndim(args[0]) and len(args[0]):
        yield "map", tg.vmap(f, (0, *[None] * (len(args) - 1)))


def pushed(f: Callable[..., Any], moving: tuple[int, ...], args: tuple[Any, ...]) -> Any:
    def of_moving(*xs: Any) -> Any:
        given = dict(zip(moving, xs, strict=True))
        return f(*[given.get(k, x) for k, x in enumerate(args)])

    primals = tuple(args[k] for k in moving)
    return tg.jvp(of_moving, primals, tuple(x * 0.5 + 0.25 for x in primals))


def check(what: str, f: Callable[..., Any], args: tuple[Any, ...], choices: list[tuple[str, ...]]) -> None:
    try:
        expected = f(*args)
    except TypeError:  # NumPy does not negate booleans; what has no derivative says so
        return
    single = any(getattr(x, "dtype", None) in (np.float32, np.complex64) for x in args)
    tolerance = 2e-4 if single else 1e-8
    for passes in choices:
        compiled = jit(f, passes=passes)
        first = compiled(*args)
        difference = compare(expected, first, tolerance)
        if difference and chaotic(f, args, expected, single, tolerance):
            continue
        assert not difference, f"{what} with {passes}: {difference}"
        check_memory(compiled, first, args, what)


def compare(expected: Any, found: Any, tolerance: float) -> str:
    """Say in what two trees differ; nothing if they do not."""
    if tree.structure(expected) != tree.structure(found):
        return f"{tree.structure(found)} in place of {tree.structure(expected)}"
    for a, b in zip(tree.leaves(expected), tree.leaves(found), strict=True):
        if isinstance(b, np.ndarray) != isinstance(a, np.ndarray):
            return f"{type(b)} in place of {type(a)}"
        if np.shape(a) != np.shape(b) or np.result_type(a) != np.result_type(b):
            return f"{np.result_type(b)}{np.shape(b)} in place of {np.result_type(a)}{np.shape(a)}"
        scale = max(1.0, float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a))))
        if not np.allclose(b, a, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
            return f"{b} in place of {a}"
    return ""


def chaotic(f: Callable[..., Any], args: tuple[Any, ...], expected: Any, single: bool, tolerance: float) -> bool:
    """Tell whether a change of the arguments in their last digits changes as much: a branch, or a loss of digits."""
    random = np.random.default_rng(0)
    moved = [x * (1 + (1e-5 if single else 1e-11) * random.normal()) if is_float(x) else x for x in args]
    moved = [np.asarray(y, getattr(x, "dtype", None))[()] if is_float(x) else x for x, y in zip(args, moved, strict=True)]
    return bool(compare(expected, f(*moved), tolerance))


def check_memory(compiled: Callable[..., Any], first: Any, args: tuple[Any, ...], what: str) -> None:
    """Check that results are nobody else's memory: not of another result, an argument, or a later call."""
    arrays = [x for x in tree.leaves(first) if isinstance(x, np.ndarray)]
    copies = [x.copy() for x in arrays]
    compiled(*[x * 2 if is_float(x) else x for x in args])
    later = [x for x in tree.leaves(compiled(*args)) if isinstance(x, np.ndarray)]
    others = [x for x in (*later, *args) if isinstance(x, np.ndarray)]
    for k, x in enumerate(arrays):
        assert x.flags.writeable, f"{what}: a result is read-only"
        assert np.array_equal(x, copies[k], equal_nan=x.dtype.kind in "fc"), f"{what}: a later call changed a result"
        for y in (*arrays[k + 1 :], *others):
            assert not np.shares_memory(x, y), f"{what}: results share memory"


def test_large_arrays_compute_the_same_as_small_ones() -> None:
    """The thresholds as they are: many blocks on several threads."""
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        a, b = random.normal(size=(2, 300, 1000)).astype(dtype)
        row, column = random.normal(size=1000).astype(dtype), random.normal(size=(300, 1)).astype(dtype)

        def f(a: Any, b: Any, row: Any, column: Any) -> Any:
            y = np.tanh(a * b + row) * np.exp(-a * a) - column * np.sin(b)
            return np.mean(y) + np.max(np.where(y > 0, y, row))

        g = tg.value_and_grad(f, (0, 1, 2, 3))
        tg.testing.assert_trees_close(jit(g)(a, b, row, column), g(a, b, row, column), 2e-4 if dtype == np.float32 else 1e-10)
        tg.testing.assert_trees_close(jit(g)(a.T.copy().T, b, row, column), g(a, b, row, column), 2e-3, 1e-6)
