"""Without NumPy's warnings: what divides by zero where the user's code does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tapegrad.core.node import CURRENT
from tapegrad.core.watch import WatchedSteps


@contextmanager
def quietly() -> Iterator[None]:
    """Compute without NumPy's warnings, here and wherever what is recorded meanwhile is run again."""
    tape = CURRENT.get()
    start = 0 if tape is None else len(tape.steps)
    watched = tape.steps if tape is not None and type(tape.steps) is WatchedSteps else None
    with np.errstate(all="ignore"):
        if watched is None:
            yield
        else:
            with watched.rules_at_work():
                yield
    if tape is not None and len(tape.steps) > start:
        tape.quiet.append(range(start, len(tape.steps)))
