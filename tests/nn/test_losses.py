"""What losses promise: the mean over examples, stable and exact at extremes, and a clear no to what does not fit."""

from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import nn
from tapegrad.testing import check_grads

random = np.random.default_rng(0)
LOGITS, LABELS = random.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])


# Mean squared error


@pytest.mark.parametrize("shape", [(), (3,), (3, 2), (0,)])
def test_mse_is_the_mean_of_squares(shape: tuple[int, ...]) -> None:
    a, b = random.normal(size=shape), random.normal(size=shape)
    if a.size:
        np.testing.assert_allclose(nn.mse(a, b), np.mean((a - b) ** 2), rtol=1e-14)
        check_grads(nn.mse, (a, b), order=2)
    else:
        with np.errstate(invalid="ignore"):
            assert tg.grad(nn.mse)(a, b).shape == shape


def test_mse_of_float32_is_float32() -> None:
    value, grads = tg.value_and_grad(nn.mse)(np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))
    assert value.dtype == np.float32 and grads.dtype == np.float32


def test_losses_and_softmax_of_float16_sum_in_float32() -> None:
    x, labels = np.zeros((70_000, 2), np.float16), np.zeros(70_000, int)
    x[:, 0] = 2.0
    losses: list[Any] = [(nn.mse, np.zeros_like(x)), (nn.cross_entropy, labels)]
    for loss, other in losses:
        for f in (loss, tg.jit(loss)):
            value = f(x, other)
            assert value.dtype == np.float16
            np.testing.assert_allclose(value, loss(x.astype(float), other), rtol=1e-3)
        grads = tg.grad(loss)(x, other)
        assert grads.dtype == np.float16
        np.testing.assert_allclose(grads, tg.grad(loss)(x.astype(float), other), atol=6e-8)
    for along in (nn.softmax, nn.log_softmax):
        y = along(x, axis=0)
        assert y.dtype == np.float16
        np.testing.assert_allclose(y, along(x.astype(float), axis=0), rtol=1e-3, atol=6e-8)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, bool])
def test_mse_of_integers_is_exact(dtype: Any) -> None:
    a, b = np.array([0, 100, 1, 2]).astype(dtype), np.array([100, 0, 1, 0]).astype(dtype)
    expected = np.mean((a.astype(float) - b.astype(float)) ** 2)
    assert nn.mse(a, b) == tg.jit(nn.mse)(a, b) == expected


def test_mse_of_large_integers_is_that_of_their_difference() -> None:
    assert nn.mse(np.array([2**60 + 1]), np.array([2**60])) == 1.0
    assert nn.mse(np.array([2**40]), np.array([0])) == 2.0**80


def test_mse_of_python_floats() -> None:
    assert tg.grad(lambda p: nn.mse(p * p, 3.0))(2.0) == 8.0  # type: ignore[arg-type]  # not promised to the type checker
    assert tg.grad(tg.grad(lambda p: nn.mse(p * p, 3.0)))(2.0) == 36.0  # type: ignore[arg-type]  # likewise


def test_mse_does_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"predictions have shape \(3, 1\) and targets shape \(3,\)"):
        nn.mse(np.ones((3, 1)), np.ones(3))
    with pytest.raises(ValueError, match="must be the same"):
        tg.grad(nn.mse)(np.ones((3, 1)), np.ones(3))


# Cross-entropy


def reference(logits: Any, labels: Any) -> Any:
    picked = np.take_along_axis(logits - np.log(np.exp(logits).sum(-1, keepdims=True)), labels[..., None], -1)
    return -picked.mean()


def test_cross_entropy_is_the_mean_of_surprises() -> None:
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, LABELS), reference(LOGITS, LABELS), rtol=1e-14)


def test_its_gradient_is_probability_minus_truth() -> None:
    grads = tg.grad(nn.cross_entropy)(LOGITS, LABELS)
    np.testing.assert_allclose(grads, (nn.softmax(LOGITS) - np.eye(4)[LABELS]) / 5, atol=1e-16)
    check_grads(lambda x: nn.cross_entropy(x, LABELS), (LOGITS,), order=2)


def test_examples_may_have_any_leading_shape() -> None:
    logits, labels = LOGITS[:4].reshape(2, 2, 4), LABELS[:4].reshape(2, 2)
    np.testing.assert_allclose(nn.cross_entropy(logits, labels), nn.cross_entropy(LOGITS[:4], LABELS[:4]), rtol=1e-15)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS[0], 2), reference(LOGITS[:1], np.array([2])), rtol=1e-14)
    check_grads(lambda x: nn.cross_entropy(x, labels), (logits,), order=2)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_of_every_integer_type_and_lists_are_taken(dtype: Any) -> None:
    assert nn.cross_entropy(LOGITS, LABELS.astype(dtype)) == nn.cross_entropy(LOGITS, LABELS)
    assert nn.cross_entropy(LOGITS, LABELS.tolist()) == nn.cross_entropy(LOGITS, LABELS)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64])
@pytest.mark.parametrize("shape", [(100, 4), (300, 4), (30, 40)])
def test_traced_labels_of_every_integer_type_count_places_as_they_should(shape: tuple[int, int], dtype: Any) -> None:
    logits, labels = random.normal(size=shape), random.integers(0, shape[1], shape[0])
    value, grads = tg.value_and_grad(nn.cross_entropy)(logits, labels)
    for found in (
        tg.jit(tg.value_and_grad(nn.cross_entropy))(logits, labels.astype(dtype)),
        tg.vmap(tg.value_and_grad(nn.cross_entropy))(logits[None], labels.astype(dtype)[None]),
    ):
        np.testing.assert_allclose(np.reshape(found[0], ()), value, rtol=1e-12)
        np.testing.assert_allclose(np.reshape(found[1], shape), grads, atol=1e-15)


@pytest.mark.parametrize("wrong", [-1, 3, 200])
@pytest.mark.parametrize("rows", [4, 2000])
def test_traced_labels_out_of_range_are_refused(wrong: int, rows: int) -> None:
    logits, labels = random.normal(size=(rows, 3)), np.zeros(rows, int)
    labels[1] = wrong
    for f in (
        tg.jit(nn.cross_entropy),
        tg.jit(tg.grad(nn.cross_entropy)),
        lambda logits, labels: tg.vmap(tg.grad(nn.cross_entropy))(logits[None], labels[None]),
    ):
        with pytest.raises(ValueError, match=rf"labels must be from 0 to 2, got {wrong}"):
            f(logits, labels)


def test_integer_scores_are_taken() -> None:
    for dtype in (int, np.uint8):
        scores = np.array([[1, 2, 0]], dtype)
        assert nn.cross_entropy(scores, [1]) == nn.cross_entropy(scores.astype(float), [1])


def test_cross_entropy_of_float32_is_float32() -> None:
    value, grads = tg.value_and_grad(nn.cross_entropy)(LOGITS.astype(np.float32), LABELS)
    assert value.dtype == np.float32 and grads.dtype == np.float32


def test_huge_scores_neither_overflow_nor_lose_the_gradient() -> None:
    logits = np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 1e4]])
    value, grads = tg.value_and_grad(nn.cross_entropy)(logits, np.array([2, 2]))
    assert value == 1e4
    assert grads.tolist() == [[0.5, 0, -0.5], [0, 0, 0]]


def test_a_class_that_is_ruled_out_takes_no_part() -> None:
    logits = np.array([[0.5, -np.inf, 1.5]])
    value, grads = tg.value_and_grad(nn.cross_entropy)(logits, np.array([2]))
    np.testing.assert_allclose(value, nn.cross_entropy(logits[:, [0, 2]], np.array([1])), rtol=1e-15)
    np.testing.assert_allclose(grads[:, [0, 2]], tg.grad(nn.cross_entropy)(logits[:, [0, 2]], np.array([1])), rtol=1e-15)
    assert grads[0, 1] == 0
    second = tg.hessian(nn.cross_entropy)(logits, np.array([2]))
    assert np.all(np.isfinite(second)) and np.all(second[0, 1] == 0)


def test_the_true_class_ruled_out_is_infinitely_surprising() -> None:
    value, grads = tg.value_and_grad(nn.cross_entropy)(np.array([[0.0, -np.inf]]), np.array([1]))
    assert value == np.inf
    assert grads.tolist() == [[1.0, -1.0]]


def test_labels_may_be_batched_with_the_logits() -> None:
    logits, labels = random.normal(size=(3, 5, 4)), random.integers(0, 4, (3, 5))
    looped = [nn.cross_entropy(x, y) for x, y in zip(logits, labels, strict=True)]
    np.testing.assert_allclose(tg.vmap(nn.cross_entropy)(logits, labels), looped, rtol=1e-14)
    np.testing.assert_allclose(
        tg.vmap(tg.grad(nn.cross_entropy))(logits, labels),
        [tg.grad(nn.cross_entropy)(x, y) for x, y in zip(logits, labels, strict=True)],
        atol=1e-15,
    )


def test_equal_to_pytorch() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(LOGITS, requires_grad=True)
    torch.nn.functional.cross_entropy(theirs, torch.tensor(LABELS)).backward()
    np.testing.assert_allclose(tg.grad(nn.cross_entropy)(LOGITS, LABELS), theirs.grad.numpy(), rtol=1e-12, atol=1e-16)


def test_labels_that_are_no_integers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"labels must be integers, got dtype float64; give labels\.astype\(int\)"):
        nn.cross_entropy(LOGITS, LABELS.astype(float))
    with pytest.raises(TypeError, match=r"give labels\.argmax\(axis=-1\)"):
        nn.cross_entropy(LOGITS, np.eye(4)[LABELS])
    with pytest.raises(TypeError, match="got dtype bool"):
        nn.cross_entropy(LOGITS, LABELS > 1)


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"logits of shape \(5, 4\) need one label an example, shape \(5,\), got \(4,\)"):
        nn.cross_entropy(LOGITS, LABELS[:4])
    with pytest.raises(ValueError, match=r"got \(5, 1\)"):
        nn.cross_entropy(LOGITS, LABELS[:, None])


@pytest.mark.parametrize("wrong", [-1, 4])
def test_a_label_out_of_range_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"labels must be from 0 to 3, got {wrong}"):
        nn.cross_entropy(LOGITS, np.array([0, 1, wrong, 2, 3]))
    with pytest.raises(ValueError, match="from 0 to 3"):
        tg.grad(nn.cross_entropy)(LOGITS, np.array([0, 1, wrong, 2, 3], np.int8))


def test_losses_take_lists_and_numbers() -> None:
    assert nn.mse([1.0, 2.0], [1.0, 4.0]) == 2.0  # type: ignore[arg-type]  # not promised to the type checker
    assert nn.mse(1.0, 3.0) == 4.0  # type: ignore[arg-type]  # likewise
    assert nn.cross_entropy([[0.0, 0.0]], [1]) == pytest.approx(np.log(2))  # type: ignore[arg-type]  # likewise


def test_targets_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"nn\.mse: targets must be an array of numbers, got a NoneType"):
        nn.mse(np.ones(2), None)  # type: ignore[arg-type]  # the mistake under test


def test_logits_and_labels_in_the_wrong_order_are_noticed() -> None:
    with pytest.raises(TypeError, match="the logits come first"):
        nn.cross_entropy(np.array([0, 1]), np.zeros((2, 3)))


def test_labels_that_are_differentiated_are_refused() -> None:
    with pytest.raises(TypeError, match="there is no derivative by labels"):
        tg.grad(lambda labels: nn.cross_entropy(np.zeros((2, 3)), labels))(np.zeros(2))
