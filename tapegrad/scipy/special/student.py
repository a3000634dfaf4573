"""Student's t distribution: its distribution function and the inverse of that. Both are differentiable in both arguments."""

from tapegrad.ops.scipy_special.student import stdtr_p, stdtrit_p
from tapegrad.scipy.special.door import call
from tapegrad.typing import Array, ArrayLike


def stdtr(df: ArrayLike, t: ArrayLike) -> Array:
    """Return the probability that a variable with `df` degrees of freedom is at most `t`.

    Example:
        >>> stdtr(3.0, np.array([-1.0, 0.0]))
        array([0.19550111, 0.5       ])
    """
    return call(stdtr_p, df, t)


def stdtrit(df: ArrayLike, p: ArrayLike) -> Array:
    """Return the `t` at which ``stdtr(df, t)`` is `p`.

    Example:
        >>> stdtrit(3.0, np.array([0.025, 0.5]))
        array([-3.18244631,  0.        ])
    """
    return call(stdtrit_p, df, p)
