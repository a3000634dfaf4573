"""How much memory programs hold: their buffers, what threads compute blocks in, and the constants in their code."""

from collections.abc import Iterable
from types import FunctionType
from typing import Any, NamedTuple

import attrs
import numpy as np

from tapegrad.compiler.program import Compiled, Inner
from tapegrad.core.program import Program


class CacheInfo(NamedTuple):
    """How often a compiled function found a program, and what its programs take; see `Jitted.cache_info`.

    Attributes:
        hits: calls for which there was a program.
        misses: programs that were made.
        programs: those that are kept.
        nbytes: bytes of memory that they hold between calls.
    """

    hits: int
    misses: int
    programs: int
    nbytes: int


def memory_of(programs: Iterable[Compiled]) -> int:
    """Return the bytes that programs hold while none of them runs; an array that several of them hold counts once."""
    seen: set[int] = set()
    return sum(held(program, seen) for program in programs)


def held(x: Any, seen: set[int]) -> int:
    """Return the bytes of the arrays in a value that were not `seen` yet."""
    if isinstance(x, np.ndarray):
        while isinstance(x.base, np.ndarray):
            x = x.base
    if id(x) in seen:
        return 0
    if isinstance(x, np.ndarray):
        seen.add(id(x))
        return x.nbytes
    if isinstance(x, dict):
        return sum(held(part, seen) for part in list(x.values()))  # a list, as a thread may come for the first time meanwhile
    if isinstance(x, (tuple, list)):
        return sum(held(part, seen) for part in list(x))
    if isinstance(x, Compiled):
        seen.add(id(x))
        own = x.nbytes() + held(x.source.bound, seen) + sum(in_arena(run, seen) for run in list(x.waiting))
        return own if x.careful is None else own + held(x.careful, seen) - x.careful.nbytes()  # which its own include
    if isinstance(x, Inner):
        return held(x.program, seen) + held(x.compiled, seen)
    if isinstance(x, Program) or attrs.has(type(x)):
        return sum(held(getattr(x, a.name, None), seen) for a in attrs.fields(type(x)))
    return 0


def in_arena(run: Any, seen: set[int]) -> int:
    """Return the bytes of what an arena has besides its buffers: the arrays that its functions name."""
    return sum(in_function(f, seen) for f in run.args if isinstance(f, FunctionType))


def in_function(f: FunctionType, seen: set[int]) -> int:
    found = [cell.cell_contents for cell in f.__closure__ or ()]
    own = [x for x in found if isinstance(x, dict) or (isinstance(x, np.ndarray) and x.base is None)]  # others are in buffers
    written = [x for x in found if isinstance(x, FunctionType) and x.__code__.co_filename == f.__code__.co_filename]
    return held(own, seen) + sum(in_function(g, seen) for g in written)
