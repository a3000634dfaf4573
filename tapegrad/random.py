"""Random numbers from explicit keys: the same key always gives the same numbers, and nothing is remembered between calls.

A key is an array of two 64-bit words. Every function here is pure: it draws from the counter-based generator Philox, keyed
with the words of the key, and one key should be used for one draw. Independent keys are made with `split` or `fold_in`,
which read the same generator at counters that no draw can reach. Names and argument orders are those of ``jax.random``.

References:
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011,
    https://doi.org/10.1145/2063384.2063405 (Philox, section 4.3).
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tapegrad.core.arrays import shape_of
from tapegrad.core.var import Var, apply
from tapegrad.errors import ConcretizationError
from tapegrad.ops.random import WORDS, fold_in_p, normal_p, order_p, split_key_p, unit_p
from tapegrad.typing import Array, DTypeLike, Shape


def key(seed: int) -> Array:
    """Return the key that belongs to a seed.

    Args:
        seed: an integer, 0 or more.

    Returns:
        An array of shape ``(2,)`` and dtype uint64.

    Raises:
        TypeError: if `seed` is not an integer.
        ValueError: if it is negative.

    Example:
        >>> key(0).shape
        (2,)
        >>> np.array_equal(key(1), key(1)), np.array_equal(key(1), key(2))
        (True, False)
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"random.key: the seed must be an integer, got a {type(seed).__name__}") from None
    if number < 0:
        raise ValueError(f"random.key: the seed must be 0 or more, got {number}")
    return np.random.SeedSequence(number).generate_state(WORDS, np.uint64)


def split(key: Array, num: int = 2) -> Array:
    """Return `num` new keys, independent of one another and of `key`.

    The first keys are the same whatever `num` is.

    Args:
        key: a key, of shape ``(2,)``.
        num: how many keys to make.

    Returns:
        An array of shape ``(num, 2)``: one key a row, so that it can be unpacked.

    Raises:
        TypeError: if `key` is no key, or `num` is no integer.
        ValueError: if `num` is negative.

    Example:
        >>> first, second = split(key(0))
        >>> split(key(0), 5).shape
        (5, 2)
    """
    check_key("random.split", key)
    num = _integer("random.split", "num", num)
    if num < 0:
        raise ValueError(f"random.split: num must be 0 or more, got {num}")
    keys: Array = apply(split_key_p, key, num=num)
    return keys


def fold_in(key: Array, data: int | Array) -> Array:
    """Return a new key made from `key` and an integer, such as the number of a step or of a layer.

    Args:
        key: a key, of shape ``(2,)``.
        data: an integer from 0 to 2**64 - 1.

    Returns:
        A key, of shape ``(2,)``.

    Raises:
        TypeError: if `key` is no key, or `data` is no integer.
        ValueError: if `data` is out of range.

    Example:
        >>> base = key(0)
        >>> np.array_equal(fold_in(base, 7), fold_in(base, 7)), np.array_equal(fold_in(base, 7), fold_in(base, 8))
        (True, False)
    """
    check_key("random.fold_in", key)
    if not isinstance(data, Var):
        data = _integer("random.fold_in", "data", data)
        if not 0 <= data < 2**64:
            raise ValueError(f"random.fold_in: the integer must be from 0 to 2**64 - 1, got {data}")
    elif data.dtype.kind not in "iu":
        raise TypeError(f"random.fold_in: data must be an integer, got an array of dtype {data.dtype}")
    made: Array = apply(fold_in_p, key, data)
    return made


def normal(key: Array, shape: Shape = (), dtype: DTypeLike = float) -> Array:
    """Return independent numbers of the standard normal distribution.

    Args:
        key: a key, of shape ``(2,)``.
        shape: the shape of the result.
        dtype: a floating-point dtype; float64 unless given.

    Returns:
        The numbers, of shape `shape` and dtype `dtype`.

    Raises:
        TypeError: if `key` is no key, `shape` no shape, or `dtype` is not floating-point.
        ValueError: if a length in `shape` is negative.

    Example:
        >>> normal(key(0), (2, 3), np.float32).dtype
        dtype('float32')
    """
    kind = _real("random.normal", dtype)
    check_key("random.normal", key)
    drawn: Array = apply(normal_p, key, shape=_lengths("random.normal", shape), dtype=kind)
    return drawn


def uniform(key: Array, shape: Shape = (), dtype: DTypeLike = float, minval: Any = 0.0, maxval: Any = 1.0) -> Array:
    """Return independent numbers that are uniform on ``[minval, maxval)``, up to rounding at the upper end.

    Args:
        key: a key, of shape ``(2,)``.
        shape: the shape of the result.
        dtype: a floating-point dtype; float64 unless given.
        minval: the lower end, a number or an array that broadcasts to `shape`.
        maxval: the upper end, likewise.

    Returns:
        The numbers, of shape `shape` and dtype `dtype`.

    Raises:
        TypeError: if `key` is no key, `shape` no shape, or `dtype` is not floating-point.
        ValueError: if a length in `shape` is negative, or an end does not broadcast to `shape`.

    Example:
        >>> x = uniform(key(0), (1000,), minval=-2.0, maxval=2.0)
        >>> bool(np.all((x >= -2.0) & (x < 2.0)))
        True
    """
    kind = _real("random.uniform", dtype)
    check_key("random.uniform", key)
    lengths = _lengths("random.uniform", shape)
    unit: Array = apply(unit_p, key, shape=lengths, dtype=kind)
    if type(minval) is float and type(maxval) is float:
        return unit if (minval, maxval) == (0.0, 1.0) else unit * (maxval - minval) + minval
    _check_fits("random.uniform", lengths, minval=minval, maxval=maxval)
    scaled: Array = unit * (maxval - minval) + minval
    return scaled.astype(kind)


def bernoulli(key: Array, p: float | Array = 0.5, shape: Shape | None = None) -> Array:
    """Return independent booleans that are True with probability `p`.

    Args:
        key: a key, of shape ``(2,)``.
        p: the probability, a number or an array that broadcasts to `shape`.
        shape: the shape of the result; that of `p` unless given.

    Returns:
        Booleans, of shape `shape`.

    Raises:
        TypeError: if `key` is no key, or `p` no number.
        ValueError: if `p` is not from 0 to 1, or does not broadcast to `shape`.

    Example:
        >>> float(bernoulli(key(0), 0.2, (10_000,)).mean().round(1))
        0.2
    """
    check_key("random.bernoulli", key)
    lengths = np.shape(p) if shape is None else _lengths("random.bernoulli", shape)
    _check_probability(p)
    _check_fits("random.bernoulli", lengths, p=p)
    drawn: Any = apply(unit_p, key, shape=lengths, dtype=np.dtype(float)) < p
    return drawn if type(drawn) is Var else np.asarray(drawn)  # type: ignore[return-value]  # a Var is an array to checkers


def permutation(key: Array, x: int | Array, axis: int = 0) -> Array:
    """Return a random permutation of ``0 .. x-1``, or of the entries of an array along one axis.

    Args:
        key: a key, of shape ``(2,)``.
        x: a number, or an array of one dimension or more.
        axis: the axis to permute.

    Returns:
        An integer array of shape ``(x,)``, or an array like `x` in another order.

    Raises:
        TypeError: if `key` is no key, or `x` is neither an integer nor an array of one dimension or more.
        ValueError: if `x` is negative.
        AxisError: if there is no such axis.

    Example:
        >>> sorted(permutation(key(0), 5).tolist())
        [0, 1, 2, 3, 4]
        >>> permutation(key(0), np.eye(3)).sum(axis=0)
        array([1., 1., 1.])
    """
    check_key("random.permutation", key)
    if isinstance(x, (int, np.integer)):
        if x < 0:
            raise ValueError(f"random.permutation: x must be 0 or more, or an array, got {x}")
        order: Array = apply(order_p, key, count=int(x))
        return order
    if not np.ndim(x):
        raise TypeError("random.permutation: x must be an integer, or an array of one dimension or more")
    if not isinstance(axis, (int, np.integer)):
        raise TypeError(f"random.permutation: axis must be an integer, got {axis!r}")
    axis = normalize_axis_index(axis, np.ndim(x), "random.permutation")
    rearranged: Array = np.take(x, apply(order_p, key, count=np.shape(x)[axis]), axis=axis)
    return rearranged


def check_key(name: str, key: Any) -> None:
    """Check that `key` is a key.

    Raises:
        TypeError: naming the function that asked, and how a key is made.

    Example:
        >>> check_key("init", key(0))
    """
    if isinstance(key, (np.ndarray, Var)) and key.shape == (WORDS,) and key.dtype == np.uint64:
        return
    if isinstance(key, (int, np.integer)):
        raise TypeError(f"{name}: expected a key, got the integer {key}; write tapegrad.random.key({key})")
    got = f"an array of shape {key.shape} and dtype {key.dtype}" if isinstance(key, np.ndarray) else f"a {type(key).__name__}"
    hint = (
        "; give one of its rows"
        if isinstance(key, np.ndarray) and key.ndim == 2 and key.shape[1:] == (WORDS,) and key.dtype == np.uint64
        else ", as tapegrad.random.key(0) makes it"
    )
    raise TypeError(f"{name}: expected a key of shape ({WORDS},) and dtype uint64, got {got}{hint}")


def _lengths(name: str, shape: Any) -> tuple[int, ...]:
    several = isinstance(shape, Sequence) or (isinstance(shape, np.ndarray) and shape.ndim == 1)
    try:
        lengths = tuple([operator.index(n) for n in shape]) if several else (operator.index(shape),)
    except TypeError as error:
        if isinstance(error, ConcretizationError):
            raise
        raise TypeError(f"{name}: the shape must be an integer or a tuple of integers, got {shape!r}") from None
    if min(lengths, default=0) < 0:
        raise ValueError(f"{name}: the lengths of a shape must be 0 or more, got {shape!r}")
    return lengths


def _check_fits(name: str, lengths: tuple[int, ...], **parameters: Any) -> None:
    """Raise for a parameter that would spread one number over several places of a larger shape."""
    for what, value in parameters.items():
        given = shape_of(value)
        if len(given) > len(lengths) or any(n not in (1, m) for n, m in zip(given[::-1], lengths[::-1], strict=False)):
            raise ValueError(
                f"{name}: {what} of shape {given} does not broadcast to shape {lengths}; give shape={given}, or the shape "
                f"that the result should have"
            )


def _check_probability(p: Any) -> None:
    if isinstance(p, Var):
        return
    values = np.asarray(p)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"random.bernoulli: p must be a number or an array of numbers, got {p!r}")
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"random.bernoulli: p must be from 0 to 1, got {p!r}; the order is bernoulli(key, p, shape)")


def _integer(name: str, what: str, x: Any) -> int:
    try:
        return operator.index(x)
    except TypeError:
        raise TypeError(f"{name}: {what} must be an integer, got a {type(x).__name__}") from None


def _real(name: str, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{name}: expected a dtype after key and shape, got {dtype!r}") from None
    if kind.kind != "f":
        raise TypeError(f"{name}: expected a real floating-point dtype, got {kind}")
    return kind
