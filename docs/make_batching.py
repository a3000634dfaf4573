"""Write ``batching.md``: which operations `vmap` computes for a whole batch at once, and which one example after the other.

Run ``PYTHONPATH=. python docs/make_batching.py``. It is found by counting: the rule of each operation is tried on the cases of
the contract tests with 3 and with 9 examples, and if the calls of functions grow with the examples, there is a loop in it.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.core.primitive import Primitive
from tests.contracts.trials import Trial, every_primitive, trials

PATH = Path(__file__).with_name("batching.md")
FEW, MANY = 3, 9

PROSE = """# What vmap computes at once

Made by `PYTHONPATH=. python docs/make_batching.py` from the library itself; do not edit.

Every operation can be batched. Most compute a whole batch with the same number of calls of NumPy as one example; it is found by
counting calls with {few} and {many} examples. The others loop over the examples inside one operation: correct, and as slow as
the loop. Transforms inside `vmap` (loops, branches, checkpoints, rules of your own) are as fast as what they consist of.

{fast} operations at once, {looped} in a loop.
"""


@frozen
class Row:
    """An operation, the room that defines it, and what its batching rule does: ``"at once"``, or when it loops."""

    name: str
    room: str
    how: str


def calls(f: Callable[[], Any]) -> int:
    """Return how many functions are called while `f` runs, Python's and C's; those of the garbage collector do not count."""
    count = 0

    def watch(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before, collecting = sys.getprofile(), gc.isenabled()
    gc.disable()  # libraries have it call functions of theirs
    sys.setprofile(watch)
    try:
        f()
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()
    return count


def subsets(trial: Trial) -> Iterator[list[bool]]:
    """Yield which arguments are batched: each by itself, and all that can be."""
    arrays = [isinstance(x, (np.ndarray, np.generic)) for x in trial.args]
    for k, is_array in enumerate(arrays):
        if is_array:
            yield [i == k for i in range(len(arrays))]
    if sum(arrays) > 1:
        yield arrays


def grows(primitive: Primitive, trial: Trial, batched: list[bool]) -> bool:
    """Tell whether the batching rule makes more calls for more examples."""
    rule = primitive.batch
    assert rule is not None

    def run(size: int) -> int:
        args = [np.stack([x] * size) if is_batched else x for x, is_batched in zip(trial.args, batched, strict=True)]
        rule(args, batched, **trial.settings)  # what is imported or remembered the first time, for this size too
        return calls(lambda: rule(args, batched, **trial.settings))

    with np.errstate(all="ignore"):
        return run(MANY) - run(FEW) >= MANY - FEW


def how(primitive: Primitive) -> str:
    """Return ``"at once"``, ``"loop"``, or the arguments that lead to a loop if they are batched."""
    if primitive.batch is None:
        return "loop"
    looped, tried = set(), set()
    for trial in trials(primitive):
        for batched in subsets(trial):
            tried.add(tuple(batched))
            if grows(primitive, trial, batched):
                looped.add(tuple(batched))
    if not looped:
        return "at once"
    if looped == tried:
        return "loop"
    single = sorted(k for which in looped if sum(which) == 1 for k in range(len(which)) if which[k])
    return "loop if " + (f"input {' or '.join(map(str, single))} is batched" if single else "several inputs are batched")


def room(primitive: Primitive) -> str:
    """Return the place of the rule among the rooms of the library, as ``numpy.fft`` or ``scipy.linalg``."""
    module = getattr(primitive.batch or primitive.fn, "__module__", "") or ""
    if "scipy_" in module:
        return "scipy." + module.split("scipy_")[1].split(".")[0].removesuffix("_filter")
    if ".scipy." in module:
        return ".".join(module.split(".")[1:3])
    return "numpy"


def rows() -> list[Row]:
    """Return a row for each operation, by name."""
    return [Row(primitive.name, room(primitive), how(primitive)) for primitive in every_primitive()]


def batching() -> str:
    """Return the text of ``batching.md``."""
    found = rows()
    fast = [row for row in found if row.how == "at once"]
    looped = [row for row in found if row.how != "at once"]
    text = [PROSE.format(few=FEW, many=MANY, fast=len(fast), looped=len(looped))]
    text += ["## In a loop", "", "| operation | room | when |", "|---|---|---|"]
    text += [f"| `{row.name}` | {row.room} | {'always' if row.how == 'loop' else row.how[5:]} |" for row in looped]
    text += ["", "## At once", "", ", ".join(f"`{row.name}`" for row in fast) + ".", ""]
    return "\n".join(text)


if __name__ == "__main__":
    PATH.write_text(batching())
    print(f"wrote {PATH}")
