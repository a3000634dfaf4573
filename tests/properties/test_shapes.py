"""Broadcasting, indexing, and what moves elements about."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tapegrad import numpy as tnp
from tapegrad.testing import check_grads
from tests.properties import laws
from tests.properties.strategies import SEEDS, arrays, filled, indices, permutations_of, shapes

BINARY = ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "arctan2", "logaddexp", "hypot", "fmod")


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=8)
@given(shape=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), seed=SEEDS)
def test_broadcasting(name: str, shape: hnp.BroadcastableShapes, seed: int) -> None:
    x, y = filled(shape.input_shapes[0], seed), filled(shape.input_shapes[1], seed + 1, 0.37, 1.83)
    laws.check(lambda xp, x, y: getattr(xp, name)(x, y), (x, y))


@settings(max_examples=30)
@given(shape=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), seed=SEEDS)
def test_broadcasting_of_a_choice(shape: hnp.BroadcastableShapes, seed: int) -> None:
    mask = filled(shape.input_shapes[0], seed) > 1.0
    x, y = (filled(s, seed + i) for i, s in enumerate(shape.input_shapes[1:]))
    laws.check(lambda xp, x, y: xp.where(mask, x * 2.0, y), (x, y))


@settings(max_examples=150)
@given(x=arrays(max_dims=3, max_side=4), data=st.data())
def test_reading_at_any_index(x: Any, data: st.DataObject) -> None:
    index = data.draw(indices(x.shape))
    laws.check(lambda xp, x: x[index] * 1.0, (x,))


@settings(max_examples=60)
@given(x=arrays(min_dims=1, max_dims=3, max_side=4), data=st.data())
def test_writing_at_any_index(x: Any, data: st.DataObject) -> None:
    index = data.draw(indices(x.shape))
    v = filled(x[index].shape, 3) if x[index].shape else 1.5
    plain = np.array(x)
    np.add.at(plain, index, np.asarray(v))
    np.testing.assert_allclose(tnp.at(x)[index].add(v), plain)
    check_grads(lambda x, v: tnp.at(x)[index].add(v * v), (x, v), order=2)
    if not isinstance(index, tuple) or not any(isinstance(part, np.ndarray) and part.size > 1 for part in index):
        check_grads(lambda x, v: tnp.at(x)[index].set(v), (x, v), order=1)  # no element is set twice


@settings(max_examples=40)
@given(x=arrays(), data=st.data())
def test_reshaping_and_transposing(x: Any, data: st.DataObject) -> None:
    order = data.draw(permutations_of(x.ndim))
    divisors = [n for n in range(1, x.size + 1) if x.size % n == 0]
    first = data.draw(st.sampled_from(divisors))
    memory = data.draw(st.sampled_from("CF"))
    laws.check(lambda xp, x: xp.reshape(xp.transpose(x, order), (first, -1), order=memory), (x,))
    laws.check(lambda xp, x: x.transpose(order).reshape(-1), (x,))


@settings(max_examples=30)
@given(shape=shapes(min_dims=1), sizes=st.lists(st.integers(0, 3), min_size=1, max_size=3), seed=SEEDS, data=st.data())
def test_joining(shape: tuple[int, ...], sizes: list[int], seed: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for i, n in enumerate(sizes):
        own = list(shape)
        own[axis] = n
        parts.append(filled(tuple(own), seed + i))
    laws.check(lambda xp, *xs: xp.concatenate([x * 1.0 for x in xs], axis=axis), parts)
    same = [filled(shape, seed + i) for i in range(2)]
    laws.check(lambda xp, *xs: xp.stack(xs, axis=axis), same)


@settings(max_examples=30)
@given(x=arrays(min_dims=1, max_dims=2), data=st.data())
def test_padding_rolling_and_repeating(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    width = data.draw(st.integers(0, 3))
    mode = data.draw(st.sampled_from(("constant", "edge", "reflect", "symmetric", "wrap", "mean", "maximum")))
    laws.check(lambda xp, x: xp.pad(x, width, mode=mode), (x,))
    laws.check(lambda xp, x: xp.roll(x, width, axis=axis), (x,))
    laws.check(lambda xp, x: xp.repeat(x, width, axis=axis), (x,))
    laws.check(lambda xp, x: xp.tile(x, (width, 2)), (x,))
