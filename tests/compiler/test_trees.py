"""What goes into a compiled function and comes out of it: trees of all kinds, numbers, settings, static arguments."""

import pickle
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest
from attrs import frozen

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad import tree
from tapegrad.compiler.function import jit
from tapegrad.tree import static

x = np.arange(3.0)


class Pair(NamedTuple):
    a: Any
    b: Any


@frozen
class Record:
    a: Any
    b: Any = None


@attrs.define(slots=False)
class Open:
    a: Any
    _hidden: Any = 2.0


@frozen
class Named:
    a: Any
    name: str = static("sin")


@dataclass
class Data:
    a: Any
    count: Any = field(default=2, metadata={"static": True})


@dataclass(frozen=True, slots=True)
class Slotted:
    a: Any
    b: Any


class Own:
    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = left, right


tree.register(Own, lambda own: ("own", (own.left, own.right)), lambda key, children: Own(*children))


@frozen
class Swapped:
    a: Any
    b: Any


tree.register(Swapped, lambda s: (None, (s.b, s.a)), lambda key, children: Swapped(children[1], children[0]))

TREES = [
    x,
    (x, 2.0),
    [x, [x + 1.0], ()],
    {"b": x, "a": x + 1.0},
    {2: x, 1: 2 * x},
    {"b": x, 1: 2 * x},
    OrderedDict([("z", x), ("a", 2 * x)]),
    defaultdict(float, {"a": 2.0}),
    Pair(x, Pair(2 * x, None)),
    Record(x, [x]),
    Record(x),
    Open(x, 3 * x),
    Named(x),
    Data(x),
    Slotted(x, {"k": x}),
    Own(x, 2 * x),
    Swapped(x, 3 * x),
    None,
    [None, {}],
    (1, 2.0, 3j, True, np.float32(1.0), np.int8(2), np.bool(True)),
    np.array(2.0),
    np.arange(4, dtype=np.int16),
    np.zeros((0, 3)),
]


@pytest.mark.parametrize("value", TREES, ids=lambda value: type(value).__name__)
def test_trees_in_and_out(value: Any) -> None:
    def f(value: Any, *, extra: Any) -> Any:
        return tree.map(lambda v: v * 2, value), extra

    compiled = jit(f)
    expected = f(value, extra=value)
    for found in (compiled(value, extra=value), compiled(value, extra=value)):
        assert tree.structure(found) == tree.structure(expected)
        for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
            np.testing.assert_array_equal(a, b)
            assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray)
    assert compiled.cache_info()[:3] == (1, 1, 1)


def test_static_fields_are_part_of_the_structure() -> None:
    def f(p: Named) -> Any:
        return getattr(tnp, p.name)(p.a)

    compiled = jit(f)
    for name in ("sin", "cos", "sin"):
        np.testing.assert_allclose(compiled(Named(x, name)), getattr(np, name)(x))
    assert compiled.cache_info().misses == 2
    assert compiled(Named(x)).shape == (3,)


@pytest.mark.parametrize("make", [lambda n: Data(np.arange(3), n), lambda n: Named(np.arange(3), n)])
def test_static_fields_that_are_equal_are_not_always_the_same(make: Any) -> None:
    def f(p: Any) -> Any:
        return p.a * (p.count if isinstance(p, Data) else p.name)

    compiled = jit(f)
    for n in (1, 1.0, True, 1, 1.0, True):
        assert compiled(make(n)).dtype == f(make(n)).dtype


def test_static_arguments() -> None:
    def power(x: Any, n: int, *, name: str = "sum") -> Any:
        y = x
        for _ in range(n - 1):
            y = y * x
        return getattr(tnp, name)(y)

    compiled = jit(power, static_argnames=("n", "name"))
    assert compiled(x, 3) == power(x, 3)
    assert compiled(x, n=3) == power(x, 3)
    assert compiled(x, 3, name="max") == power(x, 3, name="max")
    assert compiled(x, 2) == power(x, 2)
    assert compiled.cache_info().misses == 4


def test_static_arguments_that_are_equal_are_not_always_the_same() -> None:
    compiled = jit(lambda x, n: x * n, static_argnames="n")
    whole = np.arange(3)
    for n in (1, True, 1.0, 1, True, 1.0):
        assert compiled(whole, n).dtype == (whole * n).dtype
    inverse = jit(lambda x, n: 1.0 / (x * 0.0 + n), static_argnames="n")
    with np.errstate(all="ignore"):
        assert inverse(x, 0.0)[0] == np.inf
        assert np.all(np.isnan(inverse(x, float("nan"))))
        nan = float("nan")
        assert np.all(np.isnan(inverse(x, nan))) and np.all(np.isnan(inverse(x, nan)))
    tuples = jit(lambda x, n: x * n[0], static_argnames="n")
    for number in (1, 1.0, True):
        assert tuples(whole, (number,)).dtype == (whole * number).dtype


@dataclass(frozen=True)
class Settings:
    number: Any


@frozen
class Options:
    number: Any


class Choice(NamedTuple):
    number: Any
    other: Any = None


@pytest.mark.parametrize("make", [Settings, Options, Choice, lambda n: Settings(Options((n,))), lambda n: frozenset([n])])
def test_static_records_that_are_equal_are_not_always_the_same(make: Any) -> None:
    def number(settings: Any) -> Any:
        while not isinstance(settings, (bool, int, float)):
            settings = settings.number if hasattr(settings, "number") else next(iter(settings))
        return settings

    compiled = jit(lambda x, settings: x * number(settings), static_argnames="settings")
    whole = np.arange(3)
    for n in (1, 1.0, True, 1, 1.0, True):
        assert compiled(whole, make(n)).dtype == (whole * n).dtype
    assert compiled.cache_info().misses == 3
    for n in (0.0, -0.0):
        assert np.signbit(compiled(whole + 1.0, make(n))).all() == (str(n) == "-0.0")


def test_static_arguments_of_functions_that_take_any_others() -> None:
    def f(x: Any, n: int, *rest: Any, **more: Any) -> Any:
        return sum(rest, x) * n + sum(more.values()) if n > 1 else x

    compiled = jit(f, static_argnames="n")
    np.testing.assert_array_equal(compiled(x, 2, x, x, other=1.0), f(x, 2, x, x, other=1.0))
    np.testing.assert_array_equal(compiled(x, 1), x)


def test_defaults_keywords_and_arguments_by_any_name() -> None:
    def f(args: Any, settings: Any = 2.0, /, x0: Any = 1.0, *, out: Any = None) -> Any:
        return args * settings + x0 + (0.0 if out is None else out)

    compiled = jit(f)
    for given, named in (((x,), {}), ((x, 3.0), {}), ((x, 3.0, 1.0), {}), ((x,), {"x0": x}), ((x,), {"out": x, "x0": 2.0})):
        for _ in range(2):
            np.testing.assert_array_equal(compiled(*given, **named), f(*given, **named))


def test_a_function_of_nothing() -> None:
    compiled = jit(lambda: tnp.ones(3) * 2.0)
    first = compiled()
    first[:] = 0.0
    np.testing.assert_array_equal(compiled(), 2.0)


def test_arrays_from_outside_are_constants_as_they_were() -> None:
    weight, index = np.ones(3), np.array([0, 1, 2])
    view = np.broadcast_to(weight[:1], (3,))
    compiled = jit(lambda x: x[index] * weight + view)
    before = compiled(x)
    weight[:] = 5.0
    index[:] = 0
    np.testing.assert_array_equal(compiled(x), before)
    np.testing.assert_array_equal(compiled(x), x + 1.0)


def test_a_constant_that_is_repeated_takes_no_memory() -> None:
    everywhere = np.broadcast_to(np.ones(1), (1000, 1000))
    compiled: Any = jit(lambda x: tnp.hypot(x, everywhere)[0])
    compiled(np.ones(1000))
    (program,) = compiled._cache.programs.values()
    bound = [y for y in program.source.bound.values() if isinstance(y, np.ndarray)]
    assert sum(y.nbytes if y.base is None else y.base.nbytes for y in bound) < 10**5


@pytest.mark.parametrize(
    "other",
    [
        lambda x: pickle.loads(pickle.dumps(x)),
        lambda x: x.astype(">f8"),
        lambda x: np.asfortranarray(np.stack([x, x]))[0],
        lambda x: x[::-1],
        lambda x: np.broadcast_to(x[1], (3,)),
    ],
)
def test_arrays_of_any_origin(other: Any) -> None:
    compiled = jit(lambda x: tnp.exp(x) * x)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(x), np.exp(x) * x)
        y = other(x)
        np.testing.assert_array_equal(compiled(y), np.exp(y) * y)


def test_integers_of_one_size_and_two_names() -> None:
    compiled = jit(lambda x: x * 2)
    for char in "lqlq":
        np.testing.assert_array_equal(compiled(np.arange(3, dtype=char)), [0, 2, 4])


def test_a_compiled_function_is_pickled_and_has_the_name_of_the_function() -> None:
    compiled: Any = jit(tnp.tanh)
    assert compiled.__name__ == "tanh"
    again = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(again(x), compiled(x))
    assert repr(compiled) == "jitted(tanh)"


def test_gradients_of_trees_are_trees() -> None:
    def loss(p: Record) -> Any:
        return tnp.sum(p.a * p.b[0])

    found = jit(tg.grad(loss))(Record(x, [2.0 * x]))
    tg.testing.assert_trees_close(found, Record(2.0 * x, [x]))


def test_results_may_be_nested_deeply() -> None:
    """Python's parser takes no more than 200 brackets in one another."""
    deep: Any = x
    for kind in (list, tuple, dict) * 80:
        deep = kind([("a", deep)] if kind is dict else [deep])
    found = jit(tg.grad(lambda t: tnp.sum(tree.leaves(t)[0] ** 2)))(deep)
    tg.testing.assert_trees_close(found, tree.map(lambda a: 2.0 * a, deep))
