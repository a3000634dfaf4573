"""What can be set for the whole process."""

from tapegrad.compiler.groups.threads import SHARED, Pool, available


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
