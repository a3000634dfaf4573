"""Rounding: constants, and what is left over."""

import numpy as np

from tapegrad.core.families import constant

floor_p = constant("floor", np.floor)
ceil_p = constant("ceil", np.ceil)
trunc_p = constant("trunc", np.trunc)
rint_p = constant("rint", np.rint)
