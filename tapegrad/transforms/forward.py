"""Forward mode: `jvp` and `linearize`, the tape replayed forwards."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypeVar, overload

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.doubt import watched
from tapegrad.core.node import Recording, Step
from tapegrad.errors import LeakedVarError
from tapegrad.transforms.entry import check_like
from tapegrad.transforms.pullback import Pull, pull_back
from tapegrad.transforms.replay import Table, forwards, quietly

P = ParamSpec("P")  # see `vjp`
Out = TypeVar("Out")
Aux = TypeVar("Aux")


@overload
def jvp(f: Callable[P, Out], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Out, Out]: ...
@overload
def jvp(
    f: Callable[P, tuple[Out, Aux]], primals: Sequence[Any], tangents: Sequence[Any], has_aux: Literal[True]
) -> tuple[Out, Out, Aux]: ...
def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Return ``f(*primals)`` and its derivative along `tangents`.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays.
        primals: the arguments, pytrees of floating-point arrays.
        tangents: one pytree a primal, with its tree, shapes and dtypes.
        has_aux: `f` returns ``(output, aux)``.

    Returns:
        The output, and a tangent like it: the Jacobian times `tangents`; and `aux`.

    Raises:
        TypeError: if a leaf of the primals is not a floating-point array, or a tangent does not fit its primal.
        TreeError: if the trees of primals and tangents differ.

    Example:
        >>> jvp(lambda x: x * x, (3.0,), (1.0,))
        (9.0, np.float64(6.0))
        >>> jvp(lambda x: (x * x, "kept"), (3.0,), (1.0,), has_aux=True)
        (9.0, np.float64(6.0), 'kept')

    References:
        A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.1 (forward mode).
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(f"jvp: primals and tangents must be tuples, got {type(primals).__name__} and {type(tangents).__name__}")
    out, pull, aux = pull_back("jvp", f, tuple(primals), tuple(range(len(primals))), {}, has_aux)
    moved = pushed(pull)(*tangents)
    return (out, moved, aux) if has_aux else (out, moved)


@overload
def linearize(f: Callable[P, Out], *primals: Any) -> tuple[Out, Callable[..., Out]]: ...
@overload
def linearize(
    f: Callable[P, tuple[Out, Aux]], *primals: Any, has_aux: Literal[True]
) -> tuple[Out, Callable[..., Out], Aux]: ...
def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return ``f(*primals)`` and the linear function that maps tangents of the primals to the tangent of the output.

    The function is recorded once; each call of the linear function replays the tape.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays.
        primals: the arguments, pytrees of floating-point arrays.
        has_aux: `f` returns ``(output, aux)``; `aux` is returned third.

    Raises:
        TypeError: if a leaf of the primals is not a floating-point array, or a tangent does not fit its primal.

    Example:
        >>> y, f_jvp = linearize(lambda x: x ** 3, 2.0)
        >>> f_jvp(1.0), f_jvp(10.0)
        (np.float64(12.0), np.float64(120.0))
        >>> out, f_jvp, aux = linearize(lambda x: (x ** 3, "kept"), 2.0, has_aux=True)
        >>> aux
        'kept'
    """
    out, pull, aux = pull_back("linearize", f, primals, tuple(range(len(primals))), {}, has_aux)
    return (out, pushed(pull), aux) if has_aux else (out, pushed(pull))


def pushed(pull: Pull) -> "Push":
    """Return the function that pushes tangents over the stretch of tape that `pull` pulls cotangents over."""
    top = max((index + 1 for index in pull.outputs if index is not None), default=0)
    stop = max(top, pull.start + pull.roots)
    return Push(
        pull.name, pull.tape, pull.steps, pull.start, pull.roots, stop, pull.outputs, pull.values, pull.structure, pull.primals
    )


@frozen(eq=False, repr=False)
class Push:
    """The function that `linearize` returns: it keeps a stretch of tape, and replays it forwards at each call."""

    name: str
    tape: Recording | None
    steps: list[Step]
    start: int
    roots: int
    stop: int
    outputs: list[int | None]
    values: list[Any]
    structure: tree.Structure[Any]
    primals: tuple[Any, ...]

    def __call__(self, *tangents: Any) -> Any:
        if self.tape is not None and self.tape.steps is not self.steps:
            raise LeakedVarError("the function returned by linearize was called after the transform around it had ended")
        start = self.start
        primals = [step[4] for step in self.steps[start : start + self.roots]]
        moving = check_like(self.name, "tangent", tangents, self.primals, tree.structure(self.primals), primals)
        table: Table = [None] * (self.stop - start)
        table[: self.roots] = moving
        wanted = [index for index in self.outputs if index is not None and index >= start]
        with quietly():
            forwards(self.steps, table, start, self.stop, wanted, self.tape)
        found = [table[index - start] if index is not None and index >= start else None for index in self.outputs]
        return tree.unflatten(self.structure, watched(owned(found, self.values, moving)))


def owned(found: Sequence[Any], values: Sequence[Any], taken: Sequence[Any]) -> list[Any]:
    """Make the tangents of outputs presentable: zeros where nothing moved, and each the only owner of its memory.

    Args:
        found: one tangent an output, None where nothing moved.
        values: the outputs.
        taken: the tangents of the inputs, which belong to the user.
    """
    owners = {id(t if t.base is None else t.base) for t in taken if isinstance(t, np.ndarray)}
    tangents = []
    for t, y in zip(found, values, strict=True):
        if t is None:
            y = np.asarray(y)
            t = np.zeros(y.shape, y.dtype if y.dtype.kind in "fc" else float)[()]
        elif isinstance(t, np.ndarray):
            owner = id(t if t.base is None else t.base)
            if owner in owners or not t.flags.writeable:
                t = t.copy()
            else:
                owners.add(owner)
        elif type(t) is float:
            t = np.float64(t)
        tangents.append(t)
    return tangents
