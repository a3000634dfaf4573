"""SciPy's functions, typed and differentiable, under SciPy's own names and signatures: the extra ``tapegrad[scipy]``.

SciPy's functions are plain Python functions that ask for plain arrays: ``scipy.linalg.expm(x)`` on a traced value raises, since
there is no protocol by which another function could stand in. Here is the one door: ``tapegrad.scipy.linalg.expm(x)``, which on
plain arrays is SciPy's own function. Only the special functions, which are ufuncs, have both doors.
"""

from tapegrad.scipy.extra import version as version
