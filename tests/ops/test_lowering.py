"""Contractions as products of matrices: what is copied, and that nothing depends on how operands lie in memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapegrad as tg
import tapegrad.numpy as tnp
from tapegrad.compiler.program import improved
from tapegrad.ops.lowering import Lowering, compact, lowering
from tests.compiler.tracing import names, traced

SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "h": 6, "w": 7, "o": 8, "k": 2, "q": 3}


def cheapest(subscripts: str, **sizes: int) -> Lowering:
    sizes = SIZES | sizes
    left, right = (tuple([sizes[c] for c in labels]) for labels in subscripts.split("->")[0].split(","))
    return lowering(subscripts, left, right, compact(left), compact(right))


@pytest.mark.parametrize(
    "subscripts",
    [
        "ab,bc->ac",
        "ab,cb->ac",
        "ab,bc->ca",  # the second operand comes first
        "abcd,cdhw->abhw",  # pairs of labels are one axis
        "abcd,acdo->abo",  # and so are pairs of batches
        "bchw,oc->bohw",  # what only one operand has is a batch that the other one is broadcast to
        "bohw,oc->bchw",
        "bohw,bchw->oc",  # a batch that is summed is added up afterwards
        "bchk,bchq->bckq",
    ],
)
def test_nothing_is_copied_where_nothing_has_to_be(subscripts: str) -> None:
    how = cheapest(subscripts)
    assert not how.first.copied
    assert not how.second.copied
    assert how.axes is None


def test_small_matrices_are_not_worth_it() -> None:
    """Thousands of products of 2 by 2 numbers are one of 2 by 4000, although operands have to be copied for it."""
    assert cheapest("bac,bdc->ad", b=2000, a=2, c=2, d=2).added == 0
    assert cheapest("bac,bdc->ad", b=20, a=30, c=400, d=30).added == 1


def laid_out(x: Any, how: str) -> Any:
    """Return the numbers of an array with other strides."""
    if how == "transposed":
        return np.asfortranarray(x)
    if how == "spread":
        return np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x
    if how == "reversed":
        return np.ascontiguousarray(np.flip(x))[(slice(None, None, -1),) * x.ndim]
    return x


@given(st.data())
def test_any_layout(data: st.DataObject) -> None:
    """Each label stands in two or three places; operands are transposed, have gaps, run backwards, or repeat one row."""
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    roles = [*data.draw(st.lists(st.sampled_from(["batch", "row", "column", "sum"]), max_size=5)), "sum"]
    labels = "abcdef"[: len(roles)]
    sizes = {c: data.draw(st.sampled_from([0, 1, 2, 3, 4, 5])) for c in labels}
    places = [
        "".join(data.draw(st.permutations([c for c, role in zip(labels, roles, strict=True) if role != absent])))
        for absent in ("column", "row", "sum")
    ]
    subscripts = f"{places[0]},{places[1]}->{places[2]}"
    operands = []
    for place in places[:2]:
        x = random.normal(size=[sizes[c] for c in place])
        x = laid_out(x, data.draw(st.sampled_from(["plain", "transposed", "spread", "reversed"])))
        if x.ndim and data.draw(st.booleans()):
            x = np.broadcast_to(x[:1], x.shape)
        operands.append(x)
    left, right = (tuple([s // 8 for s in x.strides]) for x in operands)
    how = lowering(subscripts, operands[0].shape, operands[1].shape, left, right, floating=data.draw(st.booleans()))
    expected = np.einsum(subscripts, *operands)
    value = how.of(*operands)
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, atol=1e-12)


def test_integers_are_not_added_up_afterwards() -> None:
    """The sum of an axis of short integers would be of long ones."""
    assert cheapest("bac,bdc->ad", b=20, a=30, c=400, d=30).added == 1
    x, y = (np.ones((20, 30, 400), np.int32) for _ in range(2))
    value = tnp.einsum("bac,bdc->ad", x, y)
    assert value.dtype == np.einsum("bac,bdc->ad", x, y).dtype == np.int32
    np.testing.assert_array_equal(value, np.full((30, 30), 8000))


# In programs


@pytest.mark.parametrize(
    "subscripts",
    ["ab,bc->ac", "bchw,oc->bohw", "ab,cd->acbd", "ab,ab->a", "ab,ab->ba", "ab,ab->", "a,ab->b", "ab->ba", "abc->ca"],
)
def test_programs_know_no_einsum(subscripts: str) -> None:
    """Passes see products, sums and transposes: their constants are folded, what is elementwise is fused."""
    operands = [np.ones([SIZES[c] for c in labels]) for labels in subscripts.split("->")[0].split(",")]

    def loss(*xs: Any) -> Any:
        return np.sum(np.tanh(np.einsum(subscripts, *xs)))

    slopes = tg.grad(loss, tuple(range(len(operands))))
    trace = improved(traced(slopes, *operands), ("expand", "fold", "merge", "simplify"))
    assert not {"einsum1", "einsum2", "spread"} & set(names(trace))
    for got, expected in zip(tg.jit(slopes)(*operands), slopes(*operands), strict=True):
        np.testing.assert_allclose(got, expected)
