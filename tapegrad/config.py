"""What can be set for the whole process."""

from tapegrad.compiler.groups.threads import SHARED, Pool, available
from tapegrad.core.heap import HEAP, KEPT


def threads() -> int:
    """Return how many threads compiled functions use for large arrays.

    Example:
        >>> threads() >= 1
        True
    """
    return SHARED.pool.threads


def set_threads(count: int | None) -> None:
    """Set how many threads compiled functions use for large arrays. Results do not depend on it.

    The environment variable ``TAPEGRAD_THREADS`` says it from the start; without either it is one for each processor that the
    process may run on. Matrix products are computed by BLAS, which has threads and settings of its own.

    Args:
        count: the number of threads, 1 or more; None for as many as at the start.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is less than 1.

    Example:
        >>> before = threads()
        >>> set_threads(1)
        >>> threads()
        1
        >>> set_threads(before)
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise TypeError(f"set_threads: the number of threads must be an integer or None, got {count!r}")
    wanted = available() if count is None else count
    if wanted < 1:
        raise ValueError(f"set_threads: the number of threads must be 1 or more, got {count}")
    SHARED.pool = Pool(wanted)


def kept_memory() -> int | None:
    """Return how many bytes of freed memory the process keeps at most, None where the C library decides.

    Example:
        >>> kept = kept_memory()
        >>> kept is None or kept >= 0
        True
    """
    return HEAP.kept


def set_kept_memory(count: int | None) -> None:
    """Set how much memory that was freed the process keeps for what comes next, instead of giving it back to the system.

    A gradient frees what it has held all at once. To get memory back from the system takes longer than to compute with it:
    gradients of large arrays are two to five times as fast where it is kept. It holds for the whole process, from the import of
    tapegrad on, with GNU's C library on Linux; elsewhere, and where the environment variables of that library
    (``MALLOC_TRIM_THRESHOLD_``, ``GLIBC_TUNABLES``) say how to manage memory, nothing is changed.

    Args:
        count: in bytes, 0 or more. With less than before, the rest goes back to the system at once. None for 1 GiB, as at the
            start.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is negative.

    Example:
        >>> set_kept_memory(2**28)  # at most 256 MiB
        >>> set_kept_memory(None)
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise TypeError(f"set_kept_memory: the number of bytes must be an integer or None, got {count!r}")
    wanted = KEPT if count is None else count
    if wanted < 0:
        raise ValueError(f"set_kept_memory: the number of bytes must be 0 or more, got {wanted}")
    HEAP.keep(wanted)
