"""The linear layer: a matrix product and a bias."""

from math import sqrt

import numpy as np
from attrs import frozen

from tapegrad import random
from tapegrad.core.var import apply
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
        TypeError: if `key` is not a key, an integer seed for example.
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

    Example:
        >>> linear(LinearParams(np.array([[1.0], [10.0]]), np.array([0.5])), np.array([[1.0, 2.0]]))
        array([[21.5]])
    """
    y: Array = apply(affine_p, x, params.weight, params.bias)
    return y
