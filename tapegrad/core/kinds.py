"""What plain values can be: the types that an operation takes as they are, and the dtype that squares treat by itself."""

import numpy as np

PLAIN = frozenset({np.ndarray, float, int, bool, complex, *np.sctypeDict.values()} - {np.object_, np.str_, np.bytes_})
"""Types of constants that an operation takes as they are; others are looked at by `tapegrad.core.beside.constant`."""

BOOLEAN = np.dtype(bool)
"""The squares of truth values are numbers, their products truth values."""
