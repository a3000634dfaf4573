"""Special functions of integers: their derivatives by the other argument are those beside the same floating-point numbers."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.scipy import special

BESSEL = ("jv", "jn", "jve", "yv", "yn", "yve", "iv", "ive", "kv", "kn", "kve", "hankel1", "hankel2")
POLYNOMIALS = ("eval_hermite", "eval_hermitenorm", "eval_legendre", "eval_chebyt", "eval_chebyu", "eval_laguerre")
SPHERICAL = (*POLYNOMIALS, "spherical_jn", "spherical_yn", "spherical_in", "spherical_kn")
INTEGERS_FIRST = (*BESSEL, "boxcox", "boxcox1p", "huber", "stdtr", "powm1")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        (name, dtype)
        for name in (*INTEGERS_FIRST, *SPHERICAL, "xlogy", "xlog1py")
        for dtype in ("uint8", "int8", "uint16", "int64", "uint64")
        if (name[:12], dtype) != ("eval_hermite", "uint64")  # SciPy's own does not take that
    ],
)
def test_derivatives_beside_integers_are_those_beside_floating_point_numbers(name: str, dtype: str) -> None:
    x, n = np.array([0.3, 0.5, 2.0, 1.2]), np.arange(4) + (name in ("stdtr", "boxcox", "xlogy"))

    def value(x: Any, n: Any) -> Any:
        args = (x, n) if name.startswith("xlog") else (n, x)
        return tnp.sum(tnp.real(getattr(special, name)(*args)))

    def slope(x: Any, n: Any) -> Any:
        return tg.grad(value)(x, n)

    expected = slope(x, n.astype(np.int64 if name in SPHERICAL else np.float64))
    for found in (
        slope(x, n.astype(dtype)),
        tg.jit(slope)(x, n.astype(dtype)),
        tg.vmap(slope)(x[None], n.astype(dtype)[None])[0],
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_derivatives_beside_python_numbers_of_other_kinds() -> None:
    x = np.array([1 + 1j, 2.0])
    (by_x,) = tg.vjp(lambda x: special.xlogy(2j, x), x)[1](np.ones(2, complex))
    np.testing.assert_allclose(by_x, 2j / x)
    (by_z,) = tg.vjp(lambda z: special.jv(True, z), x)[1](np.ones(2, complex))
    (wanted,) = tg.vjp(lambda z: special.jv(1.0, z), x)[1](np.ones(2, complex))
    np.testing.assert_allclose(by_z, wanted)
