"""What an optimizer is, and what all of them share: adding updates, walking trees of gradients, checking settings."""

from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeVar

import numpy as np

from tapegrad import tree
from tapegrad.core.arrays import dtype_of, shape_of
from tapegrad.core.var import Var
from tapegrad.errors import TreeError

T = TypeVar("T")
S = TypeVar("S")


class Optimizer(Protocol[S]):
    """A rule that turns gradients into updates. It holds settings only; what it remembers is the state, of type `S`.

    Example:
        >>> from tapegrad import optim
        >>> optimizer = optim.sgd(0.1, momentum=0.9)
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> state = optimizer.init(params)
        >>> updates, state = optimizer.update({"w": np.array([1.0, 0.0])}, state, params)
        >>> optim.apply_updates(params, updates)
        {'w': array([0.9, 2. ])}
    """

    def init(self, params: Any) -> S:
        """Return the state before the first step."""
        ...

    def update(self, grads: T, state: S, params: T | None = None) -> tuple[T, S]:
        """Return what to add to the parameters, a tree like them, and the state after this step."""
        ...


def apply_updates(params: T, updates: T) -> T:
    """Return ``params + updates``, leaf by leaf, in the dtypes of `params`.

    Args:
        params: a pytree of arrays.
        updates: a pytree like it, from `Optimizer.update`.

    Raises:
        TreeError: if the trees differ, or the shapes of two leaves; the message has the path.
        TypeError: if a parameter is an integer, and its update is not.

    Example:
        >>> apply_updates([np.ones(2)], [np.array([0.5, -0.5])])
        [array([1.5, 0.5])]
    """
    steps, values = paired("optim.apply_updates", "updates", updates, params)
    return tree.refill(params, [_moved(x, step, params) for x, step in zip(values, steps, strict=True)])


def _moved(x: Any, step: Any, params: Any) -> Any:
    y = x + step
    dtype = dtype_of(x)
    if type(x) is float or dtype_of(y) == dtype:
        return y
    if dtype.kind in "biu" and dtype_of(y).kind not in "biu":
        path = next(path for path, leaf in zip(tree.paths(params), tree.leaves(params), strict=True) if leaf is x)
        raise TypeError(
            f"optim.apply_updates: the parameter at {path or 'the root'} has dtype {dtype}, and would lose what stands "
            f"behind the point of its update, of dtype {dtype_of(y)}; make it a floating-point number"
        )
    return y.astype(dtype)


def paired(name: str, what: str, given: Any, like: Any) -> tuple[list[Any], list[Any]]:
    """Return the leaves of two trees, checked to agree in structure and shapes.

    Raises:
        TreeError: naming the path at which `given` differs from `like`.
    """
    theirs: list[Any] = []
    ours: list[Any] = []
    if not _pair(given, like, theirs, ours) or [shape_of(x) for x in theirs] != [shape_of(y) for y in ours]:
        _refuse(name, what, given, like)
    return theirs, ours


def _pair(given: Any, like: Any, theirs: list[Any], ours: list[Any]) -> bool:
    kind = type(like)
    container = None if kind in tree.PLAIN_LEAVES else tree.container_of(kind)
    if container is None:
        theirs.append(given)
        ours.append(like)
        return type(given) is kind or tree.container_of(type(given)) is None
    if type(given) is not kind or container.key(given) != container.key(like):
        return False
    some, others = container.children(given), container.children(like)
    return len(some) == len(others) and all(_pair(x, y, theirs, ours) for x, y in zip(some, others, strict=True))


PAIRS = {
    "gradients": "value_and_grad returns two things: value, grads = ...",
    "updates": "update returns two things: updates, state = ...",
}


def _refuse(name: str, what: str, given: Any, like: Any) -> NoReturn:
    """Raise for two trees that do not agree, slowly, but with the path."""
    hint = f" ({PAIRS[what]})" if type(given) is tuple and len(given) == 2 and type(like) is not tuple else ""

    def check(path: str, x: Any, y: Any) -> None:
        if np.shape(x) != np.shape(y):
            raise TreeError(f"{name}: the {what} at {path or 'the root'} have shape {np.shape(x)}, expected {np.shape(y)}")

    try:
        paths = tree.unflatten(tree.structure(like), tree.paths(like))
        tree.map(check, paths, given, like)
    except TreeError as error:
        if str(error).startswith(name):
            raise
        raise TreeError(f"{name}: the tree of the {what} is not that of the parameters: {error}{hint}") from None
    raise TreeError(f"{name}: the tree of the {what} is {tree.structure(given)}, expected {tree.structure(like)}")


def check_state(name: str, state: Any, kind: type) -> None:
    """Raise for what is not the state of an optimizer.

    Raises:
        TypeError: if `state` is of another class than `kind`.
    """
    if type(state) is not kind:
        raise TypeError(
            f"{name}: the state must be what init or the last update returned, expected {kind.__name__}, got "
            f"{type(state).__name__}; the order is update(grads, state, params)"
        )


def zeros_like(params: T, least: Any = np.float16) -> T:
    """Return a tree like `params` of zeros, of dtypes no shorter than `least`.

    Raises:
        TypeError: for a leaf that does not hold real floating-point numbers; the message has its path.
    """

    def zeros(path: str, x: Any) -> Any:
        dtype = getattr(x, "dtype", np.dtype(type(x)) if isinstance(x, (int, float, complex)) else None)
        if not isinstance(dtype, np.dtype) or dtype.kind != "f":
            got = f"dtype {dtype}" if isinstance(dtype, np.dtype) else f"type {type(x).__name__}"
            raise TypeError(f"optim: the parameter at {path or 'the root'} has {got}, expected real floating-point numbers")
        wide = np.promote_types(dtype, least)
        return np.zeros(np.shape(x), wide) if np.ndim(x) else wide.type(0)

    return tree.map(zeros, tree.unflatten(tree.structure(params), tree.paths(params)), params)


def kept_as(x: Any, like: Any) -> Any:
    """Return `x` in the dtype of `like`, which it has unless a gradient or a setting had a longer one."""
    dtype = dtype_of(like)
    if dtype_of(x) == dtype or dtype_of(x).kind == "c":
        return x
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


def number(x: Any) -> Any:
    """Return a setting as a Python float, which leaves float32 parameters float32; what is no real number as it is."""
    real = isinstance(x, (int, float, np.integer, np.floating)) or (
        isinstance(x, np.ndarray) and x.ndim == 0 and x.dtype.kind in "iuf"
    )
    return float(x) if real else x


def in_range(low: float, high: float) -> Callable[[Any, Any, Any], None]:
    """Return an attrs validator for a number from `low` up to, but not including, `high`; a traced one passes."""

    def check(owner: Any, attribute: Any, value: Any) -> None:
        name = f"optim.{type(owner).__name__.lower()}"
        if type(value) is Var:
            return
        if type(value) is not float:
            meant = attribute.name == "learning_rate" and value is not None and tree.container_of(type(value)) is not None
            hint = "; the parameters are given to init" if meant else ""
            raise TypeError(f"{name}: {attribute.name} must be a number, got a {type(value).__name__}{hint}")
        if not low <= value < high:
            bounds = f"{low:g} or more" + (f" and less than {high:g}" if high != float("inf") else " and finite")
            raise ValueError(f"{name}: {attribute.name} must be {bounds}, got {value}")

    return check
