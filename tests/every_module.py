"""Every module of the package, for what is found by looking: rooms are entered late, and register nothing before."""

import importlib
import pkgutil
from types import ModuleType

import tapegrad


def every_module() -> list[ModuleType]:
    """Import every module of the package, and return them."""
    names = [module.name for module in pkgutil.walk_packages(tapegrad.__path__, "tapegrad.")]
    return [tapegrad, *map(importlib.import_module, names)]
