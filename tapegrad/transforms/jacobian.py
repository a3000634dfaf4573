"""Jacobians and Hessians: `vjp` and `linearize`, batched over a basis."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from attrs import frozen

from tapegrad import tree
from tapegrad.core.primitive import FUNCTIONS
from tapegrad.core.var import Var
from tapegrad.transforms.batch import vmap
from tapegrad.transforms.entry import normalize, plain_argnums
from tapegrad.transforms.forward import pushed
from tapegrad.transforms.pullback import pull_back
from tapegrad.transforms.reverse import Grad, differentiate
from tapegrad.transforms.wrapped import Transformed

P = ParamSpec("P")
T = TypeVar("T", bound=Any)  # the bound lets type checkers look into lambdas

ANYWHERE = inspect.Parameter.POSITIONAL_OR_KEYWORD


def jacrev(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any]:
    """Return the function that computes the Jacobian of `f` in reverse mode: one backward replay, batched over the outputs.

    It is the cheaper one where there are fewer outputs than inputs.

    Args:
        f: a function of pytrees of arrays that returns a pytree of arrays.
        argnums: the position of the argument, or a tuple of positions, to differentiate by.
        has_aux: `f` returns ``(output, aux)``; the result is then ``(jacobian, aux)``.
        holomorphic: inputs and outputs are complex, and `f` is holomorphic.

    Returns:
        A function of the same arguments. In place of each leaf of the output it returns a tree like the argument (a tuple of
        them where `argnums` is a tuple) of arrays of shape ``output.shape + input.shape``.

    Raises:
        TypeError: if an input or output is not of floating-point type.

    Example:
        >>> jacrev(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
        array([[3., 0., 1.],
               [0., 3., 2.]])
    """
    return Jacobian(f, plain_argnums("jacrev", argnums), has_aux, holomorphic, "jacrev")


def jacfwd(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any]:
    """Return the function that computes the Jacobian of `f` in forward mode: one forward replay, batched over the inputs.

    It is the cheaper one where there are fewer inputs than outputs. Arguments and results are those of `jacrev`.

    Raises:
        TypeError: if an input or output is not of floating-point type.

    Example:
        >>> jacfwd(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
        array([[3., 0., 1.],
               [0., 3., 2.]])
    """
    return Jacobian(f, plain_argnums("jacfwd", argnums), has_aux, holomorphic, "jacfwd")


def jacobian(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any]:
    """Return the function that computes the Jacobian of `f`, in the mode that is cheaper by the number of inputs and outputs.

    Arguments and results are those of `jacrev`.

    Raises:
        TypeError: if an input or output is not of floating-point type.

    Example:
        >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """
    return Jacobian(f, plain_argnums("jacobian", argnums), has_aux, holomorphic, "jacobian")


def hessian(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[P, Any]:
    """Return the function that computes the second derivatives of `f`, forward over reverse.

    Args:
        f: a function of pytrees of arrays; its output is usually a scalar, but need not be one.
        argnums: as for `jacrev`.
        has_aux: as for `jacrev`.
        holomorphic: as for `jacrev`.

    Returns:
        A function that returns, for each leaf of the output, a tree (like the argument) of trees (likewise) of arrays of shape
        ``output.shape + input.shape + input.shape``.

    Raises:
        TypeError: if an input or output is not of floating-point type.

    Example:
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
        array([[6., 2.],
               [2., 0.]])
    """
    positions = plain_argnums("hessian", argnums)
    inner = Jacobian(f, positions, has_aux, holomorphic, "jacrev", "hessian")
    return Jacobian(inner, positions, has_aux, holomorphic, "jacfwd", "hessian")


def hvp(f: Callable[[T], Any]) -> Callable[[T, T], T]:
    """Return the function ``(x, v) -> H(x) v``, where H is the Hessian of the scalar function `f`: forward over reverse.

    Args:
        f: a function of a pytree of arrays that returns a real scalar.

    Returns:
        A function of `x` and a direction `v`, a tree like `x`, that returns a tree like `x`.

    Raises:
        TypeError: if a leaf is not of floating-point type, or the output not a real scalar.

    Example:
        >>> hvp(lambda x: (x ** 3).sum())(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([6., 0.])

    References:
        B. Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 6, 1994.
    """
    return HessianProduct(f)


@frozen(eq=False, slots=False, repr=False)
class HessianProduct(Transformed):
    """``hvp(f)``; see `hvp`."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.__dict__["__signature__"] = inspect.Signature([inspect.Parameter(name, ANYWHERE) for name in ("x", "v")])

    @property
    def transform(self) -> str:
        return "hvp"

    def __call__(self, x: Any, v: Any) -> Any:
        wanted = Grad(self.f)

        @functools.wraps(wanted)  # so that errors have the names of the function and its argument
        def slope(x: Any) -> Any:
            return differentiate("hvp", wanted, (x,), {})[1]

        return pushed(pull_back("hvp", slope, (x,), (0,), {}, has_aux=False)[1])(v)


@frozen(eq=False, slots=False, repr=False)
class Jacobian(Transformed):
    """``jacrev(f)``, ``jacfwd(f)`` or ``jacobian(f)``; ``hessian(f)`` is one of another, both called so."""

    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False
    mode: str = "jacrev"
    called: str = ""

    @property
    def transform(self) -> str:
        return self.called or self.mode

    def __call__(self, *args: Any, **settings: Any) -> Any:
        positions = normalize(self.transform, self.f, self.argnums, len(args))
        wanted = tuple([args[i] for i in positions])
        inputs = tree.leaves(wanted)
        out, how, aux = self.replayable(args, positions, settings, inputs)
        outputs, structure = tree.flatten(out)
        self.check(inputs, outputs)
        with np.errstate(all="ignore"):  # only rules run here; the function itself has been recorded
            if how == "jacrev":
                pull, like = aux[0], outputs
                rows = vmap(lambda *g: tree.leaves(pull(tree.unflatten(structure, g))))(*basis(like)) if size(like) else None
                blocks = by_output(rows, inputs, outputs)
            else:
                push = aux[0]
                columns = vmap(lambda *t: tree.leaves(push(*tree.refill(wanted, t))))(*basis(inputs)) if size(inputs) else None
                blocks = by_input(columns, inputs, outputs)
        single = isinstance(self.argnums, int)
        jacobians = [tree.refill(wanted[0] if single else wanted, row) for row in blocks]
        result = tree.unflatten(structure, jacobians)
        return (result, aux[1]) if self.has_aux else result

    def replayable(
        self, args: tuple[Any, ...], positions: tuple[int, ...], settings: dict[str, Any], inputs: list[Any]
    ) -> tuple[Any, str, tuple[Any, Any]]:
        """Record the function; return its output, the mode, and the pull or push with the auxiliary output."""
        out, pull, aux = pull_back(self.transform, self.f, args, positions, settings, self.has_aux)
        fewer_inputs = self.mode == "jacobian" and size(inputs) < size(tree.leaves(out))
        if self.mode == "jacfwd" or fewer_inputs:
            return out, "jacfwd", (pushed(pull), aux)
        return out, "jacrev", (pull, aux)

    def check(self, inputs: list[Any], outputs: list[Any]) -> None:
        """Raise unless real functions are real, and holomorphic ones complex."""
        name = getattr(self.f, "__name__", repr(self.f))
        for x, what in [(x, "input") for x in inputs] + [(y, "output") for y in outputs]:
            dtype = kind(x)
            if self.holomorphic and dtype.kind != "c":
                raise TypeError(
                    f"{self.transform} of {name} with holomorphic=True: an {what} has a real dtype, expected a complex one"
                )
            if not self.holomorphic and dtype.kind == "c" and (what == "output" or self.mode != "jacrev"):
                raise TypeError(
                    f"{self.transform} of {name}: an {what} is complex; set holomorphic=True if the function is holomorphic"
                )
            if dtype.kind not in "fc":
                which = "an integer or boolean dtype" if dtype.kind in "iub" else f"dtype {dtype}"
                raise TypeError(f"{self.transform} of {name}: an {what} has {which} and no derivative")


def size(leaves: Sequence[Any]) -> int:
    return sum(int(np.prod(np.shape(x.value if type(x) is Var else x))) for x in leaves)


def kind(x: Any) -> np.dtype[Any]:
    """Return the dtype of a leaf."""
    return np.result_type(x.dtype if type(x) is Var else x)


def basis(leaves: Sequence[Any]) -> list[Any]:
    """Return, for each leaf, an array of shape ``(size of all leaves together,) + leaf.shape``: all unit vectors."""
    total, at = size(leaves), 0
    found = []
    for x in leaves:
        shape = np.shape(x.value if type(x) is Var else x)
        count = int(np.prod(shape))
        units = np.zeros((total, count), kind(x))
        units[at : at + count] = np.eye(count)
        at += count
        found.append(units.reshape(total, *shape))
    return found


def by_output(rows: Any, inputs: list[Any], outputs: list[Any]) -> list[list[Any]]:
    """Cut what reverse mode found, for each input all output elements, into blocks: for each output one for each input."""
    blocks, at = [], 0
    for y in outputs:
        shape = np.shape(y.value if type(y) is Var else y)
        count = int(np.prod(shape))
        row = []
        for k, x in enumerate(inputs):
            whole = (*shape, *np.shape(x.value if type(x) is Var else x))
            row.append(np.zeros(whole, kind(x)) if rows is None else FUNCTIONS[np.reshape](rows[k][at : at + count], whole))
        at += count
        blocks.append(row)
    return blocks


def by_input(columns: Any, inputs: list[Any], outputs: list[Any]) -> list[list[Any]]:
    """Cut what forward mode found, for each output all input elements, likewise."""
    blocks: list[list[Any]] = [[] for _ in outputs]
    at = 0
    for x in inputs:
        shape = np.shape(x.value if type(x) is Var else x)
        count = int(np.prod(shape))
        for k, y in enumerate(outputs):
            whole = (*np.shape(y.value if type(y) is Var else y), *shape)
            if columns is None:
                blocks[k].append(np.zeros(whole, kind(y)))
            else:
                moved = FUNCTIONS[np.moveaxis](columns[k][at : at + count], 0, -1)
                blocks[k].append(FUNCTIONS[np.reshape](moved, whole))
        at += count
    return blocks
