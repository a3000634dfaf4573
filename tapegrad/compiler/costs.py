"""What a step costs, by an estimate: floating-point operations, and bytes that are read and written."""

import math
from typing import Any

import numpy as np

from tapegrad.compiler.loops.node import Repeat, loop_p
from tapegrad.compiler.trace import alive, record
from tapegrad.core.doubt import watched_p
from tapegrad.core.node import Step
from tapegrad.core.program import Program
from tapegrad.core.structure import pick_p, root_p
from tapegrad.transforms.checkpoint import checkpoint_p
from tapegrad.transforms.loops.branch import Choice, switch_p
from tapegrad.transforms.loops.repeat import While, while_p
from tapegrad.transforms.loops.scan import Loop, first_of, scan_p
from tapegrad.transforms.packed import pack_p

NAMES_ONLY = (root_p, pick_p, pack_p)
"""Steps that give another name to what is there."""

WITH_PROGRAMS = {scan_p: "loop", while_p: "loop", switch_p: "choice", checkpoint_p: "program"}
"""Steps that run programs, and the setting that holds them."""

MOVES = frozenset({"concatenate", "stack", "copy", "full", "roll", "repeat", "pad", "permute", "where", "spread_diagonal"})
"""Steps that move numbers, and compute none."""


def cost(step: Step) -> tuple[int, int]:
    """Return about how many floating-point operations a step takes, and how many bytes it reads and writes."""
    primitive, _, args, settings, value = step
    if primitive in NAMES_ONLY:
        return 0, 0
    if primitive is loop_p:
        return of_loop(settings["loop"])
    if primitive in WITH_PROGRAMS:
        return repeated(args[0], settings[WITH_PROGRAMS[primitive]])
    if primitive.view:
        return 0, 0 if is_view(step) else 2 * bytes_of(value)
    traffic = sum(map(bytes_of, args)) + (0 if primitive is watched_p else bytes_of(value))
    return operations(step), traffic


def operations(step: Step) -> int:
    """Return the floating-point operations of a step that computes something itself."""
    primitive, _, args, settings, value = step
    if primitive.name in MOVES:
        return 0
    if primitive.name == "matmul":
        return 2 * int(np.size(value)) * int(np.shape(args[0])[-1])
    if primitive.name == "across":
        return 2 * int(np.size(value)) * len(args[0])
    if primitive.name == "einsum2":
        labels = settings["subscripts"].split("->")[0].split(",")
        lengths: dict[str, int] = {
            c: n for part, x in zip(labels, args, strict=True) for c, n in zip(part, np.shape(x), strict=True)
        }
        products = math.prod(lengths.values())
        return 2 * products if products > np.size(value) else products
    if primitive.name == "convolve":
        return 2 * int(np.size(args[0])) * int(np.size(args[1]))
    return max(size_of(value), *map(size_of, args), 0)


def repeated(packed: tuple[Any, ...], setting: Any) -> tuple[int, int]:
    """Return the cost of a loop: that of all turns, of one where their number is not known; of the dearest of branches."""
    if isinstance(setting, Loop):
        carry, xs, captured = setting.split(packed)
        found = of_program(setting.program, [*carry, *[first_of(x) for x in xs], *captured])
        return found[0] * setting.turns, found[1] * setting.turns
    if isinstance(setting, While):
        carry, test, body = setting.split(packed)
        found, more = of_program(setting.test, [*carry, *test]), of_program(setting.body, [*carry, *body])
        return found[0] + more[0], found[1] + more[1]
    if isinstance(setting, Choice):
        return max(of_program(program, setting.inputs(k, packed[1:])) for k, program in enumerate(setting.programs))
    return of_program(setting, list(packed))


def of_loop(loop: Repeat) -> tuple[int, int]:
    """Return the cost of all turns of a loop, of one where their number is not known."""
    found = [cost(loop.body.steps[index]) for index in alive(loop.body)]
    turns = 1 if loop.turns is None else loop.turns
    return sum(n for n, _ in found) * turns, sum(n for _, n in found) * turns


def of_program(program: Program, inputs: list[Any]) -> tuple[int, int]:
    """Return the cost of running a program on values like `inputs`."""
    trace, _ = record(program, inputs, lambda leaves: (tuple(leaves), {}), hopeful=True)
    found = [cost(trace.steps[index]) for index in alive(trace)]
    return sum(n for n, _ in found), sum(n for _, n in found)


def is_view(step: Step) -> bool:
    """Tell whether the output of a step is a part of its input, and not a copy."""
    primitive, _, args, settings, _ = step
    return bool(np.may_share_memory(primitive.fn(*args, **settings), args[0]))


def size_of(x: Any) -> int:
    """Return how many numbers there are in a value, or in all parts of one."""
    return sum(map(size_of, x)) if type(x) is tuple else int(np.size(x)) if x is not None else 0


def bytes_of(x: Any) -> int:
    """Return the bytes of an array, or of all arrays in a tuple; numbers count as none."""
    return sum(map(bytes_of, x)) if type(x) is tuple else x.nbytes if isinstance(x, np.ndarray) else 0
