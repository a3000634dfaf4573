"""Rules divide by zero where the user's code does not, and say nothing; what the user wrote warns as NumPy does.

Warnings are errors in these tests, so that a rule which says something fails.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp

CORNER = np.array([0.0, 1.0, 4.0])
SLOPES = np.array([np.inf, 0.5, 0.25])


def total_root(x: Any) -> Any:
    return tnp.sum(tnp.sqrt(x))


def slope(x: Any) -> Any:
    return tg.grad(tnp.sqrt)(x)


def pushed(x: Any) -> Any:
    tangent: Any = tg.jvp(tnp.sqrt, (x,), (1.0,))[1]
    return tangent


def pulled(x: Any) -> Any:
    return tg.vjp(tnp.sqrt, x)[1](np.ones(()))[0]


def rows(push: Callable[[Any], Any]) -> Any:
    """Return the diagonal of the Jacobian, from a function that was mapped over a basis."""
    return np.diag(tg.vmap(push)(np.eye(3)))


mapped_twice: Callable[[Any], Any] = tg.vmap(tg.vmap(tg.grad(tnp.sqrt)))

WAYS: dict[str, Callable[[Any], Any]] = {
    "grad": tg.grad(total_root),
    "vmap of grad": tg.vmap(tg.grad(tnp.sqrt)),
    "vmap of jvp": tg.vmap(pushed),
    "vmap of vjp": tg.vmap(pulled),
    "vmap of vmap of grad": lambda x: mapped_twice(x[None])[0],
    "vmap of grad of checkpoint": tg.vmap(tg.grad(tg.checkpoint(lambda x: tnp.sqrt(x)))),
    "vmap of a pull": lambda x: rows(lambda g: tg.vjp(tnp.sqrt, x)[1](g)[0]),
    "vmap of a push": lambda x: rows(tg.linearize(tnp.sqrt, x)[1]),
    "jacrev": lambda x: np.diag(tg.jacrev(tnp.sqrt)(x)),
    "jacfwd": lambda x: np.diag(tg.jacfwd(tnp.sqrt)(x)),
}


@pytest.mark.parametrize("way", WAYS)
def test_rules_say_nothing_about_an_infinite_slope(way: str) -> None:
    np.testing.assert_array_equal(WAYS[way](CORNER), SLOPES)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("jac") and " pu" not in way])
def test_rules_of_rules_say_nothing_either(way: str) -> None:
    np.testing.assert_array_equal(tg.grad(lambda x: tnp.sum(WAYS[way](x)))(CORNER), [-np.inf, -0.25, -0.03125])


@pytest.mark.parametrize(
    "body",
    (
        tg.checkpoint(lambda x: slope(x)),
        tg.jit(lambda x: slope(x)),
        lambda x: tg.scan(lambda carry, v: (carry, slope(v)), 0.0, x[None])[1][0],
        lambda x: tg.cond(x >= 0.0, slope, lambda x: 0.0 * x, x),
    ),
    ids=("checkpoint", "jit", "scan", "cond"),
)
def test_rules_in_a_program_say_nothing_where_it_is_mapped(body: Callable[[Any], Any]) -> None:
    np.testing.assert_array_equal(tg.vmap(body)(CORNER), SLOPES)


def test_mapped_gradients_at_a_branch_not_taken_say_nothing() -> None:
    found = tg.vmap(tg.grad(lambda x: tnp.where(x > 0, tnp.sqrt(x), 0.0)))(CORNER)
    np.testing.assert_array_equal(found, [0.0, 0.5, 0.25])


def test_mapped_hessians_at_a_corner_say_nothing() -> None:
    found = tg.vmap(tg.hessian(total_root))(CORNER[:, None])
    np.testing.assert_array_equal(found.ravel(), [-np.inf, -0.25, -0.03125])


def test_what_the_user_computes_warns_as_numpy_does() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        tg.vmap(tg.value_and_grad(tnp.log))(CORNER[::-1])
