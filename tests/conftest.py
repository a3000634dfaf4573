"""What holds for every test: the same examples on every run, and no tape left recording behind it."""

import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from tapegrad.core.node import CURRENT
from tapegrad.core.primitive import FUNCTIONS, PRIMITIVES, UFUNCS
from tests.every_module import every_module

settings.register_profile("tests", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def no_tape_left() -> Iterator[None]:
    """Fail a test after which a tape still records."""
    yield
    assert CURRENT.get() is None, "a tape still records after the test"


@pytest.fixture
def temporary() -> Iterator[None]:
    """Forget, after the test, the primitives that it defined."""
    every_module()  # what a room registers once shall not be forgotten
    registries: tuple[dict[Any, Any], ...] = (PRIMITIVES, UFUNCS, FUNCTIONS)
    before = [dict(registry) for registry in registries]
    yield
    for registry, kept in zip(registries, before, strict=True):
        registry.clear()
        registry.update(kept)


GENERATORS: list[np.random.Generator] = []
"""The generators of the test modules."""


@pytest.fixture(autouse=True)
def same_numbers(request: pytest.FixtureRequest) -> None:
    """Let a test draw the same numbers from the generators of test modules, whatever ran before it in this process."""
    if not GENERATORS:
        modules = [module for name, module in list(sys.modules.items()) if name.startswith("tests.")]
        GENERATORS.extend(x for module in modules for x in vars(module).values() if isinstance(x, np.random.Generator))
    own = np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
    for generator in GENERATORS:
        generator.bit_generator.state = own.bit_generator.state
