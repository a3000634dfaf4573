"""The source of a group: one function that computes some of its blocks."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import define, field, frozen

from tapegrad.compiler.calls import UFUNC_OF
from tapegrad.compiler.trace import Trace
from tapegrad.compiler.units import BLOCK, QUICK, Group, reduction
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import Step

PAYS = 200_000.0
"""Nanoseconds of work from which on several threads are used. Waking one takes about a tenth of that."""


VAST = 2**20
"""Elements from which on several threads pay for quick ufuncs as well: they share the way to memory. Of fewer they do not:
between two ufuncs a thread may wait for the interpreter's lock, and to be woken takes longer than a quick ufunc does."""


@frozen(eq=False)
class Kernel:
    """The code of a group.

    Attributes:
        lines: the function ``blocks(given, first, last, worker)``.
        given: values that it is handed, and those in which it leaves its outputs.
        scratch: shape and dtype of the arrays that each worker needs.
        partials: for each end the name of the array of what the blocks came to, and its dtype.
        blocks: how many blocks there are.
        threads: whether the work is worth several threads.
        flat: whether arrays are handed over as vectors.
    """

    lines: list[str]
    given: list[int]
    scratch: list[tuple[tuple[int, ...], np.dtype[Any]]]
    partials: dict[int, tuple[str, np.dtype[Any]]]
    blocks: int
    threads: bool
    flat: bool


@define(eq=False)
class Scratch:
    """Arrays of the size of a block, handed out and taken back."""

    dtypes: list[np.dtype[Any]] = field(factory=list)
    free: list[int] = field(factory=list)

    def take(self, dtype: np.dtype[Any]) -> int:
        for k in self.free:
            if self.dtypes[k] == dtype:
                self.free.remove(k)
                return k
        self.dtypes.append(dtype)
        return len(self.dtypes) - 1


def nanoseconds(index: int, steps: Sequence[Step]) -> float:
    """Return what the ufunc of a step takes for an element, roughly."""
    ufunc = UFUNC_OF[steps[index][0]]
    return 0.2 if ufunc is not None and ufunc.__name__ in QUICK else 2.0


def is_heavy(trace: Trace, group: Group) -> bool:
    """Tell whether slow ufuncs take most of the time of a group."""
    times = [nanoseconds(index, trace.steps) for index in group.members]
    return sum([t for t in times if t > 1.0]) > 0.5 * sum(times)


def kernel(trace: Trace, group: Group, number: int, name_of: Callable[[Any, str], str], by_keyword: Sequence[Any]) -> Kernel:
    """Write the function of a group.

    Args:
        trace: the steps.
        group: those that are computed together.
        number: what tells its names from those of other groups.
        name_of: gives the name of a constant.
        by_keyword: ufuncs that take their output by keyword.
    """
    steps = trace.steps
    flat = not group.rows
    total = int(np.prod(group.shape)) if flat else group.shape[0]
    row = 1 if flat else int(np.prod(group.shape[1:]))
    heavy = is_heavy(trace, group)
    run = max(1, (BLOCK if heavy else 2 * BLOCK) // row)
    blocks = -(-total // run)
    given = [*group.inputs, *group.outputs]
    word = {index: f"a{k}" for k, index in enumerate(given)}
    cut = [is_cut(np.shape(steps[index][4]), group) for index in given]
    slices = [f"s{k} = a{k}[lo:hi]" for k, is_part in enumerate(cut) if is_part]
    word.update({index: f"s{k}" for k, index in enumerate(given) if cut[k]})
    last: dict[int, int] = {}
    for k, index in enumerate((*group.members, *group.ends)):
        for s in steps[index][1]:
            if s is not None:
                last[s] = k
    scratch = Scratch()
    room: dict[int, int] = {}
    body: list[str] = []
    dense: list[str] = []  # numbers written out: with an array, these ufuncs are four times as fast
    weight = 0.0
    for k, index in enumerate(group.members):
        primitive, inputs, args, _, value = steps[index]
        ufunc = UFUNC_OF[primitive]
        assert ufunc is not None
        words = []
        for source, x in zip(inputs, args, strict=True):
            if source is not None:
                words.append(word[source])
                continue
            if ufunc in by_keyword and type(x) in (float, int) and value.dtype.char in "fd":
                dense.append(name_of(np.full((run,) if flat else (run, *group.shape[1:]), x, value.dtype), "c"))
                words.append(f"d{len(dense) - 1}")
                continue
            constant = name_of(x.reshape(-1) if flat and np.ndim(x) > 1 else x, "c")
            words.append(f"{constant}[lo:hi]" if is_cut(np.shape(x), group) else constant)
        scratch.free += [room.pop(s) for s in set(inputs) if s in room and last.get(s, -1) == k]
        if index not in group.outputs:
            room[index] = scratch.take(value.dtype)
            word[index] = f"t{room[index]}"
            if last.get(index, -1) < k:  # nobody reads it
                scratch.free.append(room.pop(index))
        out = f"out={word[index]}" if ufunc in by_keyword else word[index]
        body.append(f"{name_of(ufunc, ufunc.__name__ + '_')}({', '.join(words)}, {out})")
        weight += value.size * nanoseconds(index, steps)
    partials: dict[int, tuple[str, np.dtype[Any]]] = {}
    for index in group.ends:
        primitive, inputs, args, _, value = steps[index]
        assert inputs[0] is not None
        x = word[inputs[0]]
        name = f"p{number}_{index}"
        if primitive is watched_p:
            if args[0].dtype.kind == "f":
                body.append(f"{name}[k] = {name_of(np.maximum.reduce, 'reduce')}({x}, None)")
            else:
                body.append(f"f = {x}.ravel(); {name}[k] = abs(f.dot(f))")
            partials[index] = (name, args[0].real.dtype)
        else:
            body.append(f"{name}[k] = {name_of(reduction(steps[index]).reduce, 'reduce')}({x}, None)")
            partials[index] = (name, np.result_type(value))
        weight += args[0].size * 0.25
    lines = [f"def blocks{number}(given, first, last, worker):"]
    lines.append(f"    {', '.join(f'a{k}' for k in range(len(given)))}, = given")
    count = len(scratch.dtypes)
    names = ", ".join(f"t{k}" for k in range(count))
    if count:
        lines.append(f"    {names}, = scratch{number}[worker]")
    lines += ["    for k in range(first, last):", f"        lo = k * {run}", f"        hi = lo + {run}"]
    lines[2:2] = [f"    d{k} = {constant}" for k, constant in enumerate(dense)]
    whole = [*[f"t{k}" for k in range(count)], *[f"d{k}" for k in range(len(dense))]]
    if total % run and whole:
        shorter = "; ".join(f"{name} = {name}[:{total % run}]" for name in whole)
        lines.append(f"        if hi > {total}: {shorter}")
    lines += [f"        {line}" for line in (*slices, *body)]
    shape = (run,) if flat else (run, *group.shape[1:])
    return Kernel(
        lines,
        given,
        [(shape, dtype) for dtype in scratch.dtypes],
        partials,
        blocks,
        weight > PAYS and (heavy or total * row >= VAST),
        flat,
    )


def is_cut(shape: tuple[int, ...], group: Group) -> bool:
    """Tell whether blocks read a part of an operand, along the first axis; others are small, and read whole."""
    if not group.rows:
        return shape == group.shape
    return len(shape) == len(group.shape) and shape[0] == group.shape[0]
