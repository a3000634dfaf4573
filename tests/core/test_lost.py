"""What would lose a derivative is an error that names what was called, where, and the way out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tapegrad.errors import ConcretizationError

X = np.array([1.0, 2.0, 3.0])


def fill(x: Any) -> Any:
    out = np.zeros(3)
    for i in range(3):
        out[i] = x[i] ** 2
    return out.sum()


def fill_rows(x: Any) -> Any:
    out = np.zeros((2, 3))
    out[0] = x
    return out.sum()


def fill_some(x: Any) -> Any:
    out = np.zeros(3)
    out[[0, 1]] = x[:2]
    return out.sum()


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: tg.grad(f)(X),
    "value_and_grad": lambda f: tg.value_and_grad(f)(X),
    "vjp": lambda f: tg.vjp(f, X),
    "jvp": lambda f: tg.jvp(f, (X,), (X,)),
    "vmap": lambda f: tg.vmap(f)(np.stack([X, X])),
    "grad of grad": lambda f: tg.grad(lambda x: tnp.sum(tg.grad(f)(x)))(X),
}


@pytest.mark.parametrize("f", (fill, fill_rows, fill_some))
@pytest.mark.parametrize("way", TRANSFORMS)
def test_filling_an_array_of_numpy_says_how_to_make_one_that_can_be_filled(way: str, f: Callable[[Any], Any]) -> None:
    with pytest.raises(ConcretizationError, match=rf"test_lost.py:\d+, in {f.__name__}, .* tapegrad\.numpy\.zeros") as caught:
        TRANSFORMS[way](f)
    assert caught.traceback[-1].name != "uncover"


def test_other_errors_of_numpy_are_left_as_they_are() -> None:
    with pytest.raises(ValueError, match="inhomogeneous") as caught:
        tg.grad(lambda x: np.array([[1.0], [1.0, 2.0]]).sum() * x)(1.0)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ("optimize.rosen", "special.logsumexp", "integrate.trapezoid", "linalg.det"))
def test_a_function_of_scipy_that_makes_a_plain_array_is_named_with_the_users_line(name: str) -> None:
    pytest.importorskip("scipy")
    import importlib

    room, function = name.split(".")
    f = getattr(importlib.import_module(f"scipy.{room}"), function)
    with pytest.raises(ConcretizationError, match=rf"by scipy\.{room}\.{function}, called at .*test_lost.py") as caught:
        tg.grad(lambda x: f(x))(np.outer(X, X) if function == "det" else X)
    for way_out in ("tapegrad.scipy", "tapegrad.primitive", "tapegrad.stop_gradient(x)"):
        assert way_out in str(caught.value)


def test_a_list_of_traced_values_is_sent_to_the_function_that_takes_one() -> None:
    with pytest.raises(ConcretizationError, match=r"by numpy\.sum, called at .*test_lost.py.* tapegrad\.numpy"):
        tg.grad(lambda x: np.sum([v * v for v in x]))(X)
    np.testing.assert_array_equal(tg.grad(lambda x: tnp.sum([v * v for v in x]))(X), 2.0 * X)
