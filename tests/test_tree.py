"""Pytrees: what is a container, in which order leaves come, and what errors say."""

import copy
import dataclasses
import pickle
import re
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

import tapegrad as tg
from tapegrad import tree
from tapegrad.errors import TreeError
from tapegrad.testing import assert_trees_close


class Point(NamedTuple):
    x: Any
    y: Any


Old = namedtuple("Old", ["a", "b"])


@dataclasses.dataclass
class Plain:
    weight: Any
    bias: Any
    name: str = dataclasses.field(default="plain", metadata={"static": True})


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    weight: Any
    bias: Any


@frozen
class Frozen:
    weight: Any
    bias: Any
    activation: str = tree.static("relu")


@define
class Slotted:
    weight: Any
    bias: Any = None


@attrs.define(slots=False)
class Open:
    weight: Any


@frozen
class Base:
    weight: Any


@frozen
class Derived(Base):
    bias: Any


@frozen
class Picky:
    """Converters and validators are for what a user builds, not for what a transform does."""

    weight: Any = field(converter=np.asarray, validator=attrs.validators.instance_of(np.ndarray))
    count: int = tree.static(0)


@frozen
class Empty:
    pass


@frozen
class Constant:
    name: str = tree.static()


class Foreign:
    def __init__(self, left: Any, right: Any, tag: str) -> None:
        self.left, self.right, self.tag = left, right, tag

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and (self.left, self.right, self.tag) == (other.left, other.right, other.tag)


tree.register(
    Foreign,
    lambda f: (f.tag, (f.left, f.right)),
    lambda tag, children: Foreign(children[0], children[1], tag),
    lambda tag, count: [".left", ".right"],
)

CONTAINERS: dict[str, tuple[Any, list[Any], list[str]]] = {
    "list": ([1.0, 2.0], [1.0, 2.0], ["[0]", "[1]"]),
    "tuple": ((1.0, 2.0), [1.0, 2.0], ["[0]", "[1]"]),
    "dict": ({"b": 2.0, "a": 1.0}, [1.0, 2.0], ["['a']", "['b']"]),
    "dict of int keys": ({10: 2.0, 9: 1.0}, [1.0, 2.0], ["[9]", "[10]"]),
    "dict of mixed keys": ({"b": 2.0, 1: 1.0}, [2.0, 1.0], ["['b']", "[1]"]),
    "OrderedDict": (OrderedDict(b=2.0, a=1.0), [2.0, 1.0], ["['b']", "['a']"]),
    "defaultdict": (defaultdict(list, b=2.0, a=1.0), [1.0, 2.0], ["['a']", "['b']"]),
    "NamedTuple": (Point(1.0, 2.0), [1.0, 2.0], [".x", ".y"]),
    "namedtuple": (Old(1.0, 2.0), [1.0, 2.0], [".a", ".b"]),
    "dataclass": (Plain(1.0, 2.0, "named"), [1.0, 2.0], [".weight", ".bias"]),
    "frozen dataclass": (FrozenSlots(1.0, 2.0), [1.0, 2.0], [".weight", ".bias"]),
    "attrs": (Frozen(1.0, 2.0, "tanh"), [1.0, 2.0], [".weight", ".bias"]),
    "mutable attrs": (Slotted(1.0, 2.0), [1.0, 2.0], [".weight", ".bias"]),
    "attrs without slots": (Open(1.0), [1.0], [".weight"]),
    "derived attrs": (Derived(1.0, 2.0), [1.0, 2.0], [".weight", ".bias"]),
    "registered": (Foreign(1.0, 2.0, "t"), [1.0, 2.0], [".left", ".right"]),
    "None": (None, [], []),
    "empty list": ([], [], []),
    "empty dict": ({}, [], []),
    "empty attrs": (Empty(), [], []),
    "attrs without leaves": (Constant("x"), [], []),
    "leaf": (1.0, [1.0], [""]),
    "nested": (
        {"layers": [Frozen(1.0, (2.0, None)), Plain({"k": 3.0}, [])], "a": Point(4.0, Foreign(5.0, 6.0, "t"))},
        [4.0, 5.0, 6.0, 1.0, 2.0, 3.0],
        [
            "['a'].x",
            "['a'].y.left",
            "['a'].y.right",
            "['layers'][0].weight",
            "['layers'][0].bias[0]",
            "['layers'][1].weight['k']",
        ],
    ),
}


def at(made: Any, path: str) -> Any:
    """Return what Python finds under a path."""
    return eval("made" + path, {"made": made})


each_container = pytest.mark.parametrize(("made", "leaves", "paths"), CONTAINERS.values(), ids=CONTAINERS.keys())


@each_container
def test_leaves_come_in_order(made: Any, leaves: list[Any], paths: list[str]) -> None:
    assert tree.leaves(made) == leaves
    assert tree.flatten(made)[0] == leaves


@each_container
def test_paths_lead_to_the_leaves(made: Any, leaves: list[Any], paths: list[str]) -> None:
    assert tree.paths(made) == paths
    assert [at(made, path) for path in paths] == leaves


@each_container
def test_unflatten_undoes_flatten(made: Any, leaves: list[Any], paths: list[str]) -> None:
    found, structure = tree.flatten(made)
    again = tree.unflatten(structure, found)
    assert type(again) is type(made) and again == made
    assert tree.structure(again) == structure and hash(tree.structure(again)) == hash(structure)
    assert structure.count == len(leaves)


@each_container
def test_map_keeps_the_containers(made: Any, leaves: list[Any], paths: list[str]) -> None:
    for mapped in (
        tree.map(lambda x: x * 10, made),
        tree.rebuild(lambda x: x * 10, made),
        tree.refill(made, [x * 10 for x in leaves]),
    ):
        assert type(mapped) is type(made)
        assert tree.leaves(mapped) == [x * 10 for x in leaves]
        assert tree.structure(mapped) == tree.structure(made)


@each_container
def test_map_goes_over_trees_side_by_side(made: Any, leaves: list[Any], paths: list[str]) -> None:
    mapped = tree.map(lambda a, b, c: a + b + c, made, made, made)
    assert tree.leaves(mapped) == [3 * x for x in leaves]


@each_container
def test_reduce_folds_from_the_left(made: Any, leaves: list[Any], paths: list[str]) -> None:
    assert tree.reduce(lambda total, x: [*total, x], made, []) == leaves


@each_container
def test_ravel_and_back(made: Any, leaves: list[Any], paths: list[str]) -> None:
    vector, unravel = tree.ravel(made)
    assert vector.tolist() == leaves
    assert_trees_close(unravel(vector), made)


@each_container
def test_grad_returns_the_same_containers(made: Any, leaves: list[Any], paths: list[str]) -> None:
    def loss(params: Any) -> Any:
        return tree.reduce(lambda total, x: total + x * x, params, 0.0)

    gradient: Any = tg.grad(loss)(made)
    assert type(gradient) is (type(made) if leaves and made != leaves[0] else type(gradient))
    assert tree.structure(gradient) == tree.structure(made)
    assert tree.leaves(gradient) == [2 * x for x in leaves]


def test_static_fields_belong_to_the_structure() -> None:
    relu, tanh = Frozen(1.0, 2.0), Frozen(1.0, 2.0, "tanh")
    assert tree.leaves(tanh) == [1.0, 2.0]
    assert tree.structure(relu) != tree.structure(tanh)
    assert tree.structure(Plain(1.0, 2.0, "a")) != tree.structure(Plain(1.0, 2.0, "b"))
    assert tree.map(lambda x: x, tanh).activation == "tanh"


def test_dicts_are_equal_whatever_the_order_of_their_entries() -> None:
    one, other = {"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}
    assert tree.structure(one) == tree.structure(other)
    assert tree.leaves(one) == tree.leaves(other)
    assert list(tree.map(lambda x: x, other)) == ["b", "a"], "map keeps the order in which entries were made"


def test_a_defaultdict_keeps_its_default() -> None:
    made: defaultdict[str, Any] = tree.map(lambda x: x, defaultdict(list, a=1.0))
    assert made["new"] == []


def test_converters_and_validators_do_not_see_traced_values() -> None:
    gradient = tg.grad(lambda p: p.weight.sum() * p.count)(Picky([1.0, 2.0], 3))
    assert isinstance(gradient, Picky) and gradient.weight.tolist() == [3.0, 3.0] and gradient.count == 3


def test_strings_and_arrays_are_leaves() -> None:
    x = np.arange(3.0)
    assert tree.leaves(["abc", x, {1, 2}, np.float32(1)])[:2] == ["abc", x]
    assert tree.leaves(x)[0] is x


def test_structures_tell_trees_apart() -> None:
    trees = [
        [1.0],
        (1.0,),
        {"a": 1.0},
        {"b": 1.0},
        Point(1.0, 2.0),
        Old(1.0, 2.0),
        (1.0, 2.0),
        None,
        [],
        (),
        1.0,
        [[1.0]],
        [None],
    ]
    structures = [tree.structure(made) for made in trees]
    assert len(set(structures)) == len(trees)


def test_a_structure_reads_as_a_tree() -> None:
    assert str(tree.structure({"a": [1.0, None], "b": Frozen(1.0, 2.0)})) == (
        "dict(['a']: list([0]: *, [1]: NoneType()), ['b']: Frozen(.weight: *, .bias: *))"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_unflatten_refuses_other_counts(count: int) -> None:
    with pytest.raises(TreeError, match=f"holds 2 leaves, but {count} were given"):
        tree.unflatten(tree.structure([1.0, 2.0]), [0.0] * count)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"a": [1.0]}, {"a": (1.0,)}, "at ['a']: a list on one side, a tuple on the other"),
        ({"a": [1.0]}, {"a": [1.0, 2.0]}, "at ['a']: two of type list differ: ['[0]'] and ['[0]', '[1]']"),
        ({"a": 1.0}, {"b": 1.0}, "at the root: two of type dict differ"),
        ([Frozen(1.0, 2.0)], [Frozen(1.0, 2.0, "tanh")], "at [0]: two of type Frozen differ"),
        ([1.0], [[1.0]], "at [0]: a leaf on one side, a list on the other"),
        ([[1.0]], [1.0], "at [0]: a list on one side, a float on the other"),
        (Point(1.0, None), Point(1.0, 2.0), "at .y: a NoneType on one side, a float on the other"),
    ],
)
def test_map_names_the_place_where_trees_part(one: Any, other: Any, message: str) -> None:
    with pytest.raises(TreeError, match=re.escape(message)):
        tree.map(lambda a, b: a, one, other)


def test_a_class_is_registered_once() -> None:
    with pytest.raises(ValueError, match="Foreign is a pytree container already"):
        tree.register(Foreign, lambda f: (None, ()), lambda key, children: Foreign(1, 2, ""))


def test_register_names_children_by_position() -> None:
    class Bag:
        def __init__(self, *items: Any) -> None:
            self.items = items

    tree.register(Bag, lambda bag: (None, bag.items), lambda key, children: Bag(*children))
    assert tree.paths({"bag": Bag(1.0, [2.0])}) == ["['bag'][0]", "['bag'][1][0]"]
    gradient = tg.grad(lambda bag: bag.items[0] * bag.items[1])(Bag(2.0, 3.0))
    assert gradient.items == (3.0, 2.0)


def test_ravel_restores_shapes_and_dtypes() -> None:
    made = {"a": np.ones((2, 3), np.float32), "b": np.zeros((), np.float64), "c": [np.arange(2.0), np.zeros((0, 2))]}
    vector, unravel = tree.ravel(made)
    assert vector.shape == (9,) and vector.dtype == np.float64
    again = unravel(vector)
    for x, y in zip(tree.leaves(made), tree.leaves(again), strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y)


def test_ravel_keeps_single_precision() -> None:
    assert tree.ravel([np.ones(2, np.float32), np.ones((), np.float32)])[0].dtype == np.float32


def test_unravel_can_be_pickled_and_copied() -> None:
    made = {"a": np.arange(4.0).reshape(2, 2), "b": [np.float32(2.0)]}
    vector, unravel = tree.ravel(made)
    for again in (pickle.loads(pickle.dumps(unravel)), copy.deepcopy(unravel)):
        assert_trees_close(again(vector), made)


def test_unravel_refuses_other_shapes() -> None:
    _, unravel = tree.ravel([np.ones(2), np.ones(3)])
    with pytest.raises(TreeError, match=re.escape("expected a vector of shape (5,), got shape (4,)")):
        unravel(np.ones(4))


def test_ravel_is_differentiable_both_ways() -> None:
    params = {"a": np.array([[1.0, 2.0]]), "b": np.array(3.0)}

    def there(params: Any) -> Any:
        vector, _ = tree.ravel(params)
        return np.sum(vector * np.array([1.0, 10.0, 100.0]))

    assert_trees_close(tg.grad(there)(params), {"a": np.array([[1.0, 10.0]]), "b": np.array(100.0)})
    vector, unravel = tree.ravel(params)
    back = tg.grad(lambda v: (unravel(v)["a"] * 2.0).sum() + unravel(v)["b"] ** 2)(vector)
    assert back.tolist() == [2.0, 2.0, 6.0]


TREES = st.recursive(
    st.floats(-10, 10),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.tuples(inside, inside),
        st.dictionaries(st.sampled_from("abcd"), inside, max_size=3),
        st.builds(Point, inside, inside),
        st.builds(Frozen, inside, inside, st.sampled_from(["relu", "tanh"])),
        st.builds(Plain, inside, st.none()),
    ),
    max_leaves=8,
)


@given(TREES)
def test_any_tree_survives_the_round_trip(made: Any) -> None:
    leaves, structure = tree.flatten(made)
    assert tree.unflatten(structure, leaves) == made
    assert tree.leaves(made) == leaves
    assert tree.map(lambda x: x, made) == made
    assert tree.refill(made, leaves) == made
    assert len(tree.paths(made)) == len(leaves) == structure.count
    assert [at(made, path) for path in tree.paths(made)] == leaves


@given(TREES, TREES)
def test_structures_are_equal_exactly_where_map_goes(one: Any, other: Any) -> None:
    fits = tree.structure(one) == tree.structure(other)
    try:
        tree.map(lambda a, b: None, one, other)
    except TreeError:
        assert not fits
    else:
        assert fits


def test_arguments_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(TypeError, match=r"ravel: the leaf \['a'\]\[1\] has dtype <U1, expected an array of numbers"):
        tree.ravel({"a": [1.0, "b"]})
    with pytest.raises(TypeError, match="unflatten: expected a structure and its leaves, got a list as structure"):
        tree.unflatten([1.0], tree.structure([1.0]))  # type: ignore[arg-type]  # a mistake: they are swapped
    with pytest.raises(TypeError, match="register: expected a class, got 3"):
        tree.register(3, lambda x: (None, ()), lambda key, children: 3)  # type: ignore[arg-type]  # a mistake
    mistaken: Any = ("left", "right")
    with pytest.raises(TypeError, match=r"register of \w+: join must be a function, got \('left', 'right'\)"):
        tree.register(type("Fields", (), {}), lambda x: (None, ()), mistaken)


def test_what_is_no_function_is_refused_where_a_tree_and_a_function_are_exchanged() -> None:
    mistaken: Any = np.ones(3)
    with pytest.raises(TypeError, match=r"tree\.map: expected a function and then trees, got a ndarray"):
        tree.map(mistaken, np.sin)
    with pytest.raises(TypeError, match=r"tree\.reduce: expected a function, a tree and a start, got a list"):
        tree.reduce([1.0, 2.0], np.add, 0.0)  # type: ignore[arg-type]  # the mistake under test
