"""Finding what went wrong: where a NaN came from, and who changed an array that a gradient still needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from tapegrad.core.watch import WATCH, Watch


@contextmanager
def nan_check() -> Iterator[None]:
    """Raise where the first NaN or infinity appears in a transform that is called inside: in a value or in a derivative.

    The error names the operation, the line of the file that called it, and the paths of the arguments that it came from.
    Transforms called inside run slower, with their exact rules from the start.

    Raises:
        FloatingPointError: at the first value that is not finite.

    Example:
        >>> with nan_check(), np.errstate(all="ignore"):
        ...     tg.grad(lambda x: tnp.log(x - 1.0))(1.0)
        Traceback (most recent call last):
        ...
        FloatingPointError: nan_check: 'log' gave infinity at ..., in <lambda>; its arguments were %1 = 0.0; it was computed
        from the argument x
    """
    with _watching("nan"):
        yield


@contextmanager
def freeze_inputs() -> Iterator[None]:
    """Make the arrays that a transform called inside records read-only as long as its tape needs them.

    Arguments and constants are recorded as they are, without a copy. An array that is changed in place before the backward
    replay would give a wrong gradient; here the change raises.

    Raises:
        ValueError: NumPy's, where a read-only array is written to.

    Example:
        >>> noise = np.ones(3)
        >>> def loss(x):
        ...     y = (x * noise).sum()
        ...     noise[0] = 5.0  # too early: the product still needs it
        ...     return y
        >>> with freeze_inputs():
        ...     tg.grad(loss)(np.ones(3))
        Traceback (most recent call last):
        ...
        ValueError: assignment destination is read-only
    """
    with _watching("freeze"):
        yield


@contextmanager
def _watching(name: str) -> Iterator[None]:
    token = WATCH.set(evolve(WATCH.get() or Watch(), **{name: True}))
    try:
        yield
    finally:
        WATCH.reset(token)
