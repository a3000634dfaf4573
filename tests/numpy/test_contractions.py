"""einsum in every form, against finite differences, NumPy and through both doors."""

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


def real(*shape: int) -> Any:
    return np.asarray(RANDOM.normal(size=shape))


FORMS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij->ji", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->ji", [(2, 2, 3)]),
    ("ijij->ij", [(2, 3, 2, 3)]),
    ("ii,i->", [(3, 3), (3,)]),
    ("iij,jk->ik", [(3, 3, 2), (2, 4)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,k->", [(2, 3), (4,)]),
    (",ij->ji", [(), (2, 3)]),
    (",", [(), ()]),
    ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)]),
    ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 2, 4)]),
    ("abc,cda->bd", [(3, 2, 4), (4, 2, 3)]),
    ("...ij,...jk", [(5, 1, 2, 3), (4, 3, 2)]),
    ("i...,i...->...", [(2, 3, 1), (2, 4)]),
    ("...i->...", [(2, 3)]),
    ("...", [(2, 3)]),
    ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("ab,bc,ca->", [(2, 3), (3, 4), (4, 2)]),
    ("i,i,i->i", [(3,), (3,), (3,)]),
    ("a,b,c", [(2,), (3,), (2,)]),
    (" i j , j -> i ", [(2, 3), (3,)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), FORMS)
def test_every_form(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    check("einsum", subscripts, *(real(*shape) for shape in shapes), by=tuple(range(1, len(shapes) + 1)))


@pytest.mark.parametrize("optimize", [True, "greedy", "optimal", ["einsum_path", (1, 2), (0, 1)], ["einsum_path", (0, 1, 2)]])
def test_any_order_of_contraction(optimize: Any) -> None:
    operands = real(2, 3), real(3, 4), real(4, 2)

    def f(*xs: Any) -> Any:
        return N.einsum("ij,jk,kl->il", *xs, optimize=optimize)

    np.testing.assert_allclose(tg.vjp(f, *operands)[0], f(*operands))
    tg.testing.check_grads(f, operands)


@pytest.mark.parametrize(
    "arguments",
    [
        (real(2, 3), [0, 1], real(3, 4), [1, 2], [0, 2]),
        (real(2, 3), [0, 1], real(3, 4), [1, 2]),
        (real(3, 3), [0, 0]),
        (real(5, 2, 3), [..., 0, 1], real(3, 4), [1, 2], [..., 0, 2]),
        (real(2, 3), [27, 1]),
    ],
)
def test_lists_of_labels(arguments: tuple[Any, ...]) -> None:
    check("einsum", *arguments, by=tuple(i for i, x in enumerate(arguments) if isinstance(x, np.ndarray)))


def test_complex_operands() -> None:
    a, b = real(2, 3) + 1j * real(2, 3), real(3, 4) + 1j * real(3, 4)
    check("einsum", "ij,jk->k", a, b, by=(1, 2))
    check("einsum", "ij,jk->k", a.real, b, by=(1, 2))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("abcd,cdef->abef", [(6, 5, 4, 5), (4, 5, 3, 6)]),
        ("abcd,cdef->feba", [(6, 5, 4, 5), (4, 5, 3, 6)]),
        ("bij,bkj->kbi", [(4, 20, 20), (4, 15, 20)]),
        ("ij,ji->", [(50, 60), (60, 50)]),
        ("bi,bi->b", [(50, 60), (50, 60)]),
    ],
)
def test_large_contractions_are_matrix_products(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    """What goes to BLAS is what NumPy's own loops compute."""
    operands = [real(*shape) for shape in shapes]
    value, pull = tg.vjp(lambda *xs: np.einsum(subscripts, *xs), *operands)
    expected = np.einsum(subscripts, *operands)
    np.testing.assert_allclose(value, expected)
    g = real(*expected.shape)
    left, right = subscripts.split("->")[0].split(",")
    out = subscripts.split("->")[1]
    cotangents = pull(g[()])
    np.testing.assert_allclose(cotangents[0], np.einsum(f"{out},{right}->{left}", g, operands[1]))
    np.testing.assert_allclose(cotangents[1], np.einsum(f"{left},{out}->{right}", operands[0], g))


@given(st.data())
def test_random_subscripts(data: st.DataObject) -> None:
    """Any labels, repeated or not, of any output: reverse mode is the transpose of forward mode."""
    sizes = {"a": 2, "b": 3, "c": 1, "d": 2}
    count = data.draw(st.integers(1, 3))
    operands = [data.draw(st.text("abcd", max_size=3)) for _ in range(count)]
    known = sorted(set("".join(operands)))
    out = "".join(data.draw(st.permutations(known))[: data.draw(st.integers(0, len(known)))])
    subscripts = f"{','.join(operands)}->{out}"
    xs = [real(*(sizes[c] for c in labels)) for labels in operands]
    ts = [real(*x.shape) for x in xs]

    def f(*xs: Any) -> Any:
        return np.einsum(subscripts, *xs)

    value, pull = tg.vjp(f, *xs)
    np.testing.assert_allclose(value, f(*xs), atol=1e-12)
    g = real(*np.shape(value))[()]
    total = sum(np.sum(c * t) for c, t in zip(pull(g), ts, strict=True))
    np.testing.assert_allclose(total, np.sum(g * tg.jvp(f, xs, ts)[1]), atol=1e-10)


def test_the_dtype_to_compute_in() -> None:
    x = real(3).astype(np.float32)
    value, pull = tg.vjp(lambda x: np.einsum("i,i", x, x, dtype=np.float64), x)
    assert value.dtype == np.float64
    assert pull(value)[0].dtype == np.float32
    with pytest.raises(TypeError, match="safe"):
        tg.grad(lambda x: np.einsum("i,i", x, x, dtype=np.float32))(real(3))
    tg.grad(lambda x: np.einsum("i,i", x, x, dtype=np.float32, casting="same_kind"))(real(3))


def test_lists_of_traced_values_are_operands() -> None:
    assert tg.grad(lambda x: tnp.einsum("i,i", [x, 2.0 * x], np.array([1.0, 10.0])))(3.0) == 21.0


def test_einsum_path_looks_at_shapes_only() -> None:
    a, b = real(2, 3), real(3, 4)
    expected = N.einsum_path("ij,jk->ik", a, b)
    assert tnp.einsum_path("ij,jk->ik", a, b) == expected
    found = []

    def f(a: Any) -> Any:
        found.append(N.einsum_path("ij,jk->ik", a, b))
        return a

    tg.vjp(f, a)
    assert found == [expected]


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (4, 3)]),
        ("ij", [(2,)]),
        ("ij,jk->ik", [(2, 3)]),
        ("i->ij", [(3,)]),
        ("ij->ii", [(2, 3)]),
        ("i-j", [(2,)]),
        ("ii", [(2, 3)]),
        ("...i->i", [(2, 3)]),
    ],
)
def test_what_does_not_fit_gets_numpys_error(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    operands = [real(*shape) for shape in shapes]
    with pytest.raises(ValueError) as expected:
        np.einsum(subscripts, *operands)
    with pytest.raises(ValueError) as found:
        tg.vjp(lambda *xs: np.einsum(subscripts, *xs), *operands)
    assert str(found.value) == str(expected.value)


def test_out_is_refused() -> None:
    with pytest.raises(TypeError, match="out="):
        tg.grad(lambda x: tnp.einsum("i,i", x, x, out=np.ones(())))(np.ones(2))  # type: ignore[arg-type]  # refused
