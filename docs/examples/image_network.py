"""A network on images, looked at from inside: shapes, a cotangent pulled back, the tape walked, one step taken.

Run ``python docs/examples/image_network.py``. Images have shape ``(batch, 1, 28, 28)``, as image loaders give them; the network
is flatten, linear to 32, relu, linear to 10.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from attrs import frozen

import tapegrad as tg
from tapegrad import nn, optim
from tapegrad.typing import Array


@frozen
class Network:
    """Parameters of the network: 784 pixels, 32 hidden units, 10 scores."""

    hidden: nn.LinearParams
    output: nn.LinearParams


def init_network(key: Array) -> Network:
    """Return random parameters."""
    first, second = tg.random.split(key)
    return Network(hidden=nn.init_linear(first, 784, 32), output=nn.init_linear(second, 32, 10))


def scores(params: Network, images: Array) -> Array:
    """Return scores of shape ``(batch, 10)`` for images of shape ``(batch, 1, 28, 28)``."""
    x = images.reshape(len(images), -1)
    x = nn.relu(nn.linear(params.hidden, x))
    return nn.linear(params.output, x)


def loss(params: Network, images: Array, labels: Array) -> Array:
    """Return the cross-entropy."""
    return nn.cross_entropy(scores(params, images), labels)


def show_shapes(params: Network, image: Array) -> None:
    """Print what each operation makes of one image, and the parameters."""
    tape = tg.record(scores, params, image)
    print(f"layers, for an image of shape {image.shape}:")
    for node in tape.nodes:
        if node.primitive.name != "root":
            print(f"    {node.primitive.name:10} {np.shape(node.value)}")
    print("parameters:")
    for path, leaf in zip(tg.tree.paths(params), tg.tree.leaves(params), strict=True):
        print(f"    {'params' + path:21} {leaf.shape}")
    print(f"    {sum(leaf.size for leaf in tg.tree.leaves(params)):,} numbers in all\n")


def pull_back(params: Network, image: Array, cotangent: Array) -> Network:
    """Return the cotangent of the parameters for one of the scores: no loss is needed."""
    _, pull = tg.vjp(lambda params: scores(params, image), params)
    grads: Network = pull(cotangent)[0]
    return grads


def walk_back(tape: tg.Tape) -> list[str]:
    """Return the names of the operations from the output back to where the data came in."""
    names = []
    index = tape.outputs[0]
    while index is not None:
        names.append(tape.nodes[index].primitive.name)
        index = tape.nodes[index].inputs[0]
    return names


def main(arguments: Sequence[str] | None = None) -> tuple[float, float]:
    """Show it all, and return the loss before and after one step."""
    parser = argparse.ArgumentParser(description="Look at a small network on images from inside.")
    parser.add_argument("--quick", action="store_true", help="a batch of 4 images instead of 64")
    count = 4 if parser.parse_args(arguments).quick else 64

    for_params, for_images, for_labels, for_cotangent = tg.random.split(tg.random.key(0), 4)
    params = init_network(for_params)
    images = tg.random.normal(for_images, (count, 1, 28, 28), np.float32)
    labels = tg.random.permutation(for_labels, count) % 10

    show_shapes(params, images[:1])

    cotangent = tg.random.normal(for_cotangent, (1, 10), np.float32)
    grads = pull_back(params, images[:1], cotangent)
    print("an arbitrary cotangent of the scores, pulled back to the bias of the hidden layer:")
    print(f"{grads.hidden.bias}\n")

    print("the tape of the loss, walked back from its end:")
    tape = tg.record(loss, params, images, labels=labels)
    print(f"    {' <- '.join(walk_back(tape))}\n")

    before, gradient = tg.value_and_grad(loss)(params, images, labels)
    optimizer = optim.sgd(0.05)
    updates, _ = optimizer.update(gradient, optimizer.init(params), params)
    new = optim.apply_updates(params, updates)
    after = loss(new, images, labels)
    print("one step of gradient descent at 0.05; weights of hidden unit 0 to the 10 scores")
    print(f"    before {np.array2string(params.output.weight[0], precision=4, max_line_width=120)}")
    print(f"    after  {np.array2string(new.output.weight[0], precision=4, max_line_width=120)}")
    print(f"loss before {before:.4f}, after {after:.4f}")
    return float(before), float(after)


if __name__ == "__main__":
    main()
