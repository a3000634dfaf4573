"""The linear layer: a matrix product and a bias."""

import operator
from math import sqrt
from typing import Any

import numpy as np
from attrs import frozen

from tapegrad import random
from tapegrad.core.arrays import shape_of
from tapegrad.core.var import apply
from tapegrad.nn.arguments import numbers
from tapegrad.ops.affine import affine_p
from tapegrad.typing import Array, DTypeLike


@frozen
class LinearParams:
    """Parameters of `linear`: weight of shape ``(inputs, outputs)``, bias of shape ``(outputs,)``."""

    weight: Array
    bias: Array


def init_linear(key: Array, inputs: int, outputs: int, dtype: DTypeLike = np.float32) -> LinearParams:
    """Return random parameters of `linear`, uniform on ``[-1/sqrt(inputs), 1/sqrt(inputs))``, weight and bias alike.

    That is PyTorch's default. The outputs then have about a third of the variance of inputs of unit variance, and for one
    input the kinks of the rectifiers behind the layer are spread out, which a bias of zero would heap up at the origin.

    Args:
        key: a key, from `tapegrad.random.key` or ``split``.
        inputs: how many numbers come in, 1 or more.
        outputs: how many go out, 1 or more.
        dtype: float32 unless given, in which networks are usually trained.

    Raises:
        TypeError: if `key` is not a key, an integer seed for example, or `inputs` or `outputs` is not an integer.
        ValueError: if `inputs` or `outputs` is less than 1.

    Example:
        >>> params = init_linear(random.key(0), 3, 2)
        >>> params.weight.shape, params.bias.shape, params.weight.dtype
        ((3, 2), (2,), dtype('float32'))

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998, section 4.6: the scale; its variance is three
        times the one here.
    """
    random.check_key("nn.init_linear", key)
    try:
        inputs, outputs = operator.index(inputs), operator.index(outputs)
    except TypeError:
        raise TypeError(f"nn.init_linear: inputs and outputs must be integers, got {inputs!r} and {outputs!r}") from None
    if inputs < 1 or outputs < 1:
        raise ValueError(f"nn.init_linear: inputs and outputs must be 1 or more, got {inputs} and {outputs}")
    bound = 1.0 / sqrt(inputs)
    for_weight, for_bias = random.split(key)
    return LinearParams(
        weight=random.uniform(for_weight, (inputs, outputs), dtype, -bound, bound),
        bias=random.uniform(for_bias, (outputs,), dtype, -bound, bound),
    )


def linear(params: LinearParams, x: Array) -> Array:
    """Return ``x @ weight + bias``.

    Args:
        params: weight of shape ``(inputs, outputs)``, bias of shape ``(outputs,)``.
        x: shape ``(..., inputs)``.

    Returns:
        Shape ``(..., outputs)``.

    Raises:
        TypeError: if `params` has no weight and bias, or one of the three is not an array of numbers.
        ValueError: if the shapes do not fit.

    Example:
        >>> linear(LinearParams(np.array([[1.0], [10.0]]), np.array([0.5])), np.array([[1.0, 2.0]]))
        array([[21.5]])
    """
    try:
        y: Array = apply(affine_p, x, params.weight, params.bias)
    except (AttributeError, TypeError, ValueError):
        explain(params, x)
        raise
    return y


def explain(params: Any, x: Any) -> None:
    """Say why a layer could not be applied, if it is the arguments' fault.

    Raises:
        TypeError: if `params` has no weight and bias, or one of the three is not an array of numbers.
        ValueError: if the shapes do not fit.
    """
    if not (hasattr(params, "weight") and hasattr(params, "bias")):
        raise TypeError(
            f"nn.linear: expected parameters with weight and bias, as nn.LinearParams has, got a {type(params).__name__}; "
            f"the parameters come first: nn.linear(params, x)"
        )
    named = {"x": x, "weight": params.weight, "bias": params.bias}
    shape, weight, bias = (shape_of(numbers("nn.linear", value, what)) for what, value in named.items())
    if len(weight) == 2 and shape[-1:] == weight[:1] and bias == weight[1:]:
        return
    raise ValueError(
        f"nn.linear: x of shape {shape}, weight of shape {weight} and bias of shape {bias} do not fit; "
        f"expected (..., inputs), (inputs, outputs) and (outputs,)"
    )
