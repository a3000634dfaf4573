"""What a function under a transform may return, and what is said about anything else."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.core.complaints import leaked
from tapegrad.core.node import Recording, argument_paths
from tapegrad.core.var import Var


def check_function(name: str, f: Any) -> None:
    """Raise for what a transform cannot be applied to.

    Raises:
        TypeError: if `f` cannot be called.
    """
    if isinstance(f, classmethod):
        raise TypeError(f"{name}: got a classmethod: write @classmethod above @{name}, not below it")
    if not callable(f):
        raise TypeError(f"{name}: expected a function, got {kind_of(f)}")


def kind_of(x: Any) -> str:
    """Say what something is: a traced value is an array."""
    if x is None:
        return "None"
    if type(x) is Var or isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}"
    return f"{'an' if type(x).__name__[0] in 'aeiou' else 'a'} {type(x).__name__}"


def split_aux(name: str, f: Callable[..., Any], out: Any) -> tuple[Any, Any]:
    """Take ``(output, aux)`` apart."""
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(
            f"{name} of {getattr(f, '__name__', f)} with has_aux=True: the function must return (output, aux), "
            f"got {kind_of(out)}"
        )
    return out[0], out[1]


def check_scalar(name: str, f: Callable[..., Any], out: Any, tape: Recording, holomorphic: bool) -> int | None:
    """Return the index of an output that is a real scalar, or None for one that is a constant.

    Raises:
        TypeError: if it is anything else.
    """
    if type(out) is Var:
        if out.tape is not tape:
            raise leaked(out)
        value = out.value
        if not holomorphic and (type(value) is float or (getattr(value, "shape", None) == () and value.dtype.kind == "f")):
            return out.index
    elif not holomorphic and (
        isinstance(out, (float, np.floating)) or (isinstance(out, np.ndarray) and out.shape == () and out.dtype.kind == "f")
    ):
        return None
    who = f"{name} of {getattr(f, '__name__', f)}"
    if not isinstance(out, (Var, np.ndarray, np.generic, int, float, complex)):
        hint = " (set has_aux=True if it is (loss, aux))" if isinstance(out, tuple) and len(out) == 2 else ""
        hint = " (is a return missing?)" if out is None else hint
        raise TypeError(f"{who}: the function must return a real scalar, got {kind_of(out)}{hint}")
    shape, dtype = np.shape(out.value if type(out) is Var else out), out.dtype if hasattr(out, "dtype") else np.dtype(type(out))
    if shape != ():
        raise TypeError(
            f"{who}: the function must return a real scalar, got an array of shape {shape}. Reduce it (sum, mean), or use "
            f"tapegrad.vjp with a cotangent of that shape, or tapegrad.jacrev for all its derivatives"
        )
    if dtype.kind == "c" and holomorphic:
        return out.index if type(out) is Var else None
    if dtype.kind == "c":
        raise TypeError(
            f"{who}: the function must return a real scalar, got dtype {dtype}. Take its real part or absolute value, or set "
            f"holomorphic=True if the function is holomorphic"
        )
    if holomorphic:
        raise TypeError(f"{who} with holomorphic=True: the function must return a complex scalar, got dtype {dtype}")
    raise TypeError(f"{who}: the function must return a real scalar of floating-point type, got dtype {dtype}")


def check_complex(
    name: str, f: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...], values: Sequence[Any]
) -> None:
    """Check that the arguments of a function that is declared holomorphic are complex.

    Raises:
        TypeError: for a real leaf, naming its path.
    """
    for path, x in zip(argument_paths(f, args, positions), values, strict=True):
        dtype = np.asarray(x).dtype
        if dtype.kind != "c":
            raise TypeError(
                f"{name} of {getattr(f, '__name__', f)} with holomorphic=True: the leaf {path} has dtype {dtype}, expected "
                f"complex numbers. Convert it with .astype(complex), or leave holomorphic out and take a real part"
            )


def output_index(name: str, f: Callable[..., Any], leaf: Any, tape: Recording) -> int | None:
    """Return the index of one leaf of an output, or None for a constant.

    Raises:
        TypeError: if it is not an array.
    """
    if type(leaf) is Var:
        if leaf.tape is not tape:
            raise leaked(leaf)
        return leaf.index
    if not isinstance(leaf, (np.ndarray, np.generic, float, int, complex)):
        raise TypeError(f"{name} of {getattr(f, '__name__', f)}: the function must return arrays, got {kind_of(leaf)}")
    return None
