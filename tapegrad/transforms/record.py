"""`record` and `stop_gradient`: a tape to look at, and a value that a transform shall not look through."""

from collections.abc import Callable
from typing import Any, TypeVar

from tapegrad import tree
from tapegrad.core.structure import stop_gradient_p
from tapegrad.core.tape import Tape
from tapegrad.core.var import Var, apply
from tapegrad.transforms.entry import enter
from tapegrad.transforms.outputs import check_function, output_index

T = TypeVar("T")


def record(f: Callable[..., Any], *args: Any, **settings: Any) -> Tape:
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
