"""Traced values, and how an operation on them is recorded.

`apply` is the one door: it computes with NumPy, and where an argument is a `Var` it appends a node. `Var` answers Python's
operators, NumPy's methods and NumPy's two protocols with `apply`, looking up in the registries what to record: this file
knows no operation by name.
"""

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from tapegrad.core.beside import constant, gathered
from tapegrad.core.complaints import ARRAYS, INDEX, INTEGER, MASK, ROUNDED, TRUTH, check_numbers, leaked, no_stand_in
from tapegrad.core.elsewhere import no_attribute
from tapegrad.core.kinds import BOOLEAN, PLAIN
from tapegrad.core.methods import Methods, function
from tapegrad.core.node import CURRENT, NO_SETTINGS, Recording
from tapegrad.core.origins import known, look_at
from tapegrad.core.primitive import FUNCTIONS, UFUNCS, Primitive
from tapegrad.errors import users_line
from tapegrad.rooms import entered_for

current = CURRENT.get


class Var(Methods):
    """A traced value: where it stands on which tape, and what it is.

    To a type checker it does not exist: functions under a transform are written for arrays. It behaves as the array `value`
    does, except that what would silently lose its derivative (``float(x)``, ``np.asarray(x)``) raises.

    An array that can be written has a ``link``: what its views and its writes go by (see `tapegrad.core.writing`).
    """

    __slots__ = ("__weakref__", "index", "link", "primitive", "tape", "value")
    __hash__ = None  # type: ignore[assignment]  # as an array: == is elementwise

    tape: Recording
    index: int
    value: Any
    primitive: Primitive
    link: Any

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.value
        return value.shape if type(value) is np.ndarray else np.shape(value)

    @property
    def dtype(self) -> np.dtype[Any]:
        value = self.value
        return value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return np.size(self.value)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    def __len__(self) -> int:
        try:
            return len(self.value)
        except TypeError:
            raise TypeError("len() of unsized object") from None

    def __repr__(self) -> str:
        shape = ", ".join(str(n) for n in self.shape)
        return f"Var(%{self.index}, {self.dtype}[{shape}])" if self.tape.abstract else f"Var(%{self.index}, {self.value!r})"

    def __format__(self, specification: str) -> str:
        return repr(self) if self.tape.abstract else format(self.value, specification)

    # Operators

    def __add__(self, other: Any) -> Any:
        return binary(UFUNCS[np.add], self, other)

    def __radd__(self, other: Any) -> Any:
        return binary(UFUNCS[np.add], other, self)

    def __sub__(self, other: Any) -> Any:
        return binary(UFUNCS[np.subtract], self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary(UFUNCS[np.subtract], other, self)

    def __mul__(self, other: Any) -> Any:
        if other is self and getattr(self.value, "dtype", None) is not BOOLEAN:  # one cotangent instead of two and their sum
            return unary(UFUNCS[np.square], self)
        return binary(UFUNCS[np.multiply], self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary(UFUNCS[np.multiply], other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary(UFUNCS[np.divide], self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary(UFUNCS[np.divide], other, self)

    def __pow__(self, other: Any) -> Any:
        return binary(UFUNCS[np.power], self, other)

    def __rpow__(self, other: Any) -> Any:
        return binary(UFUNCS[np.power], other, self)

    def __matmul__(self, other: Any) -> Any:
        return binary(UFUNCS[np.matmul], self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return binary(UFUNCS[np.matmul], other, self)

    def __neg__(self) -> Any:
        return unary(UFUNCS[np.negative], self)

    def __pos__(self) -> Any:
        return unary(UFUNCS[np.positive], self)

    def __abs__(self) -> Any:
        return unary(UFUNCS[np.absolute], self)

    def __floordiv__(self, other: Any) -> Any:
        return ufunc(np.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return ufunc(np.floor_divide, other, self)

    def __mod__(self, other: Any) -> Any:
        return ufunc(np.remainder, self, other)

    def __rmod__(self, other: Any) -> Any:
        return ufunc(np.remainder, other, self)

    def __divmod__(self, other: Any) -> Any:
        return ufunc(np.floor_divide, self, other), ufunc(np.remainder, self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return ufunc(np.floor_divide, other, self), ufunc(np.remainder, other, self)

    def __lt__(self, other: Any) -> Any:
        return compare(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        return compare(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return compare(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return compare(np.greater_equal, self, other)

    def __eq__(self, other: Any) -> Any:
        return compare(np.equal, self, other)

    def __ne__(self, other: Any) -> Any:
        return compare(np.not_equal, self, other)

    def __and__(self, other: Any) -> Any:
        return compare(np.bitwise_and, self, other)

    def __rand__(self, other: Any) -> Any:
        return compare(np.bitwise_and, other, self)

    def __or__(self, other: Any) -> Any:
        return compare(np.bitwise_or, self, other)

    def __ror__(self, other: Any) -> Any:
        return compare(np.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Any:
        return compare(np.bitwise_xor, self, other)

    def __rxor__(self, other: Any) -> Any:
        return compare(np.bitwise_xor, other, self)

    def __lshift__(self, other: Any) -> Any:
        return compare(np.left_shift, self, other)

    def __rlshift__(self, other: Any) -> Any:
        return compare(np.left_shift, other, self)

    def __rshift__(self, other: Any) -> Any:
        return compare(np.right_shift, self, other)

    def __rrshift__(self, other: Any) -> Any:
        return compare(np.right_shift, other, self)

    def __invert__(self) -> Any:
        return ufunc(np.invert, self)

    def __round__(self, digits: int | None = None) -> Any:
        return self._rounded(round) if digits is None else function(np.round, self, digits)

    def __floor__(self) -> Any:
        return self._rounded(math.floor)

    def __ceil__(self) -> Any:
        return self._rounded(math.ceil)

    def __trunc__(self) -> Any:
        return self._rounded(math.trunc)

    def _rounded(self, rounding: Callable[..., int]) -> int:
        """Return a Python integer, which is a constant, where Python asks for one."""
        look_at(self, "an integer", ROUNDED)
        return rounding(self.value)

    def __getitem__(self, index: Any) -> Any:
        return FUNCTIONS[operator.getitem](self, index)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    @property
    def at(self) -> Any:
        """What makes changed copies: ``x.at[index].set(v)``."""
        return FUNCTIONS["x.at"](self)

    # What would lose the derivative, or cannot be done

    def __bool__(self) -> bool:
        look_at(self, "its truth", TRUTH)
        return bool(self.value)

    def __int__(self) -> int:
        look_at(self, "int(x)", INTEGER)
        return int(self.value)

    def __index__(self) -> int:
        look_at(self, "an index or a count", INTEGER)
        return operator.index(self.value)

    def __float__(self) -> float:
        return float(known(self, "float(x)", ARRAYS))

    def __complex__(self) -> complex:
        return complex(known(self, "complex(x)", ARRAYS))

    def __array__(self, *args: Any, **settings: Any) -> Any:
        what, way = "a plain array (np.asarray(x), or a library that makes one)", ARRAYS
        if self.dtype.kind in "iu":
            what, way = "a plain array, or an index of one", INDEX
        elif self.dtype.kind == "b":
            what, way = "a plain array, or a mask of one", MASK
        return np.asarray(known(self, what, way)).__array__(*args, **settings)

    def item(self, *args: Any) -> Any:
        return np.asarray(known(self, "x.item()", ARRAYS)).item(*args)

    def tolist(self) -> Any:
        return np.asarray(known(self, "x.tolist()", ARRAYS)).tolist()

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.link is None:
            raise TypeError(
                f"x[...] = v was written to a traced value of shape {self.shape} at {users_line()}. It was computed, or is an "
                f"argument of the transform, and values on the tape do not change. Write y = tapegrad.numpy.copy(x) and assign "
                f"to y, or y = tapegrad.numpy.at(x)[...].set(v)."
            )
        self.link.write(self, index, value)

    def __getattr__(self, name: str) -> NoReturn:
        raise no_attribute(name)

    # NumPy's protocols

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if method == "__call__" and not settings:
            primitive = UFUNCS.get(function)
            if primitive is not None and not primitive.constant:
                if len(inputs) == 1:
                    return unary(primitive, *inputs)
                if len(inputs) == 2:
                    return binary(primitive, *inputs)
            return ufunc(function, *inputs)
        try:
            stand_in = FUNCTIONS[method]
        except KeyError:
            raise no_stand_in(f"numpy.{function.__name__}.{method}") from None
        return stand_in(function, *inputs, **settings)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        try:
            stand_in = FUNCTIONS[function]
        except KeyError:
            raise no_stand_in(f"{function.__module__}.{function.__name__}") from None
        return stand_in(*args, **settings)


def handle(tape: Recording, index: int, value: Any, primitive: Primitive) -> Var:
    """Return the traced value that stands at `index` on a tape."""
    x = Var()
    x.tape = tape
    x.index = index
    x.value = value
    x.primitive = primitive
    x.link = None
    return x


# Recording


def apply(primitive: Primitive, *args: Any, **settings: Any) -> Any:
    """Compute ``primitive.fn(*args, **settings)``, and record it where an argument is traced.

    Raises:
        LeakedVarError: if a traced argument belongs to a tape that does not record here and now.
    """
    for first in args:
        if type(first) is Var:
            tape = first.tape
            break
    else:
        return primitive.fn(*args, **settings)
    if tape is not current():
        raise leaked(first)
    inputs: list[int | None] = []
    values = []
    for x in args:
        if type(x) is Var:
            if x.tape is not tape:
                raise leaked(x)
            inputs.append(x.index)
            values.append(x.value)
        elif type(x) in PLAIN:
            inputs.append(None)
            values.append(x)
        else:
            x = constant(x, primitive.name, len(values))
            is_traced = type(x) is Var  # a list of traced values
            inputs.append(x.index if is_traced else None)
            values.append(x.value if is_traced else x)
    try:
        if primitive.keep is None:
            value = primitive.fn(*values, **settings)
            if primitive.constant and not tape.abstract:
                return value
        else:
            value, settings["kept"] = primitive.keep(*values, **settings)
    except (TypeError, ValueError, AttributeError):
        check_numbers(primitive.name, values)
        raise
    steps = tape.steps
    y = Var()  # `handle`, written out, as below: calling it would be half of the price
    y.tape = tape
    y.index = len(steps)
    steps.append((primitive, tuple(inputs), tuple(values), settings or NO_SETTINGS, value))
    y.value = value
    y.primitive = primitive
    y.link = None
    if first.link is not None and len(args) == 1 and type(value) is np.ndarray and np.may_share_memory(value, first.value):
        first.link.viewed(first, y, primitive, settings)
    return y


def unary(primitive: Primitive, x: Any) -> Any:
    """`apply` to one argument and no settings, on the shortest way."""
    if type(x) is not Var:
        return primitive.fn(x)
    tape = x.tape
    if tape is not current():
        raise leaked(x)
    plain = x.value
    value = primitive.fn(plain)
    steps = tape.steps
    y = Var()
    y.tape = tape
    y.index = len(steps)
    steps.append((primitive, (x.index,), (plain,), NO_SETTINGS, value))
    y.value = value
    y.primitive = primitive
    y.link = None
    if x.link is not None and type(value) is np.ndarray and np.may_share_memory(value, plain):
        x.link.viewed(x, y, primitive, {})
    return y


def binary(primitive: Primitive, x: Any, y: Any) -> Any:
    """`apply` to two arguments and no settings, on the shortest way."""
    inputs: tuple[int | None, int | None]
    if type(x) is Var:
        tape = x.tape
        if type(y) is Var:
            if y.tape is not tape:
                raise leaked(y if tape is current() else x)
            inputs = (x.index, y.index)
            args = (x.value, y.value)
        else:
            if type(y) not in PLAIN:
                y = constant(y, primitive.name, 1)
                if y is NotImplemented:
                    return NotImplemented
                if type(y) is Var:  # a list of traced values
                    return binary(primitive, x, y)
            inputs = (x.index, None)
            args = (x.value, y)
    elif type(y) is Var:
        if type(x) not in PLAIN:
            x = constant(x, primitive.name, 0)
            if x is NotImplemented:
                return NotImplemented
            if type(x) is Var:
                return binary(primitive, x, y)
        tape = y.tape
        inputs = (None, y.index)
        args = (x, y.value)
    else:
        return primitive.fn(x, y)
    if tape is not current():
        raise leaked(x if type(x) is Var else y)
    try:
        value = primitive.fn(*args)
    except (TypeError, ValueError, AttributeError):
        check_numbers(primitive.name, args)
        raise
    steps = tape.steps
    z = Var()
    z.tape = tape
    z.index = len(steps)
    steps.append((primitive, inputs, args, NO_SETTINGS, value))
    z.value = value
    z.primitive = primitive
    z.link = None
    return z


def compare(function: np.ufunc, x: Any, y: Any) -> Any:
    """Apply a ufunc whose output has no derivative; it is recorded only where values must not be looked at."""
    x = x if type(x) is Var or type(x) in PLAIN else gathered(x)
    y = y if type(y) is Var or type(y) in PLAIN else gathered(y)
    tape = (x if type(x) is Var else y).tape
    if tape.abstract:
        return ufunc(function, x, y)
    if tape is not current():
        raise leaked(x if type(x) is Var else y)
    x, y = x.value if type(x) is Var else x, y.value if type(y) is Var else y
    try:
        return function(x, y)
    except TypeError:  # of arrays and text: the operators answer where the ufuncs do not
        if function is np.equal:
            return operator.eq(x, y)
        if function is np.not_equal:
            return operator.ne(x, y)
        raise


def ufunc(function: np.ufunc, *args: Any) -> Any:
    """Apply the primitive that stands in for a NumPy ufunc."""
    primitive = UFUNCS.get(function)
    if primitive is None:
        stand_in = FUNCTIONS.get(function)
        if stand_in is not None:
            return stand_in(*args)
        if entered_for(function):
            return ufunc(function, *args)
        raise no_stand_in(f"the ufunc {function.__name__}")
    if primitive.constant:
        return apply(primitive, *args)
    if len(args) == 2:
        return binary(primitive, *args)
    if len(args) == 1:
        return unary(primitive, *args)
    return apply(primitive, *args)
