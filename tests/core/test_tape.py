"""The tape: what it shows, how one walks back on it, and what opens and closes it."""

import re
from typing import Any

import numpy as np
import pytest
from attrs import frozen
from attrs.exceptions import FrozenInstanceError

import tapegrad as tg
from tapegrad.core.node import CURRENT
from tapegrad.errors import LeakedVarError, TapegradError
from tapegrad.typing import Array


@frozen
class Layer:
    weight: Array
    bias: Array


@frozen
class Params:
    layers: list[Layer]
    scale: float = 1.0


PARAMS = Params([Layer(np.ones((3, 2), np.float32), np.zeros(2, np.float32))])


def network(params: Params, x: Array, power: int = 2) -> Any:
    layer = params.layers[0]
    return np.sum((x @ layer.weight + layer.bias) ** power * params.scale)


# Printing


def test_one_node_a_line_with_the_paths_of_the_roots() -> None:
    tape = tg.record(network, PARAMS, np.ones((4, 3), np.float32))
    assert str(tape).splitlines() == [
        "%0 = params.layers[0].weight float32[3, 2]",
        "%1 = params.layers[0].bias   float32[2]",
        "%2 = params.scale            float[]",
        "%3 = x                       float32[4, 3]",
        "%4 = matmul(%3, %0)          float32[4, 2]",
        "%5 = add(%4, %1)             float32[4, 2]",
        "%6 = power(%5, 2)            float32[4, 2]",
        "%7 = multiply(%6, %2)        float32[4, 2]",
        "%8 = sum(%7)                 float32[]",
    ]


def test_constants_and_settings_are_shown() -> None:
    def f(x: Any, y: Any) -> Any:
        z = np.sum(x * 2.5 + np.ones((2, 3)), axis=1, keepdims=True)
        return z[0, ..., None] * y["a"][1:3], np.reshape(x, (3, 2)), 7.0

    tape = tg.record(f, np.ones((2, 3)), {"a": np.arange(4.0)})
    lines = [" ".join(line.split()) for line in str(tape).splitlines()]
    assert lines[:5] == [
        "%0 = x float64[2, 3]",
        "%1 = y['a'] float64[4]",
        "%2 = multiply(%0, 2.5) float64[2, 3]",
        "%3 = add(%2, float64[2, 3]) float64[2, 3]",
        "%4 = sum(%3, axis=1, keepdims=True) float64[2, 1]",
    ]
    assert "(0, ..., None)" in lines[5] and "1:3" in lines[6]
    assert "(3, 2)" in lines[8]
    assert tape.outputs == [7, 8, None]


def test_a_root_inside_another_transform_names_the_value_it_is() -> None:
    def f(x: Any) -> Any:
        return tg.grad(lambda y: y * y * x)(x)

    listing = str(tg.record(f, 3.0))
    assert "%0 = x " in listing and "%1 = y (%0)" in listing


def test_the_names_of_variadic_arguments() -> None:
    def f(first: Any, *rest: Any, scale: float = 1.0) -> Any:
        return first + rest[0] * rest[1]

    assert list(tg.record(f, 1.0, 2.0, 3.0).paths().values()) == ["first", "rest[0]", "rest[1]"]


def test_a_builtin_function_has_numbered_arguments() -> None:
    assert list(tg.record(max, 1.0, 2.0).paths().values()) == ["argument 0", "argument 1"]


def test_a_long_tape_prints_in_order() -> None:
    def f(x: Any) -> Any:
        for _ in range(50):
            x = x * 1.5
        return x

    lines = str(tg.record(f, 1.0)).splitlines()
    assert [line.split()[0] for line in lines] == [f"%{i}" for i in range(51)]


# Walking


def test_nodes_tell_what_they_were_computed_from() -> None:
    tape = tg.record(network, PARAMS, np.ones((4, 3), np.float32))
    assert tape.inputs == [0, 1, 2, 3] and tape.outputs == [8]
    assert [node.primitive.name for node in tape.nodes] == ["root"] * 4 + ["matmul", "add", "power", "multiply", "sum"]
    assert tape.nodes[4].inputs == (3, 0)
    assert tape.nodes[6].inputs == (5, None) and tape.nodes[6].args[1] == 2
    assert tape.nodes[8].value.shape == () and tape.nodes[-1].inputs == (7,)
    assert [node.primitive.name for node in tape.nodes[4:6]] == ["matmul", "add"]
    assert len(tape.nodes) == len(tape) == 9


def test_walking_back_is_a_two_line_loop() -> None:
    tape = tg.record(network, PARAMS, np.ones((4, 3), np.float32))
    index, names = tape.outputs[0], []
    while index is not None:
        names.append(tape.nodes[index].primitive.name)
        index = tape.nodes[index].inputs[0]
    assert names == ["sum", "multiply", "power", "add", "matmul", "root"]


def test_inputs_come_before_what_is_computed_from_them() -> None:
    tape = tg.record(lambda x: np.tanh(x @ x.T).sum() + x.mean(), np.ones((2, 2)))
    for i, node in enumerate(tape.nodes):
        assert all(source is None or source < i for source in node.inputs)


def test_nodes_are_frozen() -> None:
    node = tg.record(np.sin, 1.0).nodes[0]
    with pytest.raises(FrozenInstanceError):
        node.value = 2.0  # type: ignore[misc]  # the mistake under test


# Recording


def test_record_takes_trees_and_constants() -> None:
    tape = tg.record(network, PARAMS, np.ones((4, 3), np.float32), power=3)
    assert tape.nodes[6].args[1] == 3
    assert tape.paths() == {0: "params.layers[0].weight", 1: "params.layers[0].bias", 2: "params.scale", 3: "x"}


def test_record_finds_every_output() -> None:
    tape = tg.record(lambda x: {"b": x * 2.0, "a": (x, 3.0, x * 2.0)}, 1.0)
    assert tape.outputs == [0, None, 2, 1]


def test_recording_by_hand() -> None:
    with tg.Tape() as tape:
        x = tape.root(np.array([1.0, 2.0]), "x")
        params = tape.root(PARAMS, "params")
        y = np.exp(x)
        z = y * params.scale
        assert tape.index_of(y) == 4 and tape.index_of(z) == 5 and tape.index_of(np.ones(2)) is None
        assert len(tape) == 6 and repr(tape) == "<Tape of 6 nodes>"
    assert list(tape.paths().values()) == ["x", "params.layers[0].weight", "params.layers[0].bias", "params.scale"]
    assert str(tape).splitlines()[-1].split() == ["%5", "=", "multiply(%4,", "%3)", "float64[2]"]
    assert tape.index_of(y) == 4


def test_transforms_inside_record_on_the_open_tape() -> None:
    with tg.Tape() as tape:
        x = tape.root(2.0, "x")
        gradient = tg.grad(lambda y: y**3)(x)
    assert tape.index_of(gradient) is not None
    assert tape.nodes[tape.index_of(gradient)].value == 12.0  # type: ignore[index]  # just seen not to be None


def test_values_of_a_closed_tape_have_leaked() -> None:
    with tg.Tape() as tape:
        x = tape.root(2.0, "x")
    with pytest.raises(LeakedVarError, match="made by 'root'"):
        x * 2.0
    with tg.Tape() as other, pytest.raises(LeakedVarError):
        other.root(x)


def test_a_tape_takes_no_value() -> None:
    make: Any = tg.Tape
    with pytest.raises(TypeError, match="positional argument"):
        make(3)


def test_an_open_tape_is_not_opened_again() -> None:
    with tg.Tape() as tape:
        with pytest.raises(TapegradError, match=re.escape("open another one with tapegrad.Tape()")), tape:
            pass
        assert CURRENT.get() is tape
    assert CURRENT.get() is None


def test_a_tape_may_be_opened_inside_another() -> None:
    with tg.Tape() as outer:
        x = outer.root(1.0)
        with tg.Tape() as inner:
            y = inner.root(2.0) * 3.0
            with pytest.raises(LeakedVarError):
                x * 2.0
        z = x * 4.0
    assert inner.index_of(y) == 1 and outer.index_of(z) == 1 and len(outer) == 2


def test_a_root_needs_an_open_tape() -> None:
    with tg.Tape() as tape:
        pass
    with pytest.raises(TapegradError, match="the tape does not record here"):
        tape.root(1.0)


def test_a_body_that_raises_closes_the_tape() -> None:
    class Oops(Exception):
        pass

    with pytest.raises(Oops), tg.Tape() as tape:
        tape.root(1.0)
        raise Oops
    assert CURRENT.get() is None
    assert tg.grad(lambda x: x * x)(3.0) == 6.0


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: tg.grad(f)(1.0),
        lambda f: tg.value_and_grad(f)(1.0),
        lambda f: tg.vjp(f, 1.0),
        lambda f: tg.jvp(f, (1.0,), (1.0,)),
        lambda f: tg.linearize(f, 1.0),
        lambda f: tg.record(f, 1.0),
        lambda f: tg.vmap(f)(np.ones(2)),
        lambda f: tg.jacrev(f)(1.0),
        lambda f: tg.jacfwd(f)(1.0),
        lambda f: tg.hessian(f)(1.0),
        lambda f: tg.checkpoint(f)(1.0),
        lambda f: tg.grad(lambda x: tg.grad(f)(x))(1.0),
        lambda f: tg.grad(tg.checkpoint(f))(1.0),
    ],
)
def test_an_exception_in_the_users_function_passes_through_untouched(transform: Any) -> None:
    error = RuntimeError("the user's own")

    def f(x: Any) -> Any:
        np.sin(x)
        raise error

    with pytest.raises(RuntimeError) as caught:
        transform(f)
    assert caught.value is error and error.__cause__ is None and error.__context__ is None
    assert CURRENT.get() is None
    assert tg.grad(lambda x: x * x)(3.0) == 6.0


def test_the_tape_is_dropped_with_the_transform() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        return np.sum(np.exp(x))

    tg.grad(f)(np.ones(3))
    assert len(kept[0].tape.steps) == 0


def test_nodes_are_shown_by_their_names() -> None:
    tape = tg.record(lambda x: np.sum(np.sin(x) * 2.0), np.ones(2))
    assert repr(tape.nodes) == "<4 nodes: root, sin, multiply, sum>"
    assert repr(tape.nodes[1:2]) == "<1 nodes: sin>"
    assert repr(tg.record(lambda x: sum(x for _ in range(9)), 1.0).nodes).endswith("add, ...>")


def test_an_exception_inside_a_rule_leaves_the_library_usable(temporary: None) -> None:
    from tapegrad.core.families import elementwise
    from tapegrad.core.var import unary

    def slope(g: Any, y: Any, x: Any) -> Any:
        raise ZeroDivisionError("in a rule")

    broken = elementwise("test_broken", lambda x: x * 1.0, slope)
    with pytest.raises(ZeroDivisionError):
        tg.grad(lambda x: unary(broken, x))(1.0)
    with pytest.raises(ZeroDivisionError):
        tg.grad(tg.grad(lambda x: unary(broken, x)))(1.0)
    assert CURRENT.get() is None
    assert tg.grad(lambda x: x * x)(3.0) == 6.0
