"""What a transformed function is: a record of the function and how it was transformed, which looks like the function."""

import functools
import sys
from types import MethodType
from typing import Any

from attrs import fields, frozen

from tapegrad.transforms.outputs import check_function


@frozen(eq=False, slots=False, repr=False)
class Transformed:
    """A function made from another one. It has its name, docstring and signature, and is pickled when that one can be."""

    f: Any

    def __attrs_post_init__(self) -> None:
        check_function(self.transform, self.f)
        for name in functools.WRAPPER_ASSIGNMENTS:
            if hasattr(self.f, name):
                self.__dict__[name] = getattr(self.f, name)
        self.__dict__["__wrapped__"] = self.f

    def __repr__(self) -> str:
        return f"{self.transform}({getattr(self.f, '__name__', repr(self.f))})"

    @property
    def transform(self) -> str:
        """What the user calls the transform."""
        return type(self).__name__.lower()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None or isinstance(self.f, staticmethod):
            return self
        return MethodType(self, instance)  # type: ignore[arg-type]  # subclasses are callable

    def __reduce__(self) -> Any:
        name = getattr(self, "__qualname__", "")
        if getattr(sys.modules.get(getattr(self, "__module__", "")), name, None) is self:  # used as a decorator
            return name
        return type(self), tuple(getattr(self, a.name) for a in fields(type(self)))
