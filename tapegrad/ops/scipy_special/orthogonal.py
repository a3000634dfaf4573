"""Orthogonal polynomials by their argument. Each slope is a polynomial of a degree less, of a family with higher parameters.

References:
    DLMF, https://dlmf.nist.gov/18.9.iii
"""

from typing import Any

import numpy as np
import scipy.special

from tapegrad.core.primitive import Fn, Primitive, case, missing
from tapegrad.core.var import apply
from tapegrad.ops.scipy_special.family import elementwise, in_integers
from tapegrad.ops.scipy_special.precision import weak

X = (-0.9, 0.9)
PARAMETER = (0.6, 1.4)
LARGEST = 2**31
"""The degree up to which numbers are taken for integers."""


def _polynomial(function: np.ufunc, parameters: int, slope: Fn, domain: tuple[float, float] = X) -> Primitive:
    """Define a polynomial ``function(n, ..., x)``; ``slope(n, ..., x)`` is its derivative, but for degree 0."""
    name = function.__name__

    def rule(g: Any, y: Any, n: Any, *args: Any) -> Any:
        return g * np.where(n == 0, 0.0, slope(n, *args))

    x = np.array([-0.4, 0.1, 0.7])
    return elementwise(
        name,
        weak(function) if any("l" not in types for types in function.types) else function,
        *[missing(name, k) for k in range(parameters + 1)],
        rule,
        domain=((3.0, 3.0), *[PARAMETER] * parameters, domain),
        stands_for=function,
        integers=in_integers,
        cases=(
            case(np.array([[0], [1], [4]]), *[0.7] * parameters, x),
            case(3, *[np.array([0.5, 1.0, 2.0])] * parameters, x),
        ),
    )


def whole(n: Any) -> Any:
    """Return a degree as an integer, if it is a number that is one: SciPy goes by recurrences then, and by gamma functions
    otherwise, which overflow from degree 170 on.
    """
    is_whole = isinstance(n, (float, np.floating)) and n == np.round(n) and np.abs(n) < LARGEST
    return int(n) if is_whole else n


gegenbauer_p: Primitive = _polynomial(
    scipy.special.eval_gegenbauer,
    1,
    lambda n, alpha, x: 2.0 * alpha * apply(gegenbauer_p, whole(n - 1), alpha + 1.0, x),
)
jacobi_p: Primitive = _polynomial(
    scipy.special.eval_jacobi,
    2,
    lambda n, a, b, x: 0.5 * (n + a + b + 1.0) * apply(jacobi_p, whole(n - 1), a + 1.0, b + 1.0, x),
)
genlaguerre_p: Primitive = _polynomial(
    scipy.special.eval_genlaguerre,
    1,
    lambda n, alpha, x: -apply(genlaguerre_p, n - 1, alpha + 1.0, x),
)
laguerre_p = _polynomial(scipy.special.eval_laguerre, 0, lambda n, x: -apply(genlaguerre_p, n - 1, 1.0, x))
hermite_p: Primitive = _polynomial(scipy.special.eval_hermite, 0, lambda n, x: 2.0 * n * apply(hermite_p, n - 1, x))
hermitenorm_p: Primitive = _polynomial(scipy.special.eval_hermitenorm, 0, lambda n, x: n * apply(hermitenorm_p, n - 1, x))
legendre_p = _polynomial(scipy.special.eval_legendre, 0, lambda n, x: apply(gegenbauer_p, whole(n - 1), 1.5, x))
chebyu_p = _polynomial(scipy.special.eval_chebyu, 0, lambda n, x: 2.0 * apply(gegenbauer_p, whole(n - 1), 2.0, x))
chebyt_p = _polynomial(scipy.special.eval_chebyt, 0, lambda n, x: n * apply(chebyu_p, n - 1, x))
chebys_p = _polynomial(scipy.special.eval_chebys, 0, lambda n, x: apply(gegenbauer_p, whole(n - 1), 2.0, 0.5 * x))
chebyc_p = _polynomial(scipy.special.eval_chebyc, 0, lambda n, x: n * apply(chebyu_p, n - 1, 0.5 * x))
sh_legendre_p = _polynomial(
    scipy.special.eval_sh_legendre, 0, lambda n, x: 2.0 * apply(gegenbauer_p, whole(n - 1), 1.5, 2.0 * x - 1.0), (0.1, 0.9)
)
sh_chebyu_p = _polynomial(
    scipy.special.eval_sh_chebyu, 0, lambda n, x: 4.0 * apply(gegenbauer_p, whole(n - 1), 2.0, 2.0 * x - 1.0), (0.1, 0.9)
)
sh_chebyt_p = _polynomial(
    scipy.special.eval_sh_chebyt, 0, lambda n, x: 2.0 * n * apply(chebyu_p, n - 1, 2.0 * x - 1.0), (0.1, 0.9)
)
