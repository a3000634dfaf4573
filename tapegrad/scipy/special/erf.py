"""The error function, its relatives and inverses, element by element."""

from tapegrad.ops.scipy_special.erf import dawsn_p, erf_p, erfc_p, erfcinv_p, erfcx_p, erfi_p, erfinv_p, wofz_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def erf(x: ArrayLike) -> Array:
    """Return the error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to `x`.

    Example:
        >>> erf(np.array([0.0, 1.0]))
        array([0.        , 0.84270079])
    """
    return call(erf_p, x)


def erfc(x: ArrayLike) -> Array:
    """Return ``1 - erf(x)``, accurate for large `x` too.

    Example:
        >>> erfc(np.array([0.0, 5.0]))
        array([1.00000000e+00, 1.53745979e-12])
    """
    return call(erfc_p, x)


def erfcx(x: ArrayLike) -> Array:
    """Return ``exp(x**2) * erfc(x)``. Its derivatives are accurate for large `x` too.

    Example:
        >>> erfcx(np.array([0.0, 50.0]))
        array([1.        , 0.01128154])
    """
    return call(erfcx_p, x)


def erfi(x: ArrayLike) -> Array:
    """Return the imaginary error function, ``2 / sqrt(pi)`` times the integral of ``exp(t**2)`` from 0 to `x`.

    Example:
        >>> erfi(np.array([0.0, 1.0]))
        array([0.        , 1.65042576])
    """
    return call(erfi_p, x)


def erfinv(y: ArrayLike) -> Array:
    """Return the inverse of `erf`, for `y` between -1 and 1.

    Example:
        >>> erfinv(np.array([0.0, 0.5]))
        array([0.        , 0.47693628])
    """
    return call(erfinv_p, y)


def erfcinv(y: ArrayLike) -> Array:
    """Return the inverse of `erfc`, for `y` between 0 and 2.

    Example:
        >>> erfcinv(np.array([1e-10, 0.5]))
        array([4.57282497, 0.47693628])
    """
    return call(erfcinv_p, y)


def dawsn(x: ArrayLike) -> Array:
    """Return Dawson's function, ``exp(-x**2)`` times the integral of ``exp(t**2)`` from 0 to `x`.

    Example:
        >>> dawsn(np.array([0.0, 1.0]))
        array([0.        , 0.53807951])
    """
    return call(dawsn_p, x)


def wofz(z: ArrayLike) -> Array:
    """Return Faddeeva's function, ``exp(-z**2) * erfc(-1j * z)``, a complex number.

    Example:
        >>> wofz(np.array([0.0, 1.0]))
        array([1.        +0.j        , 0.36787944+0.60715771j])
    """
    return call(wofz_p, z)
