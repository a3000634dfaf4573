"""Timing in one process: all participants in turn, again and again, and of each the best round.

Machines are noisy and shared. A ratio of best rounds that were measured interleaved says more than any absolute time. Each
measurement begins with a rest, as threads of BLAS, OpenMP and XLA keep a core busy for a while after their last call: without
it, whoever comes next pays for them. After it come as many calls as are measured, so that caches, threads and clocks are what
they are in a program that has run for a while.
"""

import time
from collections.abc import Callable
from typing import Any

from attrs import define

ROUND = 0.02
"""Seconds that one measurement should take at least."""

PAUSE = 0.03
"""Seconds of rest before each measurement: longer than the threads of a library wait for more work."""

SLOW = 0.5
"""Seconds for one call from which on a participant is measured in two rounds only."""


@define
class Participant:
    """One implementation of a workload, and the best time of one call so far, in seconds."""

    name: str
    call: Callable[[], Any]
    number: int = 1
    best: float = float("inf")

    def measure(self) -> None:
        time.sleep(PAUSE)
        for _ in range(self.number):
            self.call()
        start = time.perf_counter()
        for _ in range(self.number):
            self.call()
        self.best = min(self.best, (time.perf_counter() - start) / self.number)


def race(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return, for each name, the best time of one call in seconds."""
    participants = [Participant(name, call) for name, call in calls.items()]
    for participant in participants:
        participant.call()  # imports, compilation
        participant.measure()
        participant.number = max(1, round(ROUND / participant.best))
    for turn in range(rounds):
        for participant in participants:
            if participant.best < SLOW or turn < 2:
                participant.measure()
    return {participant.name: participant.best for participant in participants}
