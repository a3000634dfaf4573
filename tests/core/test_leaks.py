"""A traced value is of use only on the tape, and in the thread, that recorded it."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import ConcretizationError, LeakedVarError

A = np.array([[0.5, -1.5, 2.0], [1.0, 3.0, -0.25]])


def test_a_value_that_outlives_its_transform() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(np.exp(x))
        return x.sum()

    tg.grad(f)(A)
    for use in (
        lambda: kept[0] + 1.0,
        lambda: 1.0 - kept[0],
        lambda: np.sin(kept[0]),
        lambda: kept[0].sum(),
        lambda: kept[0][0],
        lambda: kept[0] > 0,
        lambda: np.add(A, kept[0]),
        lambda: tg.grad(lambda x: (x * kept[0]).sum())(A),
        lambda: tg.grad(lambda x: (kept[0] * x).sum())(A),
        lambda: tg.grad(lambda x: kept[0])(A),
        lambda: tg.grad(lambda x: x.sum())(kept[0]),
        lambda: tg.grad(lambda x: (x.sum(), kept[0]), has_aux=True)(A),
        lambda: tg.vjp(lambda x: kept[0], A),
        lambda: tg.jvp(lambda x: x, (kept[0],), (A,)),
        lambda: np.stack([kept[0], A]),
    ):
        with pytest.raises(LeakedVarError) as caught:
            use()
        message = str(caught.value)
        assert "shape (2, 3) and dtype float64, made by 'exp'" in message
        assert re.search(r"was used at .*test_leaks\.py:\d+", message)
        assert "has_aux=True" in message and "tapegrad.stop_gradient(x)" in message
    assert np.array_equal(tg.grad(lambda x: x.sum())(A), np.ones_like(A))


LOOKS: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "int": int,
    "float": float,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
    "asarray": np.asarray,
    "list": lambda x: np.mean([x, x]),
    "nonzero": np.nonzero,
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "transform", [tg.grad, tg.jit, lambda f: lambda x: tg.vmap(f)(np.array([x, x]))], ids=["grad", "jit", "vmap"]
)
def test_a_value_that_outlives_its_transform_cannot_be_looked_at(transform: Any, look: str) -> None:
    """Not even by `bool` and `int`, which look at values under `grad`: of a batch it would be the first example."""
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2.0)
        return np.sum(x)

    transform(f)(1.0)
    with pytest.raises(LeakedVarError, match=r"made by 'multiply', was used at .*test_leaks\.py:\d+"):
        LOOKS[look](kept[0])


def in_another_thread(use: Callable[[Any], Any], x: Any) -> BaseException | None:
    """Return the error with which `use(x)` ends in a thread of its own."""
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as pool:
        return pool.submit(use, x).exception()


def second_line_of(use: Callable[..., Any]) -> str:
    """Return the place, as errors name it, of the second line of a function of this file."""
    code = use.__code__
    return f"{code.co_filename}:{code.co_firstlineno + 1}, in "


def test_a_value_from_another_thread_names_the_users_line_there() -> None:
    errors: list[BaseException | None] = []

    def through_numpy(x: Any) -> Any:
        return np.sin(x)

    def through_an_operator(x: Any) -> Any:
        return x + 1.0

    def under_a_transform_of_its_own(x: Any) -> Any:
        return tg.grad(lambda y: y * x[0])(1.0)

    uses = (through_numpy, through_an_operator, under_a_transform_of_its_own)

    def f(x: Any) -> Any:
        errors.extend(in_another_thread(use, x) for use in uses)
        return x.sum()

    assert np.array_equal(tg.grad(f)(A[0]), np.ones(3))
    for use, error in zip(uses, errors, strict=True):
        assert isinstance(error, LeakedVarError)
        assert f"was used at {second_line_of(use)}" in str(error) and "(or the thread) that recorded it" in str(error)


def test_a_thread_without_a_line_of_the_users_is_named() -> None:
    errors: list[BaseException | None] = []

    def f(x: Any) -> Any:
        errors.append(in_another_thread(np.sin, x))
        errors.append(in_another_thread(float, x))
        return x * 1.0

    assert tg.grad(f)(0.0) == 1.0
    leaked, lost = errors
    assert isinstance(leaked, LeakedVarError) and isinstance(lost, ConcretizationError)
    for error in (leaked, lost):
        assert re.search(r"an unknown place in the thread 'worker_0'", str(error))


def test_values_of_two_tapes_do_not_mix() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        return x * kept[0]

    assert tg.grad(f)(2.0) == 4.0
    with pytest.raises(LeakedVarError):
        tg.grad(f)(2.0)


def test_threads_have_tapes_of_their_own() -> None:
    results: dict[int, Any] = {}
    barrier = threading.Barrier(4)

    def work(k: int) -> None:
        def f(x: Any) -> Any:
            y = x * float(k)
            barrier.wait()
            return np.sum(y * y)

        results[k] = tg.grad(f)(np.array([1.0, 2.0]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {k: g.tolist() for k, g in results.items()} == {k: [2.0 * k * k, 4.0 * k * k] for k in range(4)}
