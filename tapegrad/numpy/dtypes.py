"""What is asked about arrays and not computed from them: dtypes, shapes, memory, text. The answers are constants."""

from typing import Any

import numpy as np
from numpy import broadcast_shapes as broadcast_shapes
from numpy import isdtype as isdtype
from numpy import isscalar as isscalar
from numpy import issubdtype as issubdtype
from numpy import iterable as iterable
from numpy import promote_types as promote_types

from tapegrad.core.node import CURRENT
from tapegrad.core.var import Var
from tapegrad.numpy.arguments import concrete
from tapegrad.numpy.door import gathered, stands_for
from tapegrad.typing import Array, ArrayLike, DTypeLike


def example(x: Any) -> Any:
    """Return what a value is on the tape, for a question about its dtype or memory."""
    x = gathered(x) if CURRENT.get() is not None else x
    return x.value if type(x) is Var else x


@stands_for(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """Return the dtype that an operation on arrays and dtypes gives.

    Example:
        >>> result_type(np.float32, np.zeros(2))
        dtype('float64')
    """
    return np.result_type(*[example(x) for x in arrays_and_dtypes])


@stands_for(np.can_cast)
def can_cast(from_: Any, to: DTypeLike, casting: Any = "safe") -> bool:
    """Tell whether a dtype, or that of an array, can be cast to another one.

    Example:
        >>> can_cast(np.float64, np.float32, "same_kind")
        True
    """
    found = example(from_)
    return np.can_cast(found.dtype if isinstance(found, np.ndarray) else found, to, casting)


@stands_for(np.common_type)
def common_type(*arrays: ArrayLike) -> type[np.inexact[Any]]:
    """Return the inexact scalar type that holds the elements of all arrays.

    Example:
        >>> common_type(np.zeros(2, np.float32), np.zeros(2))
        <class 'numpy.float64'>
    """
    found: Any = np.common_type(*[np.asarray(example(x)) for x in arrays])
    kind: type[np.inexact[Any]] = found
    return kind


@stands_for(np.min_scalar_type)
def min_scalar_type(a: ArrayLike, /) -> np.dtype[Any]:
    """Return the smallest dtype that holds a scalar, or the dtype of an array.

    Raises:
        ConcretizationError: for a scalar under `vmap` and `jit`.

    Example:
        >>> min_scalar_type(10)
        dtype('uint8')
    """
    x: Any = gathered(a)
    return np.min_scalar_type(concrete(x, "min_scalar_type") if type(x) is Var and not x.ndim else example(x))


@stands_for(np.may_share_memory)
def may_share_memory(a: ArrayLike, b: ArrayLike, /, max_work: Any = 0) -> bool:
    """Tell whether two arrays may lie in the same memory. Traced values that cannot be written never seem to change.

    Example:
        >>> x = np.zeros(4)
        >>> may_share_memory(x, x[2:])
        True
    """
    return np.may_share_memory(example(a), example(b), max_work)


@stands_for(np.shares_memory)
def shares_memory(a: ArrayLike, b: ArrayLike, /, max_work: Any = -1) -> bool:
    """Tell whether two arrays lie in the same memory. Traced values that cannot be written never seem to change.

    Example:
        >>> x = np.zeros(4)
        >>> shares_memory(x[::2], x[1::2])
        False
    """
    return np.shares_memory(example(a), example(b), max_work)


# Text


def shown(a: Any) -> Any:
    """Return what is shown of an array: under `vmap` and `jit`, where it has no values, its dtype and shape."""
    return a.value if type(a) is Var and not a.tape.abstract else a


@stands_for(np.array_repr)
def array_repr(arr: Array, max_line_width: int | None = None, precision: Any = None, suppress_small: bool | None = None) -> str:
    """Return an array as text, as ``repr`` shows it.

    Example:
        >>> array_repr(np.zeros(2))
        'array([0., 0.])'
    """
    x = shown(arr)
    return repr(x) if type(x) is Var else np.array_repr(np.asarray(x), max_line_width, precision, suppress_small)


@stands_for(np.array_str)
def array_str(a: Array, max_line_width: int | None = None, precision: Any = None, suppress_small: bool | None = None) -> str:
    """Return the elements of an array as text, as ``str`` shows them.

    Example:
        >>> array_str(np.zeros(2))
        '[0. 0.]'
    """
    x = shown(a)
    return repr(x) if type(x) is Var else np.array_str(np.asarray(x), max_line_width, precision, suppress_small)


@stands_for(np.array2string)
def array2string(a: Array, *args: Any, **settings: Any) -> str:
    """Return the elements of an array as text. Arguments as for NumPy's function.

    Example:
        >>> array2string(np.array([1.0, 2.5]), precision=1)
        '[1.  2.5]'
    """
    x = shown(a)
    text: str = repr(x) if type(x) is Var else np.array2string(np.asarray(x), *args, **settings)
    return text
