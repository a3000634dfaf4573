"""Reverse mode: `grad` and `value_and_grad`, the tape replayed backwards."""

from __future__ import annotations  # Python would take 1.5 ms to evaluate the types of the overloads

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.complaints import uncover
from tapegrad.core.doubt import watched
from tapegrad.core.node import CURRENT, Recording, Step
from tapegrad.core.var import Var
from tapegrad.transforms.entry import close_tape, enter, leave, normalize, off_tape, open_tape, plain_argnums
from tapegrad.transforms.outputs import check_complex, check_scalar, split_aux
from tapegrad.transforms.replay import Table, backwards, carefully, marks, prune, quietly
from tapegrad.transforms.wrapped import Transformed
from tapegrad.typing import Scalar

P = ParamSpec("P")
T0 = TypeVar("T0", bound=Any)  # the bound lets pyright look into lambdas
T1 = TypeVar("T1", bound=Any)
T2 = TypeVar("T2", bound=Any)
S = TypeVar("S", bound=Scalar)
Aux = TypeVar("Aux")
Out = TypeVar("Out")

ONES = {np.dtype(kind): np.dtype(kind).type(1) for kind in (np.float16, np.float32, np.float64, np.longdouble)}


@frozen(eq=False, slots=False, repr=False)
class Grad(Transformed):
    """``grad(f)``; see `grad`."""

    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False

    def __call__(self, *args: Any, **settings: Any) -> Any:
        _, gradient, aux = differentiate("grad", self, args, settings)
        return (gradient, aux) if self.has_aux else gradient


@frozen(eq=False, slots=False, repr=False)
class ValueAndGrad(Transformed):
    """``value_and_grad(f)``; see `value_and_grad`."""

    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False

    def __call__(self, *args: Any, **settings: Any) -> Any:
        value, gradient, aux = differentiate("value_and_grad", self, args, settings)
        return ((value, aux), gradient) if self.has_aux else (value, gradient)

    @property
    def transform(self) -> str:
        return "value_and_grad"


def differentiate(name: str, wanted: Grad | ValueAndGrad, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Return the value, the gradient and the auxiliary output of ``wanted.f`` at `args`."""
    f = wanted.f
    argnums = wanted.argnums
    positions = (0,) if argnums == 0 and args else normalize(name, f, argnums, len(args))
    tape, token = open_tape()
    try:
        start = len(tape.steps)
        traced = enter(tape, name, f, args, positions)
        roots = len(tape.steps) - start
        if wanted.holomorphic:
            check_complex(name, f, args, positions, [step[4] for step in tape.steps[start:]])
        out, aux = f(*traced, **settings), None
        if wanted.has_aux:
            out, aux = split_aux(name, f, out)
        index = check_scalar(name, f, out, tape, wanted.holomorphic)
        if token is not None:
            aux = off_tape(tape, aux) if wanted.has_aux else None
            CURRENT.reset(token)  # rules that run on plain arrays must find no tape to record on
            token = None
            steps, tape.steps = tape.steps, []
            gradients = leave(steps, 0, pull_plain(steps, tape.foreign, roots, index, out))
            out = out.value if type(out) is Var else out
        else:
            gradients = watched(leave(tape.steps, start, pull_recorded(tape, start, roots, index, out)))
    except (TypeError, ValueError) as error:
        uncover(error, tape)
        raise
    finally:
        close_tape(tape, token)
    if type(argnums) is int:
        return out, tree.refill(args[positions[0]], gradients), aux
    return out, tree.refill(tuple([args[i] for i in positions]), gradients), aux


backwards_quietly = np.errstate(all="ignore")(backwards)  # half the time of a `with` in each call


def pull_plain(steps: list[Step], foreign: bool, roots: int, index: int | None, out: Any) -> list[Any]:
    """Return the cotangents of the roots for a cotangent of 1 of node `index`, on plain arrays; the steps are used up."""
    if index is None:
        return [None] * roots
    table: Table = [None] * max(index + 1, roots)  # the output may be an argument
    table[index] = one(out)
    if foreign:
        prune(steps, roots)
    backwards_quietly(steps, table, roots)
    return table


def pull_recorded(tape: Recording, start: int, roots: int, index: int | None, out: Any) -> list[Any]:
    """Return the cotangents of the roots for a cotangent of 1 of node `index`, recording the replay on the live tape."""
    if index is None or index < start:
        return [None] * roots
    table: Table = [None] * max(index - start + 1, roots)
    table[index - start] = one(out)
    with quietly():
        carefully(tape.steps, table, start, index + 1, start + roots, marks(tape.steps, start, roots, index + 1), tape)
    return table[:roots]


def one(out: Var) -> Any:
    """Return the number 1 of the type of an output."""
    dtype = out.dtype
    return ONES[dtype] if dtype in ONES else dtype.type(1)


@overload
def grad(
    f: Callable[Concatenate[T0, P], S], argnums: Literal[0] = 0, has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, P], T0]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, P], S], argnums: Literal[1], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, T1, P], T1]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], S], argnums: Literal[2], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, T1, T2, P], T2]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, P], S], argnums: tuple[Literal[0]], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, P], tuple[T0]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, P], S],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[T0, T1]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[1], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[T1, T2]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[0], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[T0, T2]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[0], Literal[1], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[T0, T1, T2]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, P], tuple[S, Aux]],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, P], tuple[T0, Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, P], tuple[S, Aux]],
    argnums: Literal[1],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[T1, Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: Literal[2],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[T2, Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, P], tuple[S, Aux]],
    argnums: tuple[Literal[0]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, P], tuple[tuple[T0], Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[1]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[tuple[T0, T1], Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[1], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[T1, T2], Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[T0, T2], Aux]]: ...
@overload
def grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[1], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[T0, T1, T2], Aux]]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: int | Sequence[int], has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any] | Any: ...  # `| Any` keeps a lambda, which fits every overload, from being untyped
def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False) -> Any:
    """Return the function that computes the gradient of `f`.

    The gradient is a pytree like the argument: the same containers, and in place of each leaf an array of its shape and
    dtype. It is exact, up to rounding; see the documentation for what it is where functions have kinks.

    Args:
        f: a function of arrays, or pytrees of arrays, that returns a real scalar (shape ``()``).
        argnums: the position of the argument, or a tuple of positions, to differentiate by.
        has_aux: `f` returns ``(output, aux)``; the gradient function then returns ``(gradient, aux)``.
        holomorphic: the output is complex, and `f` is holomorphic; the gradient is then its complex derivative.

    Returns:
        A function of the same arguments as `f`. Where `argnums` is a tuple it returns a tuple of gradients.

    Raises:
        TypeError: when it is called: if a leaf is not a floating-point array, or the output not a real scalar.
        LeakedVarError: if `f` uses a traced value that an earlier call has left behind.

    Example:
        >>> grad(lambda x: x ** 3)(2.0)
        np.float64(12.0)
        >>> grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(np.ones(2), np.array([3.0, 4.0]))
        (array([3., 4.]), array([1., 1.]))

    References:
        A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2 (reverse mode).
    """
    return Grad(f, plain_argnums("grad", argnums), has_aux, holomorphic)


@overload
def value_and_grad(
    f: Callable[Concatenate[T0, P], S], argnums: Literal[0] = 0, has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, P], tuple[S, T0]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, P], S], argnums: Literal[1], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, T1, P], tuple[S, T1]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], S], argnums: Literal[2], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, T1, T2, P], tuple[S, T2]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, P], S], argnums: tuple[Literal[0]], has_aux: Literal[False] = False, holomorphic: bool = False
) -> Callable[Concatenate[T0, P], tuple[S, tuple[T0]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, P], S],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[S, tuple[T0, T1]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[1], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[S, tuple[T1, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[0], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[S, tuple[T0, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], S],
    argnums: tuple[Literal[0], Literal[1], Literal[2]],
    has_aux: Literal[False] = False,
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[S, tuple[T0, T1, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, P], tuple[S, Aux]],
    argnums: Literal[0] = 0,
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, P], tuple[tuple[S, Aux], T0]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, P], tuple[S, Aux]],
    argnums: Literal[1],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[tuple[S, Aux], T1]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: Literal[2],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[S, Aux], T2]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, P], tuple[S, Aux]],
    argnums: tuple[Literal[0]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, P], tuple[tuple[S, Aux], tuple[T0]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[1]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, P], tuple[tuple[S, Aux], tuple[T0, T1]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[1], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[S, Aux], tuple[T1, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[S, Aux], tuple[T0, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[T0, T1, T2, P], tuple[S, Aux]],
    argnums: tuple[Literal[0], Literal[1], Literal[2]],
    *,
    has_aux: Literal[True],
    holomorphic: bool = False,
) -> Callable[Concatenate[T0, T1, T2, P], tuple[tuple[S, Aux], tuple[T0, T1, T2]]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: int | Sequence[int], has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any] | Any: ...  # `| Any` keeps a lambda, which fits every overload, from being untyped
def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Any:
    """Return the function that computes both the value of `f` and its gradient.

    Args:
        f: as for `grad`.
        argnums: as for `grad`.
        has_aux: `f` returns ``(output, aux)``; the result is then ``((output, aux), gradient)``.
        holomorphic: as for `grad`.

    Returns:
        A function of the same arguments as `f` that returns ``(value, gradient)``.

    Raises:
        TypeError: as for `grad`.

    Example:
        >>> value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
        (np.float64(5.0), array([2., 4.]))
    """
    return ValueAndGrad(f, plain_argnums("value_and_grad", argnums), has_aux, holomorphic)
