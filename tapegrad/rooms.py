"""Rooms of the library are entered when they are first needed.

``import tapegrad`` loads the tape and the transforms, and no operation, layer or optimizer: Python takes its time to load some
hundred modules of which a program needs few (docs/design/rooms.md). A room is imported when its name is used for the first
time, as ``tg.nn``; or when a traced value meets the first function whose rules are there, as ``np.linalg.norm(x)``.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

STAND_IN = ("numpy", "numpy.linalg", "numpy.fft")
"""Modules of NumPy whose functions call on a traced value what stands in for them. The room that has it is ``tapegrad.`` and
the name of the module."""

ENTERED: set[str] = set()
"""The rooms that `entered_for` has imported."""


def named(
    face: str, rooms: tuple[str, ...], extras: tuple[str, ...] = (), functions: dict[str, tuple[str, ...]] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose modules are imported when their name is first used.

    Type checkers and editors do not follow them: the face imports the same names under ``if TYPE_CHECKING``. What
    ``from package import *`` brings is what ``dir`` lists, which imports every room.

    Args:
        face: the name of the package.
        rooms: the modules in it.
        extras: those that need a package of the same name, which may not be installed.
        functions: for a module, the names that the face has from it.
    """
    homes = {name: home for home, names in (functions or {}).items() for name in names}

    def attribute(name: str) -> Any:
        if name == "__all__":
            return [public for public in names() if not public.startswith("_")]
        if name in rooms or name in extras:
            return importlib.import_module(f"{face}.{name}")
        if name not in homes:
            raise AttributeError(f"module '{face}' has no attribute '{name}'", name=name, obj=sys.modules[face])
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[face], name, value)
        return value

    def names() -> list[str]:
        from importlib.util import find_spec  # here, as it takes half a millisecond to load

        installed = [name for name in extras if find_spec(name) is not None]
        own = [name for name, value in vars(sys.modules[face]).items() if not is_inner(name, value)]
        return sorted({*own, *rooms, *installed, *homes} - {"TYPE_CHECKING", "named"})

    def is_inner(name: str, value: Any) -> bool:
        """Tell whether a name is that of a module that Python put there when it was imported, and not the face."""
        return isinstance(value, ModuleType) and value.__name__ == f"{face}.{name}" and name not in (*rooms, *extras)

    return attribute, names


def entered_for(key: Any) -> bool:
    """Enter a room that may have what stands in for a function of NumPy or SciPy; False if all of them were entered before.

    Args:
        key: the function, or another key of the registries in `tapegrad.core.primitive`.
    """
    for room in _rooms_for(key):
        if room not in ENTERED:
            importlib.import_module(room)  # a thread that is in the room already is waited for
            ENTERED.add(room)
            return True
    return False


def _rooms_for(key: Any) -> Iterator[str]:
    yield "tapegrad.numpy"
    module = getattr(key, "__module__", None)
    if module in STAND_IN:
        yield f"tapegrad.{module}"
    if isinstance(key, np.ufunc) and "scipy.special" in sys.modules:  # ufuncs do not tell where they come from
        yield "tapegrad.scipy.special"


def enter_all() -> None:
    """Import every operation of the library, but for those of packages that are not installed."""
    import pkgutil  # here, as it takes a millisecond to load

    operations = importlib.import_module("tapegrad.ops")
    for module in pkgutil.walk_packages(operations.__path__, "tapegrad.ops."):
        try:
            importlib.import_module(module.name)
        except ImportError:
            continue
