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
        look_like(self, self.f)

    def __repr__(self) -> str:
        return f"{self.transform}({getattr(self.f, '__name__', repr(self.f))})"

    @property
    def transform(self) -> str:
        """What the user calls the transform."""
        return type(self).__name__.lower()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return bound(self, instance)

    def __reduce__(self) -> Any:
        return own_name(self) or (type(self), tuple(getattr(self, a.name) for a in fields(type(self))))


def look_like(made: Any, f: Any) -> None:
    """Give what was made of a function its name, docstring and signature."""
    for name in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(f, name):
            made.__dict__[name] = getattr(f, name)
    made.__dict__["__wrapped__"] = f


def bound(made: Any, instance: Any) -> Any:
    """Return what an object has where its class has what was made of a function: a method, unless that is a static one."""
    return made if instance is None or isinstance(made.f, staticmethod) else MethodType(made, instance)


def own_name(made: Any) -> str | None:
    """Return the name by which what was made of a function is found in its module, as a decorated one is; else None."""
    name = getattr(made, "__qualname__", "")
    return name if getattr(sys.modules.get(getattr(made, "__module__", "")), name, None) is made else None
