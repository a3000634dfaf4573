"""What a workload is: one computation, value and gradient, in several libraries."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from attrs import frozen

Call = Callable[[], tuple[Any, list[Any]]]
"""Returns the value and the gradients, as the library at hand represents them."""


@frozen
class Workload:
    """A named computation, and how each library does it; what is not installed is left out."""

    name: str
    what: str
    calls: dict[str, Call]

    def check(self) -> None:
        """Raise unless all implementations agree to single precision."""
        (_, first), *others = self.calls.items()
        value, gradients = first()
        for name, call in others:
            other_value, other_gradients = call()
            np.testing.assert_allclose(np.asarray(other_value), np.asarray(value), rtol=1e-3, err_msg=f"{self.name}: {name}")
            for g, h in zip(gradients, other_gradients, strict=True):
                scale = float(np.max(np.abs(np.asarray(g)))) or 1.0
                np.testing.assert_allclose(
                    np.asarray(h) / scale, np.asarray(g) / scale, atol=2e-3, err_msg=f"{self.name}: {name}"
                )


def installed(package: str) -> bool:
    return find_spec(package) is not None
