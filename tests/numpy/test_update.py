"""Functional updates: changed copies of arrays, differentiable in the array and in the values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError
from tapegrad.testing import check_grads
from tapegrad.typing import Array

RNG = np.random.default_rng(0)
X: Array = RNG.uniform(0.5, 2.0, size=(3, 4))

INDICES: list[Any] = [
    0,
    (1, 2),
    slice(1, 3),
    (slice(None), -1),
    np.array([0, 2]),
    np.array([0, 2, 0]),
    (np.array([0, 1, 0]), np.array([1, 1, 1])),
    X > 1,
    (..., np.array([0, 0, 3])),
    [2, 0],
    (slice(0, 0),),
]


def by_hand(x: Array, index: Any, operation: str, v: Any) -> Array:
    y = x.copy()
    ufuncs = {"multiply": np.multiply, "divide": np.divide, "power": np.power, "min": np.minimum, "max": np.maximum}
    if operation == "set":
        y[index] = v
    else:
        ufuncs.get(operation, np.add).at(y, index, v)
    return y


@pytest.mark.parametrize("operation", ["set", "add", "multiply", "divide", "power", "min", "max"])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_updates_are_numpys_and_differentiable_in_both(index: Any, operation: str) -> None:
    for shape in {X[index].shape, X[index].shape[-1:], ()}:
        v = np.random.default_rng(1).uniform(0.5, 2.0, size=shape)[()]

        def f(x: Any, v: Any) -> Any:
            changed: Any = getattr(tnp.at(x)[index], operation)(v)
            return changed

        expected = by_hand(X, index, operation, v)
        np.testing.assert_array_equal(f(X, v), expected)
        np.testing.assert_array_equal(tg.vjp(f, X, v)[0], expected)
        check_grads(f, (X, v), order=2 if shape == X[index].shape else 1)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_function_is_applied_at_the_index(index: Any) -> None:
    def f(x: Any) -> Any:
        return x.at[index].apply(np.sin)

    expected = X.copy()
    if index is not INDICES[5] and index is not INDICES[6] and index is not INDICES[8]:
        expected[index] = np.sin(expected[index])
        np.testing.assert_array_equal(tg.vjp(f, X)[0], expected)
    with tg.Tape() as tape:
        assert f(tape.root(X)).shape == X.shape
    check_grads(lambda x: tnp.at(x)[index].apply(np.sin), (X,))


def test_of_values_set_in_one_place_the_last_has_the_derivative() -> None:
    x, v = np.zeros(3), np.array([1.0, 2.0, 3.0])
    found = tg.grad(lambda x, v: (tnp.at(x)[[1, 0, 1]].set(v) * np.array([10.0, 20.0, 30.0])).sum(), argnums=(0, 1))(x, v)
    np.testing.assert_array_equal(found[0], [0.0, 0.0, 30.0])
    np.testing.assert_array_equal(found[1], [0.0, 10.0, 20.0])


@pytest.mark.parametrize("operation", ["set", "add"])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_batch_of_updates_is_each_update(index: Any, operation: str) -> None:
    batch = np.stack([X, X + 1.0])
    values = RNG.normal(size=(2, *X[index].shape))

    def f(x: Any, v: Any) -> Any:
        return getattr(tnp.at(x)[index], operation)(v)

    for in_axes in [(0, 0), (None, 0), (0, None)]:
        xs = X if in_axes[0] is None else batch
        vs = values[0] if in_axes[1] is None else values
        expected = [f(X if in_axes[0] is None else batch[k], vs if in_axes[1] is None else vs[k]) for k in range(2)]
        np.testing.assert_allclose(tg.vmap(f, in_axes)(xs, vs), np.stack(expected), rtol=1e-14)


@pytest.mark.parametrize(
    "change",
    [
        lambda x, i, v: tnp.at(x)[i].set(v),
        lambda x, i, v: tnp.at(x)[i, :2].add(v[:2]),
        lambda x, i, v: tnp.at(x)[:, i].set(v[:3]),
        lambda x, i, v: tnp.at(x)[i].multiply(v),
        lambda x, i, v: tnp.at(x)[0, i].set(v[0]),
        lambda x, i, v: tnp.at(x)[np.stack([i, i])].set(v),
        lambda x, i, v: tnp.at(x)[:2, np.stack([i, i])].add(v[:2]),
    ],
)
def test_vmap_updates_at_positions_that_differ_between_examples(change: Callable[..., Any]) -> None:
    xs, vs, positions = np.stack([X, X + 1, X + 2]), RNG.normal(size=(3, 4)), np.array([2, 0, 2])
    expected = np.stack([change(x, i, v) for x, i, v in zip(xs, positions, vs, strict=True)])
    np.testing.assert_allclose(tg.vmap(change)(xs, positions, vs), expected, rtol=1e-14)

    def loss(x: Any, v: Any, i: Any) -> Any:
        return (change(x, i, v) ** 2).sum()

    found = tg.vmap(tg.grad(loss, argnums=(0, 1)))(xs, vs, positions)
    for k in range(3):
        for c, d in zip(found, tg.grad(loss, argnums=(0, 1))(xs[k], vs[k], positions[k]), strict=True):
            np.testing.assert_allclose(c[k], d, rtol=1e-13)


def test_vmap_updates_under_masks_that_differ_between_examples() -> None:
    expected = np.where(X > 1, 0.0, X)
    np.testing.assert_array_equal(tg.vmap(lambda x: tnp.at(x)[x > 1].set(0.0))(X), expected)
    np.testing.assert_array_equal(tg.vmap(lambda x: tnp.at(x)[x > 1].multiply(2.0))(X), np.where(X > 1, 2 * X, X))


def test_positions_that_may_repeat_cannot_be_multiplied_under_vmap() -> None:
    with pytest.raises(ConcretizationError, match="whether one occurs twice"):
        tg.vmap(lambda x, i: tnp.at(x)[np.stack([i, i])].multiply(2.0))(X, np.array([0, 1, 1]))


def test_an_update_keeps_the_dtype_and_leaves_its_argument_alone() -> None:
    x = np.ones(3, np.float32)
    assert tnp.at(x)[0].set(2.5).dtype == np.float32
    np.testing.assert_array_equal(x, 1.0)
    found = tg.grad(lambda x, v: tnp.at(x)[0].add(v).sum(), argnums=(0, 1))(x, np.float32(2.0))
    assert [c.dtype for c in found] == [np.float32, np.float32]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: tnp.at(x)[9].set(1.0), IndexError, "out of bounds"),
        (lambda x: tnp.at(x)[0].set(np.ones(3)), ValueError, "broadcast"),
        (lambda x: tnp.at(np.arange(3))[0].set(x[0, 0]), TypeError, r"astype\(float\)"),
        (lambda x: x.at.set(1.0), AttributeError, r"give an index first, as in at\(x\)\[index\]\.set\(...\)"),
        (lambda x: x.at[0].apply(3.0), TypeError, "expected a function of the elements, got 3.0"),
    ],
)
def test_bad_updates_say_what_is_wrong(change: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        tg.grad(lambda x: change(x).sum())(X)


@pytest.mark.parametrize(("wrong", "kind"), [("abc", "str"), (None, "NoneType"), ({"w": np.ones(2)}, "dict")])
def test_what_is_no_array_has_no_changed_copy(wrong: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"^at\(x\).* an array of numbers, and is of type '{kind}'"):
        tnp.at(wrong)[0].set(1.0)


def test_a_misspelt_change_and_an_assignment_say_what_to_write() -> None:
    x: Any = tnp.at(np.ones(2))
    with pytest.raises(AttributeError, match="has no attribute 'ste'; what it has is set, add"):
        x[0].ste(1.0)
    with pytest.raises(TypeError, match=r"test_update.py.*write y = at\(x\)\[index\].set\(v\)"):
        x[0] = 3.0
    with pytest.raises(TypeError, match=r"\+= v at .*test_update.py.*write y = at\(x\)\[index\].add\(v\)"):
        x[0] += 3.0
    with pytest.raises(TypeError, match=r"/= v .*write y = at\(x\)\[index\].divide\(v\)"):
        tg.grad(lambda x: x.at[0].__itruediv__(2.0))(np.ones(2))


@pytest.mark.parametrize("index", [[1], [1, 0], [1, 1, 1], [1, 0, 1]], ids=str)
def test_a_number_takes_the_dtype_of_the_array_wherever_it_goes(index: list[int]) -> None:
    """float32's 0.7 and the number 0.7 are a tie, also where a position is named twice."""
    x = np.array([0.7, 0.7], np.float32)
    for op in ("min", "max"):
        gradient = tg.grad(lambda x, op=op: getattr(tnp.at(x)[index], op)(0.7).sum())
        expected = np.array([0.5 ** index.count(k) for k in range(2)], np.float32)
        np.testing.assert_array_equal(gradient(x), expected)
        np.testing.assert_array_equal(tg.jit(gradient)(x), expected)
