"""How classes are taken apart: one record for each class of container, looked up by exact type.

A container is a dict, list, tuple, NamedTuple, dataclass, attrs class, ``None`` (an empty one) or a class given to `register`.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import attrs
import numpy as np
from attrs import field, frozen

S = TypeVar("S")

STATIC = "tapegrad.static"


@frozen(eq=False, repr=False)
class Container:
    """How instances of one class are taken apart and put together.

    ``children(tree)`` gives what it holds, in order; ``key(tree)`` all else that tells it from others of its class;
    ``join(key, children)`` builds an instance; ``map(visit, tree)`` one like `tree` whose children are visited;
    ``names(key, count)`` writes the piece of a path that leads to each child; ``is_record`` tells that these are attributes.
    """

    children: Callable[[Any], Sequence[Any]]
    key: Callable[[Any], Hashable]
    join: Callable[[Any, Iterable[Any]], Any]
    names: Callable[[Any, int], list[str]]
    map: Callable[[Callable[[Any], Any], Any], Any]
    is_record: bool = False


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
        TypeError: if `kind` is no class, or one of the others no function.
        ValueError: if it is a container already.

    Example:
        >>> class Pair:
        ...     def __init__(self, left, right):
        ...         self.left, self.right = left, right
        >>> register(Pair, lambda p: (None, (p.left, p.right)), lambda key, children: Pair(*children))
        >>> tg.tree.leaves(Pair(1.0, [2.0]))
        [1.0, 2.0]
    """
    if not isinstance(kind, type):
        raise TypeError(f"register: expected a class, got {kind!r}")
    for what, given in (("split", split), ("join", join), ("names", names)):
        if not callable(given) and (given is not None or what != "names"):
            raise TypeError(f"register of {kind.__name__}: {what} must be a function, got {given!r}")
    if CONTAINERS.get(kind) is not None:
        raise ValueError(f"register: {kind.__name__} is a pytree container already")

    def map_registered(visit: Callable[[Any], Any], tree: S) -> S:
        key, children = split(tree)
        return join(key, [visit(child) for child in children])

    CONTAINERS[kind] = Container(
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
        ...     weight: object
        ...     activation: str = static("relu")
        >>> tg.tree.leaves(Layer(np.ones(2)))
        [array([1., 1.])]
    """
    return field(default=default, metadata={STATIC: True}, **options)


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


CONTAINERS: dict[type, Container | None] = {
    list: Container(
        _itself, _no_key, lambda key, children: list(children), _positions, lambda visit, tree: [*map(visit, tree)]
    ),
    tuple: Container(
        _itself, _no_key, lambda key, children: tuple(children), _positions, lambda visit, tree: (*map(visit, tree),)
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
    """Return how `kind` is taken apart, or None for a leaf; a class met for the first time is classified here.

    Example:
        >>> container_of(float) is None
        True
    """
    if kind not in CONTAINERS:
        if attrs.has(kind):
            CONTAINERS[kind] = _record(kind, [(a.name, STATIC in a.metadata) for a in attrs.fields(kind)])
        elif hasattr(kind, "__dataclass_fields__"):
            import dataclasses  # here, as whoever has such a class has paid for it

            fields = dataclasses.fields(kind)
            CONTAINERS[kind] = _record(kind, [(f.name, bool(f.metadata.get("static"))) for f in fields])
        elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
            names = [f".{name}" for name in kind._fields]
            CONTAINERS[kind] = Container(
                _itself,
                _no_key,
                lambda key, children: kind(*children),
                lambda key, count: names,
                lambda visit, tree: kind(*map(visit, tree)),
            )
        else:
            CONTAINERS[kind] = None
    return CONTAINERS[kind]


def known(kind: type) -> Container:
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
    setters = [setter(kind, name) for name in (*moving, *fixed)]

    def join(key: Any, children: Iterable[Any]) -> Any:
        made: Any = new(kind)
        for put, child in zip(setters, (*children, *key), strict=True):
            put(made, child)
        return made

    return Container(
        children_of,
        key_of,
        join,
        lambda key, count: names,
        (lambda visit, tree: join(key_of(tree), map(visit, children_of(tree)))) if fixed else _mapper(kind, moving, setters),
        is_record=True,
    )


def _mapper(kind: type, names: list[str], setters: Sequence[Callable[[Any, Any], None]]) -> Callable[..., Any]:
    """Return ``map`` of a class without static fields, written out for its fields: every gradient calls it twice a record."""
    lines = ["def map_fields(visit, tree):", "    made = new(kind)"]
    lines += [f"    set{k}(made, visit(tree.{name}))" for k, name in enumerate(names)]
    bound = {"new": object.__new__, "kind": kind, **{f"set{k}": put for k, put in enumerate(setters)}}
    exec("\n".join([*lines, "    return made"]), bound)
    return bound["map_fields"]  # type: ignore[return-value]  # what was just defined


def setter(kind: type, name: str) -> Callable[[Any, Any], None]:
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
