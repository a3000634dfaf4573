"""Modified Bessel functions, element by element, differentiable by their argument; by the order, they raise."""

from tapegrad.ops.scipy_special.bessel import i0_p, i1_p, iv_p, k0_p, k1_p, kn_p, kv_p
from tapegrad.ops.scipy_special.bessel_scaled import i0e_p, i1e_p, ive_p, k0e_p, k1e_p, kve_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def i0(x: ArrayLike) -> Array:
    """Return the modified Bessel function of the first kind of order 0.

    Example:
        >>> i0(np.array([0.0, 1.0]))
        array([1.        , 1.26606588])
    """
    return call(i0_p, x)


def i0e(x: ArrayLike) -> Array:
    """Return ``i0(x) * exp(-abs(x))``, which does not overflow. At 0 its derivative is 0, the mean of both sides.

    Example:
        >>> i0e(np.array([0.0, 1000.0]))
        array([1.        , 0.01261724])
    """
    return call(i0e_p, x)


def i1(x: ArrayLike) -> Array:
    """Return the modified Bessel function of the first kind of order 1.

    Example:
        >>> i1(np.array([0.0, 1.0]))
        array([0.       , 0.5651591])
    """
    return call(i1_p, x)


def i1e(x: ArrayLike) -> Array:
    """Return ``i1(x) * exp(-abs(x))``, which does not overflow.

    Example:
        >>> i1e(np.array([0.0, 1000.0]))
        array([0.        , 0.01261093])
    """
    return call(i1e_p, x)


def iv(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the modified Bessel function of the first kind of real order `v`.

    Example:
        >>> iv(np.array([0.5, 2.0]), 1.0)
        array([0.93767489, 0.13574767])
    """
    return call(iv_p, v, z)


def ive(v: ArrayLike, z: ArrayLike) -> Array:
    """Return ``iv(v, z) * exp(-abs(z.real))``. It is differentiable for real `z`.

    Example:
        >>> ive(np.array([0.5, 2.0]), 1000.0)
        array([0.01261566, 0.01259202])
    """
    return call(ive_p, v, z)


def k0(x: ArrayLike) -> Array:
    """Return the modified Bessel function of the second kind of order 0.

    Example:
        >>> k0(np.array([0.5, 1.0]))
        array([0.92441907, 0.42102444])
    """
    return call(k0_p, x)


def k0e(x: ArrayLike) -> Array:
    """Return ``k0(x) * exp(x)``, which does not underflow.

    Example:
        >>> k0e(np.array([0.5, 1000.0]))
        array([1.52410939, 0.03962832])
    """
    return call(k0e_p, x)


def k1(x: ArrayLike) -> Array:
    """Return the modified Bessel function of the second kind of order 1.

    Example:
        >>> k1(np.array([0.5, 1.0]))
        array([1.65644112, 0.60190723])
    """
    return call(k1_p, x)


def k1e(x: ArrayLike) -> Array:
    """Return ``k1(x) * exp(x)``, which does not underflow.

    Example:
        >>> k1e(np.array([0.5, 1000.0]))
        array([2.73100971, 0.03964813])
    """
    return call(k1e_p, x)


def kn(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the modified Bessel function of the second kind of whole order `n`.

    Example:
        >>> kn(np.array([0, 2]), 1.0)
        array([0.42102444, 1.6248389 ])
    """
    return call(kn_p, n, x)


def kv(v: ArrayLike, z: ArrayLike) -> Array:
    """Return the modified Bessel function of the second kind of real order `v`.

    Example:
        >>> kv(np.array([0.5, 2.0]), 1.0)
        array([0.4610685, 1.6248389])
    """
    return call(kv_p, v, z)


def kve(v: ArrayLike, z: ArrayLike) -> Array:
    """Return ``kv(v, z) * exp(z)``, which does not underflow.

    Example:
        >>> kve(np.array([0.5, 2.0]), 1000.0)
        array([0.03963327, 0.03970762])
    """
    return call(kve_p, v, z)
