"""From a plan to Python source: one function that checks its arguments, takes them apart, computes, and builds the result."""

from collections.abc import Callable, Sequence
from functools import partial as partial_of
from typing import Any

import numpy as np

from tapegrad import tree
from tapegrad.compiler.calls import UFUNC_OF, call_of, is_array
from tapegrad.compiler.costs import WITH_PROGRAMS
from tapegrad.compiler.groups import threads
from tapegrad.compiler.groups.kernel import Handed, Partial, kernel
from tapegrad.compiler.groups.parts import QUICK
from tapegrad.compiler.groups.turning import empty_turned
from tapegrad.compiler.groups.units import Group
from tapegrad.compiler.interface import Arguments, Results
from tapegrad.compiler.loops.node import loop_p
from tapegrad.compiler.plan import Instruction, Plan, Room
from tapegrad.compiler.source import Names, Source, making
from tapegrad.compiler.trace import Trace
from tapegrad.core.doubt import DoubtError, watched_p
from tapegrad.core.indexing import is_basic
from tapegrad.core.primitive import OUT, Into, Slot
from tapegrad.core.reading import getitem_p
from tapegrad.core.structure import pick_p

BY_KEYWORD = (np.maximum, np.minimum)
"""Ufuncs whose third argument by position NumPy warns of; the same are slow where an argument is a number."""

FEW = 2**10
"""Elements up to which a number is written out as an array: to make one of it takes as long."""

MANY = 2**18
"""The same, for ufuncs that are slow where an argument is a number."""


OPERATORS: dict[Any, str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.negative: "-",
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
}
"""How Python computes on numbers what ufuncs do, in a tenth of the time."""


def emit(
    trace: Trace,
    made: Plan,
    arguments: "tree.Structure[Any]",
    results: "tree.Structure[Any]",
    fixed: dict[int, Any],
    paths: Sequence[str],
    setting: Callable[[Any], Any],
) -> Source:
    """Write the source of a program.

    Args:
        trace: the steps.
        made: where they are computed.
        arguments: the structure of ``(args, settings)``.
        results: the structure of the result.
        fixed: leaves of the arguments that are static, by their position: they are compared, not traced.
        paths: where each traced leaf stands, for messages.
        setting: what becomes of a setting of a primitive that is called as it is.
    """
    return Writer(trace, made, paths, setting).source(arguments, results, fixed)


class Writer:
    """What is known while a program is written down."""

    def __init__(self, trace: Trace, made: Plan, paths: Sequence[str], setting: Callable[[Any], Any]) -> None:
        self.trace = trace
        self.setting = setting
        self.paths = paths
        self.made = made
        self.names = Names()
        self.value: dict[int, str] = {k: f"x{k}" for k in range(trace.inputs)}
        self.once: list[str] = []
        self.lines: list[str] = []
        self.doubts: list[str] = []
        self.looked = 0  # the number of lines up to the last look
        self.full: dict[Any, Any] = {}
        self.named: set[str] = set()

    def source(self, arguments: "tree.Structure[Any]", results: "tree.Structure[Any]", fixed: dict[int, Any]) -> Source:
        self.lines += Arguments(self.trace, self.made, self.names, fixed, self.paths).code(arguments)
        self.prepare()
        start = len(self.lines)
        self.instructions()
        if self.looked > start:
            self.hope(start)
        end = Results(self.trace, self.made, self.names, self.value)
        if any(room.buffer < 0 for room in self.made.rooms.values()):  # what may be half written is not to be used again
            error, body = self.names.of(DoubtError, "error"), [f"    {line}" for line in self.lines[start:]]
            gone = [f"    {line}" for line in end.give_up()]
            self.lines[start:] = ["try:", *body, f"except {error}:", "    raise", "except BaseException:", *gone, "    raise"]
        self.lines += end.code(results)
        return Source(making(self.names, self.once, "def call(args, settings):", self.lines), self.names.bound, self.made)

    def hope(self, start: int) -> None:
        """Let the careful program tell whether it is NaN that bare rules left behind what something refuses to compute with."""
        stop = self.looked
        body = [f"    {line}" for line in self.lines[start:stop]]
        error, any_other = self.names.of(DoubtError, "error"), "except Exception as fault:"
        self.lines[start:stop] = ["try:", *body, f"except {error}:", "    raise", any_other, f"    raise {error} from fault"]

    def prepare(self) -> None:
        """Name what lives in buffers, and write down the views of them that are made once."""
        steps = self.trace.steps
        for index, room in self.made.rooms.items():
            self.value[index] = self.room(room) if room.buffer >= 0 else f"x{-1 - room.buffer}"
        for index in self.made.still:
            call = call_of(steps[index])
            self.once.append(f"v{index} = {self.opaque(index) if call is None else self.written(index, call, None)}")
            self.value[index] = f"v{index}"

    def instructions(self, after: Callable[[int], list[str]] = lambda k: []) -> None:
        """Write the instructions, and after each what else is to be done then."""
        for k, instruction in enumerate(self.made.instructions, 1):
            if isinstance(instruction.unit, Group):
                self.group(instruction.unit, k - 1)
            else:
                primitive = self.trace.steps[instruction.unit][0]
                if primitive is loop_p or primitive in WITH_PROGRAMS:
                    self.look()  # at NaN a loop may never end
                self.step(instruction.unit, instruction)
            if k == self.made.hoped:
                self.look()
                self.looked = len(self.lines)
            self.lines += after(k - 1)
            if instruction.dead:
                self.lines.append(f"{' = '.join(self.value[s] for s in instruction.dead)} = None")

    def look(self) -> None:
        """Look at what was put down by `doubt` since the last look."""
        if self.doubts:
            self.lines += [f"doubt = {self.doubts[0]}", *[f"doubt += {more}" for more in self.doubts[1:]]]
            self.lines.append(f"if doubt != doubt: raise {self.names.of(DoubtError, 'error')}")
            self.doubts.clear()

    # Memory

    def room(self, room: Room) -> str:
        shape, dtype = room.shape, room.dtype
        start, stop = room.offset, room.offset + dtype.itemsize * int(np.prod(shape))
        name = f"b{room.buffer}_{dtype.name}_{'x'.join(map(str, shape))}" + (f"_{start}" if start else "")
        span = f"{start or ''}:{stop}"
        line = f"{name} = buffers[{room.buffer}][{span}].view({self.names.of(dtype, 'dtype')}).reshape({shape})"
        if name not in self.named:
            self.named.add(name)
            self.once.append(line)
        return name

    # Steps

    def argument(self, index: int, k: int) -> str:
        source = self.trace.steps[index][1][k]
        return self.names.of(self.trace.steps[index][2][k]) if source is None else self.value[source]

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
        elif primitive is loop_p:
            self.value[index] = f"v{index}"
            made = self.names.of(self.setting(settings["loop"]), "source")
            self.once.append(f"loop{index} = {made}.arena()")
            self.lines.append(f"v{index} = loop{index}({', '.join([self.argument(index, k) for k in range(len(inputs))])})")
        elif index in self.made.joined:
            for k in self.made.joined[index]:
                place = self.room(self.made.joined[index][k])
                self.lines.append(f"{self.names.of(np.copyto, 'copyto')}({place}, {self.argument(index, k)})")
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
            self.once.append(f"scratch{number} = {self.names.of(Scratches, 'scratches')}([{shapes}], {made.turned})")
        for partial in made.partials.values():
            kind = self.names.of(partial.dtype, "dtype")
            self.once.append(f"{partial.name} = {self.names.of(np.empty, 'empty')}({partial.shape}, {kind})")
        for index in group.outputs:
            if index not in self.made.rooms:
                self.value[index] = f"v{index}"
                kind = self.names.of(steps[index][4].dtype, "dtype")
                self.lines.append(f"v{index} = {self.names.of(np.empty, 'empty')}({np.shape(steps[index][4])}, {kind})")
        handed = f"({', '.join(map(self.handed, made.given))},)"
        if made.threads:
            self.once.append(f"gauge{number} = {self.names.of(threads.Gauge, 'new_gauge')}()")
            blocks = f"{self.names.of(partial_of, 'partial')}(blocks{number}, {handed})"
            self.lines.append(f"{self.names.of(threads.run, 'run')}({blocks}, {made.blocks}, {made.together}, gauge{number})")
        else:
            self.lines.append(f"blocks{number}({handed}, 0, {made.blocks}, 0, 1)")
        for index in group.ends:
            self.end(index, made.partials[index], group)

    def handed(self, given: Handed) -> str:
        """Return a value in the shape in which a group takes it."""
        word = self.value[given.index]
        return word if np.shape(self.trace.steps[given.index][4]) == given.shape else f"{word}.reshape({given.shape})"

    def end(self, index: int, partial: Partial, group: Group) -> None:
        """Put together what the blocks came to."""
        primitive, inputs, _, _, value = self.trace.steps[index]
        if primitive is watched_p:
            assert inputs[0] is not None
            self.value[index] = self.value.get(inputs[0], "")  # which nobody reads if it is not needed outside
            self.doubts.append(f"abs({self.names.of(np.maximum.reduce, 'reduce')}({partial.name}))")
            return
        fold = group.parts[index].fold
        ufunc = np.add if fold is None else fold.ufunc
        folded = partial.name if partial.folded == partial.shape else f"{partial.name}.reshape({partial.folded})"
        total = f"{self.names.of(ufunc.reduce, 'reduce')}({folded}, 0)"
        self.value[index] = f"v{index}"
        self.lines.append(f"v{index} = {total}" + (f".reshape({value.shape})" if is_array(value) else ""))

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
                words.append(self.dense(index, x, call.function))
            else:
                words.append(self.names.of(x))
        function, first = call.function, call.arguments[0]
        if function is np.dot and type(self.trace.steps[index][2][first] if type(first) is Slot else first) is np.ndarray:
            function = np.ndarray.dot  # the method takes two thirds of the time to call
        return f"{self.names.of(function, named(function))}({', '.join(words)})"

    def dense(self, index: int, k: int, function: Any) -> str:
        """Return an argument; a number as an array, where that is faster.

        To make an array of a number takes NumPy as long as to compute a small one. Some ufuncs are faster with arrays at all.
        """
        _, inputs, args, _, value = self.trace.steps[index]
        x = args[k]
        number = type(x) is float or (type(x) is int and getattr(function, "__name__", "") in QUICK)  # ldexp wants integers
        if inputs[k] is None and number and isinstance(function, np.ufunc) and is_array(value):
            others = {np.result_type(y) for y in args if isinstance(y, (np.ndarray, np.generic))}
            small = 0 < value.size <= FEW or (function in BY_KEYWORD and value.size <= MANY)
            if small and len(others) == 1 and (dtype := others.pop()).char in "fd":
                key = (repr(x), value.shape, dtype)  # -0.0 is not 0.0
                return self.names.of(self.full.setdefault(key, np.full(value.shape, x, dtype)))
        return self.argument(index, k)

    def opaque(self, index: int) -> str:
        """Return a call of the function of the primitive itself."""
        primitive, inputs, _, settings, _ = self.trace.steps[index]
        words = [self.argument(index, k) for k in range(len(inputs))]
        sign = OPERATORS.get(UFUNC_OF[primitive])
        if sign is not None and are_numbers(self.trace.steps[index][2]):
            return f"{words[0]} {sign} {words[1]}" if len(words) == 2 else f"{sign}{words[0]}"
        if primitive is getitem_p and is_basic(settings["index"]):
            return f"{words[0]}[{self.names.of(settings['index'])}]"  # in a third of the time of a call
        words += [f"{name}={self.names.of(self.setting(x))}" for name, x in settings.items()]
        return f"{self.names.of(primitive.fn, primitive.name + '_')}({', '.join(words)})"

    def doubt(self, name: str, value: Any) -> None:
        """Compute what becomes NaN if there is one in a value: at once, as something else may be there later."""
        doubt = f"d{len(self.doubts)}"
        if not is_array(value):
            self.lines.append(f"{doubt} = {name} * {name}")
        elif value.size:
            self.lines += [
                f"f = {name}" if value.ndim == 1 and value.flags.c_contiguous else f"f = {name}.ravel('K')",
                f"{doubt} = f.dot(f)",
            ]
        else:
            return
        self.doubts.append(doubt)


def are_numbers(args: Sequence[Any]) -> bool:
    """Tell whether Python's operators compute with values what ufuncs do: with numbers of NumPy, and Python's beside them."""
    small = [x for x in args if type(x) in (float, int) and abs(x) < 2**31]  # neither NaN nor so large that it does not fit
    own = [x for x in args if type(x) in (np.float64, np.float32, np.int64, np.complex128)]
    return bool(own) and len(own) + len(small) == len(args)


class Scratches(dict[int, tuple[Any, ...]]):
    """Arrays of the given shapes for each worker, allocated when it comes for the first time."""

    def __init__(self, shapes: Sequence[tuple[tuple[int, ...], Any]], turned: bool) -> None:
        super().__init__()
        self.shapes = shapes
        self.empty = empty_turned if turned else np.empty

    def __missing__(self, worker: int) -> tuple[Any, ...]:
        self[worker] = tuple([self.empty(shape, dtype) for shape, dtype in self.shapes])
        return self[worker]


def named(function: Any) -> str:
    name = getattr(function, "__name__", "call")
    return f"{name}_" if name.isidentifier() else "call_"
