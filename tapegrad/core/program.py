"""A stretch of tape as a function of its own: what was computed, without the values that it was computed on.

`Program` is what `checkpoint` runs again, what the structured loops repeat, and what is left of a function after its tape.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from tapegrad.core.node import Recording, Step
from tapegrad.core.primitive import Primitive
from tapegrad.core.quiet import quietly
from tapegrad.core.var import Var, apply, handle

Instruction: TypeAlias = tuple[Primitive, tuple[int | None, ...], tuple[Any, ...], dict[str, Any], tuple[int, ...]]
"""A primitive, the registers of its arguments (None for constants), the constants (None elsewhere), the settings, and the
registers that are not needed any more afterwards."""


@frozen(eq=False, repr=False)
class Program:
    """Straight-line code on registers. The first `inputs` registers are filled by the caller, each instruction fills the next.

    Attributes:
        inputs: how many inputs there are.
        instructions: what is computed, in order.
        outputs: for each output its register, or None for a constant.
        constants: the constant outputs (None elsewhere).
        quiet: the numbers of the instructions that rules recorded, which are carried out without NumPy's warnings.
    """

    inputs: int
    instructions: tuple[Instruction, ...]
    outputs: tuple[int | None, ...]
    constants: tuple[Any, ...]
    quiet: frozenset[int] = frozenset()

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        """Run the program on plain or traced values; on traced ones, it is recorded like any other code."""
        registers: list[Any] = list(inputs)
        assert len(registers) == self.inputs, (len(registers), self.inputs)
        quiet = self.quiet
        for k, (primitive, sources, constants, settings, dead) in enumerate(self.instructions):
            args = [x if source is None else registers[source] for source, x in zip(sources, constants, strict=True)]
            if k in quiet:
                with quietly():
                    registers.append(apply(primitive, *args, **settings))
            else:
                registers.append(apply(primitive, *args, **settings))
            for register in dead:
                registers[register] = None
        return tuple(x if k is None else registers[k] for k, x in zip(self.outputs, self.constants, strict=True))

    def __len__(self) -> int:
        return len(self.instructions)

    def __repr__(self) -> str:
        return f"<program of {len(self)} operations>"


def extract(tape: Recording, start: int, roots: int, results: Sequence[Any]) -> tuple[Program, list[Var]]:
    """Return the program of the stretch of tape from `start` on, and the outer values that it uses besides its roots.

    Args:
        tape: the tape; the stretch begins with `roots` root nodes, and ends at the end of the tape.
        start: index of the first root.
        roots: how many there are.
        results: the outputs, traced or constant.

    Returns:
        A program whose inputs are the roots followed by the captured values, and those values.
    """
    steps = tape.steps
    first = start + roots
    wanted = [x.index if type(x) is Var and x.tape is tape else None for x in results]
    needed = sorted(dependencies(steps, first, [index for index in wanted if index is not None]))
    captured: dict[int, Var] = {}
    for index in (*needed, *[index for index in wanted if index is not None]):
        sources = zip(steps[index][1], steps[index][2], strict=True) if index >= first else [(index, steps[index][4])]
        for source, x in sources:
            if source is not None and source < start and source not in captured:
                captured[source] = handle(tape, source, x, steps[source][0])
    register = {start + k: k for k in range(roots)}
    register.update({index: roots + k for k, index in enumerate(captured)})
    inputs = len(register)
    register.update({index: inputs + k for k, index in enumerate(needed)})
    outputs = tuple(None if index is None else register[index] for index in wanted)
    last_use = {register[s]: k for k, index in enumerate(needed) for s in steps[index][1] if s is not None}
    for k, index in enumerate(needed):
        last_use.setdefault(register[index], k)
    dead_after: dict[int, list[int]] = {}
    for number, k in last_use.items():
        if number not in outputs:
            dead_after.setdefault(k, []).append(number)
    instructions = tuple(
        (
            primitive,
            tuple(None if s is None else register[s] for s in sources),
            tuple(x if s is None else None for s, x in zip(sources, args, strict=True)),
            {name: x for name, x in settings.items() if name != "kept"} if primitive.keep is not None else settings,
            tuple(dead_after.get(k, ())),
        )
        for k, (primitive, sources, args, settings, _) in enumerate(steps[index] for index in needed)
    )
    constants = tuple(x if index is None else None for index, x in zip(wanted, results, strict=True))
    recent = [nodes for nodes in tape.quiet if nodes.stop > start]
    quiet = frozenset(k for k, index in enumerate(needed) if any(index in nodes for nodes in recent))
    return Program(inputs, instructions, outputs, constants, quiet), list(captured.values())


def dependencies(steps: Sequence[Step], first: int, wanted: Iterable[int]) -> set[int]:
    """Return the nodes from `first` on that the wanted ones depend on, themselves included."""
    needed = {index for index in wanted if index >= first}
    waiting = list(needed)
    while waiting:
        for source in steps[waiting.pop()][1]:
            if source is not None and source >= first and source not in needed:
                needed.add(source)
                waiting.append(source)
    return needed
