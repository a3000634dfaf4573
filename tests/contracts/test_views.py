"""Every function and method answers with a view exactly where NumPy's does: what is written to one shows in the other."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.typing import Array

X: Array = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, 9)).reshape(3, 3)

ARGUMENTS: tuple[Callable[[Any], tuple[Any, ...]], ...] = (
    lambda a: (a,),
    lambda a: ([a],),
    lambda a: (a, a),
    lambda a: (a, 0),
    lambda a: (a, 1),
    lambda a: (a, -1),
    lambda a: (a, (0, 1)),
    lambda a: (a, (1, 0)),
    lambda a: (a, (9,)),
    lambda a: (a, (2, 3, 3)),
    lambda a: (a, [0]),
    lambda a: (a, []),
    lambda a: (a, "F"),
    lambda a: (a, "K"),
    lambda a: (a, float),
    lambda a: (a, 0, 0),
    lambda a: (a, 0, 1),
    lambda a: (a, 1, 0),
    lambda a: (a, 0, -1),
    lambda a: (a, [0, 2], 0),
    lambda a: (a, None, None),
    lambda a: (a[:, :1],),
    lambda a: (a[::2], 0),
    lambda a: (a.T, (9,)),
    lambda a: (a.T, "K"),
    lambda a: (0, a),
    lambda a: (a > 0, a),
    lambda a: ("ij->ji", a),
    lambda a: ("ii->i", a),
)
"""Arguments to try; a function is held to NumPy for those that NumPy's takes."""

LEFT_OUT = {
    "empty",
    "empty_like",  # their contents are nobody's
    "sliding_window_view",  # makes an array of its own (see README)
    "dump",
    "dumps",
    "tofile",
    "ctypeslib",
    "tobytes",
    "tolist",  # no arrays
}

WITHOUT_VIEWS = {"ndarray.base", "ndarray.byteswap", "ndarray.getfield", "ndarray.view"}
"""What looks at memory as something else, which no traced array offers."""


def public(name: str, a: Any) -> Callable[..., Any]:
    return getattr(np if isinstance(a, np.ndarray) else tnp, name)  # type: ignore[no-any-return]  # a function


def method(name: str, a: Any) -> Callable[..., Any]:
    return lambda b, *rest: getattr(b, name)(*rest)


def attribute(name: str, a: Any) -> Callable[..., Any]:
    return lambda b: getattr(b, name)


def functions() -> dict[str, Callable[[Any], Callable[..., Any]]]:
    """Find what is to be tried: for each name the function, method or attribute, by the array that it is for."""
    found: dict[str, Callable[[Any], Callable[..., Any]]] = {}
    for name in dir(tnp):
        if not name.startswith("_") and callable(getattr(np, name, None)) and not inspect.isclass(getattr(np, name)):
            found[name] = partial(public, name)
    for name in dir(np.ndarray):
        if not name.startswith("_"):
            found[f"ndarray.{name}"] = partial(method if callable(getattr(np.ndarray, name)) else attribute, name)
    return {name: make for name, make in found.items() if name.rpartition(".")[2] not in LEFT_OUT}


def parts(y: Any) -> Iterator[Any]:
    """Return the arrays of numbers in an answer."""
    if isinstance(y, (tuple, list)):
        for part in y:
            yield from parts(part)
    elif np.ndim(y) and getattr(y, "dtype", np.dtype(bool)).kind == "f" and hasattr(y, "__setitem__"):
        yield y


FUNCTIONS = functions()


def program(module: Any, name: str, which: int, written: str, x: Any) -> tuple[Any, ...]:
    """Derive something from an array, write into one of the two, and return both."""
    a = module.copy(x)
    derived = list(parts(FUNCTIONS[name](a)(*ARGUMENTS[which](a))))
    if written == "the array":
        a[0] = 2.0 * x[1]
        a *= x
    for y in derived if written == "the answer" else ():
        y[:1] = 2.0 * x[0, 0]
    return (a, *derived)


def calls(name: str) -> Iterator[int]:
    """Return which of the arguments NumPy's function takes, and answers with arrays of numbers."""
    for which, arguments in enumerate(ARGUMENTS):
        a = X.copy()
        try:
            with np.errstate(all="ignore"):
                answers = list(parts(FUNCTIONS[name](a)(*arguments(a))))
        except Exception:  # not a call of this function: what NumPy says of it is as good as any
            continue
        if answers and all(np.isfinite(y).all() for y in answers):
            yield which


TRIED = {name: list(calls(name)) for name in FUNCTIONS}


@pytest.mark.filterwarnings("ignore")  # numbers are drawn for views, not for logarithms
@pytest.mark.parametrize("written", ("the array", "the answer"))
@pytest.mark.parametrize("name", [name for name, found in TRIED.items() if found])
def test_an_answer_shares_its_elements_with_the_array_exactly_where_numpys_does(name: str, written: str) -> None:
    for which in TRIED[name]:
        assert_shared_alike(name, which, written)


def maybe_an_output(args: tuple[Any, ...]) -> bool:
    """Tell whether the last argument may be NumPy's output array by position (by name here), or nothing at all."""
    return len(args) > 1 and type(args[0]) is not str and isinstance(args[-1], (np.ndarray, list, type(None)))


def assert_shared_alike(name: str, which: int, written: str) -> None:
    a = X.copy()
    shared = [np.shares_memory(a, y) for y in parts(FUNCTIONS[name](a)(*ARGUMENTS[which](a)))]

    def f(x: Any) -> Any:
        return program(tnp, name, which, written, x)

    try:
        expected = program(np, name, which, written, X)
    except ValueError:  # a view that cannot be written
        with pytest.raises((AttributeError, TypeError, ValueError)):
            tg.jvp(f, (X,), (X,))
        return
    try:
        found, tangents = tg.jvp(f, (X,), (X,))
    except (AttributeError, TypeError, ValueError):  # what was computed is a value, and is not written; views are
        assert name in WITHOUT_VIEWS or not any(shared) or maybe_an_output(ARGUMENTS[which](a))
        return
    assert len(found) == len(expected)
    for y, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-13)
    if any(shared):
        h = 1e-6
        above, below = (program(np, name, which, written, X + s * X) for s in (h, -h))
        for t, up, down in zip(tangents, above, below, strict=True):
            np.testing.assert_allclose(t, (up - down) / (2 * h), rtol=1e-6, atol=1e-6)


def test_the_views_that_are_tried_are_many() -> None:
    """The tester is tested: what makes views in NumPy is among what is tried."""
    names = {name for name, found in TRIED.items() if found}
    assert names >= {
        "reshape",
        "ravel",
        "transpose",
        "flip",
        "split",
        "diagonal",
        "einsum",
        "squeeze",
        "ndarray.T",
        "ndarray.ravel",
    }
    assert len(names) > 250
