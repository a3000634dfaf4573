"""Random programs: functions that draw their operations from a seed, looking at shapes and dtypes only."""

from collections.abc import Callable, Sequence
from operator import add, mul, sub
from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad import nn

Random = np.random.Generator
Function = Callable[..., list[Any]]
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (4, 3), (3, 4), (2, 4, 3), (1, 3), (4, 1), (0, 3), (24,), (48, 3))


def arguments(random: Random, dtype: str, count: int = 3) -> tuple[Any, ...]:
    """Return arrays of various shapes and layouts; among them numbers and integers."""
    return tuple(argument(random, dtype) for _ in range(count))


def argument(random: Random, dtype: str) -> Any:
    shape = SHAPES[random.integers(len(SHAPES))]
    x = random.normal(size=shape) + (1j * random.normal(size=shape) if dtype.startswith("complex") else 0.0)
    x = np.asarray(x, dtype)
    way = random.integers(8)
    if way == 0:
        return np.asarray(random.integers(-3, 4, shape), "int64")
    if way == 1:
        return float(random.normal())
    if way == 2 and x.ndim:
        return np.asfortranarray(x)
    if way == 3 and x.ndim:
        return np.repeat(x, 2, -1)[..., ::-2]
    if way == 4 and x.ndim:
        return np.broadcast_to(x[:1], shape)
    return x if x.ndim else x[()]


def is_float(x: Any) -> bool:
    return isinstance(x, float) or (hasattr(x, "dtype") and x.dtype.kind in "fc")


def is_real(x: Any) -> bool:
    return isinstance(x, (float, int)) or np.dtype(x.dtype).kind != "c"


def fitting(random: Random, pool: Sequence[Any], x: Any) -> Any:
    """Return a value that broadcasts against `x`, or `x`."""
    found = [y for y in pool if broadcasts(np.shape(x), np.shape(y))]
    return found[random.integers(len(found))] if found else x


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m in (n, 1) or n == 1 for m, n in zip(a[::-1], b[::-1]))  # noqa: B905  # of different lengths


def one_of(random: Random, things: Sequence[Any]) -> Any:
    return things[int(random.integers(len(things)))]


# Operations: each takes the generator, a value, and all values so far; None if it does not apply


def smooth(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    f = one_of(random, (tnp.tanh, tnp.sin, tnp.cos, tnp.negative, tnp.square, tnp.exp, tnp.arctan, nn.sigmoid, nn.relu))
    if f in (tnp.exp, tnp.square):
        x = tnp.tanh(x)
    return f(x) if is_real(x) else one_of(random, (tnp.tanh, tnp.sin, tnp.negative, tnp.conj))(x * 0.3)


def kinked(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    if not is_real(x):
        return one_of(random, (tnp.real, tnp.imag, tnp.abs))(x)
    return one_of(random, (tnp.abs, nn.relu, tnp.sign, lambda x: tnp.clip(x, -0.5, 0.7), tnp.floor, tnp.cbrt))(x)


def product(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    y = fitting(random, pool, x)
    return one_of(random, (add, sub, mul, lambda a, b: a + -b, lambda a, b: -a * b))(x, y)


def quotient(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    return fitting(random, pool, x) / (1.0 + tnp.square(tnp.abs(x)))


def with_number(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    number = one_of(random, (0, 1, -1, 2, 0.0, 1.0, -1.0, 0.5, -0.25, 3.0))
    f = one_of(random, (add, sub, mul, lambda a, b: b - a, lambda a, b: -(a * b), lambda a, b: a / (b or 4)))
    return f(x, number)


def powers(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    return tnp.tanh(x) ** one_of(random, (1, 2, 3, 2.0, 1.0)) if is_float(x) else None


def greatest(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    y = fitting(random, pool, x)
    return one_of(random, (tnp.maximum, tnp.minimum))(x, y) if is_real(x) and is_real(y) else None


def choice(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    y, z = fitting(random, pool, x), fitting(random, pool, x)
    if not is_real(y) or not broadcasts(np.shape(y), np.shape(z)):
        return None
    return tnp.where(y > 0.1, x, z)


def masked(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    """A branch not taken whose slope is infinite."""
    return tnp.where(x > 0, tnp.sqrt(tnp.maximum(x, 0.0)), 0.0) if is_real(x) and is_float(x) else None


def reduction(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    rank = np.ndim(x)
    if not np.size(x):
        return tnp.sum(x)
    axes = [None, *range(-rank, rank), *([(0, 1)] if rank > 1 else [])]
    f = one_of(random, (tnp.sum, tnp.mean, tnp.max, tnp.min, tnp.var, tnp.prod) if is_real(x) else (tnp.sum, tnp.mean))
    axis = one_of(random, axes)
    return f(tnp.tanh(x) if f is tnp.prod else x, axis=axis, keepdims=bool(random.integers(2)) and rank > 0)


def running(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    return tnp.cumsum(x, axis=int(random.integers(np.ndim(x)))) * 0.3 if np.ndim(x) else None


def softmax(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    if not np.ndim(x) or not np.size(x) or not is_real(x) or not is_float(x):
        return None
    return one_of(random, (nn.softmax, nn.log_softmax))(x, axis=int(random.integers(np.ndim(x))))


def matrix(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    if not np.ndim(x):
        return None
    found = [y for y in pool if np.ndim(y) and np.shape(y)[-min(2, np.ndim(y))] == np.shape(x)[-1] and np.ndim(y) <= 2]
    return x @ one_of(random, found) * 0.3 if found else x @ tnp.swapaxes(x, -1, -2) if np.ndim(x) > 1 else tnp.dot(x, x)


def shape(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    way = random.integers(7)
    if way == 0:
        return tnp.transpose(x)
    if way == 1:
        return tnp.reshape(x, (-1,) if np.size(x) else (np.size(x),))
    if way == 2:
        return tnp.reshape(tnp.transpose(x), (1, *np.shape(x)), order=one_of(random, "CF"))
    if way == 3 and np.ndim(x):
        return tnp.broadcast_to(x, (2, *np.shape(x)))
    if way == 4 and np.size(x) == 1:
        return tnp.reshape(x, ())
    if way == 5:
        return tnp.expand_dims(x, 0)
    return tnp.swapaxes(x, 0, -1) if np.ndim(x) else None


def reading(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    if not np.ndim(x) or not np.shape(x)[0]:
        return None
    n = np.shape(x)[0]
    index: Any = one_of(
        random, (0, slice(None, None, 2), slice(None, None, -1), (..., None), np.array([0, n - 1, 0]), slice(1, None), (0, ...))
    )
    return x[index]


def reading_at(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    """An index that is itself computed."""
    if not np.ndim(x) or not np.shape(x)[0]:
        return None
    y = one_of(random, pool)
    if not is_real(y):
        return None
    return tnp.take(x, tnp.astype(tnp.abs(y), np.int64) % np.shape(x)[0], axis=0)


def filling(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    """An array that is filled piece by piece."""
    if not np.ndim(x) or not is_float(x) or np.shape(x)[0] < 2:
        return None
    out = tnp.zeros_like(x)
    out[0] = x[-1] * 2.0
    out[1:] = x[:-1]
    out[-1] += 1.0
    return out


def joining(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    return tnp.stack([x, x * 0.5]) if random.integers(2) or not np.ndim(x) else tnp.concatenate([x, x, -x])


def casting(random: Random, x: Any, pool: Sequence[Any]) -> Any:
    if not is_real(x):
        return None
    return one_of(random, (lambda x: x > 0.1, lambda x: tnp.astype(x, np.float64), lambda x: tnp.astype(x * 3, np.int64)))(x)


OPERATIONS = (
    *(smooth, smooth, product, product, product, with_number, with_number, reduction, reduction, shape, shape),
    *(
        kinked,
        quotient,
        powers,
        greatest,
        choice,
        masked,
        running,
        softmax,
        matrix,
        reading,
        reading_at,
        filling,
        joining,
        casting,
    ),
)


def program(seed: int, args: Sequence[Any], length: int = 10) -> Function:
    """Return a function of arguments like `args` that draws `length` operations, and returns some of what it computes.

    Python's numbers meet arrays only: among themselves they are Python's or NumPy's, as operators or functions have it.
    """
    numbers = {k for k, x in enumerate(args) if isinstance(x, float) and not isinstance(x, np.floating)}

    def f(*args: Any) -> list[Any]:
        random = np.random.default_rng(seed)
        pool = list(args)
        while len(pool) < len(args) + length:
            x: Any = pool[-1] if random.integers(3) else one_of(random, pool)
            while any(x is pool[k] for k in numbers):
                x = pool[-1] if len(args) - 1 not in numbers or len(pool) > len(args) else np.ones(3)
            operation = one_of(random, OPERATIONS)
            if operation not in (casting, kinked) and x.dtype.kind == "b":
                x = x * 1
            y = operation(random, x, pool)
            if y is not None and np.size(y) <= 2000:
                pool.append(y)
        wanted = sorted({len(pool) - 1, *random.integers(0, len(pool), 2).tolist()})
        return [pool[k] for k in wanted]

    f.__name__ = f"program_{seed}"
    return f


def scalar(f: Function) -> Callable[..., Any]:
    """Return a function that sums the real parts of the inexact outputs, each element with another weight."""

    def total(*args: Any) -> Any:
        result: Any = 0.0
        for y in f(*args):
            if is_float(y):
                weights = np.linspace(0.5, 1.5, max(1, np.size(y)))[: np.size(y)].reshape(np.shape(y))
                result = result + tnp.sum(tnp.real(y) * weights.astype(np.float32))
        return result

    total.__name__ = f.__name__
    return total
