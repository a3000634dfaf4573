"""How each step is computed: as a call that writes into an array, as a call that makes one, or not at all."""

from typing import Any

import numpy as np

from tapegrad.core.node import Step
from tapegrad.core.primitive import OUT, UFUNCS, Into, Primitive, Slot
from tapegrad.ops.signs import sign_p, signum_p

SLOTS = tuple([Slot(k) for k in range(32)])


class _Ufuncs(dict[Primitive, np.ufunc | None]):
    """The elementwise ufunc that computes a primitive, found when it is first asked for; None where there is none."""

    def __missing__(self, primitive: Primitive) -> np.ufunc | None:
        stand = (u for u, p in UFUNCS.items() if p is primitive and u.signature is None and u.nout == 1)
        found = (u for u in stand if u is primitive.fn or getattr(np, u.__name__, None) is u)
        self[primitive] = next(found, None)
        return self[primitive]


UFUNC_OF = _Ufuncs()
UFUNC_OF[sign_p] = UFUNC_OF[signum_p] = np.sign  # no primitive stands for it: of complex numbers it is another one


def is_array(value: Any) -> bool:
    """Tell whether a value lives in memory that can be written to, as numbers do not."""
    return type(value) is np.ndarray and value.ndim > 0


def call_of(step: Step) -> Into | None:
    """Return the call that computes a step, if there is a quicker one than that of the primitive's own function."""
    primitive, inputs, args, settings, _ = step
    if primitive.into is not None:
        if not isinstance(args[0], (np.ndarray, np.generic)):
            return None
        return primitive.into(args, settings)
    ufunc = UFUNC_OF[primitive]
    return Into(ufunc, (*SLOTS[: len(inputs)], OUT)) if ufunc is not None and is_elementwise(step) else None


def into(step: Step) -> Into | None:
    """Return the call that writes the output of a step into an array, if there is one."""
    if not is_array(step[4]):
        return None
    call = call_of(step)
    return call if call is not None and any(x is OUT for x in call.arguments) else None


def is_elementwise(step: Step) -> bool:
    """Tell whether a step is one ufunc on arrays, so that its output may take the place of an input that is used up."""
    primitive, inputs, _, settings, value = step
    if not is_array(value) or settings or primitive.into is not None or value.dtype.kind not in "biufc":
        return False
    ufunc = UFUNC_OF[primitive]
    return ufunc is not None and len(inputs) == ufunc.nin
