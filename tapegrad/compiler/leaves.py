"""What can be traced and what cannot, and the errors that say so."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tapegrad import tree
from tapegrad.compiler.interface import DONATED
from tapegrad.compiler.trace import name_of
from tapegrad.core.arrays import has_own_arithmetic, own_arithmetic
from tapegrad.errors import TraceError


def refuse(f: Callable[..., Any], path: str, x: Any) -> NoReturn:
    """Raise the error for a leaf that cannot be traced."""
    who = f"jit of {name_of(f)}: the leaf {path}"
    if isinstance(x, np.ndarray) and x.dtype.names == (DONATED,):
        raise TraceError(f"jit of {name_of(f)}: {path} was donated before; use what the function returned instead")
    if isinstance(x, np.ndarray) and has_own_arithmetic(x) and x.dtype.kind in "biufc":
        raise own_arithmetic(who, x)
    what = f"dtype {x.dtype}" if isinstance(x, (np.ndarray, np.generic)) else f"type {type(x).__name__}"
    name = path.split(".")[0].split("[")[0]
    ways = "Name the argument in static_argnames if the function is to be traced anew for each of its values"
    if isinstance(x, int):
        ways = "An integer must fit into 64 bits: pass a float, or name the argument in static_argnames"
    elif hasattr(x, "__array__") and not isinstance(x, (np.ndarray, np.generic)):
        ways = "Pass numpy.asarray(x), or name the argument in static_argnames"
    elif type(x).__module__ != "builtins" and not isinstance(x, (np.ndarray, np.generic)):
        ways = (
            f"Make its class a pytree, whose arrays are traced (a dataclass, an attrs class, or by "
            f"tapegrad.tree.register), or name {name} in static_argnames if the function is to be traced anew for each of them"
        )
    raise TypeError(f"{who} has {what}; arguments are arrays and numbers. {ways}")


def refuse_static(f: Callable[..., Any], path: str, x: Any) -> NoReturn:
    """Raise the error for a static argument that cannot be hashed."""
    raise TypeError(
        f"jit of {name_of(f)}: a static argument must be hashable, got a {type(x).__name__} for {path}. {hashable(x)}"
    ) from None


def check_fields(f: Callable[..., Any], structure: "tree.Structure[Any]") -> None:
    """Raise for the first static field in a tree of arguments that cannot be hashed."""
    for child in structure.children:
        check_fields(f, child)
    for x in structure.key if isinstance(structure.key, tuple) else (structure.key,):
        try:
            hash(x)
        except TypeError:
            kind = structure.kind.__name__ if structure.kind is not None else "a leaf"
            raise TypeError(
                f"jit of {name_of(f)}: static fields must be hashable, but one of {kind} holds a {type(x).__name__}. "
                f"{hashable(x)}"
            ) from None


def hashable(x: Any) -> str:
    """Say why a static value has to be hashable, and what to pass instead."""
    way = "trace it, as other arrays" if isinstance(x, np.ndarray) else "pass a tuple, or another value that is hashable"
    return f"There is a program for each value, found by its hash: {way}"
