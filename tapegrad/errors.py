"""The errors of the library, and how they name the place in the user's own file."""

import os
import sys
import threading
from collections.abc import Iterator
from itertools import takewhile
from types import FrameType

HOME = os.path.dirname(os.path.abspath(__file__)) + os.sep


class TapegradError(Exception):
    """Base of the errors that only this library raises."""


class LeakedVarError(TapegradError, RuntimeError):
    """A traced value was used outside the transform, or the thread, whose tape recorded it."""


class ConcretizationError(TapegradError, TypeError):
    """A traced value was asked for a plain Python or NumPy value that it cannot give without losing derivatives."""


class TraceError(TapegradError, RuntimeError):
    """A function cannot be made a program of: it does something besides computing, or its memory was given away."""


class MissingRuleError(TapegradError, NotImplementedError):
    """A transform met an operation that has no rule for it."""


class RuleError(TapegradError, RuntimeError):
    """A rule broke the invariant of every replay: a cotangent has the shape and dtype of its primal."""


class TreeError(TapegradError, ValueError):
    """Two pytrees that had to agree do not; the message carries the path where they part."""


class MissingExtraError(TapegradError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


LIBRARIES = frozenset({"numpy", "scipy"}) | sys.stdlib_module_names
"""Packages and modules whose files are not the user's."""


def users_line() -> str:
    """Return ``"file.py:12, in loss"`` for the innermost frame that may be the user's, or the name of a thread without any."""
    for frame in _frames_outside():
        if not _is_in_library(frame):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"
    return f"an unknown place in the thread {threading.current_thread().name!r}"


def library_function() -> str | None:
    """Return ``"scipy.optimize.rosen"`` for the function of a library that the user has called, None where there is none."""
    called = None
    for frame in _frames_outside():
        if not _is_in_library(frame):
            break
        called = frame
    else:
        return None  # a thread that runs nothing of the user's
    if called is None:
        return None
    rooms = takewhile(lambda room: not room.startswith("_"), called.f_globals["__name__"].split("."))
    return ".".join([*rooms, called.f_code.co_qualname])


def _frames_outside() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not os.path.abspath(frame.f_code.co_filename).startswith(HOME):
            yield frame
        frame = frame.f_back


def _is_in_library(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).split(".")[0] in LIBRARIES
