"""SciPy's functions, typed and differentiable, under SciPy's own names and signatures: the extra ``tapegrad[scipy]``.

SciPy's functions are plain Python functions that ask for plain arrays: ``scipy.linalg.expm(x)`` on a traced value raises, since
there is no protocol by which another function could stand in. Here is the one door: ``tapegrad.scipy.linalg.expm(x)``, which on
plain arrays is SciPy's own function. Only the special functions, which are ufuncs, have both doors.
"""

from typing import TYPE_CHECKING

from tapegrad.scipy.extra import version as version

if TYPE_CHECKING:
    from tapegrad.scipy import integrate as integrate
    from tapegrad.scipy import linalg as linalg
    from tapegrad.scipy import signal as signal
    from tapegrad.scipy import special as special
    from tapegrad.scipy import stats as stats
else:  # the same names, imported when they are used for the first time
    from tapegrad.rooms import named as named

    __getattr__, __dir__ = named(__name__, ("integrate", "linalg", "signal", "special", "stats"))
