"""From a plan to Python source: one function that checks its arguments, takes them apart, computes, and builds the result.

The source is straight-line code. Whatever it names is bound once, when an *arena* is made: the buffers of a program with the
function that computes in them. Two calls at a time need two arenas.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import attrs
import numpy as np
from attrs import define, field, frozen

from tapegrad import tree
from tapegrad.compiler.calls import call_of, is_array
from tapegrad.compiler import threads
from tapegrad.compiler.blocks import kernel
from tapegrad.compiler.plan import Instruction, Plan, Room, arrays
from tapegrad.compiler.trace import Trace
from tapegrad.compiler.units import Group, reduction
from tapegrad.core.arrays import watched_p
from tapegrad.core.primitive import OUT, Into, Slot
from tapegrad.core.structure import pick_p
from tapegrad.tree.containers import container_of, setter

MISS: Any = object()
"""What the function returns for arguments that it was not made for."""


BY_KEYWORD = (np.maximum, np.minimum)
"""Ufuncs whose third argument by position NumPy warns of."""


DONATED = "donated to jit: use what the function returned"


class DoubtError(Exception):
    """NaN in what bare rules left behind: the careful program is to be run."""


@define(eq=False)
class Names:
    """What the source names: each thing gets one name, and is bound to it when an arena is made."""

    bound: dict[str, Any] = field(factory=dict)
    known: dict[int, str] = field(factory=dict)

    def of(self, thing: Any, hint: str = "c") -> str:
        """Return a name, or plain words, for a constant."""
        if thing is None or type(thing) in (bool, int):
            return repr(thing)
        if type(thing) is float and np.isfinite(thing):
            return repr(thing)
        if type(thing) is tuple and all(type(x) is int for x in thing):
            return repr(thing)
        if id(thing) not in self.known:
            name = f"{hint}{len(self.bound)}"
            self.bound[name] = thing  # which keeps its id from being used again
            self.known[id(thing)] = name
        return self.known[id(thing)]


@frozen(eq=False)
class Source:
    """The text of a program, what its names are bound to, and how its buffers are seen.

    Attributes:
        text: the source of ``make(bound, buffers) -> call``.
        bound: what the names stand for that are the same in every arena.
        plan: where the buffers are.
        views: code that makes the views of buffers, run once an arena.
    """

    text: str
    bound: dict[str, Any]
    plan: Plan

    def arena(self) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
        """Allocate buffers, and return the function that computes in them."""
        namespace: dict[str, Any] = {}
        exec(self.code(), namespace)
        return namespace["make"](list(self.bound.values()), arrays(self.plan))  # type: ignore[no-any-return]

    def code(self) -> Any:
        return compile(self.text, "<jit>", "exec")


def emit(
    trace: Trace,
    made: Plan,
    arguments: "tree.Structure[Any]",
    results: "tree.Structure[Any]",
    fixed: dict[int, Any],
    paths: Sequence[str],
) -> Source:
    """Write the source of a program.

    Args:
        trace: the steps.
        made: where they are computed.
        arguments: the structure of ``(args, settings)``.
        results: the structure of the result.
        fixed: leaves of the arguments that are static, by their position: they are compared, not traced.
        paths: where each traced leaf stands, for messages.
    """
    return Writer(trace, made, paths).source(arguments, results, fixed)


class Writer:
    """What is known while a program is written down."""

    def __init__(self, trace: Trace, made: Plan, paths: Sequence[str]) -> None:
        self.trace = trace
        self.paths = paths
        self.made = made
        self.names = Names()
        self.value: dict[int, str] = {k: f"x{k}" for k in range(trace.inputs)}
        self.once: list[str] = []
        self.lines: list[str] = []
        self.doubts: list[str] = []

    def source(self, arguments: "tree.Structure[Any]", results: "tree.Structure[Any]", fixed: dict[int, Any]) -> Source:
        steps = self.trace.steps
        self.take_apart(arguments, fixed)
        for index, room in self.made.rooms.items():
            self.value[index] = self.room(room) if room.buffer >= 0 else f"x{-1 - room.buffer}"
        for index in self.made.still:
            call = call_of(steps[index])
            self.once.append(f"v{index} = {self.opaque(index) if call is None else self.written(index, call, None)}")
            self.value[index] = f"v{index}"
        last = max((k for k, i in enumerate(self.made.instructions) if self.watches(i)), default=-1)
        for k, instruction in enumerate(self.made.instructions):
            if isinstance(instruction.unit, Group):
                self.group(instruction.unit, k)
            else:
                self.step(instruction.unit, instruction)
            if k == last and self.doubts:
                total = self.names.of(DoubtError, "error")
                self.lines += [f"doubt = {' + '.join(self.doubts)}", f"if doubt != doubt: raise {total}"]
            if instruction.dead:
                self.lines.append(f"{' = '.join(self.value[s] for s in instruction.dead)} = None")
        result = self.put_together(results)
        self.give_up()
        self.lines.append(f"return {result}")
        bound = self.names.bound
        text = ["def make(bound, buffers):"]
        if bound:
            text.append(f"    ({', '.join(bound)},) = bound")
        text += [f"    {line}" for line in self.once]
        text += ["    def call(args, settings):", *[f"        {line}" for line in self.lines], "    return call"]
        return Source("\n".join(text) + "\n", bound, self.made)

    # Memory

    def room(self, room: Room) -> str:
        shape, dtype = room.shape, room.dtype
        name = f"b{room.buffer}_{dtype.name}_{'x'.join(map(str, shape))}"
        size = dtype.itemsize * int(np.prod(shape))
        line = f"{name} = buffers[{room.buffer}][:{size}].view({self.names.of(dtype, 'dtype')}).reshape({shape})"
        if line not in self.once:
            self.once.append(line)
        return name

    # Steps

    def argument(self, index: int, k: int) -> str:
        source = self.trace.steps[index][1][k]
        return self.names.of(self.trace.steps[index][2][k]) if source is None else self.value[source]

    def watches(self, instruction: Instruction) -> bool:
        unit = instruction.unit
        found = unit.ends if isinstance(unit, Group) else (unit,)
        return any(self.trace.steps[index][0] is watched_p for index in found)

    def step(self, index: int, instruction: Instruction) -> None:
        primitive, inputs, _, settings, value = self.trace.steps[index]
        if primitive is watched_p:
            assert inputs[0] is not None
            self.value[index] = self.value[inputs[0]]
            self.doubt(self.value[index], value)
        elif primitive is pick_p:
            assert inputs[0] is not None
            self.value[index] = f"v{index}"
            self.lines.append(f"v{index} = {self.value[inputs[0]]}[{settings['which']}]")
        elif instruction.call is None:
            self.value[index] = f"v{index}"
            self.lines.append(f"v{index} = {self.opaque(index)}")
        elif index in self.made.rooms:
            self.lines.append(self.written(index, instruction.call, self.value[index]))
        else:
            self.value[index] = f"v{index}"
            self.lines.append(f"v{index} = {self.written(index, instruction.call, None)}")

    def group(self, group: Group, number: int) -> None:
        """Write the function of a group, and its call."""
        steps = self.trace.steps
        made = kernel(self.trace, group, number, self.names.of, BY_KEYWORD)
        self.once += made.lines
        if made.scratch:
            shapes = ", ".join(f"({shape}, {self.names.of(dtype, 'dtype')})" for shape, dtype in made.scratch)
            self.once.append(f"scratch{number} = {self.names.of(scratch, 'scratch')}([{shapes}], {made.threads})")
        for name, dtype in made.partials.values():
            self.once.append(f"{name} = {self.names.of(np.empty, 'empty')}({made.blocks}, {self.names.of(dtype, 'dtype')})")
        for index in group.outputs:
            if index not in self.made.rooms:
                self.value[index] = f"v{index}"
                shape, dtype = group.shape, self.names.of(steps[index][4].dtype, "dtype")
                self.lines.append(f"v{index} = {self.names.of(np.empty, 'empty')}({shape}, {dtype})")
        whole = [made.flat and np.shape(steps[index][4]) == group.shape for index in made.given]
        given = [f"{self.value[i]}.reshape(-1)" if w else self.value[i] for i, w in zip(made.given, whole, strict=True)]
        handed = f"({', '.join(given)},)"
        if made.threads:
            together = f"{self.names.of(partial, 'partial')}(blocks{number}, {handed})"
            self.lines.append(f"{self.names.of(threads.run, 'run')}({together}, {made.blocks})")
        else:
            self.lines.append(f"blocks{number}({handed}, 0, {made.blocks}, 0)")
        for index in group.ends:
            primitive, inputs, _, _, _ = steps[index]
            name = made.partials[index][0]
            if primitive is watched_p:
                assert inputs[0] is not None
                self.value[index] = self.value[inputs[0]]
                self.doubts.append(f"{self.names.of(np.add.reduce, 'reduce')}({name})")
            else:
                self.value[index] = f"v{index}"
                self.lines.append(f"v{index} = {self.names.of(reduction(steps[index]).reduce, 'reduce')}({name})")

    def written(self, index: int, call: Into, out: str | None) -> str:
        """Return a call that writes into `out`, or without one that makes its output."""
        given = list(call.arguments)
        if out is None and given[-1] is OUT:
            given.pop()
        words = []
        for x in given:
            if x is OUT:
                keyword = "out=" if call.function in BY_KEYWORD else ""
                words.append(f"{keyword}{out}")
            elif type(x) is Slot:
                words.append(self.argument(index, x))
            else:
                words.append(self.names.of(x))
        return f"{self.names.of(call.function, named(call.function))}({', '.join(words)})"

    def opaque(self, index: int) -> str:
        """Return a call of the function of the primitive itself."""
        primitive, inputs, _, settings, _ = self.trace.steps[index]
        words = [self.argument(index, k) for k in range(len(inputs))]
        words += [f"{name}={self.names.of(x)}" for name, x in settings.items()]
        return f"{self.names.of(primitive.fn, primitive.name + '_')}({', '.join(words)})"

    def doubt(self, name: str, value: Any) -> None:
        """Note what becomes NaN if there is one in a value."""
        if not is_array(value):
            self.doubts.append(f"{name} * {name}")
        elif value.size:
            flat = f"f{len(self.doubts)}"
            self.lines.append(f"{flat} = {name}" if value.ndim == 1 else f"{flat} = {name}.ravel('K')")
            self.doubts.append(f"{flat}.dot({flat})")

    # Arguments and results

    def take_apart(self, structure: "tree.Structure[Any]", fixed: dict[int, Any]) -> None:
        """Write the code that takes ``(args, settings)`` apart, and gives up where they are not what was traced."""
        miss = self.names.of(MISS, "miss")
        lines: list[str] = []
        count = 0
        number = 0

        def leaf(expression: str) -> None:
            nonlocal count, number
            if count in fixed:
                known = self.names.of(fixed[count], "static")
                lines.append(
                    f"if type({expression}) is not {self.names.of(type(fixed[count]), 'kind')} or {expression} != {known}: return {miss}"
                )
                count += 1
                return
            value = self.trace.steps[number][4]
            name = f"x{number}"
            count, number = count + 1, number + 1
            lines.append(f"{name} = {expression}")
            kind = self.names.of(type(value), "kind")
            test = f"type({name}) is not {kind}"
            if type(value) is np.ndarray:
                test += f" or {name}.dtype is not {self.names.of(value.dtype, 'dtype')} or {name}.shape != {value.shape}"
            if number - 1 in self.made.donated and type(value) is np.ndarray:
                test += f" or not {name}.flags.carray"
            lines.append(f"if {test}: return {miss}")

        def visit(shape: "tree.Structure[Any]", expression: str) -> None:
            if shape.kind is None:
                leaf(expression)
                return
            parts = [f"{expression_name()}" for _ in shape.children]
            kind = self.names.of(shape.kind, "kind")
            container = container_of(shape.kind)
            assert container is not None
            if shape.kind is type(None):
                lines.append(f"if {expression} is not None: return {miss}")
                return
            where = expression
            if not where.isidentifier():
                where = expression_name()
                lines.append(f"{where} = {expression}")
            names = container.names(shape.key, len(parts))
            if shape.kind in (tuple, list, dict):
                lines.append(f"if type({where}) is not {kind} or len({where}) != {len(parts)}: return {miss}")
            else:
                lines.append(f"if type({where}) is not {kind}: return {miss}")
            if shape.kind in (tuple, list):
                if parts:
                    lines.append(f"{', '.join(parts)}, = {where}")
            elif shape.kind is dict:
                keys = [self.names.of(key, "key") for key in shape.key]
                lines.extend(f"{part} = {where}[{key}]" for part, key in zip(parts, keys, strict=True))
            elif not shape.key and all(name.startswith(".") and name[1:].isidentifier() for name in names):
                lines.extend(f"{part} = {where}{name}" for part, name in zip(parts, names, strict=True))
            else:
                children, key = self.names.of(container.children, "children"), self.names.of(container.key, "key")
                lines.append(f"if {key}({where}) != {self.names.of(shape.key, 'key')}: return {miss}")
                if parts:
                    lines.append(f"{', '.join(parts)}, = {children}({where})")
            for child, part in zip(shape.children, parts, strict=True):
                visit(child, part)

        used = 0

        def expression_name() -> str:
            nonlocal used
            used += 1
            return f"t{used}"

        args, settings = shape_parts(structure)
        visit(args, "args")
        visit(settings, "settings")
        self.lines += [
            "try:",
            *[f"    {line}" for line in lines],
            "except (KeyError, AttributeError, ValueError):",
            f"    return {miss}",
        ]
        arrays = [k for k in range(self.trace.inputs) if type(self.trace.steps[k][4]) is np.ndarray]
        if any(k in self.made.donated for k in arrays):
            order = sorted(arrays, key=lambda k: k not in self.made.donated)
            count = sum(k in self.made.donated for k in arrays)
            names = self.names.of(tuple([self.paths[k] for k in order]), "paths")
            given = ", ".join(f"x{k}" for k in order)
            self.lines.append(f"{self.names.of(check_apart, 'check_apart')}(({given},), {count}, {names})")

    def put_together(self, structure: "tree.Structure[Any]") -> str:
        """Return the expression of the result, after lines that build the records in it."""
        outputs = list(zip(self.trace.outputs, self.trace.constants, strict=True))
        seen: set[int] = set()
        words = []
        for index, constant in outputs:
            if index is None:
                copied = type(constant) is np.ndarray
                words.append(f"{self.names.of(constant)}.copy()" if copied else self.names.of(constant))
            elif not isinstance(self.trace.steps[index][4], np.ndarray):
                words.append(self.value[index])
            elif index in self.made.owned and index not in seen:
                seen.add(index)
                words.append(self.value[index] if self.value[index][0] == "v" else f"{self.value[index]}.view()")
            else:
                words.append(self.own(index))
        if self.made.donated:
            for k, expression in enumerate(words):
                self.lines.append(f"o{k} = {expression}")
                words[k] = f"o{k}"
        leaves = iter(words)
        count = 0

        def build(shape: "tree.Structure[Any]") -> str:
            nonlocal count
            if shape.kind is None:
                return next(leaves)
            parts = [build(child) for child in shape.children]
            if shape.kind is tuple:
                return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
            if shape.kind is list:
                return f"[{', '.join(parts)}]"
            if shape.kind is type(None):
                return "None"
            if shape.kind is dict:
                return "{" + ", ".join(f"{self.names.of(k, 'key')}: {p}" for k, p in zip(shape.key, parts, strict=True)) + "}"
            container = container_of(shape.kind)
            assert container is not None
            made = f"r{count}"
            count += 1
            if shape.key or not (attrs.has(shape.kind) or dataclasses.is_dataclass(shape.kind)):
                join = self.names.of(container.join, "join")
                self.lines.append(f"{made} = {join}({self.names.of(shape.key, 'key')}, [{', '.join(parts)}])")
                return made
            new = self.names.of(object.__new__, "new")
            self.lines.append(f"{made} = {new}({self.names.of(shape.kind, 'kind')})")
            for name, part in zip(container.names(shape.key, len(parts)), parts, strict=True):
                put = self.names.of(setter(shape.kind, name[1:]), "set")
                self.lines.append(f"{put}({made}, {part})")
            return made

        return build(structure)

    def give_up(self) -> None:
        """Make donated arrays unusable: they get a dtype that NumPy computes nothing with, and that says why."""
        for k in self.made.donated:
            value = self.trace.steps[k][4]
            if type(value) is np.ndarray:
                self.lines.append(f"x{k}.dtype = {self.names.of(donated_dtype(value.dtype.itemsize), 'gone')}")

    def own(self, index: int) -> str:
        """Return the expression of an output that may be somebody else's memory."""
        _, inputs, _, _, _ = self.trace.steps[index]
        if index < self.trace.inputs or index in self.made.rooms or index in self.made.still:
            return f"{self.value[index]}.copy()"
        given = [self.value[index], *[self.argument(index, k) for k in range(len(inputs))]]
        return f"{self.names.of(own, 'own')}({', '.join(given)})"


def shape_parts(structure: "tree.Structure[Any]") -> Sequence["tree.Structure[Any]"]:
    """Return the structures of the positional and of the keyword arguments."""
    return structure.children


@lru_cache
def donated_dtype(itemsize: int) -> np.dtype[Any]:
    """Return the dtype of what was given away."""
    return np.dtype([(DONATED, f"V{itemsize}")])


def check_apart(arrays: Sequence[Any], donated: int, paths: Sequence[str]) -> None:
    """Check that none of the first `donated` arrays shares memory with another array.

    Raises:
        ValueError: naming the two.
    """
    owners = {id(x if x.base is None else x.base) for x in arrays}
    if len(owners) == len(arrays):
        return
    for k, x in enumerate(arrays[:donated]):
        for j in range(k + 1, len(arrays)):
            if np.may_share_memory(x, arrays[j]):
                raise ValueError(
                    f"jit: {paths[k]} is donated, but shares memory with {paths[j]}: what is written to the one would change "
                    f"the other. Copy one of them, or do not donate it"
                )


def scratch(shapes: Sequence[tuple[tuple[int, ...], Any]], several: bool) -> list[tuple[Any, ...]]:
    """Return arrays of the given shapes for each worker that may come."""
    workers = threads.SHARED.pool.threads if several else 1
    return [tuple([np.empty(shape, dtype) for shape, dtype in shapes]) for _ in range(workers)]


def own(y: Any, *given: Any) -> Any:
    """Return an array that is nobody else's: `y`, or a copy if it may share memory with what it was made of."""
    if type(y) is not np.ndarray or (y.base is None and y.flags.writeable and not any(y is x for x in given)):
        return y
    return y.copy()


def named(function: Any) -> str:
    name = getattr(function, "__name__", "call")
    return f"{name}_" if name.isidentifier() else "call_"
