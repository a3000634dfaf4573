"""What a carried value is multiplied with in each turn, multiplied together before the loop.

The backward turn of a recurrence takes what comes from the next turn through slopes, each a product: ``g * a / b * c``. All
slopes are known before the loop begins, so that ``g * (a / b * c)`` leaves one product in it, and the others are computed for
all turns at once. ``g - g * s``, the slope of tanh, is ``g * (1 - s)``.

Products in another order round differently, and overflow differently: the factors may have a product that is infinite though no
product with `g` is. So it is watched, and the careful program, in which nothing is reordered, answers where it is not finite.
Factors that are very small or great together when they are traced, as constants of physics may be, are left where they are.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np

from tapegrad.compiler.loops.node import Repeat
from tapegrad.compiler.loops.split import FEW, SMALL, is_safe
from tapegrad.compiler.passes.rewriting import replayed
from tapegrad.compiler.trace import alive, readers_of
from tapegrad.core.doubt import watched_p
from tapegrad.core.primitive import Primitive
from tapegrad.core.var import apply, binary
from tapegrad.ops.arithmetic import divide_p, multiply_p, subtract_p

Factor: TypeAlias = tuple[Primitive, int]
"""What is done with a value, and the step with whose value; a difference is that of the value and its product with it."""


def with_one_factor(loop: Repeat) -> Repeat:
    """Return the loop with one product in place of several by what does not depend on carried values."""
    if loop.turns is None or loop.turns < 2 * FEW or not loop.body.hopeful:
        return loop
    chains = Chains(loop).found()
    if not chains:
        return loop

    def rewrite(index: int, new: dict[int, Any]) -> Any:
        base, factors = chains[index]
        products = list(together([(primitive, new[k]) for primitive, k in factors]))
        return binary(multiply_p, new[base], watched_if_infinite(products[-1])) if all(map(is_moderate, products)) else None

    return attrs.evolve(loop, body=replayed(loop.body, instead=dict.fromkeys(chains, rewrite)))


def together(factors: Sequence[tuple[Primitive, Any]]) -> Iterator[Any]:
    """Yield the products of the first factors, and at last of all."""
    ordered = sorted(factors, key=lambda factor: factor[0] is divide_p)  # there is something to be divided first, if it can be
    total: Any = 1.0
    for primitive, x in ordered:
        if primitive is subtract_p:
            x = binary(subtract_p, 1.0, x)
        operation = divide_p if primitive is divide_p else multiply_p
        total = x if type(total) is float and operation is multiply_p else binary(operation, total, x)
        yield total


def is_moderate(x: Any) -> bool:
    """Tell whether a product with numbers like these, but for zeros, neither overflows nor vanishes soon."""
    size = np.abs(x.value)
    info = np.finfo(x.dtype)
    return not np.any((size > np.sqrt(info.max)) | ((size < np.sqrt(info.tiny)) & (size > 0)))


def watched_if_infinite(x: Any) -> Any:
    """Return the same numbers, but NaN where they are not finite, to be looked at."""
    return apply(watched_p, binary(subtract_p, x, binary(multiply_p, x, 0.0)))


class Chains:
    """The products in the body of a loop of one carried value and several that are none."""

    def __init__(self, loop: Repeat) -> None:
        body = loop.body
        self.steps = body.steps
        self.order = alive(body)
        self.kept = frozenset([index for index in body.outputs if index is not None])
        self.readers = {index: frozenset(found) for index, found in readers_of(body, self.order).items()}
        self.free = set(range(loop.carried, body.inputs))
        for index in self.order:
            step = self.steps[index]
            if all(s is None or s in self.free for s in step[1]) and step[0].batch is not None and is_safe(step):
                self.free.add(index)

    def found(self) -> dict[int, tuple[int, list[Factor]]]:
        """Return the last step of each chain of products, with the value that it begins with and the factors."""
        chains: dict[int, tuple[int, list[Factor]]] = {}
        absorbed: set[int] = set()
        for index in reversed(self.order):
            if index in absorbed or index in self.free:
                continue
            base, factors, within = self.chain(index)
            if len(within) > 1:
                absorbed |= within
                chains[index] = base, factors
        return chains

    def chain(self, index: int) -> tuple[int, list[Factor], set[int]]:
        """Return what a step is the product of: a value, and factors; and the steps that multiply."""
        factors: list[Factor] = []
        within: set[int] = set()
        while (link := self.link(index)) is not None:
            source, factor, used = link
            if within and not self.readers[index] <= within | used:
                break
            if within and index in self.kept:
                break
            factors.insert(0, factor)
            within |= used
            index = source
        return index, factors, within

    def link(self, index: int) -> tuple[int, Factor, set[int]] | None:
        """Return how a step multiplies or divides a carried value, and the steps that it takes for it."""
        primitive, sources, _, _, value = self.steps[index]
        if primitive not in (multiply_p, divide_p, subtract_p) or np.result_type(value).char not in "fd" or None in sources:
            return None
        a, b = sources
        assert a is not None and b is not None
        if primitive is subtract_p:
            inner, others, _, _, _ = self.steps[b]
            if inner is not multiply_p or a not in others or b in self.kept or self.readers[b] != {index}:
                return None
            factor = others[1] if others[0] == a else others[0]
            used = {index, b}
        else:
            if primitive is multiply_p and a in self.free:
                a, b = b, a
            factor, used = b, {index}
        if a in self.free or factor not in self.free or not self.fits(a, value) or not self.fits(factor, value, spread=True):
            return None
        assert factor is not None
        return a, (primitive, factor), used

    def fits(self, index: int, value: Any, spread: bool = False) -> bool:
        """Tell whether a value has the dtype of another one, and its shape, or one that is spread over it."""
        x = self.steps[index][4]
        if np.result_type(x) != np.result_type(value) or np.size(value) > SMALL:
            return False
        shape = np.broadcast_shapes(np.shape(x), np.shape(value)) if spread else np.shape(x)
        return bool(shape == np.shape(value))
