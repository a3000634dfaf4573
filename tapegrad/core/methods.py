"""Methods that a traced value shares with an array: each calls the function of `tapegrad.numpy` that stands in for NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.core.complaints import no_stand_in
from tapegrad.core.primitive import FUNCTIONS


def function(numpy_function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """Call the function of `tapegrad.numpy` that stands in for a NumPy function."""
    try:
        stand_in = FUNCTIONS[numpy_function]
    except KeyError:
        raise no_stand_in(f"numpy.{numpy_function.__name__}") from None
    return stand_in(*args, **settings)


class Methods:
    """NumPy's methods, for `Var`."""

    __slots__ = ()
    link: Any

    # Writing in place: an array that can be written is replaced by what was computed, see `tapegrad.core.writing`

    def __iadd__(self, other: Any) -> Any:
        return self._replaced(self + other)

    def __isub__(self, other: Any) -> Any:
        return self._replaced(self - other)

    def __imul__(self, other: Any) -> Any:
        return self._replaced(self * other)

    def __itruediv__(self, other: Any) -> Any:
        return self._replaced(self / other)

    def __ipow__(self, other: Any) -> Any:
        return self._replaced(self**other)

    def __imatmul__(self, other: Any) -> Any:
        return self._replaced(self @ other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._replaced(self // other)

    def __imod__(self, other: Any) -> Any:
        return self._replaced(self % other)

    def _replaced(self, y: Any) -> Any:
        return y if self.link is None else self.link.replace(self, y)

    @property
    def device(self) -> str:
        return "cpu"

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return FUNCTIONS["array namespace"]()

    @property
    def T(self) -> Any:
        return function(np.transpose, self)

    @property
    def mT(self) -> Any:
        return function(np.matrix_transpose, self)

    @property
    def real(self) -> Any:
        return function(np.real, self)

    @property
    def imag(self) -> Any:
        return function(np.imag, self)

    @property
    def flat(self: Any) -> Any:
        return function(np.ravel, self) if self.link is None else FUNCTIONS["x.flat"](self)

    @flat.setter
    def flat(self, values: Any) -> None:
        self.flat[...] = values

    def sum(self, *args: Any, **settings: Any) -> Any:
        return function(np.sum, self, *args, **settings)

    def mean(self, *args: Any, **settings: Any) -> Any:
        return function(np.mean, self, *args, **settings)

    def prod(self, *args: Any, **settings: Any) -> Any:
        return function(np.prod, self, *args, **settings)

    def max(self, *args: Any, **settings: Any) -> Any:
        return function(np.max, self, *args, **settings)

    def min(self, *args: Any, **settings: Any) -> Any:
        return function(np.min, self, *args, **settings)

    def var(self, *args: Any, **settings: Any) -> Any:
        return function(np.var, self, *args, **settings)

    def std(self, *args: Any, **settings: Any) -> Any:
        return function(np.std, self, *args, **settings)

    def ptp(self, *args: Any, **settings: Any) -> Any:
        return function(np.ptp, self, *args, **settings)

    def cumsum(self, *args: Any, **settings: Any) -> Any:
        return function(np.cumsum, self, *args, **settings)

    def cumprod(self, *args: Any, **settings: Any) -> Any:
        return function(np.cumprod, self, *args, **settings)

    def all(self, *args: Any, **settings: Any) -> Any:
        return function(np.all, self, *args, **settings)

    def any(self, *args: Any, **settings: Any) -> Any:
        return function(np.any, self, *args, **settings)

    def argmax(self, *args: Any, **settings: Any) -> Any:
        return function(np.argmax, self, *args, **settings)

    def argmin(self, *args: Any, **settings: Any) -> Any:
        return function(np.argmin, self, *args, **settings)

    def argsort(self, *args: Any, **settings: Any) -> Any:
        return function(np.argsort, self, *args, **settings)

    def argpartition(self, *args: Any, **settings: Any) -> Any:
        return function(np.argpartition, self, *args, **settings)

    def searchsorted(self, *args: Any, **settings: Any) -> Any:
        return function(np.searchsorted, self, *args, **settings)

    def nonzero(self) -> Any:
        return function(np.nonzero, self)

    def dot(self, other: Any) -> Any:
        return function(np.dot, self, other)

    def clip(self, min: Any = None, max: Any = None, **settings: Any) -> Any:
        return function(np.clip, self, min, max, **settings)

    def round(self, *args: Any, **settings: Any) -> Any:
        return function(np.round, self, *args, **settings)

    def conj(self: Any) -> Any:
        if self.link is not None and self.dtype.kind != "c":  # which is the array itself in NumPy, to writes too
            return self
        return np.conjugate(self)

    conjugate = conj

    def reshape(self, *shape: Any, **settings: Any) -> Any:
        return function(np.reshape, self, shape[0] if len(shape) == 1 else shape, **settings)

    def ravel(self, *args: Any, **settings: Any) -> Any:
        return function(np.ravel, self, *args, **settings)

    def flatten(self: Any, *args: Any, **settings: Any) -> Any:
        y = function(np.ravel, self, *args, **settings)
        return y if self.link is None else function(np.copy, y)

    def squeeze(self, *args: Any, **settings: Any) -> Any:
        return function(np.squeeze, self, *args, **settings)

    def transpose(self, *axes: Any) -> Any:
        return function(np.transpose, self, (axes[0] if len(axes) == 1 else axes) if axes else None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return function(np.swapaxes, self, axis1, axis2)

    def diagonal(self, *args: Any, **settings: Any) -> Any:
        return function(np.diagonal, self, *args, **settings)

    def trace(self, *args: Any, **settings: Any) -> Any:
        return function(np.trace, self, *args, **settings)

    def repeat(self, *args: Any, **settings: Any) -> Any:
        return function(np.repeat, self, *args, **settings)

    def take(self, *args: Any, **settings: Any) -> Any:
        return function(np.take, self, *args, **settings)

    def compress(self, condition: Any, *args: Any, **settings: Any) -> Any:
        return function(np.compress, condition, self, *args, **settings)

    def choose(self, *args: Any, **settings: Any) -> Any:
        return function(np.choose, self, *args, **settings)

    def copy(self, order: Any = "C") -> Any:
        return function(np.copy, self, "C" if order is None else order)

    def __copy__(self) -> Any:
        return function(np.copy, self)

    def __deepcopy__(self, memo: Any) -> Any:
        return function(np.copy, self)

    def fill(self: Any, value: Any) -> None:
        self[...] = value

    def put(self, *args: Any, **settings: Any) -> None:
        function(np.put, self, *args, **settings)

    def sort(self: Any, axis: int = -1, **settings: Any) -> None:
        self[...] = function(np.sort, self, axis, **settings)

    def astype(self: Any, dtype: Any, order: str = "K", casting: Any = "unsafe", *args: Any, **settings: Any) -> Any:
        if casting != "unsafe":
            np.empty(0, self.dtype).astype(dtype, casting=casting)  # raises NumPy's error
        y = function(np.astype, self, dtype, copy=settings.get("copy", args[1] if len(args) > 1 else True))
        return y if order == "K" else FUNCTIONS["in order"](y, self, order)
