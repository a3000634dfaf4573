"""Loops without what nobody needs: outputs, the carried values behind them, and inputs."""

from collections.abc import Iterable
from typing import Any

import attrs

from tapegrad.compiler.loops.convert import put_loop
from tapegrad.compiler.loops.node import Repeat, cut, loop_p, reached
from tapegrad.compiler.passes.rewriting import replayed
from tapegrad.compiler.trace import Trace
from tapegrad.core.primitive import Primitive
from tapegrad.core.structure import pick_p


def shrink(trace: Trace) -> Trace:
    """Drop the outputs of loops that nobody reads, and what is computed and carried only for them."""
    steps = trace.steps
    live = set(trace.wanted)
    wanted: dict[int, set[int]] = {}
    kept: dict[Repeat, tuple[list[int], list[int]]] = {}
    for index in range(len(steps) - 1, -1, -1):
        if index not in live:
            continue
        primitive, sources, _, settings, _ = steps[index]
        if primitive is pick_p and sources[0] is not None and steps[sources[0]][0] is loop_p:
            wanted.setdefault(sources[0], set()).add(settings["which"])
        if primitive is loop_p:
            kept[settings["loop"]] = part(settings["loop"], wanted.get(index, set()))
            live.update([s for k in kept[settings["loop"]][1] if (s := sources[k]) is not None])
        else:
            live.update([s for s in sources if s is not None])

    def rewrite(primitive: Primitive, args: Any, settings: dict[str, Any], value: Any) -> Any:
        if primitive is not loop_p or settings["loop"] not in kept:
            return None
        outputs, inputs = kept[settings["loop"]]
        return smaller(settings["loop"], args, value, outputs, inputs)

    return replayed(trace, rewrite) if kept else trace


def part(loop: Repeat, wanted: Iterable[int]) -> tuple[list[int], list[int]]:
    """Return the outputs that are needed for those that are wanted, and the inputs that are read for them."""
    body, first = loop.body, 0 if loop.turns is not None else 1
    outputs = set(wanted)
    while True:
        roots = [body.outputs[k + first] for k in outputs] + ([body.outputs[0]] if first else [])
        inputs = reached(body, [index for index in roots if index is not None])
        more = {k for k in inputs if k < loop.carried} - outputs
        if not more:
            break
        outputs |= more
    carried = {k for k in outputs if k < loop.carried}
    return sorted(outputs), sorted(inputs | carried)


def smaller(loop: Repeat, args: Any, value: tuple[Any, ...], outputs: list[int], inputs: list[int]) -> Any:
    """Append a loop with only some of the outputs and inputs of `loop`; return values in the places of all outputs."""
    first = 0 if loop.turns is not None else 1
    places = [k + first for k in outputs]
    if first:
        places.insert(0, 0)
    body = cut(loop.body, inputs, [loop.body.outputs[k] for k in places], [loop.body.constants[k] for k in places])
    carried = sum(k < loop.carried for k in inputs)
    rows = sum(loop.carried <= k < loop.same for k in inputs)
    made = put_loop(
        attrs.evolve(loop, body=body, carried=carried, rows=rows), [args[k] for k in inputs], tuple([value[k] for k in outputs])
    )
    found = dict(zip(outputs, made, strict=True))
    return tuple([found.get(k) for k in range(len(value))])
