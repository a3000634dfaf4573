"""Much of SciPy is written for the array API standard: traced values take part where it is switched on.

The switch is read when SciPy is imported, so each program runs in an interpreter of its own.
"""

import os
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp

PROGRAMS = {
    "the function of Rosenbrock": """
        from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod
        np.testing.assert_allclose(tg.grad(rosen)(x), rosen_der(x), rtol=1e-12)
        np.testing.assert_allclose(tg.hessian(rosen)(x), rosen_hess(x), rtol=1e-12)
        np.testing.assert_allclose(tg.jacrev(rosen_der)(x), rosen_hess(x), rtol=1e-12)
        np.testing.assert_allclose(tg.jvp(tg.grad(rosen), (x,), (p,))[1], rosen_hess_prod(x, p), rtol=1e-12)
        check_grads(rosen_hess, (x,), order=1)
    """,
    "statistics": """
        from scipy import stats
        for f in (stats.gmean, stats.hmean, stats.skew, stats.kurtosis, stats.sem, stats.tvar, stats.circmean, stats.circvar):
            check_grads(lambda x: f(x), (p,), order=1)
    """,
    "sampled integrals": """
        from scipy import integrate
        check_grads(integrate.trapezoid, (x,), order=1)
        check_grads(integrate.cumulative_trapezoid, (x,), order=1)
        check_grads(integrate.cumulative_simpson, (x,), order=1)
    """,
}

START = """
import numpy as np, tapegrad as tg
from tapegrad.testing import check_grads
x = np.array([0.5, -1.2, 1.1, 0.8, 1.9])
p = np.array([0.3, 1.4, 0.9, 2.2, 0.7])
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_scipys_functions_are_differentiated_as_they_are(name: str) -> None:
    pytest.importorskip("scipy", minversion="1.15")
    program = START + textwrap.dedent(PROGRAMS[name])
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]


def test_a_traced_value_names_its_namespace() -> None:
    seen = []

    def look(x: Any) -> Any:
        seen.append((x.__array_namespace__(), x.device))
        return x

    tg.vjp(look, np.ones(2))
    assert seen == [(tnp, "cpu")]
    assert (tnp.pi, tnp.float32, tnp.newaxis, tnp.bool) == (np.pi, np.float32, None, np.bool)
