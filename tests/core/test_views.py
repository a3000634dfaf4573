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


def test_a_write_to_what_flat_had_to_copy_is_refused_and_not_lost() -> None:
    def f(x: Any, rows: slice) -> Any:
        a = tnp.copy(x)
        a[rows].flat[5] = 2.0 * x[0, 0]
        return a

    _, tangent = tg.jvp(lambda x: f(x, slice(1, 3)), (X,), (np.ones((4, 4)),))
    assert tangent[2, 1] == 2.0
    with pytest.raises(TypeError, match="It was computed"):
        tg.jvp(lambda x: f(x, slice(None, None, 2)), (X,), (X,))


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
