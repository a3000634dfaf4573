"""A traced value is of use only on the tape, and in the thread, that recorded it."""

import re
import threading
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.errors import LeakedVarError

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


def test_a_value_from_another_thread() -> None:
    errors: list[BaseException] = []

    def f(x: Any) -> Any:
        def elsewhere() -> None:
            try:
                np.sin(x)
            except LeakedVarError as error:
                errors.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return np.sin(x)

    assert tg.grad(f)(0.0) == 1.0
    assert len(errors) == 1 and "(or the thread) that recorded it" in str(errors[0])


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
