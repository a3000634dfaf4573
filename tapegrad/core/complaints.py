"""What is said about a traced value that is used where it cannot be."""

import reprlib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from tapegrad.core.node import Recording
from tapegrad.errors import ConcretizationError, LeakedVarError, MissingRuleError, library_function, users_line

ARRAYS = (
    "Write it with arrays (x itself, x.reshape(()), functions of tapegrad.numpy such as array([x, y])); make an array that it "
    "is assigned into with tapegrad.numpy.zeros"
)
CONSTANT_OR_ARRAY = f"would lose the derivative. {ARRAYS}; or take the value as a constant with tapegrad.stop_gradient(x)"

TRUTH = (
    "Write tapegrad.numpy.where(condition, a, b), maximum or minimum, or a branch or loop with tapegrad.cond or while_loop, or "
    "hoist the branch out of the transform"
)
INTEGER = (
    "Write tapegrad.numpy.floor(x) or x.astype(int) for an array of whole numbers, tapegrad.numpy.take(array, index) to read "
    "at an index, tapegrad.fori_loop for a loop; a shape has to be known before"
)
ROUNDED = "Write tapegrad.numpy.rint, floor, ceil or trunc"
INDEX = "Write tapegrad.numpy.take(array, index), or pass the array that it indexes as an argument, too"
MASK = "Write tapegrad.numpy.where(mask, array, other)"

WAYS = {
    "jit": "What decides which operations there are can be a static argument (static_argnames of jit); what is only to be "
    "looked at can be returned (has_aux=True in a gradient)",
    "vmap": "What is the same for all examples can be passed with in_axes=None",
}
"""For a transform that does not know a value where it stands: what to do about it in its call."""


def leaked(x: Any) -> LeakedVarError:
    """Return the error for a traced value that is used away from its tape."""
    return LeakedVarError(
        f"a traced value of shape {x.shape} and dtype {x.dtype}, made by '{x.primitive.name}', was used at {users_line()} "
        f"outside the transform (or the thread) that recorded it. Return it from the function as output or with has_aux=True "
        f"instead of storing it, or store tapegrad.stop_gradient(x)."
    )


def hidden(x: Any, what: str, way: str, transforms: Sequence[str]) -> NoReturn:
    """Raise the error for a traced value that was asked for a plain one under transforms that trace for all values at once."""
    names = tuple(dict.fromkeys(transforms))
    ways = [
        WAYS.get(name, f"What is known before {name} is called can be taken from the enclosing function, not as an argument")
        for name in names
    ]
    traces = "traces its function" if len(names) == 1 else "trace their functions"
    why = f"has no single value under {' and '.join(names)}, which {traces} once for all values"
    lost(x, what, ". ".join([why, way, *ways]))


def lost(x: Any, what: str, why: str) -> NoReturn:
    """Raise the error for a traced value that was asked for a plain one."""
    called = library_function()
    way = (
        ""
        if called is None
        else (
            f" {called} reads its argument in a way that no rule can follow: call what stands for it in tapegrad.numpy or "
            f"tapegrad.scipy, write its formula out, or give it a rule of your own with tapegrad.primitive."
        )
    )
    by = "" if called is None else f" by {called}, called"
    x.tape.refused = (
        f"a traced value of shape {x.shape} and dtype {x.dtype} was asked for {what}{by} at {users_line()}, which {why}.{way}"
    )
    raise ConcretizationError(x.tape.refused)


def no_number(operation: str, position: int, x: Any, way: str = "") -> TypeError:
    """Return the error for what is neither array nor number, and stands beside a traced value."""
    kind, shown = type(x), reprlib.repr(x)
    what = f"{'an' if kind.__name__[0] in 'aeioAEIO' else 'a'} {kind.__name__}"
    if kind in (np.ndarray, np.memmap):
        what = f"an array of dtype {x.dtype}"
    elif kind.__module__ == "builtins" and "<" not in shown:
        what = "None" if x is None else f"{what}, {shown},"
    return TypeError(
        f"the operation '{operation}' was given {what} as input {position} (counted from 0) at {users_line()}, which cannot be "
        f"combined with a traced value: expected an array of numbers, or a number{way}"
    )


def check_numbers(operation: str, args: Iterable[Any]) -> None:
    """Raise the error for the first input that is an array of something else than numbers, if there is one."""
    for position, x in enumerate(args):
        if getattr(getattr(x, "dtype", None), "kind", "f") not in "biufc":
            raise no_number(operation, position, x)


def uncover(error: Exception, tape: Recording) -> None:
    """Raise the error of ours that one of NumPy's hides.

    It calls a traced value in ``a[i] = x`` a sequence, and forgets why the one in ``np.zeros(n)`` gave no integer.
    """
    if isinstance(error, (TypeError, ValueError)) and isinstance(error.__cause__, ConcretizationError):
        raise error.__cause__ from None
    if tape.refused and type(error) is TypeError and "a single integer, got 'Var(" in str(error):
        raise ConcretizationError(tape.refused).with_traceback(error.__traceback__) from None


def no_stand_in(name: str) -> MissingRuleError:
    """Return the error for a function of NumPy that records nothing."""
    return MissingRuleError(
        f"{name} was called on a traced value at {users_line()}, but has no derivative rule here. Write it with functions "
        f"of tapegrad.numpy, or call it on tapegrad.stop_gradient(x) if its result is a constant."
    )
