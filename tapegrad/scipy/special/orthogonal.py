"""Orthogonal polynomials at their argument, element by element. They are differentiable by `x`."""

from tapegrad.ops.scipy_special.orthogonal import (
    chebyc_p,
    chebys_p,
    chebyt_p,
    chebyu_p,
    gegenbauer_p,
    genlaguerre_p,
    hermite_p,
    hermitenorm_p,
    jacobi_p,
    laguerre_p,
    legendre_p,
    sh_chebyt_p,
    sh_chebyu_p,
    sh_legendre_p,
)
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def eval_legendre(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Legendre's polynomial of degree `n`.

    Example:
        >>> eval_legendre(2, np.array([-0.5, 0.5]))
        array([-0.125, -0.125])
    """
    return call(legendre_p, n, x)


def eval_chebyt(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the first kind of degree `n`.

    Example:
        >>> eval_chebyt(2, np.array([-0.5, 0.5]))
        array([-0.5, -0.5])
    """
    return call(chebyt_p, n, x)


def eval_chebyu(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the second kind of degree `n`.

    Example:
        >>> eval_chebyu(2, np.array([-0.5, 0.5]))
        array([0., 0.])
    """
    return call(chebyu_p, n, x)


def eval_chebyc(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the first kind on [-2, 2] of degree `n`.

    Example:
        >>> eval_chebyc(2, np.array([-0.5, 0.5]))
        array([-1.75, -1.75])
    """
    return call(chebyc_p, n, x)


def eval_chebys(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the second kind on [-2, 2] of degree `n`.

    Example:
        >>> eval_chebys(2, np.array([-0.5, 0.5]))
        array([-0.75, -0.75])
    """
    return call(chebys_p, n, x)


def eval_gegenbauer(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> Array:
    """Return Gegenbauer's polynomial of degree `n`.

    Example:
        >>> eval_gegenbauer(2, 1.5, np.array([-0.5, 0.5]))
        array([0.375, 0.375])
    """
    return call(gegenbauer_p, n, alpha, x)


def eval_jacobi(n: ArrayLike, alpha: ArrayLike, beta: ArrayLike, x: ArrayLike) -> Array:
    """Return Jacobi's polynomial of degree `n`.

    Example:
        >>> eval_jacobi(2, 1.5, 1.5, np.array([-0.5, 0.5]))
        array([0.4375, 0.4375])
    """
    return call(jacobi_p, n, alpha, beta, x)


def eval_hermite(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the physicist's Hermite polynomial of degree `n`.

    Example:
        >>> eval_hermite(2, np.array([-0.5, 0.5]))
        array([-1., -1.])
    """
    return call(hermite_p, n, x)


def eval_hermitenorm(n: ArrayLike, x: ArrayLike) -> Array:
    """Return the probabilist's Hermite polynomial of degree `n`.

    Example:
        >>> eval_hermitenorm(2, np.array([-0.5, 0.5]))
        array([-0.75, -0.75])
    """
    return call(hermitenorm_p, n, x)


def eval_laguerre(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Laguerre's polynomial of degree `n`.

    Example:
        >>> eval_laguerre(2, np.array([-0.5, 0.5]))
        array([2.125, 0.125])
    """
    return call(laguerre_p, n, x)


def eval_genlaguerre(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> Array:
    """Return the generalised Laguerre polynomial of degree `n`.

    Example:
        >>> eval_genlaguerre(2, 1.5, np.array([-0.5, 0.5]))
        array([6.25, 2.75])
    """
    return call(genlaguerre_p, n, alpha, x)


def eval_sh_legendre(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Legendre's polynomial on [0, 1] of degree `n`.

    Example:
        >>> eval_sh_legendre(2, np.array([-0.5, 0.5]))
        array([ 5.5, -0.5])
    """
    return call(sh_legendre_p, n, x)


def eval_sh_chebyt(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the first kind on [0, 1] of degree `n`.

    Example:
        >>> eval_sh_chebyt(2, np.array([-0.5, 0.5]))
        array([ 7., -1.])
    """
    return call(sh_chebyt_p, n, x)


def eval_sh_chebyu(n: ArrayLike, x: ArrayLike) -> Array:
    """Return Chebyshev's polynomial of the second kind on [0, 1] of degree `n`.

    Example:
        >>> eval_sh_chebyu(2, np.array([-0.5, 0.5]))
        array([15., -1.])
    """
    return call(sh_chebyu_p, n, x)
