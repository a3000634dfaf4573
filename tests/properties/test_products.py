"""Products of arrays of every pair of ranks, and sums of products as einsum writes them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties import laws
from tests.properties.strategies import SEEDS, filled

SIDES = st.integers(1, 3)


@pytest.mark.parametrize("left", (1, 2, 3, 4))
@pytest.mark.parametrize("right", (1, 2, 3, 4))
@settings(max_examples=3)
@given(n=SIDES, k=SIDES, m=SIDES, batch=st.tuples(SIDES, SIDES), ones=st.tuples(*[st.booleans()] * 4), seed=SEEDS)
def test_matmul(left: int, right: int, n: int, k: int, m: int, batch: Any, ones: Any, seed: int) -> None:
    leading = [tuple(1 if one else b for b, one in zip(batch, some, strict=True)) for some in (ones[:2], ones[2:])]
    x = (k,) if left == 1 else (*leading[0][4 - left :], n, k)
    y = (k,) if right == 1 else (*leading[1][4 - right :], k, m)
    laws.check(lambda xp, a, b: xp.matmul(a, b), (filled(x, seed), filled(y, seed + 1)), order=2)
    laws.check(lambda xp, a, b: a @ b, (filled(x, seed), filled(y, seed + 1)))


@pytest.mark.parametrize("left", (0, 1, 2, 3))
@pytest.mark.parametrize("right", (0, 1, 2, 3))
@settings(max_examples=3)
@given(sides=st.tuples(*[SIDES] * 5), seed=SEEDS)
def test_dot(left: int, right: int, sides: Any, seed: int) -> None:
    *others, k = sides
    x = (*others[:2], k)[3 - left :] if left else ()
    y = ((k,) if right == 1 else (*others[2:right], k, others[3])) if right else ()
    laws.check(lambda xp, a, b: xp.dot(a, b), (filled(x, seed), filled(y, seed + 1)))


@st.composite
def specifications(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """A specification for einsum, and shapes that fit: repeated letters, letters summed, an ellipsis."""
    letters = "ijkl"
    sides = {letter: draw(SIDES) for letter in letters}
    dots = draw(st.booleans())
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        term = "".join(draw(st.lists(st.sampled_from(letters), max_size=3)))
        shape = tuple(sides[letter] for letter in term)
        if dots and draw(st.booleans()):
            term, shape = "..." + term, (draw(st.sampled_from((1, 2))), *shape)
        terms.append(term)
        shapes.append(shape)
    used = sorted(set("".join(terms)) - {"."})
    kept = "".join(draw(st.permutations(used)))[: draw(st.integers(0, len(used)))]
    dotted = "..." if any("..." in term for term in terms) else ""
    return f"{','.join(terms)}->{dotted}{kept}", shapes


@settings(max_examples=120)
@given(drawn=specifications(), seed=SEEDS)
def test_einsum(drawn: tuple[str, list[tuple[int, ...]]], seed: int) -> None:
    specification, shapes = drawn
    args = [filled(shape, seed + i) for i, shape in enumerate(shapes)]
    laws.check(lambda xp, *xs: xp.einsum(specification, *xs), args)
    laws.check(lambda xp, *xs: xp.einsum(specification.replace(",", " , "), *xs, optimize=True), args)


@settings(max_examples=25)
@given(sides=st.tuples(*[SIDES] * 4), count=st.integers(0, 2), seed=SEEDS)
def test_tensordot(sides: Any, count: int, seed: int) -> None:
    a, b, c, d = sides
    x = filled((a, b, c), seed)
    y = filled((b, c, d)[2 - count :] if count else (d,), seed + 1)
    laws.check(lambda xp, x, y: xp.tensordot(x, y, count), (x, y))
    laws.check(lambda xp, x, y: xp.outer(x, y), (x, y))
    laws.check(lambda xp, x, y: xp.inner(x, y), (x, filled((d, c), seed)))
