"""A tape as text: one node a line."""

from typing import Any

import numpy as np

from tapegrad.core.node import Recording, Step

LONGEST = 60
"""Columns that the left part of a line may take before the right part is no longer aligned with it."""


def listing(tape: Recording) -> str:
    """Return the listing of a tape: index, primitive, where its inputs come from, settings, dtype and shape."""
    paths = tape.root_paths()
    rows = [(f"%{i} = {operation(step, paths.get(i))}", describe(step[4])) for i, step in enumerate(tape.steps)]
    width = max((len(left) for left, _ in rows if len(left) <= LONGEST), default=0)
    return "\n".join(f"{left:<{width}} {right}" for left, right in rows)


def operation(step: Step, path: str | None) -> str:
    """Return ``name(inputs, setting=value)``; for a root its path."""
    primitive, inputs, args, settings, _ = step
    if path is not None:
        return path if inputs == (None,) else f"{path} (%{inputs[0]})"
    shown = [f"%{source}" if source is not None else constant(x) for source, x in zip(inputs, args, strict=True)]
    told = {name: value for name, value in settings.items() if name != "kept" or primitive.keep is None}
    shown += [f"{name}={setting(value)}" for name, value in told.items() if value is not None and value is not False]
    return f"{primitive.name}({', '.join(shown)})"


def describe(value: Any) -> str:
    """Return dtype and shape, as ``float64[2, 3]``; of each output where there are several."""
    if type(value) is tuple:
        return ", ".join(describe(part) for part in value)
    shape = ", ".join(str(n) for n in np.shape(value))
    return f"{value.dtype if hasattr(value, 'dtype') else type(value).__name__}[{shape}]"


def constant(x: Any) -> str:
    """Return a constant as it is shown among the inputs: numbers in full, arrays by dtype and shape."""
    return str(x) if np.ndim(x) == 0 else describe(np.asarray(x))


def setting(value: Any) -> str:
    """Return a setting, in the notation of an index where it is part of one."""
    if isinstance(value, slice):
        start, stop, step = ("" if n is None else str(n) for n in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(value, tuple):
        return f"({', '.join(setting(part) for part in value)}{',' if len(value) == 1 else ''})"
    if value is Ellipsis:
        return "..."
    return describe(value) if isinstance(value, np.ndarray) and value.ndim else str(value)
