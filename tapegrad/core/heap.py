"""Memory that is let go of stays with the process for a while.

A gradient holds everything that was computed, and drops it at once. So much free memory the C library gives back to the system,
and the next gradient gets it again page by page, each filled with zeros: of arrays of a megabyte that takes several times as
long as the arithmetic (docs/design/tape.md). GNU's C library can be told how much to keep.
"""

import os
import sys
from typing import Any

KEPT = 2**30
"""So many bytes of freed memory are kept unless said otherwise."""

USUAL = 2**17
"""So many the C library keeps by itself, at first."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""What ``mallopt`` can set, by the numbers that <malloc.h> has for it."""

LARGEST = 2**25
"""From this size on (the largest that can be set) an array has memory of its own, which goes back as soon as it is freed."""


class Heap:
    """The memory of the process.

    ``kept`` is the number of bytes of freed memory that it was told to keep, None if it was told nothing.
    """

    def __init__(self) -> None:
        self.glibc = None if settled_outside() else gnu_library()
        self.kept: int | None = None

    def keep(self, count: int) -> None:
        """Keep at most `count` bytes of freed memory, where the C library can be told."""
        if self.glibc is None:
            return
        count = min(count, 2**31 - 1)  # an int of C
        self.glibc.mallopt(TRIM_THRESHOLD, max(USUAL, count))
        self.glibc.mallopt(MMAP_THRESHOLD, max(USUAL, min(count, LARGEST)))
        if self.kept is not None and count < self.kept:
            self.glibc.malloc_trim(0)
        self.kept = count


def settled_outside() -> bool:
    """Tell whether the user has told the C library how to manage memory, by its own environment variables."""
    return any(name.startswith("MALLOC_") and name.endswith("_") for name in os.environ) or "glibc.malloc" in os.environ.get(
        "GLIBC_TUNABLES", ""
    )


def gnu_library() -> Any:
    """Return GNU's C library, or None where there is another one."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # here, as a Python may have been built without it
    except ImportError:
        return None
    glibc = ctypes.CDLL(None)
    return glibc if hasattr(glibc, "gnu_get_libc_version") else None


HEAP = Heap()
"""That of this process."""
