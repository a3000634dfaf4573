"""What a primitive is: one operation of NumPy with everything the replays need to know about it."""

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, TypeAlias, TypeVar

import numpy as np
from attrs import field, frozen

from tapegrad.errors import MissingRuleError
from tapegrad.rooms import enter_all, entered_for

Fn: TypeAlias = Callable[..., Any]
"""A function on arrays: ``fn(*args, **settings)``, or a rule (see `Primitive`)."""


@frozen(eq=False)
class Case:
    """Inputs on which the contract tests try a primitive: the shape of each input, and the static settings.

    An input may also be given as a ready array, where its values matter (an index, a mask).
    """

    inputs: tuple[Any, ...]
    settings: dict[str, Any] = field(factory=dict)


def case(*inputs: Any, **settings: Any) -> Case:
    """Return a `Case`: shapes or arrays by position, settings by keyword."""
    return Case(inputs, settings)


class Slot(int):
    """A place in a call that is filled later: input `k`, or -1 for the array that the output is written into."""


OUT = Slot(-1)


@frozen(eq=False)
class Into:
    """A call that computes an output: ``function(*arguments)``, in which slots stand for the inputs, and for the array that
    the output is written into; where there is none it is None, or left out if it is last, and the function makes one."""

    function: Fn
    arguments: tuple[Any, ...]


@frozen(eq=False, repr=False)
class Primitive:
    """One operation, complete where it is defined.

    Rules are plain NumPy code. A replay that is not itself recorded runs them on arrays, and nothing stands between them
    and NumPy; a replay inside another transform runs them on traced values, and what they do is recorded.

    ``fn(*args, **settings)`` computes the output `y`.
    ``pulls[k](g, y, *args, **settings)`` turns the cotangent `g` of the output into the cotangent of input `k`.
    ``careful[k]`` is the same rule with ``0 * inf = 0 * nan = 0``, for a replay that met a NaN; ``pulls[k]`` if there is none.
    ``broadcasts`` tells that a cotangent may come out in the shape of the output: the replay sums it to that of the input.
    ``push(tangents, y, *args, **settings)`` turns the tangents of the inputs (None for one at rest) into that of the output.
    ``batch(args, batched, **settings)`` computes the output for inputs of which those marked in `batched` have a leading
    axis, and gives the output a leading axis; None means a loop over that axis.
    ``bilinear`` tells that each element of the output is a sum of products of an element of the first and one of the second
    input.
    ``elementwise`` tells that each element of the output needs one of each input only, but for broadcasting.
    ``constant`` marks an output without derivative (a comparison, a rounding): under `grad` and `jvp` it is a plain array.
    ``expand(*args, **settings)`` computes the same in simpler operations, for `jit`; it may answer None for arguments that it
    does not take apart.
    ``into(args, settings)`` tells how `jit` calls NumPy, most often to write the output into a given array: see `Into`.
    ``view`` tells that the output may share the memory of the first input.
    ``keep(*args, **settings)`` computes the output together with what its rules can use again: where an operation is recorded,
    that is their setting ``kept``. It belongs to these very arguments: a rule recorded on traced ones computes it anew.
    ``sparse`` says that the pulls of an operation with several outputs take None for the cotangent of one that had none.
    ``domain`` holds, per input, the interval in which the operation is smooth; ``cases`` shapes and settings to try.
    ``owner`` returns a user's own primitive where it is unpickled; such a one is not among `PRIMITIVES`.
    """

    name: str
    fn: Fn
    pulls: Sequence[Fn]
    push: Fn
    careful: Sequence[Fn] | None = None
    broadcasts: bool = False
    batch: Fn | None = None
    bilinear: bool = False
    elementwise: bool = False
    constant: bool = False
    expand: Fn | None = None
    into: "Callable[[Sequence[Any], dict[str, Any]], Into | None] | None" = None
    view: bool = False
    keep: Fn | None = None
    sparse: bool = False
    domain: tuple[tuple[float, float], ...] = ((-2.0, 2.0),)
    cases: tuple[Case, ...] = ()
    owner: Callable[[], Any] | None = None

    def __attrs_post_init__(self) -> None:
        if self.owner is not None:
            return
        if self.name in PRIMITIVES and not left_over(self.name):
            raise ValueError(f"a primitive named '{self.name}' exists already")
        PRIMITIVES[self.name] = self
        HOMES[self.name] = home()

    def __repr__(self) -> str:
        return f"{self.name}_p"

    def __reduce__(self) -> Any:
        return (_by_name, (self.name,)) if self.owner is None else (self.owner, ())


K = TypeVar("K")
V = TypeVar("V")


class Registry(dict[K, V]):
    """What is registered, and what will be as soon as it is asked for: a room is entered when ``registry[key]`` is missing."""

    def __missing__(self, key: K) -> V:
        if entered_for(key):
            return self[key]
        raise KeyError(key)


PRIMITIVES: dict[str, Primitive] = Registry()
"""Every primitive by name: what the contract tests go through."""

UFUNCS: dict[np.ufunc, Primitive] = Registry()
"""The primitive that a NumPy ufunc records when it meets a traced value."""

FUNCTIONS: dict[Any, Fn] = Registry()
"""The function of `tapegrad.numpy` that stands in for a NumPy function when it meets a traced value."""


HOMES: dict[str, Any] = {}
"""For each primitive the execution of a module that it was defined in, see `home`."""


def home() -> Any:
    """Return the spec of the module whose code is running. Python makes a new one each time that it executes the module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return None if frame is None else frame.f_globals.get("__spec__")


def left_over(name: str) -> bool:
    """Tell whether a primitive is left of a module that is executed again, after an interrupted import or by a reload."""
    before, now = HOMES[name], home()
    return before is not now and None not in (before, now) and before.name == now.name


def _by_name(name: str) -> Primitive:
    if name not in PRIMITIVES:  # it was pickled in a process that had entered more rooms
        enter_all()
    return PRIMITIVES[name]


def no_cotangent(g: Any, y: Any, *args: Any, **settings: Any) -> None:
    """The pull of an input that has no derivative by nature: a mask, an index, an integer."""


@frozen(eq=False, repr=False)
class Missing:
    """The rule of an input by which there is no derivative here, though it is a number: it says so when it is asked."""

    name: str
    position: int | None = None

    def __call__(self, g: Any, y: Any, *args: Any, **settings: Any) -> None:
        if self.position is not None and getattr(getattr(args[self.position], "dtype", None), "kind", "f") not in "fc":
            return  # an integer, which nothing can depend on smoothly
        which = "it" if self.position is None else f"its input {self.position}"
        raise MissingRuleError(
            f"the operation '{self.name}' has no derivative rule for {which}. Define one where the primitive is defined "
            f"(pulls for reverse mode, push for forward mode), or hold the input constant with tapegrad.stop_gradient."
        )


def missing(name: str, position: int | None = None) -> Fn:
    """Return a rule that says that there is none, and how to define one."""
    return Missing(name, position)
