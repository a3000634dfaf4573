"""Convolution and correlation: every mode, lengths even and odd, either one longer."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numpy as tnp
from tests.numpy.through_doors import check

RANDOM = np.random.default_rng(0)
LENGTHS = [(5, 3), (3, 5), (4, 4), (2, 5), (4, 5), (1, 3), (6, 2)]


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "m"), LENGTHS)
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_every_mode_and_length(name: str, n: int, m: int, mode: str) -> None:
    check(name, RANDOM.normal(size=n), RANDOM.normal(size=m), mode, by=(0, 1))


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_complex_sequences(name: str) -> None:
    a, v = (RANDOM.normal(size=n) + 1j * RANDOM.normal(size=n) for n in (4, 3))
    check(name, a, v, "full", by=(0, 1))
    check(name, a.real, v, "full", by=(0, 1))


def test_default_modes_are_numpys() -> None:
    a, v = RANDOM.normal(size=4), RANDOM.normal(size=2)
    check("convolve", a, v, by=(0, 1))
    check("correlate", a, v, by=(0, 1))


def test_a_batch_is_convolved_at_once() -> None:
    a, v = RANDOM.normal(size=(3, 5)), RANDOM.normal(size=(3, 2))
    expected = np.stack([np.convolve(x, y, "same") for x, y in zip(a, v, strict=True)])
    np.testing.assert_allclose(tg.vmap(lambda x, y: np.convolve(x, y, "same"))(a, v), expected)
    np.testing.assert_allclose(tg.vmap(lambda x: np.convolve(x, v[0]))(a), [np.convolve(x, v[0]) for x in a])
    np.testing.assert_allclose(tg.vmap(lambda y: np.correlate(a[0], y))(v), [np.correlate(a[0], y) for y in v])


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("bad", [(np.ones(0), "full"), (np.ones((2, 2)), "full"), (np.ones(2), "other")])
def test_bad_sequences_get_numpys_error(name: str, bad: tuple[Any, str]) -> None:
    v, mode = bad
    with pytest.raises(ValueError) as expected:
        getattr(np, name)(np.ones(3), v, mode)
    with pytest.raises(ValueError) as found:
        tg.vjp(lambda a: getattr(tnp, name)(a, v, mode), np.ones(3))
    assert str(found.value) == str(expected.value)
