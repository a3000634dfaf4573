"""What a carried value is multiplied with in each turn, multiplied together before the loop.

The backward turn of a recurrence takes what comes from the next turn through slopes, each a product: ``g * a / b * c``. All
slopes are known before the loop begins, so that ``g * (a / b * c)`` leaves one product in it, and the others are computed for
all turns at once. ``g - g * s``, the slope of tanh, is ``g * (1 - s)``.

Products in another order round differently, and overflow differently: the factors may have a product that is infinite though no
product with `g` is. So it is watched, and the careful program, in which nothing is reordered, answers where it is not finite.
Factors that are very small or great together when they are traced, as constants of physics may be, are left where they are.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from attrs import frozen

from tapegrad.compiler.loops.node import Repeat
from tapegrad.compiler.loops.split import FEW, SMALL, is_safe
from tapegrad.compiler.passes.rewriting import replayed
from tapegrad.compiler.trace import alive, readers_of
from tapegrad.core.doubt import watched_p
from tapegrad.core.var import Var, apply, binary
from tapegrad.ops.arithmetic import add_p, divide_p, multiply_p, negative_p, subtract_p

LINEAR = frozenset({add_p, subtract_p, multiply_p, divide_p, negative_p})
NONE: frozenset[int] = frozenset()

LONG = 64
"""Steps up to which a product is made of them."""


def with_one_factor(loop: Repeat) -> Repeat:
    """Return the loop with one product in place of several steps by what does not depend on carried values."""
    if loop.turns is None or loop.turns < 2 * FEW or not loop.body.hopeful:
        return loop
    products = Products(loop)
    found = products.found()
    if not found:
        return loop

    def rewrite(index: int, new: dict[int, Any]) -> Any:
        factors: dict[int, Any] = {}
        factor = products.factor(index, found[index], new, factors)
        if not all(is_moderate(x) for x in factors.values() if type(x) is Var):
            return None
        return binary(multiply_p, new[found[index].base], watched_if_infinite(factor) if type(factor) is Var else factor)

    return attrs.evolve(loop, body=replayed(loop.body, instead=dict.fromkeys(found, rewrite)))


def is_moderate(x: Any) -> bool:
    """Tell whether a product with numbers like these, but for zeros, neither overflows nor vanishes soon."""
    size = np.abs(x.value)
    info = np.finfo(x.dtype)
    return not np.any((size > np.sqrt(info.max)) | ((size < np.sqrt(info.tiny)) & (size > 0)))


def watched_if_infinite(x: Any) -> Any:
    """Return the same numbers, but NaN where they are not finite, to be looked at."""
    return apply(watched_p, binary(subtract_p, x, binary(multiply_p, x, 0.0)))


@frozen(eq=False)
class Product:
    """A step that comes to a product: of the step `base`, and of what the steps `within` multiply it with."""

    base: int
    within: frozenset[int]


class Products:
    """The steps in the body of a loop that are products of one value that depends on carried ones, and others that do not."""

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

    def found(self) -> dict[int, Product]:
        """Return the products of more than one step, by the last of these."""
        products: dict[int, Product] = {}
        absorbed: set[int] = set()
        moving = [index for index in self.order if index not in self.free]
        largest = self.taken_apart(moving, self.kept)
        for index in reversed(moving):
            if index in absorbed:
                continue
            product = self.product(index, largest[index])
            if len(product.within) > 1:
                absorbed |= product.within
                products[index] = product
        return products

    def product(self, index: int, largest: Product) -> Product:
        """Return what a step is the product of, where values that something else reads are not taken apart."""
        product, whole = largest, self.kept - {index}
        while shared := {k for k in product.within - {index} if not self.readers[k] <= product.within}:
            whole |= shared
            product = self.taken_apart(sorted(product.within), whole)[index]
        return product

    def taken_apart(self, order: Sequence[int], whole: frozenset[int]) -> dict[int, Product]:
        """Return what each of some steps is the product of, where those of `whole` are not taken apart."""
        found: dict[int, Product] = {}
        for index in order:
            sources = self.multiplied(index)
            parts = [Product(s, NONE) if s in whole or s not in found else found[s] for s in sources]
            within = frozenset({index}).union(*[part.within for part in parts])
            if parts and all(part.base == parts[0].base for part in parts) and len(within) <= LONG:
                found[index] = Product(parts[0].base, within)
            else:
                found[index] = Product(index, NONE)
        return found

    def multiplied(self, index: int) -> list[int]:
        """Return the sources of a step that it is linear in, if the others are known before the loop; else none."""
        primitive, sources, _, _, value = self.steps[index]
        if primitive not in LINEAR or None in sources or np.size(value) > SMALL or np.result_type(value).char not in "fd":
            return []
        moving = [s for s in sources if s is not None and s not in self.free]
        if any(np.shape(self.steps[s][4]) != np.shape(value) for s in moving):
            return []
        if any(np.result_type(self.steps[s][4]) != np.result_type(value) for s in sources if s is not None):
            return []
        if primitive in (add_p, subtract_p):
            return moving if len(moving) == 2 else []
        if primitive is multiply_p or primitive is negative_p:
            return moving if len(moving) == 1 else []
        return moving if primitive is divide_p and moving == [sources[0]] else []

    def factor(self, index: int, product: Product, new: dict[int, Any], factors: dict[int, Any]) -> Any:
        """Return what the base of a product is multiplied with to come to a step within it; enter it in `factors`."""
        if index == product.base:
            return 1.0
        if index in factors:
            return factors[index]
        primitive, sources, _, _, _ = self.steps[index]
        given = [new[s] if s in self.free else self.factor(s, product, new, factors) for s in sources if s is not None]
        if primitive is multiply_p and 1.0 in [x for x in given if type(x) is float]:
            total = given[1] if type(given[0]) is float else given[0]
        elif primitive is negative_p:
            total = -given[0]
        else:
            total = binary(primitive, *given)
        factors[index] = total
        return total
