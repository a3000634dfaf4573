"""What need not be done turn by turn: before a loop, for all turns at once, or after it.

The steps of a body fall into four parts. Those that depend on nothing that changes are done once. Those that depend on no
carried value are done before the loop, and those that no carried value depends on after it, each as one operation on all turns
(the rule of `vmap` says which), as long as that is small. What is left is the loop. A carried value that is only added to is
no carried value: it is a sum over the turns, and one matrix product if matrix products are added up.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np

from tapegrad.compiler.calls import UFUNC_OF
from tapegrad.compiler.loops.convert import put_loop, same_kind
from tapegrad.compiler.loops.node import Repeat, cut, loop_p
from tapegrad.compiler.passes.rewriting import put, replayed
from tapegrad.compiler.trace import Trace, alive, readers_of
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import CURRENT, Step
from tapegrad.core.primitive import Primitive
from tapegrad.ops.arithmetic import add_p, subtract_p
from tapegrad.ops.contract import matmul_p, outer_p
from tapegrad.ops.shape import transpose_p
from tapegrad.transforms.loops.body import plain

FEW = 4
"""Turns up to which there is nothing to be gained."""

SMALL = 2**12
"""Elements of a value up to which steps are done for all turns at once: to compute more takes longer than to call NumPy."""

LEAN = 2**14
"""The same for matrix products, of which one large one is faster than many small ones."""

MANY = 2**22
"""Elements of a value for all turns up to which they are."""

BY_NAME = frozenset(
    {
        "sum",
        "mean",
        "max",
        "min",
        "sum_to",
        "matmul",
        "outer",
        "affine",
        "where",
        "clip",
        "stack",
        "concatenate",
        "permute",
        "astype",
        "cast",
        "sigmoid",
        "relu",
        "logsumexp",
        "softmax",
        "log_softmax",
        "norm",
        "var",
        "deviation",
        "polyval",
    }
)
"""Operations that cannot fail and that have a good rule for all turns, besides elementwise ones and views."""


Terms: TypeAlias = "tuple[list[tuple[int, Primitive]], set[int]]"
"""What is added in each turn, with the operation that does, and the steps that add it."""


def split(trace: Trace) -> Trace:
    """Take out of loops what need not be done turn by turn."""

    def rewrite(primitive: Primitive, args: Sequence[Any], settings: dict[str, Any], value: Any) -> Any:
        if primitive is not loop_p:
            return None
        return Split(settings["loop"], args, value).outputs()

    return replayed(trace, rewrite) if any(trace.steps[index][0] is loop_p for index in alive(trace)) else trace


class Split:
    """A loop that is being taken apart, while the trace around it is recorded anew."""

    def __init__(self, loop: Repeat, args: Sequence[Any], value: tuple[Any, ...]) -> None:
        self.loop = loop
        self.body = loop.body
        self.steps = loop.body.steps
        self.args = args
        self.value = value
        self.order = alive(loop.body)
        self.read_by = readers_of(loop.body, self.order)
        inputs = range(loop.body.inputs)
        self.once: dict[int, Any] = {k: args[k] for k in inputs if k >= loop.same}  # steps that are the same in every turn
        self.rows: dict[int, Any] = {k: args[k] for k in inputs if loop.carried <= k < loop.same}  # all turns of a step
        for k, index in enumerate(loop.next_values):
            if index == k and same_kind(plain(args[k]), self.steps[k][4]):
                self.once[k] = args[k]

    def outputs(self) -> tuple[Any, ...]:
        """Append what becomes of the loop, and return its outputs."""
        self.hoist()
        loop = self.loop
        if loop.turns is None or loop.turns < FEW:
            return self.rest([k for k in range(loop.carried) if k not in self.once], {}, set())
        self.before()
        sums = self.sums()
        kept = [k for k in range(loop.carried) if k not in sums and k not in self.once]
        return self.rest(kept, sums, self.after(kept, sums))

    # Steps that are the same in every turn

    def hoist(self) -> None:
        """Do what depends on nothing that changes before the loop."""
        tape = CURRENT.get()
        assert tape is not None
        if self.loop.turns == 0:
            return
        for index in self.order:
            primitive, sources, args, settings, value = self.steps[index]
            if all(s is None or s in self.once for s in sources) and is_safe(self.steps[index]):
                given = [x if s is None else self.once[s] for s, x in zip(sources, args, strict=True)]
                self.once[index] = put(tape, primitive, given, settings, value)

    # Steps that depend on no carried value

    def before(self) -> None:
        """Do what depends on no carried value before the loop, for all turns at once."""
        for index in self.order:
            if index not in self.once and self.is_small(index):
                sources = self.steps[index][1]
                if all(s is None or s in self.once or s in self.rows for s in sources):
                    self.try_at_once(index)

    def try_at_once(self, index: int) -> bool:
        """Do a step for all turns, if that gives what it gave."""
        primitive, sources, args, settings, value = self.steps[index]
        batched = [s is not None and s not in self.once for s in sources]
        given = [
            x if s is None else self.once[s] if s in self.once else self.rows[s] for s, x in zip(sources, args, strict=True)
        ]
        assert primitive.batch is not None
        y = primitive.batch(given, batched, **settings)
        at_once = plain(y)
        if np.shape(at_once) != (self.loop.turns, *np.shape(value)) or native(at_once) != native(value):
            return False
        self.rows[index] = y
        return True

    def is_small(self, index: int) -> bool:
        """Tell whether a step may be done for all turns at once."""
        step = self.steps[index]
        if step[0].batch is None or not is_safe(step):
            return False
        sizes = [np.size(step[4]), *[np.size(self.steps[s][4]) for s in step[1] if s is not None and s not in self.once]]
        assert self.loop.turns is not None
        limit = LEAN if step[0] in (matmul_p, outer_p) else SMALL
        return max(sizes) <= limit and max(sizes) * self.loop.turns <= MANY

    # Carried values that are only added to

    def sums(self) -> dict[int, Terms]:
        """Return the carried values that are sums over the turns, with what each turn adds to them."""
        found = {}
        for k in range(self.loop.carried):
            index = self.body.outputs[k]
            if index is None or k in self.once or k in self.body.outputs or self.body.outputs.count(index) > 1:
                continue
            if isinstance(self.steps[k][4], np.ndarray) and not np.ndim(self.steps[k][4]):
                continue  # sums come out as numbers
            if len(self.readers(k)) == 1 and not self.readers(index) and np.result_type(self.steps[k][4]).char in "fdFD":
                terms, within = self.terms(k, index)
                once = [term for term in terms if term[0] == k] == [(k, add_p)]  # else it is doubled, or taken away
                if once and all(self.adds_up(s) for s, _ in terms if s != k):
                    found[k] = [term for term in terms if term[0] != k], within
        return found

    def readers(self, index: int) -> list[int]:
        return self.read_by.get(index, [])

    def terms(self, k: int, index: int) -> tuple[list[tuple[int, Primitive]], set[int]]:
        """Return the terms of the sum that step `index` is, each with the operation that counts it, and the steps that add."""
        terms: list[tuple[int, Primitive]] = []
        within: set[int] = set()
        waiting: list[tuple[int, Primitive]] = [(index, add_p)]
        while waiting:
            at, sign = waiting.pop()
            primitive, sources, _, _, value = self.steps[at]
            inner = at == index or (len(self.readers(at)) == 1 and at not in self.body.outputs)
            if at < self.body.inputs or not inner or primitive not in (add_p, subtract_p) or None in sources:
                terms.append((at, sign))
                continue
            first, second = sources
            if any(not same_kind(value, self.steps[s][4]) for s in sources if s is not None):
                terms.append((at, sign))
                continue
            assert first is not None and second is not None
            within.add(at)
            other = sign if primitive is add_p else subtract_p if sign is add_p else add_p
            waiting += [(second, other), (first, sign)]
        return terms, within

    def adds_up(self, index: int) -> bool:
        """Tell whether the sum of a step over all turns is better taken after the loop."""
        assert self.loop.turns is not None
        if self.factors(index) is not None or index in self.rows:
            return True
        size = int(np.size(self.steps[index][4]))
        return index not in self.once and size <= SMALL and size * self.loop.turns <= MANY

    def factors(self, index: int) -> tuple[int, int] | None:
        """Return the two factors of a product, over whose sum for all turns one product runs; None if there are none."""
        if index < self.body.inputs or index in self.once:
            return None
        primitive, (a, *rest), args, _, value = self.steps[index]
        if primitive not in (matmul_p, outer_p) or a is None or rest[0] is None or np.ndim(value) != 2:
            return None
        rank = 2 if primitive is matmul_p else 1
        assert self.loop.turns is not None
        for s, x in zip((a, *rest), args, strict=True):
            if np.ndim(x) != rank or x.dtype != value.dtype or s in self.once or np.size(x) * self.loop.turns > MANY:
                return None
        return a, rest[0]

    # Steps that no carried value depends on

    def after(self, kept: Sequence[int], sums: dict[int, Terms]) -> set[int]:
        """Return the steps that are done after the loop."""
        outputs = {self.body.outputs[k] for k in kept}
        readers = dict(self.read_by)
        for terms, within in sums.values():
            for s, _ in terms:
                readers[s] = [i for i in readers[s] if i not in within]
        gone = {index for _, within in sums.values() for index in within}
        later: set[int] = set()
        for index in reversed(self.order):
            if index in gone:
                continue
            inside = index in outputs or any(i not in later for i in readers.get(index, ()))
            if not inside and index not in self.rows and index not in self.once and self.is_small(index):
                later.add(index)
        return later

    # What is left

    def rest(self, kept: Sequence[int], sums: dict[int, Terms], later: set[int]) -> tuple[Any, ...]:
        """Append the loop that is left, and what comes after it; return the outputs of the whole."""
        loop, body = self.loop, self.body
        stacked: list[int] = []  # steps of the loop whose values are needed afterwards
        done: list[int] = []  # steps that are done afterwards

        def need(index: int) -> None:
            if index in self.once or index in self.rows or index in stacked or index in done:
                return
            if index in later:
                for s in self.steps[index][1]:
                    if s is not None:
                        need(s)
                done.append(index)
            else:
                stacked.append(index)

        for index in loop.stacks:
            if index is not None:
                need(index)
        for other in [s for terms, _ in sums.values() for s, _ in terms]:
            factors = self.factors(other)
            for s in (other,) if factors is None else map(self.upright, factors):
                need(s)
        last, made = self.smaller(kept, stacked)
        self.rows.update(zip(stacked, made, strict=True))
        for index in done:
            at_once = self.try_at_once(index)
            assert at_once, f"{self.steps[index][0].name} for all turns"
        found: list[Any] = [self.once.get(k, last.get(k)) for k in range(loop.carried)]
        for k, (terms, _) in sums.items():
            found[k] = self.args[k]
            for s, sign in terms:
                found[k] = found[k] + self.sum_of(s) if sign is add_p else found[k] - self.sum_of(s)
            assert same_kind(plain(found[k]), self.value[k])
        for k, index in enumerate(loop.stacks, loop.carried):
            if index is None or index in self.once:
                x = body.constants[k] if index is None else self.once[index]
                found.append(np.broadcast_to(x, np.shape(self.value[k])))
            else:
                found.append(self.rows[index])
        return tuple(found)

    def smaller(self, kept: Sequence[int], stacked: list[int]) -> tuple[dict[int, Any], Sequence[Any]]:
        """Append a loop of some of the carried values and stacks, and return its outputs."""
        loop, body = self.loop, self.body
        first = 0 if loop.turns is not None else 1
        if not kept and not stacked and not first:
            return {}, ()
        rows = [*self.rows]
        once = [*self.once]
        outputs = [*body.outputs[:first], *[body.outputs[k + first] for k in kept], *stacked]
        constants = [*body.constants[:first], *[body.constants[k + first] for k in kept], *[None] * len(stacked)]
        roots = [*kept, *rows, *once]
        args = [*[self.args[k] for k in kept], *self.rows.values(), *self.once.values()]
        new = attrs.evolve(loop, body=cut(body, roots, outputs, constants), carried=len(kept), rows=len(rows))
        known = {loop.stacks[k]: y for k, y in enumerate(self.value[loop.carried :])} if not first else {}
        if all(index in known for index in stacked):
            value = (*[self.value[k] for k in kept], *[known[index] for index in stacked])
        else:
            value = new.run([plain(x) for x in args])
        made = put_loop(new, args, value)
        return dict(zip(kept, made, strict=False)), made[len(kept) :]

    def upright(self, index: int) -> int:
        """Return the step that a step is the transpose of, or itself."""
        primitive, sources, _, _, value = self.steps[index]
        return sources[0] if primitive is transpose_p and np.ndim(value) == 2 and sources[0] is not None else index

    def sum_of(self, index: int) -> Any:
        """Return the sum of a step over all turns."""
        found = self.factors(index)
        if found is None:
            return np.sum(self.rows[index], axis=0)
        a, b = (self.rows[self.upright(s)] for s in found)
        if self.steps[index][0] is outer_p:
            return np.transpose(a) @ b
        if self.upright(found[0]) != found[0]:
            left = np.transpose(np.reshape(a, (-1, a.shape[-1])))
        else:
            left = np.reshape(np.transpose(a, (1, 0, 2)), (a.shape[1], -1))
        if self.upright(found[1]) != found[1]:
            right = np.transpose(np.reshape(np.transpose(b, (1, 0, 2)), (b.shape[1], -1)))
        else:
            right = np.reshape(b, (-1, b.shape[-1]))
        return left @ right


def native(x: Any) -> np.dtype[Any]:
    """Return the dtype of a value, whichever way round its bytes are: elements of an array are NumPy's own way round."""
    return np.result_type(x).newbyteorder("=")


def is_safe(step: Step) -> bool:
    """Tell whether a step can be done where it was not asked for: it never fails, and has one output with a dtype."""
    primitive, _, _, _, value = step
    if not isinstance(value, (np.ndarray, np.generic)) or any(type(x) is tuple for x in step[2]):
        return False
    if primitive.name == "getitem" and any(s is not None for s in step[1][1:]):
        return False
    return primitive.view or primitive is watched_p or UFUNC_OF[primitive] is not None or primitive.name in BY_NAME
