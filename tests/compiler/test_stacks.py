"""Products of stacks of matrices inside of groups, and the transposes that go with them."""

from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import nn
from tapegrad.compiler.function import jit
from tapegrad.compiler.groups import products, sizes
from tapegrad.compiler.groups.products import product_of_stacks, stack_rows
from tapegrad.compiler.groups.units import Group, units
from tapegrad.compiler.program import improved
from tapegrad.compiler.trace import alive
from tests.compiler.tracing import agrees, small_blocks, traced

random = np.random.default_rng(0)


def drawn(*shape: int, dtype: Any = np.float64) -> Any:
    return random.normal(size=shape).astype(dtype)


def attend(q: Any, k: Any, v: Any) -> Any:
    return nn.softmax(q @ tnp.swapaxes(k, -1, -2)) @ v


def attention(qkv: Any) -> Any:
    return tnp.mean(attend(*qkv) ** 2)


def heads(x: Any, count: int) -> Any:
    return tnp.transpose(tnp.reshape(x, (*x.shape[:2], count, -1)), (0, 2, 1, 3))


def several_heads(weights: Any, x: Any) -> Any:
    y = attend(*[heads(x @ weight, 2) for weight in weights])
    return tnp.mean(tnp.reshape(tnp.transpose(y, (0, 2, 1, 3)), x.shape) * x)


def groups_of(f: Any, *args: Any) -> tuple[Any, list[Group]]:
    trace = improved(traced(f, *args), ("expand", "fold", "merge", "simplify"))
    return trace, [unit for unit in units(trace, alive(trace), fuse=True) if isinstance(unit, Group)]


# What kernels call


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_products_of_stacks_some_rows_at_a_time_are_products(rows: int) -> None:
    b = drawn(3, 5, 2)
    for a in (drawn(3, 4, 5), drawn(3, 5, 4).mT, drawn(6, 4, 5)[::2]):
        for right in (b, drawn(3, 2, 5).mT):
            out = np.full((3, 4, 2), np.nan)
            product_of_stacks(a, right, out, rows)
            np.testing.assert_allclose(out, a @ right, rtol=1e-13, atol=1e-14)


def test_blas_gets_whole_matrices_or_enough_of_their_rows() -> None:
    assert stack_rows((8, 64, 64), (8, 64, 64)) == 64
    assert stack_rows((8, 128, 32), (8, 32, 128)) == 64
    assert stack_rows((8, 7, 3), (8, 3, 5)) == 7
    assert stack_rows((8, 128, 64), (8, 64, 128)) == 0
    assert stack_rows((8, 999, 64), (8, 64, 64)) == 0


# Programs


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradient_of_attention_are_one_group(dtype: Any) -> None:
    rtol = 2e-5 if dtype is np.float32 else 1e-12
    gradient = tg.value_and_grad(attention)
    for shape in ((8, 2, 4), (7, 3, 2), (2, 4, 3, 5), (3, 1, 4)):
        with small_blocks(block=24):
            agrees(gradient, [drawn(*shape, dtype=dtype) for _ in range(3)], rtol=rtol)
    with small_blocks(block=24), patch.object(products, "ALONE", 2**18):
        trace, (group,) = groups_of(lambda *qkv: gradient(qkv), *[drawn(8, 4, 4, dtype=dtype) for _ in range(3)])
    assert sum(trace.steps[index][0].name == "matmul" and group.parts[index].kind == "stack" for index in group.members) == 6


def test_heads_are_split_and_put_together_in_blocks() -> None:
    weights, x = [drawn(4, 4) for _ in range(3)], drawn(6, 3, 4)
    with small_blocks(block=48):
        gradient = tg.value_and_grad(several_heads, argnums=(0, 1))
        agrees(gradient, weights, x)
        assert "product_of_stacks" in jit(gradient).lower(weights, x).source
        agrees(tg.vmap(tg.grad(several_heads), in_axes=(None, 0)), weights, drawn(2, 6, 3, 4))
        agrees(tg.jacfwd(partial(several_heads, weights)), x)


@pytest.mark.parametrize("axes", [(0, 1, 3, 2), (0, 3, 2, 1), (0, 2, 1, 3), (1, 0, 2, 3), (0, 1, 2, 3), (3, 2, 1, 0)])
def test_transposes_of_any_axes_are_seen_in_blocks(axes: Any) -> None:
    def f(x: Any) -> Any:
        y = tnp.transpose(tnp.sin(x), axes)
        total = tnp.sum(y * tnp.cos(y), axis=-1)
        return tnp.exp(y) + 1.0, total, y, tnp.transpose(total, (0, 2, 1)), tnp.max(y * 2.0, axis=(1, 2))

    for shape in ((4, 2, 3, 5), (8, 3, 2, 2), (2, 2, 2, 2)):
        for block in (4, 16, 64):
            with small_blocks(block=block):
                agrees(f, drawn(*shape))
                agrees(lambda x: tg.vjp(f, x)[1](f(x)), drawn(*shape))


def test_a_transpose_that_only_leaves_the_program_is_no_copy() -> None:
    def f(x: Any) -> Any:
        return tnp.swapaxes(tnp.exp(x) * x, 1, 2)

    with small_blocks(block=24):
        program = jit(f)
        x = drawn(8, 3, 2)
        assert "copyto" not in program.lower(x).source
        np.testing.assert_allclose(program(x), np.swapaxes(np.exp(x) * x, 1, 2), rtol=1e-14)
        agrees(lambda x: tg.vjp(f, tnp.sin(x))[1](f(x)), x)


def test_one_stack_against_another_of_other_axes_is_left_alone() -> None:
    with small_blocks():
        for a, b in (
            ((4, 1, 2, 3), (4, 2, 3, 2)),
            ((4, 2, 3), (3, 2)),
            ((2, 3), (4, 3, 2)),
            ((4, 2, 3), (3,)),
            ((0, 2, 3), (0, 3, 2)),
        ):
            agrees(lambda a, b: tnp.tanh(tnp.tanh(a) @ b) * 2.0, drawn(*a), drawn(*b))
            agrees(lambda a, b: tg.grad(lambda a: tnp.sum(tnp.tanh(a @ b)))(a), drawn(*a), drawn(*b))


def test_masked_attention_is_mended_as_ever() -> None:
    q, k, v = (drawn(4, 3, 2) for _ in range(3))
    k[1, 2] = np.inf

    def masked(q: Any) -> Any:
        scores = q @ tnp.swapaxes(k, -1, -2)
        return tnp.sum(nn.softmax(tnp.where(np.arange(3) == 2, -np.inf, scores)) @ v)

    with small_blocks(block=24), np.errstate(all="ignore"):
        agrees(tg.grad(masked), q)
        assert np.isfinite(jit(tg.grad(masked))(q)).all()


def test_donated_stacks_are_written_over_when_all_is_read() -> None:
    def step(q: Any, k: Any) -> Any:
        return tnp.tanh(q @ tnp.swapaxes(k, 1, 2)) @ k + q

    with small_blocks(block=24):
        program = tg.jit(step, donate_argnames=("q",))
        for _ in range(3):
            q, k = drawn(8, 3, 2), drawn(8, 3, 2)
            expected = step(q, k)
            np.testing.assert_allclose(program(q, k), expected, rtol=1e-12)
            with pytest.raises(TypeError, match="donated"):
                q + 1.0
        assert "product_of_stacks" in program.lower(drawn(8, 3, 2), k).source


def test_stacks_do_not_depend_on_the_number_of_threads() -> None:
    qkv = [drawn(sizes.STACKS // 64**2, 64, 16, dtype=np.float32) for _ in range(3)]
    gradient = jit(tg.grad(attention))
    first = gradient(qkv)
    assert "product_of_stacks" in gradient.lower(qkv).source
    for _ in range(8):  # with one and with several threads in turn
        assert all(np.array_equal(a, b) for a, b in zip(first, gradient(qkv), strict=True))
