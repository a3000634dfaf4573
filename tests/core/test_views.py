"""What is a view in NumPy is one on the tape, and what is a copy is a copy: a write to one shows in the other, or does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.typing import Array

X: Array = np.random.default_rng(0).normal(size=(4, 4))


def array_face(a: Any) -> Any:
    """Return the room whose functions take `a`, for those that NumPy does not pass on."""
    return np if isinstance(a, np.ndarray) else tnp


DERIVED: dict[str, Callable[[Any], Any]] = {
    "reshape of rows": lambda a: a[::2].reshape(-1),
    "reshape of columns": lambda a: a[:, :2].reshape(-1),
    "reshape of a column": lambda a: a[:, :1].reshape(-1),
    "reshape of the transpose": lambda a: a.T.reshape(2, 8),
    "reshape in the transpose's order": lambda a: np.reshape(a.T, (2, 8), order="F"),
    "reshape of an axis": lambda a: a[:, ::2].reshape(2, 2, 2),
    "ravel": lambda a: a.ravel(),
    "ravel of a column": lambda a: a[:, 1].ravel(),
    "ravel of rows of length 1": lambda a: np.ravel(a[:, :1]),
    "ravel backwards": lambda a: a[0, ::-1].ravel(),
    "ravel of the transpose": lambda a: a.T.ravel(),
    "ravel of the transpose in its order": lambda a: a.T.ravel("F"),
    "ravel of a column as it lies": lambda a: a[:, 1].ravel("K"),
    "ravel of the transpose as it lies": lambda a: a.T.ravel("K"),
    "flatten": lambda a: a.flatten(),
    "one tile": lambda a: np.tile(a, 1),
    "resize": lambda a: np.resize(a, (2, 8)),
    "take of one": lambda a: a.take(0, axis=0),
    "a block": lambda a: np.block(a),
    "no padding": lambda a: np.pad(a, 0, mode="edge"),
    "no bounds": lambda a: np.clip(a, None, None),
    "astype without a copy": lambda a: a.astype(float, copy=False),
    "astype in C order": lambda a: a.astype(float, "C", copy=False),
    "astype in F order": lambda a: a.astype(float, "F", copy=False),
    "astype of rows in the order they have": lambda a: a[1:].astype(float, "A", copy=False),
    "asarray in C order": lambda a: array_face(a).asarray(a, order="C"),
    "asarray in F order": lambda a: array_face(a).asarray(a, order="F"),
    "asarray of every other row": lambda a: array_face(a).asarray(a[::2], order="C"),
    "asarray of the transpose": lambda a: array_face(a).asarray(a.T, order="F"),
    "array in F order": lambda a: array_face(a).array(a, order="F", copy=None),
    "every other row in C order": lambda a: array_face(a).ascontiguousarray(a[::2]),
    "every other column in F order": lambda a: array_face(a).asfortranarray(a[:, ::2]),
    "a column in C order": lambda a: array_face(a).ascontiguousarray(a[:, 0]),
    "required in C order": lambda a: array_face(a).require(a[:2], requirements="C"),
    "required in F order": lambda a: array_face(a).require(a[:2], requirements="F"),
    "required to own its memory": lambda a: array_face(a).require(a[:2], requirements="O"),
    "required to be writable": lambda a: array_face(a).require(a[:2], requirements="W"),
    "reshape of rows as they lie": lambda a: np.reshape(a[:2], (4, 2), order="A"),
    "a row by an integer of NumPy": lambda a: a[np.int64(1)],
    "a row by an array of shape ()": lambda a: a[np.array(1)],
    "part of a row by an array of shape ()": lambda a: a[1:][np.array(1), :2],
    "numbers for nan in place": lambda a: np.nan_to_num(a, copy=False),
    "numbers for nan in rows": lambda a: np.nan_to_num(a[::2], copy=False, neginf=0.0),
    "the conjugate": lambda a: a.conj(),
    "split": lambda a: np.split(a, 2)[1],
    "rot90": lambda a: np.rot90(a),
    "nothing": lambda a: a[1:1].reshape(0, 4),
}


def writes_to_the_derived(np_: Any, derive: Callable[[Any], Any], x: Any) -> Any:
    a = np_.copy(x)
    y = derive(a)
    y[:1] = 2.0 * x[0, 0]
    y += 1.0
    return np.sum(np.sin(a) * X), np.sum(y**2)


def writes_to_the_array(np_: Any, derive: Callable[[Any], Any], x: Any) -> Any:
    a = np_.copy(x)
    y = derive(a)
    a[0] = 2.0 * x[1]
    a *= x
    return np.sum(np.sin(a) * X), np.sum(y**2)


@pytest.mark.parametrize("program", (writes_to_the_derived, writes_to_the_array))
@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
@pytest.mark.parametrize("x", (X, np.asfortranarray(X)), ids=("C", "F"))
def test_views_and_copies_are_numpys(program: Callable[..., Any], derive: Callable[[Any], Any], x: Array) -> None:
    def f(x: Any) -> Any:
        return program(tnp, derive, x)

    expected = program(np, derive, x)
    found, tangents = tg.jvp(f, (x,), (x,))
    np.testing.assert_allclose(found, expected)
    h = 1e-6
    differences = (np.array(program(np, derive, x + h * x)) - np.array(program(np, derive, x - h * x))) / (2 * h)
    np.testing.assert_allclose(tangents, differences, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("program", (writes_to_the_derived, writes_to_the_array))
@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
def test_views_and_copies_are_numpys_in_batches_and_programs(program: Callable[..., Any], derive: Callable[[Any], Any]) -> None:
    def f(x: Any) -> Any:
        return program(tnp, derive, x)

    expected = program(np, derive, X)
    np.testing.assert_allclose(tg.jit(f)(X), expected)
    np.testing.assert_allclose(tg.vmap(f)(np.stack([X, X])), np.stack([expected, expected], axis=1))


FLAT: dict[str, Callable[[Any, Any], None]] = {
    "one": lambda a, x: a.flat.__setitem__(5, 2.0 * x[0, 0]),
    "the last": lambda a, x: a.flat.__setitem__(-1, 2.0 * x[0, 0]),
    "a slice": lambda a, x: a.flat.__setitem__(slice(1, 6), x[0, 0]),
    "a slice with a vector": lambda a, x: a.flat.__setitem__(slice(0, 4), x[2]),
    "too few values": lambda a, x: a.flat.__setitem__(slice(1, 7), x[1, :2]),
    "too many values": lambda a, x: a.flat.__setitem__(slice(1, 3), x[1]),
    "no values": lambda a, x: a.flat.__setitem__(slice(1, 3), x[1, :0]),
    "several": lambda a, x: a.flat.__setitem__([4, 1], x[1, :2]),
    "a mask": lambda a, x: a.flat.__setitem__(np.arange(8) % 3 == 0, x[1, :3]),
    "all": lambda a, x: setattr(a, "flat", x[:2]),
    "all, repeated": lambda a, x: setattr(a, "flat", x[1, :3]),
}
PARTS: dict[str, Callable[[Any], Any]] = {
    "rows side by side": lambda a: a[1:3],
    "every other row": lambda a: a[::2],
    "columns": lambda a: a[:, 1:3],
    "columns, transposed": lambda a: a[:, ::-2].T,
}


@pytest.mark.parametrize("x", (X, np.asfortranarray(X)), ids=("C", "F"))
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("write", FLAT.values(), ids=FLAT)
def test_a_write_to_flat_is_one_to_the_array(write: Callable[[Any, Any], None], part: Callable[[Any], Any], x: Array) -> None:
    def f(np_: Any, x: Any) -> Any:
        a = np_.copy(x)
        elements = part(a).flat
        few = elements[:3]
        write(part(a), x)
        a[1] *= x[2]
        return np_.concatenate([np.sin(a).reshape(-1), few, elements[2:4], np_.stack(list(elements))])

    expected = f(np, x)
    found, tangents = tg.jvp(lambda x: f(tnp, x), (x,), (x,))
    np.testing.assert_allclose(found, expected)
    h = 1e-6
    np.testing.assert_allclose(tangents, (f(np, x + h * x) - f(np, x - h * x)) / (2 * h), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(tg.vmap(lambda x: f(tnp, x))(x[None])[0], expected)
    np.testing.assert_allclose(tg.jit(lambda x: f(tnp, x))(x), expected)


def test_flat_can_be_written_at_positions_that_are_traced() -> None:
    def f(x: Any, k: Any) -> Any:
        a = tnp.copy(x)
        a[:, 1:3].flat[k] = x[0, 0] ** 2
        return a

    for k in range(8):
        expected = X.copy()
        expected[:, 1:3].flat[k] = X[0, 0] ** 2
        np.testing.assert_array_equal(tg.jit(f)(X, k), expected)


def test_one_flat_element_holds_one_number() -> None:
    with pytest.raises(ValueError, match="Error setting single item"):
        tg.jvp(lambda x: tnp.copy(x).flat.__setitem__(0, x[0]), (X,), (X,))


def test_a_part_of_complex_numbers_is_not_written_through_flat_either() -> None:
    with pytest.raises(TypeError, match="real or imaginary part"):
        tg.jvp(lambda x: tnp.copy(x).imag.flat.__setitem__(0, 1.0), (X + 0j,), (X + 0j,))


def test_the_flat_elements_of_an_argument_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="is an argument of the transform"):
        tg.grad(lambda x: x.flat.__setitem__(0, 1.0))(X)


def test_no_view_is_promised_where_numpy_has_to_copy() -> None:
    def f(x: Any) -> Any:
        rows = tnp.copy(x)[::2]
        with pytest.raises(ValueError, match="Unable to avoid"):
            np.reshape(rows, -1, copy=False)
        with pytest.raises(ValueError, match="Unable to avoid"):
            tnp.asarray(rows, order="C", copy=False)
        with pytest.raises(ValueError, match="Unable to avoid"):
            tnp.array(rows, order="F", copy=False)
        rows[:1].reshape(-1, copy=False)[0] = x[1, 1]
        return rows

    _, tangent = tg.jvp(f, (X,), (np.eye(4),))
    np.testing.assert_array_equal(tangent[0], [1.0, 0.0, 0.0, 0.0])


def test_bad_requirements_are_refused_as_by_numpy() -> None:
    def f(x: Any) -> Any:
        return tnp.require(x, requirements="CF")

    with pytest.raises(ValueError, match="both"):
        tg.jvp(f, (X,), (X,))


def test_numbers_for_nan_in_place_are_seen_in_the_array() -> None:
    def f(x: Any) -> Any:
        b = tnp.copy(np.log(x))
        b[0] = -np.inf
        assert np.nan_to_num(b[:2], copy=False, neginf=0.0) is not b
        assert np.nan_to_num(b, copy=False) is b
        return b

    y, tangent = tg.jvp(f, (np.array([1.0, 2.0, 4.0]),), (np.ones(3),))
    np.testing.assert_allclose(y, [0.0, np.log(2.0), np.log(4.0)])
    np.testing.assert_allclose(tangent, [0.0, 0.5, 0.25])
