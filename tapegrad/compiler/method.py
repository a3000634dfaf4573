"""A compiled function as the method of an object."""

from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from attrs import frozen

from tapegrad.compiler.lowered import Lowered
from tapegrad.compiler.memory import CacheInfo

P = ParamSpec("P")
Out = TypeVar("Out")


@frozen(eq=False, repr=False)
class Method(Generic[P, Out]):
    """``model.step`` where ``step`` was compiled in the body of a class: it is called with the object as first argument.

    Programs are kept for the class: two objects whose leaves agree in shape and dtype share one.
    """

    function: Any
    instance: Any

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Out:
        out: Out = self.function(self.instance, *args, **settings)
        return out

    def lower(self, *args: P.args, **settings: P.kwargs) -> Lowered:
        """Return what `Jitted.lower` does, for this object."""
        shown: Lowered = self.function.lower(self.instance, *args, **settings)
        return shown

    def cache_info(self) -> CacheInfo:
        """Return what `Jitted.cache_info` does: of all objects of the class."""
        info: CacheInfo = self.function.cache_info()
        return info

    def clear_cache(self) -> None:
        """Forget all programs, of all objects of the class."""
        self.function.clear_cache()

    @property
    def __wrapped__(self) -> MethodType:
        """The method that was not compiled, whose signature this has."""
        return MethodType(self.function.__wrapped__, self.instance)

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            """Return ``__name__``, ``__qualname__`` and whatever else a function has."""
            return getattr(self.function, name)

    def __repr__(self) -> str:
        return f"<{self.function!r} of {self.instance!r}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is Method and self.function is other.function and self.instance is other.instance

    def __hash__(self) -> int:
        return hash((id(self.function), id(self.instance)))

    def __reduce__(self) -> Any:
        return getattr, (self.instance, self.function.__name__)
