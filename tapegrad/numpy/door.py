"""The second door: which function of this room stands in for which function of NumPy on traced values."""

from collections.abc import Callable
from typing import Any, TypeVar

from tapegrad.core.beside import gathered as gathered
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var

F = TypeVar("F", bound=Callable[..., Any])


def stands_for(*numpy_functions: Callable[..., Any]) -> Callable[[F], F]:
    """Mark a function as what NumPy's functions record when they meet a traced value."""

    def register(function: F) -> F:
        for numpy_function in numpy_functions:
            FUNCTIONS[numpy_function] = function
        return function

    return register


def refuse_out(out: Any, name: str) -> None:
    """Raise for an ``out=`` argument: values on the tape do not change.

    Raises:
        TypeError: if `out` is given.
    """
    if out is not None:
        raise TypeError(f"{name}: out= is not supported, because values on the tape do not change; use the returned array")


def plain_out(out: Any, name: str) -> Any:
    """Return the ``out=`` for NumPy's own function, of arrays that are not traced.

    Raises:
        TypeError: if `out` is traced: NumPy would send the call back here, without end.
    """
    if type(out) is Var:
        refuse_out(out, name)
    return out
