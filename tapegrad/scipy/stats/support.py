"""What the distributions share: their arguments, where their values lie, and which parameters are allowed.

A distribution writes its functions down in standardised form, for values inside of its support. The rest is done here: outside,
densities are 0 and probabilities 0 or 1, all without derivative; parameters that are not allowed give NaN, as in SciPy.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad.core.arrays import dtype_of
from tapegrad.core.primitive import Fn
from tapegrad.core.quiet import quietly
from tapegrad.core.structure import astype
from tapegrad.core.var import Var
from tapegrad.scipy import special
from tapegrad.scipy.special.door import as_array
from tapegrad.typing import Array, ArrayLike

PYTHON = (float, int, bool)


def given(*args: Any) -> list[Any]:
    """Return arguments as users give them as traced values or floating-point arrays.

    Python numbers stay weak beside arrays, and so do integers: counts do not widen parameters in single precision.

    Raises:
        TypeError: if one does not hold numbers.
    """
    arrays = [as_array(x) if isinstance(x, (list, tuple)) else x for x in args]
    if all(type(x) in PYTHON for x in arrays):
        return [np.float64(x) for x in arrays]
    kinds = [dtype_of(x) for x in arrays if type(x) not in PYTHON]
    for dtype in kinds:
        if dtype.kind not in "buifc":
            raise TypeError(
                f"values and parameters of a distribution must be numbers, got dtype {dtype}; convert them first, for "
                f"example with numpy.asarray(x, float)"
            )
    floats = [dtype for dtype in kinds if dtype.kind in "fc"]
    wide = np.result_type(*floats) if floats else np.dtype(float)
    return [x if type(x) in PYTHON or dtype_of(x).kind in "fc" else astype(x, wide)[()] for x in arrays]


def standardized(x: Any, loc: Any, scale: Any) -> Any:
    """Return ``(x - loc) / scale``, without what the default arguments would add to the tape."""
    if type(loc) is Var or np.ndim(loc) or loc != 0:
        x = x - loc
    return x if type(scale) is not Var and not np.ndim(scale) and scale == 1 else x / scale


def either(condition: Any, a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """Return ``where(condition, a(), b())``, computing only one of them where the condition is the same everywhere."""
    if type(condition) is not Var:
        if np.all(condition):
            return a()
        if not np.any(condition):
            return b()
    return np.where(condition, a(), b())


def instead(y: Any, condition: Any, value: float) -> Any:
    """Return `y`, but a constant where the condition holds."""
    if type(condition) is not Var and not np.any(condition):
        return y
    return np.where(condition, value, y)


def finished(y: Any, allowed: Any) -> Array:
    """Return `y`, but NaN where the parameters are not allowed."""
    if type(allowed) is Var or not np.all(allowed):
        y = np.where(allowed, y, np.nan)
    result: Any = y if type(y) is Var else np.asarray(y)[()]
    return result  # type: ignore[no-any-return]  # to a type checker, a traced value is an array


def power_products(x: Any, exponents: Any, constant: Any, axis: int) -> Any:
    """Return ``exp(constant)`` times the product of ``x**exponents`` over an axis, in logarithms but where `x` is 0."""
    at_zero = x == 0

    def all_logs() -> Any:
        return np.exp(special.xlogy(exponents, x).sum(axis=axis) + constant)

    def some_logs() -> Any:
        logs = special.xlogy(np.where(at_zero, 0.0, exponents), x).sum(axis=axis)
        return np.where(at_zero, x**exponents, 1.0).prod(axis=axis) * np.exp(logs + constant)

    return either(np.any(at_zero), some_logs, all_logs)


def log1mexp(x: Any) -> Any:
    """Return ``log(1 - exp(-x))`` for positive `x`."""
    return np.where(x < 0.7, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


@frozen
class Interval:
    """The support of a continuous distribution in standardised form, and the parameters that it allows besides the scale.

    Its methods take a function ``f(z, *parameters)`` of standardised values, and the arguments that the user gave.
    """

    low: float = -np.inf
    high: float = np.inf
    allowed: Fn = lambda *parameters: True
    closed: bool = True

    def log_density(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest) - np.log(s), -np.inf, -np.inf, True, x, loc, scale, parameters)

    def density(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest) / s, 0.0, 0.0, True, x, loc, scale, parameters)

    def log_below(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest), -np.inf, 0.0, False, x, loc, scale, parameters)

    def below(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest), 0.0, 1.0, False, x, loc, scale, parameters)

    def log_above(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest), 0.0, -np.inf, False, x, loc, scale, parameters)

    def above(self, f: Fn, x: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(lambda z, s, *rest: f(z, *rest), 1.0, 0.0, False, x, loc, scale, parameters)

    def quantile(self, f: Fn, q: ArrayLike, loc: ArrayLike, scale: ArrayLike, *parameters: ArrayLike) -> Array:
        with quietly():
            p, shift, size, *rest = given(q, loc, scale, *parameters)
            y = f(p, *rest) * size + shift
            allowed = (size > 0) & self.allowed(*rest) & (p >= 0) & (p <= 1)
        return finished(y, allowed)

    def _inside(
        self,
        f: Fn,
        left: float,
        right: float,
        density: bool,
        x: ArrayLike,
        loc: ArrayLike,
        scale: ArrayLike,
        parameters: tuple[ArrayLike, ...],
    ) -> Array:
        """Return ``f(z, scale, *parameters)`` inside of the support, and constants to its left and right."""
        with quietly():
            value, shift, size, *rest = given(x, loc, scale, *parameters)
            z = standardized(value, shift, size)
            y = f(z, size, *rest)
            if self.low > -np.inf:
                y = instead(y, z < self.low if self.closed or not density else z <= self.low, left)
            if self.high < np.inf:
                y = instead(y, z > self.high, right)
            allowed = (size > 0) & self.allowed(*rest)
        return finished(y, allowed)


@frozen
class Counts:
    """The support of a distribution of counts, from `low` to ``high(*parameters)``, and the parameters that it allows.

    Its methods take a function ``f(k, *parameters)`` of whole numbers, and the arguments that the user gave.
    """

    low: int = 0
    high: Fn = lambda *parameters: np.inf
    allowed: Fn = lambda *parameters: True

    def log_mass(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._mass(f, -np.inf, k, loc, parameters)

    def mass(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._mass(f, 0.0, k, loc, parameters)

    def log_below(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(f, -np.inf, 0.0, k, loc, parameters)

    def below(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(f, 0.0, 1.0, k, loc, parameters)

    def log_above(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(f, 0.0, -np.inf, k, loc, parameters)

    def above(self, f: Fn, k: ArrayLike, loc: ArrayLike, *parameters: ArrayLike) -> Array:
        return self._inside(f, 1.0, 0.0, k, loc, parameters)

    def _mass(self, f: Fn, elsewhere: float, k: ArrayLike, loc: ArrayLike, parameters: tuple[ArrayLike, ...]) -> Array:
        with quietly():
            value, shift, *rest = given(k, loc, *parameters)
            z = standardized(value, shift, 1.0)
            whole = np.floor(z)
            missed = (whole < z) | (whole < self.low) | (whole > self.high(*rest)) | (whole == np.inf)
            y, allowed = instead(f(whole, *rest), missed, elsewhere), self.allowed(*rest)
        return finished(y, allowed)

    def _inside(
        self, f: Fn, left: float, right: float, k: ArrayLike, loc: ArrayLike, parameters: tuple[ArrayLike, ...]
    ) -> Array:
        with quietly():
            value, shift, *rest = given(k, loc, *parameters)
            whole = np.floor(standardized(value, shift, 1.0))
            y = instead(f(whole, *rest), whole < self.low, left)
            y, allowed = instead(y, whole >= self.high(*rest), right), self.allowed(*rest)
        return finished(y, allowed)
