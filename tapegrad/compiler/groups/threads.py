"""A small pool of threads that walk through blocks.

NumPy's ufuncs let go of the interpreter's lock while they compute, so that Python threads share the work. Who computes which
block depends on how fast each thread is; what is computed does not.
"""

import itertools
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import perf_counter

import numpy as np
from attrs import define

Kernel = Callable[[int, int, int, int], None]
"""``kernel(first, last, worker)`` computes the blocks from `first` to `last` with the scratch memory of one worker."""


def available() -> int:
    """Return how many threads to use: ``TAPEGRAD_THREADS``, or one for each processor that this process may run on."""
    wanted = os.environ.get("TAPEGRAD_THREADS", "")
    if wanted:
        try:
            return max(1, int(wanted))
        except ValueError:
            raise ValueError(f"TAPEGRAD_THREADS must be a number of threads, got {wanted!r}") from None
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Work:
    """The blocks of one kernel, for whoever comes by to take the next one.

    A thread that is woken late, as happens where BLAS has threads of its own that have not gone to sleep yet, finds fewer left;
    nobody waits for it.
    """

    def __init__(self, kernel: Kernel, blocks: int, together: int) -> None:
        self.kernel = kernel
        self.blocks = blocks
        self.together = together
        self.take = itertools.count().__next__
        self.stopped = False
        self.errors: list[BaseException] = []
        self.entered: list[int] = []
        self.left: list[int] = []
        self.bell: SimpleQueue[None] = SimpleQueue()

    def share(self, worker: int) -> None:
        """Compute blocks until none is left, or one has raised."""
        kernel, blocks, together, take = self.kernel, self.blocks, self.together, self.take
        try:
            while not self.stopped:
                k = take() * together
                if k >= blocks:
                    break
                kernel(k, min(k + together, blocks), worker, together)
        except BaseException as error:
            self.stopped = True
            self.errors.append(error)

    def help(self, worker: int) -> None:
        """The same, by a thread that the others wait for from now on."""
        self.entered.append(worker)
        self.share(worker)
        self.left.append(worker)
        self.bell.put(None)

    def wait(self) -> None:
        """Wait for the threads that are at it.

        Raises:
            Exception: what a kernel raised, on any thread.
        """
        while len(self.entered) > len(self.left):  # not even Ctrl-C leaves before: kernels write to memory of the caller
            try:
                self.bell.get(timeout=1.0)
            except Empty:
                pass
            except BaseException as error:
                self.stopped = True
                self.errors.insert(0, error)
        if self.errors:
            raise self.errors[0]


class Pool:
    """Threads that wait for work. One piece of work is done at a time; who finds the pool busy works alone."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.busy = threading.Lock()
        self.work: Work | None = None
        self.bells: list[SimpleQueue[None]] = []
        self.asleep: list[bool] = []

    def run(self, kernel: Kernel, blocks: int, together: int) -> None:
        """Compute all blocks, so many together at a time; alone one by one.

        Raises:
            Exception: whatever a kernel raised, after all have stopped.
        """
        count = min(self.threads, -(-blocks // together))
        if count <= 1 or not self.busy.acquire(blocking=False):
            kernel(0, blocks, 0, 1)
            return
        try:
            self.work = work = Work(kernel, blocks, together)
            for k in range(min(count - 1, self.start(count - 1))):
                if self.asleep[k]:  # one that is not has yet to find out that nothing was left of earlier work
                    self.asleep[k] = False
                    self.bells[k].put(None)
            work.share(0)
            self.work = None
            work.stopped = True
            work.wait()
        finally:
            self.work = None
            self.busy.release()

    def start(self, wanted: int) -> int:
        """Start threads until there are as many as wanted; return how many there are."""
        while len(self.bells) < wanted:
            bell: SimpleQueue[None] = SimpleQueue()
            try:
                threading.Thread(target=self.serve, args=(len(self.bells), bell), name="tapegrad", daemon=True).start()
            except RuntimeError:  # the system has none left, or the interpreter is about to end
                break
            self.asleep.append(True)
            self.bells.append(bell)
        return len(self.bells)

    def serve(self, k: int, bell: "SimpleQueue[None]") -> None:
        """Help with whatever work there is when the bell rings."""
        np.seterr(all="ignore")
        while True:
            bell.get()
            work = self.work
            if work is not None:
                work.help(k + 1)
            del work
            self.asleep[k] = True


class Shared:
    """The pool of this process; a child that was forked gets one of its own, as threads are not forked."""

    def __init__(self) -> None:
        self.pool = Pool(available())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.pool = Pool(self.pool.threads)


SHARED = Shared()


TRIES = 6
"""Calls in which both ways are tried in turn."""

PRICE = 0.02
"""The part of the time that may go into trying the slower way again: who else uses the machine may have changed."""

SOON, LATE = 8, 256
"""The fewest and the most calls after which it is tried again."""


@define(eq=False)
class Gauge:
    """Finds out whether several threads are faster for a kernel, by trying.

    Nothing that is known beforehand tells it: not the work alone, as a thread of BLAS may keep the other processor busy, or
    other programs, and the way to memory may be all that there is to share.
    """

    calls: int = 0
    waited: int = 0
    alone: float = float("inf")
    together: float = float("inf")

    def choose(self) -> bool:
        """Tell whether to use several threads this time."""
        self.calls += 1
        if self.calls <= TRIES:
            return self.calls % 2 == 1
        several = self.together <= self.alone
        self.waited += 1
        if self.waited < SOON:
            return several
        quicker, slower = (self.together, self.alone) if several else (self.alone, self.together)
        if self.waited < LATE and slower - quicker > PRICE * self.waited * quicker:
            return several
        self.waited = 0
        return not several

    def note(self, several: bool, seconds: float) -> None:
        """Learn what a call took: at once if it was quicker than expected, slowly if not."""
        before = self.together if several else self.alone
        after = seconds if seconds < before else before + 0.1 * (seconds - before)
        if several:
            self.together = after
        else:
            self.alone = after


def run(kernel: Kernel, blocks: int, together: int, gauge: Gauge) -> None:
    """Compute all blocks of a kernel, on the threads of this process if that is quicker."""
    pool = SHARED.pool
    if pool.threads <= 1:
        kernel(0, blocks, 0, 1)
        return
    several = gauge.choose()
    start = perf_counter()
    if several:
        pool.run(kernel, blocks, together)
    else:
        kernel(0, blocks, 0, 1)
    gauge.note(several, perf_counter() - start)
