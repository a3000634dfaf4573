"""Every primitive of the package keeps the contract."""

import pytest

from tapegrad.core.primitive import Primitive
from tests.contracts.guarantees import GUARANTEES, Guarantee
from tests.contracts.trials import every_primitive

CONTRACT = [
    pytest.param(primitive, guarantee, id=f"{primitive.name}-{name}")
    for primitive in every_primitive()
    for name, guarantee in GUARANTEES.items()
    if guarantee.holds_for(primitive)
]


@pytest.mark.parametrize(("primitive", "guarantee"), CONTRACT)
def test_contract(primitive: Primitive, guarantee: Guarantee) -> None:
    guarantee.check(primitive)
