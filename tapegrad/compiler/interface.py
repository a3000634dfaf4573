"""The two ends of a program: how it takes its arguments apart, and puts its results together.

Both are written out for one structure of arguments and one of results. What is not as it was when the function was traced is
noticed here, and is not an error: another program will do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import attrs
import numpy as np

from tapegrad import tree
from tapegrad.compiler.calls import call_of
from tapegrad.compiler.loops.node import loop_p
from tapegrad.compiler.plan import Plan
from tapegrad.compiler.source import Names
from tapegrad.compiler.trace import Trace
from tapegrad.core.doubt import watched_p
from tapegrad.core.structure import pick_p
from tapegrad.tree.containers import container_of, setter

MISS: Any = object()
"""What the function returns for arguments that it was not made for."""


DONATED = "donated to jit: use what the function returned"
"""The name of the only field of an array that was given away; NumPy's errors show it."""


class Arguments:
    """Writes the code that takes ``(args, settings)`` apart, and gives up where they are not what was traced."""

    def __init__(self, trace: Trace, made: Plan, names: Names, fixed: dict[int, Any], paths: Sequence[str]) -> None:
        self.trace = trace
        self.made = made
        self.names = names
        self.fixed = fixed
        self.paths = paths
        self.miss = names.of(MISS, "miss")
        self.lines: list[str] = []
        self.leaves = 0
        self.traced = 0
        self.used = 0

    def code(self, structure: "tree.Structure[Any]") -> list[str]:
        """Return the code for a structure of arguments; ``x0``, ``x1``, ... are then the traced leaves."""
        for part, expression in zip(structure.children, ("args", "settings"), strict=True):
            self.visit(part, expression)
        guarded = [f"    {line}" for line in self.lines]
        return ["try:", *guarded, "except (KeyError, AttributeError, ValueError):", f"    return {self.miss}", *self.apart()]

    def fresh(self) -> str:
        self.used += 1
        return f"t{self.used}"

    def visit(self, shape: "tree.Structure[Any]", expression: str) -> None:
        """Write down one tree, which `expression` names."""
        lines, names, miss = self.lines, self.names, self.miss
        if shape.kind is None:
            self.leaf(expression)
            return
        if shape.kind is type(None):
            lines.append(f"if {expression} is not None: return {miss}")
            return
        container = container_of(shape.kind)
        assert container is not None
        parts = [self.fresh() for _ in shape.children]
        key: Any = shape.key
        kind = names.of(shape.kind, "kind")
        fields = container.names(key, len(parts))
        counted = f" or len({expression}) != {len(parts)}" if shape.kind in (tuple, list, dict) else ""
        lines.append(f"if type({expression}) is not {kind}{counted}: return {miss}")
        if shape.kind in (tuple, list):
            lines += [f"{', '.join(parts)}, = {expression}"] if parts else []
        elif shape.kind is dict:
            lines += [f"{part} = {expression}[{names.of(k, 'key')}]" for part, k in zip(parts, key, strict=True)]
        elif is_record(shape):
            lines += [f"{part} = {expression}{name}" for part, name in zip(parts, fields, strict=True)]
        else:
            found = f"{names.of(container.key, 'key')}({expression})"
            lines.append(f"if not {names.of(alike, 'alike')}({found}, {names.of(key, 'key')}): return {miss}")
            lines += [f"{', '.join(parts)}, = {names.of(container.children, 'children')}({expression})"] if parts else []
        for child, part in zip(shape.children, parts, strict=True):
            self.visit(child, part)

    def leaf(self, expression: str) -> None:
        names = self.names
        if self.leaves in self.fixed:
            value = self.fixed[self.leaves]
            test = f"not {names.of(alike, 'alike')}({expression}, {names.of(value, 'static')})"
        else:
            value = self.trace.steps[self.traced][4]
            name = f"x{self.traced}"
            self.lines.append(f"{name} = {expression}")
            test = f"type({name}) is not {names.of(type(value), 'kind')}"
            if type(value) is np.ndarray:
                dtype = names.of(value.dtype, "dtype")  # most often the very object, but not in an array that was unpickled
                test += f" or {name}.dtype is not {dtype} and {name}.dtype != {dtype} or {name}.shape != {value.shape}"
                test += f" or not {name}.flags.carray" if self.traced in self.made.donated else ""
            self.traced += 1
        self.leaves += 1
        self.lines.append(f"if {test}: return {self.miss}")

    def apart(self) -> list[str]:
        """Return the code that makes sure that donated arrays share their memory with nobody."""
        donated = self.made.donated
        arrays = [k for k in range(self.trace.inputs) if type(self.trace.steps[k][4]) is np.ndarray]
        order = sorted(arrays, key=lambda k: k not in donated)
        count = sum(k in donated for k in arrays)
        if not count:
            return []
        paths = self.names.of(tuple([self.paths[k] for k in order]), "paths")
        given = ", ".join(f"x{k}" for k in order)
        return [f"{self.names.of(check_apart, 'check_apart')}(({given},), {count}, {paths})"]


def is_record(shape: "tree.Structure[Any]") -> bool:
    """Tell whether a structure is that of a class with named fields, none of which is static."""
    container = container_of(shape.kind) if shape.kind is not None else None
    return container is not None and container.is_record and not shape.key


class Results:
    """Writes the code that builds the result."""

    def __init__(self, trace: Trace, made: Plan, names: Names, words: dict[int, str]) -> None:
        self.trace = trace
        self.made = made
        self.names = names
        self.words = words
        self.lines: list[str] = []
        self.records = 0
        self.holders = Counter([s for index in trace.outputs if index is not None for s in made.parts.get(index, ())])

    def code(self, structure: "tree.Structure[Any]") -> list[str]:
        """Return the code for a structure of results, the last line of which returns it."""
        leaves = self.leaves()
        if self.made.donated:  # results are taken before the arrays that they may live in become unusable
            self.lines += [f"o{k} = {expression}" for k, expression in enumerate(leaves)]
            leaves = [f"o{k}" for k in range(len(leaves))]
        result = self.build(structure, iter(leaves))
        return [*self.lines, *self.give_up(), f"return {result}"]

    def leaves(self) -> list[str]:
        seen: set[str] = set()
        found = []
        for index, constant in zip(self.trace.outputs, self.trace.constants, strict=True):
            if index is None:
                name = self.names.of(constant)
                found.append(f"{name}.copy()" if type(constant) is np.ndarray else name)
            elif not isinstance(self.trace.steps[index][4], np.ndarray):
                found.append(self.words[index])
            elif self.words[index] in seen:
                found.append(f"{self.words[index]}.copy()")
            elif index in self.made.owned:
                found.append(self.words[index] if self.words[index][0] == "v" else f"{self.words[index]}.view()")
            else:
                found.append(self.own(index))
            if index is not None:
                seen.add(self.words[index])
        return found

    def own(self, index: int) -> str:
        """Return the expression of an output that may be somebody else's memory."""
        word = self.words[index]
        if word[0] != "v" or index in self.made.still:
            return f"{word}.copy()"
        given = [self.words[s] for s in self.made.parts[index] if s in self.words]
        made = self.made_for(index)
        if made is not None:
            others = [x for x in dict.fromkeys(given) if x not in (word, self.words[made])]
            return f"{self.names.of(own_view, 'own')}({', '.join([word, self.words[made], *others])})"
        while True:  # and the constants that it was made of
            primitive, inputs, args, _, _ = self.trace.steps[index]
            given += [self.names.of(x) for s, x in zip(inputs, args, strict=True) if s is None and type(x) is np.ndarray]
            if primitive is not pick_p and primitive is not watched_p:
                break
            assert inputs[0] is not None
            index = inputs[0]
        if primitive.owner is not None and primitive is not loop_p:  # what a user's own operation returns, it may return again
            return f"{word}.copy()"
        others = [x for x in dict.fromkeys(given) if x != word]
        return f"{self.names.of(own, 'own')}({', '.join([word, *others])})"

    def made_for(self, index: int) -> int | None:
        """Return the step that made what a result is a view of, if it was made by a function as it is, and for this only."""
        steps = self.trace.steps
        output = index
        while steps[index][0] is watched_p and steps[index][1][0] is not None:
            index = steps[index][1][0]  # type: ignore[assignment]  # just seen not to be None
        primitive, inputs, _, _, _ = steps[index]
        source = inputs[0] if primitive.view and inputs else None
        if source is None or source < self.trace.inputs or self.words.get(source, "-")[0] != "v" or source in self.made.still:
            return None
        maker, _, args, _, _ = steps[source]
        if maker.owner is not None or maker.view or maker in (pick_p, watched_p) or call_of(steps[source]) is not None:
            return None
        if any(type(x) is np.ndarray and s is None for s, x in zip(steps[source][1], args, strict=True)):
            return None  # it might be a part of that constant
        return source if self.holders[source] == 1 and source in self.made.parts[output] else None

    def build(self, shape: "tree.Structure[Any]", leaves: Any) -> str:
        """Return the expression of a tree, after lines that make the containers in it: Python nests no more than 200."""
        if shape.kind is None:
            return next(leaves)  # type: ignore[no-any-return]  # a string
        if shape.kind is type(None):
            return "None"
        names = self.names
        parts = [self.build(child, leaves) for child in shape.children]
        inside = ", ".join(parts)
        key: Any = shape.key
        made = f"r{self.records}"
        self.records += 1
        if shape.kind in (tuple, list, dict):
            if shape.kind is dict:
                inside = ", ".join([f"{names.of(k, 'key')}: {part}" for k, part in zip(key, parts, strict=True)])
            left, right = {tuple: ("(", ",)" if parts else ")"), list: "[]", dict: "{}"}[shape.kind]
            self.lines.append(f"{made} = {left}{inside}{right}")
            return made
        container = container_of(shape.kind)
        assert container is not None
        if not is_record(shape):
            self.lines.append(f"{made} = {names.of(container.join, 'join')}({names.of(key, 'key')}, [{inside}])")
            return made
        self.lines.append(f"{made} = {names.of(object.__new__, 'new')}({names.of(shape.kind, 'kind')})")
        for name, part in zip(container.names(key, len(parts)), parts, strict=True):
            self.lines.append(f"{names.of(setter(shape.kind, name[1:]), 'set')}({made}, {part})")
        return made

    def give_up(self) -> list[str]:
        """Return the code that makes donated arrays unusable: a dtype that NumPy computes nothing with, and that says why."""
        arrays = [k for k in self.made.donated if type(self.trace.steps[k][4]) is np.ndarray]
        sizes = [self.trace.steps[k][4].dtype.itemsize for k in arrays]
        return [f"x{k}.dtype = {self.names.of(donated_dtype(n), 'gone')}" for k, n in zip(arrays, sizes, strict=True)]


# What the code calls


def alike(a: Any, b: Any) -> bool:
    """Tell whether two static values are equal, and of the same types: 1 is not True, nor 1.0."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, (float, complex, np.generic)):
        return repr(a) == repr(b)  # nan is nan, and -0.0 is not 0.0
    if isinstance(a, frozenset):
        return a == b and sorted(map(repr, a)) == sorted(map(repr, b))
    return bool(a == b) and all(alike(getattr(a, name), getattr(b, name)) for name in compared(type(a)))


def compared(kind: type) -> Iterable[str]:
    """Return the names of the fields of a record that make two of them equal."""
    if attrs.has(kind):
        return [field.name for field in attrs.fields(kind) if field.eq]
    fields: dict[str, Any] = getattr(kind, "__dataclass_fields__", {})
    return [name for name, field in fields.items() if field.compare]


@lru_cache
def donated_dtype(itemsize: int) -> np.dtype[Any]:
    """Return the dtype of what was given away."""
    return np.dtype([(DONATED, f"V{itemsize}")])


def check_apart(arrays: Sequence[Any], donated: int, paths: Sequence[str]) -> None:
    """Check that none of the first `donated` arrays shares memory with another array.

    Raises:
        ValueError: naming the two.
    """
    owners = set()
    for x in arrays:
        base = x.base
        if base is not None and (type(base) is not np.ndarray or base.base is not None):  # memory of what is no array
            break
        owners.add(id(x) if base is None else id(base))
    if len(owners) == len(arrays):
        return
    for k, x in enumerate(arrays[:donated]):
        for j in range(k + 1, len(arrays)):
            if np.may_share_memory(x, arrays[j]):
                raise ValueError(
                    f"jit: {paths[k]} is donated, but shares memory with {paths[j]}: what is written to the one would change "
                    f"the other. Copy one of them, or do not donate it"
                )


def own_view(y: Any, made: Any, *given: Any) -> Any:
    """Return an array that is nobody else's: `y`, if it is a view of what was made for it alone, or a copy."""
    alone = type(made) is np.ndarray and made.base is None and made.flags.writeable and not any(made is x for x in given)
    return y if alone and type(y) is np.ndarray and y.base is made and y.flags.writeable else own(y, made, *given)


def own(y: Any, *given: Any) -> Any:
    """Return an array that is nobody else's: `y`, or a copy if it may share memory with what it was made of."""
    if type(y) is not np.ndarray or (y.base is None and y.flags.writeable and not any(y is x for x in given)):
        return y
    return y.copy()
