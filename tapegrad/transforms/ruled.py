"""What functions with a rule of the user's own have in common: how they look, and how a call's arguments go to the rule."""

import copyreg
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from attrs import define, field

from tapegrad import tree
from tapegrad.core.var import Var
from tapegrad.transforms.outputs import check_function
from tapegrad.transforms.wrapped import bound, look_like, own_name

P = ParamSpec("P")
Rest = ParamSpec("Rest")
Out = TypeVar("Out")


def as_positions(given: Sequence[int]) -> tuple[int, ...]:
    """Return positions as they are kept."""
    if not isinstance(given, Sequence) or not all(isinstance(k, int) and k >= 0 for k in given):
        raise TypeError(f"nondiff_argnums must be a tuple of positions, each 0 or more, got {given!r}")
    return tuple(given)


@define(eq=False, slots=False, repr=False)
class Custom(Generic[P, Out]):
    """A function with a rule of its own. It has the name, docstring and signature of the function that it is made of.

    Raises:
        TypeError: if that is no function, or `nondiff_argnums` are no positions.
    """

    f: Callable[P, Out]
    nondiff_argnums: tuple[int, ...] = field(default=(), converter=as_positions)

    def __attrs_post_init__(self) -> None:
        check_function(type(self).__name__, self.f)
        look_like(self, self.f)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: "Custom[Concatenate[Any, Rest], Out]", instance: object, owner: type | None = None
    ) -> Callable[Rest, Out]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return bound(self, instance)

    def __reduce__(self) -> Any:
        afresh = copyreg.__newobj__  # type: ignore[attr-defined]  # what object.__reduce__ gives
        return own_name(self) or (afresh, (type(self),), self.__dict__)

    @property
    def name(self) -> str:
        return getattr(self.f, "__name__", repr(self.f))

    def positional(self, args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of a call by position, with those that are left to their defaults."""
        if "_count" not in self.__dict__:
            self.__dict__["_signature"], self.__dict__["_count"] = positional_signature(self.f)
        if not settings and self.__dict__["_count"] in (len(args), None):
            return args
        called = f"{type(self).__name__} of {self.name}"
        if self.__dict__["_signature"] is None:
            raise TypeError(f"{called}: pass the arguments by position, got {', '.join(settings)} by keyword")
        try:
            call = self.__dict__["_signature"].bind(*args, **settings)
        except TypeError as error:
            if not settings:
                return args  # the rule will say what it misses
            raise TypeError(f"{called}: {error}") from None
        call.apply_defaults()
        named = [key for key in call.kwargs if key in settings]
        if named:
            raise TypeError(
                f"{called}: rules are given arguments by position, but {', '.join(named)} can be passed by name only"
            )
        given: tuple[Any, ...] = call.args
        return given


def positional_signature(f: Callable[..., Any]) -> tuple[inspect.Signature | None, int | None]:
    """Return the signature of a function, and how many arguments it takes by position: None for any number of them."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # a builtin without a signature
        return None, None
    kinds = [p.kind for p in signature.parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return signature, None
    return signature, sum(
        kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds
    )


def parted(
    transform: str, name: str, args: tuple[Any, ...], positions: Sequence[int]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the arguments at `positions`, which must not be traced, and the others."""
    if not positions:
        return (), args
    if any(not 0 <= k < len(args) for k in positions):
        raise TypeError(f"{transform}: {name} was called with {len(args)} arguments, but nondiff_argnums={tuple(positions)}")
    fixed = tuple([args[k] for k in positions])
    for k, arg in zip(positions, fixed, strict=True):
        if type(arg) is Var or (isinstance(arg, (tuple, list, dict)) and any(type(x) is Var for x in tree.leaves(arg))):
            raise TypeError(
                f"{transform}: argument {k} of {name} is traced, but in nondiff_argnums, which are for functions and other "
                f"values that transforms do not look at. Take it out of them, and give it a cotangent or tangent of 0"
            )
    return fixed, tuple([arg for k, arg in enumerate(args) if k not in positions])


def joined(fixed: Sequence[Any], free: Sequence[Any], positions: Sequence[int]) -> list[Any]:
    """Return the arguments that `parted` took apart."""
    placed, rest = dict(zip(positions, fixed, strict=True)), iter(free)
    return [placed[k] if k in placed else next(rest) for k in range(len(fixed) + len(free))]
