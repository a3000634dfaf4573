"""Products of vectors, matrices and tensors: every pair of ranks, NumPy's signatures, both doors."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import check

N: Any = np
"""NumPy without its types, for what they refuse."""

RANDOM = np.random.default_rng(0)
PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((3,), (2, 3, 4)),
    ((2, 4, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 2)),
]


def real(*shape: int) -> Any:
    return RANDOM.normal(size=shape)


def complex_(*shape: int) -> Any:
    return RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("name", ["matmul", "dot"])
def test_products_of_every_pair_of_ranks(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    if name == "dot" and len(right) > 2:
        left = (4, 3)
    check(name, real(*left), real(*right), by=(0, 1))


@pytest.mark.parametrize("name", ["matmul", "dot", "inner", "outer", "vdot", "kron", "vecdot"])
def test_products_of_complex_vectors(name: str) -> None:
    check(name, complex_(3), complex_(3), by=(0, 1))
    check(name, real(3), complex_(3), by=(0, 1))


@pytest.mark.parametrize("name", ["dot", "inner", "outer", "vdot", "kron"])
def test_scalars_are_arrays_of_rank_0(name: str) -> None:
    other = np.float64(2.0) if name == "vdot" else real(3)
    check(name, np.asarray(0.7), other, by=(0, 1))


def test_the_operator_is_matmul_with_arrays_on_either_side() -> None:
    a, b = real(2, 3), real(3, 2)
    ga, gb = tg.grad(lambda a, b: np.sum((a @ b) * (a @ b)), (0, 1))(a, b)
    np.testing.assert_allclose(tg.grad(lambda a: np.sum((a @ b) * (a @ b)))(a), ga)
    np.testing.assert_allclose(tg.grad(lambda b: np.sum((a @ b) * (a @ b)))(b), gb)


def test_matrices_may_lie_along_other_axes() -> None:
    check("matmul", real(3, 4, 2), real(4, 5, 2), by=(0, 1), axes=[(0, 1), (0, 1), (0, 2)])
    check("vecdot", real(3, 2), real(3, 2), by=(0, 1), axis=0)


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="new in NumPy 2.2")
def test_products_of_stacks_of_matrices_and_vectors() -> None:
    check("matvec", complex_(5, 2, 3), complex_(3), by=(0, 1))
    check("vecmat", complex_(5, 1, 3), complex_(2, 3, 4), by=(0, 1))
    check("vecmat", real(3), real(3, 4), by=(0, 1))
    check("matvec", real(2, 3, 4), real(4, 3), by=(0, 1), axes=[(0, 2), 0, 0])


@pytest.mark.parametrize("axes", [0, 1, 2, ([1], [0]), (1, 0), ([1, 2], [1, 0]), (-2, -1), ([2, 0], [0, 2])])
def test_tensordot_sums_over_any_axes(axes: Any) -> None:
    check("tensordot", real(3, 3, 3), real(3, 3, 3), axes, by=(0, 1), order=1)


@given(st.data())
def test_inner_and_tensordot_of_any_ranks(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), max_size=3).map(tuple))
    other = data.draw(st.lists(st.integers(1, 3), max_size=3).map(tuple))
    check("inner", np.asarray(real(*shape, 2)), np.asarray(real(*other, 2)), by=(0, 1), order=1)
    check("tensordot", np.asarray(real(*shape, 2)), np.asarray(real(2, *other)), 1, by=(0, 1), order=1)


@pytest.mark.parametrize(("left", "right"), [((2, 3), (3, 2)), ((2,), (3, 2)), ((2, 3, 2), (2, 1))])
def test_kron_of_different_ranks(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check("kron", real(*left), real(*right), by=(0, 1))


def test_cross_products_along_any_axes() -> None:
    check("cross", real(2, 3), real(3), by=(0, 1))
    check("cross", complex_(3, 2), complex_(3, 2), by=(0, 1), axis=0)
    check("cross", real(3, 4), real(4, 3), by=(0, 1), axisa=0, axisb=1, axisc=0)
    check("linalg.cross", real(3, 4), real(3, 4), by=(0, 1), axis=0)


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
@pytest.mark.parametrize(("left", "right"), [((2,), (2,)), ((4, 2), (2,)), ((2,), (4, 3)), ((4, 3), (4, 2))])
def test_cross_products_in_the_plane(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check("cross", real(*left), real(*right), by=(0, 1), order=1)


def test_names_of_the_array_api() -> None:
    a = real(4, 3)
    for name in ("matmul", "outer", "vecdot", "tensordot"):
        x, y = (a[0], a[1]) if name == "outer" else (a[:3], real(3, 3))
        check(f"linalg.{name}", x, y, by=(0, 1))
    check("linalg.matrix_transpose", real(2, 3, 4))
    check("linalg.diagonal", real(2, 3, 4), offset=1)
    check("linalg.trace", real(2, 3, 4), offset=-1)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_multi_dot_of_any_number(count: int) -> None:
    lengths = [2, 5, 1, 4, 3, 2][: count + 1]
    factors = [real(n, m) for n, m in pairwise(lengths)]

    def f(*factors: Any) -> Any:
        return np.linalg.multi_dot(factors)

    value, pull = tg.vjp(f, *factors)
    np.testing.assert_allclose(value, np.linalg.multi_dot(factors))
    for c, x in zip(pull(np.ones_like(value)), factors, strict=True):
        assert c.shape == x.shape
    tg.testing.check_grads(f, factors)
    tg.testing.check_grads(lambda *xs: tnp.linalg.multi_dot([xs[0][0], *xs[1:-1], xs[-1][:, 0]]), factors, 1)


@pytest.mark.parametrize("name", ["matmul", "dot"])
def test_a_row_without_cotangent_may_hold_anything(name: str) -> None:
    """Padded rows contribute nothing, at first and second order, also under vmap."""
    x = np.array([[1.0, 2.0], [np.nan, 1.0], [3.0, 4.0], [np.inf, -np.inf]])
    w = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    mask = np.isfinite(x).all(axis=1, keepdims=True)

    def padded(w: Any) -> Any:
        with np.errstate(invalid="ignore"):
            return np.sum(np.where(mask, getattr(np, name)(x, w), 0.0) ** 3)

    def cut(w: Any) -> Any:
        return np.sum((x[mask[:, 0]] @ w) ** 3)

    def along(f: Any) -> Any:
        return lambda w: np.sum(tg.grad(f)(w) * w[::-1])

    np.testing.assert_allclose(tg.grad(padded)(w), tg.grad(cut)(w))
    np.testing.assert_allclose(tg.grad(along(padded))(w), tg.grad(along(cut))(w))
    np.testing.assert_allclose(tg.jvp(tg.grad(padded), (w,), (w,))[1], tg.jvp(tg.grad(cut), (w,), (w,))[1])
    batch = np.stack([w, 2.0 * w, w - 1.0])
    with np.errstate(invalid="ignore"):
        found = tg.vmap(tg.grad(padded))(batch), tg.vmap(tg.grad(along(padded)))(batch)
    for i, one in enumerate(batch):
        np.testing.assert_allclose(found[0][i], tg.grad(cut)(one))
        np.testing.assert_allclose(found[1][i], tg.grad(along(cut))(one))


def test_a_cotangent_that_is_not_zero_meets_nan() -> None:
    x, w = np.array([[1.0, np.nan]]), np.ones((2, 1))
    assert np.isnan(tg.grad(lambda w: np.sum(x @ w))(w)).tolist() == [[False], [True]]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("matmul", (np.ones((2, 3)), np.ones((2, 3)))),
        ("matmul", (np.ones(()), np.ones(3))),
        ("dot", (np.ones((2, 3)), np.ones((2, 3)))),
        ("inner", (np.ones(2), np.ones(3))),
        ("vdot", (np.ones(2), np.ones(3))),
        ("vecdot", (np.ones(2), np.ones(1))),
        ("tensordot", (np.ones((2, 3)), np.ones((2, 3)), 1)),
        ("cross", (np.ones(4), np.ones(3))),
    ],
)
def test_shapes_that_do_not_fit_get_numpys_error(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError) as expected:
        getattr(np, name)(*args)
    for module in (np, tnp):
        with pytest.raises(ValueError) as found:
            tg.grad(lambda x, module=module: np.sum(getattr(module, name)(x, *args[1:])))(args[0])
        assert type(found.value) is type(expected.value)


def test_out_is_refused() -> None:
    for name in ("matmul", "dot", "outer"):
        with pytest.raises(TypeError, match="out="):
            tg.grad(lambda x, name=name: np.sum(getattr(tnp, name)(x, x, out=np.ones((2, 2)))))(np.ones((2, 2)))


@pytest.mark.parametrize("listed", [[1.0, 2.0, 3.0], (1.0, 2.0, 3.0), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 1.0]]])
@pytest.mark.parametrize("name", ["dot", "inner", "matmul", "vdot", "outer", "kron", "vecdot"])
def test_lists_are_factors_as_arrays_are(name: str, listed: Any) -> None:
    x = np.ones(np.shape(listed) if name in ("vdot", "vecdot") else 3)
    for module in (np, tnp):
        f = getattr(module, name)
        calls: list[Any] = [lambda x, f=f: f(listed, x), lambda x, f=f: f(x, listed)]
        for call in calls:
            y, pull = tg.vjp(call, x)
            np.testing.assert_array_equal(y, call(x))
            assert pull(np.ones_like(y))[0].shape == x.shape


# Large products, which go to BLAS another way than small ones


LAYOUTS: dict[str, Any] = {
    "in C's order": lambda x: x,
    "in Fortran's order": np.asfortranarray,
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "some columns": lambda x: np.concatenate([x, x], axis=1)[:, : x.shape[1]],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "repeated in memory": lambda x: np.broadcast_to(x[0], x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtypes", ["ff", "dd", "FF", "fd", "ee", "di"])
def test_large_products_and_their_derivatives_do_not_depend_on_the_layout(layout: str, dtypes: str) -> None:
    lay = LAYOUTS[layout]
    rng = np.random.default_rng(1)
    a, b = (lay(rng.integers(-3, 4, shape).astype(kind)) for shape, kind in zip([(130, 9), (9, 140)], dtypes, strict=True))
    g = lay(rng.integers(-3, 4, (130, 140)).astype(np.result_type(a, b)))
    value = np.einsum("ij,jk", a, b)  # exact, as small integers are
    by_a = np.einsum("ik,jk->ij", g, b)
    by_b = np.einsum("ij,ik->jk", a, g)
    found, pull = tg.vjp(lambda a: a @ b, a)
    assert_same(found, value)
    assert_same(pull(g)[0], by_a.astype(a.dtype))
    assert_same(tg.jit(lambda a, b: a @ b)(a, b), value)
    assert_same(tg.jit(lambda g, b: np.sin(g @ b.T))(g, b), np.sin(by_a))
    if dtypes[1] == "i":
        return
    assert_same(tg.vjp(lambda b: a @ b, b)[1](g)[0], by_b.astype(b.dtype))
    stack = np.stack([a, a + a])
    _, pull = tg.vjp(lambda a, b: a @ b, stack, b)
    by_stack, by_both = pull(np.stack([g, g]))
    assert_same(by_stack, np.stack([by_a, by_a]).astype(a.dtype))
    assert_same(by_both, (3 * by_b).astype(b.dtype))


def assert_same(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-3 if expected.dtype == np.float16 else 1e-6)


@pytest.mark.parametrize("kind", ["f", "d"])
def test_large_products_are_written_into_buffers_of_programs(kind: str) -> None:
    rng = np.random.default_rng(2)
    x, v, w = (rng.normal(size=shape).astype(kind) for shape in ((160, 70), (70, 150), (150, 160)))

    def f(x: Any, v: Any, w: Any) -> Any:
        return np.sum(np.tanh(np.tanh(x @ v) @ w))

    eager, compiled = tg.grad(f, argnums=(0, 1, 2)), tg.jit(tg.grad(f, argnums=(0, 1, 2)))
    for scale in (1.0, 0.5):
        for g, h in zip(eager(scale * x, v, w), compiled(scale * x, v, w), strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-4 if kind == "f" else 1e-10, atol=1e-4 if kind == "f" else 1e-10)
