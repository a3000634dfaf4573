"""What is common to all operations on plain arrays."""

from collections.abc import Callable

import numpy as np
import pytest

from tapegrad.core.arrays import probe
from tapegrad.typing import Array

LINE: Array = np.linspace(-1.0, 2.0, 12)
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "in order": lambda x: x,
    "reversed": lambda x: x[::-1],
    "every other": lambda x: x[::2],
    "every other, reversed": lambda x: x[::-2],
    "a table, transposed": lambda x: x.reshape(3, 4).T,
    "a table, flipped": lambda x: x.reshape(3, 4)[::-1, ::-1],
    "repeated": lambda x: np.broadcast_to(x[0], (5,)),
    "rows repeated": lambda x: np.broadcast_to(x, (3, 12)),
    "empty": lambda x: x[:0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_look_finds_every_nan_and_infinity_in_any_layout(layout: str) -> None:
    of = LAYOUTS[layout]
    assert np.isfinite(probe(of(LINE)))
    for k in range(len(LINE)):
        for wrong in (np.nan, np.inf, -np.inf):
            x = LINE.copy()
            x[k] = wrong
            found = probe(of(x))
            assert np.isfinite(found) == bool(np.isfinite(of(x)).all())
            assert np.isnan(found) == bool(np.isnan(of(x)).any())


def test_one_look_finds_nan_in_complex_numbers() -> None:
    x = LINE + 2j * LINE
    assert np.isfinite(probe(x))
    x[3] = complex(0.0, np.nan)
    assert np.isnan(probe(x))
    assert np.isnan(probe(x[::-1]))
