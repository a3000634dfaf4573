"""What `jit` is told about a function: the names of its arguments, and which of them are static or given away."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tapegrad.compiler.trace import name_of

BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def parameters(f: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """Return the parameters of a function, or None if they are not known."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None


def positional_names(f: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that can be given by position."""
    return [p.name for p in parameters(f) or () if p.kind in BY_POSITION]


def names_of(what: str, given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return names that were given as one string, or as several.

    Raises:
        TypeError: if it is anything else.
    """
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(name, str) for name in names):
        kind = "a pass" if what == "passes" else "an argument"
        raise TypeError(f"jit: {what} must be the name of {kind}, or several, got {given!r}")
    return names


def check_names(f: Callable[..., Any], static: Iterable[str], donated: Iterable[str]) -> None:
    """Check that names are those of arguments, and that none is both static and given away.

    Raises:
        ValueError: naming the one that is not.
    """
    known = parameters(f)
    for what, given in (("static_argnames", static), ("donate_argnames", donated)):
        for name in given if known is not None else ():
            kind = next((p.kind for p in known or () if p.name == name), None)
            if kind is None and not any(p.kind is p.VAR_KEYWORD for p in known or ()):
                raise ValueError(
                    f"jit: {what} names '{name}', but {name_of(f)} has the parameters "
                    f"{', '.join(p.name for p in known or ()) or 'none'}"
                )
            if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                stars = "*" if kind is inspect.Parameter.VAR_POSITIONAL else "**"
                raise ValueError(
                    f"jit: {what} names '{name}', but {stars}{name} of {name_of(f)} are any number of arguments, and not one. "
                    f"Give the function a parameter of that name"
                )
    for name in static:
        if name in donated:
            raise ValueError(
                f"jit of {name_of(f)}: '{name}' is in static_argnames and in donate_argnames, but a static argument is no "
                f"array that could be given away. Take it out of one of them"
            )
