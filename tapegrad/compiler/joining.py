"""Arrays that are put one after the other, each of which is computed in its place from the start."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.compiler.calls import into, is_array
from tapegrad.compiler.groups.units import Group, Unit
from tapegrad.compiler.trace import Trace
from tapegrad.ops.join import concatenate_p


@frozen
class Place:
    """Where a value lies that is put into a joined array.

    Attributes:
        join: the step that joins it.
        root: the outermost array, into which that one is joined in turn.
        offset: how many bytes after the beginning of the outermost array.
    """

    join: int
    root: int
    offset: int


def find_places(trace: Trace, order: Sequence[Unit], taken: frozenset[int]) -> dict[int, Place]:
    """Return the values that can be computed where the concatenation that they are put into has them.

    Args:
        trace: the steps.
        order: the units.
        taken: values whose memory is decided elsewhere.
    """
    steps = trace.steps
    written = {index for unit in order for index in (unit.outputs if isinstance(unit, Group) else (unit,))}
    single = {unit for unit in order if not isinstance(unit, Group)}
    places: dict[int, Place] = {}
    for index in reversed([unit for unit in order if not isinstance(unit, Group)]):  # the outermost first
        if not is_join(steps[index]) or index in taken:
            continue
        root, offset = (places[index].root, places[index].offset) if index in places else (index, 0)
        found: dict[int, Place] = {}
        for source, x in zip(steps[index][1], steps[index][2], strict=True):
            usable = source is not None and source in written and source not in taken and source not in places
            if usable and source not in found and is_array(x) and (source not in single or into(steps[source]) is not None):
                assert source is not None
                found[source] = Place(index, root, offset)
            offset += np.asarray(x, np.result_type(steps[index][4])).nbytes
        if 2 * len(found) >= len(steps[index][1]):
            places.update(found)
    return places


def is_join(step: Any) -> bool:
    """Tell whether a step puts arrays of one dtype one after the other, as they lie in memory."""
    primitive, _, args, settings, value = step
    if primitive is not concatenate_p or settings["axis"] != 0 or not value.size:
        return False
    return all(np.result_type(x) == value.dtype for x in args)
