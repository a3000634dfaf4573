"""What `jit` works on: a stretch of tape that stands alone, and how a function becomes one.

A `Trace` is a list of steps like those of the tape, with the example values that it was recorded on. Passes turn one trace into
another; only what is emitted in the end forgets the values.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import field, frozen

from tapegrad import tree
from tapegrad.core.complaints import leaked, uncover
from tapegrad.core.doubt import doubt
from tapegrad.core.node import CURRENT, NO_SETTINGS, Recording, Step, Unseen, argument_names
from tapegrad.core.program import dependencies
from tapegrad.core.structure import root_p
from tapegrad.core.var import Var, handle
from tapegrad.errors import TraceError

NUMBERS = (np.ndarray, np.generic, float, int, complex)


@frozen(eq=False)
class Trace:
    """Straight-line code with example values. The first `inputs` steps are the roots.

    Attributes:
        steps: the operations, in an order in which they can be computed.
        inputs: how many roots there are.
        outputs: for each output the index of its step, or None for a constant.
        constants: the constant outputs (None elsewhere).
        hopeful: whether rules were recorded bare; NaN in a `watched` value then calls for a trace that was not.
        wanted: the steps among the outputs.
    """

    steps: Sequence[Step]
    inputs: int
    outputs: tuple[int | None, ...]
    constants: tuple[Any, ...]
    hopeful: bool
    wanted: frozenset[int] = field(init=False)

    @wanted.default
    def _steps_among_outputs(self) -> frozenset[int]:
        return frozenset([index for index in self.outputs if index is not None])


def record(
    f: Callable[..., Any], leaves: Sequence[Any], build: Callable[[list[Any]], tuple[Any, Any]], hopeful: bool
) -> tuple[Trace, "tree.Structure[Any]"]:
    """Run ``f(*args, **settings)`` once on traced leaves, whose values must not be looked at.

    Args:
        f: the function.
        leaves: what is traced.
        build: makes ``(args, settings)`` of traced leaves.
        hopeful: record rules bare.

    Returns:
        The trace, and the structure of what `f` returned.

    Raises:
        TypeError: if `f` returns what is no array.
        ConcretizationError: if it looks at a value.
        TraceError: if it draws from a global generator of random numbers.
        DoubtError: if something is raised where bare rules have left NaN behind.
    """
    before = global_randomness()
    trace, structure = record_once(f, leaves, build, hopeful)
    if before != global_randomness():  # a routine of SciPy may have drawn for its own ends: what does a second run say?
        again, _ = record_once(f, leaves, build, hopeful)
        if not same_constants(trace, again):
            raise TraceError(
                f"jit of {name_of(f)}: the function draws from NumPy's or Python's global generator of random numbers. It runs "
                f"only once, so that every call would see the same numbers: pass a key, or the numbers themselves, as argument"
            )
    return trace, structure


def record_once(
    f: Callable[..., Any], leaves: Sequence[Any], build: Callable[[list[Any]], tuple[Any, Any]], hopeful: bool
) -> tuple[Trace, "tree.Structure[Any]"]:
    """Run the function once; see `record`."""
    tape = Recording(hopeful=hopeful, wholly=True)
    tape.steps = FrozenSteps([(root_p, (None,), (x,), NO_SETTINGS, x) for x in leaves])
    tape.abstract.append(Unseen(range(len(leaves)), "jit"))
    token = CURRENT.set(tape)
    steps = tape.steps
    try:
        args, settings = build([handle(tape, k, x, root_p) for k, x in enumerate(leaves)])
        with np.errstate(all="ignore"):
            try:
                out = f(*args, **settings)
            except Exception as error:
                if hopeful:
                    doubt(steps)
                uncover(error, tape)
                raise
        results, structure = tree.flatten(out)
        outputs = tuple([output_of(f, out, k, x, tape) for k, x in enumerate(results)])
    finally:
        CURRENT.reset(token)
        tape.steps = []
    kept = tuple([own(x) if index is None else None for x, index in zip(results, outputs, strict=True)])
    return Trace([unkept(step) for step in steps], len(leaves), outputs, kept, hopeful), structure


def unkept(step: Step) -> Step:
    """Return a step without what was kept for its rules: that belongs to the values that it was recorded with."""
    primitive, inputs, args, settings, value = step
    if primitive.keep is None:
        return step
    return primitive, inputs, args, {name: x for name, x in settings.items() if name != "kept"}, value


def same_constants(a: Trace, b: Trace) -> bool:
    """Tell whether two traces of a function are the same, the constants in them included."""
    if len(a.steps) != len(b.steps) or a.outputs != b.outputs:
        return False
    pairs = [
        pair
        for (p, sources, xs, _, _), (q, _, ys, _, _) in zip(a.steps[a.inputs :], b.steps[b.inputs :], strict=True)
        for pair in [(p.name, q.name), *[(x, y) for s, x, y in zip(sources, xs, ys, strict=True) if s is None]]
    ]
    return all(_same(x, y) for x, y in [*pairs, *zip(a.constants, b.constants, strict=True)])


def _same(x: Any, y: Any) -> bool:
    if isinstance(x, (np.ndarray, np.generic, float)):
        return bool(np.array_equal(x, y, equal_nan=np.asarray(x).dtype.kind in "fc"))
    return bool(x == y)


def output_of(f: Callable[..., Any], out: Any, k: int, x: Any, tape: Recording) -> int | None:
    """Return the index of `x`, leaf `k` of an output, or None for a constant.

    Raises:
        TypeError: if it is no array, naming its path.
        LeakedVarError: if it was traced elsewhere.
    """
    if type(x) is Var:
        if x.tape is not tape:
            raise leaked(x)
        return x.index
    if not isinstance(x, NUMBERS):
        path = tree.paths(out)[k]
        raise TypeError(
            f"jit of {name_of(f)}: the function must return arrays or numbers, got a {type(x).__name__}"
            f"{f' at {path} of the result' if path else ''}. Return it from another function, or make it a static field of a "
            f"record (tapegrad.tree.static)"
        )
    return None


class FrozenSteps(list[Step]):
    """Steps whose constant arrays are as they were when the step was recorded: what changes them later changes no program."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(steps)
        self.kept: dict[int, tuple[Any, Any]] = {}

    def append(self, step: Step) -> None:
        primitive, inputs, args, settings, value = step
        if any(source is None and type(x) is np.ndarray for source, x in zip(inputs, args, strict=True)):
            args = tuple([x if source is not None else self.own(x) for source, x in zip(inputs, args, strict=True)])
            step = (primitive, inputs, args, settings, value)
        super().append(step)

    def own(self, x: Any) -> Any:
        """Return `x` or a copy, the same one as before if it is still equal: so passes see that constants are the same."""
        if type(x) is not np.ndarray:
            return x
        before, copy = self.kept.get(id(x), (None, None))
        if before is not x or copy.tobytes() != x.tobytes():
            copy = own(x)
            self.kept[id(x)] = x, copy
        return copy


def own(x: Any) -> Any:
    """Return an array that nobody can change any more: `x`, or a copy."""
    owner = x
    while type(owner) is np.ndarray:
        if owner.flags.writeable:
            return copied(x)
        owner = owner.base
    return x if owner is None or not isinstance(x, np.ndarray) else copied(x)


def copied(x: Any) -> Any:
    """Return a copy, in which what is repeated in memory only once is not written out."""
    if x.size and 0 in x.strides:
        once = x[tuple([slice(1) if step == 0 else slice(None) for step in x.strides])]
        return np.broadcast_to(once.copy(), x.shape)
    return x.copy()


def global_randomness() -> Any:
    """Return what tells whether somebody draws from a global generator."""
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002  # the legacy generator is the global one
    inner = state["state"]
    return inner["pos"], bytes(inner["key"]), state["has_gauss"], random.getstate()


def alive(trace: Trace) -> list[int]:
    """Return the steps that the outputs depend on, in order; roots are not among them."""
    return sorted(dependencies(trace.steps, trace.inputs, trace.wanted))


def readers_of(trace: Trace, order: Sequence[int]) -> dict[int, list[int]]:
    """Return for each value that a step in `order` needs the steps that do, in order, each once."""
    found: dict[int, list[int]] = {}
    for index in order:
        for source in dict.fromkeys(trace.steps[index][1]):
            if source is not None:
                found.setdefault(source, []).append(index)
    return found


def name_of(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", repr(f))


def path_names(f: Callable[..., Any], args: Sequence[Any], settings: dict[str, Any]) -> list[str]:
    """Return the path of each leaf of ``(args, settings)``."""
    names = argument_names(f, tuple(range(len(args))))
    paths = [name + path for name, arg in zip(names, args, strict=True) for path in tree.paths(arg)]
    return paths + [name + path for name in sorted(settings) for path in tree.paths(settings[name])]
