"""Pytrees: nested containers of arrays, taken apart into leaves and put together again.

A *container* is a dict, list, tuple, NamedTuple, dataclass, attrs class, ``None`` (an empty one) or a class given to
`register`; everything else is a *leaf*. One record per class says how to take an instance apart (``split``) and how to put
one together (``join``); it is looked up by exact type, which keeps flattening cheap enough to run at every gradient.

Fields of attrs classes and dataclasses that are not arrays (an activation function, a number of heads) are declared with
`static` and belong to the structure, not to the leaves.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np
from attrs import field, frozen

from tapegrad.errors import TreeError
from tapegrad.tree.containers import CONTAINERS, PLAIN_LEAVES, container_of, known
from tapegrad.typing import Array

T = TypeVar("T")
S = TypeVar("S")


@frozen
class Structure(Generic[T]):
    """A pytree without its leaves. Two trees fit together when their structures are equal; a structure can be hashed."""

    kind: type | None = None
    key: Hashable = None
    children: "tuple[Structure[Any], ...]" = ()
    count: int = field(default=1, eq=False)

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        names = known(self.kind).names(self.key, len(self.children)) if self.children else []
        inside = ", ".join(f"{name}: {child}" for name, child in zip(names, self.children, strict=True))
        return f"{self.kind.__name__}({inside})"


def flatten(tree: T) -> tuple[list[Any], Structure[T]]:
    """Return the leaves of `tree`, in order, and its structure.

    Dict entries are ordered by key, so that equal dicts have equal leaves whatever the order they were filled in; those of
    an OrderedDict come in its own order.

    Example:
        >>> flatten({"b": 1.0, "a": (2.0, None)})[0]
        [2.0, 1.0]
    """
    found: list[Any] = []
    return found, _flatten(tree, found)


def unflatten(structure: Structure[T], leaves: Iterable[Any]) -> T:
    """Put `leaves` into a tree of the given structure.

    Raises:
        TypeError: if `structure` is none, as that of a tree is.
        TreeError: if there are more or fewer leaves than the structure holds.

    Example:
        >>> leaves, structure = flatten([1.0, {"a": 2.0}])
        >>> unflatten(structure, [x * 10 for x in leaves])
        [10.0, {'a': 20.0}]
    """
    if not isinstance(structure, Structure):
        raise TypeError(f"unflatten: expected a structure and its leaves, got a {type(structure).__name__} as structure")
    given = list(leaves)
    if len(given) != structure.count:
        raise TreeError(f"unflatten: the structure {structure} holds {structure.count} leaves, but {len(given)} were given")
    tree: T = _unflatten(structure, iter(given))
    return tree


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of `tree`, in order.

    Example:
        >>> leaves([1.0, (2.0, {"a": 3.0}), None])
        [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    _gather(tree, found)
    return found


def structure(tree: T) -> Structure[T]:
    """Return the structure of `tree`.

    Example:
        >>> structure([1.0, 2.0]) == structure(["a", "b"])
        True
    """
    return _flatten(tree, [])


def map(f: Callable[..., Any], tree: T, *rest: Any) -> T:  # the name that jax.tree and optree users look for
    """Return a tree like `tree` whose leaves are ``f(leaf, *leaves of rest at the same place)``.

    Raises:
        TreeError: naming the path at which a tree of `rest` has another structure.
        TypeError: if `f` is no function.

    Example:
        >>> map(lambda x, y: x + y, {"a": 1.0}, {"a": 10.0})
        {'a': 11.0}
    """
    if not callable(f):
        raise TypeError(f"tree.map: expected a function and then trees, got a {type(f).__name__} as function")
    if not rest:
        return rebuild(f, tree)
    return _zip_map(f, (tree, *rest), "")  # type: ignore[no-any-return]  # a tree like the first one


def reduce(f: Callable[[S, Any], S], tree: Any, initial: S) -> S:
    """Fold the leaves of `tree` from left to right: ``f(f(initial, leaf0), leaf1)`` and so on.

    Raises:
        TypeError: if `f` is no function.

    Example:
        >>> reduce(lambda total, x: total + x, [1.0, {"a": 2.0}], 0.0)
        3.0
    """
    if not callable(f):
        raise TypeError(f"tree.reduce: expected a function, a tree and a start, got a {type(f).__name__} as function")
    for leaf in leaves(tree):
        initial = f(initial, leaf)
    return initial


def paths(tree: Any) -> list[str]:
    """Return the path of each leaf, as one would write it in Python behind the name of the tree.

    Example:
        >>> paths({"layers": [1.0, 2.0]})
        ["['layers'][0]", "['layers'][1]"]
    """
    found: list[str] = []
    _paths(tree, "", found)
    return found


def ravel(tree: T) -> tuple[Array, Callable[[Array], T]]:
    """Return the leaves of `tree` as one vector, and the function that turns such a vector back into a tree.

    The vector has the common dtype of the leaves; the way back restores each leaf's own shape and dtype. Both ways are
    differentiable.

    Returns:
        The vector, of shape ``(size of all leaves together,)``, and ``unravel(vector) -> tree``, which raises `TreeError`
        for a vector of another shape.

    Raises:
        TypeError: if a leaf is not an array of numbers, naming its path.

    Example:
        >>> vector, unravel = ravel({"a": np.ones((2, 2)), "b": np.zeros(1)})
        >>> vector
        array([1., 1., 1., 1., 0.])
        >>> unravel(vector * 2)["a"]
        array([[2., 2.],
               [2., 2.]])
    """
    parts, shape_of_tree = flatten(tree)
    shapes = [np.shape(part) for part in parts]
    dtypes = [part.dtype if hasattr(part, "dtype") else np.asarray(part).dtype for part in parts]
    for dtype, path in zip(dtypes, paths(tree), strict=True):
        if dtype.kind not in "biufc":
            raise TypeError(f"ravel: the leaf {path or 'itself'} has dtype {dtype}, expected an array of numbers")
    common = np.result_type(*dtypes) if dtypes else np.dtype(float)
    vectors = [np.reshape(part, -1) for part in parts]
    vector = np.concatenate([v.astype(common) for v in vectors]) if vectors else np.zeros(0)

    return vector, Unravel(shape_of_tree, tuple(shapes), tuple(dtypes))


@frozen(repr=False)
class Unravel(Generic[T]):
    """The way back from the vector that `ravel` made; a record, so that it can be pickled."""

    structure: Structure[T]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[Any, ...]

    def __call__(self, flat: Array) -> T:
        ends = list(accumulate([math.prod(shape) for shape in self.shapes], initial=0))
        if np.shape(flat) != (ends[-1],):
            raise TreeError(f"unravel: expected a vector of shape ({ends[-1]},), got shape {np.shape(flat)}")
        pieces = [
            np.reshape(flat[start:stop], shape).astype(dtype)
            for start, stop, shape, dtype in zip(ends[:-1], ends[1:], self.shapes, self.dtypes, strict=True)
        ]
        return unflatten(self.structure, pieces)


def rebuild(f: Callable[[Any], Any], tree: T) -> T:
    """`map` over one tree: the form that transforms use.

    Example:
        >>> rebuild(lambda x: -x, {"a": [1.0, 2.0]})
        {'a': [-1.0, -2.0]}
    """

    def look(x: Any) -> Any:
        kind = type(x)
        if kind in PLAIN_LEAVES:
            return f(x)
        container = CONTAINERS[kind] if kind in CONTAINERS else container_of(kind)
        return f(x) if container is None else container.map(visit, x)

    visit: Any = look
    try:
        return visit(tree)  # type: ignore[no-any-return]  # a tree like the given one
    finally:
        visit = None  # a function that calls itself holds itself, and what it saw, until the garbage collector comes


def refill(tree: T, values: Iterable[Any]) -> T:
    """Return a tree like `tree` whose leaves are taken, in order, from `values`: `unflatten` without a structure.

    Example:
        >>> refill({"a": [1.0, 2.0]}, [3.0, 4.0])
        {'a': [3.0, 4.0]}
    """
    take = iter(values).__next__

    def look(x: Any) -> Any:
        kind = type(x)
        if kind in PLAIN_LEAVES:
            return take()
        container = CONTAINERS[kind] if kind in CONTAINERS else container_of(kind)
        return take() if container is None else container.map(visit, x)

    visit: Any = look
    try:
        return visit(tree)  # type: ignore[no-any-return]  # a tree like the given one
    finally:
        visit = None


# Recursions behind the public functions


def _gather(tree: Any, found: list[Any]) -> None:
    kind = type(tree)
    container = CONTAINERS[kind] if kind in CONTAINERS else container_of(kind)
    if container is None:
        found.append(tree)
    else:
        for child in container.children(tree):
            if type(child) in PLAIN_LEAVES:
                found.append(child)
            else:
                _gather(child, found)


_LEAF: Structure[Any] = Structure()


def _flatten(tree: Any, found: list[Any]) -> Structure[Any]:
    kind = type(tree)
    container = CONTAINERS[kind] if kind in CONTAINERS else container_of(kind)
    if container is None:
        found.append(tree)
        return _LEAF
    before = len(found)
    inside = []
    for child in container.children(tree):
        if type(child) in PLAIN_LEAVES:
            found.append(child)
            inside.append(_LEAF)
        else:
            inside.append(_flatten(child, found))
    return Structure(kind, container.key(tree), tuple(inside), len(found) - before)


def _unflatten(shape: Structure[Any], given: Any) -> Any:
    if shape.kind is None:
        return next(given)
    return known(shape.kind).join(
        shape.key, [next(given) if child.kind is None else _unflatten(child, given) for child in shape.children]
    )


def _paths(tree: Any, prefix: str, found: list[str]) -> None:
    container = container_of(type(tree))
    if container is None:
        found.append(prefix)
        return
    key, children = container.key(tree), container.children(tree)
    for name, child in zip(container.names(key, len(children)), children, strict=True):
        _paths(child, prefix + name, found)


def _zip_map(f: Callable[..., Any], trees: tuple[Any, ...], path: str) -> Any:
    first = trees[0]
    container = container_of(type(first))
    if container is None:
        for other in trees[1:]:
            if container_of(type(other)) is not None:
                raise TreeError(f"at {path or 'the root'}: a leaf on one side, a {type(other).__name__} on the other")
        return f(*trees)
    key, children = container.key(first), container.children(first)
    columns = [children]
    for other in trees[1:]:
        if type(other) is not type(first):
            raise TreeError(
                f"at {path or 'the root'}: a {type(first).__name__} on one side, a {type(other).__name__} on the other"
            )
        other_key, other_children = container.key(other), container.children(other)
        if other_key != key or len(other_children) != len(children):
            raise TreeError(
                f"at {path or 'the root'}: two of type {type(first).__name__} differ: "
                f"{container.names(key, len(children))} and {container.names(other_key, len(other_children))}"
            )
        columns.append(other_children)
    names = container.names(key, len(children))
    return container.join(
        key, [_zip_map(f, row, path + name) for name, row in zip(names, zip(*columns, strict=True), strict=True)]
    )
