"""What is said about methods that arrays have in other libraries."""

import numpy as np

ELSEWHERE = {
    "backward": "tapegrad.grad(f)(x), which returns the gradient",
    "clamp": "x.clip(low, high)",
    "detach": "tapegrad.stop_gradient(x)",
    "exp": "tapegrad.numpy.exp(x)",
    "log": "tapegrad.numpy.log(x)",
    "matmul": "x @ y",
    "norm": "tapegrad.numpy.linalg.norm(x)",
    "numel": "x.size",
    "numpy": "x itself, which functions of numpy take; or return it, and look at it outside of the transform",
    "permute": "x.transpose(axes)",
    "pow": "x ** y",
    "relu": "tapegrad.nn.relu(x)",
    "sigmoid": "tapegrad.nn.sigmoid(x)",
    "softmax": "tapegrad.nn.softmax(x)",
    "sqrt": "tapegrad.numpy.sqrt(x)",
    "tanh": "tapegrad.numpy.tanh(x)",
    "unsqueeze": "x[:, None], or tapegrad.numpy.expand_dims(x, axis)",
    "view": "x.reshape(shape), or x.astype(dtype)",
}
"""The name of a method there: what is written here."""


def no_attribute(name: str) -> AttributeError:
    """Return the error for an attribute that traced values do not have, with a way out where there is one."""
    hint = ""
    if name in ELSEWHERE:
        hint = f" Write {ELSEWHERE[name]}."
    elif hasattr(np.ndarray, name):
        hint = " It is an attribute of ndarray that has no derivative rule."
    return AttributeError(f"a traced array has no attribute '{name}'.{hint}")
