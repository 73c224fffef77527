"""Whole networks against PyTorch with the same random weights: how far the scores and gradients differ.

    course bench agreement                         every network of the zoo, one picture, single precision
    course bench agreement --networks vgg16        some of them
    course bench agreement --gradients             gradients too (takes a few minutes and 4 GiB for the largest)

Errors are measured against PyTorch in double precision; PyTorch's own in single precision stands beside them. Scores
are compared one by one, relative to the largest. Gradients are compared parameter by parameter, by the norm of the
difference relative to the norm, and the worst parameter counts: single entries say little, because a ReLU or a maximum
that rounding turns to its other side sends a gradient elsewhere, in both libraries alike, and batch norm over two
pictures makes more of it from layer to layer.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from cnncourse import config, zoo
from cnncourse.layers import Dropout
from cnncourse.network import Network
from tests.cnncourse.torch_twin import evaluate_all, tensors

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "lenet5": [{}, {"connections": "partial"}],
    "alexnet": [{}, {"groups": 1}, {"variant": "2014"}],
    "resnet50": [{}, {"version": "v1.5"}],
}


def networks(names: list[str]) -> Iterator[tuple[str, Network]]:
    for name in names:
        for options in VARIANTS.get(name, [{}]):
            said = ", ".join(f"{key}={value!r}" for key, value in options.items())
            yield f"{name}({said})", without_dropout(getattr(zoo, name)(**options))


def without_dropout(network: Network) -> Network:
    """The same without masks, which PyTorch would draw in another way."""
    plain = Network(network.input_shape, network.name)
    for node in network.nodes:
        plain.add(Dropout(0) if isinstance(node.layer, Dropout) else node.layer, *node.inputs, name=node.name)
    return plain


def prepare(network: Network, seed: int) -> np.ndarray:
    """Weights, biases and running statistics at random, and a picture."""
    rng = np.random.default_rng(seed)
    network.initialize(rng)
    for name, value in network.parameters.items():
        if name.endswith("bias"):
            value += 0.1 * rng.standard_normal(value.shape, np.float32)
    for name, value in network.buffers.items():
        value[:] = rng.uniform(0.5, 2, value.shape) if name.endswith("var") else 0.1 * rng.standard_normal(value.shape)
    return rng.standard_normal((1, *network.input_shape), np.float32)


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to the largest expected value."""
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """Norm of the difference, relative to the norm of what is expected."""
    return float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30))


def scores(network: Network, x: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    with torch.no_grad():
        found: np.ndarray = evaluate_all(network, *tensors(network, x, dtype))[network.outputs[0]].numpy()
    return found


def gradients(network: Network, x: np.ndarray, grad_out: np.ndarray, dtype: torch.dtype) -> dict[str, np.ndarray]:
    parameters, buffers, given = tensors(network, x, dtype, requires_grad=True)
    out = evaluate_all(network, parameters, buffers, given, training=True)[network.outputs[0]]
    out.backward(torch.tensor(grad_out, dtype=dtype))
    return {name: value.grad.numpy() for name, value in parameters.items()}


def gradient_errors(network: Network, x: np.ndarray, seed: int) -> tuple[float, float]:
    """Ours and PyTorch's, the worst over all parameters. Batch norm needs more than one value for each channel."""
    x = np.concatenate([x, x[..., ::-1]])
    out = network.forward(x, training=True)
    grad_out = np.random.default_rng(seed).standard_normal(out.shape, np.float32)
    network.backward(grad_out, input_gradient=False)
    expected = gradients(network, x, grad_out, torch.float64)
    ours = max(distance(network.gradients[name], value) for name, value in expected.items())
    theirs = gradients(network, x, grad_out, torch.float32)
    return ours, max(distance(theirs[name], value) for name, value in expected.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=zoo.__all__, choices=zoo.__all__, metavar="NAME")
    parser.add_argument("--gradients", action="store_true", help="compare the gradients of all parameters too")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    table = Table(title="worst relative error, float32")
    table.add_column("network")
    headers = ["scores", "without Winograd", "PyTorch"]
    headers += ["gradients", "PyTorch"] if options.gradients else []
    for header in headers:
        table.add_column(header, justify="right")
    for name, network in networks(options.networks):
        x = prepare(network, options.seed)
        expected = scores(network, x, torch.float64)
        found = [error(network.forward(x), expected)]
        with config.exact():
            found.append(error(network.forward(x), expected))
        found.append(error(scores(network, x, torch.float32), expected))
        if options.gradients:
            found += gradient_errors(network, x, options.seed)
        table.add_row(name, *(f"{one:.1e}" for one in found))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
