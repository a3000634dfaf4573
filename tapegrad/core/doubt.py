"""Hope: rules recorded bare, and a look at what they have left behind.

Guards against ``0 * inf`` are nodes where values must not be looked at, and nearly always for nothing. On a *hopeful* tape
there are none; what each gradient or tangent comes to is `watched` instead. Whoever runs what was recorded looks there for NaN
(cotangents pass through linear maps only, so that it arrives there), and if there is one records the function again with care.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tapegrad.core.arrays import probe
from tapegrad.core.node import Step
from tapegrad.core.primitive import Primitive, case
from tapegrad.core.program import Program
from tapegrad.core.quiet import quietly
from tapegrad.core.var import Var, apply, handle


class DoubtError(Exception):
    """NaN in what bare rules left behind: the careful ones are to be run."""


def _checked(c: Any, of: int | None = None, check: Callable[[Any], None] | None = None) -> Any:
    if check is not None:
        check(c)
    return c


watched_p: Primitive = Primitive(
    name="watched",
    fn=_checked,
    pulls=(lambda g, y, c, of=None, check=None: g,),
    push=lambda tangents, y, c, of=None, check=None: tangents[0],
    batch=lambda args, batched, of=None, check=None: apply(watched_p, args[0], **({} if check is None else {"check": check})),
    cases=(case((3,)),),
)
"""The identity, on what is to be looked at for NaN. One with the setting ``of`` leads nowhere: what it holds is looked at in
the place of node `of`, which cannot be NaN where that is finite. ``check`` is called with what it holds (`tapegrad.debug`)."""


def checked(c: Any, check: Callable[[Any], None]) -> Any:
    """Check what a rule has recorded: a cotangent or a tangent, and of a batch, whose values come later, each example too."""
    check(c)
    return apply(watched_p, c, check=check) if type(c) is Var and c.tape.abstract and c.dtype.kind in "fc" else c


def are_hopeful(*values: Any) -> bool:
    """Tell whether a rule on these values is recorded where it may be bare: one of them is traced, on a hopeful tape."""
    for x in values:
        if type(x) is Var:  # they are all of one tape
            return x.tape.hopeful
    return False


def watched(cotangents: Sequence[Any]) -> list[Any]:
    """Mark cotangents or tangents that hopeful rules left behind, where they are traced on a hopeful tape; others stay."""
    return [_watched(c) if type(c) is Var and c.tape.hopeful and c.dtype.kind in "fc" else c for c in cotangents]


def _watched(c: Var) -> Any:
    tape = c.tape
    if tape.wholly or len(tape.abstract) > 1:
        return apply(watched_p, c)
    primitive, inputs, args, _, value = tape.steps[c.index]
    if not primitive.bilinear or sum(map(np.size, args)) >= np.size(value):
        return apply(watched_p, c)
    for source, x in zip(inputs, args, strict=True):  # an outer product is larger than what could make it NaN
        if source is not None:
            apply(watched_p, handle(tape, source, x, tape.steps[source][0]), of=c.index)
        elif not is_finite(x):
            return apply(watched_p, c)
    return c


def look(x: Any, of: int | None = None) -> None:
    """Look at what is watched, in the place of node `of` if that is given.

    Where the sums of squares of two factors are finite, so is each element of a product of them, by the inequality of Cauchy
    and Schwarz: nothing can overflow on the way.

    Raises:
        DoubtError: if it may be NaN.
    """
    if has_nan(x) if of is None else not is_finite(x):
        raise DoubtError


def doubt(steps: Iterable[Step]) -> None:
    """Where something was raised while these steps were recorded hopefully: it may have been NaN that was refused.

    Raises:
        DoubtError: if one of them is NaN.
    """
    for *_, value in steps:
        if type(value) is float or (isinstance(value, (np.ndarray, np.inexact)) and value.dtype.kind in "fc"):
            look(value)


def has_nan(x: Any) -> bool:
    """Tell at the price of one pass whether an element of an array is NaN."""
    if type(x) is np.ndarray:
        x = probe(x)
    return bool(x != x)


def is_finite(x: Any) -> bool:
    """Tell at the price of one pass whether all elements are finite; large ones may be taken for infinite."""
    if type(x) is np.ndarray:
        x = probe(x)
    return bool(np.isfinite(x))


def has_doubts(program: Program, is_traced: bool = True) -> bool:
    """Tell whether something watched depends on constants alone, and may be NaN.

    Args:
        program: what was recorded.
        is_traced: whether inputs of the program are traced; otherwise all of it is computed on constants.
    """
    if not any(primitive is watched_p for primitive, *_ in program.instructions):
        return False
    known: dict[int, Any] = {}
    with quietly():
        for k, (primitive, sources, constants, settings, _) in enumerate(program.instructions, program.inputs):
            if all(s is None or s in known for s in sources):
                args = [x if s is None else known[s] for s, x in zip(sources, constants, strict=True)]
                known[k] = primitive.fn(*args, **settings)
                if primitive is watched_p and has_nan(known[k]):
                    return True
    return not is_traced


def looking(program: Program) -> Callable[..., Sequence[Any]]:
    """Return what runs a program on plain values and looks at what is watched: a loop might never end at NaN."""
    if isinstance(program, Program) and any(step[0] is watched_p for step in program.instructions):  # no compiled one
        return partial(_run_looking, program)
    return program


def _run_looking(program: Program, *inputs: Any) -> list[Any]:
    registers = list(inputs)
    with quietly():
        for primitive, sources, constants, settings, _ in program.instructions:
            args = [x if s is None else registers[s] for s, x in zip(sources, constants, strict=True)]
            registers.append(primitive.fn(*args, **settings))
            if primitive is watched_p:
                look(registers[-1], settings.get("of"))
    return [x if k is None else registers[k] for k, x in zip(program.outputs, program.constants, strict=True)]
