"""What random keys promise: the same numbers from the same key, others from every other, and the right distributions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import random
from tapegrad.typing import Array

DRAWS: list[Callable[[Array], Array]] = [
    lambda key: random.normal(key, (50,)),
    lambda key: random.uniform(key, (50,)),
    lambda key: random.permutation(key, 50),
    lambda key: random.bernoulli(key, 0.5, (50,)),
    lambda key: random.split(key, 50),
    lambda key: random.fold_in(key, 3),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_equal_keys_give_equal_numbers_and_others_do_not(draw: Callable[[Array], Array]) -> None:
    assert np.array_equal(draw(random.key(1)), draw(random.key(1)))
    assert not np.array_equal(draw(random.key(1)), draw(random.key(2)))


def test_keys_stay_the_same_from_release_to_release() -> None:
    key = random.key(0)
    assert key.tolist() == [15793235383387715774, 12390638538380655177]
    assert random.split(key)[1].tolist() == [6593286206677252513, 11570076281104695815]
    assert random.fold_in(key, 1).tolist() == [10675930629149780774, 13317226160598217056]


def test_drawing_does_not_change_the_key_nor_numpys_own_state() -> None:
    key = random.key(0)
    before, state = key.copy(), np.random.get_state(legacy=False)  # noqa: NPY002  # what must not change
    for draw in DRAWS:
        draw(key)
    assert np.array_equal(key, before)
    assert str(np.random.get_state(legacy=False)) == str(state)  # noqa: NPY002  # the state that must not change


def test_split_and_fold_in_make_keys_that_differ() -> None:
    key = random.key(0)
    keys = [key, *random.split(key, 100), *(random.fold_in(key, k) for k in range(100))]
    assert len({tuple(k.tolist()) for k in keys}) == len(keys)
    assert {k.shape for k in keys} == {(2,)} and {k.dtype for k in keys} == {np.dtype(np.uint64)}


def test_the_first_keys_do_not_depend_on_how_many_there_are() -> None:
    assert np.array_equal(random.split(random.key(0), 9)[:2], random.split(random.key(0)))


def test_split_keys_draw_independent_numbers() -> None:
    a, b = (random.normal(key, (10_000,)) for key in random.split(random.key(0)))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


def test_normal_has_mean_0_and_variance_1() -> None:
    for dtype in (np.float32, np.float64):
        x = random.normal(random.key(0), (200, 200), dtype)
        assert x.dtype == dtype and x.shape == (200, 200)
        assert abs(x.mean()) < 0.02 and abs(x.var() - 1) < 0.02


def test_uniform_fills_its_interval() -> None:
    x = random.uniform(random.key(0), (40_000,), np.float32, -1.0, 3.0)
    assert x.dtype == np.float32 and x.min() >= -1 and x.max() <= 3
    assert abs(x.mean() - 1) < 0.02 and abs(x.var() - 16 / 12) < 0.02
    ends = random.uniform(random.key(0), (3, 2), minval=np.array([0.0, 10.0]), maxval=np.array([1.0, 20.0]))
    assert np.all(ends[:, 0] < 1) and np.all(ends[:, 1] >= 10)


def test_bernoulli_is_true_as_often_as_asked() -> None:
    assert random.bernoulli(random.key(0), 0.3, (40_000,)).mean() == pytest.approx(0.3, abs=0.01)
    assert random.bernoulli(random.key(0), np.array([0.0, 1.0])).tolist() == [False, True]


def test_permutation_keeps_every_entry() -> None:
    assert sorted(random.permutation(random.key(0), 20).tolist()) == list(range(20))
    x = np.arange(12.0).reshape(3, 4)
    rows, columns = random.permutation(random.key(0), x), random.permutation(random.key(3), x, axis=1)
    assert sorted(rows.tolist()) == x.tolist()
    assert sorted(columns.T.tolist()) == x.T.tolist() and not np.array_equal(columns, x)


def test_a_draw_of_shape_nothing_is_an_array() -> None:
    assert random.normal(random.key(0)).shape == () and random.uniform(random.key(0)).shape == ()
    assert random.normal(random.key(0), 3).shape == (3,) and random.normal(random.key(0), (2, 0)).shape == (2, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, r"write tapegrad\.random\.key\(3\)"),
        (np.int64(3), r"write tapegrad\.random\.key\(3\)"),
        (np.zeros(2), "got an array of shape \\(2,\\) and dtype float64"),
        (random.split(random.key(0), 3), "give one of its rows"),
        ("seed", "got a str"),
    ],
)
def test_what_is_no_key_is_refused(wrong: Any, message: str) -> None:
    draws = [random.normal, random.uniform, random.bernoulli, random.split]
    for draw in [*draws, lambda key: random.permutation(key, 3), lambda key: random.fold_in(key, 3)]:
        with pytest.raises(TypeError, match=message):
            draw(wrong)  # type: ignore[operator]  # functions of several signatures


def test_bad_settings_are_refused() -> None:
    with pytest.raises(TypeError, match="seed must be an integer"):
        random.key(1.5)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ValueError, match="0 or more, got -1"):
        random.key(-1)
    with pytest.raises(TypeError, match="real floating-point dtype, got int64"):
        random.normal(random.key(0), (2,), np.int64)
    with pytest.raises(ValueError, match="from 0"):
        random.fold_in(random.key(0), -1)
    with pytest.raises(ValueError, match="num must be"):
        random.split(random.key(0), -1)


@pytest.mark.parametrize("draw", [random.normal, random.uniform, lambda key, shape: random.bernoulli(key, 0.5, shape)])
def test_what_is_no_shape_is_refused(draw: Callable[[Array, Any], Array]) -> None:
    for wrong in ("23", 2.0, (2, 3.0), np.ones(2)):
        with pytest.raises(TypeError, match=r"random\.\w+: the shape must be an integer or a tuple of integers, got "):
            draw(random.key(0), wrong)
    with pytest.raises(ValueError, match=r"random\.\w+: the lengths of a shape must be 0 or more, got \(2, -1\)"):
        draw(random.key(0), (2, -1))
    assert draw(random.key(0), np.array([2, 3])).shape == (2, 3)


def test_a_probability_lies_between_0_and_1() -> None:
    for wrong in (2.0, -0.5, np.nan, np.array([0.5, 1.5]), (3,)):
        with pytest.raises(ValueError, match=r"p must be from 0 to 1, got .*; the order is bernoulli"):
            random.bernoulli(random.key(0), wrong)  # type: ignore[arg-type]  # also a shape in its place
    with pytest.raises(TypeError, match="p must be a number or an array of numbers, got 'a'"):
        random.bernoulli(random.key(0), "a")  # type: ignore[arg-type]  # the mistake under test
    assert random.bernoulli(random.key(0), np.array([0.0, 1.0])).tolist() == [False, True]


def test_counts_and_dtypes_of_another_kind_are_refused() -> None:
    key = random.key(0)
    wrong: Any = "2"
    with pytest.raises(TypeError, match="num must be an integer, got a str"):
        random.split(key, wrong)
    with pytest.raises(TypeError, match="data must be an integer, got a str"):
        random.fold_in(key, wrong)
    with pytest.raises(TypeError, match="x must be an integer, or an array"):
        random.permutation(key, wrong)
    with pytest.raises(TypeError, match=r"expected a dtype after key and shape, got 0\.5"):
        random.uniform(key, (2,), 0.5, 1.0)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ValueError, match="x must be 0 or more, or an array, got -1"):
        random.permutation(key, -1)
    for x in (np.ones((2, 3)), [[1.0], [2.0]]):
        with pytest.raises(np.exceptions.AxisError, match=r"random\.permutation: axis 2 is out of bounds"):
            random.permutation(key, x, axis=2)  # type: ignore[arg-type]  # a list is an array to be
        for axis in (None, 1.0, "0", (0,)):
            with pytest.raises(TypeError, match=r"random\.permutation: axis must be an integer, got .*"):
                random.permutation(key, x, axis=axis)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("given, shape", [((2, 3), (3,)), ((2, 1), (3,)), ((3,), ()), ((3,), (1,)), ((2,), (3,)), ((0,), (1,))])
def test_numbers_are_not_spread_over_parameters_of_a_larger_shape(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    key, x = random.key(0), np.full(given, 0.5)
    draws: dict[str, Callable[[Array], Array]] = {
        "minval": lambda x: random.uniform(key, shape, minval=x),
        "maxval": lambda x: random.uniform(key, shape, maxval=x),
        "p": lambda x: random.bernoulli(key, x, shape),
    }
    for name, draw in draws.items():
        for do in (draw, tg.jit(draw), lambda x, draw=draw: tg.vmap(draw)(x[None])):
            with pytest.raises(ValueError, match=rf": {name} of shape .* does not broadcast to shape"):
                do(x)


def test_parameters_of_a_smaller_shape_are_spread_over_the_numbers() -> None:
    key, x = random.key(0), np.array([[0.0], [1.0]])
    assert random.bernoulli(key, x, (4, 2, 3)).tolist() == [[[False] * 3, [True] * 3]] * 4
    assert np.array_equal(random.uniform(key, (2, 3), minval=x, maxval=x + 1.0), random.uniform(key, (2, 3)) + x)
    assert tg.vmap(lambda p: random.bernoulli(key, p, (5,)))(np.array([0.0, 1.0])).sum(axis=1).tolist() == [0, 5]


def test_keys_pass_through_compiled_functions_and_batches() -> None:
    def draws(key: Array, x: Array) -> Array:
        first, second = random.split(key)
        third = random.fold_in(first, 3)
        noise = random.normal(third, x.shape) + random.uniform(second, x.shape, minval=-1.0, maxval=2.0)
        y: Array = x * noise + random.bernoulli(second, 0.5, x.shape) + random.permutation(third, 3)
        return y

    keys, x = random.split(random.key(3), 4), np.ones(3)
    each = np.stack([draws(key, x) for key in keys])
    compiled = tg.jit(draws)
    assert np.array_equal(np.stack([compiled(key, x) for key in keys]), each)
    assert compiled.cache_info().programs == 1
    assert np.array_equal(tg.vmap(draws, in_axes=(0, None))(keys, x), each)
