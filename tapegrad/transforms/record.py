"""`record` and `stop_gradient`: a tape to look at, and a value that a transform shall not look through."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from tapegrad import tree
from tapegrad.core.node import NO_SETTINGS
from tapegrad.core.structure import root_p, stop_gradient_p
from tapegrad.core.tape import Tape
from tapegrad.core.var import Var, apply, handle
from tapegrad.transforms.batch import leaf_paths
from tapegrad.transforms.entry import FRESH, close_tape, enter, off_tape, open_tape
from tapegrad.transforms.outputs import check_function, output_index

P = ParamSpec("P")
T = TypeVar("T")


def record(f: Callable[P, Any], *args: P.args, **settings: P.kwargs) -> Tape:
    """Record one call of a function, and return the finished tape.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays.
        args: its arguments, pytrees of floating-point arrays: the roots of the tape.
        settings: further arguments, which are constants.

    Returns:
        The tape; ``tape.inputs`` and ``tape.outputs`` are the indices of its root and output nodes.

    Raises:
        TypeError: if a leaf of `args` is not a floating-point array.

    Example:
        >>> tape = record(lambda x: (x * x).sum(), np.ones(3))
        >>> print(tape)
        %0 = x          float64[3]
        %1 = square(%0) float64[3]
        %2 = sum(%1)    float64[]
        >>> tape.inputs, tape.outputs
        ([0], [2])
    """
    check_function("record", f)
    with Tape() as tape:
        traced = enter(tape, "record", f, args, tuple(range(len(args))))
        tape.inputs = list(range(len(tape)))
        out = f(*traced, **settings)
        tape.outputs = [output_index("record", f, leaf, tape) for leaf in tree.leaves(out)]
    return tape


def watched_call(f: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Return ``f(*args, **settings)``, recorded, so that what `tapegrad.debug` watches for is seen."""
    tape, token = open_tape()
    try:
        leaves, structure = tree.flatten((args, settings))
        for k, (x, path) in enumerate(zip(leaves, leaf_paths(f, args, settings), strict=True)):
            if isinstance(x, (float, complex)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc"):
                tape.entries.append((len(tape.steps), path, (x,), (0,)))
                tape.steps.append((root_p, FRESH, (x,), NO_SETTINGS, x))
                leaves[k] = handle(tape, len(tape.steps) - 1, x, root_p)
        args, settings = tree.unflatten(structure, leaves)
        return off_tape(tape, f(*args, **settings))
    finally:
        close_tape(tape, token)


def stop_gradient(x: T) -> T:
    """Return `x` as a constant: transforms do not look through it.

    Args:
        x: an array of any shape, or a pytree of them.

    Example:
        >>> from tapegrad.transforms.reverse import grad
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        np.float64(3.0)
    """

    def stop(leaf: Any) -> Any:
        return apply(stop_gradient_p, leaf) if type(leaf) is Var else leaf

    return tree.rebuild(stop, x)
