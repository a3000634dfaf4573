"""Reverse mode by hand: `vjp`, a function together with the pull of its cotangents."""

from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeVar, overload

from attrs import frozen

from tapegrad import tree
from tapegrad.core.complaints import uncover
from tapegrad.core.doubt import watched
from tapegrad.core.node import Recording, Step
from tapegrad.core.var import Var
from tapegrad.errors import LeakedVarError
from tapegrad.transforms.entry import check_like, close_tape, enter, leave, off_tape, open_tape, seed
from tapegrad.transforms.outputs import check_function, output_index, split_aux
from tapegrad.transforms.replay import Table, backwards, carefully, marks, prune, quietly

P = ParamSpec("P")  # with "..." in its place mypy would not look into a lambda that another transform takes
Out = TypeVar("Out")
Aux = TypeVar("Aux")


@overload
def vjp(f: Callable[P, Out], *primals: Any) -> tuple[Out, Callable[[Out], tuple[Any, ...]]]: ...
@overload
def vjp(
    f: Callable[P, tuple[Out, Aux]], *primals: Any, has_aux: Literal[True]
) -> tuple[Out, Callable[[Out], tuple[Any, ...]], Aux]: ...
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return ``f(*primals)`` and the function that pulls a cotangent of the output back to the primals.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays.
        primals: the arguments, pytrees of floating-point arrays.
        has_aux: `f` returns ``(output, aux)``.

    Returns:
        ``(output, pull)`` or ``(output, pull, aux)``. ``pull(cotangent)``, for a cotangent with the tree, shapes and dtypes of
        the output, returns a tuple with one cotangent like each primal: the Jacobian, transposed, times `cotangent`. It may
        be called any number of times.

    Raises:
        TypeError: if a leaf of the primals is not a floating-point array, or a cotangent does not fit the output.
        TreeError: if the tree of a cotangent is not that of the output.

    Example:
        >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
        >>> pull(np.array([1.0, 10.0]))
        (array([ 2., 40.]),)
    """
    out, pull, aux = pull_back("vjp", f, primals, tuple(range(len(primals))), {}, has_aux)
    return (out, pull, aux) if has_aux else (out, pull)


def pull_back(
    name: str, f: Callable[..., Any], args: tuple[Any, ...], positions: tuple[int, ...], settings: dict[str, Any], has_aux: bool
) -> "tuple[Any, Pull, Any]":
    """Record ``f(*args, **settings)``; return the output, the function that pulls cotangents back to the arguments at
    `positions`, and the auxiliary output."""
    check_function(name, f)
    tape, token = open_tape()
    try:
        start = len(tape.steps)
        traced = enter(tape, name, f, args, positions)
        roots = len(tape.steps) - start
        out, aux = f(*traced, **settings), None
        if has_aux:
            out, aux = split_aux(name, f, out)
        leaves, structure = tree.flatten(out)
        outputs = [output_index(name, f, leaf, tape) for leaf in leaves]
        values = [leaf.value if type(leaf) is Var else leaf for leaf in leaves]
        if token is not None:
            out, aux = off_tape(tape, out), off_tape(tape, aux)
            if tape.foreign:
                prune(tape.steps, roots)
        live = None if token is not None else tape
        steps = tape.steps
        if token is not None:
            tape.steps = []  # they belong to the pull from here on
        primals = tuple([args[i] for i in positions])
        return out, Pull(name, live, steps, start, roots, outputs, values, structure, primals), aux
    except (TypeError, ValueError) as error:
        uncover(error, tape)
        raise
    finally:
        close_tape(tape, token)


@frozen(eq=False, repr=False)
class Pull:
    """The function that `vjp` returns: it keeps a stretch of tape, and replays it backwards at each call."""

    name: str
    tape: Recording | None
    steps: list[Step]
    start: int
    roots: int
    outputs: list[int | None]
    values: list[Any]
    structure: tree.Structure[Any]
    primals: tuple[Any, ...]

    def __call__(self, cotangent: Any) -> Any:
        like = tree.unflatten(self.structure, self.values)
        cotangents = check_like(self.name, "cotangent", cotangent, like, self.structure, self.values)
        if self.tape is not None and self.tape.steps is not self.steps:
            raise LeakedVarError("the function returned by vjp was called after the transform around it had ended")
        start, roots = self.start, self.roots
        top = max((index + 1 for index in self.outputs if index is not None), default=start + roots)
        top = max(top, start + roots)
        table: Table = [None] * (top - start)
        seed(table, start, self.outputs, cotangents)
        with quietly():
            if self.tape is not None:
                marked = marks(self.steps, start, roots, top)
                carefully(self.steps, table, start, top, start + roots, marked, self.tape)
            elif any(type(g) is Var for g in cotangents):
                carefully(self.steps, table, 0, top, roots, None, None)
            else:
                backwards(self.steps, table, roots, keep=True)
        return tree.refill(self.primals, watched(leave(self.steps, start, table[:roots], cotangents)))
