"""What a traced value does with a ufunc that nothing stands in for: perhaps its room has only not been entered yet.

``scipy.special.erf(x)`` records where `tapegrad.scipy.special` has been imported. A user who never named that room shall not
have to: it is imported when the first of those ufuncs comes by. (``import tapegrad`` by itself imports nothing of SciPy.)
"""

import importlib
import sys
from typing import Any

import numpy as np

from tapegrad.core.complaints import no_stand_in
from tapegrad.core.primitive import FUNCTIONS, UFUNCS
from tapegrad.core.var import ufunc

ROOMS = {"scipy.special": "tapegrad.scipy.special"}
"""For a module that has ufuncs, the room in which their rules are."""


def unknown_ufunc(function: np.ufunc, *args: Any) -> Any:
    """Apply a ufunc whose rules may be in a room that is not imported yet.

    Raises:
        MissingRuleError: if they are nowhere.
    """
    for module, room in ROOMS.items():
        if module in sys.modules and room not in sys.modules:
            importlib.import_module(room)
            if function in UFUNCS or function in FUNCTIONS:
                return ufunc(function, *args)
    raise no_stand_in(f"the ufunc {function.__name__}")


FUNCTIONS["unknown ufunc"] = unknown_ufunc
