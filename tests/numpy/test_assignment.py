"""Assignment to arrays that were made while the tape records."""

import copy
import gc
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core.node import CURRENT
from tapegrad.errors import ConcretizationError, LeakedVarError
from tapegrad.testing import check_grads
from tapegrad.typing import Array

RNG = np.random.default_rng(0)
V: Array = RNG.normal(size=5)

# Assignment. Each program is NumPy's: with `np` in place of `tnp` it must give the same values.


def fills(np_: Any, x: Any) -> Any:
    out = np_.zeros(5)
    for i in range(5):
        out[i] = x[i] * x[i]
    return out


def recurs(np_: Any, x: Any) -> Any:
    out = np_.zeros(6)
    out[0] = 1.0
    for i in range(5):
        out[i + 1] = out[i] * x[i] + x[i]
    return out


def accumulates(np_: Any, x: Any) -> Any:
    out = np_.ones(3)
    for i in range(5):
        out[i % 3] += x[i] * x[(i + 1) % 5]
    out *= x[:3]
    out[1:] += out[:-1] * 2
    out -= 1
    out /= 3.0
    out **= 2
    return out


def writes_through_views(np_: Any, x: Any) -> Any:
    out = np_.zeros((2, 3))
    row = out[0]
    row[1] = x[0]
    row += x[1]
    column = out[:, 1]
    column *= x[2]
    out[1] = x[:3]
    flat = out.reshape(-1)
    flat[4] = x[3] * x[4]
    out.T[2, 1] = x[0] * x[1]
    part = row[1:]
    part[[0, 1]] = x[3:]
    return row.sum() * out * 2 + (column * column).sum() * flat[4] + part.sum()


def reads_views_after_writes(np_: Any, x: Any) -> Any:
    out = np_.ones(4)
    head, backwards, same = out[:2], out[::-1], out
    out[0] = x[0]
    first = head.sum()
    out[...] = x[:4] * 2
    return first + head[1] * backwards + same


def assigns_in_chains(np_: Any, x: Any) -> Any:
    out = np_.ones((2, 3))
    out[0][1] = x[0]
    out[1][:2] = x[1] * x[2]
    for row in out:
        row *= x[:3]
    return out


def assigns_by_arrays(np_: Any, x: Any) -> Any:
    out = np_.copy(x)
    out[out > 0] = x[0] ** 2
    out[[0, 1, 0]] = x[2:5]
    out[...] = out[::-1]
    return out * out


def copies_are_apart(np_: Any, x: Any) -> Any:
    out = np_.array([x[0], x[1], 1.0])
    flat, other, third = out.flatten(), np_.copy(out), out.astype(float)
    out[0] = x[2]
    other[1] = x[3]
    return np.concatenate([out, flat, other, third])


def uses_old_values(np_: Any, x: Any) -> Any:
    out = np_.zeros_like(x)
    out[0] = x[0]
    squares = out * out
    out[0] = x[1]
    return squares + out


def calls_functions_in_place(np_: Any, x: Any) -> Any:
    out = np_.full((3, 3), x[0])
    np.fill_diagonal(out, x[1:4])
    np.copyto(out[0], x[:3], where=[True, False, True])
    np.put(out, [1, 7], x[3] * x[4])
    np.place(out, np.eye(3)[::-1] > 0, x[:2])
    np.putmask(out, np.tri(3) > 0, out * 2)
    np.put_along_axis(out, np.array([[0], [2], [1]]), x[:3, None], axis=1)
    np.add.at(out, ([0, 0, 2], 1), x[2])
    np.negative.at(out, (2, 2))
    return out


def calls_methods_in_place(np_: Any, x: Any) -> Any:
    out = np_.zeros((2, 5))
    out[0].fill(x[0])
    out[1] = x
    out[1].sort()
    out.put([1, 8], x[1] * x[2])
    out.flat[2] = x[3] ** 2
    kept = copy.copy(out)
    out[0] = 0.0
    return np.concatenate([out, kept, copy.deepcopy(out) * x])


def stays_complex(np_: Any, x: Any) -> Any:
    out = np_.zeros(2, complex)
    out[0] = x[0] + 1j * x[1]
    real = out.real
    out[1] = out[0] * out[0]
    return real + out.imag


PROGRAMS = [
    fills,
    recurs,
    accumulates,
    writes_through_views,
    reads_views_after_writes,
    assigns_in_chains,
    assigns_by_arrays,
    copies_are_apart,
    uses_old_values,
    calls_functions_in_place,
    calls_methods_in_place,
    stays_complex,
]

programs = pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)


@programs
def test_programs_that_write_give_numpys_values(program: Callable[[Any, Any], Any]) -> None:
    expected = program(np, V)
    np.testing.assert_allclose(program(tnp, V), expected, rtol=1e-14)
    np.testing.assert_allclose(tg.vjp(lambda x: program(tnp, x), V)[0], expected, rtol=1e-14)


@programs
def test_programs_that_write_have_derivatives_of_every_order(program: Callable[[Any, Any], Any]) -> None:
    check_grads(lambda x: program(tnp, x), (V,), order=2)


@programs
def test_programs_that_write_can_run_under_checkpoint_and_on_a_tape_to_look_at(program: Callable[[Any, Any], Any]) -> None:
    def f(x: Any) -> Any:
        return (program(tnp, x) ** 2).sum()

    expected = tg.grad(f)(V)
    np.testing.assert_allclose(tg.grad(tg.checkpoint(f))(V), expected, rtol=1e-13)
    with tg.Tape() as tape:
        x = tape.root(V)
        c = tg.grad(f)(x)
        np.testing.assert_allclose(tape.nodes[tape.index_of(c) or 0].value, expected, rtol=1e-13)
    assert "put" in str(tape) or "where" in str(tape)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p is not stays_complex], ids=lambda f: f.__name__)
def test_programs_that_write_can_be_batched(program: Callable[[Any, Any], Any]) -> None:
    batch = np.stack([V, 2 * V, -V])
    expected = np.stack([program(np, x) for x in batch])
    np.testing.assert_allclose(tg.vmap(lambda x: program(tnp, x))(batch), expected, rtol=1e-13)


def test_the_nodes_of_a_tape_to_look_at_keep_their_own_contents() -> None:
    with tg.Tape() as tape:
        x = tape.root(np.array([1.0, 2.0]))
        out: Any = tnp.zeros(2)
        out[0] = x[1]
        out[1] = x[0]
    contents = [node.value.tolist() for node in tape.nodes if node.primitive.name in ("full", "put")]
    assert contents == [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0]]


def test_filling_an_array_does_not_keep_a_copy_for_every_write() -> None:
    length = 2000

    def f(x: Array) -> Any:
        out = tnp.zeros(length)
        for i in range(1, length):
            out[i] = out[i - 1] + x[i]
        tape: Any = CURRENT.get()
        assert len({id(step[4]) for step in tape.steps if np.size(step[4]) == length}) < 5
        return out[-1]

    np.testing.assert_array_equal(tg.grad(f)(np.ones(length)), [0.0] + [1.0] * (length - 1))


def test_arrays_and_their_views_are_gone_without_the_garbage_collector() -> None:
    left: list[Any] = []

    def f(x: Any) -> Any:
        out = tnp.zeros((2, 3))
        row = out[0]
        row[:] = x
        out[1] = row.reshape(3, 1)[:, 0]
        left.extend([ref(out), ref(row)])
        return out.sum()

    gc.disable()
    try:
        tg.grad(f)(np.ones(3))
        assert [x() for x in left] == [None, None]
    finally:
        gc.enable()


def test_float32_arrays_stay_float32() -> None:
    def f(x: Array) -> Any:
        out = tnp.zeros(2, np.float32)
        out[0] = x[0]
        out += x
        return out.sum()

    value, gradient = tg.value_and_grad(f)(np.ones(2, np.float32))
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, [2.0, 1.0])
    assert tg.grad(f)(np.ones(2)).dtype == np.float64


def test_outside_transforms_and_for_integers_arrays_are_numpys_own() -> None:
    assert type(tnp.zeros(2)) is np.ndarray
    tg.grad(lambda x: x * int(type(tnp.zeros(2, int)) is np.ndarray and type(tnp.array([True])) is np.ndarray))(1.0)


# What cannot be written


def write(x: Any) -> None:
    x[0] = 1.0


def write_outside_vmap(x: Any) -> None:
    out: Any = tnp.zeros(2)
    tg.vmap(lambda t: out.__setitem__(0, t) or t)(x)


def write_outside_checkpoint(x: Any) -> None:
    out: Any = tnp.zeros(2)
    tg.checkpoint(lambda t: out.__setitem__(0, t[0]) or t)(x)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (write, TypeError, r"tapegrad\.numpy\.copy.*at\(x\)"),
        (lambda x: write(x * 2), TypeError, r"tapegrad\.numpy\.copy.*at\(x\)"),
        (lambda x: np.add.at(x, 0, 1.0), TypeError, r"tapegrad\.numpy\.copy"),
        (lambda x: np.copyto(np.zeros(2), x), TypeError, r"tapegrad\.numpy\.zeros"),
        (lambda x: np.fill_diagonal(np.zeros((2, 2)), x), TypeError, r"tapegrad\.numpy\.zeros"),
        (lambda x: tnp.zeros(2).__setitem__(0, x), ValueError, "sequence"),
        (lambda x: tnp.zeros(2).__setitem__(5, x[0]), IndexError, "out of bounds"),
        (lambda x: tnp.zeros(2).__setitem__(slice(None), np.ones(3)), ValueError, "broadcast"),
        (lambda x: tnp.zeros(2).__setitem__(0, "a"), TypeError, "str"),
        (lambda x: tnp.zeros(2).__iadd__(np.ones((3, 2))), ValueError, "broadcast"),
        (lambda x: tnp.zeros(2).__iadd__(1j * x), TypeError, "same_kind"),
        (lambda x: np.diagonal(tnp.ones((2, 2))).__setitem__(0, x[0]), ValueError, "read-only"),
        (lambda x: np.broadcast_to(tnp.ones(2), (2, 2)).__setitem__(0, x[0]), ValueError, "read-only"),
        (lambda x: tnp.zeros(2, complex).real.__setitem__(0, x[0]), TypeError, "real or imaginary part"),
        (write_outside_vmap, TypeError, "made outside"),
        (write_outside_checkpoint, TypeError, "made outside"),
    ],
)
def test_what_cannot_be_written_says_why(wrong: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    def f(x: Any) -> Any:
        wrong(x)
        return x.sum()

    with pytest.raises(error, match=words):
        tg.grad(f)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(tg.grad(lambda x: x.sum())(np.ones(2)), 1.0)


def test_assignment_into_a_plain_array_names_zeros() -> None:
    def f(x: Any) -> Any:
        out = np.zeros(2)
        out[0] = x[0]
        return x.sum()

    with pytest.raises(ConcretizationError, match=r"tapegrad\.numpy\.zeros"):
        tg.grad(f)(np.ones(2))


def test_a_failed_assignment_records_nothing() -> None:
    with tg.Tape() as tape:
        x = tape.root(np.ones(2))
        out: Any = tnp.zeros(2)
        before = len(tape)
        with pytest.raises(ValueError, match="broadcast"):
            out[:] = np.ones(3)
        assert len(tape) == before
        out[0] = x[0]
        np.testing.assert_array_equal(out.value, [1.0, 0.0])


def test_an_array_that_outlives_its_transform_cannot_be_written() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(tnp.zeros(2))
        return x

    tg.grad(f)(1.0)
    with pytest.raises(LeakedVarError):
        kept[0][0] = 1.0
