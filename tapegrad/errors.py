"""The errors of the library, and how they name the place in the user's own file."""

import os
import sys

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


def users_line() -> str:
    """Return ``"file.py:12, in loss"`` for the innermost frame outside this package, or ``"an unknown place"``."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not os.path.abspath(code.co_filename).startswith(HOME):
            return f"{code.co_filename}:{frame.f_lineno}, in {code.co_name}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return "an unknown place"
