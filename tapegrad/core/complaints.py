"""What is said about a traced value that is used where it cannot be."""

from typing import Any, NoReturn

from tapegrad.errors import ConcretizationError, LeakedVarError, MissingRuleError, library_function, users_line

CONSTANT_OR_ARRAY = (
    "would lose the derivative. Write it with arrays (x itself, x.reshape(()), functions of tapegrad.numpy such as "
    "array([x, y])); make an array that it is assigned into with tapegrad.numpy.zeros; or take the value as a constant with "
    "tapegrad.stop_gradient(x)"
)

BATCHED_INDEX = (
    "must not be looked at under vmap or jit. Pass the array that it indexes as an argument (in_axes=None holds it for all "
    "examples), or write tapegrad.numpy.take(array, index)"
)
BATCHED_MASK = "must not be looked at under vmap or jit; use tapegrad.numpy.where(mask, array, other)"


def leaked(x: Any) -> LeakedVarError:
    """Return the error for a traced value that is used away from its tape."""
    return LeakedVarError(
        f"a traced value of shape {x.shape} and dtype {x.dtype}, made by '{x.primitive.name}', was used at {users_line()} "
        f"outside the transform (or the thread) that recorded it. Return it from the function as output or with has_aux=True "
        f"instead of storing it, or store tapegrad.stop_gradient(x)."
    )


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
    raise ConcretizationError(
        f"a traced value of shape {x.shape} and dtype {x.dtype} was asked for {what}{by} at {users_line()}, which {why}.{way}"
    )


def uncover(error: ValueError) -> None:
    """Raise the error of ours that one of NumPy's hides: it calls a traced value in ``a[i] = x`` a sequence."""
    if isinstance(error.__cause__, ConcretizationError):
        raise error.__cause__ from None


def no_stand_in(name: str) -> MissingRuleError:
    """Return the error for a function of NumPy that records nothing."""
    return MissingRuleError(
        f"{name} was called on a traced value at {users_line()}, but has no derivative rule here. Write it with functions "
        f"of tapegrad.numpy, or call it on tapegrad.stop_gradient(x) if its result is a constant."
    )
