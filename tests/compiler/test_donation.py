"""Donated arguments: their memory is written to, nobody can use them any more, and results are right all the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import optim
from tapegrad.compiler.function import jit
from tapegrad.errors import TraceError


def address(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def step(w: Any, x: Any) -> Any:
    return w - 0.1 * (x @ w)


def test_the_result_has_the_memory_of_the_argument() -> None:
    compiled = jit(step, donate_argnames="w")
    x = np.eye(3)
    for _ in range(3):
        w = np.ones(3)
        before = address(w)
        y = compiled(w, x)
        assert address(y) == before
        np.testing.assert_allclose(y, 0.9)
        again = compiled(y, x)
        assert address(again) == before
        np.testing.assert_allclose(again, 0.81)


def test_a_donated_array_cannot_be_used() -> None:
    compiled = jit(step, donate_argnames="w")
    w = np.ones(3)
    compiled(w, np.eye(3))
    with pytest.raises(TypeError, match="donated to jit: use what the function returned"):
        w + 1.0
    with pytest.raises(TraceError, match="w was donated before; use what the function returned"):
        compiled(w, np.eye(3))
    assert "donated to jit" in repr(w)


def test_a_donated_array_that_nothing_came_of_is_gone_as_well() -> None:
    compiled = jit(lambda w, x: (x * 2.0, tnp.sum(w)), donate_argnames="w")
    w = np.ones(4)
    y, total = compiled(w, np.ones(3))
    np.testing.assert_array_equal(y, 2.0)
    assert total == 4.0
    with pytest.raises(TypeError, match="donated"):
        w * 2.0


def test_a_donated_array_that_is_returned_is_a_copy() -> None:
    compiled = jit(lambda w: (w, w * 2.0), donate_argnames="w")
    for _ in range(2):
        same, double = compiled(np.arange(3.0))
        np.testing.assert_array_equal(same, np.arange(3.0))
        np.testing.assert_array_equal(double, 2.0 * np.arange(3.0))
        assert not np.shares_memory(same, double)


def test_arguments_that_are_not_donated_are_left_alone() -> None:
    w, x = np.ones(3), np.eye(3)
    jit(step)(w, x)
    jit(step, donate_argnames="x")(w, x.copy())
    np.testing.assert_array_equal(w, 1.0)
    np.testing.assert_array_equal(x, np.eye(3))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: np.repeat(x, 2, 1)[:, ::2], lambda x: x[::-1]])
def test_any_layout_can_be_donated(layout: Any) -> None:
    def f(w: Any) -> Any:
        return w * 2.0 + w[:1]

    x = np.arange(12.0).reshape(3, 4)
    compiled = jit(f, donate_argnames="w")
    for _ in range(2):
        w = layout(x.copy())
        np.testing.assert_array_equal(compiled(w), f(layout(x)))
        with pytest.raises(TypeError, match="donated"):
            w + 1.0
        np.testing.assert_array_equal(compiled(x.copy()), f(x))


def test_numbers_and_arrays_of_rank_0_can_be_donated() -> None:
    compiled = jit(lambda w, x: w * x, donate_argnames="w")
    for w in (2.0, np.float32(2.0), np.array(2.0)):
        for _ in range(2):
            np.testing.assert_array_equal(compiled(w.copy() if isinstance(w, np.ndarray) else w, np.ones(2)), 2.0)


def test_donated_memory_that_is_shared_is_refused() -> None:
    compiled = jit(lambda w, x: w + x, donate_argnames="w")
    w = np.ones(4)
    for x in (w, w[:], w[::-1]):
        with pytest.raises(ValueError, match=r"w is donated, but shares memory with x: .*Copy one of them"):
            compiled(w, x)
    with pytest.raises(ValueError, match=r"p\[0\] is donated, but shares memory with p\[1\]"):
        jit(lambda p: [p[0] + p[1]], donate_argnames="p")([w, w])
    np.testing.assert_array_equal(w, 1.0)
    halves = np.ones(8)
    np.testing.assert_array_equal(compiled(halves[:4], halves[4:]), 2.0)  # of one array, but apart


def test_donated_memory_is_intact_when_the_careful_program_begins() -> None:
    def root(x: Any) -> Any:
        return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))

    def f(w: Any, x: Any) -> Any:
        return w * 2.0, tg.grad(root)(x), w + 1.0

    compiled = jit(f, donate_argnames="w")
    for x in ([1.0, 4.0, 9.0], [0.0, 4.0, 9.0], [1.0, 4.0, 9.0], [0.0, 1.0, 1.0]):
        w = np.arange(3.0)
        tg.testing.assert_trees_close(compiled(w.copy(), np.array(x)), f(w, np.array(x)))


def test_donated_memory_is_intact_when_the_body_of_a_loop_gives_up() -> None:
    def root(x: Any) -> Any:
        return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))

    def f(w: Any, x: Any) -> Any:
        def body(carry: Any, _: Any) -> Any:
            return carry * 0.5, tg.grad(root)(carry)

        return w * 2.0, tg.scan(body, x, None, length=3)

    compiled = jit(f, donate_argnames="w")
    for x in ([1.0, 4.0], [0.0, 4.0], [1.0, 2.0]):
        w = np.arange(3.0)
        tg.testing.assert_trees_close(compiled(w.copy(), np.array(x)), f(w, np.array(x)))


double: Any = tg.jit(lambda x: x * 2.0, donate_argnames="x")
LOOPS: dict[str, Callable[[Any], Any]] = {
    "scan": lambda x: tg.scan(lambda c, row: (double(c), row), x[0], x)[0],
    "scan over the argument": lambda x: tg.scan(lambda c, row: (c, double(row)), 0.0, x)[1],
    "scan that does not run": lambda x: tg.scan(lambda c, _: (double(c), None), x, None, length=0)[0],
    "map": lambda x: tg.map(double, x),
    "fori_loop": lambda x: tg.fori_loop(0, 3, lambda i, c: double(c), x),
    "while_loop": lambda x: tg.while_loop(lambda c: c[0, 0] < 8.0, double, x),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_donates_does_not_use_up_what_the_loop_was_called_with(loop: str) -> None:
    x = np.ones((3, 2))
    turns = {"scan over the argument": 1, "map": 1, "scan that does not run": 0}.get(loop, 3)
    out = LOOPS[loop](x)
    np.testing.assert_array_equal(out, np.full(out.shape, 2.0**turns))
    np.testing.assert_array_equal(x, np.ones((3, 2)))
    assert out.flags.writeable and not np.may_share_memory(out, x)


def test_a_loop_returns_no_view_of_what_it_runs_over() -> None:
    x = np.arange(6.0).reshape(3, 2)
    last, _ = tg.scan(lambda c, row: (row, None), x[0], x)
    last[...] = 7.0
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(3, 2))


def test_a_training_step_in_place() -> None:
    random = np.random.default_rng(0)
    params = {"weight": random.normal(size=(4, 3)), "bias": np.zeros(3)}
    x, targets = random.normal(size=(2, 8, 4)), random.normal(size=(8, 3))
    optimizer = optim.adam(1e-2)

    def loss(params: Any, x: Any) -> Any:
        return tnp.mean(tnp.square(tnp.tanh(x @ params["weight"] + params["bias"]) - targets))

    def train(params: Any, state: Any, x: Any) -> Any:
        value, gradient = tg.value_and_grad(loss)(params, x)
        updates, state = optimizer.update(gradient, state, params)
        return optim.apply_updates(params, updates), state, value

    compiled = jit(train, donate_argnames=("params", "state"))
    plain, in_place = (params, optimizer.init(params)), (tg.tree.map(np.copy, params), optimizer.init(params))
    addresses = {address(x) for x in tg.tree.leaves(in_place) if isinstance(x, np.ndarray) and x.ndim}
    for k in range(4):
        *plain, value = train(*plain, x[k % 2])
        *in_place, same = compiled(*in_place, x[k % 2])
        tg.testing.assert_trees_close((in_place, same), (plain, value), 1e-10, 1e-12)
        reused = {address(x) for x in tg.tree.leaves(in_place) if isinstance(x, np.ndarray) and x.ndim}
        assert reused == addresses


def test_names_are_checked() -> None:
    with pytest.raises(ValueError, match="donate_argnames names 'v', but step has the parameters w, x"):
        jit(step, donate_argnames="v")


def test_an_error_halfway_leaves_nothing_that_looks_intact() -> None:
    def f(w: Any, a: Any) -> Any:
        return w * 2.0, np.linalg.cholesky(a)

    compiled = jit(f, donate_argnames="w")
    compiled(np.ones(3), np.eye(2))
    w = np.ones(3)
    with pytest.raises(np.linalg.LinAlgError):
        compiled(w, -np.eye(2))
    try:
        np.testing.assert_array_equal(w + 0.0, 1.0)
    except TypeError as error:
        assert "donated" in str(error)
    np.testing.assert_array_equal(compiled(np.ones(3), np.eye(2))[0], 2.0)


def test_an_interrupt_halfway_leaves_nothing_that_looks_intact() -> None:
    interrupted = False

    @tg.primitive
    def wait(x: Any) -> Any:
        if interrupted:
            raise KeyboardInterrupt
        return x * 1.0

    compiled = jit(lambda w, v, x: (w * 2.0, v + wait(x)), donate_argnames=("w", "v"))
    w, v, x = np.ones(3), np.ones(3), np.ones(3)
    compiled(w.copy(), v.copy(), x)
    interrupted = True
    with pytest.raises(KeyboardInterrupt):
        compiled(w, v, x)
    for donated in (w, v):
        with pytest.raises(TypeError, match="donated"):
            donated + 1.0
    interrupted = False
    np.testing.assert_array_equal(compiled(np.ones(3), np.ones(3), x)[1], 2.0)


def test_memory_of_what_is_no_array_is_not_donated_if_it_is_shared() -> None:
    """Two views of a buffer of bytes, or made with strides, know nothing of each other."""
    compiled = jit(lambda w, x: w + x, donate_argnames="w")
    buffer, whole = bytearray(64), np.zeros(8)
    strided = np.lib.stride_tricks.as_strided
    for w, x in (
        (np.frombuffer(buffer), np.frombuffer(buffer)),
        (np.frombuffer(buffer)[:4], np.frombuffer(buffer)[:4]),
        (strided(whole, (4,), (8,)), whole[:4]),
        (strided(whole, (4,), (8,)), strided(whole, (4,), (8,))),
    ):
        with pytest.raises(ValueError, match="w is donated, but shares memory with x"):
            compiled(w, x)
    np.testing.assert_array_equal(compiled(np.frombuffer(buffer)[:4], np.frombuffer(buffer)[4:]), 0.0)


def test_a_donated_array_of_another_class_cannot_be_used() -> None:
    class Own(np.ndarray):
        """Computes as any array does."""

    compiled = jit(lambda w: w + 1.0, donate_argnames="w")
    for _ in range(2):
        w = np.ones((2, 3)).view(Own)
        np.testing.assert_array_equal(compiled(w), 2.0)
        with pytest.raises(TypeError, match="donated"):
            w + 1.0
        with pytest.raises(TraceError, match="w was donated before"):
            compiled(w)
