"""The names of the array API standard that are no functions, and the answer to who offers its functions for a traced value.

Libraries that are written for the standard ask an array for its namespace, and then call the functions of this room: with
``SCIPY_ARRAY_API=1`` in the environment, much of SciPy takes traced values that way.

References:
    Consortium for Python Data API Standards, "Python array API standard", https://data-apis.org/array-api/latest/
"""

import sys
from types import ModuleType

from numpy import __array_namespace_info__ as __array_namespace_info__
from numpy import bool as bool
from numpy import complex64 as complex64
from numpy import complex128 as complex128
from numpy import dtype as dtype
from numpy import e as e
from numpy import finfo as finfo
from numpy import float32 as float32
from numpy import float64 as float64
from numpy import iinfo as iinfo
from numpy import inf as inf
from numpy import int8 as int8
from numpy import int16 as int16
from numpy import int32 as int32
from numpy import int64 as int64
from numpy import nan as nan
from numpy import newaxis as newaxis
from numpy import pi as pi
from numpy import uint8 as uint8
from numpy import uint16 as uint16
from numpy import uint32 as uint32
from numpy import uint64 as uint64

from tapegrad.core.primitive import FUNCTIONS


def namespace() -> ModuleType:
    """Return the module whose functions a traced value is to be given to."""
    return sys.modules["tapegrad.numpy"]


FUNCTIONS["array namespace"] = namespace
