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


# The advice is for the transform that does not know the value

ASKED: dict[str, Callable[[Any], Any]] = {
    "its truth": lambda x: bool(x > 0),
    "int(x)": int,
    "float(x)": float,
    "complex(x)": complex,
    "an index or a count": lambda x: range(x.astype(int)),
    "an integer": round,
    "a plain array": np.asarray,
    "a plain array, or an index of one": lambda x: np.arange(9.0)[x.astype(int)],
    "a plain array, or a mask of one": lambda x: np.arange(9.0)[x > 0],
    "x.item()": lambda x: x.item(),
    "x.tolist()": lambda x: x.tolist(),
    "its values (numpy.flatnonzero)": np.flatnonzero,
}


def asking(what: str) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        ASKED[what](x)
        return x * 1.0

    return f


UNDER: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "jit": (lambda f: tg.jit(f)(2.0), {"static_argnames", "has_aux"}),
    "jit of grad": (lambda f: tg.jit(tg.grad(f))(2.0), {"static_argnames", "has_aux"}),
    "vmap": (lambda f: tg.vmap(f)(X), {"in_axes=None"}),
    "vmap of grad": (lambda f: tg.vmap(tg.grad(f))(X), {"in_axes=None"}),
    "grad of vmap": (lambda f: tg.grad(lambda x: np.sum(tg.vmap(f)(x)))(X), {"in_axes=None"}),
    "jit of vmap": (lambda f: tg.jit(tg.vmap(f))(X), {"in_axes=None"}),
    "both": (lambda f: tg.jit(lambda y: tg.vmap(lambda x: f(x * y))(X))(1.0), {"in_axes=None", "static_argnames", "has_aux"}),
    "scan in grad": (lambda f: tg.grad(lambda x: tg.scan(lambda c, v: (c, f(v)), 0.0, x)[1].sum())(X), {"before scan"}),
    "cond in grad": (lambda f: tg.grad(lambda x: tg.cond(x > 0, f, f, x))(2.0), {"before cond"}),
}
WAYS = {"static_argnames", "has_aux", "in_axes=None", "before scan", "before cond", "tapegrad.stop_gradient"}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("under", UNDER)
def test_the_advice_is_for_the_transform_that_does_not_know_the_value(under: str, what: str) -> None:
    transform, ways = UNDER[under]
    with pytest.raises(ConcretizationError) as caught:
        transform(asking(what))
    message = str(caught.value)
    assert f"was asked for {what}" in message and "test_lost.py:" in message
    assert {way for way in WAYS if way in message} == ways


def test_a_value_from_outside_a_transform_is_known_within_it() -> None:
    """What the outer transform knows can be looked at in an inner one that does not know its own arguments."""
    assert tg.grad(lambda y: tg.vmap(lambda x: float(tg.stop_gradient(y)) * x * y)(X).sum())(2.0) == 12.0
    assert tg.grad(lambda y: tg.vmap(lambda x: np.array([3.0])[y > 0].sum() * x * y)(X).sum())(2.0) == 18.0
    assert tg.jit(lambda w: tg.grad(lambda y: float(tg.stop_gradient(y)) * y)(2.0) + w)(1.0) == 3.0
    with pytest.raises(ConcretizationError, match=r"would lose the derivative.*stop_gradient"):
        tg.grad(lambda y: tg.vmap(lambda x: float(y) * x)(X).sum())(2.0)


def test_filling_an_array_of_numpy_says_so_in_a_program() -> None:
    with pytest.raises(ConcretizationError, match=r"test_lost.py:\d+, in fill, .* tapegrad\.numpy\.zeros"):
        tg.jit(fill)(X)


@pytest.mark.parametrize("make", [np.zeros, np.empty, np.ones, lambda n: np.full(n, 2.0)])
@pytest.mark.parametrize("under", [tg.jit, lambda f: lambda n: tg.vmap(f)(np.array([n, n]))], ids=["jit", "vmap"])
def test_a_shape_that_depends_on_a_value_is_named_with_its_line(under: Any, make: Any) -> None:
    """NumPy puts an error of its own in the place of what a single integer for a shape raises."""
    with pytest.raises(ConcretizationError, match=r"index or a count .*test_lost.py:\d+, in .* has to be known before"):
        under(lambda n: make(n))(2)
    with pytest.raises(TypeError, match=r"'str' object cannot be interpreted|a single integer, got 'two'"):
        under(lambda n: make("two"))(2)


def test_a_number_has_no_length_as_in_numpy() -> None:
    with pytest.raises(TypeError, match=r"len\(\) of unsized object"):
        tg.grad(lambda x: len(x) * x)(2.0)
