"""Random numbers from keys: the counter-based generator Philox, read at counters that do not meet.

What is drawn has no derivative. A key may be traced (an argument of a compiled function, one of a batch of keys): then the draw
is recorded, and not its result.
"""

from typing import Any

import numpy as np

from tapegrad.core.families import constant
from tapegrad.core.primitive import Primitive, case

WORDS = 2
"""The length of a key."""

BLOCK = 4
"""64-bit words that Philox makes from one counter."""

DRAW, SPLIT, FOLD = 0, 1, 2
"""The highest word of the counter, which tells what the generator is read for."""


def philox(key: Any, low: int, purpose: int) -> "np.random.Philox":
    return np.random.Philox(key=key, counter=np.array([low, 0, 0, purpose], np.uint64))


def generator(key: Any) -> "np.random.Generator":
    return np.random.Generator(philox(key, 0, DRAW))


def drawn_as(dtype: np.dtype[Any]) -> Any:
    """Return the dtype that NumPy draws for another: float32 for what is not longer than that, else float64."""
    return np.float32 if dtype.itemsize <= 4 else np.float64


def _split(key: Any, num: int) -> Any:
    return philox(key, 0, SPLIT).random_raw(num * BLOCK).reshape(num, BLOCK)[:, :WORDS].copy()


def _fold_in(key: Any, data: Any) -> Any:
    return philox(key, int(data), FOLD).random_raw(WORDS)


def _normal(key: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return np.asarray(generator(key).standard_normal(shape, drawn_as(dtype))).astype(dtype, copy=False)


def _unit(key: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return np.asarray(generator(key).random(shape, drawn_as(dtype))).astype(dtype, copy=False)


def _order(key: Any, count: int) -> Any:
    return generator(key).permutation(count)


KEY = np.array([1, 2], np.uint64)
SINGLE = np.dtype(np.float32)

split_key_p: Primitive = constant("split_key", _split, cases=(case(KEY, num=3),))
fold_in_p: Primitive = constant("fold_in", _fold_in, arity=2, cases=(case(KEY, np.array(7)),))
normal_p: Primitive = constant("normal", _normal, cases=(case(KEY, shape=(3,), dtype=SINGLE),))
unit_p: Primitive = constant("unit_uniform", _unit, cases=(case(KEY, shape=(2, 2), dtype=SINGLE),))
order_p: Primitive = constant("random_order", _order, cases=(case(KEY, count=4),))
