"""A small pool of threads that walk through blocks.

NumPy's ufuncs let go of the interpreter's lock while they compute, so that Python threads share the work. Who computes which
block depends on the number of threads; what is computed does not.
"""

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from attrs import field, frozen

Kernel = Callable[[int, int, int], None]
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


@frozen(eq=False)
class Finished:
    """What the other workers leave behind: for each that is done its error, or None; and a bell that each rings."""

    errors: list[BaseException | None] = field(factory=list)
    bell: "SimpleQueue[None]" = field(factory=SimpleQueue)


class Pool:
    """Threads that wait for work. One piece of work is done at a time; who finds the pool busy works alone."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.busy = threading.Lock()
        self.todo: SimpleQueue[tuple[Kernel, int, int, int, Finished]] = SimpleQueue()
        self.started = 0

    def run(self, kernel: Kernel, blocks: int) -> None:
        """Compute all blocks.

        Raises:
            Exception: whatever a kernel raised, after all have stopped.
        """
        count = min(self.threads, blocks)
        if count <= 1 or not self.busy.acquire(blocking=False):
            kernel(0, blocks, 0)
            return
        try:
            count = 1 + self.start(count - 1)
            cuts = [blocks * k // count for k in range(count + 1)]
            finished = Finished()
            for k in range(1, count):
                self.todo.put((kernel, cuts[k], cuts[k + 1], k, finished))
            error: BaseException | None = None
            try:
                kernel(0, cuts[1], 0)
            except BaseException as e:
                error = e
            while len(finished.errors) < count - 1:  # not even Ctrl-C leaves before: kernels write to memory of the caller
                try:
                    finished.bell.get(timeout=1.0)
                except Empty:
                    pass
                except BaseException as e:
                    error = e
            error = next((e for e in finished.errors if e is not None), error)
            if error is not None:
                raise error
        finally:
            self.busy.release()

    def start(self, wanted: int) -> int:
        """Start threads until there are as many as wanted; return how many there are of these."""
        while self.started < wanted:
            try:
                threading.Thread(target=self.work, name="tapegrad", daemon=True).start()
            except RuntimeError:  # the system has none left, or the interpreter is about to end
                return self.started
            self.started += 1
        return wanted

    def work(self) -> None:
        np.seterr(all="ignore")
        while True:
            kernel, first, last, worker, finished = self.todo.get()
            error: BaseException | None = None
            try:
                kernel(first, last, worker)
            except BaseException as e:
                error = e
            finished.errors.append(error)
            finished.bell.put(None)
            del kernel, finished, error


class Shared:
    """The pool of this process; a child that was forked gets one of its own, as threads are not forked."""

    def __init__(self) -> None:
        self.pool = Pool(available())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.pool = Pool(self.pool.threads)


SHARED = Shared()


def run(kernel: Any, blocks: int) -> None:
    """Compute all blocks of a kernel on the threads of this process."""
    SHARED.pool.run(kernel, blocks)
