"""The source of a group: one function that computes some of its blocks."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import UFUNC_OF
from tapegrad.compiler.groups import sizes
from tapegrad.compiler.groups.parts import Fold, behind, is_cut, lead, rest, units, width
from tapegrad.compiler.groups.products import at_a_time, product_of_rows, product_of_stacks, stack_rows, sum_of_products
from tapegrad.compiler.groups.turning import WRONG_WITH_STRIDES, cut_inputs, is_turned, narrow, turned, turned_back
from tapegrad.compiler.groups.units import Group
from tapegrad.compiler.trace import Trace
from tapegrad.core.arrays import ones
from tapegrad.core.doubt import watched_p
from tapegrad.ops.contract import across_p
from tapegrad.ops.shape import transpose_p

WIDE = 1024
"""Numbers in a row from which on NumPy adds up rows at full speed; shorter ones are taken several at a time."""

FEW = 16
"""Numbers in a row up to which NumPy takes longer to reduce it than to go through the columns one by one."""

LONG = 2**11
"""Numbers in a row up to which BLAS adds them up, as a product with ones: twice as fast, but without pairing them."""

Shape = tuple[int, ...]


@frozen(eq=False)
class Handed:
    """A value that a group is handed, and the shape in which it is."""

    index: int
    shape: Shape


@frozen(eq=False)
class Partial:
    """What the blocks of an end come to: the name of an array with one entry a block, and its shape.

    ``folded`` is the shape in which its entries are reduced along the first axis, if that is not its own.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    folded: Shape


@frozen(eq=False)
class Kernel:
    """The code of a group.

    Attributes:
        lines: the function ``blocks(given, first, last, worker, step)``, which takes so many blocks at a time as `step` says.
        given: values that it is handed, and those in which it leaves its outputs.
        scratch: shape and dtype of the arrays that each worker needs.
        partials: for each end what the blocks came to.
        blocks: how many blocks there are.
        together: how many of them several threads take at a time.
        threads: whether the work may be worth several threads.
        turned: whether the arrays of the size of a block are `turned`.
    """

    lines: list[str]
    given: list[Handed]
    scratch: list[tuple[Shape, np.dtype[Any]]]
    partials: dict[int, Partial]
    blocks: int
    together: int
    threads: bool
    turned: bool


@define(eq=False)
class Scratch:
    """Arrays of the size of a block, handed out and taken back."""

    kinds: list[tuple[Shape, np.dtype[Any]]] = field(factory=list)
    free: list[int] = field(factory=list)

    def take(self, shape: Shape, dtype: np.dtype[Any]) -> int:
        for k in reversed(self.free):
            if self.kinds[k] == (shape, dtype):
                self.free.remove(k)
                return k
        self.kinds.append((shape, dtype))
        return len(self.kinds) - 1


def kernel(trace: Trace, group: Group, number: int, name_of: Callable[[Any, str], str], by_keyword: Sequence[Any]) -> Kernel:
    """Write the function of a group.

    Args:
        trace: the steps.
        group: those that are computed together.
        number: what tells its names from those of other groups.
        name_of: gives the name of a constant.
        by_keyword: ufuncs that take their output by keyword.
    """
    return KernelWriter(trace, group, number, name_of, by_keyword).kernel()


def cut(trace: Trace, group: Group) -> tuple[int, int]:
    """Return how many rows there are in a block, and how many blocks several threads take at a time.

    Blocks are of about the same size, and at least two if the work is worth two threads.
    """
    values = [(trace.steps[index], part) for index, part in group.parts.items()]
    longest = max(width(step, part) // group.rows for step, part in values)
    itemsize = max(np.result_type(step[4]).itemsize for step, _ in values)
    together = 1 if group.heavy else sizes.TOGETHER
    nbytes = group.rows * longest * itemsize
    pieces = max(2 if group.work >= sizes.PAYS else 1, -(-nbytes // (together * sizes.BLOCK)))
    if nbytes <= pieces * sizes.BLOCK:
        together = 1
    run = -(-group.rows // (pieces * together))
    step = next(n for n in (1024, 64, 16, 1) if run >= 16 * n or n == 1)
    return -(-run // step) * step, together


def shorter(names: Sequence[str], length: str) -> str:
    """Return the statements that cut arrays off."""
    return "; ".join(f"{name} = {name}[:{length}]" for name in names)


class KernelWriter:
    """What is known while a kernel is written down."""

    def __init__(
        self, trace: Trace, group: Group, number: int, name_of: Callable[[Any, str], str], by_keyword: Sequence[Any]
    ) -> None:
        self.steps = trace.steps
        self.group = group
        self.number = number
        self.name_of = name_of
        self.by_keyword = by_keyword
        self.rows = group.rows
        self.run, self.together = cut(trace, group)
        self.turned = is_turned(trace, group, self.run)
        self.given: list[Handed] = []
        self.word: dict[int, str] = {}  # of what is cut, or computed
        self.whole: dict[int, str] = {}
        self.slices: list[str] = []
        self.dense: list[str] = []  # numbers written out: with an array, some ufuncs are four times as fast
        self.body: list[str] = []
        self.order = self.in_order()
        self.partials: dict[int, Partial] = {}
        self.scratch = Scratch()
        self.room: dict[int, int] = {}
        self.source: dict[int, int] = {}  # for each view in a block, what it is a view of
        self.last = self.last_uses()

    def in_order(self) -> list[int]:
        """Return the parts in the order in which they are computed: ends as soon as what they read is there, and at hand."""
        group, ready = self.group, dict[int, list[int]]()
        place = {index: k for k, index in enumerate(group.members)}
        for index in group.ends:
            ready.setdefault(max([place.get(s, -1) for s in self.steps[index][1] if s is not None]), []).append(index)
        return [*ready.get(-1, ()), *[each for k, index in enumerate(group.members) for each in (index, *ready.get(k, ()))]]

    def last_uses(self) -> dict[int, int]:
        """Return for each value the position of the last part that reads it, be it through a view."""
        group, last = self.group, dict[int, int]()
        for k, index in enumerate(self.order):
            view = group.parts[index].kind == "view"
            for s in self.steps[index][1]:
                if s is not None:
                    root = self.source.get(s, s)
                    last[root] = k
                    if view:
                        self.source[index] = root
        return last

    def kernel(self) -> Kernel:
        group, steps = self.group, self.steps
        self.hand_over()
        for k, index in enumerate(self.order):
            if group.parts[index].kind == "end":
                self.end(k, index)
            else:
                self.member(k, index)
        run, rows = self.run, self.rows
        blocks = -(-rows // run)
        lines = [f"def blocks{self.number}(given, first, last, worker, step):"]
        lines.append(f"    {', '.join(f'a{k}' for k in range(len(self.given)))}, = given")
        lines += [f"    d{k} = {constant}" for k, constant in enumerate(self.dense)]
        scratch = [f"t{k}" for k in range(len(self.scratch.kinds))]
        if scratch:
            lines.append(f"    {', '.join(scratch)}, = scratch{self.number}[worker]")
        whole = [*scratch, *[f"d{k}" for k in range(len(self.dense))]]
        if self.together > 1 and whole:
            lines.append(f"    if step < {self.together}: {shorter(whole, f'step * {run}')}")
        lines += ["    for k in range(first, last, step):", f"        lo = k * {run}", f"        hi = lo + step * {run}"]
        if rows % (run * self.together) and whole:
            lines.append(f"        if hi > {rows}: {shorter(whole, f'{rows} - lo')}")
        lines += [f"        {line}" for line in (*self.slices, *self.body)]
        kinds = [((run * self.together, *shape), dtype) for shape, dtype in self.scratch.kinds]
        assert all(index in self.word for index in group.outputs), [steps[index][0] for index in group.outputs]
        several = group.work >= sizes.PAYS and blocks > self.together
        return Kernel(lines, self.given, kinds, self.partials, blocks, self.together, several, self.turned)

    def hand_over(self) -> None:
        """Name the values that the group is handed: those of which it takes slices, and those that it reads whole."""
        cut = cut_inputs(self.steps, self.group)
        for index in (*self.group.inputs, *self.group.outputs):
            shape = np.shape(self.steps[index][4])
            if index in cut or index in self.group.outputs:
                k = len(self.given)
                self.given.append(Handed(index, (self.rows, *rest(shape, self.rows))))
                self.slices.append(f"s{k} = a{k}[lo:hi]")
                self.word[index] = f"s{k}"
            if index in self.group.whole:
                self.whole[index] = f"a{len(self.given)}"
                self.given.append(Handed(index, shape[units(shape) :]))

    def argument(self, index: int, k: int) -> str:
        """Return the word for an input of a part."""
        _, inputs, args, _, value = self.steps[index]
        source, x = inputs[k], args[k]
        cut = is_cut(self.steps[index], self.group.parts[index], k, self.rows)
        if source is not None:
            if cut and self.turned and source in self.group.inputs and source not in self.room:
                self.turn(source)
            return self.word[source] if cut else self.whole[source]
        ufunc, shape = UFUNC_OF[self.steps[index][0]], np.shape(x)
        if ufunc in self.by_keyword and type(x) in (float, int) and value.dtype.char in "fd":
            full = np.full((self.run * self.together, *rest(value.shape, self.rows)), x, value.dtype)
            self.dense.append(self.name_of(self.laid_out(full), "c"))
            return f"d{len(self.dense) - 1}"
        if cut:
            rows = x.reshape(self.rows, *rest(shape, self.rows))
            return f"{self.name_of(self.laid_out(rows), 'c')}[lo:hi]"
        return self.name_of(x.reshape(shape[units(shape) :]) if len(shape) > 1 else x, "c")

    def laid_out(self, x: Any) -> Any:
        """Return a constant as blocks are laid out."""
        return turned(x) if self.turned else x

    def turn(self, source: int) -> None:
        """Copy the rows of what the group is handed, where blocks are turned; of single numbers they are as they should be."""
        value = self.steps[source][4]
        if narrow(value.shape, self.rows):
            room = self.room[source] = self.scratch.take(rest(value.shape, self.rows), value.dtype)
            self.copy(f"t{room}", self.word[source])
            self.word[source] = f"t{room}"

    def copy(self, out: str, word: str) -> None:
        self.body.append(f"{self.name_of(np.copyto, 'copyto')}({out}, {word})")

    # Members

    def member(self, k: int, index: int) -> None:
        """Write what computes a member."""
        part, (primitive, inputs, args, _, value) = self.group.parts[index], self.steps[index]
        words = [self.argument(index, i) for i in range(len(inputs))]
        shape = rest(value.shape, self.rows)
        if part.kind == "view":
            self.view(index, self.seen(index, words[0]))
            return
        elementwise = part.kind == "each"
        if elementwise:  # which may be written over what it is the last to read
            self.release(k, inputs)
        given = self.word.get(index)  # of an output
        out = self.target(k, index, shape, value.dtype)
        if elementwise:
            ufunc = UFUNC_OF[primitive]
            assert ufunc is not None
            name, place = self.name_of(ufunc, ufunc.__name__ + "_"), f"out={out}" if ufunc in self.by_keyword else out
            if self.turned and ufunc in WRONG_WITH_STRIDES:
                self.copy(out, f"{name}({words[0]})")
            else:
                self.body.append(f"{name}({', '.join(words)}, {place})")
        elif part.kind == "call":
            name = self.name_of(primitive.fn, primitive.name + "_")
            self.copy(out, f"{name}({', '.join(words)})")
        elif part.kind == "product":
            x, weight = args
            column, per_row = f"{words[1]}.reshape({weight.shape})", len(value) // self.rows
            row, place = f".reshape((-1, {x.shape[1]}))", f".reshape({(-1, *value.shape[1:])})"
            if weight.shape[0] == 1 and weight.ndim == 2:
                self.body.append(f"{self.name_of(np.multiply, 'multiply')}({words[0]}{row}, {column}, {out}{place})")
            else:
                self.product(words[0], row, column, out, place, at_a_time(*weight.shape), per_row)
        elif part.kind == "stack":
            rows = stack_rows(args[0].shape, args[1].shape)
            self.body.append(f"{self.name_of(product_of_stacks, 'product_of_stacks')}({', '.join(words)}, {out}, {rows})")
        else:
            assert part.fold is not None
            self.fold(part.fold, words[part.fold.operand], args[part.fold.operand], out, value)
        if not elementwise:
            self.release(k, inputs)
        if given is not None and given != out:
            self.body.append(f"{self.name_of(turned_back, 'turned_back')}({given}, {out})")

    def release(self, k: int, inputs: Sequence[int | None]) -> None:
        """Take back the arrays of what is read for the last time."""
        roots = {self.source.get(s, s) for s in inputs if s is not None}
        self.scratch.free += [self.room.pop(s) for s in roots if s in self.room and self.last.get(s, -1) == k]

    def target(self, k: int, index: int, shape: Shape, dtype: np.dtype[Any]) -> str:
        """Return the word for the array that a member is written into."""
        if index not in self.group.outputs or (self.turned and shape):
            room = self.room[index] = self.scratch.take(shape, dtype)
            self.word[index] = f"t{room}"
            if self.last.get(index, -1) < k:  # nobody reads it
                self.scratch.free.append(self.room.pop(index))
        return self.word[index]

    def seen(self, index: int, word: str) -> str:
        """Return what a block sees of an array in another shape, or with the axes behind its rows in another order."""
        primitive, _, args, settings, value = self.steps[index]
        before, after = args[0].shape, value.shape
        if primitive is transpose_p:
            d, inner = lead(after, self.rows)
            axes = (*range(2 if inner > 1 else 1), *behind(settings["axes"][d:], before, self.rows))
            return f"{word}.transpose({axes})"
        shape = rest(after, self.rows)
        return word if shape == rest(before, self.rows) else f"{word}.reshape({(-1, *shape)})"

    def view(self, index: int, seen: str) -> None:
        if index in self.group.outputs:
            self.copy(self.word[index], seen)
            if not self.turned:
                return
        if seen.isidentifier():
            self.word[index] = seen
        else:
            self.word[index] = f"v{index}"
            self.body.append(f"v{index} = {seen}")

    def fold(self, fold: Fold, word: str, x: Any, out: str, value: Any) -> None:
        """Write a reduction of the axes behind the rows."""
        shape = rest(value.shape, self.rows)
        axes, rank, count = behind(fold.axes, x.shape, self.rows), len(rest(x.shape, self.rows)) + 1, x.shape[-1]
        kept, last = len(shape) == rank - 1, axes == (rank - 1,)
        place = f"{out}[..., 0]" if kept else out
        reduce = self.name_of(fold.ufunc.reduce, "reduce")
        is_count = x.dtype.kind == "b" and value.dtype.char in "fd"
        is_sum = last and fold.ufunc is np.add and value.dtype.char in "fd" and (is_count or x.dtype == value.dtype)
        if is_sum and 2 < count <= LONG:
            if is_count:  # in numbers, which are added up in a quarter of the time of truth values
                room = self.scratch.take(rest(x.shape, self.rows), value.dtype)
                self.copy(f"t{room}", word)
                self.scratch.free.append(room)
                word = f"t{room}"
            if self.turned:
                self.body.append(f"{reduce}({word}, {axes}, None, {out}, {kept})")
                return
            column, per_row = self.name_of(ones(count, value.dtype), "ones"), math.prod(rest(x.shape, self.rows)) // count
            place = "[..., 0].reshape((-1,))" if kept else ".reshape((-1,))"
            self.product(word, f".reshape((-1, {count}))", column, out, place, at_a_time(count), per_row)
        elif last and 2 <= count <= FEW and not self.turned and x.dtype == value.dtype:
            # sums of small integers are of larger ones
            name, columns = self.name_of(fold.ufunc, fold.ufunc.__name__ + "_"), [f"{word}[..., {k}]" for k in range(count)]
            self.body.append(f"c = {place}; {name}({columns[0]}, {columns[1]}, out=c)")
            self.body += [f"{name}(c, {column}, out=c)" for column in columns[2:]]
        else:
            self.body.append(f"{reduce}({word}, {axes}, None, {out}, {kept})")

    def product(self, word: str, row: str, column: str, out: str, place: str, at_once: int, per_row: int) -> None:
        """Write a product by rows. BLAS gets the same rows in each call, however many blocks are taken at a time."""
        name, piece = self.name_of(product_of_rows, "product_of_rows"), ""
        if self.together > 1 and self.run * per_row % at_once:
            piece = f"[i : i + {self.run}]"
            self.body.append(f"for i in range(0, len({word}), {self.run}):")
        call = f"{name}({word}{piece}{row}, {column}, {out}{piece}{place}, {at_once})"
        self.body.append(f"    {call}" if piece else call)

    # Ends

    def end(self, k: int, index: int) -> None:
        """Write what each block contributes to a reduction of all rows."""
        lines = self.contribution(index).split("\n")
        if self.together > 1:
            self.body += ["for j in range(k, min(k + step, last)):", f"    i = (j - k) * {self.run}"]
            lines = [f"    {line}" for line in lines]
        self.body += lines
        self.release(k, self.steps[index][1])

    def contribution(self, index: int) -> str:
        """Return what computes the part of one block in a reduction of all rows."""
        primitive, _, args, _, value = self.steps[index]
        name, blocks = f"p{self.number}_{index}", -(-self.rows // self.run)
        place = f"{name}[{'j' if self.together > 1 else 'k'}]"
        if primitive is watched_p:
            x = self.piece(index, 0)
            self.partials[index] = Partial(name, (blocks,), args[0].real.dtype, (blocks,))
            if args[0].dtype.kind == "f":
                return f"{place} = {self.name_of(np.maximum.reduce, 'reduce')}({x}, None)"
            return f"f = {x}.ravel(); {place} = abs(f.dot(f))"
        if primitive is across_p:
            a, b = [f"{self.piece(index, k)}.reshape({(-1, *x.shape[1:])})" for k, x in enumerate(args)]
            self.partials[index] = Partial(name, (blocks, *value.shape), value.dtype, (blocks, *value.shape))
            return f"{place} = {self.name_of(sum_of_products, 'sum_of_products')}({a}, {b}, {at_a_time(*value.shape)})"
        fold = self.group.parts[index].fold
        assert fold is not None
        x, shape = self.piece(index, fold.operand), np.shape(args[fold.operand])
        (d, inner), dtype = lead(shape, self.rows), np.result_type(value)
        reduce = self.name_of(fold.ufunc.reduce, "reduce")
        left = tuple([n for axis, n in enumerate(shape) if axis not in fold.axes])
        several = self.several(left) if fold.ufunc is np.add and fold.axes == tuple(range(d)) and not self.turned else 1
        axes = (*((0, 1) if inner > 1 else (0,)), *behind(fold.axes, shape, self.rows))
        if left and several > 1:
            columns = several * math.prod(left)
            self.partials[index] = Partial(name, (blocks, columns), dtype, (blocks * several, *left))
            line = f"{reduce}({x}.reshape((-1, {columns})), 0, None, {place})"
            if not self.rows % self.run % several:
                return line
            rank = f"{place[:-1]}, :{math.prod(left)}].reshape({left})"
            at = place[len(name) + 1 : -1]
            return f"if {at} < {self.rows // self.run}: {line}\nelse: {place} = 0; {reduce}({x}, {axes}, None, {rank})"
        self.partials[index] = Partial(name, (blocks, *left), dtype, (blocks, *left))
        if not left:
            return f"{place} = {reduce}({x}, None)"
        return f"{reduce}({x}, {axes}, None, {place})"

    def piece(self, index: int, k: int) -> str:
        """Return the word for what an end reads of one block, where several are taken at a time."""
        word = self.argument(index, k)
        return f"{word}[i : i + {self.run}]" if self.together > 1 else word

    def several(self, shape: Shape) -> int:
        """Return how many rows are added up at a time, as if they were one."""
        count = 1
        while self.run % (2 * count) == 0 and 2 * count * math.prod(shape) <= WIDE:
            count *= 2
        return count
