"""What the property tests draw: arrays, shapes that broadcast, axes, indices."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tapegrad.typing import Array

SEEDS = st.integers(0, 2**16)


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of few elements."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def filled(shape: tuple[int, ...], seed: int, low: float = 0.3, high: float = 2.0) -> Any:
    """Return an array of distinct numbers, none of them near another, in an order that depends on the seed."""
    size = int(np.prod(shape))
    random = np.random.default_rng(seed)
    spaced = np.linspace(low, high, size) if size > 1 else np.full(size, 0.5 * (low + high))
    x: Array = random.permutation(spaced).reshape(shape)
    return x


@st.composite
def arrays(draw: st.DrawFn, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3) -> Any:
    """Arrays of distinct positive numbers, so that no kink is near."""
    return filled(draw(shapes(min_dims, max_dims, min_side, max_side)), draw(SEEDS))


@st.composite
def axes_of(draw: st.DrawFn, rank: int) -> Any:
    """An axis, several, or None, as reductions take them."""
    if rank == 0:
        return draw(st.sampled_from([None, ()]))
    one = st.integers(-rank, rank - 1)
    several = st.lists(st.integers(0, rank - 1), unique=True, max_size=rank).map(tuple)
    return draw(st.one_of(st.none(), one, several))


@st.composite
def permutations_of(draw: st.DrawFn, rank: int) -> tuple[int, ...]:
    """An order of axes, some of them counted from the end."""
    order = draw(st.permutations(range(rank)))
    return tuple(axis - rank if draw(st.booleans()) else axis for axis in order)


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """An index of any form that NumPy knows: basic, integer arrays, boolean arrays, mixed, with axes split by slices."""
    form = draw(st.sampled_from(("basic", "integers", "boolean", "mixed")))
    if form == "basic":
        return draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    if form == "boolean":
        return draw(hnp.arrays(bool, shape[: draw(st.integers(min(1, len(shape)), len(shape)))]))
    common = draw(shapes(0, 2, 1, 3))
    parts: list[Any] = []
    for n in shape[: draw(st.integers(1, len(shape)))] if shape else ():
        kind = "integers" if form == "integers" else draw(st.sampled_from(("integers", "slice", "int", "mask", "newaxis")))
        if kind == "newaxis":
            parts.append(None)
            kind = "slice"
        if kind == "integers":
            parts.append(draw(hnp.arrays(np.intp, draw(st.sampled_from((common, (1,), ()))), elements=st.integers(-n, n - 1))))
        elif kind == "slice":
            parts.append(draw(st.slices(n)))
        elif kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            mask = np.zeros(n, bool)
            mask[draw(st.integers(0, n - 1))] = True
            parts.append(mask)
    if form == "mixed" and draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)
