"""Compiled loops compute what loops compute eagerly: values and derivatives, whatever they carry, read and stack."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import tree
from tapegrad.compiler.function import jit
from tapegrad.compiler.loops import layout, share, split
from tapegrad.compiler.program import PASSES
from tests.compiler.tracing import PROGRAMS, agrees, small_blocks

random = np.random.default_rng(0)
W = random.normal(size=(3, 3)) / 2
XS = random.normal(size=(6, 4, 3)) / 2
H = random.normal(size=(4, 3)) / 2


def recurrence(w: Any, xs: Any, h: Any) -> Any:
    last, _ = tg.scan(lambda h, x: (tnp.tanh(h @ w + x), None), h, xs)
    return tnp.sum(last * last)


def backwards(w: Any, xs: Any, h: Any) -> Any:
    last, ys = tg.scan(lambda h, x: (tnp.tanh(h @ w + x), h * x), h, xs, reverse=True)
    return tnp.sum(last * ys[0]) + tnp.sum(ys[-1] ** 2)


def with_a_head(w: Any, xs: Any, h: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        h = tnp.sin(x @ w + h)
        return h, {"y": tnp.sum(tnp.exp(h @ w), axis=-1), "h": h}

    last, ys = tg.scan(body, h, xs)
    return tnp.sum(last) + tnp.sum(ys["y"] * ys["y"]) + tnp.sum(ys["h"] ** 3)


def gates(w: Any, xs: Any, h: Any) -> Any:
    def body(state: Any, x: Any) -> Any:
        h, c = state
        z = tnp.concatenate([h, x], axis=-1) @ tnp.concatenate([w, w * w], axis=0)
        c = c / (1.0 + tnp.exp(-z)) + tnp.tanh(z)
        h = tnp.tanh(c) * z[:, :1]
        return (h, c), (h, tnp.mean(c))

    (h, c), (hs, means) = tg.scan(body, (h, 0.0 * h), xs)
    return tnp.sum(h * c) + tnp.sum(hs[2:]) + tnp.sum(means * means)


def integrator(w: Any, xs: Any, h: Any) -> Any:
    def slope(y: Any) -> Any:
        return tnp.tanh(y @ w)

    def step(i: Any, y: Any) -> Any:
        a = slope(y)
        b = slope(y + 0.05 * a)
        c = slope(y + 0.05 * b)
        return y + 0.1 / 6 * (a + 2 * b + 2 * c + slope(y + 0.1 * c)) * (i + 1)

    return tnp.sum(tg.fori_loop(0, 7, step, h) ** 2)


def rotated(w: Any, xs: Any, h: Any) -> Any:
    """Carried values that change places, one that stays, one that is a view of another, and one that is a constant."""

    def body(state: Any, x: Any) -> Any:
        a, b, c, d, e = state
        return (b, tnp.sin(a @ w + c + x), c, a[::-1], np.ones_like(H, shape=np.shape(x), dtype=x.dtype)), (a * e, d)

    state, (ys, zs) = tg.scan(body, (h, h + 1.0, 0.3 * h, h, h), xs)
    return sum(tnp.sum(x * x) for x in state) + tnp.sum(ys * ys) + tnp.sum(zs * ys)


def numbers(w: Any, xs: Any, h: Any) -> Any:
    """Carried numbers, among them Python's and integers."""

    def body(state: Any, x: Any) -> Any:
        total, count, last = state
        total = total * 0.9 + tnp.sum(x * w[0]) * last
        return (total, count + 1, tnp.sin(total)), (total, count, count % 2 == 0)

    (total, count, last), (ys, counts, even) = tg.scan(body, (0.5, 0, h[0, 0]), xs)
    return total * last + count + tnp.sum(ys * counts) + tnp.sum(tnp.where(even, ys, 0.0))


def mapped(w: Any, xs: Any, h: Any) -> Any:
    out = tg.map(lambda x: (tnp.tanh(x @ w) * h, tnp.max(x), 2.0), xs)
    return tnp.sum(out[0]) + tnp.sum(out[1] ** 2) + tnp.sum(out[2])


def nested(w: Any, xs: Any, h: Any) -> Any:
    def inner(h: Any, row: Any) -> Any:
        h = tnp.tanh(h @ w + row)
        return h, tnp.sum(h)

    def outer(h: Any, x: Any) -> Any:
        h, ys = tg.scan(inner, h, tnp.stack([x, x * x, x + h]))
        return h * 0.9, (ys, h)

    h, (ys, hs) = tg.scan(outer, h, xs)
    return tnp.sum(h) + tnp.sum(ys * ys) + tnp.sum(hs[1] * hs[2])


def branching(w: Any, xs: Any, h: Any) -> Any:
    def body(h: Any, x: Any) -> Any:
        h = tg.cond(x[0, 0] > 0, lambda h: tnp.sin(h @ w), lambda h: h + x, h)
        return h, tnp.sum(h)

    h, ys = tg.scan(body, h, xs)
    return tnp.sum(h * h) + tnp.sum(ys * ys)


def remembered(w: Any, xs: Any, h: Any) -> Any:
    body = tg.checkpoint(lambda h, x: (tnp.tanh(h @ w + x) + tnp.sin(h @ w), tnp.sum(h)))
    h, ys = tg.scan(body, h, xs)
    return tnp.sum(h * h) + tnp.sum(ys * ys)


def vectors(w: Any, xs: Any, h: Any) -> Any:
    """Products of a matrix and a vector, the gradient of which is a sum of outer products."""
    last, ys = tg.scan(lambda v, x: (tnp.tanh(w @ v + x[0]), v @ w @ v), h[0], xs)
    return tnp.sum(last) + tnp.sum(ys * ys)


def sums(w: Any, xs: Any, h: Any) -> Any:
    """Carried values that are only added to, or subtracted from."""

    def body(state: Any, x: Any) -> Any:
        a, b, c, d, h = state
        h = tnp.sin(h + x)
        return (a + h.T @ x, b - h, h + c, d + tnp.sum(x), h), None

    a, b, c, d, h = tg.scan(body, (w, h, h, h[0, 0], h), xs)[0]
    return tnp.sum(a * w) + tnp.sum(b * c) * d + tnp.sum(h)


def few(w: Any, xs: Any, h: Any) -> Any:
    last, ys = tg.scan(lambda h, x: (tnp.tanh(h @ w + x), h * x), h, xs[:2])
    return tnp.sum(last * last) + tnp.sum(ys)


def none_at_all(w: Any, xs: Any, h: Any) -> Any:
    last, ys = tg.scan(lambda h, x: (tnp.tanh(h @ w + x), h * x), h, xs[:0])
    return tnp.sum(last * w[0]) + tnp.sum(ys)


def linked(w: Any, xs: Any, h: Any) -> Any:
    """A loop over what another one has stacked."""
    _, ys = tg.scan(lambda h, x: (tnp.tanh(h @ w + x), h), h, xs)
    last, zs = tg.scan(lambda h, y: (tnp.sin(h @ w + y), h * y), h, ys, reverse=True)
    return tnp.sum(last) + tnp.sum(zs * zs)


FIRST = (recurrence, backwards, with_a_head, gates, integrator, rotated, numbers, mapped)
SECOND = (nested, branching, remembered, vectors, sums, few, none_at_all, linked)
LOOPS = {f.__name__: f for f in (*FIRST, *SECOND)}

TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "value": lambda f: f,
    "gradient": lambda f: tg.value_and_grad(f, (0, 1, 2)),
    "gradient of one": lambda f: tg.grad(f),
    "jvp": lambda f: lambda w, xs, h: tg.jvp(f, (w, xs, h), (w * w, -xs, h + 1.0)),
    "second order": lambda f: tg.grad(lambda w, xs, h: tnp.sum(tg.grad(f)(w, xs, h) * w) + tnp.sum(tg.grad(f, 2)(w, xs, h))),
    "forward over reverse": lambda f: lambda w, xs, h: tg.jvp(lambda w: tg.grad(f, (0, 2))(w, xs, h), (w,), (w + 1.0,)),
    "batch": lambda f: lambda w, xs, h: tg.vmap(f, (0, None, 0))(tnp.stack([w, -w]), xs, tnp.stack([h, h * h])),
    "batch of gradients": lambda f: lambda w, xs, h: tg.vmap(tg.grad(f, (0, 1)), (None, 0, None))(w, tnp.stack([xs, -xs]), h),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", LOOPS)
def test_compiled_loops_compute_what_loops_compute(name: str, transform: str) -> None:
    agrees(TRANSFORMS[transform](LOOPS[name]), W, XS, H, rtol=1e-9)


@pytest.mark.parametrize("name", LOOPS)
def test_whatever_pass_is_left_out(name: str) -> None:
    f = tg.value_and_grad(LOOPS[name], (0, 1, 2))
    for left_out in PASSES:
        agrees(f, W, XS, H, rtol=1e-9, passes=[one for one in PASSES if one != left_out])


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("name", ["recurrence", "sums", "vectors", "rotated", "gates", "few"])
def test_of_other_dtypes(name: str, dtype: str) -> None:
    f = LOOPS[name]
    args = [x.astype(dtype) * (1.0 if dtype == "float32" else np.exp(0.3j)) for x in (W, XS, H)]
    args = [x.astype(dtype) for x in args]
    agrees(tg.value_and_grad(lambda *args: tnp.real(f(*args)), (0, 1, 2)), *args, rtol=1e-4 if dtype == "float32" else 1e-9)


def test_while_loops() -> None:
    def newton(a: Any) -> Any:
        return tg.while_loop(lambda s: tnp.max(tnp.abs(s * s - a)) > 1e-13, lambda s: 0.5 * (s + a / s), a + 1.0)

    def several(a: Any) -> Any:
        def body(state: Any) -> Any:
            n, x, y, z = state
            return n + 1, y, tnp.sin(x) + a, z + tnp.sum(y)

        return tg.while_loop(lambda state: (state[0] < 5) & (tnp.sum(state[1]) < 100.0), body, (0, a, a * a, 0.0))

    def never(a: Any) -> Any:
        return tg.while_loop(lambda x: tnp.sum(x) > 1e9, lambda x: x * a, a)

    def always_true_once(a: Any) -> Any:
        return tg.while_loop(lambda s: s[1], lambda s: (s[0] * 2.0, False), (a, True))

    a = np.array([1.0, 2.0, 3.0])
    for f in (newton, several, never, always_true_once):
        agrees(f, a)
        agrees(lambda a, f=f: tg.jvp(f, (a,), (a * a,)) if f is not always_true_once else f(a), a, rtol=1e-7)
        agrees(tg.vmap(f), np.stack([a, 2.0 * a]))
    with small_blocks():
        agrees(newton, np.linspace(1.0, 2.0, 100))
        agrees(several, np.linspace(1.0, 2.0, 100))


def test_large_values_are_computed_in_blocks_in_loops_too() -> None:
    with small_blocks():
        for f in (recurrence, gates, rotated, sums):
            agrees(tg.value_and_grad(f, (0, 1, 2)), W, np.repeat(XS, 10, 1), np.repeat(H, 10, 0), rtol=1e-9)


@pytest.mark.parametrize("passes", PROGRAMS, ids="-".join)
def test_what_blocks_add_up_is_stacked_and_carried(passes: tuple[str, ...]) -> None:
    rows = np.random.default_rng(1).normal(size=(3, 6, 4))

    def wave(x: Any) -> Any:
        return tnp.tanh(x) * x

    with small_blocks():
        agrees(lambda xs: tg.map(lambda x: tnp.sum(wave(x), axis=0), xs), rows, passes=passes)
        agrees(lambda xs: tg.map(lambda x: tnp.sum(wave(x), keepdims=True), xs), rows, passes=passes)
        agrees(lambda xs, c: tg.scan(lambda c, x: (c + 1.0, tnp.max(wave(x * c), axis=0)), c, xs), rows, 0.5, passes=passes)
        agrees(lambda xs, c: tg.scan(lambda c, x: (tnp.max(wave(x * c), axis=0), c), c, xs), rows, rows[0, 0], passes=passes)
        agrees(
            lambda x, c: tg.fori_loop(0, 3, lambda i, c: tnp.sum(wave(x * c), axis=0), c), rows[0], rows[0, 0], passes=passes
        )


def test_what_loops_return_is_nobody_elses() -> None:
    def f(h: Any, xs: Any) -> Any:
        (a, b), (ys, zs) = tg.scan(lambda s, x: ((tnp.sin(s[0] + x), s[1]), (s[0], x * 2.0)), (h, h), xs)
        last, states = tg.scan(lambda s, x: (s * x, s * x), h, xs)
        return a, b, ys, zs, last, states, tg.fori_loop(0, 5, lambda i, x: x * 2.0, h), ys

    compiled = jit(f)
    first = compiled(H, XS)
    copies = tree.map(np.copy, first)
    again = compiled(H + 1.0, XS)
    arrays = [*tree.leaves(first), *tree.leaves(again), H, XS]
    for k, x in enumerate(arrays):
        assert not any(np.shares_memory(x, y) for y in arrays[k + 1 :])
    tg.testing.assert_trees_close(first, copies, 0.0, 0.0)
    tg.testing.assert_trees_close(again, f(H + 1.0, XS))


def test_what_is_the_same_in_all_turns_is_returned_as_an_array_that_can_be_written_to() -> None:
    def f(h: Any, x: Any) -> Any:
        return tg.scan(lambda h, _: (h * 0.5, x * x), h, None, length=8)[1]

    for g in (f, tg.vmap(f, (0, None)), lambda h, x: tnp.transpose(f(h, x))):
        found, expected = jit(g)(H, XS[0]), g(H, XS[0])
        tg.testing.assert_trees_close(found, expected)
        found[0] = 1.0
        tg.testing.assert_trees_close(found[1:], expected[1:])


def test_a_donated_carry() -> None:
    def f(h: Any, xs: Any) -> Any:
        return tg.scan(lambda h, x: (tnp.sin(h + x), None), h, xs)[0]

    h = H.copy()
    tg.testing.assert_trees_close(jit(f, donate_argnames="h")(h, XS), f(H, XS))
    assert h.dtype != H.dtype


def test_a_loop_that_meets_nan_gives_up_and_is_computed_with_care() -> None:
    def norm(x: Any) -> Any:
        return tnp.sum(tnp.where(x > 0, tnp.sqrt(x), 0.0))

    def inside(h: Any, xs: Any) -> Any:
        return tg.scan(lambda h, x: (h * 0.5, tg.grad(norm)(h) + x[0]), h, xs)

    def outside(h: Any, xs: Any) -> Any:
        return tg.grad(lambda h: tnp.sum(tg.scan(lambda h, x: (h * 0.5, tnp.where(h > 0, tnp.sqrt(h), x)), h, xs)[1]))(h)

    for f in (inside, outside, tg.vmap(inside, (0, None)), lambda h, xs: tg.jvp(lambda h: inside(h, xs), (h,), (h,))):
        compiled = jit(f)
        for h in (np.abs(H), H - H, np.abs(H) + 1.0):
            tg.testing.assert_trees_close(compiled(h, XS[:, 0]), f(h, XS[:, 0]))


@pytest.mark.parametrize("name", LOOPS)
def test_wherever_the_limits_are(name: str) -> None:
    """Large stacks are allocated at each call, long loops make views as they go, much is not kept, nothing taken out."""
    f = tg.value_and_grad(LOOPS[name], (0, 1, 2))
    for where, limit in ((layout, "LARGE"), (layout, "PREPARED"), (share, "KEPT"), (split, "MANY"), (split, "SMALL")):
        with patch.object(where, limit, 0):
            agrees(f, W, XS, H, rtol=1e-9)


def test_several_threads_at_a_time() -> None:
    f = tg.value_and_grad(gates, (0, 1, 2))
    compiled = jit(f)
    given = [(W * k, XS + k, H - k) for k in np.linspace(-1.0, 1.0, 16)]
    expected = [f(*args) for args in given]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(lambda args: compiled(*args), given * 4), expected * 4, strict=True):
            tg.testing.assert_trees_close(found, wanted, 1e-9, 1e-9)


def test_an_interrupted_loop_runs_again() -> None:
    trouble: list[BaseException] = []

    @tg.primitive
    def careless(x: Any) -> Any:
        if trouble:
            raise trouble.pop()
        return x * 2.0

    def f(h: Any) -> Any:
        return tg.scan(lambda h, _: (tnp.sin(careless(h)), h), h, None, length=5)

    compiled = jit(f)
    tg.testing.assert_trees_close(compiled(H), f(H))
    for error in (KeyboardInterrupt(), ValueError("no")):
        trouble.append(error)
        with pytest.raises(type(error)):
            compiled(H + 1.0)
        tg.testing.assert_trees_close(compiled(H), f(H))


def test_arithmetic_on_numbers() -> None:
    def f(x: Any, y: Any) -> Any:
        z = tnp.sum(y)
        compared = (tnp.less(x, z), tnp.less_equal(z, 2.0), tnp.greater(z, x), tnp.greater_equal(x, 1.0))
        quotients = (tnp.divide(1.0, x), tnp.divide(x, z), tnp.divide(z, x), tnp.divide(z, 0.0))
        return (
            quotients,
            tnp.negative(z),
            tnp.subtract(x, z),
            tnp.subtract(2, z),
            3 * z,
            z + 1,
            tnp.multiply(x, z),
            z - -2.0,
            compared,
        )

    for number in (0.0, 2.0, np.nan, np.float64(0.0), np.float32(3.0), 0, 5, np.int64(7), 1e300):
        for dtype in (np.float32, np.float64, np.int64, np.int8):
            agrees(f, number, np.arange(3).astype(dtype), rtol=1e-6)


# What becomes of loops


def test_a_gradient_reads_what_the_loop_has_kept() -> None:
    shown = jit(tg.grad(recurrence)).lower(W, XS, H)
    assert shown.source.count("tanh_") == 2  # it is named, and called in one place
    assert shown.source.count("for x") == 2


def test_what_does_not_change_or_depend_on_others_is_not_in_the_loop() -> None:
    def f(w: Any, xs: Any, h: Any) -> Any:
        return tg.scan(lambda h, x: (h + tnp.exp(x) @ tnp.sin(w), tnp.cos(h)), h, xs)

    after = jit(f).lower(W, XS, H).after
    assert all(name in after for name in ("exp", "sin", "cos", "matmul"))
    assert "6 times: 1 operations" in after
    assert "loop" not in jit(lambda xs: tg.map(lambda x: tnp.exp(x) * x[0], xs)).lower(XS).after


def test_the_gradient_of_a_weight_is_one_product() -> None:
    after = jit(tg.grad(recurrence)).lower(W, XS, H).after
    assert after.count("matmul") == 1


def test_what_nobody_reads_is_not_carried() -> None:
    def f(h: Any, xs: Any) -> Any:
        (a, _, _), (ys, _) = tg.scan(lambda s, x: ((s[0] + x, s[1] * x, s[2] + s[1]), (s[0], tnp.sin(s[2]))), (h, h, h), xs)
        return a, ys

    assert "6 times: 1 operations" in jit(f).lower(H, XS).after


def test_buffers_of_loops_are_counted() -> None:
    def f(h: Any, xs: Any) -> Any:
        return tnp.sum(tg.scan(lambda h, x: (tnp.sin(h * x), h), h, xs)[1])

    compiled = jit(f)
    compiled(H, XS)
    assert compiled.cache_info().nbytes >= 7 * H.nbytes


def test_what_a_body_raises_is_raised_and_the_program_runs_again() -> None:
    def f(a: Any, xs: Any) -> Any:
        return tg.scan(lambda c, x: (np.linalg.solve(x, c), None), a, xs)[0]

    compiled = jit(f)
    good = np.stack([np.eye(3) * 2.0] * 3)
    tg.testing.assert_trees_close(compiled(H[0], good), f(H[0], good))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(H[0], np.zeros((3, 3, 3)))
    tg.testing.assert_trees_close(compiled(H[0], good), f(H[0], good))


def test_loops_over_numbers_of_the_other_byte_order() -> None:
    def f(x: Any) -> Any:
        return tg.scan(lambda c, row: (c + np.sum(np.abs(row) ** 2), None), np.sum(x) * 0.0, x)[0]

    x = np.arange(12.0).reshape(4, 3)
    for other in (x.astype(">f8"), x.astype(">f4"), x.astype("<f8")):
        assert np.array_equal(tg.jit(tg.grad(f))(other), 2.0 * x)


gradient: Any = tg.grad
CONSTANT: dict[str, Any] = {
    "gradient of a map": gradient(lambda x: tnp.sum(tg.map(lambda row: row * 2.0 + 1.0, x))),
    "gradient of a loop that changes nothing": gradient(lambda x: tnp.sum(tg.fori_loop(0, 6, lambda i, y: y, x))),
    "gradient of what is not carried on": gradient(lambda x: tg.scan(lambda c, row: (c, None), 1.0, x)[0] + tnp.sum(x)),
    "derivative of a constant": lambda x: tg.jvp(lambda x: tg.scan(lambda c, row: (c, np.arange(2.0)), x[0], x)[1], (x,), (x,)),
    "gradient of a gradient": gradient(lambda x: tnp.sum(gradient(lambda x: tnp.sum(tg.map(lambda y: y * 2.0, x)))(x) * x)),
    "gradients in a loop": lambda x: tg.map(gradient(lambda y: tnp.sum(tg.map(lambda z: z * 3.0, y))), x),
}


@pytest.mark.parametrize("name", CONSTANT)
@pytest.mark.parametrize("turns", [1, 6])
def test_derivatives_of_loops_may_be_constant(name: str, turns: int) -> None:
    for passes in PROGRAMS:
        agrees(CONSTANT[name], np.arange(6.0 * turns).reshape(turns, 6), passes=passes)


@pytest.mark.parametrize(
    "step",
    [
        lambda c, x: c + c,
        lambda c, x: c + c + x,
        lambda c, x: c + x + c,
        lambda c, x: c + (c + tnp.sin(x)),
        lambda c, x: (c + x) + (c + x),
        lambda c, x: c - c + x,
        lambda c, x: c - (c - x),
        lambda c, x: x - c,
        lambda c, x: c + c - (c - x),
        lambda c, x: x + x + c - x - x,
    ],
)
@pytest.mark.parametrize("shape", [(), (4, 3)])
def test_a_carried_value_that_is_doubled_in_each_turn_is_no_sum_over_the_turns(
    step: Callable[[Any, Any], Any], shape: tuple[int, ...]
) -> None:
    def f(c: Any, xs: Any) -> Any:
        return tg.scan(lambda c, x: (step(c, x), None), c, xs)[0]

    xs = XS if shape else XS[:, 0, 0]
    c = H if shape else np.float64(0.5)
    for passes in PROGRAMS:
        agrees(f, c, xs, passes=passes)
    agrees(lambda c, xs: tg.scan(lambda c, x: (step(c, x), c * x), c, xs), c, xs)
    agrees(lambda c, xs: tg.fori_loop(0, 6, lambda i, c: step(c, xs[0]), c), c, xs)

    def total(c: Any, xs: Any) -> Any:
        return tnp.sum(tnp.sin(f(c, xs)))

    agrees(tg.grad(total, (0, 1)), c, xs)
