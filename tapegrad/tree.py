"""Pytrees: nested containers of arrays, taken apart into leaves and put together again.

A *container* is a dict, list, tuple, NamedTuple, dataclass, attrs class, ``None`` (an empty one) or a class given to
`register`; everything else is a *leaf*. One record per class says how to take an instance apart (``split``) and how to put
one together (``join``); it is looked up by exact type, which keeps flattening cheap enough to run at every gradient.

Fields of attrs classes and dataclasses that are not arrays (an activation function, a number of heads) are declared with
`static` and belong to the structure, not to the leaves.
"""

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import attrs
import numpy as np
from attrs import field, frozen

from tapegrad.errors import TreeError
from tapegrad.typing import Array

T = TypeVar("T")
S = TypeVar("S")

STATIC = "tapegrad.static"
each = map  # Python's own; `map` is the tree's here


@frozen(eq=False)
class Container:
    """How instances of one class are taken apart and put together.

    ``children(tree)`` gives what it holds, in order; ``key(tree)`` all else that tells it from others of its class;
    ``join(key, children)`` builds an instance; ``map(visit, tree)`` one like `tree` whose children are visited;
    ``names(key, count)`` writes the piece of a path that leads to each child.
    """

    children: Callable[[Any], Sequence[Any]]
    key: Callable[[Any], Hashable]
    join: Callable[[Any, Iterable[Any]], Any]
    names: Callable[[Any, int], list[str]]
    map: Callable[[Callable[[Any], Any], Any], Any]


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
        names = _known(self.kind).names(self.key, len(self.children)) if self.children else []
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
        TreeError: if there are more or fewer leaves than the structure holds.

    Example:
        >>> leaves, structure = flatten([1.0, {"a": 2.0}])
        >>> unflatten(structure, [x * 10 for x in leaves])
        [10.0, {'a': 20.0}]
    """
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

    Example:
        >>> map(lambda x, y: x + y, {"a": 1.0}, {"a": 10.0})
        {'a': 11.0}
    """
    if not rest:
        return rebuild(f, tree)
    return _zip_map(f, (tree, *rest), "")  # type: ignore[no-any-return]  # a tree like the first one


def reduce(f: Callable[[S, Any], S], tree: Any, initial: S) -> S:
    """Fold the leaves of `tree` from left to right: ``f(f(initial, leaf0), leaf1)`` and so on.

    Example:
        >>> reduce(lambda total, x: total + x, [1.0, {"a": 2.0}], 0.0)
        3.0
    """
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
    sizes = [int(np.prod(shape)) for shape in shapes]
    ends = np.cumsum([0, *sizes]).tolist()
    common = np.result_type(*dtypes) if dtypes else np.dtype(float)
    vectors = [np.reshape(part, -1) for part in parts]
    vector = np.concatenate([v.astype(common) for v in vectors]) if vectors else np.zeros(0)

    def unravel(flat: Array) -> T:
        if np.shape(flat) != (ends[-1],):
            raise TreeError(f"unravel: expected a vector of shape ({ends[-1]},), got shape {np.shape(flat)}")
        pieces = [
            np.reshape(flat[start:stop], shape).astype(dtype)
            for start, stop, shape, dtype in zip(ends[:-1], ends[1:], shapes, dtypes, strict=True)
        ]
        return unflatten(shape_of_tree, pieces)

    return vector, unravel


def register(
    kind: type[S],
    split: Callable[[S], tuple[Hashable, Sequence[Any]]],
    join: Callable[[Any, Sequence[Any]], S],
    names: Callable[[Any, int], list[str]] | None = None,
) -> None:
    """Make instances of `kind` containers.

    Args:
        kind: a class that is not yet a container.
        split: gives ``(key, children)``, where `key` is hashable and holds all that is not a child.
        join: builds an instance from such a key and children.
        names: the pieces of a path, from the key and the number of children; ``[0]``, ``[1]``, ... by default.

    Raises:
        ValueError: if `kind` is a container already.

    Example:
        >>> class Pair:
        ...     def __init__(self, left, right):
        ...         self.left, self.right = left, right
        >>> register(Pair, lambda p: (None, (p.left, p.right)), lambda key, children: Pair(*children))
        >>> leaves(Pair(1.0, [2.0]))
        [1.0, 2.0]
    """
    if _CONTAINERS.get(kind) is not None:
        raise ValueError(f"register: {kind.__name__} is a pytree container already")

    def map_registered(visit: Callable[[Any], Any], tree: S) -> S:
        key, children = split(tree)
        return join(key, [visit(child) for child in children])

    _CONTAINERS[kind] = Container(
        lambda tree: split(tree)[1],
        lambda tree: split(tree)[0],
        lambda key, children: join(key, list(children)),
        names or _positions,
        map_registered,
    )


def static(default: Any = attrs.NOTHING, **options: Any) -> Any:
    """Declare a field of an attrs class that is part of the structure and not a leaf (it must be hashable).

    In a dataclass, write ``dataclasses.field(metadata={"static": True})``.

    Example:
        >>> @frozen
        ... class Layer:
        ...     weight: Array
        ...     activation: str = static("relu")
        >>> leaves(Layer(np.ones(2)))
        [array([1., 1.])]
    """
    return field(default=default, metadata={STATIC: True}, **options)


def rebuild(f: Callable[[Any], Any], tree: T) -> T:
    """`map` over one tree: the form that transforms use."""

    def look(x: Any) -> Any:
        kind = type(x)
        if kind in PLAIN_LEAVES:
            return f(x)
        container = _CONTAINERS[kind] if kind in _CONTAINERS else container_of(kind)
        return f(x) if container is None else container.map(visit, x)

    visit: Any = look
    try:
        return visit(tree)  # type: ignore[no-any-return]  # a tree like the given one
    finally:
        visit = None  # a function that calls itself holds itself, and what it saw, until the garbage collector comes


def refill(tree: T, values: Iterable[Any]) -> T:
    """Return a tree like `tree` whose leaves are taken, in order, from `values`: `unflatten` without a structure."""
    take = iter(values).__next__

    def look(x: Any) -> Any:
        kind = type(x)
        if kind in PLAIN_LEAVES:
            return take()
        container = _CONTAINERS[kind] if kind in _CONTAINERS else container_of(kind)
        return take() if container is None else container.map(visit, x)

    visit: Any = look
    try:
        return visit(tree)  # type: ignore[no-any-return]  # a tree like the given one
    finally:
        visit = None


# Recursions behind the public functions


def _gather(tree: Any, found: list[Any]) -> None:
    kind = type(tree)
    container = _CONTAINERS[kind] if kind in _CONTAINERS else container_of(kind)
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
    container = _CONTAINERS[kind] if kind in _CONTAINERS else container_of(kind)
    if container is None:
        found.append(tree)
        return _LEAF
    before = len(found)
    inside = tuple([_flatten(child, found) for child in container.children(tree)])
    return Structure(kind, container.key(tree), inside, len(found) - before)


def _unflatten(shape: Structure[Any], given: Any) -> Any:
    if shape.kind is None:
        return next(given)
    return _known(shape.kind).join(shape.key, [_unflatten(child, given) for child in shape.children])


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


# Containers by class


def _positions(key: Any, count: int) -> list[str]:
    return [f"[{i}]" for i in range(count)]


def _ordered(keys: Iterable[Any]) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:  # keys of several types: as they come
        return list(keys)


def _keys(tree: dict[Any, Any]) -> tuple[Any, ...]:
    return tuple(_ordered(tree))


def _values(tree: dict[Any, Any]) -> list[Any]:
    return [tree[key] for key in _ordered(tree)]


def _no_key(tree: Any) -> None:
    return None


def _itself(tree: Any) -> Any:
    return tree


def _key_names(key: Any, count: int) -> list[str]:
    return [f"[{k!r}]" for k in key]


def _keyed(kind: Callable[..., Any]) -> Container:
    """Return the container of a dict, whose entries go by key."""

    def join(key: Any, children: Iterable[Any]) -> Any:
        return kind(zip(key, children, strict=True))

    def map_entries(visit: Callable[[Any], Any], tree: Any) -> Any:
        made = kind(tree)  # keeps the order in which the entries were made
        for key in _ordered(tree):
            made[key] = visit(tree[key])
        return made

    return Container(_values, _keys, join, _key_names, map_entries)


def _defaulting(tree: Any) -> Any:
    return tree.default_factory, *_keys(tree)


_CONTAINERS: dict[type, Container | None] = {
    list: Container(
        _itself, _no_key, lambda key, children: list(children), _positions, lambda visit, tree: [*each(visit, tree)]
    ),
    tuple: Container(
        _itself, _no_key, lambda key, children: tuple(children), _positions, lambda visit, tree: (*each(visit, tree),)
    ),
    dict: _keyed(dict),
    OrderedDict: attrs.evolve(  # whose order is part of what it is
        _keyed(OrderedDict),
        children=lambda tree: list(tree.values()),
        key=tuple,
        map=lambda visit, tree: OrderedDict([(key, visit(child)) for key, child in tree.items()]),
    ),
    defaultdict: attrs.evolve(
        _keyed(lambda tree: tree.copy()),
        key=_defaulting,
        join=lambda key, children: defaultdict(key[0], zip(key[1:], children, strict=True)),
        names=lambda key, count: _key_names(key[1:], count),
    ),
    type(None): Container(lambda tree: (), _no_key, lambda key, children: None, _positions, lambda visit, tree: None),
}
"""How each class met so far is taken apart; None for a leaf."""

PLAIN_LEAVES = frozenset({np.ndarray, float, int, bool, np.float64, np.float32})
"""Types known to be leaves without asking."""


def container_of(kind: type) -> Container | None:
    """Return how `kind` is taken apart, or None for a leaf; a class met for the first time is classified here."""
    if kind not in _CONTAINERS:
        if attrs.has(kind):
            _CONTAINERS[kind] = _record(kind, [(a.name, STATIC in a.metadata) for a in attrs.fields(kind)])
        elif dataclasses.is_dataclass(kind):
            fields = dataclasses.fields(kind)
            _CONTAINERS[kind] = _record(kind, [(f.name, bool(f.metadata.get("static"))) for f in fields])
        elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
            names = [f".{name}" for name in kind._fields]
            _CONTAINERS[kind] = Container(
                _itself,
                _no_key,
                lambda key, children: kind(*children),
                lambda key, count: names,
                lambda visit, tree: kind(*each(visit, tree)),
            )
        else:
            _CONTAINERS[kind] = None
    return _CONTAINERS[kind]


def _known(kind: type) -> Container:
    container = container_of(kind)
    assert container is not None, kind
    return container


def _record(kind: type, fields: list[tuple[str, bool]]) -> Container:
    """Return the container of a class with named fields.

    Instances are built without calling ``__init__``: converters and validators meant for arrays have run when the user
    made the tree, and must not see traced values.
    """
    moving = [name for name, fixed in fields if not fixed]
    fixed = [name for name, is_fixed in fields if is_fixed]
    names = [f".{name}" for name in moving]
    children_of, key_of, new = _getter(moving), _getter(fixed), object.__new__
    setters = [_setter(kind, name) for name in (*moving, *fixed)]

    def join(key: Any, children: Iterable[Any]) -> Any:
        made: Any = new(kind)
        for put, child in zip(setters, (*children, *key), strict=True):
            put(made, child)
        return made

    def map_fields(visit: Callable[[Any], Any], tree: Any) -> Any:
        made: Any = new(kind)
        for put, child in zip(setters, each(visit, children_of(tree))):  # noqa: B905  # strict= costs as much as the loop
            put(made, child)
        return made

    return Container(
        children_of,
        key_of,
        join,
        lambda key, count: names,
        (lambda visit, tree: join(key_of(tree), each(visit, children_of(tree)))) if fixed else map_fields,
    )


def _setter(kind: type, name: str) -> Callable[[Any, Any], None]:
    """Return the fastest way to set a field that also works on a frozen instance."""
    slot: Any = getattr(kind, name, None)
    if hasattr(slot, "__set__") and not isinstance(slot, property):
        return slot.__set__  # type: ignore[no-any-return]  # a slot's descriptor
    return lambda made, value: object.__setattr__(made, name, value)


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda tree: ()
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda tree: (only(tree),)
    return attrgetter(*names)
