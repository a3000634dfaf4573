"""Without NumPy's warnings: what divides by zero where the user's code does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tapegrad.core.node import CURRENT


@contextmanager
def quietly() -> Iterator[None]:
    """Compute without NumPy's warnings, here and wherever what is recorded meanwhile is run again."""
    tape = CURRENT.get()
    start = 0 if tape is None else len(tape.steps)
    with np.errstate(all="ignore"):
        yield
    if tape is not None and len(tape.steps) > start:
        tape.quiet.append(range(start, len(tape.steps)))
