"""One check for a function of `tapegrad.numpy`: it answers as NumPy does, through both doors, and differentiates."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from tapegrad import numpy as tnp
from tapegrad import tree
from tapegrad.testing import assert_trees_close, check_grads
from tapegrad.transforms.pullback import vjp


def assert_same(actual: Any, expected: Any) -> None:
    """Assert that NumPy's answer was given: values, dtypes, arrays where arrays were due and scalars where scalars were."""
    found, wanted = tree.leaves(tuple(actual) if isinstance(expected, tuple) else actual), tree.leaves(expected)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert type(a) is type(b), f"{type(a)}, expected {type(b)}"
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)


def unnamed(y: Any) -> Any:
    """Return a result of several parts as a plain tuple: NumPy's own named tuples are other classes than tapegrad's."""
    return tuple(y) if isinstance(y, tuple) else y


def check(name: str, *args: Any, by: tuple[int, ...] = (0,), order: int = 2, **settings: Any) -> None:
    """Check a function by its name.

    Args:
        name: what NumPy and `tapegrad.numpy` call it, such as "sum" or "linalg.inv".
        args: its arguments by position.
        by: which of them to differentiate by.
        order: how many times.
        settings: its arguments by keyword.
    """
    find = attrgetter(name)
    expected = unnamed(find(np)(*args, **settings))
    assert_same(find(tnp)(*args, **settings), expected)
    moving = [args[i] for i in by]

    def through(module: Any) -> Callable[..., Any]:
        def f(*moved: Any) -> Any:
            given = list(args)
            for i, x in zip(by, moved, strict=True):
                given[i] = x
            return unnamed(find(module)(*given, **settings))

        return f

    value, pull = vjp(through(tnp), *moving)
    other_value, other_pull = vjp(through(np), *moving)
    assert_trees_close(value, expected, 1e-13, 1e-14)
    assert_trees_close(other_value, value, 0.0, 0.0)
    g = tree.map(lambda y: np.linspace(0.5, 1.5, np.size(y)).reshape(np.shape(y)).astype(np.asarray(y).dtype)[()], value)
    assert_trees_close(other_pull(g), pull(g), 0.0, 0.0)
    single = [x.astype(np.float32 if x.dtype.kind == "f" else np.complex64) for x in map(np.asarray, moving)]
    _, pull = vjp(through(tnp), *single)
    value = through(tnp)(*single)
    g = tree.map(lambda y: np.ones_like(y)[()], value)
    for c, x in zip(pull(g), single, strict=True):
        assert c.dtype == x.dtype, f"{name}: the gradient of a {x.dtype} argument is {c.dtype}"
    check_grads(through(tnp), moving, order)
