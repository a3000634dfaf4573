"""A pytest plugin (named in pyproject.toml): what every example in a docstring may use without importing it."""

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.numpy as tnp


@pytest.fixture(scope="session", autouse=True)
def names(doctest_namespace: dict[str, object]) -> None:
    """Put `np`, `tg` and `tnp` into the namespace of doctests."""
    doctest_namespace.update(np=np, tg=tg, tnp=tnp)
