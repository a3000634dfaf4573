"""Creation: arrays from numbers, shapes, lists and grids; while a tape records, those with a derivative can be written."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.core.var import Var
from tapegrad.testing import check_grads

RNG = np.random.default_rng(0)
V = RNG.uniform(1.0, 2.0, size=3)
A = RNG.normal(size=(2, 3))
UNKNOWN: Any = "no"


def recorded(make: Any) -> Any:
    """Return what is made while a tape records, and the plain value of it."""
    with tg.Tape():
        made = make()
    return made, made.value if type(made) is Var else made


MAKERS: list[tuple[str, Any]] = [
    ("zeros", lambda m: m.zeros((2, 3))),
    ("zeros of a length", lambda m: m.zeros(np.int64(2), dtype=np.float32)),
    ("ones in columns", lambda m: m.ones((2, 3), order="F")),
    ("full", lambda m: m.full((2, 2), 1.5)),
    ("full of a vector", lambda m: m.full((2, 3), V)),
    ("full of complex numbers", lambda m: m.full(2, 1j)),
    ("zeros_like", lambda m: m.zeros_like(A)),
    ("ones_like", lambda m: m.ones_like(A, dtype=np.float32, shape=4)),
    ("full_like", lambda m: m.full_like(np.asfortranarray(A), 7)),
    ("array", lambda m: m.array([[1.0, 2.0], [3.0, 4.0]])),
    ("array with axes", lambda m: m.array([1, 2], dtype=float, ndmin=3)),
    ("copy", lambda m: m.copy(A)),
]


@pytest.mark.parametrize("make", [make for _, make in MAKERS], ids=[name for name, _ in MAKERS])
def test_what_is_made_on_a_tape_is_numpys_and_can_be_written(make: Any) -> None:
    expected = make(np)
    plain = make(tnp)
    assert type(plain) is np.ndarray
    made, value = recorded(lambda: make(tnp))
    assert type(made) is Var
    for found in (plain, value):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        assert found.flags.f_contiguous == expected.flags.f_contiguous


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.zeros(2, int),
        lambda m: m.full(2, True),
        lambda m: m.array([1, 2]),
        lambda m: m.zeros_like(np.arange(3)),
        lambda m: m.arange(3.0),
        lambda m: m.eye(2),
        lambda m: m.tri(3),
        lambda m: m.linspace(0.0, 1.0, 3),
        lambda m: m.asarray([1.0, 2.0]),
    ],
)
def test_integers_and_constants_stay_plain_on_a_tape(make: Any) -> None:
    made, _ = recorded(lambda: make(tnp))
    expected = make(np)
    assert type(made) is np.ndarray
    np.testing.assert_array_equal(made, expected)
    assert made.dtype == expected.dtype


def test_empty_has_its_shape_and_dtype() -> None:
    for made in (tnp.empty((2, 3), np.float32), tnp.empty_like(np.ones((2, 3), np.float32))):
        assert made.shape == (2, 3)
        assert made.dtype == np.float32


@pytest.mark.parametrize("door", [np, tnp])
def test_likes_of_traced_values_are_constants_of_their_shape(door: Any) -> None:
    def f(x: Any) -> Any:
        assert door.zeros_like(x).shape == door.empty_like(x).shape == (2, 3)
        return (x * door.ones_like(x) + door.full_like(x, x[0, 0])).sum()

    np.testing.assert_array_equal(tg.grad(f)(A), [[7.0, 1.0, 1.0], [1.0, 1.0, 1.0]])


def test_fill_values_have_derivatives() -> None:
    np.testing.assert_array_equal(tg.grad(lambda x: tnp.full((2, 3), x).sum())(V), 2.0)
    assert tg.grad(lambda x: tnp.full(4, x).sum())(2.0) == 4.0
    check_grads(lambda x: np.sin(tnp.full((2, 3), x, order="F")), (V,))


def test_arrays_of_traced_values() -> None:
    def f(x: Any) -> Any:
        same = tnp.asarray(x)
        assert same is x
        assert tnp.array(x, copy=None) is x and tnp.array(x, ndmin=2).shape == (1, 3)
        assert tnp.asarray(x, np.float32).dtype == np.float32
        assert tnp.ascontiguousarray(x[0]).shape == (1,) and tnp.asfortranarray(x).shape == (3,)
        assert tnp.require(x, np.float32, "FO").dtype == np.float32
        return (tnp.array([x, x * 2], dtype=np.float64) * tnp.array([1.0, 2.0, 3.0])).sum()

    np.testing.assert_array_equal(tg.grad(f)(V), [3.0, 6.0, 9.0])
    with pytest.raises(ValueError, match="copy"):
        tg.grad(lambda x: tnp.array([x, x], copy=False).sum())(V)


# Numbers at equal steps, and grids

CALLS: list[tuple[str, Any]] = [
    ("linspace", lambda m, a, b: m.linspace(a[0], b[0], 5)),
    ("linspace of arrays", lambda m, a, b: m.linspace(a, b[0], 4, axis=1)),
    ("linspace open", lambda m, a, b: m.linspace(a, 3.0, 4, endpoint=False)),
    ("linspace of one", lambda m, a, b: m.linspace(a, b, 1)),
    ("linspace of none", lambda m, a, b: m.linspace(a, b, 0)),
    ("linspace step", lambda m, a, b: m.linspace(a[0], b[0], 4, retstep=True)[1]),
    ("logspace", lambda m, a, b: m.logspace(a, b[0], 3, base=2.0)),
    ("logspace base", lambda m, a, b: m.logspace(0.0, 2.0, 3, base=a[0])),
    ("geomspace", lambda m, a, b: m.geomspace(a[0], b[0], 4)),
    ("geomspace of arrays", lambda m, a, b: m.geomspace(-a, -4 * b, 3, axis=-1)),
    ("meshgrid", lambda m, a, b: m.stack(m.meshgrid(a, b[:2]))),
    ("meshgrid ij", lambda m, a, b: m.stack(m.meshgrid(a, b[:2], a[:1], indexing="ij"))),
    ("meshgrid sparse", lambda m, a, b: m.concatenate([g.ravel() for g in m.meshgrid(a, b[:2], sparse=True)])),
    ("meshgrid views", lambda m, a, b: m.meshgrid(a, b, copy=False)[0] * 2),
    ("ix_", lambda m, a, b: m.ix_(a, b)[0] * m.ix_(a, b)[1]),
]


@pytest.mark.parametrize("function", [function for _, function in CALLS], ids=[name for name, _ in CALLS])
def test_grids_are_numpys_through_both_doors_with_derivatives(function: Any) -> None:
    b = V[::-1] + 1.0
    expected = function(np, V, b)
    for module in (np, tnp):
        value = tg.vjp(lambda x, y, m=module: function(m, x, y), V, b)[0]
        np.testing.assert_allclose(value, expected, rtol=1e-14)
        assert np.asarray(value).dtype == np.asarray(expected).dtype
    check_grads(lambda x, y: function(tnp, x, y), (V, b))
    batch = np.stack([V, V * 1.5])
    np.testing.assert_allclose(
        tg.vmap(lambda x: function(tnp, x, b))(batch), np.stack([function(np, x, b) for x in batch]), rtol=1e-13
    )


def test_linspace_keeps_float32_and_casts_to_integers() -> None:
    x = np.float32(3.0)
    assert tg.vjp(lambda x: np.linspace(x, np.float32(9.0), 4), x)[0].dtype == np.float32
    assert tg.grad(lambda x: np.linspace(0.0, x, 4).sum())(x).dtype == np.float32
    np.testing.assert_array_equal(
        tg.vjp(lambda x: (np.linspace(x, 9.0, 4, dtype=int), x)[0] * x, 1.5)[0], [1.5, 6.0, 9.0, 13.5]
    )


def test_positions_in_flat_arrays_can_be_traced_under_vmap() -> None:
    flat = np.array([0, 5, 3])
    for order in ("C", "F"):
        rows, columns = np.unravel_index(flat, (2, 3), order)
        found: Any = tg.vmap(lambda i, o=order: tuple(np.unravel_index(i, (2, 3), o)))(flat)
        np.testing.assert_array_equal(found, [rows, columns])
        back = tg.vmap(lambda i, j, o=order: np.ravel_multi_index((i, j), (2, 3), order=o))(rows, columns)
        np.testing.assert_array_equal(back, flat)
    wrapped = tg.vmap(lambda i: np.ravel_multi_index((i, 0), (2, 3), mode=("wrap", "clip")))(np.array([5, -1]))
    np.testing.assert_array_equal(wrapped, [3, 3])


def test_questions_about_traced_values_have_plain_answers() -> None:
    def f(x: Any) -> Any:
        assert np.result_type(x, np.float32) == np.float64 and np.can_cast(x, np.float32, "same_kind")
        assert np.common_type(x) is np.float64 and np.min_scalar_type(x) == np.float64
        assert np.may_share_memory(x, x) and not np.shares_memory(x, np.zeros(3))
        assert np.array_str(x) == np.array_str(V) and np.array_repr(x) == np.array_repr(V)
        assert np.array2string(x, precision=2) == np.array2string(V, precision=2)
        return x.sum()

    tg.grad(f)(V)
    tg.vmap(lambda x: (np.array_repr(x), x)[1])(V)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda x: np.linspace(x[0], x[1], -1), ValueError),
        (lambda x: np.geomspace(x * 0, x), ValueError),
        (lambda x: tnp.meshgrid(x, x, indexing=UNKNOWN)[0], ValueError),
        (lambda x: np.ix_(x[None])[0], ValueError),
        (lambda x: tnp.full((2, 2), x), ValueError),
        (lambda x: tnp.zeros(-1) + x, ValueError),
    ],
)
def test_bad_input_is_numpys_error(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        tg.grad(lambda x: wrong(x).sum())(V)


@pytest.mark.parametrize("other", [2, 0.5, True, 1j, np.float64(2.0), [1.0, 2.0, 3.0], np.int8(2)])
@pytest.mark.parametrize("name", ["linspace", "logspace"])
def test_ends_that_are_numbers_or_lists_promote_as_in_numpy(name: str, other: Any) -> None:
    x = np.array([0.5, 1.0, 2.0], np.float32)
    calls: list[Any] = [lambda x: getattr(np, name)(x, other, 4), lambda x: getattr(np, name)(other, x, 4)]
    for f in calls:
        for y in (tg.vjp(f, x)[0], tg.jit(f)(x), tg.vmap(f)(x[None])[0]):
            assert y.dtype == f(x).dtype and y.shape == f(x).shape
            np.testing.assert_allclose(y, f(x), rtol=1e-6)


@pytest.mark.parametrize(("num", "endpoint"), [(0, False), (1, True)])
def test_the_step_of_a_point_is_no_number(num: int, endpoint: bool) -> None:
    step = tg.vjp(lambda x: np.linspace(x, 1.0, num, endpoint, retstep=True), np.zeros(2))[0][1]
    assert np.shape(step) == () and np.isnan(step)


@pytest.mark.parametrize("other", [2, 0.5, True, np.float32(2.0), np.array([1.0, 2.0, 3.0], np.float32)])
def test_numbers_at_equal_ratios_are_of_double_precision(other: Any) -> None:
    for x in (np.array([0.5, 1.0, 2.0], np.float32), np.array(0.5, np.float32)):
        y, pull = tg.vjp(lambda x: np.geomspace(x, other, 4), x)
        expected = np.geomspace(x, other, 4)
        assert y.dtype == expected.dtype == np.float64
        np.testing.assert_allclose(y, expected, rtol=1e-14)
        assert pull(np.ones_like(y))[0].dtype == np.float32


@pytest.mark.parametrize("stop", [-1.0, 0.3, 1j])
@pytest.mark.parametrize("start", [1.0, 0.1, -2.0])
def test_geometric_sequences_end_exactly_where_they_are_told_to(start: float, stop: Any) -> None:
    with np.errstate(all="ignore"):
        for num, endpoint in ((5, True), (3, False), (1, True), (0, True)):
            expected = np.geomspace(start, stop, num, endpoint)
            found = tg.jit(lambda x, n=num, e=endpoint: np.geomspace(x, stop, n, e))(start)
            np.testing.assert_array_equal(found[:1], expected[:1])
            np.testing.assert_array_equal(found[-1:] if endpoint else [], expected[-1:] if endpoint else [])
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(tg.jacrev(lambda x: np.geomspace(x, 7.0, 4))(2.0)[[0, -1]], [1.0, 0.0])
