"""Derivatives of elementwise functions, element by element and by every combination of modes."""

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg


def first(f: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
    """Return the derivative of `f` by each argument, by reverse mode, checked to be that of forward mode."""
    backward = tuple(pulled(f, k, *args) for k in range(len(args)))
    for k, g in enumerate(backward):
        np.testing.assert_allclose(pushed(f, k, *args), g, rtol=1e-12, err_msg=f"forward mode, argument {k}")
    return backward


def second(f: Callable[..., Any], *args: Any) -> tuple[tuple[Any, ...], ...]:
    """Return the second derivatives of `f`, reverse over reverse, checked to be those of the three other combinations."""
    rows = []
    for i in range(len(args)):
        row = tuple(pulled(lambda *xs, i=i: pulled(f, i, *xs), j, *args) for j in range(len(args)))
        for j, g in enumerate(row):
            others = {
                "forward over reverse": pushed(lambda *xs, i=i: pulled(f, i, *xs), j, *args),
                "reverse over forward": pulled(lambda *xs, i=i: pushed(f, i, *xs), j, *args),
                "forward over forward": pushed(lambda *xs, i=i: pushed(f, i, *xs), j, *args),
            }
            for name, other in others.items():
                np.testing.assert_allclose(other, g, rtol=1e-12, err_msg=f"{name}, by arguments {i} and {j}")
        rows.append(row)
    return tuple(rows)


def pulled(f: Callable[..., Any], k: int, *args: Any) -> Any:
    """Return the derivative by argument `k` in reverse mode."""
    y, pull = tg.vjp(f, *args)
    return pull(np.ones(np.shape(y), y.dtype))[k]


def pushed(f: Callable[..., Any], k: int, *args: Any) -> Any:
    """Return the derivative by argument `k` in forward mode; the others stand still."""
    return tg.jvp(lambda x: f(*args[:k], x, *args[k + 1 :]), (args[k],), (np.ones(np.shape(args[k]), args[k].dtype),))[1]
